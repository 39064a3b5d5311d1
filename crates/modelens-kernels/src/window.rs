//! Positions of a sliding window on an image, and the border rules of TensorFlow, PyTorch and ONNX.

use candle_core::{Error, Result};
use serde::{Deserialize, Serialize};

/// How a window is padded at the border.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Padding {
    /// No padding.
    Valid,
    /// TensorFlow's `same`: an odd pixel of padding goes to the end.
    Same,
    /// PyTorch's: this many pixels on every side.
    Around(usize),
    /// ONNX's: `[top, bottom, left, right]`; with `ceil`, the last window may reach beyond the end.
    Sides { pixels: [usize; 4], ceil: bool },
}

impl Padding {
    /// The padding with rows and columns swapped: left and right come first.
    #[must_use]
    pub fn transposed(self) -> Self {
        match self {
            Self::Sides {
                pixels: [top, bottom, left, right],
                ceil,
            } => Self::Sides {
                pixels: [left, right, top, bottom],
                ceil,
            },
            Self::Valid | Self::Same | Self::Around(_) => self,
        }
    }
}

/// One axis of a sliding window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Length of the input, without padding.
    pub input: usize,
    /// Length of the output.
    pub output: usize,
    /// Number of taps.
    pub size: usize,
    pub stride: usize,
    pub dilation: usize,
    /// Padding before the first value.
    pub before: usize,
}

impl Window {
    /// `valid`: `floor((n - reach) / s) + 1`; `same`: `ceil(n / s)`, with
    /// `max((out - 1) * s + reach - n, 0)` values of padding, the odd one after;
    /// `reach = (k - 1) * d + 1`; around by `p`: `floor((n + 2 p - reach) / s) + 1`;
    /// sides `a` and `b`: `floor((n + a + b - reach) / s) + 1`, or its `ceil`.
    ///
    /// # Errors
    /// A window larger than the padded input, or a size, stride or dilation of 0.
    pub fn new(
        input: usize,
        size: usize,
        stride: usize,
        dilation: usize,
        padding: Padding,
    ) -> Result<Self> {
        if stride == 0 || dilation == 0 || size == 0 {
            return Err(Error::Msg(
                "size, stride and dilation must be at least 1".into(),
            ));
        }
        let reach = (size - 1).saturating_mul(dilation).saturating_add(1);
        let rest = |padded: usize| {
            padded.checked_sub(reach).ok_or_else(|| {
                Error::Msg(format!(
                    "its window of {reach} pixels is larger than the image of {padded}"
                ))
            })
        };
        let (output, before) = match padding {
            Padding::Valid => (rest(input)? / stride + 1, 0),
            Padding::Same => {
                let output = input.div_ceil(stride);
                let last = output.saturating_sub(1).saturating_mul(stride);
                let total = last.saturating_add(reach).saturating_sub(input);
                (output, total / 2)
            }
            Padding::Around(pixels) => {
                let padded = input.saturating_add(pixels.saturating_mul(2));
                (rest(padded)? / stride + 1, pixels)
            }
            Padding::Sides {
                pixels: [before, after, ..],
                ceil,
            } => {
                let padded = input.saturating_add(before).saturating_add(after);
                let rest = rest(padded)?;
                let fits = rest / stride + 1;
                // One more window if values are left over, unless it would start in the padding.
                let begins = fits.saturating_mul(stride) < input.saturating_add(before);
                let more = ceil && !rest.is_multiple_of(stride) && begins;
                (fits + usize::from(more), before)
            }
        };
        Ok(Self {
            input,
            output,
            size,
            stride,
            dilation,
            before,
        })
    }

    /// The input position under a tap; `None` in the padding.
    #[inline]
    pub fn position(&self, output: usize, tap: usize) -> Option<usize> {
        let at = output
            .saturating_mul(self.stride)
            .saturating_add(tap.saturating_mul(self.dilation));
        if at < self.before || at - self.before >= self.input {
            return None;
        }
        Some(at - self.before)
    }

    /// The input positions that `count` outputs read, starting at output `first`.
    pub fn read(&self, first: usize, count: usize) -> std::ops::Range<usize> {
        let reach = (self.size.max(1) - 1).saturating_mul(self.dilation);
        let start = first.saturating_mul(self.stride);
        let last = first
            .saturating_add(count.saturating_sub(1))
            .saturating_mul(self.stride);
        let end = last.saturating_add(reach).saturating_add(1);
        let inside = |at: usize| at.saturating_sub(self.before).min(self.input);
        inside(start)..inside(end)
    }

    /// The range of output positions whose taps all lie inside the input: first, and one past the last.
    pub fn interior(&self) -> (usize, usize) {
        let reach = (self.size - 1).saturating_mul(self.dilation);
        let low = self.before.div_ceil(self.stride).min(self.output);
        let room = self
            .input
            .saturating_add(self.before)
            .checked_sub(reach + 1);
        let high = room.map_or(low, |room| (room / self.stride + 1).min(self.output));
        (low, high.max(low))
    }

