//! Arguments as Python text.

use super::{FactorLimits, Parameter, ParameterValue, Passing};
use crate::augment::values::{Factor, Named as _, Sampling};
use crate::number::python_float;

impl Parameter<'_> {
    /// The argument as Python text, unless it has its default: nothing, one argument, or the three
    /// of [`ParameterValue::Sampling`].
    pub(in crate::augment) fn code(&self, default: &Parameter<'_>) -> Vec<String> {
        if let (ParameterValue::Sampling(sampling), ParameterValue::Sampling(default)) =
            (&self.value, &default.value)
        {
            return sampling_code(**sampling, **default);
        }
        let Some(code) = value_code(&self.value) else {
            return Vec::new();
        };
        if self.passing != Passing::Required && Some(&code) == value_code(&default.value).as_ref() {
            return Vec::new();
        }
        vec![match self.passing {
            Passing::Required | Passing::Position => code,
            Passing::Name => format!("{}={code}", self.name),
        }]
    }
}

/// The value as Python text; `None` for an argument that is absent.
fn value_code(value: &ParameterValue<'_>) -> Option<String> {
    match value {
        ParameterValue::Choice(choice) => Some(choice.code()),
        // Keras takes whole numbers only, and no floats of whole numbers.
        ParameterValue::Factor(factor, limits) if *limits == FactorLimits::BITS => {
            Some(match **factor {
                Factor::Scalar(bits) => format!("{}", bits as usize),
                Factor::Pair(a, b) => format!("({}, {})", a as usize, b as usize),
            })
        }
        ParameterValue::Factor(factor, _) => Some(factor_code(**factor)),
        ParameterValue::OptionalFactor { factor, .. } => factor.map(factor_code),
        ParameterValue::List(numbers, _) => Some(list_code(numbers)),
        ParameterValue::Pixels(side) => Some(side.to_string()),
        ParameterValue::Flag(flag) => Some(if **flag { "True" } else { "False" }.to_owned()),
        ParameterValue::Number(number, _) => Some(python_float(**number)),
        ParameterValue::Whole(numbers, _) => Some(match **numbers {
            [one] => one.to_string(),
            ref more => {
                let numbers: Vec<String> = more.iter().map(usize::to_string).collect();
                format!("({})", numbers.join(", "))
            }
        }),
        ParameterValue::Fill(fill) => fill.map(|[r, g, b]| {
            if r == g && g == b {
                return python_float(r);
            }
            format!(
                "({}, {}, {})",
                python_float(r),
                python_float(g),
                python_float(b)
            )
        }),
        ParameterValue::Scale(scale) => Some(scale_code(**scale)),
        ParameterValue::Offset(offset) => Some(python_float(**offset)),
        ParameterValue::ValueRange([low, high]) => Some(format!("({low}, {high})")),
        ParameterValue::Sampling(_) => None,
    }
}

/// `None`, `30` or `(0.08, 1)`: torchvision takes whole numbers for floats.
fn list_code(numbers: &[f64]) -> String {
    match numbers {
        [] => "None".to_owned(),
        [one] => one.to_string(),
        more => {
            let numbers: Vec<String> = more.iter().map(f64::to_string).collect();
            format!("({})", numbers.join(", "))
        }
    }
}

/// `0.2` or `(-0.2, 0.3)`.
fn factor_code(factor: Factor) -> String {
    match factor {
        Factor::Scalar(f) => python_float(f),
        Factor::Pair(a, b) => format!("({}, {})", python_float(a), python_float(b)),
    }
}

/// `1 / 255` and `1 / 127.5` as people write them, other numbers in full.
fn scale_code(scale: f64) -> String {
    let halves = (2.0 / scale).round();
    if scale < 1.0 && halves.is_finite() && ((2.0 / halves) / scale - 1.0).abs() < 1e-6 {
        return format!("1 / {}", halves / 2.0);
    }
    python_float(scale)
}

/// The arguments of affine layers that differ from the defaults, in the order of Keras' signature.
fn sampling_code(sampling: Sampling, default: Sampling) -> Vec<String> {
    let Sampling {
        fill_mode,
        interpolation,
        fill_value,
    } = sampling;
    let mut arguments = Vec::new();
    if fill_mode != default.fill_mode {
        arguments.push(format!("fill_mode=\"{}\"", fill_mode.name()));
    }
    if interpolation != default.interpolation {
        arguments.push(format!("interpolation=\"{}\"", interpolation.name()));
    }
    if fill_value != default.fill_value {
        arguments.push(format!("fill_value={fill_value:?}"));
    }
    arguments
}
