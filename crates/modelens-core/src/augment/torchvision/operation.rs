//! The operations of torchvision on one image, which its transforms and policies do one after the other.

use serde::{Deserialize, Serialize};

use super::grid::{GridInterpolation, Reading};
use super::matrix::{self, Motion};
use super::{ListLimits, Parameter, ParameterValue};
use crate::augment::behaviour::{Drawn, PixelType};
use crate::augment::bytes::Value;
use crate::augment::layers::{Draw, affine_product, percent, signed};
use crate::augment::tensors;
use crate::dataset::Image;
use crate::number::{fixed, trimmed};
use crate::random::Draws;

/// One operation with its strength, as the functions of `torchvision.transforms.v2.functional` take it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TensorOperation {
    /// Changes nothing.
    Identity,
    /// Multiplies each value.
    Brightness(f64),
    /// Multiplies the distance from the mean grey value.
    Contrast(f64),
    /// Multiplies the distance from the pixel's grey value.
    Saturation(f64),
    /// Turns of the colour circle, within [-1/2, 1/2].
    Hue(f64),
    /// Below 1 smoother, above 1 sharper.
    Sharpness(f64),
    Grayscale,
    /// The channel that each channel comes from.
    Channels([usize; 3]),
    Invert,
    Equalize,
    AutoContrast,
    /// Bits of each value that are kept.
    Posterize(u32),
    /// Inverts values from here on.
    Solarize(f64),
    /// Inverts values from this share of the largest value on.
    SolarizeShare(f64),
    /// A Gaussian of `[columns, rows]` pixels with this standard deviation.
    Blur([usize; 2], f64),
    /// Normal noise, in units of the largest value.
    Noise {
        mean: f64,
        sigma: f64,
        clip: bool,
        /// The seed of the noise.
        seed: u64,
    },
    /// JPEG compression with this quality.
    Jpeg(u32),
    /// Columns that a row moves for each row below the first.
    ShearX(f64),
    /// Rows that a column moves for each column right of the first.
    ShearY(f64),
    /// Whole pixels to the right.
    TranslateX(i32),
    /// Whole pixels down.
    TranslateY(i32),
    /// Degrees counter-clockwise.
    Rotate(f64),
}

/// Purpose of the draws of noise.
const NOISE: u64 = u64::from_le_bytes(*b"noise\0\0\0");

impl TensorOperation {
    /// Does it. Operations that move pixels read the image as `resampling` says.
    fn apply<T: Value>(
        &self,
        image: &Image<T>,
        pixels: PixelType,
        resampling: &Resampling,
    ) -> Image<T> {
        match *self {
            Self::Identity => image.clone(),
            Self::Brightness(factor) => tensors::brightness(image, factor, pixels),
            Self::Contrast(factor) => tensors::contrast(image, factor, pixels),
            Self::Saturation(factor) => tensors::saturation(image, factor, pixels),
            Self::Hue(shift) => tensors::hue(image, shift, pixels),
            Self::Sharpness(factor) => tensors::sharpness(image, factor, pixels),
            Self::Grayscale => tensors::grayscale(image, pixels),
            Self::Channels(order) => tensors::permute(image, order),
            Self::Invert => tensors::invert(image, pixels),
            Self::Equalize => tensors::equalize(image, pixels),
            Self::AutoContrast => tensors::auto_contrast(image, pixels),
            Self::Posterize(bits) => tensors::posterize(image, bits, pixels),
            Self::Solarize(threshold) => tensors::solarize(image, threshold, pixels),
            Self::SolarizeShare(share) => {
                tensors::solarize(image, f64::from(pixels.bound()) * share, pixels)
            }
            Self::Blur(size, sigma) => tensors::blur(image, size, [sigma; 2], pixels),
            Self::Jpeg(quality) => tensors::jpeg(image, quality, pixels),
            Self::Noise {
                mean,
                sigma,
                clip,
                seed,
            } => {
                let mut draws = Draws::new(seed, &[NOISE]);
                tensors::add_noise(image, [mean, sigma], clip, pixels, draws.normals())
            }
            Self::ShearX(_)
            | Self::ShearY(_)
            | Self::TranslateX(_)
            | Self::TranslateY(_)
            | Self::Rotate(_) => resampling.moved(self, image, pixels),
        }
    }

