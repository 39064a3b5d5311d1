//! Operators with weights: convolutions, normalisations, linear layers. Also dropout, the other kind of
//! layer with two modes.

use candle_core::Tensor;

use super::build::{Build, Weight, new_weight};
use super::node::Op;
use super::stored::Stored;
use super::value::{Constant, Known, Value};
use super::{memory, windows};
use crate::formats::OpenError;
use crate::model::layers::{
    Activation, BatchNorm, Conv2d, Dense, DepthwiseConv2d, GroupNorm, LayerKind, LayerNorm, Noise,
    Padding, TransposedConv2d,
};

/// The value of such an operator; `None` for other operators.
pub fn result<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Option<Value>, OpenError> {
    let value = match op.op {
        "conv2d" | "convolution" => convolution(build, op),
        "conv_transpose2d" => transposed(build, op),
        "linear" | "addmm" | "mm" => linear(build, op)?.map_or_else(|| Err(op.unknown()), Ok),
        "batch_norm"
        | "_native_batch_norm_legit_no_training"
        | "_native_batch_norm_legit_functional"
        | "_native_batch_norm_legit"
        | "native_batch_norm" => batch_norm(build, op),
        "layer_norm" | "native_layer_norm" => layer_norm(build, op),
        "group_norm" => group_norm(build, op),
        "instance_norm" => instance_norm(build, op),
        "prelu" => prelu(build, op),
        "dropout" | "feature_dropout" | "alpha_dropout" | "native_dropout" => dropout(build, op),
        _ => return Ok(None),
    };
    value.map(Some)
}

fn misfit(op: &Op<'_>, name: &str, found: &[usize], expected: &[usize]) -> OpenError {
    OpenError::WeightShape {
        layer: op.name.clone(),
        weight: name.to_owned(),
        found: found.to_vec(),
        expected: expected.to_vec(),
    }
}

fn made(op: &Op<'_>, tensor: candle_core::Result<Tensor>) -> Result<Tensor, OpenError> {
    tensor
        .and_then(|t| t.contiguous())
        .map_err(|e| op.refuse(e.to_string()))
}

/// A weight that the node cannot do without. One whose values are not in the file's order is no weight of
/// the file any more.
fn needed<'a>(build: &mut Build<'a>, op: &Op<'a>, name: &str) -> Result<Constant, OpenError> {
    let weight = build.weight(op, name)?;
    let mut weight =
        weight.ok_or_else(|| op.refuse(format!("its argument `{name}` is missing")))?;
    if !memory::is_as_stored(build, &weight) {
        weight.from = None;
    }
    Ok(weight)
}

/// A weight of this shape, if the node has it.
fn optional<'a>(
    build: &mut Build<'a>,
    op: &Op<'a>,
    name: &str,
    here: &'static str,
    shape: &[usize],
    learnable: bool,
) -> Result<Option<Weight>, OpenError> {
    if build.weight(op, name)?.is_none() {
        return Ok(None);
    }
    let Constant { tensor, from, .. } = needed(build, op, name)?;
    if tensor.dims() != shape {
        return Err(misfit(op, name, tensor.dims(), shape));
    }
    let tensor = made(op, tensor.to_dtype(candle_core::DType::F32))?;
    Ok(Some(new_weight(here, tensor, from, learnable)))
}

