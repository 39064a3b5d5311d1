//! Shapes through a layer, known before anything is computed, and the limit on their size.

use candle_core::{Error, Result};

use modelens_kernels::window::{Padding, Window};

use super::{LayerKind, Weights};
use crate::model::error::reason;
use crate::model::shape_text;

/// One axis of a value; `None` where only a photo will tell.
pub type Side = Option<usize>;

/// The axes of a value without the batch axis.
pub type ImageShape = Vec<Side>;

/// f32 values that one tensor may hold: 2 GiB. Far more than photos need, and a few such tensors fit
/// into the memory of a laptop.
pub const MAX_VALUES: usize = 1 << 29;

/// The length of the output along an axis of length `n`; `None` where only a photo will tell.
///
/// # Errors
/// Those of [`Window::new`], and a window that is too large to count, in words.
pub(super) fn window_side(
    n: Side,
    size: usize,
    stride: usize,
    dilation: usize,
    padding: Padding,
) -> std::result::Result<Side, String> {
    let reach = size
        .checked_sub(1)
        .and_then(|gaps| gaps.checked_mul(dilation));
    if reach.and_then(|reach| reach.checked_add(1)).is_none() {
        return Err("its kernel is larger than can be counted".to_owned());
    }
    let Some(n) = n else { return Ok(None) };
    let window = Window::new(n, size, stride, dilation, padding);
    window
        .map(|window| Some(window.output))
        .map_err(|error| reason(&error))
}

/// The shapes of the inputs and weights of one call.
#[derive(Clone, Copy)]
pub struct Shapes<'a> {
    /// Without the batch axis; a number has no axes.
    pub inputs: &'a [&'a [Side]],
    /// By short name of the weight.
    pub weights: &'a dyn Fn(&str) -> Option<Vec<usize>>,
}

impl<'a> Shapes<'a> {
    /// The first input.
    pub fn x(&self) -> &'a [Side] {
        self.inputs.first().copied().unwrap_or_default()
    }

    /// The first input as `[height, width, channels]`.
    ///
    /// # Errors
    /// Another number of axes, in words.
    pub fn image(&self) -> std::result::Result<[Side; 3], String> {
        image(self.x())
    }

    /// The shape of a weight with `N` axes.
    ///
    /// # Errors
    /// A missing weight, or another number of axes, in words.
    pub fn weight<const N: usize>(&self, name: &str) -> std::result::Result<[usize; N], String> {
        let shape = (self.weights)(name).ok_or_else(|| format!("weight `{name}` is missing"))?;
        let axes = shape.len();
        shape
            .try_into()
            .map_err(|_| format!("weight `{name}` has {axes} axes instead of {N}"))
    }
}

/// `[height, width, channels]`, for a layer that takes images.
///
/// # Errors
/// Another number of axes, in words.
pub fn image(x: &[Side]) -> std::result::Result<[Side; 3], String> {
    <[Side; 3]>::try_from(x).map_err(|_| {
        format!(
            "it needs images, but its input has the shape {}",
            shape_text(x)
        )
    })
}

/// An input whose shape a layer can't take.
pub(super) fn misfit(x: &[Side]) -> String {
    format!(
        "its input has the shape {}, which does not fit",
        shape_text(x)
    )
}

/// The number of values in one image; an open axis counts as 1, an open number of channels as 3.
pub fn value_count(shape: &[Side]) -> usize {
    let length = |(axis, n): (usize, &Side)| n.unwrap_or(if axis == 2 { 3 } else { 1 });
    shape
        .iter()
        .enumerate()
        .map(length)
        .fold(1, usize::saturating_mul)
}

/// The shape of two values combined by NumPy's broadcasting: axes are aligned from the last, and a
/// length of 1 fits any other.
///
/// # Errors
/// Lengths that differ, in words, and ranks that differ: the batch axes would no longer be aligned.
/// Only a number fits every rank.
pub fn broadcast(a: &[Side], b: &[Side]) -> std::result::Result<ImageShape, String> {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let misfit =
        || format!("its inputs have the shapes {a:?} and {b:?}, which do not fit together");
    let skipped = long.len() - short.len();
    if skipped > 0 && !short.is_empty() {
        return Err(misfit());
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
            (Some(_), Some(_)) => return Err(misfit()),
        };
        *axis = joined;
    }
    Ok(shape)
}

/// An axis as the file writes it (0 is the batch axis, negative axes count from the end), as one of
/// the `rank` axes of an image. `None` for the batch axis and outside the range.
pub(super) fn inner_axis(axis: i64, rank: usize) -> Option<usize> {
    let length = i64::try_from(rank).ok()? + 1;
    let axis = if axis < 0 {
        axis.checked_add(length)?
    } else {
        axis
    };
    usize::try_from(axis - 1).ok().filter(|&axis| axis < rank)
}

/// Refuses a call whose output, or whose largest intermediate value, holds more than [`MAX_VALUES`]
/// values, before memory is allocated: running out of memory ends the program. Also refuses an empty
/// input. `inputs` are full shapes, with the batch axis.
///
/// # Errors
/// Those, and inputs that do not fit the layer.
pub fn check_size(kind: &LayerKind, weights: Weights<'_>, inputs: &[&[usize]]) -> Result<()> {
    if let Some(empty) = inputs.iter().find(|x| x.contains(&0)) {
        return Err(Error::Msg(format!(
            "nothing is left of the image ({empty:?})"
        )));
    }
    let images: Vec<ImageShape> = inputs
        .iter()
        .map(|x| x.iter().skip(1).copied().map(Some).collect())
        .collect();
    let batch = inputs.iter().filter_map(|x| x.first()).max().copied();
    let images: Vec<&[Side]> = images.iter().map(Vec::as_slice).collect();
    let shapes = Shapes {
        inputs: &images,
        weights: &|name| weights.get(name).map(|weight| weight.dims().to_vec()),
    };
    let op = kind.op();
    let output = op.output_shape(&shapes).map_err(Error::Msg)?;
    let image = value_count(&output).max(op.scratch_values(&shapes));
    let values = image.saturating_mul(batch.unwrap_or(0));
    if values > MAX_VALUES {
        let gigabytes = values as f64 * 4.0 / 1e9;
        return Err(Error::Msg(format!(
            "it would need {gigabytes:.1} GB for this batch; take a smaller batch or smaller photos"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasting() {
        let x = [None, Some(4), Some(3)];
        assert_eq!(broadcast(&x, &[]), Ok(x.to_vec()));
        assert_eq!(
            broadcast(&x, &[Some(7), Some(1), Some(3)]),
            Ok(vec![Some(7), Some(4), Some(3)])
        );
        assert!(broadcast(&x, &[Some(7), Some(5), Some(3)]).is_err());
        assert!(broadcast(&x, &[Some(3)]).is_err());
    }
}
