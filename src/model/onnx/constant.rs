//! What is known before a photo is there: weights, and the shapes that exporters compute.

use candle_core::Tensor;

use super::node::Op;
use super::proto::{Attribute, MAX_RANK, Stored};
use crate::model::OpenError;

/// A value that does not depend on the photo.
#[derive(Clone, Debug)]
pub enum Constant<'a> {
    /// As it lies in the file.
    Stored(Stored<'a>),
    Floats(Tensor),
    /// Whole numbers in row order; `None` is the size of the batch.
    Ints {
        list: Vec<Option<i64>>,
        dims: Vec<usize>,
    },
}

impl Constant<'_> {
    pub fn floats(&self) -> Result<Tensor, OpenError> {
        match self {
            Self::Stored(stored) => stored.floats(),
            Self::Floats(tensor) => Ok(tensor.clone()),
            Self::Ints { list, dims } => {
                let values = list.iter().map(|n| n.map_or(f32::NAN, |n| n as f32));
                let values: Vec<f32> = values.collect();
                Tensor::from_vec(values, dims.as_slice(), &candle_core::Device::Cpu)
                    .map_err(|e| OpenError::Broken(e.to_string()))
            }
        }
    }

    /// Whole numbers; `None` is the size of the batch.
    pub fn sizes(&self) -> Result<Vec<Option<i64>>, OpenError> {
        match self {
            Self::Stored(stored) => Ok(stored.ints()?.into_iter().map(Some).collect()),
            Self::Ints { list, .. } => Ok(list.clone()),
            Self::Floats(_) => Err(OpenError::Broken(
                "numbers stand where a shape belongs".into(),
            )),
        }
    }

    pub fn ints(&self) -> Result<Vec<i64>, OpenError> {
        let sizes = self.sizes()?.into_iter().collect::<Option<Vec<i64>>>();
        sizes.ok_or_else(|| OpenError::Broken("a setting depends on the size of the batch".into()))
    }

    /// A single number.
    pub fn number(&self) -> Result<f32, OpenError> {
        let one = self
            .floats()?
            .flatten_all()
            .and_then(|t| t.to_vec1::<f32>());
        match one.as_deref() {
            Ok([one]) => Ok(*one),
            _ => Err(OpenError::Broken(
                "a list stands where one number belongs".into(),
            )),
        }
    }

    fn dims(&self) -> Vec<usize> {
        match self {
            Self::Stored(stored) => stored.dims.clone(),
            Self::Floats(tensor) => tensor.dims().to_vec(),
            Self::Ints { dims, .. } => dims.clone(),
        }
    }

    fn is_whole(&self) -> bool {
        match self {
            Self::Stored(stored) => stored.is_whole(),
            Self::Floats(_) => false,
            Self::Ints { .. } => true,
        }
    }
}

/// The value of a `Constant` node.
pub fn of_node<'a>(op: &Op<'_, 'a>) -> Result<Constant<'a>, OpenError> {
    let floats = |values: &[f32], scalar: bool| {
        let shape = if scalar { vec![] } else { vec![values.len()] };
        let tensor = Tensor::from_slice(values, shape, &candle_core::Device::Cpu);
        tensor
            .map(Constant::Floats)
            .map_err(|e| op.refuse(e.to_string()))
    };
    let ints = |values: &[i64], scalar| Constant::Ints {
        list: values.iter().copied().map(Some).collect(),
        dims: if scalar { vec![] } else { vec![values.len()] },
    };
    match op.node.attributes.first() {
        Some(("value", Attribute::Tensor(tensor))) => Ok(Constant::Stored((**tensor).clone())),
        Some(("value_float", Attribute::Float(x))) => floats(&[*x], true),
        Some(("value_floats", Attribute::Floats(list))) => floats(list, false),
        Some(("value_int", Attribute::Int(n))) => Ok(ints(&[*n], true)),
        Some(("value_ints", Attribute::Ints(list))) => Ok(ints(list, false)),
        _ => Err(op.refuse("its value is not understood")),
    }
}

