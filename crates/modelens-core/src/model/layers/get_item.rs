//! Python's indexing.

use candle_core::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes, Side};
use super::{Call, CallMode, LayerOp};
use crate::rules::Role;

/// `x[...]`. Source: Python's indexing of tensors, as TensorFlow and Keras write it into a file; ONNX'
/// `Slice` and `Split`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetItem {
    /// One entry an axis, the batch axis first; missing axes are taken whole.
    pub slices: Vec<Slice>,
}

/// Python's indexing of one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Slice {
    /// `start:stop:step` with a positive step.
    Range {
        start: Option<i64>,
        stop: Option<i64>,
        step: usize,
    },
    /// One index; removes the axis.
    Index(i64),
    /// `...`
    Ellipsis,
}

impl Slice {
    /// `:`
    pub const WHOLE: Self = Self::Range {
        start: None,
        stop: None,
        step: 1,
    };
}

impl LayerOp for GetItem {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        self.slices.first() != Some(&Slice::WHOLE)
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        sliced(&self.slices, shapes.x())
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        get_item(call.x()?, &self.slices)
    }
}

/// The shape of `x[...]` for one image.
fn sliced(slices: &[Slice], x: &[Side]) -> std::result::Result<ImageShape, String> {
    let given = slices.iter().filter(|&&s| s != Slice::Ellipsis).count();
    // The batch axis is the first.
    let hidden = (x.len() + 1)
        .checked_sub(given)
        .ok_or("it indexes more axes than its input has")?;
    let mut full = Vec::with_capacity(x.len() + 1);
    for &slice in slices {
        match slice {
            Slice::Ellipsis => full.extend(std::iter::repeat_n(Slice::WHOLE, hidden)),
            other => full.push(other),
        }
    }
    full.resize(x.len() + 1, Slice::WHOLE);
    if full[0] != Slice::WHOLE {
        return Err("it picks images out of the batch, which is not supported".to_owned());
    }
    let mut shape = ImageShape::new();
    for (&slice, &axis) in full[1..].iter().zip(x) {
        match slice {
            Slice::Index(index) => {
                if axis.is_some_and(|n| index >= n as i64 || index < -(n as i64)) {
                    return Err(format!("its index {index} is out of range"));
                }
            }
            Slice::Range { start, stop, step } => shape.push(axis.map(|n| {
                let n = n as i64;
                let position = |at: i64| (if at < 0 { at + n } else { at }).clamp(0, n);
                let (from, to) = (position(start.unwrap_or(0)), position(stop.unwrap_or(n)));
                // At least 0 and at most n, so the cast is exact.
                ((to - from).max(0) as usize).div_ceil(step)
            })),
            Slice::Ellipsis => {}
        }
    }
    Ok(shape)
}

/// Python's `x[...]`.
fn get_item(x: &Tensor, slices: &[Slice]) -> Result<Tensor> {
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
                let position = |at: i64| (if at < 0 { at + length } else { at }).clamp(0, length);
                let start = position(start.unwrap_or(0)) as usize;
                let stop = position(stop.unwrap_or(length)) as usize;
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

    #[test]
    fn slices_as_python_does() {
        let range = |start, stop, step| Slice::Range { start, stop, step };
        let x = [Some(8), Some(8), Some(3)];
        let all = range(None, None, 1);
        let slices = [
            all,
            range(Some(1), None, 1),
            all,
            range(Some(0), Some(2), 1),
        ];
        assert_eq!(sliced(&slices, &x), Ok(vec![Some(7), Some(8), Some(2)]));
        let last = [Slice::Ellipsis, Slice::Index(-1)];
        assert_eq!(sliced(&last, &x), Ok(vec![Some(8), Some(8)]));
        assert_eq!(
            sliced(&[all, range(None, Some(-1), 3)], &x),
            Ok(vec![Some(3), Some(8), Some(3)])
        );
        assert!(sliced(&[Slice::Index(0)], &x).is_err());
        assert!(sliced(&[all; 5], &x).is_err());
    }
}
