//! Windows that move over an image, and its borders.

use super::build::Build;
use super::node::Op;
use super::value::Value;
use crate::formats::OpenError;
use crate::model::graph::Input;
use crate::model::layers::{GlobalPool2d, LayerKind, Padding, Pool2d, Pooling, ZeroPadding2d};
use modelens_kernels::window::Window;

/// The layer of one of these nodes.
pub fn layer<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let x = build.image(op, x)?;
    match op.node.op {
        "GlobalAveragePool" | "GlobalMaxPool" => {
            let pooling = match op.node.op {
                "GlobalMaxPool" => Pooling::Max,
                _ => Pooling::Average,
            };
            let kind = LayerKind::GlobalPool2d(GlobalPool2d {
                pooling,
                keep_dims: true,
            });
            let node = build.on(op, kind, Vec::new(), &x);
            let dims = vec![None, Some(1), Some(1), x.dims[3]];
            Ok(Value::image(node, dims))
        }
        "Pad" => pad(build, op, &x),
        _ => pool(build, op, x),
    }
}

/// How the window of a node meets the border.
pub fn padding(
    op: &Op<'_, '_>,
    x: &Value,
    size: [usize; 2],
    strides: [usize; 2],
    dilation: [usize; 2],
) -> Result<Padding, OpenError> {
    // In the file `[top, left, bottom, right]`.
    let [top, left, bottom, right] = op.steps("pads", 0, 0)?;
    let ceil = op.int("ceil_mode", 0)? != 0;
    match op.text("auto_pad") {
        "" | "NOTSET" => Ok(match [top, bottom, left, right] {
            [0, 0, 0, 0] if !ceil => Padding::Valid,
            [a, b, c, d] if !ceil && a == b && b == c && c == d => Padding::Around(a),
            pixels => Padding::Sides { pixels, ceil },
        }),
        "VALID" => Ok(Padding::Valid),
        "SAME_UPPER" => Ok(Padding::Same),
        "SAME_LOWER" => {
            let side = |axis: usize| -> Result<[usize; 2], OpenError> {
                let n = x.dims[axis + 1].ok_or_else(|| {
                    op.refuse("its padding SAME_LOWER needs photos of a fixed size")
                })?;
                let window =
                    Window::new(n, size[axis], strides[axis], dilation[axis], Padding::Same);
                let window = window.map_err(|e| op.refuse(e.to_string()))?;
                let reach = (size[axis] - 1) * dilation[axis] + 1;
                let total = ((window.output.max(1) - 1) * strides[axis] + reach).saturating_sub(n);
                Ok([total - total / 2, total / 2])
            };
            let ([top, bottom], [left, right]) = (side(0)?, side(1)?);
            Ok(Padding::Sides {
                pixels: [top, bottom, left, right],
                ceil: false,
            })
        }
        _ => Err(op.refuse("its setting `auto_pad` is not understood")),
    }
}

/// The dimensions behind a window.
pub fn moved(
    op: &Op<'_, '_>,
    x: &Value,
    size: [usize; 2],
    strides: [usize; 2],
    dilation: [usize; 2],
    padding: Padding,
    channels: usize,
) -> Result<Vec<Option<usize>>, OpenError> {
    let side = |axis: usize, padding: Padding| {
        let window = x.dims[axis + 1].map(|n| {
            let window = Window::new(n, size[axis], strides[axis], dilation[axis], padding);
            window
                .map(|w| w.output)
                .map_err(|e| op.refuse(e.to_string()))
        });
        window.transpose()
    };
    let (h, w) = (side(0, padding)?, side(1, padding.transposed())?);
    Ok(vec![None, h, w, Some(channels)])
}

