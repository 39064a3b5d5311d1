//! Activations, and operators between values and constants.

use candle_core::Tensor;

use super::build::Build;
use super::constant::Constant;
use super::node::Op;
use super::value::{Known, Value};
use crate::formats::OpenError;
use crate::model::graph::Input;
use crate::model::layers::NewWeight;
use crate::model::layers::{
    Activation, LayerKind, Merge, Noise, Operator, Rescaling, WithConstant,
};

/// The layer of one of these nodes; `None` for an operator that is not known.
pub fn layer<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>) -> Result<Option<Value>, OpenError> {
    if let Some((merge, operator)) = joins(op.node.op) {
        return join(build, op, merge, operator).map(Some);
    }
    let kind = match op.node.op {
        "Identity" | "CastLike" => LayerKind::Identity,
        "Cast" => cast_to(op.int("to", 1)?.unsigned_abs()).unwrap_or(LayerKind::Identity),
        "Dropout" => {
            let ratio = match build.constant(op, 1)? {
                Some(ratio) => ratio.number()?,
                None => op.float("ratio", 0.5)?,
            };
            if !(0.0..=1.0).contains(&ratio) {
                return Err(op.refuse(format!("its ratio is {ratio}")));
            }
            LayerKind::Noise(Noise::Dropout {
                rate: ratio.to_string().parse().unwrap_or(f64::from(ratio)),
                noise_shape: None,
            })
        }
        _ => match activation(build, op)? {
            Some(activation) => LayerKind::Activation(activation),
            None => return Ok(None),
        },
    };
    let x = build.value(op, 0)?;
    let node = build.on(op, kind, Vec::new(), &x);
    Ok(Some(Value { node, ..x }))
}

/// What a cast to this type, a `TensorProto.DataType`, does to 32-bit floats; `None` for a type of floats or
/// of truth values.
pub fn cast_to(element: u64) -> Option<LayerKind> {
    let wraps_at = match element {
        2 => Some(256.0),
        4 => Some(65_536.0),
        3 | 5 | 6 | 7 | 12 | 13 => None,
        _ => return None,
    };
    Some(LayerKind::Activation(Activation::ToInteger { wraps_at }))
}

fn joins(op: &str) -> Option<(Merge, Operator)> {
    Some(match op {
        "Add" | "Sum" => (Merge::Add, Operator::Add),
        "Sub" => (Merge::Subtract, Operator::Subtract),
        "Mul" => (Merge::Multiply, Operator::Multiply),
        "Max" => (Merge::Maximum, Operator::Maximum),
        "Min" => (Merge::Minimum, Operator::Minimum),
        // No merging layer divides, or takes powers.
        "Div" => (Merge::Dot, Operator::Divide),
        "Pow" => (Merge::Dot, Operator::Power),
        _ => return None,
    })
}

fn activation<'a>(build: &Build<'a>, op: &Op<'_, 'a>) -> Result<Option<Activation>, OpenError> {
    Ok(Some(match op.node.op {
        "Relu" => Activation::RELU,
        "LeakyRelu" => Activation::Relu {
            max_value: None,
            negative_slope: op.float("alpha", 0.01)?,
            threshold: 0.0,
        },
        "Clip" => clip(build, op)?,
        "Sigmoid" => Activation::Sigmoid,
        "HardSigmoid" => match (op.float("alpha", 0.2)?, op.float("beta", 0.5)?) {
            (alpha, 0.5) if (alpha - 1.0 / 6.0).abs() < 1e-6 => Activation::HardSigmoid,
            (0.2, 0.5) => Activation::HardSigmoidKeras2,
            (alpha, beta) => {
                return Err(op.refuse(format!(
                    "a slope of {alpha} and an offset of {beta} are not supported"
                )));
            }
        },
        "HardSwish" => Activation::HardSilu,
        "Elu" => Activation::Elu {
            alpha: op.float("alpha", 1.0)?,
        },
        "Selu" => Activation::Selu,
        "Gelu" => Activation::Gelu {
            approximate: op.text("approximate") == "tanh",
        },
        "Mish" => Activation::Mish,
        "Softplus" => Activation::Softplus,
        "Softsign" => Activation::Softsign,
        "Tanh" => Activation::Tanh,
        "Exp" => Activation::Exponential,
        "Abs" => Activation::Abs,
        "Neg" => Activation::Negative,
        "Sqrt" => Activation::Sqrt,
        "Log" => Activation::Log,
        "Reciprocal" => Activation::Reciprocal,
        "Erf" => Activation::Erf,
        _ => return Ok(None),
    }))
}

