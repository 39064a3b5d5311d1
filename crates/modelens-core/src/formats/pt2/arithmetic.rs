//! Activations, and operators between values, weights and numbers.

use candle_core::{DType, Tensor};

use super::build::{Build, NewLayer, new_weight};
use super::node::{Op, number};
use super::schema::Argument;
use super::shapes::is_same;
use super::value::{Batch, Constant, Known, Length, Value};
use super::{memory, windows};
use crate::formats::OpenError;
use crate::model::graph::Input;
use crate::model::layers::{
    Activation, LayerKind, Merge, Noise, Operator, Reduction, Rescaling, WeightOperator,
    WithConstant,
};

/// The value of such an operator; `None` for an operator that is not known.
pub fn result<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Option<Value>, OpenError> {
    if let Some((merge, operator)) = joins(op.op) {
        return joined(build, op, merge, operator).map(Some);
    }
    if matches!(
        op.op,
        "softmax" | "_softmax" | "log_softmax" | "_log_softmax"
    ) {
        return softmax(build, op).map(Some);
    }
    match op.op {
        "addcmul" => return addcmul(build, op).map(Some),
        "linalg_vector_norm" => return length(build, op).map(Some),
        _ => {}
    }
    let Some(activation) = activation(op)? else {
        return Ok(None);
    };
    let x = build.value(op, 0)?;
    build
        .on(op, LayerKind::Activation(activation), Vec::new(), &x)
        .map(Some)
}

/// The merging layer and the operator of this name.
fn joins(op: &str) -> Option<(Option<Merge>, Operator)> {
    Some(match op {
        "add" => (Some(Merge::Add), Operator::Add),
        "sub" | "rsub" => (Some(Merge::Subtract), Operator::Subtract),
        "mul" => (Some(Merge::Multiply), Operator::Multiply),
        "maximum" => (Some(Merge::Maximum), Operator::Maximum),
        "minimum" => (Some(Merge::Minimum), Operator::Minimum),
        // No merging layer divides, or takes powers.
        "div" => (None, Operator::Divide),
        "pow" => (None, Operator::Power),
        _ => return None,
    })
}

fn activation(op: &Op<'_>) -> Result<Option<Activation>, OpenError> {
    let relu = |max_value: Option<f32>, negative_slope: f32| Activation::Relu {
        max_value,
        negative_slope,
        threshold: 0.0,
    };
    Ok(Some(match op.op {
        "relu" => Activation::RELU,
        "relu6" => Activation::RELU6,
        "leaky_relu" => relu(None, op.float("negative_slope", 0.01)? as f32),
        "hardtanh" => clamped(op.float("min_val", -1.0)?, op.float("max_val", 1.0)?),
        "clamp" => clamped(
            op.float("min", f64::from(f32::MIN))?,
            op.float("max", f64::from(f32::MAX))?,
        ),
        "clamp_min" => clamped(op.float("min", 0.0)?, f64::from(f32::MAX)),
        "clamp_max" => clamped(f64::from(f32::MIN), op.float("max", 0.0)?),
        "elu" => {
            if op.float("scale", 1.0)? != 1.0 || op.float("input_scale", 1.0)? != 1.0 {
                return Err(op.refuse("its scales are not supported"));
            }
            Activation::Elu {
                alpha: op.float("alpha", 1.0)? as f32,
            }
        }
        "celu" if op.float("alpha", 1.0)? == 1.0 => Activation::Elu { alpha: 1.0 },
        "selu" => Activation::Selu,
        "gelu" => Activation::Gelu {
            approximate: op.text("approximate") == Some("tanh"),
        },
        "silu" => Activation::Silu,
        "mish" => Activation::Mish,
        "hardswish" => Activation::HardSilu,
        "hardsigmoid" => Activation::HardSigmoid,
        "sigmoid" => Activation::Sigmoid,
        "log_sigmoid" => Activation::LogSigmoid,
        "softplus" if op.float("beta", 1.0)? == 1.0 => Activation::Softplus,
        "softsign" => Activation::Softsign,
        "tanh" => Activation::Tanh,
        "exp" => Activation::Exponential,
        "abs" => Activation::Abs,
        "neg" => Activation::Negative,
        "square" => Activation::Square,
        "sqrt" => Activation::Sqrt,
        "rsqrt" => Activation::Rsqrt,
        "log" => Activation::Log,
        "reciprocal" => Activation::Reciprocal,
        _ => return Ok(None),
    }))
}

fn clamped(low: f64, high: f64) -> Activation {
    let (low, high) = (low as f32, high as f32);
    if low == 0.0 && high >= 0.0 {
        return Activation::Relu {
            max_value: (high < f32::MAX).then_some(high),
            negative_slope: 0.0,
            threshold: 0.0,
        };
    }
    Activation::Clip(low, high)
}

