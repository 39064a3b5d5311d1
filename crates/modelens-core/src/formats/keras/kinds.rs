//! Layer classes: a class name and its settings become a [`LayerKind`] and a [`Spec`].

use super::activations;
use super::augment_config;
use super::rare_kinds;
use super::settings::Settings;
use super::specs::Spec;
use crate::formats::OpenError;
use crate::model::Semantics;
use crate::model::layers::{
    AdaptivePool2d, BatchNorm, Conv2d, Dense, DepthwiseConv2d, GlobalPool2d, LayerKind, Merge,
    Noise, Padding, Pool2d, Pooling, Rescaling, SeparableConv2d, ZeroPadding2d,
};

/// The classes read here, for the message about unsupported ones.
pub(super) const SUPPORTED: &str = "Activation, ActivityRegularization, AdaptiveAveragePooling2D, \
    AdaptiveMaxPooling2D, Add, AlphaDropout, Average, \
    AveragePooling2D, BatchNormalization, CenterCrop, Concatenate, Conv2D, Conv2DTranspose, Cropping2D, \
    CustomScaleLayer, Dense, DepthwiseConv2D, Dot, Dropout, ELU, Flatten, Functional, \
    GaussianDropout, GaussianNoise, GlobalAveragePooling2D, GlobalMaxPooling2D, \
    GroupNormalization, Identity, InputLayer, LayerNormalization, LayerScale, LeakyReLU, \
    MaxPooling2D, Maximum, Minimum, Multiply, Normalization, PReLU, Permute, RMSNormalization, RandomBrightness, \
    RandomContrast, RandomCrop, RandomFlip, RandomRotation, RandomShear, RandomTranslation, \
    RandomZoom, ReLU, RepeatVector, Rescaling, Reshape, Resizing, SeparableConv2D, Sequential, \
    SlicingOpLambda, Softmax, SpatialDropout2D, StochasticDepth, Subtract, TFOpLambda, \
    ThresholdedReLU, UnitNormalization, UpSampling2D, ZeroPadding2D";

/// What a layer of this class computes, and which weights it has; `None` for an unknown class.
pub(super) fn leaf(
    class: &str,
    settings: Settings,
    semantics: Semantics,
) -> Result<Option<(LayerKind, Spec)>, OpenError> {
    let activation = || activations::parse(settings, "activation", semantics);
    let plain = |kind| Ok(Some((kind, Spec::None)));
    settings.channels_last()?;
    match class {
        "InputLayer" => plain(LayerKind::Input),
        "Rescaling" => plain(LayerKind::Rescaling(Rescaling {
            scale: singles(settings.numbers_or("scale", 1.0)?),
            offset: singles(settings.numbers_or("offset", 0.0)?),
        })),
        "Conv2D" => Ok(Some(conv(settings, semantics)?)),
        "DepthwiseConv2D" => Ok(Some(depthwise(settings, semantics)?)),
        "SeparableConv2D" => Ok(Some(separable(settings, semantics)?)),
        "BatchNormalization" | "BatchNormalizationV1" => Ok(Some(batch_norm(settings)?)),
        "ReLU" | "LeakyReLU" | "ELU" | "Softmax" => {
            Ok(activations::of_layer(class, settings)?
                .map(|a| (LayerKind::Activation(a), Spec::None)))
        }
        "Activation" => plain(LayerKind::Activation(activation()?)),
        "ZeroPadding2D" => plain(LayerKind::ZeroPadding2d(ZeroPadding2d {
            pixels: settings.border("padding")?,
        })),
        "Add" => plain(LayerKind::Merge(Merge::Add)),
        "Subtract" => plain(LayerKind::Merge(Merge::Subtract)),
        "Multiply" => plain(LayerKind::Merge(Merge::Multiply)),
        "Average" => plain(LayerKind::Merge(Merge::Average)),
        "Maximum" => plain(LayerKind::Merge(Merge::Maximum)),
        "Minimum" => plain(LayerKind::Merge(Merge::Minimum)),
        "Concatenate" => {
            // `as` saturates, and the shapes check the range afterwards.
            let axis = settings.number_or("axis", -1.0)? as i64;
            plain(LayerKind::Merge(Merge::Concatenate(axis)))
        }
        "MaxPooling2D" | "MaxPool2D" => plain(pool(Pooling::Max, settings)?),
        "AveragePooling2D" | "AvgPool2D" => plain(pool(Pooling::Average, settings)?),
        "AdaptiveMaxPooling2D" => plain(adaptive(Pooling::Max, settings)?),
        "AdaptiveAveragePooling2D" => plain(adaptive(Pooling::Average, settings)?),
        "GlobalMaxPooling2D" | "GlobalMaxPool2D" => plain(global(Pooling::Max, settings)?),
        "GlobalAveragePooling2D" | "GlobalAvgPool2D" => plain(global(Pooling::Average, settings)?),
        "Flatten" => plain(LayerKind::Flatten),
        "Dense" => {
            let spec = Spec::Dense {
                units: settings.count("units")?,
                bias: settings.bool_or("use_bias", true)?,
            };
            Ok(Some((
                LayerKind::Dense(Dense {
                    activation: activation()?,
                }),
                spec,
            )))
        }
        "Dropout" | "SpatialDropout2D" | "AlphaDropout" | "GaussianDropout" | "GaussianNoise" => {
            plain(LayerKind::Noise(noise(class, settings)?))
        }
        "Identity" | "ActivityRegularization" => plain(LayerKind::Identity),
        _ => match rare_kinds::leaf(class, settings, semantics)? {
            Some(leaf) => Ok(Some(leaf)),
            None => Ok(augment_config::parse(class, settings)?
                .map(|layer| (LayerKind::Augment(layer), Spec::None))),
        },
    }
}

