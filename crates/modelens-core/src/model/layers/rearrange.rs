//! Layers that give values another place: reshaping, cropping, enlarging.

use candle_core::{Error, Result, Tensor};

use super::function::inner_axis;
use crate::model::shape_text;

/// The axes of a value without the batch axis; `None` where only a photo will tell.
type Axes = Vec<Option<usize>>;

/// A layer that moves or repeats values. Axes are counted without the batch axis.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrange {
    /// To this shape; at most one `None`, which takes what is left.
    Reshape(Vec<Option<usize>>),
    /// Axis `i` of the result is axis `order[i]` of the input.
    Permute(Vec<usize>),
    /// `[top, bottom, left, right]`.
    Cropping2d([usize; 4]),
    /// The middle of so many rows and columns; what is left over on one side more is cut off at the
    /// bottom and at the right.
    CenterCrop([usize; 2]),
    /// Every pixel this often along height and width, or interpolated between pixel centres.
    UpSampling2d { size: [usize; 2], bilinear: bool },
    /// A new axis of length 1 at this place, as written: the batch axis is 0, negative ones count from
    /// the end.
    ExpandDims(i64),
    /// Without the axis at this place, which has length 1.
    Squeeze(i64),
    /// `[N, C]` to `[N, count, C]`.
    Repeat(usize),
}

impl Arrange {
    /// The shape that comes out; the error is a reason in words.
    pub fn shape(&self, x: &[Option<usize>]) -> std::result::Result<Axes, String> {
        let misfit = || {
            format!(
                "its input has the shape {}, which does not fit",
                shape_text(x)
            )
        };
        let image = || <[Option<usize>; 3]>::try_from(x).map_err(|_| misfit());
        Ok(match self {
            Self::Reshape(target) => return reshaped(target, x),
            Self::Permute(order) => {
                let axes = order.iter().map(|&axis| x.get(axis).copied());
                let axes: Axes = axes.collect::<Option<_>>().ok_or_else(misfit)?;
                let mut seen = order.clone();
                seen.sort_unstable();
                if seen != (0..x.len()).collect::<Vec<_>>() {
                    return Err(misfit());
                }
                axes
            }
            Self::Cropping2d([top, bottom, left, right]) => {
                let [h, w, c] = image()?;
                let side = |n: Option<usize>, before: usize, after: usize| match n {
                    None => Ok(None),
                    Some(n) => before
                        .checked_add(after)
                        .and_then(|cut| n.checked_sub(cut))
                        .filter(|&left| left > 0)
                        .map(Some)
                        .ok_or_else(|| format!("it cuts off more than the {n} pixels there are")),
                };
                vec![side(h, *top, *bottom)?, side(w, *left, *right)?, c]
            }
            Self::CenterCrop([rows, columns]) => {
                let [h, w, c] = image()?;
                let fits = |n: Option<usize>, kept: usize| n.is_none_or(|n| kept > 0 && kept <= n);
                if !fits(h, *rows) || !fits(w, *columns) {
                    let shape = shape_text(x);
                    return Err(format!(
                        "it takes the middle {rows} by {columns} pixels of {shape}; enlarging first is not \
                         supported"
                    ));
                }
                vec![Some(*rows), Some(*columns), c]
            }
            Self::UpSampling2d { size, .. } => {
                let [h, w, c] = image()?;
                let side = |n: Option<usize>, times: usize| match n {
                    None => Ok(None),
                    Some(n) => n.checked_mul(times).map(Some).ok_or_else(misfit),
                };
                vec![side(h, size[0])?, side(w, size[1])?, c]
            }
            Self::ExpandDims(at) => {
                let mut axes = x.to_vec();
                let at = inner_axis(*at, axes.len() + 1).ok_or_else(misfit)?;
                axes.insert(at, Some(1));
                axes
            }
            Self::Squeeze(at) => {
                let mut axes = x.to_vec();
                let at = inner_axis(*at, axes.len()).filter(|&at| axes[at] == Some(1));
                axes.remove(at.ok_or_else(misfit)?);
                axes
            }
            Self::Repeat(count) => match x {
                [channels] => vec![Some(*count), *channels],
                _ => return Err(misfit()),
            },
        })
    }