fn softmax<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let axis = op.axis(op.int("dim", -1)?, x.rank())?;
    let x = build.last(op, &x, &[axis])?;
    let activation = if op.op.ends_with("log_softmax") {
        Activation::LogSoftmax
    } else {
        Activation::Softmax
    };
    build.on(op, LayerKind::Activation(activation), Vec::new(), &x)
}

fn joined<'a>(
    build: &mut Build<'a>,
    op: &Op<'a>,
    merge: Option<Merge>,
    operator: Operator,
) -> Result<Value, OpenError> {
    if op.arg("rounding_mode").is_some() {
        return Err(op.refuse("its argument `rounding_mode` is not supported"));
    }
    let alpha = op.float("alpha", 1.0)?;
    let (a, b) = (operand(build, op, 0)?, operand(build, op, 1)?);
    let (a, b) = if op.op == "rsub" { (b, a) } else { (a, b) };
    combined(build, op, a, b, alpha, merge, operator)
}

/// The argument at this place.
fn operand<'a>(build: &Build<'a>, op: &Op<'a>, at: usize) -> Result<Operand, OpenError> {
    if let Some(n) = op.at(at).and_then(number) {
        return Ok(Operand::Number(n));
    }
    if let Some(Argument::AsSymInt(_)) = op.at(at) {
        return Err(op.refuse("it computes with a size of the input"));
    }
    let what = if at == 0 { "self" } else { "other" };
    Ok(Operand::Known(build.known(op, op.at(at), what)?))
}

/// `self + value * tensor1 * tensor2`
fn addcmul<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Value, OpenError> {
    let [a, b, c] = [
        operand(build, op, 0)?,
        operand(build, op, 1)?,
        operand(build, op, 2)?,
    ];
    let (merge, add) = (Some(Merge::Multiply), Some(Merge::Add));
    let product = combined(build, op, b, c, 1.0, merge, Operator::Multiply)?;
    let product = Operand::Known(Known::Value(product));
    let value = op.float("value", 1.0)?;
    combined(build, op, a, product, value, add, Operator::Add)
}

/// `(x^2).sum(dim).sqrt()`
fn length<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Value, OpenError> {
    if op.float("ord", 2.0)? != 2.0 {
        return Err(op.refuse("only the square norm is supported"));
    }
    let x = build.value(op, 0)?;
    let kind = LayerKind::Activation(Activation::Square);
    let square = build.on(op, kind, Vec::new(), &x)?;
    let sum = windows::reduce(build, op, &square, Reduction::Sum)?;
    let kind = LayerKind::Activation(Activation::Sqrt);
    build.on(op, kind, Vec::new(), &sum)
}

/// Two operands, of which at least one depends on the photo.
pub fn combined<'a>(
    build: &mut Build<'a>,
    op: &Op<'a>,
    a: Operand,
    b: Operand,
    alpha: f64,
    merge: Option<Merge>,
    operator: Operator,
) -> Result<Value, OpenError> {
    match (a, b) {
        (Operand::Known(Known::Value(a)), Operand::Known(Known::Value(b))) => {
            let b = if alpha == 1.0 {
                b
            } else {
                times(build, op, &b, alpha)?
            };
            values(build, op, &a, &b, merge, operator)
        }
        (
            Operand::Known(Known::Value(x)),
            Operand::Known(Known::Draws {
                shape,
                keep,
                is_scaled,
            }),
        )
        | (
            Operand::Known(Known::Draws {
                shape,
                keep,
                is_scaled,
            }),
            Operand::Known(Known::Value(x)),
        ) if operator == Operator::Multiply => drop_connect(build, op, &x, &shape, keep, is_scaled),
        (Operand::Known(Known::Value(x)), Operand::Number(n)) => {
            number_operator(build, op, &x, n * alpha, operator, false)
        }
        (Operand::Number(n), Operand::Known(Known::Value(x))) => {
            let x = if alpha == 1.0 {
                x
            } else {
                times(build, op, &x, alpha)?
            };
            number_operator(build, op, &x, n, operator, true)
        }
        (Operand::Known(Known::Value(x)), Operand::Known(other)) => {
            let constant = build.constant(op, other, "other")?;
            with_constant(build, op, &x, constant, alpha, operator, false)
        }
        (Operand::Known(other), Operand::Known(Known::Value(x))) => {
            let x = if alpha == 1.0 {
                x
            } else {
                times(build, op, &x, alpha)?
            };
            let constant = build.constant(op, other, "self")?;
            with_constant(build, op, &x, constant, 1.0, operator, true)
        }
        _ => Err(op.refuse("it combines values in a way that is not supported")),
    }
}

