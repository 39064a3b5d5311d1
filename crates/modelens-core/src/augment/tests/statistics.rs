//! The distributions of the draws: bounds and means over 10,000 of them.

use super::super::*;
use super::{layer, test_image};

const N: usize = 10_000;

/// Minimum, mean and maximum of one number of each draw of a batch.
fn summary(
    transform: Transform,
    semantics: Semantics,
    number: impl Fn(&Draw) -> Option<f64>,
) -> (f64, f64, f64) {
    let draws = layer(transform).draw_batch(semantics, 7, &[3], N, 160, 160);
    let numbers: Vec<f64> = draws.iter().map(|draw| number(draw).unwrap()).collect();
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (low, numbers.iter().sum::<f64>() / N as f64, high)
}

/// The summary is that of U(low, high): the ends nearly reached, the mean within five standard
/// errors, `(high - low) / sqrt(12 N)` each.
fn assert_uniform((least, mean, most): (f64, f64, f64), low: f64, high: f64) {
    let range = high - low;
    assert!(least >= low && most <= high, "[{least}, {most}]");
    assert!(least < low + 0.01 * range && most > high - 0.01 * range);
    let error = range / (12.0 * N as f64).sqrt();
    assert!(
        (mean - f64::midpoint(low, high)).abs() < 5.0 * error,
        "{mean}"
    );
}

fn contrast(factor: impl Into<Factor>) -> Transform {
    Transform::Contrast(RandomContrast {
        factor: factor.into(),
        value_range: [0.0, 255.0],
    })
}

fn contrast_of(draw: &Draw) -> Option<f64> {
    {
        let Draw::Contrast(ContrastDraw { factor, .. }) = *draw else {
            return None;
        };
        Some(factor)
    }
}

/// Keras 2 draws one contrast for a batch, so many batches of one image are needed.
fn summary_of_batches(transform: Transform, semantics: Semantics) -> (f64, f64, f64) {
    let layer = layer(transform);
    let numbers: Vec<f64> = (0..N as u64)
        .map(|batch| layer.draw_batch(semantics, 7, &[batch], 1, 8, 8).remove(0))
        .map(|draw| contrast_of(&draw).unwrap())
        .collect();
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (low, numbers.iter().sum::<f64>() / N as f64, high)
}

#[test]
fn rotation_zoom_translation_and_brightness_are_uniform() {
    let sampling = Sampling::default();
    for semantics in Semantics::ALL {
        let rotation = Transform::Rotation(RandomRotation {
            factor: Factor::Scalar(0.2),
            sampling,
        });
        let turns = |draw: &Draw| {
            let Draw::Rotation(RotationDraw { turns }) = *draw else {
                return None;
            };
            Some(turns)
        };
        assert_uniform(summary(rotation, semantics, turns), -0.2, 0.2);

        let zoom = Transform::Zoom(RandomZoom {
            height_factor: Factor::Pair(-0.3, 0.1),
            width_factor: Some(Factor::Scalar(0.5)),
            sampling,
        });
        let zoom_y = |draw: &Draw| {
            let Draw::Zoom(ZoomDraw { y, .. }) = *draw else {
                return None;
            };
            Some(y)
        };
        let zoom_x = |draw: &Draw| {
            let Draw::Zoom(ZoomDraw { x, .. }) = *draw else {
                return None;
            };
            Some(x)
        };
        assert_uniform(summary(zoom.clone(), semantics, zoom_y), 0.7, 1.1);
        assert_uniform(summary(zoom, semantics, zoom_x), 0.5, 1.5);

        let translation = Transform::Translation(RandomTranslation {
            height_factor: Factor::Pair(0.3, -0.2),
            width_factor: Factor::Scalar(0.1),
            sampling,
        });
        let shift_y = |draw: &Draw| {
            let Draw::Translation(TranslationDraw { y, .. }) = *draw else {
                return None;
            };
            Some(y)
        };
        assert_uniform(summary(translation, semantics, shift_y), -0.2, 0.3);

        let brightness = Transform::Brightness(RandomBrightness {
            factor: Factor::Scalar(0.2),
            value_range: [-1.0, 1.0],
        });
        let delta = |draw: &Draw| {
            let Draw::Brightness(BrightnessDraw { delta }) = *draw else {
                return None;
            };
            Some(delta)
        };
        assert_uniform(summary(brightness, semantics, delta), -0.4, 0.4);
    }
}

#[test]
fn shear_of_a_pair_has_both_signs_and_one_sign_for_both_axes() {
    let shear = Transform::Shear(RandomShear {
        x_factor: Factor::Pair(0.1, 0.3),
        y_factor: Factor::Pair(0.1, 0.3),
        sampling: Sampling::default(),
    });
    let draws = layer(shear).draw_batch(Semantics::Keras3, 7, &[], N, 8, 8);
    let mut negative = 0;
    for draw in draws {
        let Draw::Shear(ShearDraw { x, y }) = draw else {
            panic!("{draw:?}");
        };
        assert!((0.1..0.3).contains(&x.abs()) && x * y > 0.0);
        negative += usize::from(x < 0.0);
    }
    assert!((4_700..5_300).contains(&negative), "{negative}");
}

#[test]
fn a_scalar_contrast_never_falls_in_keras_3() {
    let keras3 = summary(contrast(0.4), Semantics::Keras3, contrast_of);
    assert_uniform(keras3, 1.0, 1.4);
    let pytorch = summary(contrast(0.4), Semantics::PyTorch, contrast_of);
    assert_uniform(pytorch, 0.6, 1.4);
    assert_uniform(
        summary_of_batches(contrast(0.4), Semantics::Keras2),
        0.6,
        1.4,
    );
}

