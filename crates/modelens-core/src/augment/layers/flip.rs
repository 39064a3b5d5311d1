//! `RandomFlip`: mirrors the image.

use modelens_kernels::simd::vectorized;
use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawn};
use crate::augment::bytes::Value;
use crate::augment::parameter::{Parameter, ParameterValue};
use crate::augment::values::Named;
use crate::dataset::Image;
use crate::random::Draws;
use crate::rules::Semantics;

/// Mirrors the image along each axis of its mode with probability 1/2.
///
/// Keras 3 draws one number for both axes, so its two-axis mode either turns an image by 180 degrees
/// or leaves it. Keras 2 and PyTorch draw one number per axis, the horizontal one first.
/// Source: keras 3.15 `random_flip.py`, tf_keras 2.21 `image_preprocessing.py`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RandomFlip {
    pub mode: FlipMode,
}

/// Which axes may be mirrored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FlipMode {
    /// Left and right change places.
    Horizontal,
    /// Top and bottom change places.
    Vertical,
    #[default]
    HorizontalAndVertical,
}

impl Named for FlipMode {
    const ALL: &'static [Self] = &[
        Self::Horizontal,
        Self::Vertical,
        Self::HorizontalAndVertical,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Horizontal => "horizontal",
            Self::Vertical => "vertical",
            Self::HorizontalAndVertical => "horizontal_and_vertical",
        }
    }
}

/// Which axes are mirrored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlipDraw {
    pub left_right: bool,
    pub top_bottom: bool,
}

impl Behaviour for RandomFlip {
    fn example(_: usize, _: usize) -> Self {
        Self {
            mode: FlipMode::Horizontal,
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let mode = ParameterValue::Choice(&mut self.mode);
        vec![Parameter::optional("mode", mode)]
    }

    fn draw(&self, semantics: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        let (horizontal, vertical) = match self.mode {
            FlipMode::Horizontal => (true, false),
            FlipMode::Vertical => (false, true),
            FlipMode::HorizontalAndVertical => (true, true),
        };
        let first = draws.unit() <= 0.5;
        let independent = match semantics {
            Semantics::Keras2 | Semantics::PyTorch => true,
            Semantics::Keras3 | Semantics::Keras316 => false,
        };
        let second = if horizontal && vertical && independent {
            draws.unit() <= 0.5
        } else {
            first
        };
        Draw::Flip(FlipDraw {
            left_right: horizontal && first,
            top_bottom: vertical && second,
        })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        draw.flipped(image)
    }

    fn can_turn_upside_down(&self) -> bool {
        self.mode != FlipMode::Horizontal
    }

    fn torchvision(&self) -> Option<String> {
        let flips = match self.mode {
            FlipMode::Horizontal => "v2.RandomHorizontalFlip()",
            FlipMode::Vertical => "v2.RandomVerticalFlip()",
            FlipMode::HorizontalAndVertical => "v2.RandomHorizontalFlip(), v2.RandomVerticalFlip()",
        };
        Some(flips.to_owned())
    }

    fn differences(&self, semantics: Semantics) -> Option<String> {
        if self.mode != FlipMode::HorizontalAndVertical {
            return None;
        }
        match semantics {
            Semantics::Keras3 | Semantics::Keras316 => Some(
                "Keras draws both axes at once from 3.6 on, so a photo is turned by 180° or left as it \
                 is. Keras 2, and 3.0 to 3.5, draw each axis on its own: choose Keras 2's rules to see it."
                    .to_owned(),
            ),
            Semantics::Keras2 => {
                Some("Keras 2 draws each axis on its own; Keras 3 draws both at once from 3.6 on.".to_owned())
            }
            Semantics::PyTorch => None,
        }
    }
}

impl Draw {
    /// The image upside down.
    pub(in crate::augment) fn half_turn<T: Value>(image: &Image<T>) -> Image<T> {
        let both = FlipDraw {
            left_right: true,
            top_bottom: true,
        };
        both.flip(image)
    }

    /// Mirrors the image if the draw is that of a flip.
    pub(in crate::augment) fn flipped<T: Value>(&self, image: &Image<T>) -> Image<T> {
        match self {
            Self::Flip(draw) => draw.flip(image),
            _ => image.clone(),
        }
    }
}

impl FlipDraw {
    /// Mirrors by moving pixels, without arithmetic.
    fn flip<T: Value>(self, image: &Image<T>) -> Image<T> {
        let row_len = image.width * image.channels;
        if row_len == 0 || !(self.left_right || self.top_bottom) {
            return image.clone();
        }
        let mut pixels_hwc = vec![T::default(); image.pixels_hwc.len()];
        let rows = pixels_hwc.chunks_exact_mut(row_len).enumerate();
        for (y, out) in rows {
            let y = if self.top_bottom {
                image.height - 1 - y
            } else {
                y
            };
            let row = &image.pixels_hwc[y * row_len..][..row_len];
            match (self.left_right, image.channels) {
                (false, _) => out.copy_from_slice(row),
                (true, 3) => vectorized(
                    #[inline(always)]
                    || mirror_rgb(out, row),
                ),
                (true, 1) => mirror(out, row),
                (true, channels) => {
                    let pixels = row.rchunks_exact(channels);
                    for (out, pixel) in out.chunks_exact_mut(channels).zip(pixels) {
                        out.copy_from_slice(pixel);
                    }
                }
            }
        }
        Image {
            pixels_hwc,
            ..*image
        }
    }
}

/// Sixteen pixels at a time, whose places are known in advance, so that they are moved as vectors.
#[inline(always)]
fn mirror_rgb<T: Value>(out: &mut [T], row: &[T]) {
    let (outs, out_rest) = out.as_chunks_mut::<48>();
    let (row_rest, rows) = row.as_rchunks::<48>();
    for (out, pixels) in outs.iter_mut().zip(rows.iter().rev()) {
        *out = std::array::from_fn(|i| pixels[45 - i / 3 * 3 + i % 3]);
    }
    let row_rest = row_rest.as_chunks::<3>().0;
    mirror(out_rest.as_chunks_mut::<3>().0, row_rest);
}

#[inline(always)]
fn mirror<P: Copy>(out: &mut [P], row: &[P]) {
    for (out, &pixel) in out.iter_mut().zip(row.iter().rev()) {
        *out = pixel;
    }
}

impl Drawn for FlipDraw {
    fn words(&self) -> String {
        match (self.left_right, self.top_bottom) {
            (false, false) => "",
            (true, false) => "flipped",
            (false, true) => "flipped vertically",
            (true, true) => "flipped both ways",
        }
        .to_owned()
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        let number = |flag: bool| f64::from(u8::from(flag));
        vec![
            ("flipped_left_right", number(self.left_right)),
            ("flipped_top_bottom", number(self.top_bottom)),
        ]
    }

    /// `x -> W-1-x` and `y -> H-1-y`.
    fn input_from_output(&self, height: usize, width: usize) -> Option<[f32; 8]> {
        let axis = |mirrored: bool, len: usize| {
            if mirrored {
                (-1.0, len as f32 - 1.0)
            } else {
                (1.0, 0.0)
            }
        };
        let (ax, ox) = axis(self.left_right, width);
        let (ay, oy) = axis(self.top_bottom, height);
        Some([ax, 0.0, ox, 0.0, ay, oy, 0.0, 0.0])
    }

    fn is_upside_down(&self) -> bool {
        self.top_bottom
    }
}
