//! Words, code, limits, inference.

use super::super::*;
use super::{layer, test_image};

#[test]
fn words_of_draws() {
    let flip = |left_right, top_bottom| {
        Draw::Flip(FlipDraw {
            left_right,
            top_bottom,
        })
    };
    let range = [0.0, 255.0];
    for (draw, words) in [
        (Draw::Nothing, ""),
        (flip(false, false), ""),
        (flip(true, false), "flipped"),
        (flip(false, true), "flipped vertically"),
        (flip(true, true), "flipped both ways"),
        (
            Draw::Rotation(RotationDraw {
                turns: -41.3 / 360.0,
            }),
            "\u{2212}41.3°",
        ),
        (
            Draw::Rotation(RotationDraw {
                turns: 57.2 / 360.0,
            }),
            "+57.2°",
        ),
        (Draw::Rotation(RotationDraw { turns: 0.0 }), ""),
        (Draw::Rotation(RotationDraw { turns: -1e-6 }), "0.0°"),
        (Draw::Zoom(ZoomDraw { y: 1.08, x: 1.08 }), "zoom 1.08"),
        (
            Draw::Zoom(ZoomDraw { y: 1.08, x: 0.9 }),
            "zoom 1.08 H, 0.90 W",
        ),
        (
            Draw::Translation(TranslationDraw { y: 0.12, x: -0.05 }),
            "shift +0.12 H, \u{2212}0.05 W",
        ),
        (
            Draw::Shear(ShearDraw { x: 0.1, y: 0.0 }),
            "shear +0.10 x, 0.00 y",
        ),
        (
            Draw::Contrast(ContrastDraw { factor: 1.2, range }),
            "contrast ×1.2",
        ),
        (
            Draw::Contrast(ContrastDraw {
                factor: 1.04,
                range,
            }),
            "contrast ×1.04",
        ),
        (Draw::Contrast(ContrastDraw { factor: 1.0, range }), ""),
        (
            Draw::Brightness(BrightnessDraw { delta: 31.2 }),
            "brightness +31",
        ),
        (
            Draw::Brightness(BrightnessDraw { delta: -0.4 }),
            "brightness \u{2212}0.40",
        ),
    ] {
        assert_eq!(draw.words(), words, "{draw:?}");
    }
}

#[test]
fn words_of_a_pipeline() {
    let draws = [
        Draw::Flip(FlipDraw {
            left_right: true,
            top_bottom: false,
        }),
        Draw::Rotation(RotationDraw {
            turns: -41.3 / 360.0,
        }),
    ];
    assert_eq!(Pipeline::words(&draws), "flipped, \u{2212}41.3°");
    assert_eq!(Pipeline::words(&[Draw::Nothing]), "unchanged");
    assert_eq!(Pipeline::words(&[]), "unchanged");
}

