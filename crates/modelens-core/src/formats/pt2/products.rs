//! Products of values that both depend on the photo: attention.

use super::build::{Build, NewLayer};
use super::node::Op;
use super::value::{Known, Value};
use crate::formats::OpenError;
use crate::model::graph::Input;
use crate::model::layers::{LayerKind, Product};

/// The value of such an operator; `None` for other operators.
pub fn result<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Option<Value>, OpenError> {
    let (kind, count) = match op.op {
        "matmul" | "bmm" => (Product::Matrices, 2),
        "scaled_dot_product_attention" => (attention(build, op)?, 3),
        _ => return Ok(None),
    };
    let mut inputs = Vec::new();
    let mut outer: Option<(Value, Vec<Vec<usize>>)> = None;
    for at in 0..count {
        if !matches!(
            build.known(op, op.at(at), &at.to_string())?,
            Known::Value(_)
        ) {
            return Err(op.refuse("it multiplies with a weight in a way that is not supported"));
        }
        let x = build.value(op, at)?;
        if x.rank() < 3 {
            return Err(op.refuse("it multiplies values without an axis for the photos"));
        }
        let leading = x.axes[..x.rank() - 2].to_vec();
        let x = apart(&x);
        let natural: Vec<usize> = match build.batch_axis(op, &x)? {
            Some(0) => (1..x.rank()).collect(),
            _ => return Err(op.refuse("its first axis is not that of the photos")),
        };
        let x = build.arranged(op, &x, &natural, false)?;
        inputs.push(Input::Node(x.node));
        let lengths: Vec<usize> = leading.iter().map(Vec::len).collect();
        match &outer {
            None => outer = Some((x, leading)),
            Some((_, first)) if first.iter().map(Vec::len).ne(lengths) => {
                return Err(op.refuse("its inputs have different axes"));
            }
            Some(_) => {}
        }
    }
    let Some((first, leading)) = outer else {
        return Err(op.unknown());
    };
    let (node, dims) = build.call(
        op,
        NewLayer::of(op, LayerKind::Product(kind), Vec::new()),
        inputs,
    )?;
    // The axes before the last two are joined again as they were.
    let mut parts = first.axes.into_iter();
    let axes = leading
        .iter()
        .map(|list| parts.by_ref().take(list.len().max(1)).flatten().collect());
    let mut axes: Vec<Vec<usize>> = axes.collect();
    axes.extend([vec![dims.len() - 2], vec![dims.len() - 1]]);
    Ok(Some(Value { node, dims, axes }))
}

/// The value with the axes before the last two taken apart: photos and heads are often joined.
fn apart(x: &Value) -> Value {
    let (leading, last) = x.axes.split_at(x.rank() - 2);
    let single = |list: &Vec<usize>| match list.as_slice() {
        [] => vec![Vec::new()],
        many => many.iter().map(|&axis| vec![axis]).collect(),
    };
    let mut axes: Vec<Vec<usize>> = leading.iter().flat_map(single).collect();
    axes.extend_from_slice(last);
    Value { axes, ..x.clone() }
}

fn attention<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Product, OpenError> {
    if op.arg("attn_mask").is_some() || op.bool("is_causal", false)? {
        return Err(op.refuse("attention with a mask is not supported"));
    }
    let rate = op.float("dropout_p", 0.0)?;
    if rate > 0.0 {
        build.notes.push(format!(
            "`{}` drops attention weights in .train() at a rate of {rate}; here it does not",
            op.name
        ));
    }
    let q = build.value(op, 0)?;
    let width = q
        .rank()
        .checked_sub(1)
        .and_then(|axis| q.length(axis).count);
    let width = width.ok_or_else(|| op.refuse("the length of its queries is unknown"))?;
    let scale = op.float("scale", 1.0 / (width.max(1) as f64).sqrt())?;
    Ok(Product::Attention { scale })
}