/// An operator on constants alone; `None` where that is not worked out.
pub fn fold<'a>(
    op: &Op<'_, 'a>,
    inputs: &[Constant<'a>],
) -> Result<Option<Constant<'a>>, OpenError> {
    let Some(first) = inputs.first() else {
        return Ok(None);
    };
    if matches!(op.node.op, "Identity" | "Cast" | "CastLike") {
        return Ok(Some(first.clone()));
    }
    let failed = |e: candle_core::Error| op.refuse(e.to_string());
    if op.node.op == "Transpose" && !first.is_whole() {
        let x = first.floats()?;
        let reversed = (0..x.rank()).rev().map(|a| a as i64).collect();
        let order = op.order(op.ints("perm")?.unwrap_or(reversed), x.rank())?;
        let x = x
            .permute(order)
            .and_then(|x| x.contiguous())
            .map_err(failed)?;
        return Ok(Some(Constant::Floats(x)));
    }
    if !first.is_whole() {
        let x = first.floats()?;
        let second = |at| inputs.get(at).map(Constant::ints).transpose();
        let shape: Vec<i64> = x.dims().iter().map(|&d| d as i64).collect();
        let target = match op.node.op {
            "Reshape" => second(1)?,
            "Squeeze" => Some(shape.into_iter().filter(|&d| d != 1).collect()),
            _ => None,
        };
        let Some(target) = target.filter(|t| t.len() <= MAX_RANK) else {
            return Ok(None);
        };
        let fixed: i64 = target
            .iter()
            .filter(|&&d| d > 0)
            .fold(1, |n, &d| n.saturating_mul(d));
        let left = x.elem_count() as i64 / fixed.max(1);
        let target = target.into_iter().map(|d| if d == -1 { left } else { d });
        let target = target.map(usize::try_from).collect::<Result<Vec<_>, _>>();
        let target = target.map_err(|_| op.refuse("its shape is not understood"))?;
        return Ok(Some(Constant::Floats(x.reshape(target).map_err(failed)?)));
    }
    let folded = fold_ints(op, inputs)?;
    let small = folded.filter(|(list, _)| list.len() <= MAX_FOLDED);
    Ok(small.map(|(list, dims)| Constant::Ints { list, dims }))
}

/// Numbers that exporters compute shapes and pads with, at most.
const MAX_FOLDED: usize = 64;

/// Whole numbers and their shape.
type Ints = (Vec<Option<i64>>, Vec<usize>);

