//! Functions of single values beyond the common activations, and reductions over axes.

use candle_core::{Error, Result, Tensor};

use super::elementwise::{activate, keep_nan, map};
use crate::model::graph::Activation;

/// A function of each value by itself (of each row of channels for the last).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Function {
    Abs,
    Negative,
    Square,
    Sqrt,
    /// `1 / sqrt(x)`.
    Rsqrt,
    Log,
    /// `1 / x`.
    Reciprocal,
    /// `x^p`.
    Power(f32),
    /// Between two bounds.
    Clip(f32, f32),
    /// Keras 2's `hard_sigmoid`: `0.2 x + 0.5` between 0 and 1.
    SlopedSigmoid,
    /// `x tanh(ln(1 + e^x))`.
    Mish,
    /// `ln(sigmoid(x))`.
    LogSigmoid,
    /// `x - tanh(x)`.
    TanhShrink,
    /// `(x + sqrt(x^2 + 4)) / 2`.
    Squareplus,
    /// `ln(softmax(x))` along the last axis.
    LogSoftmax,
}

impl Function {
    /// The function of every value, and its gradient.
    pub fn forward(self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Abs => map(x, f32::abs, |x| if x == 0.0 { 0.0 } else { x.signum() }),
            Self::Negative => map(x, |x| -x, |_| -1.0),
            Self::Square => map(x, |x| x * x, |x| 2.0 * x),
            Self::Sqrt => map(x, f32::sqrt, |x| 0.5 / x.sqrt()),
            Self::Rsqrt => map(x, |x| 1.0 / x.sqrt(), |x| -0.5 / (x * x.sqrt())),
            Self::Log => map(x, f32::ln, |x| 1.0 / x),
            Self::Reciprocal => map(x, |x| 1.0 / x, |x| -1.0 / (x * x)),
            Self::Power(p) => map(x, move |x| x.powf(p), move |x| p * x.powf(p - 1.0)),
            Self::Clip(low, high) => map(
                x,
                move |x| {
                    let x = if x < low { low } else { x };
                    if x > high { high } else { x }
                },
                move |x| if x < low || x > high { 0.0 } else { 1.0 },
            ),
            Self::SlopedSigmoid => map(
                x,
                |x| (0.2 * x + 0.5).clamp(0.0, 1.0),
                |x| if x.abs() < 2.5 { 0.2 } else { 0.0 },
            ),
            Self::Mish => map(
                x,
                |x| x * softplus(x).tanh(),
                |x| {
                    let t = softplus(x).tanh();
                    t + x * (1.0 - t * t) / (1.0 + (-x).exp())
                },
            ),
            Self::LogSigmoid => map(x, |x| -softplus(-x), |x| 1.0 / (1.0 + x.exp())),
            Self::TanhShrink => map(x, |x| x - x.tanh(), |x| x.tanh() * x.tanh()),
            Self::Squareplus => map(
                x,
                |x| 0.5 * (x + (x * x + 4.0).sqrt()),
                |x| 0.5 * (1.0 + x / (x * x + 4.0).sqrt()),
            ),
            Self::LogSoftmax => {
                let top = x.detach().max_keepdim(x.rank() - 1)?;
                let x = x.broadcast_sub(&top)?;
                x.broadcast_sub(&x.exp()?.sum_keepdim(x.rank() - 1)?.log()?)
            }
        }
    }
}

/// `ln(1 + e^x)`.
fn softplus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// A reduction over some axes, as they are written: the batch axis is 0, negative ones count from the
/// end.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduce {
    pub by: Reduction,
    pub axes: Vec<i64>,
    pub keep_dims: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    Sum,
    Mean,
    Max,
    Min,
}

impl Reduce {
    /// The shape that comes out; the error is a reason in words.
    pub fn shape(&self, x: &[Option<usize>]) -> std::result::Result<Vec<Option<usize>>, String> {
        let mut shape = x.to_vec();
        for axis in self.inner(x.len())? {
            if self.keep_dims {
                shape[axis] = Some(1);
            } else {
                shape.remove(axis);
            }
        }
        Ok(shape)
    }

    /// The axes without the batch axis, the last first, of an image with so many.
    fn inner(&self, rank: usize) -> std::result::Result<Vec<usize>, String> {
        let inner = |&axis: &i64| inner_axis(axis, rank);
        let mut axes: Vec<usize> =
            self.axes
                .iter()
                .map(inner)
                .collect::<Option<_>>()
                .ok_or(format!(
                    "its axes {:?} are not those of one image",
                    self.axes
                ))?;
        axes.sort_unstable();
        axes.dedup();
        axes.reverse();
        Ok(axes)
    }

    /// The sum, mean, largest or smallest value over the axes.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut y = x.clone();
        let axes = self.inner(x.rank().saturating_sub(1)).map_err(Error::Msg)?;
        for axis in axes.into_iter().map(|axis| axis + 1) {
            let reduced = match self.by {
                Reduction::Sum => y.sum_keepdim(axis)?,
                Reduction::Mean => y.mean_keepdim(axis)?,
                Reduction::Max => keep_nan(&y.max_keepdim(axis)?, &y.ne(&y)?.max_keepdim(axis)?)?,
                Reduction::Min => keep_nan(&y.min_keepdim(axis)?, &y.ne(&y)?.max_keepdim(axis)?)?,
            };
            y = if self.keep_dims {
                reduced
            } else {
                reduced.squeeze(axis)?
            };
        }
        y.contiguous()
    }
}

/// An axis as it is written (the batch axis is 0, negative ones count from the end) as one of the
/// `rank` axes of an image; `None` for the batch axis and beyond the last.
pub(super) fn inner_axis(axis: i64, rank: usize) -> Option<usize> {
    let length = i64::try_from(rank).ok()? + 1;
    let axis = if axis < 0 {
        axis.checked_add(length)?
    } else {
        axis
    };
    usize::try_from(axis - 1).ok().filter(|&axis| axis < rank)
}

/// `x` where it is positive, else `alpha x`; alpha has the shape of one image, 1 where it is shared.
pub fn prelu(x: &Tensor, alpha: &Tensor) -> Result<Tensor> {
    let positive = activate(x, Activation::RELU)?;
    let negative = activate(&Function::Negative.forward(x)?, Activation::RELU)?;
    positive - negative.broadcast_mul(alpha)?
}