/// An argument of an operator on two values.
pub enum Operand {
    Number(f64),
    Known(Known),
}

fn times<'a>(build: &mut Build<'a>, op: &Op<'a>, x: &Value, by: f64) -> Result<Value, OpenError> {
    number_operator(build, op, x, by, Operator::Multiply, false)
}

fn number_operator<'a>(
    build: &mut Build<'a>,
    op: &Op<'a>,
    x: &Value,
    number: f64,
    operator: Operator,
    number_first: bool,
) -> Result<Value, OpenError> {
    if operator == Operator::Power && number_first {
        return Err(op.refuse("only powers of a value are supported"));
    }
    let mut inputs = vec![Input::Node(x.node), Input::Number(number)];
    if number_first {
        inputs.reverse();
    }
    let new = NewLayer::of(op, LayerKind::Operator(operator), Vec::new());
    let node = build.call(op, new, inputs)?.0;
    Ok(Value { node, ..x.clone() })
}

/// Two values that depend on the photo.
fn values<'a>(
    build: &mut Build<'a>,
    op: &Op<'a>,
    a: &Value,
    b: &Value,
    merge: Option<Merge>,
    operator: Operator,
) -> Result<Value, OpenError> {
    if operator == Operator::Power {
        return Err(op.refuse("only powers of one number are supported"));
    }
    let [a, b] = build.aligned(op, a, b)?;
    let kind = merge.map_or(LayerKind::Operator(operator), LayerKind::Merge);
    let inputs = vec![Input::Node(a.node), Input::Node(b.node)];
    let (node, dims) = build.call(op, NewLayer::of(op, kind, Vec::new()), inputs)?;
    Ok(Value { node, dims, ..a })
}

/// Stochastic depth: a photo's branch is kept with the probability `keep`, and then divided by it.
fn drop_connect<'a>(
    build: &mut Build<'a>,
    op: &Op<'a>,
    x: &Value,
    shape: &[Length],
    keep: f64,
    is_scaled: bool,
) -> Result<Value, OpenError> {
    let batch = build.photos(op, x)?;
    let of_photos = |axis: usize, length: &Length| match build.batch {
        Batch::Any => length.of_batch == (Some(axis) == batch) && length.count == Some(1),
        Batch::One => length.count == Some(1),
        Batch::Fixed(n) => length.count == Some(if Some(axis) == batch { n } else { 1 }),
    };
    let has_axes = shape.len() == x.rank();
    let mut lengths = shape.iter().enumerate();
    let fits = has_axes && lengths.all(|(axis, length)| of_photos(axis, length));
    // Dropout, of which `run_decompositions()` leaves the draws only.
    let mut own = shape.iter().enumerate();
    let is_own = |(axis, length): (usize, &Length)| is_same(build.batch, x.length(axis), *length);
    let is_dropout = has_axes && !fits && own.all(is_own);
    if !(fits || is_dropout) || !(is_scaled || keep == 1.0) {
        return Err(op.refuse(
            "only draws of one number a photo or a value, divided by their probability, are supported",
        ));
    }
    if is_dropout {
        build.seen(&op.name, true);
        let noise = Noise::Dropout {
            rate: 1.0 - keep,
            noise_shape: None,
        };
        return build.on(op, LayerKind::Noise(noise), Vec::new(), x);
    }
    let x = build.simple(op, x)?;
    build.seen(&op.name, true);
    let mut new = NewLayer::of(
        op,
        LayerKind::Noise(Noise::DropConnect { rate: 1.0 - keep }),
        Vec::new(),
    );
    new.is_module = true;
    let node = build.call(op, new, vec![Input::Node(x.node)])?.0;
    Ok(Value { node, ..x })
}