    /// How it moves pixels; `None` for an operation that does not.
    fn motion(&self) -> Option<Motion> {
        let corner = Some([0.0; 2]);
        match *self {
            // torchvision takes the angle whose tangent is the shear.
            Self::ShearX(shear) => Some(Motion {
                shear: [shear.atan().to_degrees(), 0.0],
                center: corner,
                ..Motion::NONE
            }),
            Self::ShearY(shear) => Some(Motion {
                shear: [0.0, shear.atan().to_degrees()],
                center: corner,
                ..Motion::NONE
            }),
            Self::TranslateX(columns) => Some(Motion {
                translate: [columns.into(), 0.0],
                ..Motion::NONE
            }),
            Self::TranslateY(rows) => Some(Motion {
                translate: [0.0, rows.into()],
                ..Motion::NONE
            }),
            Self::Rotate(degrees) => Some(matrix::rotation(degrees, None)),
            Self::Identity
            | Self::Brightness(_)
            | Self::Contrast(_)
            | Self::Saturation(_)
            | Self::Hue(_)
            | Self::Sharpness(_)
            | Self::Grayscale
            | Self::Channels(_)
            | Self::Invert
            | Self::Equalize
            | Self::AutoContrast
            | Self::Posterize(_)
            | Self::Solarize(_)
            | Self::SolarizeShare(_)
            | Self::Blur(..)
            | Self::Jpeg(_)
            | Self::Noise { .. } => None,
        }
    }

    /// A few characters, never empty.
    pub(super) fn words(&self) -> String {
        let times = |name: &str, factor: f64| format!("{name} ×{}", fixed(factor, 2));
        match *self {
            Self::Identity => "identity".to_owned(),
            Self::Brightness(factor) => times("brightness", factor),
            Self::Contrast(factor) => times("contrast", factor),
            Self::Saturation(0.0) | Self::Grayscale => "grey".to_owned(),
            Self::Saturation(factor) => times("saturation", factor),
            Self::Hue(shift) => format!("hue {}°", signed(shift * 360.0, 0)),
            Self::Sharpness(factor) => times("sharpness", factor),
            Self::Channels(order) => {
                let names: String = order.iter().filter_map(|&i| "RGB".chars().nth(i)).collect();
                format!("channels {names}")
            }
            Self::Invert => "inverted".to_owned(),
            Self::Equalize => "equalized".to_owned(),
            Self::AutoContrast => "auto contrast".to_owned(),
            Self::Posterize(1) => "1 bit".to_owned(),
            Self::Posterize(bits) => format!("{bits} bits"),
            Self::Solarize(threshold) => format!("inverted from {}", trimmed(threshold)),
            Self::SolarizeShare(share) => format!("inverted from {}", percent(share)),
            Self::Blur(_, sigma) => format!("blur {}", fixed(sigma, 2)),
            Self::Jpeg(quality) => format!("JPEG {quality}"),
            Self::Noise { sigma, .. } => format!("noise {}", trimmed(sigma)),
            Self::ShearX(shear) => format!("shear {} x", signed(shear, 2)),
            Self::ShearY(shear) => format!("shear {} y", signed(shear, 2)),
            Self::TranslateX(columns) => format!("shift {} px W", signed(columns.into(), 0)),
            Self::TranslateY(rows) => format!("shift {} px H", signed(rows.into(), 0)),
            Self::Rotate(degrees) => format!("{}°", signed(degrees, 1)),
        }
    }

    /// The strength with a name, for tables; 1 for an operation without one.
    pub(super) fn quantity(&self) -> (&'static str, f64) {
        match *self {
            Self::Identity => ("identity", 1.0),
            Self::Grayscale => ("grey", 1.0),
            Self::Channels(_) => ("channels", 1.0),
            Self::Invert => ("inverted", 1.0),
            Self::Equalize => ("equalized", 1.0),
            Self::AutoContrast => ("auto_contrast", 1.0),
            Self::Brightness(factor) => ("brightness_factor", factor),
            Self::Contrast(factor) => ("contrast_factor", factor),
            Self::Saturation(factor) => ("saturation_factor", factor),
            Self::Hue(shift) => ("hue_shift", shift),
            Self::Sharpness(factor) => ("sharpness", factor),
            Self::Posterize(bits) => ("bits", f64::from(bits)),
            Self::Solarize(threshold) => ("solarize_threshold", threshold),
            Self::SolarizeShare(share) => ("solarize_share", share),
            Self::Blur(_, sigma) => ("blur_sigma", sigma),
            Self::Jpeg(quality) => ("jpeg_quality", f64::from(quality)),
            Self::Noise { sigma, .. } => ("noise_sigma", sigma),
            Self::ShearX(shear) => ("shear_x", shear),
            Self::ShearY(shear) => ("shear_y", shear),
            Self::TranslateX(columns) => ("shift_columns", f64::from(columns)),
            Self::TranslateY(rows) => ("shift_rows", f64::from(rows)),
            Self::Rotate(degrees) => ("rotation_degrees", degrees),
        }
    }
}