#[test]
fn keras_code_names_what_differs_from_the_defaults() {
    let sampling = Sampling {
        fill_mode: FillMode::Constant,
        interpolation: Interpolation::Nearest,
        fill_value: 127.5,
    };
    let zoom = Transform::Zoom(RandomZoom {
        height_factor: Factor::Pair(-0.2, 0.3),
        width_factor: Some(Factor::Scalar(0.1)),
        sampling: Sampling::default(),
    });
    let shear = Transform::Shear(RandomShear {
        x_factor: Factor::Scalar(0.0),
        y_factor: Factor::Scalar(0.2),
        sampling,
    });
    let contrast = Transform::Contrast(RandomContrast {
        factor: Factor::Scalar(0.2),
        value_range: [0.0, 1.0],
    });
    let rescaling = |scale: f64, offset: f64| Transform::Rescaling(Rescaling { scale, offset });
    let resizing = Transform::Resizing(Resizing {
        height: 160,
        width: 200,
        interpolation: Interpolation::Nearest,
        crop_to_aspect_ratio: true,
    });
    for (transform, code) in [
        (Transform::Flip(RandomFlip::default()), "RandomFlip()"),
        (zoom, "RandomZoom((-0.2, 0.3), 0.1)"),
        (
            shear,
            "RandomShear(y_factor=0.2, fill_mode=\"constant\", interpolation=\"nearest\", fill_value=127.5)",
        ),
        (contrast, "RandomContrast(0.2, value_range=(0, 1))"),
        (
            rescaling(1.0 / 127.5, -1.0),
            "Rescaling(1 / 127.5, offset=-1.0)",
        ),
        (rescaling(1.0 / 255.0, 0.0), "Rescaling(1 / 255)"),
        (rescaling(2.0, 0.0), "Rescaling(2.0)"),
        (
            resizing,
            "Resizing(160, 200, interpolation=\"nearest\", crop_to_aspect_ratio=True)",
        ),
    ] {
        assert_eq!(layer(transform).code(), code);
    }
    let mut course = Pipeline::course();
    assert_eq!(
        course.keras_code(Semantics::Keras3),
        "keras.Sequential([\n    keras.layers.RandomFlip(\"horizontal\"),\n    \
         keras.layers.RandomRotation(0.2),\n])"
    );
    course.steps[1].layer.seed = Some(3);
    assert_eq!(course.steps[1].layer.code(), "RandomRotation(0.2, seed=3)");
}

#[test]
fn parameters_outside_keras_limits_are_named() {
    let rotation = |factor: f64| {
        layer(Transform::Rotation(RandomRotation {
            factor: Factor::Scalar(factor),
            sampling: Sampling::default(),
        }))
    };
    assert_eq!(rotation(1.0).validate(), Ok(()));
    assert_eq!(
        rotation(1.5).validate().unwrap_err().to_string(),
        "RandomRotation: factor is 1.5, but must lie within [-1, 1]"
    );
    assert!(rotation(f64::NAN).validate().is_err());
    let contrast = |factor: Factor| {
        layer(Transform::Contrast(RandomContrast {
            factor,
            value_range: [0.0, 255.0],
        }))
    };
    assert_eq!(contrast(Factor::Pair(0.2, 3.0)).validate(), Ok(()));
    assert!(contrast(Factor::Pair(1.2, 3.0)).validate().is_err());
    assert!(contrast(Factor::Scalar(-0.1)).validate().is_err());
    let crop = layer(Transform::Crop(RandomCrop {
        height: 0,
        width: 3,
    }));
    assert_eq!(
        crop.validate().unwrap_err().to_string(),
        "RandomCrop: height is 0 pixels, but must be at least 1"
    );
    for preset in PipelinePreset::ALL {
        assert_eq!(preset.pipeline().validate(), Ok(()));
    }
}

#[test]
fn only_the_deterministic_layers_and_keras_2s_crop_act_in_inference() {
    let image = test_image(9, 12, 3);
    for semantics in Semantics::ALL {
        assert_eq!(
            PipelinePreset::Strong
                .pipeline()
                .inference(semantics, &image),
            image
        );
    }
    let crop = layer(Transform::Crop(RandomCrop {
        height: 6,
        width: 6,
    }));
    assert_eq!(crop.inference(Semantics::Keras3, &image), image);
    let out = crop.inference(Semantics::Keras2, &image);
    assert_eq!([out.height, out.width], [6, 6]);
    let rescaling = layer(Transform::Rescaling(Rescaling {
        scale: 2.0,
        offset: 1.0,
    }));
    assert!(!rescaling.is_random() && crop.is_random());
    let out = rescaling.inference(Semantics::Keras3, &image);
    assert_eq!(out.pixels_hwc[5], image.pixels_hwc[5] * 2.0 + 1.0);
}

#[test]
fn a_pipeline_survives_being_stored() {
    let pipeline = PipelinePreset::Strong.pipeline();
    let text = serde_json::to_string(&pipeline).unwrap();
    assert_eq!(serde_json::from_str::<Pipeline>(&text).unwrap(), pipeline);
}