fn clip<'a>(build: &Build<'a>, op: &Op<'_, 'a>) -> Result<Activation, OpenError> {
    let bound = |at: usize, name: &str, open: f32| match build.constant(op, at)? {
        Some(bound) => bound.number(),
        None => op.float(name, open),
    };
    let (low, high) = (bound(1, "min", f32::MIN)?, bound(2, "max", f32::MAX)?);
    let max_value = (high < f32::MAX).then_some(high);
    Ok(if low == 0.0 && high >= 0.0 {
        Activation::Relu {
            max_value,
            negative_slope: 0.0,
            threshold: 0.0,
        }
    } else {
        Activation::Clip(low, high)
    })
}

fn join<'a>(
    build: &mut Build<'a>,
    op: &Op<'_, 'a>,
    merge: Merge,
    operator: Operator,
) -> Result<Value, OpenError> {
    if op.node.inputs.len() != 2 && !matches!(op.node.op, "Sum" | "Max" | "Min") {
        return Err(op.refuse("it takes two inputs"));
    }
    let known = |build: &Build<'a>, at| build.known(op, at).cloned();
    match (known(build, 0), known(build, 1)) {
        (Some(Known::Value(x)), Some(Known::Constant(c))) if op.node.inputs.len() == 2 => {
            with_constant(build, op, operator, x, &c, false)
        }
        (Some(Known::Constant(c)), Some(Known::Value(x))) if op.node.inputs.len() == 2 => {
            with_constant(build, op, operator, x, &c, true)
        }
        _ => values(build, op, merge, operator),
    }
}

/// Several values that depend on the photo.
fn values<'a>(
    build: &mut Build<'a>,
    op: &Op<'_, 'a>,
    merge: Merge,
    operator: Operator,
) -> Result<Value, OpenError> {
    let first = build.value(op, 0)?;
    if operator == Operator::Multiply
        && let Some(value) = gated(build, op)?
    {
        return Ok(value);
    }
    if operator == Operator::Power {
        return Err(op.refuse("only powers of one number are supported"));
    }
    let mut inputs = vec![Input::Node(first.node)];
    let mut dims = first.dims.clone();
    for at in 1..op.node.inputs.len() {
        let next = build.value(op, at)?;
        if next.rank() != first.rank() {
            return Err(op.refuse("it joins values with different numbers of axes"));
        }
        let next = build.turned(op, next, &first.axes);
        for (d, n) in dims.iter_mut().zip(&next.dims).skip(1) {
            *d = match (*d, *n) {
                (Some(1), n) => n,
                (d, Some(1)) => d,
                (Some(a), Some(b)) if a != b => {
                    return Err(
                        op.refuse(format!("its inputs have {a} and {b} values along an axis"))
                    );
                }
                (d, n) => d.or(n),
            };
        }
        inputs.push(Input::Node(next.node));
    }
    let kind = match operator {
        Operator::Divide => LayerKind::Operator(operator),
        _ => LayerKind::Merge(merge),
    };
    let node = build.emit(&op.name, op.node.op, kind, Vec::new(), inputs);
    Ok(Value {
        node,
        dims,
        ..first
    })
}

/// `x * sigmoid(x)` and `x * hard_sigmoid(x)` as one activation, where nothing else reads the gate.
fn gated<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>) -> Result<Option<Value>, OpenError> {
    for (at, gate_at) in [(0, 1), (1, 0)] {
        let (x, gate) = (build.value(op, at)?, build.value(op, gate_at)?);
        let node = &build.graph.nodes[gate.node];
        let whole = match build.graph.layers[node.layer].kind {
            LayerKind::Activation(Activation::Sigmoid) => (Activation::Silu, "SiLU"),
            LayerKind::Activation(Activation::HardSigmoid) => (Activation::HardSilu, "HardSwish"),
            _ => continue,
        };
        if node.inputs != [Input::Node(x.node)]
            || x.axes != gate.axes
            || !build.is_only_reader(op, gate_at)
        {
            continue;
        }
        let layer = node.layer;
        let layer = &mut build.graph.layers[layer];
        layer.kind = LayerKind::Activation(whole.0);
        whole.1.clone_into(&mut layer.class);
        return Ok(Some(gate));
    }
    Ok(None)
}

