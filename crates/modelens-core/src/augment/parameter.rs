//! Constructor arguments, described once by each layer. Editors, the check of limits, the reader of
//! configurations and the generated code all work from these descriptions.

use thiserror::Error;

use super::keras_config::KerasConfig;
use super::values::{Choice, Factor, Named as _, Sampling};
use crate::number::python_float;

/// One argument of a layer's constructor, for reading and for changing.
pub struct Parameter<'a> {
    /// Keras' name of the argument.
    pub name: &'static str,
    pub value: ParameterValue<'a>,
    passing: Passing,
}

/// How code passes an argument.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Passing {
    /// Always, by position.
    Required,
    /// By position, unless it has its default.
    Position,
    /// By name, unless it has its default.
    Name,
}

/// The value of an argument, by its type.
pub enum ParameterValue<'a> {
    /// One of a few names.
    Choice(&'a mut dyn Choice),
    /// The range of a draw.
    Factor(&'a mut Factor, FactorLimits),
    /// The range of a draw that may be absent; then the layer takes `fallback`.
    OptionalFactor {
        factor: &'a mut Option<Factor>,
        fallback: Factor,
        limits: FactorLimits,
    },
    /// A height or width in pixels, at least 1.
    Pixels(&'a mut usize),
    /// A yes or no.
    Flag(&'a mut bool),
    /// One number within limits.
    Number(&'a mut f64, EndLimits),
    /// One or two whole numbers within limits; Keras takes one number for both of two.
    Whole(&'a mut [usize], WholeLimits),
    /// A colour to fill with, one value per channel; absent: noise.
    Fill(&'a mut Option<[f64; 3]>),
    /// A number that values are multiplied by, such as 1/255.
    Scale(&'a mut f64),
    /// A number that is added to values.
    Offset(&'a mut f64),
    /// `[low, high]` of the values an image may have.
    ValueRange(&'a mut [f64; 2]),
    /// The three arguments of affine layers: `fill_mode`, `interpolation`, `fill_value`.
    Sampling(&'a mut Sampling),
}

/// The limits of one end of a factor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EndLimits {
    /// What Keras' constructor accepts.
    pub accepted: [f64; 2],
    /// The part of it that a slider covers.
    pub slider: [f64; 2],
}

/// The limits of whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WholeLimits {
    pub least: usize,
    pub most: usize,
    /// True if only odd numbers are accepted.
    pub odd: bool,
}

impl WholeLimits {
    /// `[least, most]`.
    pub(super) const fn within(least: usize, most: usize) -> Self {
        Self {
            least,
            most,
            odd: false,
        }
    }
}

impl EndLimits {
    /// A number above 0, such as the parameter of a distribution.
    pub(super) const POSITIVE: Self = Self {
        accepted: [1e-6, f64::MAX],
        slider: [0.05, 2.0],
    };

    pub(super) const fn all(range: [f64; 2]) -> Self {
        Self {
            accepted: range,
            slider: range,
        }
    }
}

/// The limits of a factor in both of its forms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FactorLimits {
    /// Of one number.
    pub number: EndLimits,
    /// Of the lower end of a pair.
    pub low: EndLimits,
    /// Of the upper end of a pair.
    pub high: EndLimits,
}

impl FactorLimits {
    /// A number or a pair within [-1, 1]. As f and -f mean the same, a slider needs [0, 1] only.
    pub(super) const FRACTION: Self = Self {
        number: EndLimits {
            accepted: [-1.0, 1.0],
            slider: [0.0, 1.0],
        },
        low: EndLimits::all([-1.0, 1.0]),
        high: EndLimits::all([-1.0, 1.0]),
    };

    /// As [`Self::FRACTION`], but one number must not be negative.
    pub(super) const NO_NEGATIVE_NUMBER: Self = Self {
        number: EndLimits::all([0.0, 1.0]),
        ..Self::FRACTION
    };

    /// [`Self::FRACTION`] with a slider for negative numbers too.
    pub(super) const FULL_SLIDER: Self = Self {
        number: EndLimits::all([-1.0, 1.0]),
        ..Self::FRACTION
    };

    /// A number or a pair within [0, 1].
    pub(super) const UNIT: Self = Self {
        number: EndLimits::all([0.0, 1.0]),
        low: EndLimits::all([0.0, 1.0]),
        high: EndLimits::all([0.0, 1.0]),
    };

    /// Bits of a value: a number or a pair within [1, 8].
    pub(super) const BITS: Self = Self {
        number: EndLimits::all([1.0, 8.0]),
        low: EndLimits::all([1.0, 8.0]),
        high: EndLimits::all([1.0, 8.0]),
    };

    /// A change of size: above -1, without an upper limit.
    pub(super) const SIZE: Self = Self {
        number: EndLimits::all([0.0, 1.0]),
        low: EndLimits::all([-1.0, 1.0]),
        high: EndLimits {
            accepted: [-1.0, f64::MAX],
            slider: [-1.0, 1.0],
        },
    };

    /// A number within [0, 1]; the lower end of a pair within [0, 1], the upper one at least 0.
    pub(super) const CONTRAST: Self = Self {
        number: EndLimits::all([0.0, 1.0]),
        low: EndLimits::all([0.0, 1.0]),
        high: EndLimits {
            accepted: [0.0, f64::MAX],
            slider: [0.0, 2.0],
        },
    };

    /// The numbers in the order they are given, each with the limits of its end.
    fn ends(&self, factor: Factor) -> Vec<(f64, EndLimits)> {
        match factor {
            Factor::Scalar(f) => vec![(f, self.number)],
            Factor::Pair(a, b) if a <= b => vec![(a, self.low), (b, self.high)],
            Factor::Pair(a, b) => vec![(a, self.high), (b, self.low)],
        }
    }

    fn check(
        &self,
        layer: &'static str,
        field: &'static str,
        factor: Factor,
    ) -> Result<(), ParameterError> {
        for (value, limits) in self.ends(factor) {
            let [low, high] = limits.accepted;
            within(layer, field, value, low, high)?;
        }
        Ok(())
    }
}

/// Checks one number against both ends of its limits.
fn within(
    layer: &'static str,
    field: &'static str,
    value: f64,
    low: f64,
    high: f64,
) -> Result<(), ParameterError> {
    // `contains` is false for NaN as well.
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(ParameterError::OutOfRange {
        layer,
        field,
        value,
        low,
        high,
    })
}

/// A parameter that Keras' constructor rejects.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ParameterError {
    #[error("{layer}: {field} is {value}, but must lie within [{low}, {high}]")]
    OutOfRange {
        layer: &'static str,
        field: &'static str,
        value: f64,
        low: f64,
        high: f64,
    },
    #[error("{layer}: {field} is not a finite number")]
    NotFinite {
        layer: &'static str,
        field: &'static str,
    },
    #[error("{layer}: {field} is 0 pixels, but must be at least 1")]
    Empty {
        layer: &'static str,
        field: &'static str,
    },
    #[error("{layer}: {field} is {value}, but must be an odd number")]
    Even {
        layer: &'static str,
        field: &'static str,
        value: usize,
    },
    #[error("{layer}: value_range is ({low}, {high}), but must rise from low to high")]
    ValueRange {
        layer: &'static str,
        low: f64,
        high: f64,
    },
}

impl<'a> Parameter<'a> {
    /// An argument without a default, passed by position.
    pub(super) fn required(name: &'static str, value: ParameterValue<'a>) -> Self {
        Self {
            name,
            value,
            passing: Passing::Required,
        }
    }

    /// An argument with a default, passed by position.
    pub(super) fn optional(name: &'static str, value: ParameterValue<'a>) -> Self {
        Self {
            name,
            value,
            passing: Passing::Position,
        }
    }

    /// An argument with a default, passed by name.
    pub(super) fn keyword(name: &'static str, value: ParameterValue<'a>) -> Self {
        Self {
            name,
            value,
            passing: Passing::Name,
        }
    }

    /// The three arguments that every affine layer has.
    pub(super) fn sampling(sampling: &'a mut Sampling) -> Self {
        Self::keyword("sampling", ParameterValue::Sampling(sampling))
    }

    /// The argument that `RandomContrast` and `RandomBrightness` share.
    pub(super) fn value_range(range: &'a mut [f64; 2]) -> Self {
        Self::keyword("value_range", ParameterValue::ValueRange(range))
    }

    /// The value of [`ParameterValue::Sampling`].
    pub(super) fn as_sampling(&self) -> Option<Sampling> {
        let ParameterValue::Sampling(sampling) = &self.value else {
            return None;
        };
        Some(**sampling)
    }

    /// Checks the value against Keras' limits.
    pub(super) fn check(&self, layer: &'static str) -> Result<(), ParameterError> {
        let field = self.name;
        let finite = |field: &'static str, is_finite: bool| {
            if is_finite {
                Ok(())
            } else {
                Err(ParameterError::NotFinite { layer, field })
            }
        };
        match &self.value {
            ParameterValue::Factor(factor, limits) => limits.check(layer, field, **factor),
            ParameterValue::OptionalFactor { factor, limits, .. } => {
                factor.map_or(Ok(()), |factor| limits.check(layer, field, factor))
            }
            ParameterValue::Pixels(0) => Err(ParameterError::Empty { layer, field }),
            ParameterValue::Pixels(_) | ParameterValue::Choice(_) | ParameterValue::Flag(_) => {
                Ok(())
            }
            ParameterValue::Number(number, limits) => {
                let [low, high] = limits.accepted;
                within(layer, field, **number, low, high)
            }
            ParameterValue::Whole(numbers, limits) => {
                for &value in numbers.iter() {
                    let [low, high] = [limits.least as f64, limits.most as f64];
                    within(layer, field, value as f64, low, high)?;
                    if limits.odd && value % 2 == 0 {
                        return Err(ParameterError::Even {
                            layer,
                            field,
                            value,
                        });
                    }
                }
                Ok(())
            }
            ParameterValue::Fill(fill) => {
                finite(field, fill.iter().flatten().all(|v| v.is_finite()))
            }
            ParameterValue::Scale(number) | ParameterValue::Offset(number) => {
                finite(field, number.is_finite())
            }
            ParameterValue::ValueRange([low, high]) => {
                if low.is_finite() && high.is_finite() && low < high {
                    return Ok(());
                }
                let (low, high) = (*low, *high);
                Err(ParameterError::ValueRange { layer, low, high })
            }
            ParameterValue::Sampling(sampling) => {
                finite("fill_value", sampling.fill_value.is_finite())
            }
        }
    }

    /// Takes the value of a layer's configuration; an absent argument keeps its default.
    pub(super) fn read<C: KerasConfig>(&mut self, config: &C) -> Result<(), C::Error> {
        let name = self.name;
        match &mut self.value {
            ParameterValue::Choice(choice) => read_choice(config, name, *choice),
            ParameterValue::Factor(factor, _) => {
                match read_factor(config, name)? {
                    Some(found) => **factor = found,
                    None if self.passing == Passing::Required => {
                        return Err(config.refuse(format!("its setting `{name}` is missing")));
                    }
                    None => {}
                }
                Ok(())
            }
            ParameterValue::OptionalFactor { factor, .. } => {
                **factor = read_factor(config, name)?;
                Ok(())
            }
            ParameterValue::Pixels(side) => {
                **side = config.count(name)?;
                Ok(())
            }
            ParameterValue::Flag(flag) => {
                **flag = config.flag(name)?.unwrap_or(**flag);
                Ok(())
            }
            ParameterValue::Scale(number)
            | ParameterValue::Offset(number)
            | ParameterValue::Number(number, _) => {
                **number = config.number(name)?.unwrap_or(**number);
                Ok(())
            }
            ParameterValue::Whole(own, _) => {
                let found = config.numbers(name)?.unwrap_or_default();
                let count = |number: f64| {
                    let whole = number >= 0.0 && number.fract() == 0.0 && number <= 1e9;
                    let why = || config.refuse(format!("its `{name}` is not a whole number"));
                    if whole {
                        Ok(number as usize)
                    } else {
                        Err(why())
                    }
                };
                match found[..] {
                    [] => {}
                    [one] => own.fill(count(one)?),
                    _ if found.len() == own.len() => {
                        for (own, number) in own.iter_mut().zip(found) {
                            *own = count(number)?;
                        }
                    }
                    _ => return Err(config.refuse(format!("its `{name}` has too many numbers"))),
                }
                Ok(())
            }
            ParameterValue::Fill(fill) => {
                match config.numbers(name)?.as_deref() {
                    None => **fill = None,
                    Some([one]) => **fill = Some([*one; 3]),
                    Some([r, g, b]) => **fill = Some([*r, *g, *b]),
                    Some(_) => {
                        return Err(config.refuse(format!("its `{name}` is no colour")));
                    }
                }
                Ok(())
            }
            ParameterValue::ValueRange(range) => {
                match config.numbers(name)?.as_deref() {
                    None => {}
                    Some([low, high]) => **range = [*low, *high],
                    Some(_) => {
                        return Err(config.refuse(format!("its `{name}` is not a pair")));
                    }
                }
                Ok(())
            }
            ParameterValue::Sampling(sampling) => {
                read_choice(config, "fill_mode", &mut sampling.fill_mode)?;
                read_choice(config, "interpolation", &mut sampling.interpolation)?;
                if let Some(value) = config.number("fill_value")? {
                    sampling.fill_value = value as f32;
                }
                Ok(())
            }
        }
    }

    /// The argument as Python text, unless it has its default: nothing, one argument, or the three
    /// of [`ParameterValue::Sampling`].
    pub(super) fn code(&self, default: &Parameter<'_>) -> Vec<String> {
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

fn read_choice<C: KerasConfig>(
    config: &C,
    name: &str,
    choice: &mut dyn Choice,
) -> Result<(), C::Error> {
    match config.text(name)? {
        "" => Ok(()),
        text if choice.choose(text) => Ok(()),
        text => Err(config.refuse(format!(
            "its setting `{name}` is `{text}`, which is not supported"
        ))),
    }
}

/// One number or a pair.
fn read_factor<C: KerasConfig>(config: &C, name: &str) -> Result<Option<Factor>, C::Error> {
    let numbers = config.numbers(name)?;
    match numbers.as_deref() {
        None => Ok(None),
        Some([f]) if !config.is_list(name) => Ok(Some(Factor::Scalar(*f))),
        Some([low, high]) => Ok(Some(Factor::Pair(*low, *high))),
        Some(_) => Err(config.refuse(format!(
            "its setting `{name}` is neither a number nor a pair"
        ))),
    }
}

/// The value as Python text; `None` for an argument that is absent.
fn value_code(value: &ParameterValue<'_>) -> Option<String> {
    match value {
        ParameterValue::Choice(choice) => Some(format!("\"{}\"", choice.chosen())),
        // Keras takes whole numbers only, and no floats of whole numbers.
        ParameterValue::Factor(factor, limits) if *limits == FactorLimits::BITS => {
            Some(match **factor {
                Factor::Scalar(bits) => format!("{}", bits as usize),
                Factor::Pair(a, b) => format!("({}, {})", a as usize, b as usize),
            })
        }
        ParameterValue::Factor(factor, _) => Some(factor_code(**factor)),
        ParameterValue::OptionalFactor { factor, .. } => factor.map(factor_code),
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
