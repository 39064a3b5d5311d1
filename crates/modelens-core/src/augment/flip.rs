//! `RandomFlip`: mirrors the image.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, ParameterError};
use crate::dataset::Image;
use crate::random::Draws;
use crate::rules::Semantics;

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

impl FlipMode {
    /// In the order of Keras' documentation.
    pub const ALL: [Self; 3] = [
        Self::Horizontal,
        Self::Vertical,
        Self::HorizontalAndVertical,
    ];

    /// Keras' name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Horizontal => "horizontal",
            Self::Vertical => "vertical",
            Self::HorizontalAndVertical => "horizontal_and_vertical",
        }
    }

    /// The mode of Keras' name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// Mirrors the image with probability 1/2.
///
/// Keras 3 draws one number for both axes, so its two-axis mode turns an image by 180 degrees or
/// leaves it; Keras 2 and PyTorch draw a number an axis, the horizontal one first.
/// Source: keras 3.15 `random_flip.py`, tf_keras 2.21 `image_preprocessing.py`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RandomFlip {
    pub mode: FlipMode,
}

impl Behaviour for RandomFlip {
    fn class(&self) -> &'static str {
        "RandomFlip"
    }

    fn validate(&self) -> Result<(), ParameterError> {
        Ok(())
    }

    fn draw(&self, semantics: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        let (horizontal, vertical) = match self.mode {
            FlipMode::Horizontal => (true, false),
            FlipMode::Vertical => (false, true),
            FlipMode::HorizontalAndVertical => (true, true),
        };
        let first = draws.unit() <= 0.5;
        let independent = semantics != Semantics::Keras3;
        let second = if horizontal && vertical && independent {
            draws.unit() <= 0.5
        } else {
            first
        };
        Draw::Flip {
            left_right: horizontal && first,
            top_bottom: vertical && second,
        }
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        match *draw {
            Draw::Flip {
                left_right,
                top_bottom,
            } => flip(image, left_right, top_bottom),
            _ => image.clone(),
        }
    }

    fn arguments(&self) -> Vec<String> {
        if self.mode == FlipMode::default() {
            return Vec::new();
        }
        vec![format!("\"{}\"", self.mode.name())]
    }
}

/// Mirrors by moving pixels, without arithmetic.
fn flip(image: &Image, left_right: bool, top_bottom: bool) -> Image {
    let row_len = image.width * image.channels;
    if row_len == 0 || !(left_right || top_bottom) {
        return image.clone();
    }
    let mut pixels = Vec::with_capacity(image.pixels_hwc.len());
    let mut push_row = |row: &[f32]| match (left_right, image.channels) {
        (false, _) => pixels.extend_from_slice(row),
        // The common case has a fixed length, which the compiler unrolls.
        (true, 3) => pixels.extend(row.as_chunks::<3>().0.iter().rev().flatten()),
        (true, channels) => pixels.extend(row.rchunks_exact(channels).flatten()),
    };
    if top_bottom {
        image
            .pixels_hwc
            .rchunks_exact(row_len)
            .for_each(&mut push_row);
    } else {
        image
            .pixels_hwc
            .chunks_exact(row_len)
            .for_each(&mut push_row);
    }
    Image {
        pixels_hwc: pixels,
        ..*image
    }
}

/// `x -> W-1-x` and `y -> H-1-y`.
pub(super) fn vector(left_right: bool, top_bottom: bool, height: usize, width: usize) -> [f32; 8] {
    let axis = |mirrored: bool, len: usize| {
        if mirrored {
            (-1.0, len as f32 - 1.0)
        } else {
            (1.0, 0.0)
        }
    };
    let (ax, ox) = axis(left_right, width);
    let (ay, oy) = axis(top_bottom, height);
    [ax, 0.0, ox, 0.0, ay, oy, 0.0, 0.0]
}
