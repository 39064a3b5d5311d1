//! Where a sliding window stands: TensorFlow's `valid` and `same`.

use candle_core::{Error, Result};

use crate::model::graph::{Conv2d, Padding};

/// One axis of a sliding window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Length of the input.
    pub input: usize,
    /// Length of the output.
    pub output: usize,
    /// Taps.
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
    /// A window that is larger than a `valid` input, or a stride of 0.
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
        let (output, before) = match padding {
            Padding::Valid if input < reach => {
                return Err(Error::Msg(format!(
                    "a window of {reach} does not fit into an input of {input}"
                )));
            }
            Padding::Valid => ((input - reach) / stride + 1, 0),
            Padding::Same => {
                let output = input.div_ceil(stride);
                let last = output.saturating_sub(1).saturating_mul(stride);
                let total = last.saturating_add(reach).saturating_sub(input);
                (output, total / 2)
            }
            Padding::Around(pixels) => {
                let padded = input.saturating_add(pixels.saturating_mul(2));
                let rest = padded.checked_sub(reach).ok_or_else(|| {
                    Error::Msg(format!(
                        "a window of {reach} does not fit into an input of {padded}"
                    ))
                })?;
                (rest / stride + 1, pixels)
            }
            Padding::Sides {
                pixels: [before, after, ..],
                ceil,
            } => {
                let padded = input.saturating_add(before).saturating_add(after);
                let rest = padded.checked_sub(reach).ok_or_else(|| {
                    Error::Msg(format!(
                        "a window of {reach} does not fit into an input of {padded}"
                    ))
                })?;
                let fits = rest / stride + 1;
                // A window more where values are left over, unless it would begin in the padding.
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

    /// The input position under a tap, if it is inside of the input.
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

    /// The input positions that some outputs read.
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

    /// The output positions of which every tap lies inside of the input, from the first to the one
    /// after the last.
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

    /// The window that leads back from the output to the input, of a stride of 1.
    pub fn reversed(&self) -> Option<Self> {
        let reach = (self.size - 1).checked_mul(self.dilation)?;
        Some(Self {
            input: self.output,
            output: self.input,
            before: reach.checked_sub(self.before)?,
            ..*self
        })
    }

    /// The input positions under one output position, first to last. Costs as much as there are of
    /// them, however many taps lie outside of the input.
    #[inline]
    pub fn inside(&self, output: usize) -> impl Iterator<Item = usize> + Clone + use<> {
        let start = output.saturating_mul(self.stride);
        // Taps that must be passed until one reaches the input, or its end.
        let until = |at: usize| at.saturating_sub(start).div_ceil(self.dilation);
        let first = until(self.before).min(self.size);
        let end = until(self.before.saturating_add(self.input)).min(self.size);
        // A stride may begin beyond the padding, so the first tap is not always at the border.
        let position = start
            .saturating_add(first.saturating_mul(self.dilation))
            .saturating_sub(self.before);
        let taps = end.saturating_sub(first);
        let dilation = self.dilation;
        (0..taps).map(move |tap| position + tap * dilation)
    }
}

/// A window down the rows and one along the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub rows: Window,
    pub cols: Window,
}

impl Place {
    /// A kernel of `kh x kw` on an image of `h x w`.
    ///
    /// # Errors
    /// Those of [`Window::new`].
    pub fn new([h, w]: [usize; 2], [kh, kw]: [usize; 2], settings: &Conv2d) -> Result<Self> {
        let Conv2d {
            strides,
            dilation,
            padding,
            ..
        } = *settings;
        Ok(Self {
            rows: Window::new(h, kh, strides[0], dilation[0], padding)?,
            cols: Window::new(w, kw, strides[1], dilation[1], padding.across())?,
        })
    }

    /// As [`Self::new`], of an image with zeros around it: `[top, bottom, left, right]`. The image
    /// itself stays as it is.
    ///
    /// # Errors
    /// Those of [`Window::new`].
    pub fn padded(
        [h, w]: [usize; 2],
        kernel: [usize; 2],
        settings: &Conv2d,
        [top, bottom, left, right]: [usize; 4],
    ) -> Result<Self> {
        let sum = |a: usize, b: usize, c: usize| a.saturating_add(b).saturating_add(c);
        let sides = [sum(h, top, bottom), sum(w, left, right)];
        let mut place = Self::new(sides, kernel, settings)?;
        (place.rows.input, place.cols.input) = (h, w);
        place.rows.before = place.rows.before.saturating_add(top);
        place.cols.before = place.cols.before.saturating_add(left);
        Ok(place)
    }

    /// Pixels of the input.
    pub fn inputs(&self) -> usize {
        self.rows.input * self.cols.input
    }

    /// Row and column of an output pixel.
    pub fn output(&self, at: usize) -> [usize; 2] {
        [at / self.cols.output, at % self.cols.output]
    }

    /// Pixels of the output.
    pub fn outputs(&self) -> usize {
        self.rows.output * self.cols.output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_is_every_tap_with_a_position() {
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
