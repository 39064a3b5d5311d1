//! `MixUp` and `CutMix`: mix each image, and its label, with the one before it in the batch.
//! Source: torchvision 0.29 `v2/_augment.py`.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Image, Parameter, ParameterValue, PixelType, TypeError};
use crate::augment::behaviour::Drawing;
use crate::augment::boxes::DrawnBox;
use crate::augment::layers::{CutMixDraw, MixUpDraw, cut_mix, mix_up};
use crate::augment::parameter::EndLimits;

/// The image before this one; before the first, the last.
fn partner(drawing: &Drawing<'_>) -> usize {
    let before = drawing.index.checked_sub(1);
    before.unwrap_or(drawing.n.saturating_sub(1))
}

/// `y = w x + (1 - w) x'` for images and for labels; one w ~ Beta(alpha, alpha) for a batch. torchvision
/// takes floats only, after [`super::ToDtype`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MixUp {
    /// Above 0. Below 1, most shares are close to 0 or to 1.
    pub alpha: f64,
}

/// A box of the other image in each image. Its area is the share 1 - w of the image's, w ~ Beta(alpha,
/// alpha), as far as it lies inside; its centre is any pixel. One box for a batch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CutMix {
    /// Above 0. Below 1, most boxes are very small or very large.
    pub alpha: f64,
}

/// What both have in common.
macro_rules! mixes {
    ($class:ident, $mix:expr $(, bytes $of_bytes:expr)? $(, refuses bytes $refused:expr)?) => {
        impl Default for $class {
            fn default() -> Self {
                Self { alpha: 1.0 }
            }
        }

        impl Behaviour for $class {
            fn example(_: usize, _: usize) -> Self {
                Self::default()
            }

            fn parameters(&mut self) -> Vec<Parameter<'_>> {
                let alpha = ParameterValue::Number(&mut self.alpha, EndLimits::POSITIVE);
                vec![Parameter::keyword("alpha", alpha)]
            }

            fn draw_in_batch(&self, drawing: &mut Drawing<'_>) -> Draw {
                Draw::$class(self.drawn(drawing))
            }

            $(fn refuses(&self, before: PixelType) -> Option<TypeError> {
                (before == PixelType::Uint8).then_some($refused)
            })?

            mixes_batches!($mix $(, $of_bytes)?);
        }
    };
}

mixes!(
    MixUp,
    |draw: &Draw, image: &Image, other: &Image| {
        let Draw::MixUp(MixUpDraw { share, .. }) = *draw else {
            return image.clone();
        };
        mix_up::blended(image, other, [share as f32, (1.0 - share) as f32])
    },
    refuses bytes TypeError::Bytes("MixUp")
);
mixes!(CutMix, cut_mix::pasted, bytes cut_mix::pasted);

impl MixUp {
    fn drawn(self, drawing: &Drawing<'_>) -> MixUpDraw {
        MixUpDraw {
            place: drawing.index,
            partner: partner(drawing),
            share: drawing.shared().beta(self.alpha),
        }
    }
}

impl CutMix {
    fn drawn(self, drawing: &Drawing<'_>) -> CutMixDraw {
        let mut shared = drawing.shared();
        let half = 0.5 * (1.0 - shared.beta(self.alpha)).sqrt();
        let mut ends = |len: usize| {
            let centre = shared.below(len);
            let half = (half * len as f64) as usize;
            let [start, end] = [centre.saturating_sub(half), (centre + half).min(len)];
            (start as f32, end as f32)
        };
        let (left, right) = ends(drawing.width);
        let (top, bottom) = ends(drawing.height);
        CutMixDraw {
            place: drawing.index,
            partner: partner(drawing),
            cut: DrawnBox {
                top,
                bottom,
                left,
                right,
            },
            size: [drawing.height, drawing.width],
        }
    }
}