#[test]
fn a_contrast_pair_is_sorted_in_keras_3_only() {
    let pair = (0.8, 0.1);
    assert_uniform(
        summary(contrast(pair), Semantics::Keras3, contrast_of),
        0.9,
        1.8,
    );
    assert_uniform(
        summary_of_batches(contrast(pair), Semantics::Keras2),
        0.2,
        1.1,
    );
}

#[test]
fn keras_2_draws_one_contrast_for_the_batch_and_clips_to_255() {
    let layer = layer(Transform::Contrast(RandomContrast {
        factor: Factor::Scalar(0.5),
        value_range: [0.0, 1.0],
    }));
    let draws = layer.draw_batch(Semantics::Keras2, 7, &[], 5, 8, 8);
    assert!(draws.iter().all(|draw| *draw == draws[0]));
    let image = test_image(8, 8, 3);
    let high = |draw: &Draw| {
        let out = layer.apply(draw, &image).pixels_hwc;
        out.into_iter().fold(0.0, f32::max)
    };
    assert!(high(&draws[0]) > 200.0);
    let draws = layer.draw_batch(Semantics::Keras3, 7, &[], 5, 8, 8);
    assert_ne!(draws[0], draws[1]);
    assert_eq!(high(&draws[0]), 1.0);
}

#[test]
fn both_axes_flip_together_in_keras_3_only() {
    let layer = layer(Transform::Flip(RandomFlip::default()));
    for semantics in Semantics::ALL {
        let mut counts = [0_usize; 4];
        for draw in layer.draw_batch(semantics, 7, &[], N, 8, 8) {
            let Draw::Flip(FlipDraw {
                left_right,
                top_bottom,
            }) = draw
            else {
                panic!("{draw:?}");
            };
            counts[2 * usize::from(left_right) + usize::from(top_bottom)] += 1;
        }
        let expected = match semantics {
            Semantics::Keras3 | Semantics::Keras316 => [N / 2, 0, 0, N / 2],
            Semantics::Keras2 | Semantics::PyTorch => [N / 4; 4],
        };
        for (count, expected) in counts.into_iter().zip(expected) {
            // Six standard deviations of a binomial count are below 300.
            assert!(count.abs_diff(expected) < 300, "{semantics:?} {counts:?}");
            assert!(expected > 0 || count == 0);
        }
    }
}

#[test]
fn a_crop_has_one_place_for_the_batch_and_reaches_every_place() {
    let layer = layer(Transform::Crop(RandomCrop {
        height: 5,
        width: 6,
    }));
    let mut seen = [[false; 3]; 4];
    for batch in 0..500 {
        let draws = layer.draw_batch(Semantics::Keras3, 7, &[batch], 4, 8, 8);
        assert!(draws.iter().all(|draw| *draw == draws[0]));
        let Draw::Crop(CropDraw { top, left, .. }) = draws[0] else {
            panic!("{:?}", draws[0]);
        };
        seen[top][left] = true;
    }
    assert!(seen.into_iter().flatten().all(|seen| seen));
}

#[test]
fn crops_of_images_that_do_not_fit() {
    let crop = |height: usize, width: usize| layer(Transform::Crop(RandomCrop { height, width }));
    let draw = |layer: &AugmentLayer, semantics: Semantics| {
        layer.draw_batch(semantics, 7, &[], 1, 31, 40).remove(0)
    };
    let window = |top: usize, left: usize, height: usize, width: usize| {
        Draw::Crop(CropDraw {
            top,
            left,
            height,
            width,
        })
    };
    // Keras 2: the window of the layer's shape, 13 x 40. Keras 3 cuts 20 rows from its corner.
    let wide = crop(20, 60);
    assert_eq!(draw(&wide, Semantics::Keras2), window(9, 0, 13, 40));
    assert_eq!(draw(&wide, Semantics::Keras3), window(9, 0, 20, 40));
    // As high as the image: Keras 2 still draws a column, Keras 3 takes the middle.
    let high = crop(31, 20);
    assert_eq!(draw(&high, Semantics::Keras3), window(0, 10, 31, 20));
    let columns: Vec<Draw> = (0..20)
        .map(|seed| {
            high.draw_batch(Semantics::Keras2, seed, &[], 1, 31, 40)
                .remove(0)
        })
        .collect();
    assert!(columns.iter().any(|draw| *draw != columns[0]));
}

#[test]
fn an_images_draw_depends_neither_on_the_batch_nor_on_other_steps() {
    let mut pipeline = PipelinePreset::Strong.pipeline();
    let all = pipeline.draw_batch(Semantics::Keras3, 7, &[1, 2], 9, 160, 160);
    let few = pipeline.draw_batch(Semantics::Keras3, 7, &[1, 2], 3, 160, 160);
    assert_eq!(all[..3], few[..]);
    let other = pipeline.draw_batch(Semantics::Keras3, 8, &[1, 2], 3, 160, 160);
    assert_ne!(few, other);
    pipeline.steps[0].on = false;
    let without_flip = pipeline.draw_batch(Semantics::Keras3, 7, &[1, 2], 3, 160, 160);
    for (with, without) in few.iter().zip(&without_flip) {
        assert_eq!(with[1..], without[..]);
    }
}

#[test]
fn a_layers_own_seed_gives_another_stream() {
    let mut layer = PipelinePreset::CourseLab.pipeline().steps.remove(1).layer;
    let unseeded = layer.draw_batch(Semantics::Keras3, 7, &[], 4, 8, 8);
    layer.seed = Some(1);
    assert_ne!(
        unseeded,
        layer.draw_batch(Semantics::Keras3, 7, &[], 4, 8, 8)
    );
}
