//! Windows that move over an image, its borders, and reductions over it.

use super::build::{Build, NewLayer};
use super::node::Op;
use super::value::Value;
use crate::formats::OpenError;
use crate::model::graph::Input;
use crate::model::layers::{
    AdaptivePool2d, Cropping2d, GlobalPool2d, LayerKind, Padding, Pool2d, Pooling, Reduce,
    Reduction, Roll, UpSampling2d, ZeroPadding2d,
};

/// The value of such an operator; `None` for other operators.
pub fn result<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Option<Value>, OpenError> {
    let value = match op.op {
        "max_pool2d" | "max_pool2d_with_indices" => pool(build, op, Pooling::Max),
        "avg_pool2d" => pool(build, op, Pooling::Average),
        "adaptive_avg_pool2d" | "_adaptive_avg_pool2d" => adaptive(build, op, Pooling::Average),
        "adaptive_max_pool2d" => adaptive(build, op, Pooling::Max),
        "adaptive_avg_pool1d" => global_line(build, op),
        "mean" => reduce_input(build, op, Reduction::Mean),
        "sum" => reduce_input(build, op, Reduction::Sum),
        "amax" => reduce_input(build, op, Reduction::Max),
        "amin" => reduce_input(build, op, Reduction::Min),
        "roll" => rolled(build, op),
        "pad" | "constant_pad_nd" => pad(build, op),
        "upsample_nearest2d" | "upsample_bilinear2d" => enlarged(build, op),
        _ => return Ok(None),
    };
    value.map(Some)
}

/// The border rule of a window with this padding along height and width.
pub fn around([rows, cols]: [usize; 2], ceil: bool) -> Padding {
    match (rows, cols) {
        (0, 0) if !ceil => Padding::Valid,
        (a, b) if !ceil && a == b => Padding::Around(a),
        _ => Padding::Sides {
            pixels: [rows, rows, cols, cols],
            ceil,
        },
    }
}

fn pool<'a>(build: &mut Build<'a>, op: &Op<'a>, pooling: Pooling) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let mut x = build.image(op, &x)?;
    let size = op.pair("kernel_size", 1, 0)?;
    if size.contains(&0) {
        return Err(op.refuse("its argument `kernel_size` is missing"));
    }
    let strides = match op.ints("stride")? {
        Some(list) if !list.is_empty() => op.pair("stride", 1, 1)?,
        _ => size,
    };
    if op.pair("dilation", 1, 1)? != [1, 1] {
        return Err(op.refuse("pooling with gaps (dilation) is not supported"));
    }
    if op.arg("divisor_override").is_some() {
        return Err(op.refuse("its argument `divisor_override` is not supported"));
    }
    let [rows, cols] = op.pair("padding", 0, 0)?;
    let ceil = op.bool("ceil_mode", false)?;
    let counts = pooling == Pooling::Average && op.bool("count_include_pad", true)?;
    let padding = if counts && [rows, cols] != [0, 0] {
        // Zeros that count are part of the image.
        x = padded(build, op, &x, [rows, rows, cols, cols], "pad")?;
        around([0, 0], ceil)
    } else {
        around([rows, cols], ceil)
    };
    let kind = LayerKind::Pool2d(Pool2d {
        pooling,
        size,
        strides,
        padding,
    });
    build.on(op, kind, Vec::new(), &x)
}

fn adaptive<'a>(build: &mut Build<'a>, op: &Op<'a>, pooling: Pooling) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let x = build.image(op, &x)?;
    let output = op.pair("output_size", 1, 0)?;
    if output.contains(&0) {
        return Err(op.refuse("its argument `output_size` is not understood"));
    }
    let kind = if output == [1, 1] {
        LayerKind::GlobalPool2d(GlobalPool2d {
            pooling,
            keep_dims: true,
        })
    } else {
        LayerKind::AdaptivePool2d(AdaptivePool2d { pooling, output })
    };
    build.on(op, kind, Vec::new(), &x)
}

/// The mean over the last axis.
fn global_line<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Value, OpenError> {
    if op.ints("output_size")?.as_deref() != Some(&[1]) {
        return Err(op.refuse("only an output size of 1 is supported"));
    }
    let x = build.value(op, 0)?;
    let axis = x.rank().saturating_sub(1);
    reduced(build, op, &x, Reduction::Mean, &[axis], true)
}