fn convolution<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Value, OpenError> {
    if op.bool("transposed", false)? {
        return transposed(build, op);
    }
    let x = build.value(op, 0)?;
    let x = build.image(op, &x)?;
    let Constant {
        tensor: kernel,
        from,
        ..
    } = needed(build, op, "weight")?;
    let &[out, depth, kh, kw] = kernel.dims() else {
        return Err(op.refuse(format!(
            "its kernel has {} axes; only convolutions of images are supported",
            kernel.rank()
        )));
    };
    let groups = usize::try_from(op.int("groups", 1)?).unwrap_or(0);
    let channels = depth.checked_mul(groups);
    let fits = out > 0 && kh > 0 && kw > 0 && channels.is_some_and(|c| c > 0);
    if !fits || !out.is_multiple_of(groups) || x.dims[3].is_some_and(|c| Some(c) != channels) {
        return Err(misfit(
            op,
            "weight",
            kernel.dims(),
            &[out, x.dims[3].unwrap_or(0), kh, kw],
        ));
    }
    let strides = op.pair("stride", 1, 1)?;
    let padding = match op.text("padding") {
        Some("valid") => Padding::Valid,
        // PyTorch takes `same` with a stride of 1 only, and puts an odd pixel at the end as well.
        Some("same") if strides == [1, 1] => Padding::Same,
        Some(_) => return Err(op.refuse("its argument `padding` is not understood")),
        None => windows::around(op.pair("padding", 0, 0)?, false),
    };
    let mut settings = Conv2d {
        strides,
        dilation: op.pair("dilation", 1, 1)?,
        padding,
        groups,
        activation: Activation::Linear,
    };
    let (kernel, short, kind) = if groups > 1 && depth == 1 {
        // Output channel `c * multiplier + m`, here and there.
        let kernel = kernel.reshape((groups, out / groups, kh, kw));
        let kernel = kernel.and_then(|k| k.permute((2, 3, 0, 1)));
        settings.groups = 1;
        let kind = LayerKind::DepthwiseConv2d(DepthwiseConv2d(settings));
        (kernel, "depthwise_kernel", kind)
    } else {
        (
            kernel.permute((2, 3, 1, 0)),
            "kernel",
            LayerKind::Conv2d(settings),
        )
    };
    let mut weights = vec![new_weight(short, made(op, kernel)?, from, true)];
    weights.extend(optional(build, op, "bias", "bias", &[out], true)?);
    build.on(op, kind, weights, &x)
}

fn transposed<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let x = build.image(op, &x)?;
    let Constant {
        tensor: kernel,
        from,
        ..
    } = needed(build, op, "weight")?;
    let &[channels, out, kh, kw] = kernel.dims() else {
        return Err(op.refuse("its kernel is not that of an image"));
    };
    if op.int("groups", 1)? != 1 {
        return Err(op.refuse("transposed convolutions with groups are not supported"));
    }
    if [channels, out, kh, kw].contains(&0) || x.dims[3].is_some_and(|c| c != channels) {
        return Err(misfit(
            op,
            "weight",
            kernel.dims(),
            &[x.dims[3].unwrap_or(0), out, kh, kw],
        ));
    }
    let kind = LayerKind::TransposedConv2d(TransposedConv2d {
        strides: op.pair("stride", 1, 1)?,
        dilation: op.pair("dilation", 1, 1)?,
        padding: Padding::Valid,
        output_padding: Some(op.pair("output_padding", 0, 0)?),
        activation: Activation::Linear,
    });
    let kernel = made(op, kernel.permute((2, 3, 1, 0)))?;
    let mut weights = vec![new_weight("kernel", kernel, from, true)];
    weights.extend(optional(build, op, "bias", "bias", &[out], true)?);
    let [rows, cols] = op.pair("padding", 0, 0)?;
    let y = build.on(op, kind, weights, &x)?;
    windows::cropped(build, op, y, [rows, rows, cols, cols])
}

/// `x weight^T + bias` over the last axis. `addmm` and `mm` take the weight transposed. `None` if both
/// factors depend on the photo.
fn linear<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Option<Value>, OpenError> {
    let (at, weight, bias) = match op.op {
        "linear" => (0, "weight", "bias"),
        "addmm" => (1, "mat2", "self"),
        _ => (0, "mat2", "none"),
    };
    if op.float("alpha", 1.0)? != 1.0 || op.float("beta", 1.0)? != 1.0 {
        return Err(op.refuse("its factors `alpha` and `beta` are not supported"));
    }
    if matches!(build.known(op, op.arg(weight), weight)?, Known::Value(_)) {
        return Ok(None);
    }
    let x = build.value(op, at)?;
    let mut given = build
        .weight(op, weight)?
        .ok_or_else(|| op.refuse(format!("its argument `{weight}` is missing")))?;
    // `x weight^T`, whose weight is the file's: then `addmm` takes a transposed view of it.
    if op.op != "linear" {
        given = memory::viewed(build, op, &given, false, Tensor::t)?;
    }
    let is_as_stored = memory::is_as_stored(build, &given);
    let Constant { tensor, from, .. } = given;
    let from = from.filter(|_| is_as_stored);
    let kernel = made(op, tensor.t())?;
    let &[inputs, units] = kernel.dims() else {
        return Err(op.refuse("its weight does not have two axes"));
    };
    let axis = x
        .rank()
        .checked_sub(1)
        .ok_or_else(|| op.refuse("its input is a single number"))?;
    let x = build.last(op, &x, &[axis])?;
    let last = x.dims.last().copied().flatten();
    if inputs == 0 || units == 0 || last.is_some_and(|n| n != inputs) {
        return Err(misfit(
            op,
            weight,
            &[units, inputs],
            &[units, last.unwrap_or(0)],
        ));
    }
    let kind = LayerKind::Dense(Dense {
        activation: Activation::Linear,
    });
    let mut weights = vec![new_weight("kernel", kernel, from, true)];
    weights.extend(optional(build, op, bias, "bias", &[units], true)?);
    build.on(op, kind, weights, &x).map(Some)
}