/// A value and a constant: one number, or one a channel.
fn with_constant<'a>(
    build: &mut Build<'a>,
    op: &Op<'_, 'a>,
    operator: Operator,
    x: Value,
    constant: &Constant<'a>,
    constant_first: bool,
) -> Result<Value, OpenError> {
    let constant = constant.floats()?;
    let numbers = constant.flatten_all().and_then(|t| t.to_vec1::<f32>());
    let numbers = numbers.map_err(|e| op.refuse(e.to_string()))?;
    if constant.rank() > x.rank() || numbers.is_empty() {
        return Err(op.refuse("its constant has more axes than the value"));
    }
    if let &[number] = numbers.as_slice() {
        let mut inputs = vec![Input::Node(x.node), Input::Number(f64::from(number))];
        if constant_first {
            inputs.reverse();
        }
        let kind = LayerKind::Operator(operator);
        let node = build.emit(&op.name, op.node.op, kind, Vec::new(), inputs);
        return Ok(Value { node, ..x });
    }
    // The constant's axes are the last ones of the value.
    let missing = x.rank() - constant.rank();
    let mut long = constant.dims().iter().enumerate().filter(|&(_, &d)| d != 1);
    let axis = match (long.next(), long.next()) {
        (Some((axis, _)), None) => axis + missing,
        _ => return with_any_constant(build, op, operator, x, &constant, constant_first),
    };
    if axis == 0 {
        return Err(op.refuse("its constant varies along the batch axis"));
    }
    let x = if x.axes[axis] + 1 == x.rank() {
        x
    } else if axis == 1 && x.rank() == 4 {
        build.image(op, x)?
    } else {
        return with_any_constant(build, op, operator, x, &constant, constant_first);
    };
    let last = x.rank() - 1;
    if x.dims[last].is_some_and(|c| c != numbers.len()) {
        return Err(op.refuse(format!(
            "{} numbers for {} channels",
            numbers.len(),
            x.dims[last].unwrap_or(0)
        )));
    }
    let at = usize::from(constant_first);
    if operator == Operator::Add
        && build.is_only_reader(op, at)
        && takes_bias(build, &x, numbers.len())
    {
        let bias = Tensor::from_vec(numbers, constant.elem_count(), constant.device());
        let tensor = bias.map_err(|e| op.refuse(e.to_string()))?;
        let layer = build.graph.nodes[x.node].layer;
        let bias = NewWeight {
            name: "bias",
            tensor,
            learnable: true,
        };
        bias.add_to(&mut build.graph.layers[layer], layer, &mut build.weights);
        return Ok(x);
    }
    let scaled = |by: f32| numbers.iter().map(|n| by * n).collect::<Vec<f32>>();
    let (scale, offset) = match (operator, constant_first) {
        (Operator::Add, _) => (vec![1.0], numbers),
        (Operator::Subtract, false) => (vec![1.0], scaled(-1.0)),
        (Operator::Subtract, true) => (vec![-1.0], numbers),
        (Operator::Multiply, _) => (numbers, vec![0.0]),
        (Operator::Divide, false) => (numbers.iter().map(|n| 1.0 / n).collect(), vec![0.0]),
        _ => return with_any_constant(build, op, operator, x, &constant, constant_first),
    };
    let kind = LayerKind::Rescaling(Rescaling { scale, offset });
    let node = build.on(op, kind, Vec::new(), &x);
    Ok(Value { node, ..x })
}

/// A value and a constant that differs along any axes but that of the batch.
fn with_any_constant<'a>(
    build: &mut Build<'a>,
    op: &Op<'_, 'a>,
    operator: Operator,
    x: Value,
    constant: &Tensor,
    constant_first: bool,
) -> Result<Value, OpenError> {
    if operator == Operator::Power {
        return Err(op.refuse("only powers of one number are supported"));
    }
    let made = |tensor: candle_core::Result<Tensor>| tensor.map_err(|e| op.refuse(e.to_string()));
    let mut shape = vec![1; x.rank() - constant.rank()];
    shape.extend(constant.dims());
    if shape[0] != 1 {
        return Err(op.refuse("its constant varies along the batch axis"));
    }
    // From the order of the axes in the file to the order here.
    let mut order = vec![0; x.rank()];
    for (from, &to) in x.axes.iter().enumerate() {
        order[to] = from;
    }
    let turned = made(constant.reshape(shape).and_then(|c| c.permute(order)))?;
    let mut dims = x.dims.clone();
    for (side, &n) in dims.iter_mut().zip(turned.dims()).skip(1) {
        *side = match *side {
            side if n == 1 => side,
            Some(m) if m != n && m != 1 => {
                return Err(op.refuse(format!("{n} numbers for {m} values along an axis")));
            }
            _ => Some(n),
        };
    }
    let weight = NewWeight {
        name: "constant",
        tensor: made(turned.squeeze(0).and_then(|c| c.contiguous()))?,
        learnable: false,
    };
    let kind = LayerKind::WithConstant(WithConstant {
        operator,
        constant_first,
    });
    let node = build.on(op, kind, vec![weight], &x);
    Ok(Value { node, dims, ..x })
}

/// Whether the value comes from a layer that lacks a bias of this length.
fn takes_bias(build: &Build<'_>, x: &Value, length: usize) -> bool {
    let layer = &build.graph.layers[build.graph.nodes[x.node].layer];
    let units = match &layer.kind {
        LayerKind::Conv2d(_) => layer.shape("kernel").map(|k| k[3]),
        LayerKind::DepthwiseConv2d(_) => {
            let kernel = layer.shape("depthwise_kernel");
            kernel.map(|k| k[2] * k[3])
        }
        LayerKind::Dense(_) => layer.shape("kernel").map(|k| k[1]),
        _ => None,
    };
    layer.shape("bias").is_none() && units == Some(length)
}
