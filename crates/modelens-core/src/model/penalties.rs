//! Keras' regularizers and constraints: what `fit` adds to the loss, and what it does to a weight after
//! each step.

use candle_core::{Device, Result, Tensor, Var};
use serde::{Deserialize, Serialize};

use super::layers::{Activation, activate};

/// Keras' `epsilon()`.
const EPSILON: f64 = 1e-7;
/// The square of the length below which Keras no longer normalises a row.
const MIN_SQUARE: f64 = 1e-12;

/// A penalty on the size of values, which is added to the loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Regularizer {
    /// `l1 sum(|x|) + l2 sum(x^2)`
    L1L2 { l1: f64, l2: f64 },
    /// `factor` times the mean of the absolute cosines between different rows (or columns) of a matrix.
    Orthogonal { factor: f64, rows: bool },
}

impl Regularizer {
    /// The penalty of values of this shape.
    pub fn loss(&self, x: &[f32], dims: &[usize]) -> f64 {
        match *self {
            Self::L1L2 { l1, l2 } => {
                let values = x.iter().map(|&x| f64::from(x));
                values.map(|x| l1 * x.abs() + l2 * x * x).sum()
            }
            Self::Orthogonal { factor, rows } => {
                let unit = UnitVectors::of(x, dims, rows);
                let n = unit.vectors.len();
                let cosines = (0..n).flat_map(|i| (0..i).map(move |j| (i, j)));
                let sum: f64 = cosines.map(|(i, j)| unit.cosine(i, j).abs()).sum();
                factor * sum / unit.pairs()
            }
        }
    }

    /// The gradient of [`Self::loss`] at each value. At 0 the gradient of `|x|` is 0.
    pub fn gradient(&self, x: &[f32], dims: &[usize]) -> Vec<f32> {
        match *self {
            Self::L1L2 { l1, l2 } => {
                let slope = |x: f64| if x == 0.0 { 0.0 } else { l1 * x.signum() } + 2.0 * l2 * x;
                x.iter().map(|&x| slope(f64::from(x)) as f32).collect()
            }
            Self::Orthogonal { factor, rows } => {
                UnitVectors::of(x, dims, rows).gradient(factor, x.len())
            }
        }
    }
}

/// The rows or columns of a matrix, each divided by its length.
struct UnitVectors {
    vectors: Vec<Vec<f64>>,
    lengths: Vec<f64>,
    rows: bool,
}

impl UnitVectors {
    fn of(x: &[f32], dims: &[usize], rows: bool) -> Self {
        let columns = dims.last().copied().unwrap_or(1).max(1);
        let matrix: Vec<&[f32]> = x.chunks(columns).collect();
        let vectors: Vec<Vec<f64>> = if rows {
            let row = |row: &&[f32]| row.iter().map(|&x| f64::from(x)).collect();
            matrix.iter().map(row).collect()
        } else {
            let column = |c: usize| matrix.iter().map(|row| f64::from(row[c])).collect();
            (0..columns).map(column).collect()
        };
        let length = |v: &Vec<f64>| v.iter().map(|x| x * x).sum::<f64>().max(MIN_SQUARE).sqrt();
        let lengths: Vec<f64> = vectors.iter().map(length).collect();
        let mut unit = vectors;
        for (vector, length) in unit.iter_mut().zip(&lengths) {
            for x in vector.iter_mut() {
                *x /= length;
            }
        }
        Self {
            vectors: unit,
            lengths,
            rows,
        }
    }

    fn cosine(&self, i: usize, j: usize) -> f64 {
        let pairs = self.vectors[i].iter().zip(&self.vectors[j]);
        pairs.map(|(a, b)| a * b).sum()
    }

    /// Number of pairs; 0 for a single vector, whose penalty is not a number, as in Keras.
    fn pairs(&self) -> f64 {
        let n = self.vectors.len() as f64;
        n * (n - 1.0) / 2.0
    }

    fn gradient(&self, factor: f64, len: usize) -> Vec<f32> {
        let n = self.vectors.len();
        let mut gradient = vec![0.0_f32; len];
        for i in 0..n {
            let own = &self.vectors[i];
            let mut at_unit = vec![0.0; own.len()];
            for j in (0..n).filter(|&j| j != i) {
                let cosine = self.cosine(i, j);
                let sign = if cosine == 0.0 { 0.0 } else { cosine.signum() };
                for (sum, other) in at_unit.iter_mut().zip(&self.vectors[j]) {
                    *sum += factor / self.pairs() * sign * other;
                }
            }
            let along: f64 = at_unit.iter().zip(own).map(|(g, u)| g * u).sum();
            for (k, (g, u)) in at_unit.iter().zip(own).enumerate() {
                let at = if self.rows {
                    i * own.len() + k
                } else {
                    k * n + i
                };
                gradient[at] = ((g - along * u) / self.lengths[i]) as f32;
            }
        }
        gradient
    }
}

