//! Losses of a batch, as one number.

use candle_core::{D, Device, Result, Tensor};

/// `mean(y^2)`: mean squared error to zero.
pub fn mean_square(y: &Tensor) -> Result<Tensor> {
    y.sqr()?.mean_all()
}

/// Cross-entropy of `[N, C]` with a class a row: `mean(-log p[class])`.
///
/// `probabilities` tells whether the rows are probabilities (a softmax ends the model) or logits.
/// Probabilities are kept away from 0 by 1e-7, as Keras does it. A model with a single output is
/// taken as a logit, or probability, of class 1; higher classes count as 1.
pub fn cross_entropy(y: &Tensor, classes: &[u32], probabilities: bool) -> Result<Tensor> {
    let (n, outputs) = y.dims2()?;
    if outputs == 1 {
        let truth: Vec<f32> = classes
            .iter()
            .map(|&c| if c > 0 { 1.0 } else { 0.0 })
            .collect();
        let truth = Tensor::from_vec(truth, (n, 1), &Device::Cpu)?;
        if probabilities {
            let p = y.clamp(1e-7, 1.0 - 1e-7)?;
            let right = truth.mul(&p.log()?)?;
            let wrong = truth.affine(-1.0, 1.0)?.mul(&p.affine(-1.0, 1.0)?.log()?)?;
            return right.add(&wrong)?.neg()?.mean_all();
        }
        // max(z, 0) - z t + log(1 + exp(-|z|)), which does not overflow.
        let tail = y.abs()?.neg()?.exp()?.affine(1.0, 1.0)?.log()?;
        return y.relu()?.sub(&y.mul(&truth)?)?.add(&tail)?.mean_all();
    }
    let logs = if probabilities {
        y.clamp(1e-7, 1.0 - 1e-7)?.log()?
    } else {
        let shifted = y.broadcast_sub(&y.max_keepdim(D::Minus1)?.detach())?;
        let sums = shifted.exp()?.sum_keepdim(D::Minus1)?.log()?;
        shifted.broadcast_sub(&sums)?
    };
    let classes: Vec<u32> = classes.iter().map(|&c| c % outputs as u32).collect();
    let classes = Tensor::from_vec(classes, (n, 1), &Device::Cpu)?;
    logs.gather(&classes, 1)?.mean_all()?.neg()
}
