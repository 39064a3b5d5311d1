//! Joins values with each other, and with weights such as class tokens.

use candle_core::DType;

use super::build::{Build, NewLayer, new_weight};
use super::memory;
use super::node::Op;
use super::schema::Argument;
use super::value::{Constant, Known, Value};
use crate::formats::OpenError;
use crate::model::graph::Input;
use crate::model::layers::{InsertTokens, LayerKind, Merge};

/// `torch.cat` of values of which at least one depends on the photo.
pub fn concatenated<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Value, OpenError> {
    let Some(Argument::AsTensors(list)) = op.at(0) else {
        return Err(op.refuse("its inputs are not understood"));
    };
    let known = list.iter().map(|tensor| {
        let arg = Argument::AsTensor(tensor.clone());
        build.known(op, Some(&arg), "tensors")
    });
    let known = known.collect::<Result<Vec<_>, _>>()?;
    let mut values = known.iter().filter_map(|known| match known {
        Known::Value(value) => Some(value),
        _ => None,
    });
    let Some(first) = values.next().cloned() else {
        return Err(op.refuse("it joins nothing that depends on the photo"));
    };
    let axis = op.axis(op.int("dim", 0)?, first.rank())?;
    let photos = build.photos(op, &first)?;
    if photos == Some(axis) {
        return Err(op.refuse("it joins values along the batch axis"));
    }
    let alike = |value: &Value| value.rank() == first.rank();
    if !values.all(alike) {
        return Err(op.refuse("it joins values with different numbers of axes"));
    }
    let first = build.simple(op, &first)?;
    let mut order: Vec<usize> = (0..first.rank()).filter(|&a| Some(a) != photos).collect();
    order.sort_by_key(|&a| first.axes[a].first().copied());
    if known.iter().all(|known| matches!(known, Known::Value(_))) {
        let mut inputs = Vec::new();
        for known in known {
            let Known::Value(value) = known else { continue };
            if build.photos(op, &value)? != photos {
                return Err(op.refuse("it joins values with the photos along different axes"));
            }
            let value = build.arranged(op, &value, &order, false)?;
            inputs.push(Input::Node(value.node));
        }
        let kind = LayerKind::Merge(Merge::Concatenate(first.axes[axis][0] as i64));
        let (node, dims) = build.call(op, NewLayer::of(op, kind, Vec::new()), inputs)?;
        return Ok(Value {
            node,
            dims,
            ..first
        });
    }
    // With a weight: the axis along which they are joined comes first here.
    order.retain(|&a| a != axis);
    order.insert(0, axis);
    if photos.is_some_and(|photos| first.axes[photos].iter().any(|&a| a != 0)) {
        return Err(op.refuse("it joins a weight with parts of photos, which is not supported"));
    }
    let mut joined: Option<Value> = None;
    let mut before = Vec::new();
    for known in known {
        match known {
            Known::Value(value) => {
                let value = build.arranged(op, &value, &order, false)?;
                joined = Some(match joined {
                    None => value,
                    Some(others) => {
                        let kind = LayerKind::Merge(Merge::Concatenate(1));
                        let inputs = vec![Input::Node(others.node), Input::Node(value.node)];
                        let new = NewLayer::of(op, kind, Vec::new());
                        let (node, dims) = build.call(op, new, inputs)?;
                        Value {
                            node,
                            dims,
                            ..others
                        }
                    }
                });
            }
            other => {
                let constant = build.constant(op, other, "tensors")?;
                match joined.take() {
                    None => before.push(constant),
                    Some(value) => {
                        let at = value.dims[1];
                        let at =
                            at.ok_or_else(|| op.refuse("the size of its input is left open"))?;
                        joined = Some(inserted(build, op, value, constant, &order, at)?);
                    }
                }
            }
        }
    }
    let mut joined = joined.ok_or_else(|| op.refuse("it joins nothing"))?;
    for constant in before.into_iter().rev() {
        joined = inserted(build, op, joined, constant, &order, 0)?;
    }
    Ok(joined)
}

/// The value, whose axes are here in this order, with a constant before place `at` of the first of them.
fn inserted<'a>(
    build: &mut Build<'a>,
    op: &Op<'a>,
    x: Value,
    constant: Constant,
    order: &[usize],
    at: usize,
) -> Result<Value, OpenError> {
    let failed = |e: candle_core::Error| op.refuse(e.to_string());
    let is_as_stored = memory::is_as_stored(build, &constant);
    let Constant { tensor, from, .. } = constant;
    let photos = build.photos(op, &x)?;
    if tensor.rank() != x.rank() || photos.is_some_and(|axis| tensor.dims()[axis] != 1) {
        return Err(
            op.refuse("it joins a weight that has other axes, or that differs from photo to photo")
        );
    }
    let full: Vec<usize> = photos.into_iter().chain(order.iter().copied()).collect();
    let long = full.iter().filter(|&&axis| tensor.dims()[axis] != 1);
    let from = from.filter(|_| is_as_stored && long.is_sorted());
    let tensor = tensor
        .permute(full)
        .and_then(|t| t.contiguous())
        .map_err(failed)?;
    let dims = tensor.dims()[tensor.rank() - order.len()..].to_vec();
    let tensor = tensor
        .reshape(dims)
        .and_then(|t| t.to_dtype(DType::F32))
        .map_err(failed)?;
    let kind = LayerKind::InsertTokens(InsertTokens { at });
    let learnable = from.is_some();
    let name = from.as_ref().map(|from| from.name.clone());
    let mut new = NewLayer::of(
        op,
        kind,
        vec![new_weight("tokens", tensor, from, learnable)],
    );
    if let Some(name) = name {
        new.name = name.chars().take(160).collect();
        "Parameter".clone_into(&mut new.class);
    }
    let (node, dims) = build.call(op, new, vec![Input::Node(x.node)])?;
    Ok(Value { node, dims, ..x })
}