fn reduce_input<'a>(build: &mut Build<'a>, op: &Op<'a>, by: Reduction) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    reduce(build, op, &x, by)
}

/// Over the axes that the node names.
pub fn reduce<'a>(
    build: &mut Build<'a>,
    op: &Op<'a>,
    x: &Value,
    by: Reduction,
) -> Result<Value, OpenError> {
    let named = op.ints("dim")?.filter(|axes| !axes.is_empty());
    let named = named.ok_or_else(|| op.refuse("it reduces over the photos of the batch too"))?;
    let axes = op.axes(&named, x.rank())?;
    reduced(build, op, x, by, &axes, op.bool("keepdim", false)?)
}

fn reduced<'a>(
    build: &mut Build<'a>,
    op: &Op<'a>,
    x: &Value,
    by: Reduction,
    axes: &[usize],
    keep_dims: bool,
) -> Result<Value, OpenError> {
    let photos = build.photos(op, x)?;
    if photos.is_some_and(|photos| axes.contains(&photos)) {
        return Err(op.refuse("it reduces over the photos of the batch too"));
    }
    let x = build.simple(op, x)?;
    let mut inner: Vec<usize> = axes.iter().flat_map(|&axis| x.axes[axis].clone()).collect();
    inner.sort_unstable();
    let pooling = match by {
        Reduction::Mean => Some(Pooling::Average),
        Reduction::Max => Some(Pooling::Max),
        Reduction::Sum | Reduction::Min => None,
    };
    let kind = match pooling {
        Some(pooling) if inner == [1, 2] && x.dims.len() == 4 => {
            LayerKind::GlobalPool2d(GlobalPool2d { pooling, keep_dims })
        }
        _ => LayerKind::Reduce(Reduce {
            by,
            axes: inner.iter().map(|&axis| axis as i64).collect(),
            keep_dims,
        }),
    };
    let mut y = build.on(op, kind, Vec::new(), &x)?;
    if !keep_dims {
        let kept = y
            .axes
            .iter()
            .enumerate()
            .filter(|(axis, _)| !axes.contains(axis));
        let moved = |&axis: &usize| axis - inner.iter().filter(|&&gone| gone < axis).count();
        y.axes = kept
            .map(|(_, list)| list.iter().map(moved).collect())
            .collect();
    }
    Ok(y)
}

/// `torch.roll`: values that leave an axis enter at its other end.
fn rolled<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let (Some(by), Some(named)) = (op.ints("shifts")?, op.ints("dims")?) else {
        return Err(op.refuse("it rolls all axes as one, which is not supported"));
    };
    if by.len() != named.len() || named.is_empty() {
        return Err(op.refuse("it rolls all axes as one, which is not supported"));
    }
    let photos = build.photos(op, &x)?;
    let x = build.simple(op, &x)?;
    let mut shifts = vec![0; x.dims.len() - 1];
    for (axis, by) in named.into_iter().zip(by) {
        let axis = op.axis(axis, x.rank())?;
        if photos == Some(axis) {
            return Err(op.refuse("it rolls the photos of the batch"));
        }
        let here: &mut i64 = &mut shifts[x.axes[axis][0] - 1];
        *here = here.saturating_add(by);
    }
    build.on(op, LayerKind::Roll(Roll { shifts }), Vec::new(), &x)
}

/// Zeros around an image `[N, H, W, C]`: `[top, bottom, left, right]`.
fn padded<'a>(
    build: &mut Build<'a>,
    op: &Op<'a>,
    x: &Value,
    pixels: [usize; 4],
    what: &str,
) -> Result<Value, OpenError> {
    let kind = LayerKind::ZeroPadding2d(ZeroPadding2d { pixels });
    let mut new = NewLayer::of(op, kind, Vec::new());
    if !what.is_empty() {
        new.name = format!("{}.{what}", op.name);
        what.clone_into(&mut new.class);
        new.listed = false;
    }
    let (node, dims) = build.call(op, new, vec![Input::Node(x.node)])?;
    Ok(Value {
        node,
        dims,
        axes: x.axes.clone(),
    })
}

