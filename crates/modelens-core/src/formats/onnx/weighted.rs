//! Operators with weights: convolutions, normalisations, matrix products.

use candle_core::Tensor;

use super::build::Build;
use super::node::Op;
use super::value::Value;
use super::windows;
use crate::formats::OpenError;
use crate::model::graph::Input;
use crate::model::layers::NewWeight;
use crate::model::layers::{
    Activation, BatchNorm, Conv2d, Cropping2d, Dense, DepthwiseConv2d, GroupNorm, LayerKind,
    LayerNorm, Padding, TransposedConv2d,
};

/// The layer of one of these nodes.
pub fn layer<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>) -> Result<Value, OpenError> {
    match op.node.op {
        "Conv" => convolution(build, op),
        "BatchNormalization" => batch_norm(build, op),
        "LayerNormalization" => layer_norm(build, op),
        "PRelu" => prelu(build, op),
        "ConvTranspose" => transposed(build, op),
        "InstanceNormalization" => instance_norm(build, op),
        _ => product(build, op),
    }
}

fn weight(name: &'static str, tensor: Tensor) -> NewWeight {
    NewWeight {
        name,
        tensor,
        learnable: true,
    }
}

/// A weight that the node cannot do without.
fn needed<'a>(build: &Build<'a>, op: &Op<'_, 'a>, at: usize) -> Result<Tensor, OpenError> {
    let constant = build.constant(op, at)?;
    let constant = constant.ok_or_else(|| op.refuse(format!("its input {at} is missing")))?;
    constant.floats()
}

/// A weight of this shape.
fn shaped<'a>(
    build: &Build<'a>,
    op: &Op<'_, 'a>,
    at: usize,
    expected: &[usize],
) -> Result<Tensor, OpenError> {
    let tensor = needed(build, op, at)?;
    if tensor.dims() != expected {
        return Err(misfit(op, at, tensor.dims(), expected));
    }
    Ok(tensor)
}

fn misfit(op: &Op<'_, '_>, at: usize, found: &[usize], expected: &[usize]) -> OpenError {
    OpenError::WeightShape {
        layer: op.name.clone(),
        weight: format!("input {at}"),
        found: found.to_vec(),
        expected: expected.to_vec(),
    }
}

fn made(op: &Op<'_, '_>, tensor: candle_core::Result<Tensor>) -> Result<Tensor, OpenError> {
    let tensor = tensor.and_then(|t| t.contiguous());
    tensor.map_err(|error| op.refuse(error.to_string()))
}

fn convolution<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let x = build.image(op, x)?;
    let kernel = needed(build, op, 1)?;
    let &[out, depth, kh, kw] = kernel.dims() else {
        return Err(op.refuse(format!(
            "its kernel has {} axes; only convolutions of images are supported",
            kernel.rank()
        )));
    };
    let groups = usize::try_from(op.int("group", 1)?).unwrap_or(0);
    let channels = depth.checked_mul(groups);
    let fits = out > 0 && kh > 0 && kw > 0 && channels.is_some_and(|c| c > 0);
    if !fits || out % groups.max(1) != 0 || x.dims[3].is_some_and(|c| Some(c) != channels) {
        return Err(misfit(
            op,
            1,
            kernel.dims(),
            &[out, x.dims[3].unwrap_or(0), kh, kw],
        ));
    }
    if op.steps("kernel_shape", 1, 0)? != [kh, kw] && op.ints("kernel_shape")?.is_some() {
        return Err(op.refuse("its setting `kernel_shape` differs from its kernel"));
    }
    let strides = op.steps("strides", 1, 1)?;
    let dilation = op.steps("dilations", 1, 1)?;
    let padding = windows::padding(op, &x, [kh, kw], strides, dilation)?;
    let dims = windows::moved(op, &x, [kh, kw], strides, dilation, padding, out)?;
    let depthwise = groups > 1 && depth == 1;
    let mut settings = Conv2d {
        strides,
        dilation,
        padding,
        groups,
        activation: Activation::Linear,
    };
    let (kernel, short, kind) = if depthwise {
        // Output channel `c * multiplier + m`, here and there.
        let kernel = kernel.reshape((groups, out / groups, kh, kw));
        let kernel = kernel.and_then(|k| k.permute((2, 3, 0, 1)));
        settings.groups = 1;
        let kind = LayerKind::DepthwiseConv2d(DepthwiseConv2d(settings));
        (kernel, "depthwise_kernel", kind)
    } else {
        let kind = LayerKind::Conv2d(settings);
        (kernel.permute((2, 3, 1, 0)), "kernel", kind)
    };
    let mut weights = vec![weight(short, made(op, kernel)?)];
    if build.constant(op, 2)?.is_some() {
        weights.push(weight("bias", shaped(build, op, 2, &[out])?));
    }
    let node = build.on(op, kind, weights, &x);
    Ok(Value::image(node, dims))
}

