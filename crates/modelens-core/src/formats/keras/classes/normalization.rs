//! BatchNorm, and the normalisations that are the same in both modes.

use serde_json::Value;

use super::{Read, plain, singles};
use crate::formats::OpenError;
use crate::formats::keras::settings::Settings;
use crate::formats::keras::specs::WeightSpec;
use crate::model::layers::{
    BatchNorm, GroupNorm, LayerKind, LayerNorm, Normalization, Rescaling, RmsNorm,
};

pub fn batch(settings: Settings<'_>) -> Read {
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
    let spec = WeightSpec::BatchNorm {
        scale: settings.bool_or("scale", true)?,
        center: settings.bool_or("center", true)?,
        axis,
    };
    Ok((LayerKind::BatchNorm(norm), spec))
}

pub fn layer(settings: Settings<'_>) -> Read {
    if settings.bool_or("rms_scaling", false)? {
        return Err(settings.refuse("its `rms_scaling` is not supported"));
    }
    let (axes, last) = adjacent_axes(settings)?;
    let epsilon = settings.number_or("epsilon", 1e-3)?;
    let kind = LayerKind::LayerNorm(LayerNorm { axes, epsilon });
    Ok((kind, affine(settings, axes, last)?))
}

pub fn rms(settings: Settings<'_>) -> Read {
    let (axes, last) = adjacent_axes(settings)?;
    let epsilon = settings.number_or("epsilon", 1e-6)?;
    let kind = LayerKind::RmsNorm(RmsNorm { axes, epsilon });
    let names = vec!["scale"];
    Ok((kind, WeightSpec::Affine { axes, last, names }))
}

pub fn group(settings: Settings<'_>) -> Read {
    let groups = match settings.number_or("groups", 32.0)? {
        -1.0 => None,
        _ => Some(settings.count_or("groups", 32)?),
    };
    let epsilon = settings.number_or("epsilon", 1e-3)?;
    let axis = settings.number_or("axis", -1.0)? as i64;
    let kind = LayerKind::GroupNorm(GroupNorm { groups, epsilon });
    Ok((kind, affine(settings, 1, axis)?))
}

pub fn unit(settings: Settings<'_>) -> Read {
    match settings.numbers_or("axis", -1.0)?.as_slice() {
        [-1.0] => plain(LayerKind::UnitNorm),
        _ => Err(settings.refuse("it normalises over other axes than the last")),
    }
}

/// `Normalization`. Statistics among the settings are constants; otherwise they are weights.
pub fn fixed(settings: Settings<'_>) -> Read {
    let invert = settings.bool_or("invert", false)?;
    let axes: Vec<f64> = match settings.map.get("axis") {
        None => vec![-1.0],
        // One mean and one variance for everything.
        Some(Value::Null) => Vec::new(),
        Some(Value::Array(list)) if list.is_empty() => Vec::new(),
        Some(_) => settings.numbers_or("axis", -1.0)?,
    };
    if axes.iter().any(|a| a.fract() != 0.0 || a.abs() > 8.0) {
        return Err(settings.refuse(format!("its axes {axes:?} are not understood")));
    }
    let axes: Vec<i64> = axes.into_iter().map(|axis| axis as i64).collect();
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
        let kind = Normalization { axes, invert };
        let spec = WeightSpec::Statistics(kind.clone());
        return Ok((LayerKind::Normalization(kind), spec));
    };
    let is_single = mean.len() == 1 && variance.len() == 1;
    if !is_single && !matches!(axes.as_slice(), [-1 | 3]) {
        return Err(settings.refuse(format!(
            "its statistics are constants along the axes {axes:?}; only the last is supported"
        )));
    }
    let deviation: Vec<f64> = variance.iter().map(|v| v.sqrt().max(1e-7)).collect();
    let count = mean.len().max(deviation.len());
    let fits = count > 0
        && [mean.len(), deviation.len()]
            .iter()
            .all(|&n| n == 1 || n == count);
    if !fits || !deviation.iter().chain(&mean).all(|x| x.is_finite()) {
        return Err(settings.refuse("its mean and its variance do not fit together"));
    }
    let at = |list: &[f64], i: usize| list[i.min(list.len() - 1)];
    let each = |f: &dyn Fn(f64, f64) -> f64| -> Vec<f64> {
        let pairs = (0..count).map(|i| (at(&mean, i), at(&deviation, i)));
        pairs.map(|(mean, deviation)| f(mean, deviation)).collect()
    };
    let (scale, offset) = if invert {
        (each(&|_, d| d), each(&|m, _| m))
    } else {
        (each(&|_, d| 1.0 / d), each(&|m, d| -m / d))
    };
    plain(LayerKind::Rescaling(Rescaling {
        scale: singles(scale),
        offset: singles(offset),
    }))
}

/// The number of adjacent axes that are normalised over, and the last of them as written.
fn adjacent_axes(settings: Settings<'_>) -> Result<(usize, i64), OpenError> {
    let mut given = settings.numbers_or("axis", -1.0)?;
    given.sort_by(f64::total_cmp);
    if !given.windows(2).all(|pair| pair[1] - pair[0] == 1.0) {
        return Err(settings.refuse("it normalises over axes that are not neighbours"));
    }
    Ok((given.len(), given.last().copied().unwrap_or(-1.0) as i64))
}

fn affine(settings: Settings<'_>, axes: usize, last: i64) -> Result<WeightSpec, OpenError> {
    let scale = settings.bool_or("scale", true)?.then_some("gamma");
    let center = settings.bool_or("center", true)?.then_some("beta");
    let names = scale.into_iter().chain(center).collect();
    Ok(WeightSpec::Affine { axes, last, names })
}

/// Appends the numbers of nested lists, which are as deep as an image has axes.
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
