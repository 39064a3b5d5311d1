//! Properties that hold for every image.

use proptest::prelude::*;

use super::super::*;
use super::{layer, sample, test_image};

/// Any image of up to 12 x 12 pixels with 1 to 4 channels, single rows and columns included.
fn any_image() -> impl Strategy<Value = Image> {
    (1_usize..12, 1_usize..12, 1_usize..5).prop_flat_map(|(height, width, channels)| {
        prop::collection::vec(0.0_f32..255.0, height * width * channels).prop_map(
            move |pixels_hwc| Image {
                height,
                width,
                channels,
                pixels_hwc,
            },
        )
    })
}

fn any_sampling() -> impl Strategy<Value = Sampling> {
    (
        prop::sample::select(FillMode::ALL.to_vec()),
        prop::sample::select(Interpolation::ALL.to_vec()),
    )
        .prop_map(|(fill_mode, interpolation)| Sampling {
            fill_mode,
            interpolation,
            fill_value: 0.0,
        })
}

fn rotation(sampling: Sampling) -> AugmentLayer {
    layer(Transform::Rotation(RandomRotation {
        factor: Factor::Scalar(1.0),
        sampling,
    }))
}

fn translation(sampling: Sampling) -> AugmentLayer {
    layer(Transform::Translation(RandomTranslation {
        height_factor: Factor::Scalar(1.0),
        width_factor: Factor::Scalar(1.0),
        sampling,
    }))
}

proptest! {
    #[test]
    fn flipping_twice_is_the_identity(image in any_image(), left_right: bool, top_bottom: bool) {
        let layer = layer(Transform::Flip(RandomFlip::default()));
        let draw = Draw::Flip(FlipDraw { left_right, top_bottom });
        let once = layer.apply(&draw, &image);
        prop_assert_eq!(layer.apply(&draw, &once), image);
    }

    #[test]
    fn flipping_is_sampling_with_the_flips_vector(
        image in any_image(), left_right: bool, top_bottom: bool, sampling in any_sampling(),
    ) {
        let layer = layer(Transform::Flip(RandomFlip::default()));
        let draw = Draw::Flip(FlipDraw { left_right, top_bottom });
        let vector = draw.input_from_output(image.height, image.width).unwrap();
        prop_assert_eq!(sample(&image, &vector, sampling), layer.apply(&draw, &image));
    }

    #[test]
    fn rotation_by_zero_is_the_identity(image in any_image(), sampling in any_sampling()) {
        let rotated = rotation(sampling).apply(&Draw::Rotation(RotationDraw { turns: 0.0 }), &image);
        prop_assert_eq!(rotated, image);
    }

    #[test]
    fn whole_pixel_translation_is_a_shift(
        image in any_image(), down in -12_i32..12, right in -12_i32..12,
        interpolation in prop::sample::select(Interpolation::ALL.to_vec()),
    ) {
        let sampling = Sampling {
            fill_mode: FillMode::Constant,
            interpolation,
            fill_value: 9.0,
        };
        // The vector, not the draw: a fraction of the side is not always a whole pixel in 32 bits.
        let vector = [1.0, 0.0, -f64::from(right), 0.0, 1.0, -f64::from(down), 0.0, 0.0];
        let shifted = sample(&image, &vector, sampling);
        for y in 0..image.height {
            for x in 0..image.width {
                let source = (
                    usize::try_from(y as i32 - down).ok().filter(|&y| y < image.height),
                    usize::try_from(x as i32 - right).ok().filter(|&x| x < image.width),
                );
                for c in 0..image.channels {
                    let expected = match source {
                        (Some(sy), Some(sx)) => {
                            image.pixels_hwc[(sy * image.width + sx) * image.channels + c]
                        }
                        _ => 9.0,
                    };
                    let at = (y * image.width + x) * image.channels + c;
                    prop_assert_eq!(shifted.pixels_hwc[at], expected);
                }
            }
        }
    }

    #[test]
    fn a_half_height_shift_with_wrap_moves_rows(width in 1_usize..9, half in 1_usize..5) {
        let image = test_image(2 * half, width, 3);
        let sampling = Sampling { fill_mode: FillMode::Wrap, ..Sampling::default() };
        let draw = Draw::Translation(TranslationDraw { y: 0.5, x: 0.0 });
        let moved = translation(sampling).apply(&draw, &image);
        // Down by half: the lower half is the upper one of before. (The upper half is not tested:
        // the wrapping period of TensorFlow is not the image's length.)
        let len = half * width * 3;
        prop_assert_eq!(&moved.pixels_hwc[len..], &image.pixels_hwc[..len]);
    }

    #[test]
    fn bilinear_reflect_stays_within_the_images_values(image in any_image(), turns in -1.0..1.0) {
        let rotated = rotation(Sampling::default()).apply(&Draw::Rotation(RotationDraw { turns }), &image);
        let low = image.pixels_hwc.iter().copied().fold(f32::INFINITY, f32::min);
        let high = image.pixels_hwc.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        for value in rotated.pixels_hwc {
            // The four weights sum to 1 up to 32-bit rounding.
            prop_assert!(value >= low - 1e-4 && value <= high + 1e-4, "{} {} {}", low, value, high);
        }
    }

    #[test]
    fn any_vector_is_sampled_without_a_panic(
        image in any_image(), sampling in any_sampling(),
        vector in prop::array::uniform8(prop_oneof![
            -3.0..3.0, -1e9..1e9, Just(0.0), Just(f64::INFINITY), Just(f64::NAN), Just(f64::MAX),
        ]),
    ) {
        let sampled = sample(&image, &vector, sampling);
        prop_assert_eq!(sampled.pixels_hwc.len(), image.pixels_hwc.len());
    }

    #[test]
    fn a_layer_gives_the_size_it_announces(
        image in any_image(), height in 1_usize..12, width in 1_usize..12, seed: u64,
    ) {
        let layers = [
            Transform::Crop(RandomCrop { height, width }),
            Transform::Resizing(Resizing {
                height,
                width,
                interpolation: Interpolation::Nearest,
                crop_to_aspect_ratio: true,
            }),
        ];
        for layer in layers.map(layer) {
            for semantics in Semantics::ALL {
                let draws = layer.draw_batch(semantics, seed, &[1], 2, image.height, image.width);
                for (mode, out) in [
                    (Mode::Training, layer.apply(&draws[1], &image)),
                    (Mode::Inference, layer.inference(semantics, &image)),
                ] {
                    let size = layer.output_size(semantics, mode, image.height, image.width);
                    prop_assert_eq!([out.height, out.width], size);
                    prop_assert_eq!(out.pixels_hwc.len(), size[0] * size[1] * image.channels);
                }
            }
        }
    }
}

