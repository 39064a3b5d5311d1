//! Constants that are views of a weight or of each other, and operators that write into them.

use candle_core::{DType, Device, Tensor};

use super::build::Build;
use super::node::Op;
use super::value::{Constant, Known};
use crate::formats::OpenError;

/// The constant seen through `view`, which selects or rearranges values without computing any.
pub fn viewed<'a>(
    build: &mut Build<'a>,
    op: &Op<'a>,
    x: &Constant,
    keeps_order: bool,
    view: impl Fn(&Tensor) -> candle_core::Result<Tensor>,
) -> Result<Constant, OpenError> {
    let failed = |e: candle_core::Error| op.refuse(e.to_string());
    let seen = |tensor: &Tensor| view(tensor).and_then(|t| t.contiguous()).map_err(failed);
    let places = if keeps_order && x.places.is_none() {
        None
    } else {
        Some(seen(&places(build, op, x)?)?)
    };
    Ok(Constant {
        tensor: seen(&x.tensor)?,
        from: x.from.clone(),
        batch: x.batch,
        places,
        is_view: x.is_view,
    })
}

/// For each value its place in the weight or the memory.
pub fn places<'a>(build: &mut Build<'a>, op: &Op<'a>, x: &Constant) -> Result<Tensor, OpenError> {
    if let Some(places) = &x.places {
        return Ok(places.clone());
    }
    let count = x.tensor.elem_count();
    build.afford(op, count)?;
    let count = u32::try_from(count).map_err(|_| op.refuse("its weight is too large"))?;
    let places = Tensor::arange(0, count, &Device::Cpu).and_then(|p| p.reshape(x.tensor.dims()));
    places.map_err(|e| op.refuse(e.to_string()))
}

/// True if the values are all those of the weight, in the order of the file.
pub fn is_as_stored(build: &Build<'_>, x: &Constant) -> bool {
    let Some(places) = &x.places else {
        return true;
    };
    let count = x.from.as_ref().and_then(|from| build.tensors.count(from));
    let flat = places.flatten_all().and_then(|p| p.to_vec1::<u32>());
    let is_counted = |places: Vec<u32>| {
        let mut counted = places.iter().zip(0_u32..);
        counted.all(|(place, i)| *place == i)
    };
    count == Some(places.elem_count()) && flat.is_ok_and(is_counted)
}

/// An operator wrote `new` into the constant `own`: the constants in the same memory change with it.
pub fn written<'a>(
    build: &mut Build<'a>,
    op: &Op<'a>,
    own: &'a str,
    index: usize,
    new: &Known,
) -> Result<(), OpenError> {
    let root = build.flow.root(own);
    let names = build.known.keys().copied();
    let others = names.filter(|&name| {
        name != own && build.flow.root(name) == root && build.flow.is_read_after(name, index)
    });
    let others: Vec<&'a str> = others.collect();
    if others.is_empty() {
        if build.flow.is_read_after(own, index) {
            build.known.insert(own, new.clone());
        }
        return Ok(());
    }
    let failed = |e: candle_core::Error| op.refuse(e.to_string());
    let shared = || {
        op.refuse(
            "it writes into memory that other values are views of; write it without the underscore",
        )
    };
    let constant = |name: &str| match build.known.get(name) {
        Some(Known::Constant(constant)) if constant.is_view => Some(constant.clone()),
        _ => None,
    };
    let (Some(old), Some(memory), Known::Constant(new)) = (constant(own), constant(root), new)
    else {
        return Err(shared());
    };
    let others: Option<Vec<(&'a str, Constant)>> = others
        .into_iter()
        .map(|name| Some((name, constant(name)?)))
        .collect();
    let mut others = others.ok_or_else(shared)?;
    if memory.places.is_some() || new.tensor.elem_count() != old.tensor.elem_count() {
        return Err(shared());
    }
    let numbers = |tensor: &Tensor| -> Result<Vec<f64>, OpenError> {
        let flat = tensor.to_dtype(DType::F64).and_then(|t| t.flatten_all());
        flat.and_then(|t| t.to_vec1()).map_err(failed)
    };
    let at = |build: &mut Build<'a>, x: &Constant| -> Result<Vec<u32>, OpenError> {
        let places = places(build, op, x)?;
        places
            .flatten_all()
            .and_then(|p| p.to_vec1())
            .map_err(failed)
    };
    let mut values = numbers(&memory.tensor)?;
    for (place, value) in at(build, &old)?.into_iter().zip(numbers(&new.tensor)?) {
        *values.get_mut(place as usize).ok_or_else(shared)? = value;
    }
    others.push((own, old));
    if root != own {
        others.push((root, memory));
    }
    for (name, x) in others {
        let own = at(build, &x)?.into_iter();
        let own = own.map(|place| values.get(place as usize).copied());
        let own: Vec<f64> = own.collect::<Option<_>>().ok_or_else(shared)?;
        let tensor = Tensor::from_vec(own, x.tensor.dims(), &Device::Cpu)
            .and_then(|t| t.to_dtype(x.tensor.dtype()));
        let changed = Constant {
            tensor: tensor.map_err(failed)?,
            // The values of a weight are no longer its own.
            from: None,
            ..x
        };
        build.known.insert(name, Known::Constant(changed));
    }
    Ok(())
}
