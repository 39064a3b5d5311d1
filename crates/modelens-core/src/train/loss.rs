//! Losses of a batch, as one number.

use candle_core::{D, Device, Result, Tensor};
use candle_nn::loss::nll;

/// How far Keras keeps probabilities away from 0 and 1.
const EPSILON: f64 = 1e-7;

/// `mean(y^2)`: mean squared error to zero.
pub fn mean_square(y: &Tensor) -> Result<Tensor> {
    y.sqr()?.mean_all()
}

/// Cross-entropy of `[N, C]` with one class per row: `mean(-log p[class])`.
///
/// `probabilities` tells whether the rows are probabilities (the model ends in a softmax) or logits.
/// As in Keras, probabilities are kept away from 0 by 1e-7. The output of a model with one output is
/// the logit, or probability, of class 1; higher classes count as 1.
pub fn cross_entropy(y: &Tensor, classes: &[u32], probabilities: bool) -> Result<Tensor> {
    let (n, outputs) = y.dims2()?;
    if outputs == 1 {
        return binary_cross_entropy(y, classes, probabilities);
    }
    let logs = if probabilities {
        y.clamp(EPSILON, 1.0 - EPSILON)?.log()?
    } else {
        log_softmax(y)?
    };
    let classes: Vec<u32> = classes.iter().map(|&c| c % outputs as u32).collect();
    nll(&logs, &Tensor::from_vec(classes, n, &Device::Cpu)?)
}

/// Not candle-nn's, which differentiates the subtracted maximum too and so adds the rounding error of
/// all gradients of a row to that of its largest logit.
fn log_softmax(y: &Tensor) -> Result<Tensor> {
    let shifted = y.broadcast_sub(&y.max_keepdim(D::Minus1)?.detach())?;
    let sums = shifted.exp()?.sum_keepdim(D::Minus1)?.log()?;
    shifted.broadcast_sub(&sums)
}

/// Not candle-nn's, which takes the logarithm of a sigmoid: it is NaN from a logit of 17 on.
fn binary_cross_entropy(y: &Tensor, classes: &[u32], probabilities: bool) -> Result<Tensor> {
    let truth = classes.iter().map(|&c| if c > 0 { 1.0_f32 } else { 0.0 });
    let truth = Tensor::from_vec(truth.collect(), y.shape(), &Device::Cpu)?;
    if probabilities {
        let p = y.clamp(EPSILON, 1.0 - EPSILON)?;
        let right = truth.mul(&p.log()?)?;
        let wrong = truth.affine(-1.0, 1.0)?.mul(&p.affine(-1.0, 1.0)?.log()?)?;
        return right.add(&wrong)?.neg()?.mean_all();
    }
    // max(z, 0) - z t + log(1 + exp(-|z|)), which does not overflow.
    let tail = y.abs()?.neg()?.exp()?.affine(1.0, 1.0)?.log()?;
    y.relu()?.sub(&y.mul(&truth)?)?.add(&tail)?.mean_all()
}
