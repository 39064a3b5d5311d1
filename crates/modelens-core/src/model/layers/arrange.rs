//! Layers that move values without changing them, and layers that join several inputs.

use candle_core::{Error, Result, Tensor};

use super::elementwise::keep_nan;
use super::function::Function;
use crate::model::graph::{Binary, Merge, Slice};

/// Zeros around H and W: `[top, bottom, left, right]`.
pub fn zero_padding2d(x: &Tensor, [top, bottom, left, right]: [usize; 4]) -> Result<Tensor> {
    x.pad_with_zeros(1, top, bottom)?
        .pad_with_zeros(2, left, right)
}

/// `[N, ...]` to `[N, product]`.
pub fn flatten(x: &Tensor) -> Result<Tensor> {
    x.flatten_from(1)
}

/// Keras' merging layers, with broadcasting.
pub fn merge(inputs: &[Tensor], merge: Merge) -> Result<Tensor> {
    if let Merge::Concatenate(axis) = merge {
        let rank = inputs.first().map_or(0, Tensor::rank) as i64;
        let axis = if axis < 0 { axis + rank } else { axis };
        let axis = usize::try_from(axis).map_err(|_| Error::Msg("no such axis".into()))?;
        return Tensor::cat(inputs, axis);
    }
    if merge == Merge::Dot {
        let [a, b] = inputs else {
            return Err(Error::Msg("a product takes two inputs".into()));
        };
        return a.mul(b)?.sum_keepdim(1);
    }
    let mut inputs = inputs.iter();
    let first = inputs
        .next()
        .ok_or_else(|| Error::Msg("no inputs".into()))?;
    let count = inputs.len() + 1;
    let joined = inputs.try_fold(first.clone(), |joined, next| match merge {
        Merge::Add | Merge::Average => joined.broadcast_add(next),
        Merge::Subtract => joined.broadcast_sub(next),
        Merge::Multiply => joined.broadcast_mul(next),
        Merge::Maximum => extreme(&joined, next, Binary::Maximum),
        Merge::Minimum => extreme(&joined, next, Binary::Minimum),
        Merge::Dot | Merge::Concatenate(_) => Err(Error::Msg("handled above".into())),
    })?;
    if merge == Merge::Average {
        joined / count as f64
    } else {
        Ok(joined)
    }
}

/// An operator between two tensors (a number is a tensor of one value).
pub fn binary(a: &Tensor, b: &Tensor, operator: Binary) -> Result<Tensor> {
    match operator {
        Binary::Add => a.broadcast_add(b),
        Binary::Subtract => a.broadcast_sub(b),
        Binary::Multiply => a.broadcast_mul(b),
        Binary::Divide => a.broadcast_div(b),
        Binary::Power => match b.flatten_all()?.to_vec1::<f32>()?.as_slice() {
            [power] => Function::Power(*power).forward(a),
            _ => Err(Error::Msg("only powers of one number are supported".into())),
        },
        Binary::Maximum | Binary::Minimum => extreme(a, b, operator),
    }
}

/// The larger or the smaller; NaN where either is.
fn extreme(a: &Tensor, b: &Tensor, operator: Binary) -> Result<Tensor> {
    let y = match operator {
        Binary::Minimum => a.broadcast_minimum(b)?,
        _ => a.broadcast_maximum(b)?,
    };
    let nan = a.ne(a)?.broadcast_add(&b.ne(b)?)?;
    keep_nan(&y, &nan)
}

/// Python's `x[...]`.
pub fn get_item(x: &Tensor, slices: &[Slice]) -> Result<Tensor> {
    let given = slices.iter().filter(|&&s| s != Slice::Ellipsis).count();
    let hidden = x
        .rank()
        .checked_sub(given)
        .ok_or_else(|| Error::Msg("too many axes".into()))?;
    let mut y = x.clone();
    let mut axis = 0;
    for slice in slices {
        match *slice {
            Slice::Ellipsis => axis += hidden,
            Slice::Index(index) => {
                let length = y.dim(axis)?;
                let index = if index < 0 {
                    index + length as i64
                } else {
                    index
                };
                let index = usize::try_from(index).ok().filter(|&i| i < length);
                let index = index.ok_or_else(|| Error::Msg("index out of range".into()))?;
                y = y.narrow(axis, index, 1)?.squeeze(axis)?;
            }
            Slice::Range { start, stop, step } => {
                let length = y.dim(axis)? as i64;
                let place = |at: i64| (if at < 0 { at + length } else { at }).clamp(0, length);
                let start = place(start.unwrap_or(0)) as usize;
                let stop = place(stop.unwrap_or(length)) as usize;
                y = y.narrow(axis, start, stop.saturating_sub(start))?;
                if step > 1 {
                    let picks: Vec<u32> = (0..stop.saturating_sub(start) as u32)
                        .step_by(step)
                        .collect();
                    y = y
                        .contiguous()?
                        .index_select(&Tensor::new(picks, x.device())?, axis)?;
                }
                axis += 1;
            }
        }
    }
    y.contiguous()
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn what_is_not_a_number_wins_on_either_side() {
        let tensor = |x: [f32; 3]| Tensor::from_slice(&x, (1, 3), &Device::Cpu).unwrap();
        let (a, b) = (tensor([f32::NAN, 1.0, 5.0]), tensor([1.0, f32::NAN, 4.0]));
        for (operator, last) in [(Binary::Maximum, 5.0), (Binary::Minimum, 4.0)] {
            let y = binary(&a, &b, operator).unwrap();
            let y = y.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert!(y[0].is_nan() && y[1].is_nan() && y[2] == last, "{y:?}");
        }
    }
}
