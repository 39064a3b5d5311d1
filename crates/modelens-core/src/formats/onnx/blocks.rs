//! Operators that move values between channels and blocks of pixels.

use super::build::Build;
use super::node::Op;
use super::value::Value;
use crate::formats::OpenError;
use crate::model::layers::{DepthSpace, LayerKind};

/// The layer of `DepthToSpace` or `SpaceToDepth`.
pub fn layer<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let x = build.image(op, x)?;
    let to_depth = op.node.op == "SpaceToDepth";
    let block = usize::try_from(op.int("blocksize", 0)?)
        .ok()
        .filter(|block| *block > 0)
        .ok_or_else(|| op.refuse("its `blocksize` is not above 0"))?;
    let channels_first = match op.text("mode") {
        // Only `DepthToSpace` has modes.
        "" | "DCR" => false,
        "CRD" if !to_depth => true,
        _ => return Err(op.refuse("its setting `mode` is not understood")),
    };
    let misfit = |what: &str, n: usize| {
        op.refuse(format!(
            "it cannot divide {n} {what} into blocks of {block} x {block} pixels"
        ))
    };
    let area = block.checked_mul(block);
    let area = area.ok_or_else(|| op.refuse("its `blocksize` is too large"))?;
    let scaled = |n: Option<usize>, grows: bool, factor: usize, what: &str| match n {
        None => Ok(None),
        Some(n) if grows => n
            .checked_mul(factor)
            .map(Some)
            .ok_or_else(|| misfit(what, n)),
        Some(n) if n.is_multiple_of(factor) => Ok(Some(n / factor)),
        Some(n) => Err(misfit(what, n)),
    };
    let dims = vec![
        None,
        scaled(x.dims[1], !to_depth, block, "rows")?,
        scaled(x.dims[2], !to_depth, block, "columns")?,
        scaled(x.dims[3], to_depth, area, "channels")?,
    ];
    let kind = LayerKind::DepthSpace(DepthSpace {
        block,
        to_depth,
        channels_first,
    });
    Ok(Value::image(build.on(op, kind, Vec::new(), &x), dims))
}
