//! The composed transform.

use super::super::geometry::{apply, inverse, photo_outline};
use super::*;

fn pipeline(transforms: Vec<Transform>) -> Pipeline {
    transforms.into_iter().map(AugmentLayer::from).collect()
}

fn shift() -> Transform {
    Transform::Translation(RandomTranslation {
        height_factor: Factor::Scalar(0.5),
        width_factor: Factor::Scalar(0.5),
        sampling: Sampling::default(),
    })
}

fn rotation() -> Transform {
    Transform::Rotation(RandomRotation {
        factor: Factor::Scalar(0.5),
        sampling: Sampling::default(),
    })
}

const FLIPPED: Draw = Draw::Flip(FlipDraw {
    left_right: true,
    top_bottom: false,
});
const RIGHT_BY_TWO: Draw = Draw::Translation(TranslationDraw { y: 0.0, x: 0.2 });

fn close([a, b]: [f64; 2], [c, d]: [f64; 2]) {
    assert!(
        (a - c).abs() < 1e-4 && (b - d).abs() < 1e-4,
        "{a}, {b} is not {c}, {d}"
    );
}

#[test]
fn steps_compose_in_their_order() {
    let flip = Transform::Flip(RandomFlip {
        mode: FlipMode::Horizontal,
    });
    // Flipped, then moved right: output column 2 shows the flipped image's column 0, the photo's 9.
    let first = pipeline(vec![flip.clone(), shift()]);
    let matrix = first
        .input_from_output(&[FLIPPED, RIGHT_BY_TWO], 10, 10)
        .unwrap();
    close(apply(&matrix, [2.0, 4.0]), [9.0, 4.0]);
    // Moved right, then flipped: output column 0 shows column 9 of the moved one, the photo's 7.
    let second = pipeline(vec![shift(), flip]);
    let matrix = second
        .input_from_output(&[RIGHT_BY_TWO, FLIPPED], 10, 10)
        .unwrap();
    close(apply(&matrix, [0.0, 4.0]), [7.0, 4.0]);
}

#[test]
fn the_composed_matrix_says_where_the_pixels_come_from() {
    let flip = Transform::Flip(RandomFlip {
        mode: FlipMode::Horizontal,
    });
    let pipeline = pipeline(vec![flip, rotation(), shift()]);
    let draws = [
        FLIPPED,
        Draw::Rotation(RotationDraw { turns: 0.25 }),
        RIGHT_BY_TWO,
    ];
    let image = test_image(10, 10, 1);
    let out = pipeline.apply(&draws, &image);
    let matrix = pipeline.input_from_output(&draws, 10, 10).unwrap();
    let painted = pipeline.painted_by_fill(&draws, 10, 10).unwrap();
    assert_eq!(
        painted.iter().filter(|&&p| p).count(),
        20,
        "two columns of ten"
    );
    for (i, painted) in painted.into_iter().enumerate() {
        let [x, y] = apply(&matrix, [(i % 10) as f64, (i / 10) as f64]);
        if !painted {
            let at = y.round() as usize * 10 + x.round() as usize;
            let difference = (out.pixels_hwc[i] - image.pixels_hwc[at]).abs();
            assert!(difference < 0.1, "pixel {i}: {difference}");
        }
    }
}

#[test]
fn nothing_drawn_is_the_identity_and_paints_nothing() {
    let none = Pipeline::default();
    let matrix = none.input_from_output(&[], 4, 6).unwrap();
    assert_eq!(matrix, [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    assert!(none.painted_by_fill(&[], 4, 6).unwrap().iter().all(|p| !p));
    let corners = photo_outline(&matrix, 4, 6).unwrap();
    assert_eq!(corners[2], [5.5, 3.5]);
}

#[test]
fn steps_that_are_off_do_not_count() {
    let mut pipeline = pipeline(vec![shift(), rotation()]);
    pipeline.steps[0].on = false;
    let matrix = pipeline
        .input_from_output(&[Draw::Rotation(RotationDraw { turns: 0.5 })], 10, 10)
        .unwrap();
    close(apply(&matrix, [0.0, 0.0]), [9.0, 9.0]);
}

#[test]
fn a_crop_has_no_matrix_of_one_size() {
    let crop = Transform::Crop(RandomCrop {
        height: 5,
        width: 5,
    });
    let draw = Draw::Crop(CropDraw {
        top: 1,
        left: 1,
        height: 5,
        width: 5,
    });
    let pipeline = pipeline(vec![crop]);
    let draws = [draw];
    assert_eq!(pipeline.input_from_output(&draws, 10, 10), None);
    assert_eq!(pipeline.painted_by_fill(&draws, 10, 10), None);
}

#[test]
fn the_inverse_undoes_and_is_missing_for_a_line() {
    let pipeline = pipeline(vec![rotation(), shift()]);
    let draws = [Draw::Rotation(RotationDraw { turns: 0.1 }), RIGHT_BY_TWO];
    let matrix = pipeline.input_from_output(&draws, 10, 20).unwrap();
    let back = inverse(&matrix).unwrap();
    close(apply(&back, apply(&matrix, [3.0, 7.0])), [3.0, 7.0]);
    let mut line = matrix;
    line[..3].fill(0.0);
    assert_eq!(inverse(&line), None);
}

#[test]
fn channels_are_resampled_alike_however_many_there_are() {
    let vectors = [
        [0.8, -0.6, 3.0, 0.6, 0.8, -7.0, 0.0, 0.0],
        [2.5, 0.0, -30.0, 0.0, 2.5, -9.0, 0.0, 0.0],
        [1.0, 0.1, -0.5, 0.02, 0.9, 0.25, 0.003, -0.004],
        [1.0, 0.0, 1e9, 0.0, 1.0, -1e9, 0.0, 0.0],
    ];
    let mut fills = FillMode::ALL.iter();
    let found = fills.try_for_each(|&fill_mode| {
        for [height, width] in [[1, 1], [2, 3], [33, 70]] {
            let values = (0..height * width * 3).map(|i| (i * 37 % 251) as f32);
            let image = Image {
                height,
                width,
                channels: 3,
                pixels_hwc: values.collect(),
            };
            for (vector, &interpolation) in vectors
                .iter()
                .flat_map(|vector| Interpolation::ALL.iter().map(move |i| (vector, i)))
            {
                let sampling = Sampling {
                    fill_mode,
                    interpolation,
                    fill_value: 7.3,
                };
                let all = sample(&image, vector, sampling);
                for channel in 0..3 {
                    let of = |values: &[f32]| -> Vec<f32> {
                        values.iter().skip(channel).step_by(3).copied().collect()
                    };
                    let alone = Image {
                        channels: 1,
                        pixels_hwc: of(&image.pixels_hwc),
                        ..image
                    };
                    let alone = sample(&alone, vector, sampling);
                    if of(&all.pixels_hwc) != alone.pixels_hwc {
                        return Err(format!("{sampling:?} {vector:?} {height} x {width}"));
                    }
                }
            }
        }
        Ok(())
    });
    assert_eq!(found, Ok(()));
}
