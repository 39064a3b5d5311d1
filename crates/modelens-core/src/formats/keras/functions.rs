//! Functions called on tensors, in the names of Keras 3's operators and of TensorFlow: of single values,
//! over axes, and those that only move values.

use serde_json::Value;

use super::classes::shape_of;
use super::settings::{Settings, numbers};
use crate::formats::OpenError;
use crate::model::layers::{
    Activation, ExpandDims, LayerKind, Merge, Operator, Permute, Reduce, Reduction, Reshape,
    Squeeze, ZeroPadding2d,
};

/// The arguments beside the tensors: an operator's settings (Keras 3), or what is written at its call
/// (Keras 2).
pub(super) struct Given<'a> {
    pub settings: Settings<'a>,
    pub get: &'a dyn Fn(&str) -> Option<&'a Value>,
}

impl<'a> Given<'a> {
    fn value(&self, keys: &[&str]) -> Option<&'a Value> {
        keys.iter().find_map(|key| (self.get)(key))
    }

    fn number(&self, keys: &[&str], default: f64) -> Result<f64, OpenError> {
        match self.value(keys) {
            None => Ok(default),
            Some(value) => match numbers(value).as_deref() {
                Some([x]) if x.is_finite() => Ok(*x),
                _ => Err(self.odd(keys)),
            },
        }
    }

    fn odd(&self, keys: &[&str]) -> OpenError {
        self.settings
            .refuse(format!("its argument `{}` is not understood", keys[0]))
    }

    /// Axes as written, the batch axis being 0.
    fn axes(&self) -> Result<Vec<i64>, OpenError> {
        let axes = self.value(&["axis", "axes"]).and_then(numbers);
        let axes = axes.filter(|a| a.iter().all(|x| x.fract() == 0.0 && x.abs() < 64.0));
        let axes = axes.ok_or_else(|| {
            self.settings
                .refuse("it does not say over which axes, or not in a way that is supported")
        })?;
        Ok(axes.into_iter().map(|x| x as i64).collect())
    }

    fn axis(&self) -> Result<i64, OpenError> {
        match self.axes()?.as_slice() {
            [one] => Ok(*one),
            _ => Err(self.odd(&["axis"])),
        }
    }

    fn last_axis(&self) -> Result<(), OpenError> {
        if self.value(&["axis"]).is_none() || self.axes()? == [-1] {
            return Ok(());
        }
        Err(self.settings.refuse("only the last axis is supported"))
    }
}

