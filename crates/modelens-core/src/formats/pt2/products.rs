//! Products of values that both depend on the photo: attention.

use candle_core::DType;

use super::arithmetic::{Operand, combined};
use super::build::{Build, NewLayer};
use super::node::Op;
use super::value::{Batch, Constant, Known, Value};
use crate::formats::OpenError;
use crate::model::graph::Input;
use crate::model::layers::{Activation, LayerKind, Merge, Noise, Operator, Product};

/// The value of such an operator; `None` for other operators.
pub fn result<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Option<Value>, OpenError> {
    let count = match op.op {
        "matmul" | "bmm" => 2,
        "scaled_dot_product_attention" => 3,
        _ => return Ok(None),
    };
    let mut values = Vec::new();
    for at in 0..count {
        match build.known(op, op.at(at), &at.to_string())? {
            Known::Value(value) => values.push(value),
            _ => {
                return Err(op.refuse("it multiplies with a weight in a way that is not supported"));
            }
        }
    }
    match values.as_slice() {
        [a, b] => product(build, op, Product::Matrices, &[a, b]).map(Some),
        [q, k, v] => attention(build, op, q, k, v).map(Some),
        _ => Ok(None),
    }
}

/// A product along the last two axes of its inputs.
fn product<'a>(
    build: &mut Build<'a>,
    op: &Op<'a>,
    kind: Product,
    inputs: &[&Value],
) -> Result<Value, OpenError> {
    let mut nodes = Vec::new();
    let mut outer: Option<(Vec<Vec<usize>>, Vec<usize>)> = None;
    for x in inputs {
        if x.rank() < 3 {
            return Err(op.refuse("it multiplies values without an axis for the photos"));
        }
        let (x, parts) = apart(x);
        let photos = photos_before_last(build, op, &x)?;
        let natural: Vec<usize> = (0..x.rank()).filter(|&axis| Some(axis) != photos).collect();
        let x = build.arranged(op, &x, &natural, false)?;
        nodes.push(Input::Node(x.node));
        match &outer {
            None => outer = Some((x.axes, parts)),
            Some((_, first)) if *first != parts => {
                return Err(op.refuse("its inputs have different axes"));
            }
            Some(_) => {}
        }
    }
    let Some((axes, parts)) = outer else {
        return Err(op.unknown());
    };
    let new = NewLayer::of(op, LayerKind::Product(kind), Vec::new());
    let (node, dims) = build.call(op, new, nodes)?;
    // The axes before the last two are joined again as they were.
    let mut own = axes.into_iter();
    let joined = parts
        .iter()
        .map(|&n| own.by_ref().take(n).flatten().collect());
    let mut axes: Vec<Vec<usize>> = joined.collect();
    axes.extend([vec![dims.len() - 2], vec![dims.len() - 1]]);
    Ok(Value { node, dims, axes })
}

/// The axis of the photos, which must be before the last two.
fn photos_before_last<'a>(
    build: &Build<'a>,
    op: &Op<'a>,
    x: &Value,
) -> Result<Option<usize>, OpenError> {
    let before = x.rank() - 2;
    if build.batch == Batch::One {
        return Ok(x.axes[..before].iter().position(Vec::is_empty));
    }
    match build.batch_axis(op, x)? {
        Some(0) => Ok(Some(0)),
        _ => Err(op.refuse("its first axis is not that of the photos")),
    }
}

/// The value with the photos apart from what shares their axis, such as heads and windows, and the number
/// of parts of each axis before the last two.
fn apart(x: &Value) -> (Value, Vec<usize>) {
    let (leading, last) = x.axes.split_at(x.rank() - 2);
    let (mut axes, mut parts) = (Vec::new(), Vec::new());
    for list in leading {
        let mut runs: Vec<Vec<usize>> = Vec::new();
        for (i, run) in list.split(|&axis| axis == 0).enumerate() {
            if i > 0 {
                runs.push(vec![0]);
            }
            if !run.is_empty() {
                runs.push(run.to_vec());
            }
        }
        if runs.is_empty() {
            runs.push(Vec::new());
        }
        parts.push(runs.len());
        axes.extend(runs);
    }
    axes.extend_from_slice(last);
    (Value { axes, ..x.clone() }, parts)
}

