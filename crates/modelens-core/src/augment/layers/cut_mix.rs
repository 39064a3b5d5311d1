//! `CutMix`: puts a box of another image, and its share of the label, into each image.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawing, Drawn, Since};
use crate::augment::behaviour::PixelType;
use crate::augment::boxes::DrawnBox;
use crate::augment::bytes::Value;
use crate::augment::parameter::{FactorLimits, Parameter, ParameterValue};
use crate::augment::values::Factor;
use crate::dataset::Image;
use crate::rules::Semantics;

/// Replaces a box by the same box of another image of the batch. The box has the share
/// 1 - Beta(a, a) of the area, with one a ~ U(low, high) for the batch; the label gets the shares of the
/// areas. The other image comes from one permutation of the batch, and can be the image itself.
/// Source: keras 3.15 `cut_mix.py`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CutMix {
    /// Within [0, 1]; a number f means (0, f).
    pub factor: Factor,
}

/// What one image gets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CutMixDraw {
    /// The image's own place in the batch.
    pub place: usize,
    /// The place of the other image.
    pub partner: usize,
    /// The box.
    pub cut: DrawnBox,
    /// `[height, width]` of the image.
    pub size: [usize; 2],
}

impl Default for CutMix {
    fn default() -> Self {
        Self {
            factor: Factor::Scalar(1.0),
        }
    }
}

impl Behaviour for CutMix {
    fn example(_: usize, _: usize) -> Self {
        Self::default()
    }

    fn since(&self) -> Since {
        Since::Keras3(9)
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let factor = ParameterValue::Factor(&mut self.factor, FactorLimits::UNIT);
        vec![Parameter::optional("factor", factor)]
    }

    fn draw_in_batch(&self, drawing: &mut Drawing<'_>) -> Draw {
        let mut shared = drawing.shared();
        // Keras adds this so that the parameter is never 0.
        let alpha = self.factor.draw_from(0.0, &mut shared) + 1e-6;
        let order = shared.permutation(drawing.n);
        let side = (1.0 - drawing.draws.beta(alpha)).sqrt();
        let size = [drawing.height, drawing.width];
        Draw::CutMix(CutMixDraw {
            place: drawing.index,
            partner: order.get(drawing.index).copied().unwrap_or(drawing.index),
            cut: DrawnBox::draw(&mut drawing.draws, size, side, side),
            size,
        })
    }

    mixes_batches!(pasted);

    fn torchvision(&self) -> Option<String> {
        Some("v2.CutMix(num_classes=...)".to_owned())
    }

    fn differences(&self, semantics: Semantics) -> Option<String> {
        super::labels_are_lost("CutMix", semantics)
    }
}

/// The image with its box of the other one.
pub(in crate::augment) fn pasted<T: Value>(
    draw: &Draw,
    image: &Image<T>,
    other: &Image<T>,
) -> Image<T> {
    match draw {
        Draw::CutMix(draw) => {
            let mut out = image.clone();
            for values in draw.cut.rows(image) {
                out.pixels_hwc[values.clone()].copy_from_slice(&other.pixels_hwc[values]);
            }
            out
        }
        _ => image.clone(),
    }
}

impl Drawn for CutMixDraw {
    fn words(&self) -> String {
        let [height, width] = self.size;
        if self.place == self.partner {
            return String::new();
        }
        format!("box {}", self.cut.words(height, width))
    }

    fn meaning(&self) -> Option<String> {
        Some(format!(
            "height × width at row, column, from image {} of the batch",
            self.partner + 1
        ))
    }

    fn partner(&self) -> Option<(usize, f64)> {
        let [height, width] = self.size;
        Some((self.partner, 1.0 - f64::from(self.cut.share(height, width))))
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        let share = self.partner().map_or(1.0, |(_, share)| share);
        vec![
            ("own_share", share),
            ("partner", self.partner as f64),
            ("box_top", f64::from(self.cut.top)),
            ("box_left", f64::from(self.cut.left)),
        ]
    }
}
