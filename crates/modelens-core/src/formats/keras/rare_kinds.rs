//! Layer classes that fewer networks have: reshaping, enlarging, and the normalisations that are
//! the same in both modes.

use serde_json::Value;

use super::activations;
use super::kinds::{padding, singles};
use super::settings::Settings;
use super::specs::Spec;
use crate::formats::OpenError;
use crate::model::Semantics;
use crate::model::layers::{
    Activation, CenterCrop, Cropping2d, GroupNorm, LayerKind, LayerNorm, Merge, Noise, Permute,
    RepeatVector, Rescaling, Reshape, RmsNorm, ScaledSum, TransposedConv2d, UpSampling2d,
};

type Leaf = Result<Option<(LayerKind, Spec)>, OpenError>;

/// What a layer of this class computes, and which weights it has; `None` for an unknown class.
#[allow(clippy::too_many_lines, reason = "one arm a class")]
pub(super) fn leaf(class: &str, settings: Settings, semantics: Semantics) -> Leaf {
    let plain = |kind| Ok(Some((kind, Spec::None)));
    match class {
        "Reshape" => plain(LayerKind::Reshape(Reshape {
            target: shape(settings, "target_shape")?,
        })),
        "Permute" => {
            let axes = settings.numbers_or("dims", 0.0)?;
            plain(LayerKind::Permute(Permute {
                order: inner_axes(settings, &axes)?,
            }))
        }
        "RepeatVector" => plain(LayerKind::RepeatVector(RepeatVector {
            count: settings.count("n")?,
        })),
        "Cropping2D" => plain(LayerKind::Cropping2d(Cropping2d {
            pixels: settings.border("cropping")?,
        })),
        "CenterCrop" => plain(LayerKind::CenterCrop(CenterCrop {
            height: settings.count("height")?,
            width: settings.count("width")?,
        })),
        "UpSampling2D" => plain(LayerKind::UpSampling2d(UpSampling2d {
            size: settings.pair_or("size", [2, 2])?,
            bilinear: match settings.text("interpolation")? {
                "" | "nearest" => false,
                "bilinear" => true,
                other => {
                    return Err(
                        settings.refuse(format!("its interpolation `{other}` is not supported"))
                    );
                }
            },
        })),
        "Conv2DTranspose" | "Convolution2DTranspose" => transposed(settings, semantics),
        "Normalization" => normalization(settings),
        "LayerNormalization" => {
            if settings.bool_or("rms_scaling", false)? {
                return Err(settings.refuse("its `rms_scaling` is not supported"));
            }
            let (axes, last) = last_axes(settings)?;
            let epsilon = settings.number_or("epsilon", 1e-3)?;
            let kind = LayerKind::LayerNorm(LayerNorm { axes, epsilon });
            Ok(Some((kind, affine(settings, axes, last)?)))
        }
        "RMSNormalization" => {
            let (axes, last) = last_axes(settings)?;
            let epsilon = settings.number_or("epsilon", 1e-6)?;
            let kind = LayerKind::RmsNorm(RmsNorm { axes, epsilon });
            let names = vec!["scale"];
            Ok(Some((kind, Spec::Affine { axes, last, names })))
        }
        "GroupNormalization" => {
            let groups = match settings.number_or("groups", 32.0)? {
                -1.0 => None,
                _ => Some(settings.count_or("groups", 32)?),
            };
            let epsilon = settings.number_or("epsilon", 1e-3)?;
            let axis = settings.number_or("axis", -1.0)? as i64;
            let kind = LayerKind::GroupNorm(GroupNorm { groups, epsilon });
            Ok(Some((kind, affine(settings, 1, axis)?)))
        }
        "UnitNormalization" => match settings.numbers_or("axis", -1.0)?.as_slice() {
            [-1.0] => plain(LayerKind::UnitNorm),
            _ => Err(settings.refuse("it normalises over other axes than the last")),
        },
        "PReLU" => {
            let shared = match settings.get("shared_axes") {
                None => Vec::new(),
                Some(_) => inner_axes(settings, &settings.numbers_or("shared_axes", 0.0)?)?,
            };
            Ok(Some((LayerKind::PRelu, Spec::Alpha { shared })))
        }
        "ThresholdedReLU" => plain(LayerKind::Activation(Activation::Relu {
            max_value: None,
            negative_slope: 0.0,
            threshold: settings.number_or("theta", 1.0)? as f32,
        })),
        // Of ConvNeXt.
        "LayerScale" => Ok(Some((LayerKind::LayerScale, Spec::LayerScale))),
        "StochasticDepth" => {
            let rate = settings.number_or("drop_path_rate", 0.0)?;
            if !(0.0..1.0).contains(&rate) {
                return Err(settings.refuse(format!("its rate is {rate}, not from 0 to below 1")));
            }
            plain(LayerKind::Noise(Noise::DropConnect { rate }))
        }
        // Of InceptionResNetV2.
        "CustomScaleLayer" => plain(LayerKind::ScaledSum(ScaledSum {
            scale: settings.number_or("scale", 1.0)? as f32,
        })),
        "Dot" => {
            let axes = settings.numbers_or("axes", 1.0)?;
            if settings.bool_or("normalize", false)?
                || axes.iter().any(|a| ![1.0, -1.0].contains(a))
            {
                return Err(settings.refuse("only plain products of two rows are supported"));
            }
            plain(LayerKind::Merge(Merge::Dot))
        }
        _ => Ok(None),
    }
}