/// A transposed convolution; what its pads take away is cropped afterwards.
fn transposed<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let x = build.image(op, x)?;
    let kernel = needed(build, op, 1)?;
    let &[depth, out, kh, kw] = kernel.dims() else {
        return Err(op.refuse("only transposed convolutions of images are supported"));
    };
    if op.int("group", 1)? != 1 {
        return Err(op.refuse("a transposed convolution in groups is not supported"));
    }
    if [depth, out, kh, kw].contains(&0) || x.dims[3].is_some_and(|c| c != depth) {
        return Err(misfit(
            op,
            1,
            kernel.dims(),
            &[x.dims[3].unwrap_or(0), out, kh, kw],
        ));
    }
    if !matches!(op.text("auto_pad"), "" | "NOTSET" | "VALID") || op.ints("output_shape")?.is_some()
    {
        return Err(op.refuse("its padding by the size of its output is not supported"));
    }
    let [strides, dilation] = [op.steps("strides", 1, 1)?, op.steps("dilations", 1, 1)?];
    let extra: [usize; 2] = op.steps("output_padding", 0, 0)?;
    // In the file `[top, left, bottom, right]`.
    let [top, left, bottom, right] = op.steps("pads", 0, 0)?;
    let length = |axis: usize, size: usize, cut: usize| match x.dims[axis + 1] {
        None => Ok(None),
        Some(n) => {
            let reach = (size - 1) * dilation[axis] + 1;
            let whole = (n.max(1) - 1) * strides[axis] + reach + extra[axis];
            let left = whole.checked_sub(cut).filter(|&n| n > 0);
            left.map(Some)
                .ok_or_else(|| op.refuse("nothing is left of the image"))
        }
    };
    let dims = vec![
        None,
        length(0, kh, top + bottom)?,
        length(1, kw, left + right)?,
        Some(out),
    ];
    let mut weights = vec![weight("kernel", made(op, kernel.permute((2, 3, 1, 0)))?)];
    if build.constant(op, 2)?.is_some() {
        weights.push(weight("bias", shaped(build, op, 2, &[out])?));
    }
    let kind = LayerKind::TransposedConv2d(TransposedConv2d {
        strides,
        dilation,
        padding: Padding::Valid,
        output_padding: Some(extra),
        activation: Activation::Linear,
    });
    let mut node = build.on(op, kind, weights, &x);
    let pixels = [top, bottom, left, right];
    if pixels != [0; 4] {
        let name = format!("{}.crop", op.name);
        let kind = LayerKind::Cropping2d(Cropping2d { pixels });
        node = build.emit(&name, "Slice", kind, Vec::new(), vec![Input::Node(node)]);
    }
    Ok(Value::image(node, dims))
}

fn batch_norm<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>) -> Result<Value, OpenError> {
    let mut x = build.value(op, 0)?;
    if x.rank() != 2 {
        x = build.image(op, x)?;
    }
    let gamma = needed(build, op, 1)?;
    let channels = gamma.elem_count();
    if gamma.rank() != 1 || channels == 0 || x.dims[x.rank() - 1].is_some_and(|c| c != channels) {
        let known = x.dims[x.rank() - 1].unwrap_or(channels);
        return Err(misfit(op, 1, gamma.dims(), &[known]));
    }
    let statistics = |name, tensor| NewWeight {
        name,
        tensor,
        learnable: false,
    };
    let weights = vec![
        weight("gamma", gamma),
        weight("beta", shaped(build, op, 2, &[channels])?),
        statistics("moving_mean", shaped(build, op, 3, &[channels])?),
        statistics("moving_variance", shaped(build, op, 4, &[channels])?),
    ];
    // ONNX counts momentum as Keras does.
    let kind = LayerKind::BatchNorm(BatchNorm {
        momentum: op.decimal("momentum", 0.9)?,
        epsilon: op.decimal("epsilon", 1e-5)?,
    });
    let node = build.on(op, kind, weights, &x);
    Ok(Value { node, ..x })
}

