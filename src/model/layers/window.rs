//! Where a sliding window stands: TensorFlow's `valid` and `same`.

use candle_core::{Error, Result};

use crate::model::graph::Padding;

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
    /// `reach = (k - 1) * d + 1`.
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
        let reach = (size - 1) * dilation + 1;
        let (output, before) = match padding {
            Padding::Valid if input < reach => {
                return Err(Error::Msg(format!(
                    "a window of {reach} does not fit into an input of {input}"
                )));
            }
            Padding::Valid => ((input - reach) / stride + 1, 0),
            Padding::Same => {
                let output = input.div_ceil(stride);
                let total = (output.saturating_sub(1) * stride + reach).saturating_sub(input);
                (output, total / 2)
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
        (output * self.stride + tap * self.dilation)
            .checked_sub(self.before)
            .filter(|&p| p < self.input)
    }
}
