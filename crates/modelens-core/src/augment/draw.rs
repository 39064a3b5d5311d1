//! What was drawn for one image by one layer.

use serde::{Deserialize, Serialize};

use super::{flip, rotation, shear, translation, zoom};

/// What was drawn for one image by one layer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Draw {
    /// The layer does not draw.
    Nothing,
    Flip {
        left_right: bool,
        top_bottom: bool,
    },
    Rotation {
        /// Positive turns counter-clockwise on the screen.
        turns: f64,
    },
    /// Steps in the input for one step in the output: above 1 zooms out, below 1 zooms in.
    Zoom {
        y: f64,
        x: f64,
    },
    /// Fractions of the height (positive moves down) and of the width (positive moves right).
    Translation {
        y: f64,
        x: f64,
    },
    /// Input columns for a row (`x`) and input rows for a column (`y`).
    Shear {
        x: f64,
        y: f64,
    },
    Contrast {
        factor: f64,
        /// The results are clipped to `[low, high]`.
        range: [f64; 2],
    },
    Brightness {
        /// Added to every value, in the image's units.
        delta: f64,
    },
    /// The window that is cut out, in pixels; it is resized where the layer's size is another.
    Crop {
        top: usize,
        left: usize,
        height: usize,
        width: usize,
    },
}

impl Draw {
    /// The projective vector `[a0, a1, a2, b0, b1, b2, c0, c1]` from output (x = column, y = row)
    /// to input for an image of `height` x `width` pixels; `None` where no pixel moves, and for
    /// crops, whose output has another size.
    ///
    /// `k = c0 x + c1 y + 1`, `input = ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k)`.
    /// The numbers are 32-bit ones, computed in the frameworks' order of operations.
    pub fn input_from_output(&self, height: usize, width: usize) -> Option<[f64; 8]> {
        let vector = match *self {
            Self::Flip {
                left_right,
                top_bottom,
            } => flip::vector(left_right, top_bottom, height, width),
            Self::Rotation { turns } => rotation::vector(turns, height, width),
            Self::Zoom { y, x } => zoom::vector(y, x, height, width),
            Self::Translation { y, x } => translation::vector(y, x, height, width),
            Self::Shear { x, y } => shear::vector(x, y),
            Self::Nothing | Self::Contrast { .. } | Self::Brightness { .. } | Self::Crop { .. } => {
                return None;
            }
        };
        Some(vector.map(f64::from))
    }

    /// The draw in a few characters: `flipped`, `−41.3°`, `zoom 1.08`; empty where the draw
    /// changes nothing. Zoom is Keras' factor: above 1 zooms out.
    pub fn words(&self) -> String {
        match *self {
            Self::Nothing
            | Self::Rotation { turns: 0.0 }
            | Self::Zoom { y: 1.0, x: 1.0 }
            | Self::Translation { y: 0.0, x: 0.0 }
            | Self::Shear { x: 0.0, y: 0.0 }
            | Self::Contrast { factor: 1.0, .. }
            | Self::Brightness { delta: 0.0 } => String::new(),
            Self::Flip {
                left_right,
                top_bottom,
            } => match (left_right, top_bottom) {
                (false, false) => "",
                (true, false) => "flipped",
                (false, true) => "flipped vertically",
                (true, true) => "flipped both ways",
            }
            .to_owned(),
            Self::Rotation { turns } => format!("{}°", signed(turns * 360.0, 1)),
            Self::Zoom { y, x } if y == x => format!("zoom {y:.2}"),
            Self::Zoom { y, x } => format!("zoom {y:.2} H, {x:.2} W"),
            Self::Translation { y, x } => {
                format!("shift {} H, {} W", signed(y, 2), signed(x, 2))
            }
            Self::Shear { x, y } => format!("shear {} x, {} y", signed(x, 2), signed(y, 2)),
            Self::Contrast { factor, .. } => format!("contrast ×{}", contrast(factor)),
            // Images of a range such as 0 to 1 need the digits after the point.
            Self::Brightness { delta } if delta.abs() < 2.0 => {
                format!("brightness {}", signed(delta, 2))
            }
            Self::Brightness { delta } => format!("brightness {}", signed(delta, 0)),
            Self::Crop { top, left, .. } => format!("crop at {top}, {left}"),
        }
    }
}

/// One decimal, or two where one would hide the change: `1.2`, `1.04`.
fn contrast(factor: f64) -> String {
    if (factor - 1.0).abs() < 0.1 {
        format!("{factor:.2}")
    } else {
        format!("{factor:.1}")
    }
}

/// A number with its sign, the minus as U+2212; a number that rounds to zero has no sign.
fn signed(value: f64, decimals: usize) -> String {
    let digits = format!("{:.decimals$}", value.abs());
    if digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) {
        return digits;
    }
    format!("{}{digits}", if value < 0.0 { '\u{2212}' } else { '+' })
}