/// An operator on whole numbers.
fn fold_ints(op: &Op<'_, '_>, inputs: &[Constant<'_>]) -> Result<Option<Ints>, OpenError> {
    let Some(first) = inputs.first() else {
        return Ok(None);
    };
    let (list, dims) = (first.sizes()?, first.dims());
    let flat = |list: Vec<Option<i64>>| {
        let dims = vec![list.len()];
        Ok(Some((list, dims)))
    };
    match op.node.op {
        "Unsqueeze" if dims.is_empty() => flat(list),
        "Squeeze" if list.len() == 1 => Ok(Some((list, Vec::new()))),
        "Concat" => {
            let all = inputs.iter().map(Constant::sizes);
            flat(all.collect::<Result<Vec<_>, _>>()?.concat())
        }
        "ConstantOfShape" => match list.as_slice() {
            &[Some(n)] if (0..=MAX_FOLDED as i64).contains(&n) => {
                let value = match op.node.attributes.first() {
                    Some((_, Attribute::Tensor(value))) => value.ints()?.first().copied(),
                    _ => return Ok(None),
                };
                flat(vec![value; n as usize])
            }
            _ => Ok(None),
        },
        "Add" | "Sub" | "Mul" | "Div" => {
            let [a, b] = inputs else { return Ok(None) };
            if a.dims() != b.dims() && !a.dims().is_empty() && !b.dims().is_empty() {
                return Ok(None);
            }
            let (a, b) = (a.ints()?, b.ints()?);
            let at = |list: &[i64], i: usize| list.get(i).or(list.first()).copied();
            let values = (0..a.len().max(b.len())).map(|i| {
                let (a, b) = (at(&a, i)?, at(&b, i)?);
                match op.node.op {
                    "Add" => a.checked_add(b),
                    "Sub" => a.checked_sub(b),
                    "Div" => a.checked_div(b),
                    _ => a.checked_mul(b),
                }
            });
            let values: Option<Vec<i64>> = values.collect();
            let dims = inputs.iter().map(Constant::dims).max_by_key(Vec::len);
            Ok(values.map(|values| {
                let list = values.into_iter().map(Some).collect();
                (list, dims.unwrap_or_default())
            }))
        }
        "Gather" => {
            let Some(picks) = inputs.get(1) else {
                return Ok(None);
            };
            let length = list.len() as i64;
            let place = |&i: &i64| {
                if i < 0 {
                    i.checked_add(length)
                } else {
                    Some(i)
                }
            };
            let pick = |i: &i64| {
                usize::try_from(place(i)?)
                    .ok()
                    .and_then(|i| list.get(i).copied())
            };
            let found = picks.ints()?.iter().map(pick).collect::<Option<Vec<_>>>();
            let found = found.ok_or_else(|| op.refuse("its indices lie outside"))?;
            Ok(Some((found, picks.dims())))
        }
        "Reshape" | "Transpose" | "Slice" => arranged(op, inputs, list, dims),
        _ => Ok(None),
    }
}

/// Whole numbers in another order or shape.
fn arranged(
    op: &Op<'_, '_>,
    inputs: &[Constant<'_>],
    list: Vec<Option<i64>>,
    dims: Vec<usize>,
) -> Result<Option<Ints>, OpenError> {
    let ints = |at: usize| inputs.get(at).map(Constant::ints).transpose();
    let one = |at| ints(at).map(|ints| ints.and_then(|ints| ints.first().copied()));
    match op.node.op {
        "Reshape" => {
            let target = ints(1)?.unwrap_or_default();
            let (rows, cols) = match *target.as_slice() {
                [_] => {
                    let dims = vec![list.len()];
                    return Ok(Some((list, dims)));
                }
                [-1, cols] if cols > 0 => (list.len() as i64 / cols, cols),
                [rows, cols] if rows > 0 && cols > 0 => (rows, cols),
                _ => return Ok(None),
            };
            let fits = rows.checked_mul(cols) == Some(list.len() as i64);
            Ok(fits.then(|| (list, vec![rows as usize, cols as usize])))
        }
        "Transpose" => match *dims.as_slice() {
            [rows, cols] => {
                let turned = (0..cols).flat_map(|c| (0..rows).map(move |r| r * cols + c));
                let turned = turned
                    .map(|at| list.get(at).copied())
                    .collect::<Option<_>>();
                Ok(turned.map(|turned| (turned, vec![cols, rows])))
            }
            _ => Ok(Some((list, dims))),
        },
        "Slice" if one(3)?.unwrap_or(0) == 0 => {
            let (rows, width) = match *dims.as_slice() {
                [rows] => (rows, 1),
                [rows, cols] => (rows, cols),
                _ => return Ok(None),
            };
            let length = rows as i64;
            let from_start = |i: i64| if i < 0 { i.saturating_add(length) } else { i };
            let (from, to) = (
                from_start(one(1)?.unwrap_or(0)),
                from_start(one(2)?.unwrap_or(length)),
            );
            let picked: Vec<usize> = match one(4)?.unwrap_or(1) {
                1 => (from.clamp(0, length)..to.clamp(0, length))
                    .map(|i| i as usize)
                    .collect(),
                -1 => (to.clamp(-1, length - 1) + 1..=from.clamp(-1, length - 1))
                    .rev()
                    .map(|i| i as usize)
                    .collect(),
                _ => return Ok(None),
            };
            let mut dims = dims;
            dims[0] = picked.len();
            let values = picked
                .iter()
                .flat_map(|i| &list[i * width..][..width])
                .copied();
            Ok(Some((values.collect(), dims)))
        }
        _ => Ok(None),
    }
}
