//! How large a layer's values will be, asked before they are allocated: memory that is not there
//! ends the program, and no caller can catch that.

use candle_core::{Error, Result, Tensor};

use super::Weights;
use super::window::Window;
use crate::model::graph::{Conv2d, Layer, LayerKind, Merge};
use crate::model::{Mode, Semantics};

/// Numbers of 32 bits that one value may hold: 2 GiB. Far above what photos need, and little enough
/// that a few of them fit into the memory of a laptop.
pub const MAX_VALUES: usize = 1 << 29;

/// Refuses a call whose result, or whose largest value on the way there, goes beyond
/// [`MAX_VALUES`], and one of which nothing would be left.
///
/// # Errors
/// Those, and settings that do not fit the input.
pub fn check(
    layer: &Layer,
    weights: Weights<'_>,
    inputs: &[&[usize]],
    semantics: Semantics,
) -> Result<()> {
    let values = largest(layer, weights, inputs, semantics)?;
    if values > MAX_VALUES {
        let gigabytes = values as f64 * 4.0 / 1e9;
        return Err(Error::Msg(format!(
            "it would need {gigabytes:.1} GB for this batch; take a smaller batch or smaller photos"
        )));
    }
    Ok(())
}

/// Number of values, or the largest number there is where that cannot be counted.
fn product(sides: &[usize]) -> usize {
    sides.iter().fold(1, |n, &side| n.saturating_mul(side))
}

/// Images, height, width and channels.
fn sides(x: &[usize]) -> Result<[usize; 4]> {
    <[usize; 4]>::try_from(x).map_err(|_| Error::Msg(format!("it cannot take {x:?}")))
}

fn largest(
    layer: &Layer,
    weights: Weights<'_>,
    inputs: &[&[usize]],
    semantics: Semantics,
) -> Result<usize> {
    let Some(x) = inputs.first() else {
        return Ok(0);
    };
    if let Some(empty) = inputs.iter().find(|x| product(x) == 0) {
        return Err(Error::Msg(format!(
            "nothing is left of the image ({empty:?})"
        )));
    }
    let count = product(x);
    match &layer.kind {
        LayerKind::ZeroPadding2d([top, bottom, left, right]) => {
            let [n, h, w, c] = sides(x)?;
            let height = h.saturating_add(*top).saturating_add(*bottom);
            let width = w.saturating_add(*left).saturating_add(*right);
            Ok(product(&[n, height, width, c]))
        }
        LayerKind::Conv2d(settings) => {
            let kernel = weights.need("kernel")?;
            let (.., out) = kernel.dims4()?;
            convolved(x, kernel, settings, out)
        }
        LayerKind::DepthwiseConv2d(settings) | LayerKind::SeparableConv2d(settings) => {
            let kernel = weights.need("depthwise_kernel")?;
            let (_, _, channels, multiplier) = kernel.dims4()?;
            let inner = convolved(x, kernel, settings, channels.saturating_mul(multiplier))?;
            let Some(pointwise) = weights.get("pointwise_kernel") else {
                return Ok(inner);
            };
            let (.., out) = pointwise.dims4()?;
            Ok(inner.max(convolved(x, kernel, settings, out)?))
        }
        LayerKind::TransposedConv2d(settings) => {
            let [n, h, w, c] = sides(x)?;
            let (kh, kw, out, _) = weights.need("kernel")?.dims4()?;
            let sides = [settings.side(0, h, kh), settings.side(1, w, kw)];
            let [height, width] = sides.map(|side| side.unwrap_or(usize::MAX));
            let inner = settings.inner([n, h, w, c], [kh, kw]);
            // The result before it is cut is as large as the input with its zeros.
            let whole = (inner / c.max(1)).saturating_mul(out);
            Ok(product(&[n, height, width, out]).max(inner).max(whole))
        }
        LayerKind::Arrange(arrange) => {
            let known: Vec<_> = x.iter().skip(1).copied().map(Some).collect();
            let shape = arrange.shape(&known).map_err(Error::Msg)?;
            let sides: Vec<usize> = shape.into_iter().flatten().collect();
            Ok(product(&sides).saturating_mul(x.first().copied().unwrap_or(0)))
        }
        LayerKind::Dense(_) => {
            let (k, units) = weights.need("kernel")?.dims2()?;
            Ok((count / k.max(1)).saturating_mul(units))
        }
        LayerKind::Merge(Merge::Concatenate(_)) => {
            Ok(inputs.iter().fold(0, |n, x| n.saturating_add(product(x))))
        }
        LayerKind::Merge(_) | LayerKind::Operator(_) | LayerKind::ScaledSum(_) => {
            Ok(joined(inputs))
        }
        LayerKind::Augment(augment) => {
            let [n, h, w, c] = sides(x)?;
            let in_mode = |mode| {
                let [height, width] = augment.output_size(semantics, mode, h, w);
                product(&[n, height, width, c])
            };
            Ok(in_mode(Mode::Training).max(in_mode(Mode::Inference)))
        }
        // The others give as many values as they take, or fewer.
        _ => Ok(count),
    }
}

/// What a kernel makes of `[N, H, W, C]` with this many channels behind it.
fn convolved(x: &[usize], kernel: &Tensor, settings: &Conv2d, out: usize) -> Result<usize> {
    let [n, h, w, _] = sides(x)?;
    let (kh, kw, ..) = kernel.dims4()?;
    let Conv2d {
        strides,
        dilation,
        padding,
        ..
    } = settings;
    let rows = Window::new(h, kh, strides[0], dilation[0], *padding)?;
    let cols = Window::new(w, kw, strides[1], dilation[1], padding.across())?;
    Ok(product(&[n, rows.output, cols.output, out]))
}

/// Along each axis, counted from the last, the longest input decides.
fn joined(inputs: &[&[usize]]) -> usize {
    let rank = inputs.iter().map(|x| x.len()).max().unwrap_or(0);
    let axes = (1..=rank).map(|back| {
        let lengths = inputs.iter().filter_map(|x| {
            let axis = x.len().checked_sub(back)?;
            x.get(axis).copied()
        });
        lengths.max().unwrap_or(1)
    });
    product(&axes.collect::<Vec<_>>())
}
