//! Activations as layers.

use super::arrange::inner_axes;
use super::{Read, plain};
use crate::formats::keras::activations;
use crate::formats::keras::settings::Settings;
use crate::formats::keras::specs::WeightSpec;
use crate::model::Semantics;
use crate::model::layers::{Activation, LayerKind};

/// `Activation`, which names a function.
pub fn named(settings: Settings<'_>, semantics: Semantics) -> Read {
    let activation = activations::parse(settings, "activation", semantics)?;
    plain(LayerKind::Activation(activation))
}

/// A class that is an activation with settings of its own.
pub fn layer(class: &str, settings: Settings<'_>) -> Read {
    match activations::of_layer(class, settings)? {
        Some(activation) => plain(LayerKind::Activation(activation)),
        None => Err(settings.refuse(format!("`{class}` is not an activation"))),
    }
}

pub fn thresholded(settings: Settings<'_>) -> Read {
    plain(LayerKind::Activation(Activation::Relu {
        max_value: None,
        negative_slope: 0.0,
        threshold: settings.number_or("theta", 1.0)? as f32,
    }))
}

pub fn prelu(settings: Settings<'_>) -> Read {
    let shared = match settings.get("shared_axes") {
        None => Vec::new(),
        Some(_) => inner_axes(settings, &settings.numbers_or("shared_axes", 0.0)?)?,
    };
    Ok((LayerKind::PRelu, WeightSpec::Alpha { shared }))
}