/// What the function of this name computes, with or without TensorFlow's `math.` or `nn.` in front;
/// `None` for one that is not known.
#[allow(clippy::too_many_lines, reason = "one arm a function")]
pub(super) fn named(name: &str, given: &Given) -> Result<Option<LayerKind>, OpenError> {
    let function = |f| Ok(Some(LayerKind::Activation(f)));
    let plain = |kind| Ok(Some(kind));
    let reduce = |by| {
        let keep = given.value(&["keepdims", "keep_dims"]);
        Ok(Some(LayerKind::Reduce(Reduce {
            by,
            axes: given.axes()?,
            keep_dims: keep.and_then(Value::as_bool).unwrap_or(false),
        })))
    };
    match name {
        "absolute" | "abs" => function(Activation::Abs),
        "negative" => function(Activation::Negative),
        "square" => function(Activation::Square),
        "sqrt" => function(Activation::Sqrt),
        "rsqrt" => function(Activation::Rsqrt),
        "log" => function(Activation::Log),
        "reciprocal" => function(Activation::Reciprocal),
        "logsigmoid" | "log_sigmoid" => function(Activation::LogSigmoid),
        "exp" => Ok(Some(LayerKind::Activation(Activation::Exponential))),
        "power" | "pow" => Ok(Some(LayerKind::Operator(Operator::Power))),
        "clip" | "clip_by_value" => {
            let low = given.number(&["x_min", "clip_value_min"], f64::MIN)?;
            let high = given.number(&["x_max", "clip_value_max"], f64::MAX)?;
            function(Activation::Clip(low as f32, high as f32))
        }
        "leakyrelu" | "leaky_relu" => {
            let slope = given.number(&["negative_slope", "alpha"], 0.2)? as f32;
            Ok(Some(LayerKind::Activation(Activation::Relu {
                max_value: None,
                negative_slope: slope,
                threshold: 0.0,
            })))
        }
        "gelu" => {
            let written = given.value(&["approximate"]).and_then(Value::as_bool);
            // Keras 3's operator approximates unless told otherwise, TensorFlow's function does not.
            let approximate = written.unwrap_or(given.settings.get("approximate").is_some());
            Ok(Some(LayerKind::Activation(Activation::Gelu {
                approximate,
            })))
        }
        "logsoftmax" | "log_softmax" => {
            given.last_axis()?;
            function(Activation::LogSoftmax)
        }
        "normalize" | "l2_normalize" => {
            given.last_axis()?;
            if given.number(&["order"], 2.0)? != 2.0 {
                return Err(given.odd(&["order"]));
            }
            Ok(Some(LayerKind::UnitNorm))
        }
        "mean" | "reduce_mean" => reduce(Reduction::Mean),
        "sum" | "reduce_sum" => reduce(Reduction::Sum),
        "max" | "reduce_max" => reduce(Reduction::Max),
        "min" | "reduce_min" => reduce(Reduction::Min),
        "concatenate" | "concat" => Ok(Some(LayerKind::Merge(Merge::Concatenate(given.axis()?)))),
        "reshape" => {
            let shape = given.value(&["newshape", "shape"]);
            let shape = shape
                .and_then(shape_of)
                .ok_or_else(|| given.odd(&["shape"]))?;
            match shape.split_first() {
                // The number of images stays open.
                Some((None, rest)) => plain(LayerKind::Reshape(Reshape {
                    target: rest.to_vec(),
                })),
                _ => Err(given.settings.refuse(
                    "it reshapes the batch axis to a fixed length, which is not supported",
                )),
            }
        }
        "transpose" => {
            let order = given.value(&["axes", "perm"]).and_then(numbers);
            let order = order.unwrap_or_default();
            let inner = |x: &f64| (1.0..64.0).contains(x).then(|| *x as usize - 1);
            match order.split_first() {
                Some((0.0, rest)) => {
                    let rest: Option<Vec<usize>> = rest.iter().map(inner).collect();
                    let order = rest.ok_or_else(|| given.odd(&["axes"]))?;
                    plain(LayerKind::Permute(Permute { order }))
                }
                _ => Err(given.odd(&["axes"])),
            }
        }
        "expanddims" | "expand_dims" => plain(LayerKind::ExpandDims(ExpandDims {
            axis: given.axis()?,
        })),
        "squeeze" => plain(LayerKind::Squeeze(Squeeze {
            axis: given.axis()?,
        })),
        "stack" => plain(LayerKind::Merge(Merge::Stack(
            given.value(&["axis"]).map_or(Ok(0), |_| given.axis())?,
        ))),
        "cast" => {
            let dtype = given.value(&["dtype"]).and_then(Value::as_str);
            match dtype.and_then(cast_to) {
                Some(kind) => plain(kind),
                None => Err(given.odd(&["dtype"])),
            }
        }
        "pad" => padding(given).map(Some),
        _ => Ok(None),
    }
}

/// What a cast to this number type does to float32 values; `None` for a type that is not known.
pub(super) fn cast_to(dtype: &str) -> Option<LayerKind> {
    let integer = |wraps_at| LayerKind::Activation(Activation::ToInteger { wraps_at });
    Some(match dtype {
        "float16" | "bfloat16" | "float32" | "float64" => LayerKind::Identity,
        "uint8" => integer(Some(256.0)),
        "uint16" => integer(Some(65_536.0)),
        "int8" | "int16" | "int32" | "int64" | "uint32" | "uint64" => integer(None),
        _ => return None,
    })
}

/// Zeros around height and width.
fn padding(given: &Given) -> Result<LayerKind, OpenError> {
    let widths = given
        .value(&["pad_width", "paddings"])
        .and_then(Value::as_array);
    let pairs = widths.and_then(|axes| {
        let pair = |axis: &Value| -> Option<[usize; 2]> {
            match axis.as_array()?.as_slice() {
                [a, b] => Some([
                    usize::try_from(a.as_u64()?).ok()?,
                    usize::try_from(b.as_u64()?).ok()?,
                ]),
                _ => None,
            }
        };
        axes.iter().map(pair).collect::<Option<Vec<_>>>()
    });
    let zeros = given.value(&["mode"]).and_then(Value::as_str);
    let zeros = zeros.is_none_or(|mode| mode.eq_ignore_ascii_case("constant"))
        && given.number(&["constant_values"], 0.0)? == 0.0;
    match pairs.as_deref() {
        Some([[0, 0], [top, bottom], [left, right], [0, 0]]) if zeros => {
            let pixels = [*top, *bottom, *left, *right];
            Ok(LayerKind::ZeroPadding2d(ZeroPadding2d { pixels }))
        }
        _ => Err(given
            .settings
            .refuse("only zeros around height and width are supported")),
    }
}
