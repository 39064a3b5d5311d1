//! `MixUp`: mixes each image, and its label, with another one of the batch.

use modelens_kernels::simd::vectorized;
use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawing, Drawn, Since, percent};
use crate::augment::behaviour::PixelType;
use crate::augment::parameter::{EndLimits, Parameter, ParameterValue};
use crate::dataset::Image;
use crate::rules::Semantics;

/// `y = w x + (1 - w) x'` for images and for labels, w ~ Beta(alpha, alpha) for each image. The other
/// image comes from one permutation of the batch, and can be the image itself.
/// Source: keras 3.15 `mix_up.py`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MixUp {
    /// Above 0. Below 1, most shares are close to 0 or to 1.
    pub alpha: f64,
}

/// What one image is mixed with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MixUpDraw {
    /// The image's own place in the batch.
    pub place: usize,
    /// The place of the other image.
    pub partner: usize,
    /// The image's own share.
    pub share: f64,
}

impl Default for MixUp {
    fn default() -> Self {
        Self { alpha: 0.2 }
    }
}

impl Behaviour for MixUp {
    fn example(_: usize, _: usize) -> Self {
        Self::default()
    }

    fn since(&self) -> Since {
        Since::Keras3(8)
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let alpha = ParameterValue::Number(&mut self.alpha, EndLimits::POSITIVE);
        vec![Parameter::keyword("alpha", alpha)]
    }

    fn draw_in_batch(&self, drawing: &mut Drawing<'_>) -> Draw {
        let order = drawing.shared().permutation(drawing.n);
        Draw::MixUp(MixUpDraw {
            place: drawing.index,
            partner: order.get(drawing.index).copied().unwrap_or(drawing.index),
            share: drawing.draws.beta(self.alpha),
        })
    }

    mixes_batches!(|draw: &Draw, image: &Image, other: &Image| {
        let Draw::MixUp(MixUpDraw { share, .. }) = *draw else {
            return image.clone();
        };
        blended(image, other, [share as f32, 1.0 - share as f32])
    });

    fn torchvision(&self) -> Option<String> {
        Some(format!("v2.MixUp(alpha={}, num_classes=...)", self.alpha))
    }

    fn differences(&self, semantics: Semantics) -> Option<String> {
        super::labels_are_lost("MixUp", semantics)
    }
}

/// `a x + b x'` with the shares a and b.
pub(in crate::augment) fn blended(image: &Image, other: &Image, [own, rest]: [f32; 2]) -> Image {
    let mut pixels_hwc = vec![0.0; image.pixels_hwc.len()];
    vectorized(
        #[inline(always)]
        || {
            let pairs = image.pixels_hwc.iter().zip(&other.pixels_hwc);
            for (out, (x, other)) in pixels_hwc.iter_mut().zip(pairs) {
                *out = own * x + rest * other;
            }
        },
    );
    Image {
        pixels_hwc,
        height: image.height,
        width: image.width,
        channels: image.channels,
    }
}

impl Drawn for MixUpDraw {
    fn words(&self) -> String {
        if self.place == self.partner {
            return String::new();
        }
        format!(
            "mixed {} + {}",
            percent(self.share),
            percent(1.0 - self.share)
        )
    }

    fn meaning(&self) -> Option<String> {
        Some(format!("with image {} of the batch", self.partner + 1))
    }

    fn partner(&self) -> Option<(usize, f64)> {
        Some((self.partner, self.share))
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![("own_share", self.share), ("partner", self.partner as f64)]
    }
}