pub(super) fn singles(values: Vec<f64>) -> Vec<f32> {
    values.into_iter().map(|x| x as f32).collect()
}

pub(super) fn padding(settings: Settings) -> Result<Padding, OpenError> {
    match settings.text("padding")? {
        "" | "valid" => Ok(Padding::Valid),
        "same" => Ok(Padding::Same),
        other => Err(settings.refuse(format!("its padding `{other}` is not supported"))),
    }
}

fn window(settings: Settings, semantics: Semantics) -> Result<Conv2d, OpenError> {
    Ok(Conv2d {
        strides: settings.pair_or("strides", [1, 1])?,
        dilation: settings.pair_or("dilation_rate", [1, 1])?,
        padding: padding(settings)?,
        groups: 1,
        activation: activations::parse(settings, "activation", semantics)?,
    })
}

fn conv(settings: Settings, semantics: Semantics) -> Result<(LayerKind, Spec), OpenError> {
    let groups = settings.count_or("groups", 1)?;
    let filters = settings.count("filters")?;
    if !filters.is_multiple_of(groups) {
        return Err(settings.refuse(format!(
            "its {filters} filters cannot be divided into {groups} groups"
        )));
    }
    let kind = LayerKind::Conv2d(Conv2d {
        groups,
        ..window(settings, semantics)?
    });
    let spec = Spec::Conv {
        kernel: settings.pair("kernel_size")?,
        groups,
        filters,
        bias: settings.bool_or("use_bias", true)?,
    };
    Ok((kind, spec))
}

fn depthwise(settings: Settings, semantics: Semantics) -> Result<(LayerKind, Spec), OpenError> {
    let spec = Spec::Depthwise {
        kernel: settings.pair("kernel_size")?,
        multiplier: settings.count_or("depth_multiplier", 1)?,
        bias: settings.bool_or("use_bias", true)?,
    };
    Ok((
        LayerKind::DepthwiseConv2d(DepthwiseConv2d(window(settings, semantics)?)),
        spec,
    ))
}

fn separable(settings: Settings, semantics: Semantics) -> Result<(LayerKind, Spec), OpenError> {
    let spec = Spec::Separable {
        kernel: settings.pair("kernel_size")?,
        multiplier: settings.count_or("depth_multiplier", 1)?,
        filters: settings.count("filters")?,
        bias: settings.bool_or("use_bias", true)?,
    };
    Ok((
        LayerKind::SeparableConv2d(SeparableConv2d(window(settings, semantics)?)),
        spec,
    ))
}

