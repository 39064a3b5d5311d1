//! Constructor arguments, described once by each layer. Editors, the check of limits, the reader of
//! configurations and the generated code all work from these descriptions.

mod code;
mod limits;

use super::AugmentLayer;
use super::keras_config::KerasConfig;
use super::values::{Choice, Factor, Sampling};
use limits::within;

pub use limits::{EndLimits, FactorLimits, ListLimits, ParameterError, WholeLimits};

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
    /// Numbers of which there may be several, as torchvision takes them: one number, a tuple, or `None`.
    List(&'a mut Vec<f64>, ListLimits),
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
    /// Layers inside of a layer.
    Layers(&'a mut Vec<AugmentLayer>),
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

    /// A list of numbers, passed by name.
    pub(super) fn list(name: &'static str, numbers: &'a mut Vec<f64>, limits: ListLimits) -> Self {
        Self::keyword(name, ParameterValue::List(numbers, limits))
    }

    /// The probability of a transform of torchvision.
    pub(super) fn probability(p: &'a mut f64) -> Self {
        Self::keyword("p", ParameterValue::Number(p, EndLimits::all([0.0, 1.0])))
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
            ParameterValue::List(numbers, limits) => limits.check(layer, field, numbers),
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
            ParameterValue::Layers(layers) if layers.is_empty() => {
                Err(ParameterError::NoLayers { layer, field })
            }
            ParameterValue::Layers(layers) => layers.iter().try_for_each(AugmentLayer::validate),
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
            ParameterValue::List(own, _) => {
                match config.numbers(name)? {
                    Some(found) => **own = found,
                    None if self.passing == Passing::Required => {
                        return Err(config.refuse(format!("its setting `{name}` is missing")));
                    }
                    None => {}
                }
                Ok(())
            }
            ParameterValue::Fill(fill) => read_fill(config, name, fill),
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
            ParameterValue::Layers(layers) => {
                **layers = config.layers(name)?;
                Ok(())
            }
        }
    }
}

/// A colour, or noise.
fn read_fill<C: KerasConfig>(
    config: &C,
    name: &str,
    fill: &mut Option<[f64; 3]>,
) -> Result<(), C::Error> {
    if matches!(config.text(name), Ok("random")) {
        *fill = None;
        return Ok(());
    }
    match config.numbers(name)?.as_deref() {
        // Noise is Keras' default, and torchvision's is black.
        None => {}
        Some([one]) => *fill = Some([*one; 3]),
        Some([r, g, b]) => *fill = Some([*r, *g, *b]),
        Some(_) => return Err(config.refuse(format!("its `{name}` is no colour"))),
    }
    Ok(())
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