    /// The window of the backward pass, from the output to the input, at a stride of 1.
    pub fn reversed(&self) -> Option<Self> {
        let reach = (self.size - 1).checked_mul(self.dilation)?;
        Some(Self {
            input: self.output,
            output: self.input,
            before: reach.checked_sub(self.before)?,
            ..*self
        })
    }

    /// The input positions under one output position, in order. Taps in the padding cost nothing.
    #[inline]
    pub fn inside(&self, output: usize) -> impl Iterator<Item = usize> + Clone + use<> {
        let start = output.saturating_mul(self.stride);
        // Number of taps before the input, and before its end.
        let until = |at: usize| at.saturating_sub(start).div_ceil(self.dilation);
        let first = until(self.before).min(self.size);
        let end = until(self.before.saturating_add(self.input)).min(self.size);
        // The window may start beyond the padding, so the first tap is not always at the border.
        let position = start
            .saturating_add(first.saturating_mul(self.dilation))
            .saturating_sub(self.before);
        let taps = end.saturating_sub(first);
        let dilation = self.dilation;
        (0..taps).map(move |tap| position + tap * dilation)
    }
}

/// How the kernel of a convolution moves over an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// Pixels from one window to the next, `[rows, columns]`.
    pub strides: [usize; 2],
    /// Pixels from one value under the kernel to the next.
    pub dilation: [usize; 2],
    pub padding: Padding,
}

/// A sliding window on an image: one along the rows, one along the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window2d {
    pub rows: Window,
    pub cols: Window,
}

impl Window2d {
    /// The window of a `kh x kw` kernel on an `h x w` image.
    ///
    /// # Errors
    /// Those of [`Window::new`].
    pub fn new([h, w]: [usize; 2], [kh, kw]: [usize; 2], steps: Steps) -> Result<Self> {
        let Steps {
            strides,
            dilation,
            padding,
        } = steps;
        Ok(Self {
            rows: Window::new(h, kh, strides[0], dilation[0], padding)?,
            cols: Window::new(w, kw, strides[1], dilation[1], padding.transposed())?,
        })
    }

    /// Like [`Self::new`] for an image with a border of zeros, `[top, bottom, left, right]`, that is
    /// never written to memory.
    ///
    /// # Errors
    /// Those of [`Window::new`].
    pub fn padded(
        [h, w]: [usize; 2],
        kernel: [usize; 2],
        steps: Steps,
        [top, bottom, left, right]: [usize; 4],
    ) -> Result<Self> {
        let sum = |a: usize, b: usize, c: usize| a.saturating_add(b).saturating_add(c);
        let sides = [sum(h, top, bottom), sum(w, left, right)];
        let mut window = Self::new(sides, kernel, steps)?;
        (window.rows.input, window.cols.input) = (h, w);
        window.rows.before = window.rows.before.saturating_add(top);
        window.cols.before = window.cols.before.saturating_add(left);
        Ok(window)
    }

    /// Number of input pixels.
    pub fn inputs(&self) -> usize {
        self.rows.input * self.cols.input
    }

    /// Row and column of an output pixel.
    pub fn output(&self, at: usize) -> [usize; 2] {
        [at / self.cols.output, at % self.cols.output]
    }

    /// Number of output pixels.
    pub fn outputs(&self) -> usize {
        self.rows.output * self.cols.output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_yields_every_tap_with_a_position() {
        let sides = [1, 2, 5, 8];
        let shapes = [
            (1, 1, 1),
            (3, 1, 1),
            (2, 3, 1),
            (4, 2, 2),
            (9, 1, 3),
            (3, 1, 5),
        ];
        for (input, (size, stride, dilation)) in sides
            .into_iter()
            .flat_map(|n| shapes.map(|shape| (n, shape)))
        {
            for padding in [Padding::Same, Padding::Valid] {
                let Ok(window) = Window::new(input, size, stride, dilation, padding) else {
                    continue;
                };
                for output in 0..window.output {
                    let taps = (0..size).filter_map(|tap| window.position(output, tap));
                    let taps: Vec<usize> = taps.collect();
                    assert_eq!(
                        window.inside(output).collect::<Vec<_>>(),
                        taps,
                        "{window:?}"
                    );
                    let (low, high) = window.interior();
                    let whole = taps.len() == size;
                    assert_eq!((low..high).contains(&output), whole, "{window:?} {output}");
                }
            }
        }
    }

    #[test]
    fn arithmetic_does_not_wrap() {
        let window = Window::new(4, 2, 1, usize::MAX - 1, Padding::Same).unwrap();
        assert_eq!(window.output, 4);
        for output in 0..4 {
            assert!(window.inside(output).all(|p| p < 4));
        }
        assert!(Window::new(4, 2, 1, usize::MAX, Padding::Valid).is_err());
        let wide = Window::new(3, usize::MAX, 1, 1, Padding::Same).unwrap();
        assert_eq!(wide.inside(1).collect::<Vec<_>>(), [0, 1, 2]);
    }
}
