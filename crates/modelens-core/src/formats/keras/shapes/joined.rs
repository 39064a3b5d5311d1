//! Shapes of values that are joined or cut.

use super::{Shape, shape_of};
use crate::model::graph::{Node, Slice};
use crate::model::shape_text;

/// NumPy's rule: axes are matched from the last, and 1 takes any length.
pub fn broadcast(a: &[Option<usize>], b: &[Option<usize>]) -> Result<Shape, String> {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let skipped = long.len() - short.len();
    // Keras aligns the batch axes of its tensors, so ranks may differ only for numbers.
    if skipped > 0 && !short.is_empty() {
        return Err(format!(
            "its inputs have the shapes {a:?} and {b:?}, which do not fit together"
        ));
    }
    let mut shape = long.to_vec();
    for (axis, &other) in shape[skipped..].iter_mut().zip(short) {
        #[allow(
            clippy::match_same_arms,
            reason = "a known 1 comes before an unknown length"
        )]
        let joined = match (*axis, other) {
            (Some(1), n) | (n, Some(1)) => n,
            (None, n) | (n, None) => n,
            (Some(n), Some(m)) if n == m => Some(n),
            _ => {
                return Err(format!(
                    "its inputs have the shapes {a:?} and {b:?}, which do not fit together"
                ));
            }
        };
        *axis = joined;
    }
    Ok(shape)
}

pub fn concatenated(axis: i64, node: &Node, shapes: &[Shape]) -> Result<Shape, String> {
    let mut inputs = node.inputs.iter().map(|&input| shape_of(input, shapes));
    let mut shape = inputs.next().unwrap_or_default().to_vec();
    let rank = shape.len() as i64;
    // Without the batch axis; joining along that one would change the number of images.
    let at = if axis < 0 {
        axis.checked_add(rank)
    } else {
        axis.checked_sub(1)
    };
    let at = at
        .and_then(|at| usize::try_from(at).ok())
        .filter(|&at| at < shape.len());
    let at = at.ok_or_else(|| format!("it joins along axis {axis} of {}", shape_text(&shape)))?;
    for other in inputs {
        let fits = |(i, (a, b)): (usize, (&Option<usize>, &Option<usize>))| {
            i == at || a.is_none() || b.is_none() || a == b
        };
        if other.len() != shape.len() || !shape.iter().zip(other).enumerate().all(fits) {
            return Err(format!(
                "its inputs have the shapes {} and {}, which do not fit together",
                shape_text(&shape),
                shape_text(other)
            ));
        }
        shape[at] = match (shape[at], other[at]) {
            (Some(a), Some(b)) => Some(
                a.checked_add(b)
                    .ok_or("it joins more values than can be counted")?,
            ),
            _ => None,
        };
    }
    Ok(shape)
}

pub fn sliced(slices: &[Slice], x: &[Option<usize>]) -> Result<Shape, String> {
    let whole = Slice::Range {
        start: None,
        stop: None,
        step: 1,
    };
    let given = slices.iter().filter(|&&s| s != Slice::Ellipsis).count();
    // The batch axis is the first.
    let hidden = (x.len() + 1)
        .checked_sub(given)
        .ok_or("it indexes more axes than its input has")?;
    let mut full = Vec::with_capacity(x.len() + 1);
    for &slice in slices {
        match slice {
            Slice::Ellipsis => full.extend(std::iter::repeat_n(whole, hidden)),
            other => full.push(other),
        }
    }
    full.resize(x.len() + 1, whole);
    if full[0] != whole {
        return Err("it picks images out of the batch, which is not supported".to_owned());
    }
    let mut shape = Shape::new();
    for (&slice, &axis) in full[1..].iter().zip(x) {
        match slice {
            Slice::Index(index) => {
                if axis.is_some_and(|n| index >= n as i64 || index < -(n as i64)) {
                    return Err(format!("its index {index} is out of range"));
                }
            }
            Slice::Range { start, stop, step } => shape.push(axis.map(|n| {
                let n = n as i64;
                let place = |at: i64| (if at < 0 { at + n } else { at }).clamp(0, n);
                let (from, to) = (place(start.unwrap_or(0)), place(stop.unwrap_or(n)));
                // Not negative and at most n, so the cast keeps the value.
                ((to - from).max(0) as usize).div_ceil(step)
            })),
            Slice::Ellipsis => {}
        }
    }
    Ok(shape)
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
    fn broadcasting() {
        let x = [None, Some(4), Some(3)];
        assert_eq!(broadcast(&x, &[]), Ok(x.to_vec()));
        assert_eq!(
            broadcast(&x, &[Some(7), Some(1), Some(3)]),
            Ok(vec![Some(7), Some(4), Some(3)])
        );
        assert!(broadcast(&x, &[Some(7), Some(5), Some(3)]).is_err());
    }
}