fn pool<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>, mut x: Value) -> Result<Value, OpenError> {
    let size = op.steps("kernel_shape", 1, 0)?;
    if size.contains(&0) {
        return Err(op.refuse("its setting `kernel_shape` is missing"));
    }
    let strides = op.steps("strides", 1, 1)?;
    if op.steps("dilations", 1, 1)? != [1, 1] {
        return Err(op.refuse("pooling with gaps (`dilations`) is not supported"));
    }
    let pooling = match op.node.op {
        "MaxPool" => Pooling::Max,
        _ => Pooling::Average,
    };
    let mut padding = padding(op, &x, size, strides, [1, 1])?;
    if pooling == Pooling::Average && op.int("count_include_pad", 0)? != 0 {
        // Zeros that count are part of the image.
        let (amounts, ceil) = match padding {
            Padding::Around(n) => ([n; 4], false),
            Padding::Sides { pixels, ceil } => (pixels, ceil),
            Padding::Valid => ([0; 4], false),
            Padding::Same => {
                return Err(
                    op.refuse("zeros that count, with automatic padding, are not supported")
                );
            }
        };
        if amounts != [0; 4] {
            x = padded(build, op, &x, amounts)?;
        }
        padding = if ceil {
            Padding::Sides {
                pixels: [0; 4],
                ceil,
            }
        } else {
            Padding::Valid
        };
    }
    let mut dims = moved(op, &x, size, strides, [1, 1], padding, 1)?;
    dims[3] = x.dims[3];
    let kind = LayerKind::Pool2d(Pool2d {
        pooling,
        size,
        strides,
        padding,
    });
    let node = build.on(op, kind, Vec::new(), &x);
    Ok(Value::image(node, dims))
}

/// Zeros around the image: `[top, bottom, left, right]`.
fn padded<'a>(
    build: &mut Build<'a>,
    op: &Op<'_, 'a>,
    x: &Value,
    amounts: [usize; 4],
) -> Result<Value, OpenError> {
    let [top, bottom, left, right] = amounts;
    let sum = |n: usize, a: usize, b: usize| n.checked_add(a).and_then(|n| n.checked_add(b));
    let side = |n: Option<usize>, a, b| match n {
        None => Ok(None),
        Some(n) => sum(n, a, b)
            .map(Some)
            .ok_or_else(|| op.refuse("it pads too much")),
    };
    let dims = vec![
        None,
        side(x.dims[1], top, bottom)?,
        side(x.dims[2], left, right)?,
        x.dims[3],
    ];
    let name = format!("{}.pad", op.name);
    let kind = LayerKind::ZeroPadding2d(ZeroPadding2d { pixels: amounts });
    let node = build.emit(&name, "Pad", kind, Vec::new(), vec![Input::Node(x.node)]);
    Ok(Value::image(node, dims))
}

fn pad<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>, x: &Value) -> Result<Value, OpenError> {
    if !matches!(op.text("mode"), "" | "constant") {
        return Err(op.refuse("only padding with zeros is supported"));
    }
    let by_input = build.constant(op, 1)?;
    let pads = match (op.ints("pads")?, by_input) {
        (Some(pads), _) => pads,
        (None, Some(pads)) => pads.ints()?,
        (None, None) => return Err(op.refuse("its pads are missing")),
    };
    let value = match build.constant(op, 2)? {
        Some(value) => value.number()?,
        None => op.float("value", 0.0)?,
    };
    let axes = match build.constant(op, 3)? {
        Some(axes) => axes.ints()?,
        None => vec![0, 1, 2, 3],
    };
    if pads.len() != 2 * axes.len() {
        return Err(op.refuse("its pads do not fit its axes"));
    }
    let mut amounts = [0; 4];
    for (i, axis) in axes.iter().enumerate() {
        let pair = [pads[i], pads[i + axes.len()]];
        let pair = pair.map(|n| usize::try_from(n).ok().filter(|&n| n <= 1 << 16));
        let [Some(before), Some(after)] = pair else {
            return Err(op.refuse("it cuts pixels off, which is not supported"));
        };
        match op.axis(*axis, 4)? {
            2 => (amounts[0], amounts[1]) = (before, after),
            3 => (amounts[2], amounts[3]) = (before, after),
            _ if before + after == 0 => {}
            _ => return Err(op.refuse("it pads another axis than height and width")),
        }
    }
    if value != 0.0 && amounts != [0; 4] {
        return Err(op.refuse("only padding with zeros is supported"));
    }
    padded(build, op, x, amounts)
}