/// Rows far outside take the general mapping, rows near the image the short one: the same pixels.
#[test]
fn far_coordinates_repeat_near_ones() {
    let image = test_image(5, 7, 3);
    let shifted = |fill_mode: FillMode, columns: f64| {
        let sampling = Sampling {
            fill_mode,
            ..Sampling::default()
        };
        let vector = [1.0, 0.0, columns, 0.0, 1.0, 0.0, 0.0, 0.0];
        sample(&image, &vector, sampling)
    };
    for columns in [-3.0, -0.5, 0.0, 2.25] {
        for periods in [-28.0, 28.0] {
            assert_eq!(
                shifted(FillMode::Reflect, columns),
                shifted(FillMode::Reflect, columns + periods),
                "{columns} {periods}"
            );
        }
    }
}

#[test]
fn single_pixels_rows_and_columns() {
    let strong = PipelinePreset::Strong.pipeline();
    for (height, width) in [(1, 1), (1, 9), (9, 1), (0, 0), (0, 4), (4, 0)] {
        for &fill_mode in FillMode::ALL {
            for &interpolation in Interpolation::ALL {
                let sampling = Sampling {
                    fill_mode,
                    interpolation,
                    fill_value: 0.0,
                };
                let image = test_image(height, width, 3);
                let turned =
                    rotation(sampling).apply(&Draw::Rotation(RotationDraw { turns: 0.3 }), &image);
                assert_eq!(turned.pixels_hwc.len(), image.pixels_hwc.len());
                if (height, width) == (1, 1) {
                    assert_eq!(turned, image, "{fill_mode:?} {interpolation:?}");
                }
            }
        }
        let image = test_image(height, width, 3);
        for draws in strong.draw_batch(Semantics::Keras3, 7, &[], 3, height, width) {
            let out = strong.apply(&draws, &image);
            assert!(out.pixels_hwc.iter().all(|value| value.is_finite()));
        }
    }
}

#[test]
fn positive_rotation_is_counter_clockwise() {
    // The pixel right of the centre goes to the top.
    let mut image = test_image(3, 3, 1);
    image.pixels_hwc = vec![0.0; 9];
    image.pixels_hwc[5] = 1.0;
    let turned =
        rotation(Sampling::default()).apply(&Draw::Rotation(RotationDraw { turns: 0.25 }), &image);
    assert!((turned.pixels_hwc[1] - 1.0).abs() < 1e-5, "{turned:?}");
}

#[test]
fn nearest_rounds_half_away_from_zero() {
    let mut image = test_image(1, 4, 1);
    image.pixels_hwc = vec![10.0, 20.0, 30.0, 40.0];
    let sampling = Sampling {
        fill_mode: FillMode::Constant,
        interpolation: Interpolation::Nearest,
        fill_value: 0.0,
    };
    let by = |offset: f64| {
        let vector = [1.0, 0.0, offset, 0.0, 1.0, 0.0, 0.0, 0.0];
        sample(&image, &vector, sampling).pixels_hwc
    };
    // 0.5 -> 1, and -0.5 -> -1, which is outside.
    assert_eq!(by(0.5), [20.0, 30.0, 40.0, 0.0]);
    assert_eq!(by(-0.5), [0.0, 20.0, 30.0, 40.0]);
}

#[test]
fn constant_fill_blends_at_the_border_and_where_k_is_zero() {
    let image = Image {
        height: 1,
        width: 2,
        channels: 1,
        pixels_hwc: vec![100.0, 200.0],
    };
    let sampling = Sampling {
        fill_mode: FillMode::Constant,
        interpolation: Interpolation::Bilinear,
        fill_value: 20.0,
    };
    let quarter = [1.0, 0.0, 0.25, 0.0, 1.0, 0.0, 0.0, 0.0];
    assert_eq!(
        sample(&image, &quarter, sampling).pixels_hwc,
        [125.0, 0.75 * 200.0 + 0.25 * 20.0]
    );
    // k = 1 - x vanishes in the second column.
    let projective = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, -1.0, 0.0];
    assert_eq!(
        sample(&image, &projective, sampling).pixels_hwc,
        [100.0, 20.0]
    );
}