fn batch_norm<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let x = build.channels_last(op, &x)?;
    let last = x.dims.last().copied().flatten();
    let mean = build.weight(op, "running_mean")?;
    let gamma = build.weight(op, "weight")?;
    let channels = mean
        .as_ref()
        .or(gamma.as_ref())
        .map(|c| c.tensor.elem_count())
        .or(last);
    let channels = channels.ok_or_else(|| op.refuse("its number of channels is unknown"))?;
    if channels == 0 || last.is_some_and(|c| c != channels) {
        return Err(misfit(
            op,
            "running_mean",
            &[channels],
            &[last.unwrap_or(0)],
        ));
    }
    let epsilon = op.float("eps", 1e-5)?;
    let mut weights = Vec::new();
    for (name, here) in [("weight", "gamma"), ("bias", "beta")] {
        weights.extend(optional(build, op, name, here, &[channels], true)?);
    }
    let Some(Constant {
        from: statistics, ..
    }) = mean
    else {
        return Err(op.refuse(
            "it keeps no running statistics (track_running_stats=False), so it has one mode only, which is \
             not supported; keep them, or use GroupNorm",
        ));
    };
    for (name, here) in [
        ("running_mean", "moving_mean"),
        ("running_var", "moving_variance"),
    ] {
        let weight = optional(build, op, name, here, &[channels], false)?;
        weights.push(weight.ok_or_else(|| op.refuse(format!("its argument `{name}` is missing")))?);
    }
    let training = match op.op {
        "_native_batch_norm_legit_no_training" => false,
        "batch_norm" => op.bool("training", false)?,
        _ => op.bool("training", true)?,
    };
    let momentum = momentum(build, op, statistics.as_ref())?;
    let kind = LayerKind::BatchNorm(BatchNorm {
        momentum: 1.0 - momentum,
        epsilon,
    });
    build.seen(&op.name, training);
    build.on(op, kind, weights, &x)
}

/// The share of the batch in the new running statistics. `momentum=None` of a module is written as 0 in
/// `.eval()`: then it is `1 / (n + 1)` after `n` batches.
fn momentum<'a>(
    build: &mut Build<'a>,
    op: &Op<'a>,
    statistics: Option<&Stored>,
) -> Result<f64, OpenError> {
    let momentum = op.float("momentum", 0.1)?;
    if !(0.0..=1.0).contains(&momentum) {
        return Err(op.refuse(format!("its momentum is {momentum}")));
    }
    let counter = statistics.and_then(|s| s.name.strip_suffix("running_mean"));
    let Some(counter) = counter.filter(|_| momentum == 0.0) else {
        return Ok(momentum);
    };
    let batches = build
        .tensors
        .number(&format!("{counter}num_batches_tracked"));
    Ok(match batches {
        Some(n) if n >= 0 => {
            build.notes.push(format!(
                "`{}` has momentum=None: its running statistics are the mean over all batches, here after \
                 {n} of them",
                op.name
            ));
            1.0 / (n as f64 + 1.0)
        }
        _ => momentum,
    })
}

