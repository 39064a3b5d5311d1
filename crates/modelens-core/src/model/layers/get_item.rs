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
    /// `start:stop:step`; a negative step goes backward. The step is not 0.
    Range {
        start: Option<i64>,
        stop: Option<i64>,
        step: i64,
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
            Slice::Range { start, stop, step } => {
                shape.push(axis.map(|n| picked(start, stop, step, n).1));
            }
            Slice::Ellipsis => {}
        }
    }
    Ok(shape)
}

/// The first index and the number of indices in `start:stop:step` of `n` values. Source: Python's
/// `slice.indices`.
fn picked(start: Option<i64>, stop: Option<i64>, step: i64, n: usize) -> (usize, usize) {
    let n = n as i64;
    let (lowest, highest) = if step > 0 { (0, n) } else { (-1, n - 1) };
    let place = |at: i64| {
        let at = if at < 0 { at.saturating_add(n) } else { at };
        at.clamp(lowest, highest)
    };
    let (from, to) = if step > 0 {
        (start.map_or(lowest, place), stop.map_or(highest, place))
    } else {
        (start.map_or(highest, place), stop.map_or(lowest, place))
    };
    let between = if step > 0 { to - from } else { from - to };
    if between <= 0 {
        return (0, 0);
    }
    // Between 0 and n, so the casts are exact.
    let count = (between as u64).div_ceil(step.unsigned_abs());
    (from as usize, count as usize)
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
                let (first, count) = picked(start, stop, step, y.dim(axis)?);
                if step == 1 {
                    y = y.narrow(axis, first, count)?;
                } else {
                    let places = (0..count as i64).map(|i| (first as i64 + i * step) as u32);
                    let places: Vec<u32> = places.collect();
                    y = y
                        .contiguous()?
                        .index_select(&Tensor::new(places, x.device())?, axis)?;
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

    #[test]
    fn indices_as_python_counts_them() {
        // `list(range(n))[start:stop:step]` in Python: the first value and their number.
        for (start, stop, step, n, expected) in [
            (None, None, -1, 3, (2, 3)),
            (None, None, -2, 5, (4, 3)),
            (Some(3), Some(0), -1, 5, (3, 3)),
            (Some(-1), Some(-4), -1, 5, (4, 3)),
            (Some(9), None, -4, 5, (4, 2)),
            (Some(0), Some(3), -1, 5, (0, 0)),
            (None, Some(-9), -1, 2, (1, 2)),
            (Some(1), Some(-1), 2, 6, (1, 2)),
            (None, None, i64::MIN, 3, (2, 1)),
            (None, None, i64::MAX, 3, (0, 1)),
        ] {
            assert_eq!(
                picked(start, stop, step, n),
                expected,
                "{start:?}:{stop:?}:{step} of {n}"
            );
        }
    }
}
