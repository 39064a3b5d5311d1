//! Dropout and the other noise layers.

use super::{Read, plain};
use crate::formats::OpenError;
use crate::formats::keras::settings::Settings;
use crate::model::layers::{LayerKind, Noise};

fn noise(noise: Noise) -> Read {
    plain(LayerKind::Noise(noise))
}

fn rate(settings: Settings<'_>) -> Result<f64, OpenError> {
    let rate = settings.number_or("rate", 0.5)?;
    if !(0.0..=1.0).contains(&rate) {
        return Err(settings.refuse(format!("its rate is {rate}, not between 0 and 1")));
    }
    Ok(rate)
}

fn rate_below_one(settings: Settings<'_>) -> Result<f64, OpenError> {
    let rate = rate(settings)?;
    if rate == 1.0 {
        return Err(settings.refuse("its rate is 1, which gives an infinite standard deviation"));
    }
    Ok(rate)
}

pub fn dropout(settings: Settings<'_>) -> Read {
    let rate = rate(settings)?;
    noise(Noise::Dropout {
        rate,
        // Keras does not look at the shape of a mask that keeps everything.
        noise_shape: if rate == 0.0 {
            None
        } else {
            noise_shape(settings)?
        },
    })
}

pub fn spatial_dropout(settings: Settings<'_>) -> Read {
    let rate = rate(settings)?;
    noise(Noise::SpatialDropout2d { rate })
}

pub fn alpha_dropout(settings: Settings<'_>) -> Read {
    if settings.get("noise_shape").is_some() {
        return Err(settings.refuse("alpha dropout with a noise shape is not supported"));
    }
    let rate = rate_below_one(settings)?;
    noise(Noise::AlphaDropout { rate })
}

pub fn gaussian_dropout(settings: Settings<'_>) -> Read {
    let rate = rate_below_one(settings)?;
    noise(Noise::GaussianDropout { rate })
}

pub fn gaussian(settings: Settings<'_>) -> Read {
    let stddev = settings.number_or("stddev", 1.0)?;
    if !(0.0..f64::INFINITY).contains(&stddev) {
        return Err(settings.refuse(format!(
            "its standard deviation is {stddev}, which is negative or not finite"
        )));
    }
    noise(Noise::GaussianNoise { stddev })
}

pub fn stochastic_depth(settings: Settings<'_>) -> Read {
    let rate = settings.number_or("drop_path_rate", 0.0)?;
    if !(0.0..1.0).contains(&rate) {
        return Err(settings.refuse(format!("its rate is {rate}, not from 0 to below 1")));
    }
    noise(Noise::DropConnect { rate })
}

fn noise_shape(settings: Settings<'_>) -> Result<Option<Vec<Option<usize>>>, OpenError> {
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