    /// The rearranged values of `[N, ...]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let known: Axes = x.dims().iter().skip(1).copied().map(Some).collect();
        let n = x.dim(0)?;
        let shape = self.shape(&known).map_err(Error::Msg)?;
        let mut dims = vec![n];
        dims.extend(shape.iter().map(|axis| axis.unwrap_or(1)));
        match self {
            Self::Reshape(_) | Self::ExpandDims(_) | Self::Squeeze(_) => x.reshape(dims),
            Self::Permute(order) => {
                let order = std::iter::once(0).chain(order.iter().map(|axis| axis + 1));
                x.permute(order.collect::<Vec<_>>())?.contiguous()
            }
            Self::Cropping2d([top, _, left, _]) => x
                .narrow(1, *top, dims[1])?
                .narrow(2, *left, dims[2])?
                .contiguous(),
            Self::CenterCrop([rows, columns]) => x
                .narrow(1, (x.dim(1)? - rows) / 2, *rows)?
                .narrow(2, (x.dim(2)? - columns) / 2, *columns)?
                .contiguous(),
            Self::UpSampling2d { bilinear, .. } => {
                let rows = enlarged(x, 1, dims[1], *bilinear)?;
                enlarged(&rows, 2, dims[2], *bilinear)
            }
            Self::Repeat(_) => x.unsqueeze(1)?.broadcast_as(dims)?.contiguous(),
        }
    }
}

fn reshaped(target: &[Option<usize>], x: &[Option<usize>]) -> std::result::Result<Axes, String> {
    let mut axes = target.iter().flatten();
    let given = axes.try_fold(1_usize, |product, &n| product.checked_mul(n));
    let given = given.ok_or("its shape is larger than can be counted")?;
    let Some(whole) = x.iter().copied().collect::<Option<Vec<usize>>>() else {
        return Ok(target.to_vec());
    };
    let whole: usize = whole.into_iter().fold(1, usize::saturating_mul);
    let open = target.iter().filter(|axis| axis.is_none()).count();
    let fits = match open {
        0 => given == whole,
        1 => given > 0 && whole.is_multiple_of(given),
        _ => false,
    };
    if !fits {
        return Err(format!(
            "it cannot reshape {} to {}",
            shape_text(x),
            shape_text(target)
        ));
    }
    let left = whole / given.max(1);
    Ok(target
        .iter()
        .map(|axis| Some(axis.unwrap_or(left)))
        .collect())
}

/// One axis enlarged to `length`: output `i` stands at `(i + 0.5) * n / length - 0.5`, rounded to a
/// pixel, or between the two around it.
fn enlarged(x: &Tensor, axis: usize, length: usize, bilinear: bool) -> Result<Tensor> {
    let n = x.dim(axis)?;
    let place = |i: usize| (i as f64 + 0.5) * n as f64 / length as f64 - 0.5;
    let pick = |picks: Vec<u32>| {
        let picks = Tensor::new(picks, x.device())?;
        x.contiguous()?.index_select(&picks, axis)
    };
    let last = (n - 1) as f64;
    if !bilinear {
        return pick((0..length).map(|i| (i * n / length) as u32).collect());
    }
    let below = (0..length).map(|i| place(i).floor().clamp(0.0, last) as u32);
    let above = (0..length).map(|i| (place(i).floor() + 1.0).clamp(0.0, last) as u32);
    let weights: Vec<f32> = (0..length)
        .map(|i| (place(i) - place(i).floor()) as f32)
        .collect();
    let mut shape = vec![1; x.rank()];
    shape[axis] = length;
    let weights = Tensor::new(weights, x.device())?.reshape(shape)?;
    let (below, above) = (pick(below.collect())?, pick(above.collect())?);
    let step = (above - &below)?.broadcast_mul(&weights)?;
    below + step
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn reshape_takes_what_is_left_and_refuses_what_does_not_fit() {
        let to =
            |target: &[Option<usize>]| Arrange::Reshape(target.to_vec()).shape(&[Some(4), Some(6)]);
        assert_eq!(to(&[None, Some(3)]), Ok(vec![Some(8), Some(3)]));
        assert_eq!(to(&[Some(24)]), Ok(vec![Some(24)]));
        for wrong in [
            &[Some(5)][..],
            &[None, None],
            &[None, Some(5)],
            &[None, Some(0)],
        ] {
            assert!(to(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn crops_and_permutations_that_do_not_fit_are_refused() {
        let x = [Some(4), Some(4), Some(2)];
        assert!(Arrange::Cropping2d([2, 2, 0, 0]).shape(&x).is_err());
        assert!(
            Arrange::Cropping2d([usize::MAX, 2, 0, 0])
                .shape(&x)
                .is_err()
        );
        assert!(Arrange::Permute(vec![0, 0, 1]).shape(&x).is_err());
        assert!(Arrange::Permute(vec![1]).shape(&x).is_err());
        assert!(Arrange::Squeeze(1).shape(&x).is_err());
        assert!(Arrange::ExpandDims(9).shape(&x).is_err());
    }

    #[test]
    fn bilinear_enlarging_stands_between_pixel_centres() {
        let x = Tensor::new(&[[[[0.0_f32], [4.0]]]], &Device::Cpu).unwrap();
        let y = Arrange::UpSampling2d {
            size: [1, 2],
            bilinear: true,
        };
        let y = y.forward(&x).unwrap().flatten_all().unwrap();
        assert_eq!(y.to_vec1::<f32>().unwrap(), [0.0, 1.0, 3.0, 4.0]);
    }
}