/// What Keras does to a weight after each optimizer step. Norms are taken over `axes`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Constraint {
    NonNeg,
    MaxNorm {
        max: f64,
        axes: Vec<i64>,
    },
    UnitNorm {
        axes: Vec<i64>,
    },
    MinMaxNorm {
        min: f64,
        max: f64,
        rate: f64,
        axes: Vec<i64>,
    },
}

impl Constraint {
    /// The weight that the constraint makes of `weight`.
    ///
    /// # Errors
    /// A weight that cannot be read.
    pub fn applied(&self, weight: &Tensor) -> Result<Tensor> {
        let dims = weight.dims().to_vec();
        let mut values = weight.flatten_all()?.to_vec1::<f32>()?;
        match self {
            Self::NonNeg => values.iter_mut().for_each(|x| *x = x.max(0.0)),
            Self::MaxNorm { max, axes } => {
                scale(&mut values, &dims, axes, |norm| {
                    norm.clamp(0.0, *max) / (EPSILON + norm)
                });
            }
            Self::UnitNorm { axes } => {
                scale(&mut values, &dims, axes, |norm| 1.0 / (EPSILON + norm));
            }
            Self::MinMaxNorm {
                min,
                max,
                rate,
                axes,
            } => scale(&mut values, &dims, axes, |norm| {
                let desired = rate * norm.max(*min).min(*max) + (1.0 - rate) * norm;
                desired / (EPSILON + norm)
            }),
        }
        Tensor::from_vec(values, dims, &Device::Cpu)
    }
}

/// Multiplies all values that differ only in their places along `axes` by `factor(their norm)`.
fn scale(values: &mut [f32], dims: &[usize], axes: &[i64], factor: impl Fn(f64) -> f64) {
    let rank = dims.len() as i64;
    let normed = |axis: usize| {
        let axis = axis as i64;
        axes.iter().any(|&a| a == axis || a + rank == axis)
    };
    // The group of each value: its index with the places along `axes` left out.
    let group = |at: usize| {
        let (mut rest, mut group, mut size) = (at, 0, 1);
        for (axis, &n) in dims.iter().enumerate().rev() {
            if !normed(axis) {
                group += rest % n * size;
                size *= n;
            }
            rest /= n;
        }
        group
    };
    let kept = dims.iter().enumerate().filter(|&(axis, _)| !normed(axis));
    let mut squares = vec![0.0_f64; kept.map(|(_, n)| n).product()];
    for (at, &x) in values.iter().enumerate() {
        squares[group(at)] += f64::from(x) * f64::from(x);
    }
    let factors: Vec<f64> = squares.iter().map(|s| factor(s.sqrt())).collect();
    for (at, x) in values.iter_mut().enumerate() {
        *x = (f64::from(*x) * factors[group(at)]) as f32;
    }
}

/// The penalty on a layer's output. In each call Keras adds the regularizer's loss divided by the number
/// of images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActivityRegularizer {
    pub regularizer: Regularizer,
    /// Applied to the output before: the activation that a training run has removed from the last layer.
    pub activation: Activation,
}

impl ActivityRegularizer {
    /// A penalty on the output as it is.
    pub fn new(regularizer: Regularizer) -> Self {
        Self {
            regularizer,
            activation: Activation::Linear,
        }
    }

    /// The penalty of an output `[N, ...]`, and its gradient there.
    ///
    /// # Errors
    /// An activation that cannot be computed.
    pub fn at(&self, y: &Tensor) -> Result<(f64, Tensor)> {
        let y = Var::from_tensor(y)?;
        let activated = activate(y.as_tensor(), self.activation)?;
        let dims = activated.dims().to_vec();
        let values = activated.flatten_all()?.to_vec1::<f32>()?;
        let images = dims.first().copied().unwrap_or(1).max(1) as f64;
        let loss = self.regularizer.loss(&values, &dims) / images;
        let mut gradient = self.regularizer.gradient(&values, &dims);
        for g in &mut gradient {
            *g = (f64::from(*g) / images) as f32;
        }
        let gradient = Tensor::from_vec(gradient, dims, &Device::Cpu)?;
        if self.activation == Activation::Linear {
            return Ok((loss, gradient));
        }
        let through = activated.mul(&gradient)?.sum_all()?.backward()?;
        let gradient = through.get(y.as_tensor()).cloned();
        Ok((loss, gradient.map_or_else(|| y.zeros_like(), Ok)?))
    }
}
