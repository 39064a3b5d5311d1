//! How windows and borders change one side of an image.

use crate::model::graph::Padding;
use crate::model::shape_text;

type Side = Option<usize>;

/// `[height, width, channels]`, where a layer needs an image.
pub(super) fn image(x: &[Side]) -> Result<[Side; 3], String> {
    <[Side; 3]>::try_from(x).map_err(|_| {
        format!(
            "it needs images, but its input has the shape {}",
            shape_text(x)
        )
    })
}

/// What a window of `size` moved by `stride` makes of a side of length `n`.
pub(super) fn window(
    n: Side,
    size: usize,
    stride: usize,
    padding: Padding,
) -> Result<Side, String> {
    let Some(n) = n else { return Ok(None) };
    match padding {
        Padding::Same => Ok(Some(n.div_ceil(stride))),
        Padding::Valid | Padding::Around(_) | Padding::Sides { .. } => match n.checked_sub(size) {
            Some(rest) => Ok(Some(rest / stride + 1)),
            None => Err(format!(
                "its window of {size} pixels is larger than the image of {n}"
            )),
        },
    }
}

/// The reach of a kernel with gaps.
pub(super) fn dilated(kernel: usize, dilation: usize) -> Result<usize, String> {
    let reach = (kernel - 1)
        .checked_mul(dilation)
        .and_then(|n| n.checked_add(1));
    reach.ok_or_else(|| "its kernel is larger than can be counted".to_owned())
}

/// A side with a border on both ends.
pub(super) fn padded(n: Side, before: usize, after: usize) -> Result<Side, String> {
    let Some(n) = n else { return Ok(None) };
    let sum = n.checked_add(before).and_then(|n| n.checked_add(after));
    sum.map(Some)
        .ok_or_else(|| "its border is larger than can be counted".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows() {
        assert_eq!(window(Some(160), 3, 2, Padding::Same), Ok(Some(80)));
        assert_eq!(window(Some(161), 3, 2, Padding::Valid), Ok(Some(80)));
        assert_eq!(window(None, 3, 2, Padding::Valid), Ok(None));
        assert!(window(Some(2), 3, 1, Padding::Valid).is_err());
        assert_eq!(dilated(3, 2), Ok(5));
        assert!(padded(Some(1), usize::MAX, 0).is_err());
    }
}