fn batch_norm(settings: Settings) -> Result<(LayerKind, Spec), OpenError> {
    if settings.bool_or("renorm", false)? {
        return Err(settings.refuse("batch renormalisation (`renorm`) is not supported"));
    }
    let axis = match settings.numbers_or("axis", -1.0)?.as_slice() {
        [axis] => *axis as i64,
        _ => return Err(settings.refuse("it normalises over several axes, which is not supported")),
    };
    let norm = BatchNorm {
        momentum: settings.number_or("momentum", 0.99)?,
        epsilon: settings.number_or("epsilon", 1e-3)?,
    };
    let spec = Spec::BatchNorm {
        scale: settings.bool_or("scale", true)?,
        center: settings.bool_or("center", true)?,
        axis,
    };
    Ok((LayerKind::BatchNorm(norm), spec))
}

fn pool(pooling: Pooling, settings: Settings) -> Result<LayerKind, OpenError> {
    let size = settings.pair_or("pool_size", [2, 2])?;
    let strides = settings.pair_or("strides", size)?;
    Ok(LayerKind::Pool2d(Pool2d {
        pooling,
        size,
        strides,
        padding: padding(settings)?,
    }))
}

fn adaptive(pooling: Pooling, settings: Settings) -> Result<LayerKind, OpenError> {
    let output = settings.pair("output_size")?;
    // Far above any image, and far below what cannot be counted.
    if output.iter().any(|&regions| regions > 1 << 16) {
        return Err(settings.refuse(format!("it makes {} by {} regions", output[0], output[1])));
    }
    Ok(LayerKind::AdaptivePool2d(AdaptivePool2d {
        pooling,
        output,
    }))
}

fn global(pooling: Pooling, settings: Settings) -> Result<LayerKind, OpenError> {
    Ok(LayerKind::GlobalPool2d(GlobalPool2d {
        pooling,
        keep_dims: settings.bool_or("keepdims", false)?,
    }))
}

fn noise(class: &str, settings: Settings) -> Result<Noise, OpenError> {
    let rate = || {
        let rate = settings.number_or("rate", 0.5)?;
        if !(0.0..=1.0).contains(&rate) {
            return Err(settings.refuse(format!("its rate is {rate}, not between 0 and 1")));
        }
        Ok(rate)
    };
    let below_one = || {
        let rate = rate()?;
        if rate == 1.0 {
            return Err(
                settings.refuse("its rate is 1, which gives an infinite standard deviation")
            );
        }
        Ok(rate)
    };
    let whole = |reason: &str| match settings.get("noise_shape") {
        None => Ok(()),
        Some(_) => Err(settings.refuse(reason)),
    };
    Ok(match class {
        "Dropout" => Noise::Dropout {
            rate: rate()?,
            noise_shape: noise_shape(settings)?,
        },
        "SpatialDropout2D" => Noise::SpatialDropout2d { rate: rate()? },
        "AlphaDropout" => {
            whole("alpha dropout with a noise shape is not supported")?;
            Noise::AlphaDropout { rate: below_one()? }
        }
        "GaussianDropout" => Noise::GaussianDropout { rate: below_one()? },
        _ => {
            let stddev = settings.number_or("stddev", 1.0)?;
            if !(0.0..f64::INFINITY).contains(&stddev) {
                return Err(settings.refuse(format!(
                    "its standard deviation is {stddev}, which is negative or not finite"
                )));
            }
            Noise::GaussianNoise { stddev }
        }
    })
}

fn noise_shape(settings: Settings) -> Result<Option<Vec<Option<usize>>>, OpenError> {
    let Some(value) = settings.get("noise_shape") else {
        return Ok(None);
    };
    let axis = |v: &serde_json::Value| match v.as_u64() {
        _ if v.is_null() => Some(None),
        Some(n) if n > 0 => usize::try_from(n).ok().map(Some),
        _ => None,
    };
    let shape = value
        .as_array()
        .and_then(|items| items.iter().map(axis).collect());
    let shape: Vec<Option<usize>> =
        shape.ok_or_else(|| settings.refuse("its noise shape is not understood"))?;
    if shape.first().is_some_and(|n| n.is_some_and(|n| n != 1)) {
        return Err(settings.refuse(format!(
            "its noise shape {value} fixes the number of images, which is not supported"
        )));
    }
    Ok(Some(shape))
}