fn layer_norm<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let axis = op.axis(op.int("axis", -1)?, x.rank())?;
    if axis == 0 || axis + 1 != x.rank() {
        return Err(op.refuse("it normalises over other axes than the channels"));
    }
    // What the file has last is last here too.
    let x = if x.axes[axis] == axis {
        x
    } else {
        let order: Vec<usize> = (0..x.rank()).collect();
        build.turned(op, x, &order)
    };
    let gamma = needed(build, op, 1)?;
    let channels = gamma.elem_count();
    if gamma.rank() != 1 || x.dims[axis].is_some_and(|c| c != channels) {
        return Err(misfit(op, 1, gamma.dims(), &[x.dims[axis].unwrap_or(0)]));
    }
    let mut weights = vec![weight("gamma", gamma)];
    if build.constant(op, 2)?.is_some() {
        weights.push(weight("beta", shaped(build, op, 2, &[channels])?));
    }
    let kind = LayerKind::LayerNorm(LayerNorm {
        axes: 1,
        epsilon: op.decimal("epsilon", 1e-5)?,
    });
    let node = build.on(op, kind, weights, &x);
    Ok(Value { node, ..x })
}

/// Every channel of every image by itself.
fn instance_norm<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let x = build.image(op, x)?;
    let gamma = needed(build, op, 1)?;
    let channels = gamma.elem_count();
    if gamma.rank() != 1 || x.dims[3].is_some_and(|c| c != channels) {
        return Err(misfit(op, 1, gamma.dims(), &[x.dims[3].unwrap_or(0)]));
    }
    let beta = shaped(build, op, 2, &[channels])?;
    let weights = vec![weight("gamma", gamma), weight("beta", beta)];
    let kind = LayerKind::GroupNorm(GroupNorm {
        groups: None,
        epsilon: op.decimal("epsilon", 1e-5)?,
    });
    let node = build.on(op, kind, weights, &x);
    Ok(Value { node, ..x })
}

/// The slope is shared, or one a channel.
fn prelu<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let x = if x.rank() == 4 {
        build.image(op, x)?
    } else {
        x
    };
    let slope = needed(build, op, 1)?;
    let channels = slope.elem_count();
    let along = x.dims[x.rank() - 1];
    let by_channel = match slope.dims() {
        [_, rest @ ..] => rest.len() + 2 == x.rank() && rest.iter().all(|&d| d == 1),
        [] => false,
    };
    if channels != 1 && !(by_channel && along == Some(channels)) {
        return Err(misfit(op, 1, slope.dims(), &[along.unwrap_or(1)]));
    }
    let mut shape = vec![1; x.rank() - 1];
    if let Some(last) = shape.last_mut() {
        *last = channels;
    }
    let weights = vec![weight("alpha", made(op, slope.reshape(shape))?)];
    let node = build.on(op, LayerKind::PRelu, weights, &x);
    Ok(Value { node, ..x })
}

/// `Gemm`, `alpha A B + beta C`, and `MatMul`.
fn product<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let is_gemm = op.node.op == "Gemm";
    let last = x.rank() - 1;
    if last == 0 || (is_gemm && last != 1) {
        return Err(op.refuse("it multiplies along another axis than the last"));
    }
    // What the file has last is last here too.
    let x = if x.axes[last] == last {
        x
    } else {
        let order: Vec<usize> = (0..x.rank()).collect();
        build.turned(op, x, &order)
    };
    let mut kernel = needed(build, op, 1)?;
    if kernel.rank() != 2 {
        return Err(op.refuse("its matrix does not have two axes"));
    }
    if op.int("transA", 0)? != 0 {
        return Err(op.refuse("it transposes its input, which is not supported"));
    }
    if is_gemm && op.int("transB", 0)? != 0 {
        kernel = made(op, kernel.t())?;
    }
    let (units_in, units) = kernel.dims2().map_err(|e| op.refuse(e.to_string()))?;
    if units_in == 0 || units == 0 || x.dims[last].is_some_and(|k| k != units_in) {
        return Err(misfit(
            op,
            1,
            kernel.dims(),
            &[x.dims[last].unwrap_or(0), units],
        ));
    }
    let mut weights = Vec::new();
    let scaled = |tensor: Tensor, by: f32| match by {
        1.0 => Ok(tensor),
        by => made(op, &tensor * f64::from(by)),
    };
    let alpha = if is_gemm {
        op.float("alpha", 1.0)?
    } else {
        1.0
    };
    weights.push(weight("kernel", scaled(kernel, alpha)?));
    if is_gemm && let Some(bias) = build.constant(op, 2)? {
        let bias = scaled(bias.floats()?, op.float("beta", 1.0)?)?;
        let row = match bias.elem_count() {
            n if n == units => bias.reshape(units),
            1 => bias.reshape(1).and_then(|b| b.broadcast_as(units)),
            _ => return Err(misfit(op, 2, bias.dims(), &[units])),
        };
        weights.push(weight("bias", made(op, row)?));
    }
    let kind = LayerKind::Dense(Dense {
        activation: Activation::Linear,
    });
    let node = build.on(op, kind, weights, &x);
    let mut dims = x.dims.clone();
    dims[last] = Some(units);
    Ok(Value { node, dims, ..x })
}
