//! Resizing images as ONNX describes it.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes, Side};
use super::{Call, CallMode, LayerOp};
use crate::rules::Role;

/// Resizes height and width. Source: ONNX' `Resize` and `Upsample`
/// (<https://onnx.ai/onnx/operators/onnx__Resize.html>); positions are computed in 32 bits, as ONNX
/// Runtime does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resize2d {
    /// Along height and width.
    pub to: [ResizeTo; 2],
    pub positions: ResizePositions,
    /// How a pixel is chosen; `None`: interpolation between the two around the position.
    pub nearest: Option<NearestPixel>,
}

/// The length of an axis after resizing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum ResizeTo {
    /// This many pixels.
    Length(usize),
    /// `floor(length * scale)`.
    Scale(f32),
}

/// Where output pixel `i` of `m` lies in an input of `n` pixels, with `scale = m / n` or as given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResizePositions {
    /// `(i + 0.5) / scale - 0.5`.
    HalfPixel,
    /// The same, and 0 if `m` is 1.
    PytorchHalfPixel,
    /// Symmetric about the middle where `n * scale` is no whole number.
    HalfPixelSymmetric,
    /// `i / scale`.
    Asymmetric,
    /// `i * (n - 1) / (m - 1)`.
    AlignCorners,
}

/// The pixel for a position between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NearestPixel {
    Floor,
    Ceil,
    /// The nearer one; of two as near, the lower.
    RoundPreferFloor,
    /// The nearer one; of two as near, the higher.
    RoundPreferCeil,
    /// As `Resize` of opset 10: the lower one when the image grows, the higher one when it shrinks.
    Simple,
}

impl ResizeTo {
    /// The length, and the scale.
    fn of(self, n: usize) -> (usize, f32) {
        match self {
            Self::Length(m) => (m, m as f32 / n as f32),
            // Not negative, and `as` saturates.
            Self::Scale(scale) => ((n as f32 * scale).floor() as usize, scale),
        }
    }

    /// The length of an axis of `n` pixels.
    pub fn length(self, n: Side) -> Side {
        match (self, n) {
            (Self::Length(m), _) => Some(m),
            (Self::Scale(_), None) => None,
            (Self::Scale(_), Some(n)) => Some(self.of(n).0),
        }
    }
}

impl Resize2d {
    /// For each output pixel the two input pixels that it reads, and the weight of the second.
    fn taps(&self, axis: usize, n: usize) -> Vec<(usize, usize, f32)> {
        let (m, scale) = self.to[axis].of(n);
        let last = n.saturating_sub(1) as f32;
        let position = |i: usize| {
            let i = i as f32;
            match self.positions {
                _ if scale == 1.0 && m == n => i,
                ResizePositions::PytorchHalfPixel | ResizePositions::AlignCorners if m <= 1 => 0.0,
                ResizePositions::HalfPixel | ResizePositions::PytorchHalfPixel => {
                    (i + 0.5) / scale - 0.5
                }
                ResizePositions::HalfPixelSymmetric => {
                    let adjustment = m as f32 / (n as f32 * scale);
                    let centre = n as f32 / 2.0;
                    centre * (1.0 - adjustment) + (i + 0.5) / scale - 0.5
                }
                ResizePositions::Asymmetric => i / scale,
                ResizePositions::AlignCorners => i * last / (m - 1) as f32,
            }
        };
        let taps = (0..m).map(|i| {
            let at = position(i);
            let Some(nearest) = self.nearest else {
                let at = at.clamp(0.0, last);
                let low = at.floor();
                let high = (low + 1.0).min(last);
                return (low as usize, high as usize, at - low);
            };
            let at = match nearest {
                NearestPixel::Floor => at.floor(),
                NearestPixel::Ceil => at.ceil(),
                NearestPixel::RoundPreferFloor => (at - 0.5).ceil(),
                NearestPixel::RoundPreferCeil => (at + 0.5).floor(),
                NearestPixel::Simple if scale < 1.0 => at.ceil(),
                NearestPixel::Simple => at.trunc(),
            };
            let at = at.clamp(0.0, last) as usize;
            (at, at, 0.0)
        });
        taps.collect()
    }
}

impl LayerOp for Resize2d {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let [height, width, channels] = shapes.image()?;
        Ok(vec![
            self.to[0].length(height),
            self.to[1].length(width),
            channels,
        ])
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let mut y = call.x()?.clone();
        for axis in 0..2 {
            let taps = self.taps(axis, y.dim(axis + 1)?);
            let pick = |places: Vec<u32>| {
                let places = Tensor::new(places, y.device())?;
                y.contiguous()?.index_select(&places, axis + 1)
            };
            let low = pick(taps.iter().map(|tap| tap.0 as u32).collect())?;
            if self.nearest.is_some() {
                y = low;
                continue;
            }
            let high = pick(taps.iter().map(|tap| tap.1 as u32).collect())?;
            let mut shape = [1; 4];
            shape[axis + 1] = taps.len();
            let weights: Vec<f32> = taps.iter().map(|tap| tap.2).collect();
            let weights = Tensor::new(weights, y.device())?.reshape(&shape)?;
            y = (&low + (high - &low)?.broadcast_mul(&weights)?)?;
        }
        Ok(y)
    }
}