fn layer_norm<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let shape = op.ints("normalized_shape")?.unwrap_or_default();
    let shape = shape
        .into_iter()
        .map(usize::try_from)
        .collect::<Result<Vec<_>, _>>();
    let shape =
        shape.map_err(|_| op.refuse("its argument `normalized_shape` is not understood"))?;
    let first = x
        .rank()
        .checked_sub(shape.len())
        .filter(|_| !shape.is_empty());
    let first =
        first.ok_or_else(|| op.refuse("it normalises over more axes than its input has"))?;
    let last: Vec<usize> = (first..x.rank()).collect();
    let x = build.last(op, &x, &last)?;
    let own = &x.dims[x.dims.len() - shape.len()..];
    if own
        .iter()
        .zip(&shape)
        .any(|(own, n)| own.is_some_and(|own| own != *n))
    {
        return Err(op.refuse("its argument `normalized_shape` does not fit its input"));
    }
    let mut weights = Vec::new();
    for (name, here) in [("weight", "gamma"), ("bias", "beta")] {
        weights.extend(optional(build, op, name, here, &shape, true)?);
    }
    let kind = LayerKind::LayerNorm(LayerNorm {
        axes: shape.len(),
        epsilon: op.float("eps", 1e-5)?,
    });
    build.on(op, kind, weights, &x)
}

fn group_norm<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Value, OpenError> {
    let groups = usize::try_from(op.int("num_groups", 0)?)
        .ok()
        .filter(|&n| n > 0);
    let groups = groups.ok_or_else(|| op.refuse("its number of groups is not understood"))?;
    by_groups(build, op, Some(groups))
}

fn instance_norm<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Value, OpenError> {
    if op.arg("running_mean").is_some() || !op.bool("use_input_stats", true)? {
        return Err(op.refuse(
            "instance normalisation with running statistics is not supported; export it with \
             track_running_stats=False",
        ));
    }
    by_groups(build, op, None)
}

fn by_groups<'a>(
    build: &mut Build<'a>,
    op: &Op<'a>,
    groups: Option<usize>,
) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let x = build.channels_last(op, &x)?;
    let channels = x.dims.last().copied().flatten();
    let channels = channels.ok_or_else(|| op.refuse("its number of channels is unknown"))?;
    let mut weights = Vec::new();
    for (name, here) in [("weight", "gamma"), ("bias", "beta")] {
        weights.extend(optional(build, op, name, here, &[channels], true)?);
    }
    let kind = LayerKind::GroupNorm(GroupNorm {
        groups,
        epsilon: op.float("eps", 1e-5)?,
    });
    build.on(op, kind, weights, &x)
}

/// One slope, or one for each channel.
fn prelu<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let x = build.channels_last(op, &x)?;
    let Constant {
        tensor: slope,
        from,
        ..
    } = needed(build, op, "weight")?;
    let (count, last) = (slope.elem_count(), x.dims.last().copied().flatten());
    if count != 1 && last != Some(count) {
        return Err(misfit(op, "weight", slope.dims(), &[last.unwrap_or(1)]));
    }
    let mut shape = vec![1; x.dims.len() - 1];
    if let Some(last) = shape.last_mut() {
        *last = count;
    }
    let slope = made(op, slope.reshape(shape))?;
    build.on(
        op,
        LayerKind::PRelu,
        vec![new_weight("alpha", slope, from, true)],
        &x,
    )
}

fn dropout<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Value, OpenError> {
    let mut x = build.value(op, 0)?;
    let rate = op.float("p", 0.5)?;
    if !(0.0..=1.0).contains(&rate) {
        return Err(op.refuse(format!("its rate is {rate}, and not a share from 0 to 1")));
    }
    let noise = match op.op {
        "feature_dropout" => {
            x = build.channels_last(op, &x)?;
            let mut shape = vec![Some(1); x.dims.len()];
            if let [batch, .., channels] = shape.as_mut_slice() {
                (*batch, *channels) = (None, None);
            }
            match x.dims.len() {
                4 => Noise::SpatialDropout2d { rate },
                _ => Noise::Dropout {
                    rate,
                    noise_shape: Some(shape),
                },
            }
        }
        "alpha_dropout" => Noise::AlphaDropout { rate },
        _ => Noise::Dropout {
            rate,
            noise_shape: None,
        },
    };
    let training = op.bool("train", op.op == "native_dropout")?;
    build.seen(&op.name, training);
    if training && !op.is_module {
        build.flags.loose.push(op.name.clone());
    }
    build.on(op, LayerKind::Noise(noise), Vec::new(), &x)
}