/// `softmax(scale q k^T + mask) v`. Without a mask and without dropout it is one layer.
fn attention<'a>(
    build: &mut Build<'a>,
    op: &Op<'a>,
    q: &Value,
    k: &Value,
    v: &Value,
) -> Result<Value, OpenError> {
    if op.bool("is_causal", false)? || op.bool("enable_gqa", false)? {
        return Err(op.refuse("its arguments `is_causal` and `enable_gqa` are not supported"));
    }
    let rate = op.float("dropout_p", 0.0)?;
    if !(0.0..=1.0).contains(&rate) {
        return Err(op.refuse(format!("its rate is {rate}, and not a share from 0 to 1")));
    }
    let width = q
        .rank()
        .checked_sub(1)
        .and_then(|axis| q.length(axis).count);
    let width = width.ok_or_else(|| op.refuse("the length of its queries is unknown"))?;
    let scale = op.float("scale", 1.0 / (width.max(1) as f64).sqrt())?;
    let mask = match op.arg("attn_mask") {
        None => None,
        arg => Some(build.known(op, arg, "attn_mask")?),
    };
    if mask.is_none() && rate == 0.0 {
        return product(build, op, Product::Attention { scale }, &[q, k, v]);
    }
    let value = |value: Value| Operand::Known(Known::Value(value));
    let by = Operand::Number(scale);
    let q = combined(
        build,
        op,
        value(q.clone()),
        by,
        1.0,
        None,
        Operator::Multiply,
    )?;
    let mut transposed = k.clone();
    let rank = transposed.rank();
    if rank < 3 {
        return Err(op.refuse("it multiplies values without an axis for the photos"));
    }
    transposed.axes.swap(rank - 1, rank - 2);
    let mut scores = product(build, op, Product::Matrices, &[&q, &transposed])?;
    if let Some(mask) = mask {
        let mask = match mask {
            Known::Value(_) => mask,
            other => Known::Constant(added(build, op, other)?),
        };
        let (mask, add) = (Operand::Known(mask), Some(Merge::Add));
        scores = combined(build, op, value(scores), mask, 1.0, add, Operator::Add)?;
    }
    let scores = build.last(op, &scores, &[scores.rank() - 1])?;
    let kind = LayerKind::Activation(Activation::Softmax);
    let mut shares = build.on(op, kind, Vec::new(), &scores)?;
    if rate > 0.0 {
        build.seen(&op.name, true);
        let noise = Noise::Dropout {
            rate,
            noise_shape: None,
        };
        let mut new = NewLayer::of(op, LayerKind::Noise(noise), Vec::new());
        new.name = format!("{}.dropout", op.name);
        "dropout".clone_into(&mut new.class);
        shares.node = build.call(op, new, vec![Input::Node(shares.node)])?.0;
    }
    product(build, op, Product::Matrices, &[&shares, v])
}

/// A mask as what it adds to the scores: where it is false, minus infinity.
fn added<'a>(build: &mut Build<'a>, op: &Op<'a>, mask: Known) -> Result<Constant, OpenError> {
    let constant = build.constant(op, mask, "attn_mask")?;
    if constant.tensor.dtype() == DType::F32 {
        return Ok(constant);
    }
    let kept = constant.tensor.ne(0.0).and_then(|kept| {
        let zeros = kept.zeros_like()?.to_dtype(DType::F32)?;
        let lowest = zeros.affine(0.0, f64::NEG_INFINITY)?;
        kept.where_cond(&zeros, &lowest)
    });
    Ok(Constant::new(kept.map_err(|e| op.refuse(e.to_string()))?))
}
