//! `RandomElasticTransform`: bends the image.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawing, Drawn, Since};
use crate::augment::color::{BYTE, clip};
use crate::augment::kernel::{convolve, gaussian};
use crate::augment::parameter::{FactorLimits, Parameter, ParameterValue};
use crate::augment::values::{Factor, FillMode, Interpolation, Sampling};
use crate::dataset::Image;
use crate::random::Draws;
use crate::rules::Semantics;

/// Reads each pixel at `(x + alpha d, y + alpha d)` with `alpha = 0.1 s max(H, W)`. d is noise,
/// `sigma N(0, 1)` blurred with a Gaussian of `sigma = 0.05 s min(H, W)` and 6 int(sigma) + 1 pixels.
///
/// s ~ U(scale) is drawn once for a batch, and whether an image is bent with a probability that is itself
/// drawn. Keras' TensorFlow backend draws the noise for x and for y with the same seed, so that pixels
/// move along one diagonal only. Source: keras 3.15 `random_elastic_transform.py`, `elastic_transform`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomElasticTransform {
    /// Within [0, 1]. A number f means (0, f), so 1 bends every second image.
    pub factor: Factor,
    /// Within [0, 1]; a number s means (0, s).
    pub scale: Factor,
    pub sampling: Sampling,
    /// `[low, high]` of the values.
    pub value_range: [f64; 2],
}

/// How one image is bent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ElasticDraw {
    pub bent: bool,
    /// The strength s.
    pub scale: f64,
    /// The seed of the noise.
    pub noise: u64,
}

impl Default for RandomElasticTransform {
    fn default() -> Self {
        Self {
            factor: Factor::Scalar(1.0),
            scale: Factor::Scalar(1.0),
            sampling: Sampling::default(),
            value_range: BYTE,
        }
    }
}

impl Behaviour for RandomElasticTransform {
    fn example(_: usize, _: usize) -> Self {
        Self {
            scale: Factor::Scalar(0.5),
            ..Self::default()
        }
    }

    fn since(&self) -> Since {
        Since::Keras3(10)
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let limits = FactorLimits::UNIT;
        let factor = ParameterValue::Factor(&mut self.factor, limits);
        vec![
            Parameter::optional("factor", factor),
            Parameter::keyword("scale", ParameterValue::Factor(&mut self.scale, limits)),
            Parameter::sampling(&mut self.sampling),
            Parameter::value_range(&mut self.value_range),
        ]
    }

    fn draw_in_batch(&self, drawing: &mut Drawing<'_>) -> Draw {
        let scale = self.scale.draw_from(0.0, &mut drawing.shared());
        Draw::Elastic(ElasticDraw {
            bent: self.factor.happens(&mut drawing.draws) && scale > 0.0,
            scale,
            noise: drawing.draws.below(1 << 30) as u64,
        })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let Draw::Elastic(draw) = draw else {
            return image.clone();
        };
        let mut noise = Draws::new(draw.noise, &[]);
        let mut normal = noise.normals();
        let noise = (0..image.height * image.width).map(|_| normal());
        self.bend(*draw, image, noise.collect())
    }

    fn differences(&self, semantics: Semantics) -> Option<String> {
        super::drawn_probability("RandomElasticTransform", self.factor, semantics)
    }
}

impl RandomElasticTransform {
    /// Bends the image with this noise, one number a pixel.
    pub(in crate::augment) fn bend(
        &self,
        draw: ElasticDraw,
        image: &Image,
        noise: Vec<f32>,
    ) -> Image {
        let mut out = image.clone();
        if draw.bent {
            self.displace(draw.scale as f32, image, noise, &mut out.pixels_hwc);
        }
        for value in &mut out.pixels_hwc {
            *value = clip(*value, self.value_range);
        }
        out
    }

    fn displace(&self, scale: f32, image: &Image, noise: Vec<f32>, out: &mut [f32]) {
        let [height, width] = [image.height, image.width];
        let alpha = height.max(width) as f32 * (0.1 * scale);
        let sigma = height.min(width) as f32 * (0.05 * scale);
        let len = (6 * sigma as usize) | 1;
        let kernel = gaussian(len, sigma);
        let field = Image {
            height,
            width,
            channels: 1,
            pixels_hwc: noise.into_iter().map(|x| x * sigma).collect(),
        };
        let field = convolve(&convolve(&field, &kernel, [len, 1]), &kernel, [1, len]);
        let sampling = self.sampling;
        let channels = image.channels;
        let tap = |y: f32, x: f32| {
            let row = index(y, height, sampling.fill_mode)?;
            let column = index(x, width, sampling.fill_mode)?;
            Some((row * width + column) * channels)
        };
        for (pixel, moved) in field.pixels_hwc.iter().enumerate() {
            let y = (pixel / width) as f32 + alpha * moved;
            let x = (pixel % width) as f32 + alpha * moved;
            let pixel = &mut out[pixel * channels..][..channels];
            let read = |from: Option<usize>, channel: usize| {
                from.map_or(sampling.fill_value, |from| image.pixels_hwc[from + channel])
            };
            match sampling.interpolation {
                Interpolation::Nearest => {
                    let from = tap(y.round_ties_even(), x.round_ties_even());
                    for (channel, value) in pixel.iter_mut().enumerate() {
                        *value = read(from, channel);
                    }
                }
                Interpolation::Bilinear => {
                    let (top, left) = (y.floor(), x.floor());
                    let (below, right) = (y - top, x - left);
                    let taps = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)].map(|(dy, dx)| {
                        let weight_y = if dy > 0.0 { below } else { 1.0 - below };
                        let weight_x = if dx > 0.0 { right } else { 1.0 - right };
                        (tap(top + dy, left + dx), weight_y * weight_x)
                    });
                    for (channel, value) in pixel.iter_mut().enumerate() {
                        let parts = taps.map(|(from, weight)| weight * read(from, channel));
                        *value = parts.iter().sum();
                    }
                }
            }
        }
    }
}

/// The pixel that a whole coordinate reads; `None` for the fill value. Unlike the affine layers,
/// `reflect` does not repeat the first pixel. Source: keras 3.15 `map_coordinates`, TensorFlow backend.
fn index(at: f32, len: usize, fill_mode: FillMode) -> Option<usize> {
    // `as` saturates; sides are far below.
    let (at, len) = (at as i64, len as i64);
    let last = len - 1;
    let found = match fill_mode {
        FillMode::Constant => return (0..len).contains(&at).then_some(at as usize),
        FillMode::Nearest => at,
        FillMode::Wrap => at.rem_euclid(len),
        FillMode::Reflect => {
            let place = at.abs().rem_euclid(2 * len);
            if place < len {
                place
            } else {
                2 * len - place - 1
            }
        }
    };
    Some(found.clamp(0, last) as usize)
}

impl Drawn for ElasticDraw {
    fn words(&self) -> String {
        if self.bent {
            format!("elastic {:.2}", self.scale)
        } else {
            String::new()
        }
    }

    fn meaning(&self) -> Option<String> {
        Some("pixels move along one diagonal: Keras draws x and y alike".to_owned())
    }

    fn bends(&self) -> bool {
        self.bent
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![
            ("elastic", f64::from(u8::from(self.bent))),
            ("elastic_scale", self.scale),
        ]
    }
}
