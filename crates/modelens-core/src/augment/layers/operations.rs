//! The operations that `RandAugment` and `AugMix` choose from, as layers of their own.

use serde::{Deserialize, Serialize};

use super::{
    AutoContrast, Draw, Drawing, Equalization, RandomBrightness, RandomColorDegeneration,
    RandomContrast, RandomPosterization, RandomRotation, RandomSharpness, RandomShear,
    RandomTranslation, Solarization, Transform,
};
use crate::augment::behaviour::PixelType;
use crate::augment::values::{Factor, Interpolation, Sampling};
use crate::dataset::Image;

/// One of Keras' eleven operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    Shear,
    Translation,
    Rotation,
    Brightness,
    ColorDegeneration,
    Contrast,
    Sharpness,
    Posterization,
    Solarization,
    AutoContrast,
    Equalization,
}

/// The arguments that all operations share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strength {
    pub factor: Factor,
    pub value_range: [f64; 2],
    pub interpolation: Interpolation,
}

impl Operation {
    /// In the order of Keras' `RandAugment`.
    pub(super) const ALL: [Self; 11] = [
        Self::Shear,
        Self::Translation,
        Self::Rotation,
        Self::Brightness,
        Self::ColorDegeneration,
        Self::Contrast,
        Self::Sharpness,
        Self::Posterization,
        Self::Solarization,
        Self::AutoContrast,
        Self::Equalization,
    ];

    /// The words of the operation alone.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shear => "shear",
            Self::Translation => "shift",
            Self::Rotation => "rotation",
            Self::Brightness => "brightness",
            Self::ColorDegeneration => "grey",
            Self::Contrast => "contrast",
            Self::Sharpness => "sharpness",
            Self::Posterization => "posterized",
            Self::Solarization => "solarized",
            Self::AutoContrast => "auto contrast",
            Self::Equalization => "equalized",
        }
    }

    /// The operation as a layer. Factors go from 0 to the strength, so shifts go down and to the right
    /// only, and rotations counter-clockwise. Source: keras 3.15 `rand_augment.py`, `aug_mix.py`.
    pub(super) fn layer(self, strength: Strength) -> Transform {
        let Strength {
            value_range,
            interpolation,
            ..
        } = strength;
        let (low, high) = strength.factor.ends_from(0.0);
        let factor = Factor::Pair(low, high);
        let sampling = Sampling {
            interpolation,
            ..Sampling::default()
        };
        match self {
            Self::Shear => Transform::Shear(RandomShear {
                x_factor: factor,
                y_factor: factor,
                sampling,
            }),
            Self::Translation => Transform::Translation(RandomTranslation {
                height_factor: factor,
                width_factor: factor,
                sampling,
            }),
            Self::Rotation => Transform::Rotation(RandomRotation { factor, sampling }),
            Self::Brightness => Transform::Brightness(RandomBrightness {
                factor,
                value_range,
            }),
            Self::ColorDegeneration => Transform::ColorDegeneration(RandomColorDegeneration {
                factor,
                value_range,
            }),
            Self::Contrast => Transform::Contrast(RandomContrast {
                factor,
                value_range,
            }),
            Self::Sharpness => Transform::Sharpness(RandomSharpness {
                factor,
                value_range,
            }),
            Self::Posterization => Transform::Posterization(RandomPosterization {
                factor: Factor::Scalar((8.0 * high).floor().max(1.0)),
                value_range,
            }),
            Self::Solarization => Transform::Solarization(Solarization {
                addition_factor: factor,
                threshold_factor: factor,
                value_range,
            }),
            Self::AutoContrast => Transform::AutoContrast(AutoContrast { value_range }),
            Self::Equalization => Transform::Equalization(Equalization {
                value_range,
                ..Equalization::default()
            }),
        }
    }

    /// Draws for one image.
    pub(super) fn draw(self, strength: Strength, drawing: &mut Drawing<'_>) -> ChosenDraw {
        ChosenDraw {
            operation: self,
            draw: self.layer(strength).behaviour().draw_in_batch(drawing),
        }
    }
}

/// An operation that was chosen, and what it drew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChosenDraw {
    pub operation: Operation,
    pub draw: Draw,
}

impl ChosenDraw {
    /// `−41.3°`, `equalized`.
    pub(super) fn words(&self) -> String {
        let words = self.draw.words();
        if words.is_empty() {
            self.operation.name().to_owned()
        } else {
            words
        }
    }
}

/// Does for each image of a batch what was drawn for it. Images with the same operation are one batch of
/// that operation.
pub(super) fn apply(strength: Strength, chosen: &[Option<&ChosenDraw>], images: &mut [Image]) {
    for operation in Operation::ALL {
        let drawn = |i: usize| chosen[i].filter(|chosen| chosen.operation == operation);
        let places: Vec<usize> = (0..images.len()).filter(|&i| drawn(i).is_some()).collect();
        if places.is_empty() {
            continue;
        }
        let draws: Vec<&Draw> = places
            .iter()
            .filter_map(|&i| Some(&drawn(i)?.draw))
            .collect();
        let own: Vec<&Image> = places.iter().map(|&i| &images[i]).collect();
        let layer = operation.layer(strength);
        let done = layer
            .behaviour()
            .apply_batch(&draws, &own, PixelType::Uint8);
        for (place, image) in places.into_iter().zip(done) {
            images[place] = image;
        }
    }
}

/// The matrices of operations one after the other as one, if they have any; see
/// [`super::Drawn::input_from_output`].
pub(super) fn input_from_output(
    chosen: &[ChosenDraw],
    height: usize,
    width: usize,
) -> Option<[f32; 8]> {
    let vectors = chosen
        .iter()
        .filter_map(|chosen| chosen.draw.input_from_output(height, width));
    // All of them are affine: the last two numbers are 0.
    let product = vectors.reduce(
        |[a0, a1, a2, b0, b1, b2, ..], [c0, c1, c2, d0, d1, d2, ..]| {
            [
                a0 * c0 + a1 * d0,
                a0 * c1 + a1 * d1,
                a0 * c2 + a1 * d2 + a2,
                b0 * c0 + b1 * d0,
                b0 * c1 + b1 * d1,
                b0 * c2 + b1 * d2 + b2,
                0.0,
                0.0,
            ]
        },
    );
    product.map(|vector| vector.map(|value| value as f32))
}
