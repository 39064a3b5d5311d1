//! The value of `--augment`: `RandomFlip:horizontal,RandomRotation:0.2`, or Python code.

use super::Failure;
use crate::augment::{AugmentLayer, Factor, Framework, ParameterValue, Pipeline, Transform};

/// Parses a pipeline: Keras classes separated by commas, and torchvision's as `v2.RandomRotation`, each with a factor (a number, or `low:high`)
/// or a flip mode after a colon. Without one, the layer has its default. Text with a bracket is code, such as
/// `[RandomFlip("horizontal"), RandomRotation(0.2)]`.
///
/// # Errors
/// An unknown class, or a value outside of its limits, which the message names.
pub fn pipeline(spec: &str) -> Result<Pipeline, Failure> {
    let usage = |why: String| Failure::Usage(format!("--augment: {why}"));
    if spec.contains('(') {
        return Pipeline::from_code(spec).map_err(|error| usage(error.to_string()));
    }
    let steps = spec.split(',').map(str::trim).filter(|s| !s.is_empty());
    let layers = steps.map(|step| {
        let (class, argument) = step
            .split_once(':')
            .map_or((step, None), |(c, a)| (c, Some(a)));
        // The sizes only matter to layers that `--augment` does not take.
        let named = Transform::all(1, 1).map(AugmentLayer::from);
        let layer = named
            .into_iter()
            .find(|l| is_called(l, class) && (l.is_random() || l.own_size().is_none()));
        let mut layer = layer.ok_or_else(|| usage(format!("there is no layer `{class}`")))?;
        if let Some(argument) = argument
            && !set(&mut layer.transform, argument)
        {
            return Err(usage(format!("`{argument}` is not a value of {class}")));
        }
        layer.validate().map_err(|error| usage(error.to_string()))?;
        Ok(layer)
    });
    layers.collect::<Result<Pipeline, Failure>>()
}

/// True if this is the layer's id, or the class of a transform that Keras has no layer of.
fn is_called(layer: &AugmentLayer, class: &str) -> bool {
    layer.class().strip_prefix("v2.").unwrap_or(layer.class()) == class || layer.class() == class
}

/// Sets the flip mode, or every factor that must be given; false if the text is neither.
fn set(transform: &mut Transform, text: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    let factor = match text.split_once(':') {
        Some((low, high)) => number(low).zip(number(high)).map(Factor::from),
        None => number(text).map(Factor::from),
    };
    let mut found = false;
    // Only the first argument of torchvision's transforms says how strong they are.
    let first_only = transform.framework() == Framework::Torchvision;
    for parameter in transform.parameters() {
        match (parameter.value, factor) {
            (ParameterValue::Choice(choice), None) => found |= choice.choose(text),
            (ParameterValue::Factor(own, _), Some(factor)) => {
                *own = factor;
                found = true;
            }
            (ParameterValue::Number(own, _), Some(Factor::Scalar(number))) => {
                *own = number;
                found = true;
            }
            (ParameterValue::List(own, _), Some(factor)) => {
                *own = match factor {
                    Factor::Scalar(number) => vec![number],
                    Factor::Pair(low, high) => vec![low, high],
                };
                found = true;
            }
            _ => {}
        }
        if found && first_only {
            break;
        }
    }
    found
}
