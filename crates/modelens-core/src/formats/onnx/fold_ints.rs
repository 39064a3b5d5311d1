//! Folds operators on integer constants: shapes, axes and pads.

use super::constant::Constant;
use super::fold::MAX_FOLDED;
use super::node::Op;
use super::proto::Attribute;
use crate::formats::OpenError;

/// Integers and their shape.
pub type Ints = (Vec<Option<i64>>, Vec<usize>);

/// The value of an operator on integers; `None` if it is not implemented.
pub fn fold(op: &Op<'_, '_>, inputs: &[Constant<'_>]) -> Result<Option<Ints>, OpenError> {
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
        "ConstantOfShape" => {
            let value = match op.node.attributes.first() {
                Some((_, Attribute::Tensor(value))) => value.ints()?.first().copied(),
                _ => return Ok(None),
            };
            let side = |n: &Option<i64>| n.and_then(|n| usize::try_from(n).ok());
            let dims: Option<Vec<usize>> = list.iter().map(side).collect();
            let count = dims
                .as_ref()
                .and_then(|dims| dims.iter().try_fold(1_usize, |n, &d| n.checked_mul(d)));
            let small = count.filter(|&n| n <= MAX_FOLDED);
            Ok(small.zip(dims).map(|(n, dims)| (vec![value; n], dims)))
        }
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

/// Reorders or reshapes integers.
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