/// The operations that a transform does with one image, in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OperationsDraw {
    pub operations: Vec<TensorOperation>,
}

impl OperationsDraw {
    pub(super) fn of(operations: impl IntoIterator<Item = TensorOperation>) -> Draw {
        Draw::Operations(Self {
            operations: operations.into_iter().collect(),
        })
    }
}

/// How operations that move pixels read an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resampling {
    pub interpolation: GridInterpolation,
    /// The colour beyond the edge, in the units of the values: none for 0, one number, or one for each
    /// channel.
    pub fill: Vec<f64>,
}

impl Default for Resampling {
    fn default() -> Self {
        Self {
            interpolation: GridInterpolation::Nearest,
            fill: Vec::new(),
        }
    }
}

impl Resampling {
    pub(super) fn bilinear() -> Self {
        Self {
            interpolation: GridInterpolation::Bilinear,
            ..Self::default()
        }
    }

    pub(super) fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let interpolation = ParameterValue::Choice(&mut self.interpolation);
        vec![
            Parameter::keyword("interpolation", interpolation),
            Parameter::list(
                "fill",
                &mut self.fill,
                ListLimits::of(&[0, 1, 3], [0.0, 255.0], [0.0, 255.0]),
            ),
        ]
    }

    /// Does the operations one after the other.
    pub(super) fn apply<T: Value>(
        &self,
        operations: &[TensorOperation],
        image: &Image<T>,
        pixels: PixelType,
    ) -> Image<T> {
        let Some((first, rest)) = operations.split_first() else {
            return image.clone();
        };
        let first = first.apply(image, pixels, self);
        rest.iter().fold(first, |image, operation| {
            operation.apply(&image, pixels, self)
        })
    }

    /// Does the operations that were drawn; any other draw changes nothing.
    pub(super) fn apply_drawn<T: Value>(
        &self,
        draw: &Draw,
        image: &Image<T>,
        pixels: PixelType,
    ) -> Image<T> {
        match draw {
            Draw::Operations(OperationsDraw { operations }) => {
                self.apply(operations, image, pixels)
            }
            _ => image.clone(),
        }
    }

    /// Does an operation that moves pixels.
    fn moved<T: Value>(
        &self,
        operation: &TensorOperation,
        image: &Image<T>,
        pixels: PixelType,
    ) -> Image<T> {
        let reading = Reading {
            interpolation: self.interpolation,
            fill: Some(&self.fill[..]).filter(|fill| !fill.is_empty()),
            pixels,
        };
        if let TensorOperation::Rotate(degrees) = *operation {
            return matrix::rotate(image, degrees, false, None, reading);
        }
        let Some(motion) = operation.motion() else {
            return image.clone();
        };
        let size = [image.height, image.width];
        matrix::affine(image, motion.inverse(size), size, reading)
    }
}

/// Does the operations that were drawn, none of which moves pixels.
pub(super) fn apply_colors<T: Value>(draw: &Draw, image: &Image<T>, pixels: PixelType) -> Image<T> {
    Resampling::default().apply_drawn(draw, image, pixels)
}

impl Drawn for OperationsDraw {
    fn words(&self) -> String {
        let words: Vec<String> = self.operations.iter().map(TensorOperation::words).collect();
        words.join(", ")
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        self.operations
            .iter()
            .map(TensorOperation::quantity)
            .collect()
    }

    fn input_from_output(&self, height: usize, width: usize) -> Option<[f32; 8]> {
        let motions = self.operations.iter().filter_map(TensorOperation::motion);
        let vectors = motions.map(|motion| motion.input_from_output(height, width).map(f64::from));
        affine_product(vectors)
    }

    fn is_upside_down(&self) -> bool {
        self.operations.iter().any(|operation| {
            matches!(operation, TensorOperation::Rotate(degrees) if degrees.abs() > 90.0)
        })
    }
}