#[test]
fn code_names_the_layers_that_a_release_lacks() {
    let pipeline: Pipeline = [
        Transform::Hue(RandomHue {
            factor: Factor::Scalar(0.2),
            ..RandomHue::default()
        }),
        Transform::Height(RandomHeight {
            factor: Factor::Scalar(0.3),
            ..RandomHeight::default()
        }),
    ]
    .map(layer)
    .into_iter()
    .collect();
    assert_eq!(
        pipeline.keras_code(Semantics::Keras2),
        "keras.Sequential([\n    # RandomHue: from Keras 3.8 on\n    keras.layers.RandomHeight(0.3),\n])"
    );
    assert_eq!(
        pipeline.keras_code(Semantics::Keras3),
        "keras.Sequential([\n    keras.layers.RandomHue(0.2),\n    # RandomHeight: only in Keras 2\n])"
    );
}

#[test]
fn words_of_the_newer_layers() {
    let cut = DrawnBox {
        top: 11.5,
        bottom: 36.0,
        left: 80.0,
        right: 111.0,
    };
    let chosen = |operation, draw| ChosenDraw { operation, draw };
    let operations = vec![
        chosen(
            Operation::Rotation,
            Draw::Rotation(RotationDraw { turns: 0.125 }),
        ),
        chosen(Operation::Equalization, Draw::Nothing),
    ];
    for (draw, words) in [
        (Draw::Hue(HueDraw { shift: -0.1 }), "hue \u{2212}36°"),
        (
            Draw::Saturation(SaturationDraw { factor: 1.5 }),
            "saturation ×1.50",
        ),
        (
            Draw::Saturation(SaturationDraw { factor: -0.2 }),
            "saturation 0 (grey)",
        ),
        (
            Draw::Sharpness(SharpnessDraw { sharpness: 0.4 }),
            "sharpness 0.40",
        ),
        (
            Draw::ColorDegeneration(ColorDegenerationDraw { factor: 0.4 }),
            "grey +40%",
        ),
        (Draw::Grayscale(GrayscaleDraw { grey: true }), "grey"),
        (Draw::Grayscale(GrayscaleDraw { grey: false }), ""),
        (Draw::Posterization(PosterizationDraw { bits: 3 }), "3 bits"),
        (Draw::Invert(InvertDraw { inverted: true }), "inverted"),
        (
            Draw::Solarization(SolarizationDraw {
                addition: 0.0,
                threshold: 128.2,
            }),
            "inverted from 128",
        ),
        (
            Draw::GaussianBlur(GaussianBlurDraw {
                blurred: true,
                sigma: [0.5, 1.0],
            }),
            "blur 0.50 × 1.00",
        ),
        (
            Draw::Erasing(ErasingDraw {
                erased: Some(cut),
                size: [160, 160],
                noise: 0,
            }),
            "erased 24 × 31 at 12, 80",
        ),
        (
            Draw::CutMix(CutMixDraw {
                place: 0,
                partner: 1,
                cut,
                size: [160, 160],
            }),
            "box 24 × 31 at 12, 80",
        ),
        (
            Draw::MixUp(MixUpDraw {
                place: 0,
                partner: 3,
                share: 0.7,
            }),
            "mixed 70% + 30%",
        ),
        (
            Draw::MixUp(MixUpDraw {
                place: 3,
                partner: 3,
                share: 0.7,
            }),
            "",
        ),
        (
            Draw::RandAugment(RandAugmentDraw {
                operations: operations.clone(),
            }),
            "+45.0°, equalized",
        ),
        (
            Draw::AugMix(AugMixDraw {
                own: 0.4,
                chains: vec![(1.0, operations)],
            }),
            "40% photo, 60% of 1 chains",
        ),
        (Draw::Height(HeightDraw { side: 120 }), "height 120"),
    ] {
        assert_eq!(draw.words(), words, "{draw:?}");
    }
}
