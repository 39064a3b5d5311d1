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

/// Cross-entropy of logits `[N, C]` with mixed labels: `mean(-sum_c t_c log p_c)`, with `t_c` the sum of the
/// shares of class c. `targets` holds places in the batch, whose classes are `classes`, with their shares.
pub fn mixed_cross_entropy(
    y: &Tensor,
    classes: &[u32],
    targets: &[Vec<(usize, f64)>],
) -> Result<Tensor> {
    let (n, outputs) = y.dims2()?;
    let columns = outputs.max(2);
    let mut truth = vec![0.0_f32; n * columns];
    for (row, target) in truth.chunks_mut(columns).zip(targets) {
        for &(place, share) in target {
            let class = classes.get(place).map_or(0, |&class| class as usize);
            // As for labels that are not mixed.
            let class = if outputs == 1 {
                class.min(1)
            } else {
                class % outputs
            };
            row[class] += share as f32;
        }
    }
    let logs = if outputs == 1 {
        // The logits of both classes of a sigmoid are 0 and y.
        log_softmax(&Tensor::cat(&[&y.zeros_like()?, y], 1)?)?
    } else {
        log_softmax(y)?
    };
    let truth = Tensor::from_vec(truth, (n, columns), &Device::Cpu)?;
    truth.mul(&logs)?.sum(D::Minus1)?.neg()?.mean_all()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_with_one_class_give_the_plain_loss_and_mixed_ones_its_mean() -> Result<()> {
        for (outputs, classes) in [(3, [2, 0]), (1, [1, 0])] {
            let values: Vec<f32> = (0..2 * outputs)
                .map(|i| (i * i) as f32 / 3.0 - 1.0)
                .collect();
            let y = Tensor::from_vec(values, (2, outputs), &Device::Cpu)?;
            let plain = |classes: &[u32]| cross_entropy(&y, classes, false)?.to_scalar::<f32>();
            let mixed = |targets: &[Vec<(usize, f64)>]| {
                mixed_cross_entropy(&y, &classes, targets)?.to_scalar::<f32>()
            };
            let own = mixed(&[vec![(0, 1.0)], vec![(1, 1.0)]])?;
            assert!((own - plain(&classes)?).abs() < 1e-6);
            let third = mixed(&[vec![(0, 0.7), (1, 0.3)], vec![(1, 0.7), (0, 0.3)]])?;
            let [a, b] = classes;
            let expected = 0.7 * plain(&[a, b])? + 0.3 * plain(&[b, a])?;
            assert!((third - expected).abs() < 1e-6, "{third} and {expected}");
        }
        Ok(())
    }
}
