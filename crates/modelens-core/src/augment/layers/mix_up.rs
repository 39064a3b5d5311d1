//! `MixUp`: mixes each image, and its label, with another one of the batch.

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

    fn mixes_images(&self) -> bool {
        true
    }

    fn mixes_labels(&self) -> bool {
        true
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

    fn apply(&self, _: &Draw, image: &Image) -> Image {
        image.clone()
    }

    fn apply_batch(&self, draws: &[&Draw], images: &[&Image], _: PixelType) -> Vec<Image> {
        super::mixed(draws, images, |draw, image, other| {
            let Draw::MixUp(MixUpDraw { share, .. }) = *draw else {
                return image.clone();
            };
            let share = share as f32;
            let mut out = image.clone();
            for (value, &other) in out.pixels_hwc.iter_mut().zip(&other.pixels_hwc) {
                *value = share * *value + (1.0 - share) * other;
            }
            out
        })
    }

    fn torchvision(&self) -> Option<String> {
        Some(format!("v2.MixUp(alpha={}, num_classes=...)", self.alpha))
    }

    fn differences(&self, semantics: Semantics) -> Option<String> {
        super::labels_are_lost("MixUp", semantics)
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