/// A shape without the batch axis; -1 stands for what is left.
pub(super) fn shape(settings: Settings, key: &str) -> Result<Vec<Option<usize>>, OpenError> {
    let shape = settings.get(key).and_then(shape_of);
    shape.ok_or_else(|| settings.refuse("its shape is not understood"))
}

/// The lengths in a list; -1 stands for what is left.
pub(super) fn shape_of(value: &Value) -> Option<Vec<Option<usize>>> {
    let axis = |v: &Value| match v.as_i64() {
        Some(-1) => Some(None),
        Some(n) if n > 0 => usize::try_from(n).ok().map(Some),
        _ => None,
    };
    value.as_array()?.iter().map(axis).collect()
}

/// Axes counted from the batch axis as axes of one image.
fn inner_axes(settings: Settings, axes: &[f64]) -> Result<Vec<usize>, OpenError> {
    let inner = |axis: &f64| (1.0..64.0).contains(axis).then(|| *axis as usize - 1);
    let inner: Option<Vec<usize>> = axes.iter().map(inner).collect();
    inner.ok_or_else(|| settings.refuse(format!("its axes {axes:?} are not supported")))
}

/// How many neighbouring axes the values are normalised over, and the last of them as written.
fn last_axes(settings: Settings) -> Result<(usize, i64), OpenError> {
    let mut given = settings.numbers_or("axis", -1.0)?;
    given.sort_by(f64::total_cmp);
    if !given.windows(2).all(|pair| pair[1] - pair[0] == 1.0) {
        return Err(settings.refuse("it normalises over axes that are not neighbours"));
    }
    Ok((given.len(), given.last().copied().unwrap_or(-1.0) as i64))
}

fn affine(settings: Settings, axes: usize, last: i64) -> Result<Spec, OpenError> {
    let scale = settings.bool_or("scale", true)?.then_some("gamma");
    let center = settings.bool_or("center", true)?.then_some("beta");
    let names = scale.into_iter().chain(center).collect();
    Ok(Spec::Affine { axes, last, names })
}

fn transposed(settings: Settings, semantics: Semantics) -> Leaf {
    if settings.count_or("groups", 1)? != 1 {
        return Err(settings.refuse("a transposed convolution in groups is not supported"));
    }
    let kind = TransposedConv2d {
        strides: settings.pair_or("strides", [1, 1])?,
        dilation: settings.pair_or("dilation_rate", [1, 1])?,
        padding: padding(settings)?,
        output_padding: output_padding(settings)?,
        activation: activations::parse(settings, "activation", semantics)?,
    };
    let spec = Spec::TransposedConv {
        kernel: settings.pair("kernel_size")?,
        filters: settings.count("filters")?,
        bias: settings.bool_or("use_bias", true)?,
    };
    Ok(Some((LayerKind::TransposedConv2d(kind), spec)))
}

/// Unlike a stride it may be 0.
fn output_padding(settings: Settings) -> Result<Option<[usize; 2]>, OpenError> {
    if settings.get("output_padding").is_none() {
        return Ok(None);
    }
    let side = |x: &f64| (0.0..65_536.0).contains(x).then_some(*x as usize);
    let given = settings.numbers_or("output_padding", 0.0)?;
    let given: Option<Vec<usize>> = given.iter().map(side).collect();
    match given.as_deref() {
        Some([both]) => Ok(Some([*both; 2])),
        Some([rows, columns]) => Ok(Some([*rows, *columns])),
        _ => Err(settings.refuse("its output padding is not understood")),
    }
}

/// Statistics among the settings are constants; otherwise they are weights.
fn normalization(settings: Settings) -> Leaf {
    if settings.bool_or("invert", false)? {
        return Err(settings.refuse("its `invert` is not supported"));
    }
    match settings.numbers_or("axis", -1.0)?.as_slice() {
        [-1.0 | 3.0] => {}
        axes => {
            let axes = format!("it normalises over the axes {axes:?}; only the last is supported");
            return Err(settings.refuse(axes));
        }
    }
    let flat = |key: &str| match settings.get(key) {
        None => Ok::<_, OpenError>(None),
        Some(value) => {
            let mut numbers = Vec::new();
            flatten(value, 0, &mut numbers)
                .ok_or_else(|| settings.refuse(format!("its `{key}` is not understood")))?;
            Ok(Some(numbers))
        }
    };
    let (Some(mean), Some(variance)) = (flat("mean")?, flat("variance")?) else {
        let kind = LayerKind::Normalization;
        return Ok(Some((kind, Spec::Statistics)));
    };
    let inverse: Vec<f64> = variance.iter().map(|v| 1.0 / v.sqrt().max(1e-7)).collect();
    if mean.len() != inverse.len() || !inverse.iter().chain(&mean).all(|x| x.is_finite()) {
        return Err(settings.refuse("its mean and its variance do not fit together"));
    }
    let offset = mean.iter().zip(&inverse).map(|(m, i)| -m * i).collect();
    let kind = LayerKind::Rescaling(Rescaling {
        scale: singles(inverse),
        offset: singles(offset),
    });
    Ok(Some((kind, Spec::None)))
}

/// The numbers in lists in lists, as deep as an image has axes.
fn flatten(value: &Value, depth: usize, into: &mut Vec<f64>) -> Option<()> {
    match value {
        Value::Number(n) => into.push(n.as_f64()?),
        Value::Array(items) if depth < 5 => {
            items
                .iter()
                .try_for_each(|item| flatten(item, depth + 1, into))?;
        }
        _ => return None,
    }
    Some(())
}
