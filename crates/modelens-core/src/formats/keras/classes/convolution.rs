//! Convolutions.

use super::Read;
use crate::formats::OpenError;
use crate::formats::keras::activations;
use crate::formats::keras::settings::Settings;
use crate::formats::keras::specs::WeightSpec;
use crate::model::Semantics;
use crate::model::layers::{
    Conv2d, DepthwiseConv2d, LayerKind, Padding, SeparableConv2d, TransposedConv2d,
};

pub fn padding(settings: Settings<'_>) -> Result<Padding, OpenError> {
    match settings.text("padding")? {
        "" | "valid" => Ok(Padding::Valid),
        "same" => Ok(Padding::Same),
        other => Err(settings.refuse(format!("its padding `{other}` is not supported"))),
    }
}

/// The settings that all convolutions share; one group.
fn window(settings: Settings<'_>, semantics: Semantics) -> Result<Conv2d, OpenError> {
    Ok(Conv2d {
        strides: settings.pair_or("strides", [1, 1])?,
        dilation: settings.pair_or("dilation_rate", [1, 1])?,
        padding: padding(settings)?,
        groups: 1,
        activation: activations::parse(settings, "activation", semantics)?,
    })
}

pub fn conv(settings: Settings<'_>, semantics: Semantics) -> Read {
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
    let spec = WeightSpec::Conv {
        kernel: settings.pair("kernel_size")?,
        groups,
        filters,
        bias: settings.bool_or("use_bias", true)?,
    };
    Ok((kind, spec))
}

pub fn depthwise(settings: Settings<'_>, semantics: Semantics) -> Read {
    let spec = WeightSpec::Depthwise {
        kernel: settings.pair("kernel_size")?,
        multiplier: settings.count_or("depth_multiplier", 1)?,
        bias: settings.bool_or("use_bias", true)?,
    };
    let window = window(settings, semantics)?;
    Ok((LayerKind::DepthwiseConv2d(DepthwiseConv2d(window)), spec))
}

pub fn separable(settings: Settings<'_>, semantics: Semantics) -> Read {
    let spec = WeightSpec::Separable {
        kernel: settings.pair("kernel_size")?,
        multiplier: settings.count_or("depth_multiplier", 1)?,
        filters: settings.count("filters")?,
        bias: settings.bool_or("use_bias", true)?,
    };
    let window = window(settings, semantics)?;
    Ok((LayerKind::SeparableConv2d(SeparableConv2d(window)), spec))
}

pub fn transposed(settings: Settings<'_>, semantics: Semantics) -> Read {
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
    let spec = WeightSpec::TransposedConv {
        kernel: settings.pair("kernel_size")?,
        filters: settings.count("filters")?,
        bias: settings.bool_or("use_bias", true)?,
    };
    Ok((LayerKind::TransposedConv2d(kind), spec))
}

/// Unlike a stride, output padding may be 0.
fn output_padding(settings: Settings<'_>) -> Result<Option<[usize; 2]>, OpenError> {
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