/// The image `[N, H, W, C]` without its border: `[top, bottom, left, right]`.
pub fn cropped<'a>(
    build: &mut Build<'a>,
    op: &Op<'a>,
    x: Value,
    pixels: [usize; 4],
) -> Result<Value, OpenError> {
    if pixels == [0; 4] {
        return Ok(x);
    }
    let mut new = NewLayer::of(op, LayerKind::Cropping2d(Cropping2d { pixels }), Vec::new());
    new.name = format!("{}.crop", op.name);
    "crop".clone_into(&mut new.class);
    new.listed = false;
    let (node, dims) = build.call(op, new, vec![Input::Node(x.node)])?;
    Ok(Value { node, dims, ..x })
}

/// `F.pad`: pairs of pixels before and after, the last axis first.
fn pad<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let pads = op.ints("pad")?.unwrap_or_default();
    if let Some(mode) = op.text("mode").filter(|mode| *mode != "constant") {
        let mode: String = mode.chars().take(40).collect();
        return Err(op.refuse(format!(
            "padding with `{mode}` is not supported; only zeros are"
        )));
    }
    if pads.iter().all(|&n| n == 0) {
        return Ok(x);
    }
    if op.float("value", 0.0)? != 0.0 {
        return Err(op.refuse("only padding with zeros is supported"));
    }
    let rank = x.rank();
    let misfit = || op.refuse("it pads another axis than height and width");
    // By axis of the program: how many zeros come before and after.
    let mut sides = vec![[0_usize; 2]; rank];
    for (i, &n) in pads.iter().enumerate() {
        let axis = (rank.checked_sub(1 + i / 2)).ok_or_else(misfit)?;
        sides[axis][i % 2] = match n {
            0..=65_536 => n as usize,
            _ => return Err(op.refuse("it cuts pixels off, which is not supported")),
        };
    }
    let photos = build.photos(op, &x)?;
    let x = build.simple(op, &x)?;
    if x.dims.len() != 4 || photos.is_some_and(|axis| sides[axis] != [0, 0]) {
        return Err(misfit());
    }
    let mut order: Vec<usize> = (0..rank).filter(|&axis| Some(axis) != photos).collect();
    order.sort_by_key(|&axis| x.axes[axis].first().copied());
    if order.len() != 3 {
        return Err(misfit());
    }
    if sides[order[2]] != [0, 0] {
        // The axes with zeros come before the others.
        order.sort_by_key(|&axis| sides[axis] == [0, 0]);
    }
    let [first, second, third] = [order[0], order[1], order[2]];
    if sides[third] != [0, 0] {
        return Err(misfit());
    }
    let x = build.arranged(op, &x, &order, false)?;
    let ([top, bottom], [left, right]) = (sides[first], sides[second]);
    padded(build, op, &x, [top, bottom, left, right], "")
}

/// `F.interpolate` by whole factors.
fn enlarged<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let x = build.image(op, &x)?;
    if op.bool("align_corners", false)? {
        return Err(op.refuse("align_corners=True is not supported; interpolate without it"));
    }
    let odd = || op.refuse("only enlarging by whole factors is supported");
    let size = match (op.ints("output_size")?, op.arg("scale_factors")) {
        (Some(size), _) => {
            let factor = |axis: usize| {
                let to = usize::try_from(*size.get(axis)?).ok()?;
                let from = x.dims[axis + 1].filter(|&n| n > 0)?;
                to.is_multiple_of(from).then_some(to / from)
            };
            [factor(0).ok_or_else(odd)?, factor(1).ok_or_else(odd)?]
        }
        (None, Some(super::schema::Argument::AsFloats(factors))) => {
            let factor = |axis: usize| {
                let by = factors.get(axis)?.0;
                (by.fract() == 0.0 && (1.0..=65_536.0).contains(&by)).then_some(by as usize)
            };
            [factor(0).ok_or_else(odd)?, factor(1).ok_or_else(odd)?]
        }
        _ => return Err(odd()),
    };
    let kind = LayerKind::UpSampling2d(UpSampling2d {
        size,
        bilinear: op.op == "upsample_bilinear2d",
    });
    if size.contains(&0) {
        return Err(odd());
    }
    build.on(op, kind, Vec::new(), &x)
}