/// A value and a weight or constant, broadcast against each other.
fn with_constant<'a>(
    build: &mut Build<'a>,
    op: &Op<'a>,
    x: &Value,
    constant: Constant,
    alpha: f64,
    operator: Operator,
    constant_first: bool,
) -> Result<Value, OpenError> {
    let failed = |e: candle_core::Error| op.refuse(e.to_string());
    let is_as_stored = memory::is_as_stored(build, &constant);
    let Constant {
        tensor,
        from,
        batch,
        places,
        ..
    } = constant;
    let learnable = from
        .as_ref()
        .is_some_and(|from| build.tensors.requires_grad(from));
    let tensor = tensor.to_dtype(DType::F32).map_err(failed)?;
    if !learnable && tensor.elem_count() == 1 {
        let number = tensor
            .flatten_all()
            .and_then(|t| t.to_vec1::<f32>())
            .map_err(failed)?[0];
        return number_operator(
            build,
            op,
            x,
            f64::from(number) * alpha,
            operator,
            constant_first,
        );
    }
    if operator == Operator::Power || alpha != 1.0 {
        return Err(op.refuse("only one number is supported as its constant"));
    }
    if tensor.rank() > x.rank()
        || batch.is_some_and(|axis| axis + x.rank() != tensor.rank()) && x.rank() == 0
    {
        return Err(op.refuse("its constant has more axes than the value"));
    }
    let x = build.simple(op, x)?;
    // With as many axes as the value, then in the order that the value has here.
    let mut dims = vec![1; x.rank() - tensor.rank()];
    dims.extend_from_slice(tensor.dims());
    let photos = build.photos(op, &x)?;
    if photos.is_some_and(|axis| dims[axis] != 1) {
        return Err(op.refuse("its constant varies along the batch axis"));
    }
    let mut order: Vec<usize> = (0..x.rank()).filter(|&axis| Some(axis) != photos).collect();
    order.sort_by_key(|&axis| x.axes[axis].first().copied());
    let mut long = order.iter().filter(|&&axis| dims[axis] != 1);
    let keeps_order = long.by_ref().is_sorted();
    let full: Vec<usize> = photos.into_iter().chain(order.iter().copied()).collect();
    // Parts of photos that share the axis of the photos come first here.
    let mut weight = vec![1; (x.dims.len() - 1).saturating_sub(order.len())];
    weight.extend(order.iter().map(|&axis| dims[axis]));
    let arranged = |t: &Tensor| {
        let t = t.reshape(dims.as_slice())?.permute(full.as_slice())?;
        t.contiguous()?.reshape(weight.as_slice())
    };
    let ordered = arranged(&tensor).map_err(failed)?;
    let by_channel = weight.iter().rev().skip(1).all(|&d| d == 1);
    if !learnable
        && by_channel
        && let Some(kind) = rescaling(&ordered, operator, constant_first).map_err(failed)?
    {
        return build.on(op, kind, Vec::new(), &x);
    }
    let Some(from) = from else {
        let kind = LayerKind::WithConstant(WithConstant {
            operator,
            constant_first,
        });
        let constant = new_weight("constant", ordered, None, false);
        return build.on(op, kind, vec![constant], &x);
    };
    let mut weights = Vec::new();
    if is_as_stored && keeps_order {
        weights.push(new_weight("operand", ordered, Some(from.clone()), true));
    } else {
        // All values of the weight as the file has them, and which of them belongs where.
        let whole = build.tensors.read(&from)?;
        let whole = whole.flatten_all().map_err(failed)?;
        let places = match places {
            Some(places) => places,
            None => memory::places(build, op, &Constant::new(tensor))?,
        };
        let places = arranged(&places).and_then(|p| p.to_dtype(DType::F32));
        if whole.elem_count() >= 1 << 24 {
            return Err(op.refuse("it rearranges a weight that is too large"));
        }
        weights.push(new_weight("operand", whole, Some(from.clone()), true));
        weights.push(new_weight("places", places.map_err(failed)?, None, false));
    }
    let kind = LayerKind::WeightOperator(WeightOperator {
        operator,
        weight_first: constant_first,
    });
    let mut new = NewLayer::of(op, kind, weights);
    new.name = from.name.chars().take(160).collect();
    if learnable {
        "Parameter".clone_into(&mut new.class);
    }
    let (node, dims) = build.call(op, new, vec![Input::Node(x.node)])?;
    Ok(Value { node, dims, ..x })
}

/// A constant of one number a channel.
fn rescaling(
    constant: &Tensor,
    operator: Operator,
    constant_first: bool,
) -> candle_core::Result<Option<LayerKind>> {
    let numbers = constant.flatten_all()?.to_vec1::<f32>()?;
    let scaled = |by: f32| numbers.iter().map(|n| by * n).collect::<Vec<f32>>();
    let (scale, offset) = match (operator, constant_first) {
        (Operator::Add, _) => (vec![1.0], numbers),
        (Operator::Subtract, false) => (vec![1.0], scaled(-1.0)),
        (Operator::Subtract, true) => (vec![-1.0], numbers),
        (Operator::Multiply, _) => (numbers, vec![0.0]),
        (Operator::Divide, false) => (numbers.iter().map(|n| 1.0 / n).collect(), vec![0.0]),
        _ => return Ok(None),
    };
    Ok(Some(LayerKind::Rescaling(Rescaling { scale, offset })))
}
