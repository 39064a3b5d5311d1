//! Transforms of every value on its own, each with a probability `p`. Source: torchvision 0.29
//! `v2/_color.py`.

use serde::{Deserialize, Serialize};

use super::operation::{self, OperationsDraw, TensorOperation};
use super::{
    Behaviour, Draw, Draws, Image, Parameter, ParameterValue, PixelType, Semantics, TypeError,
    happens,
};
use crate::augment::parameter::{EndLimits, WholeLimits};

/// Transforms with one operation.
macro_rules! with_probability {
    ($(
        $(#[$doc:meta])*
        $class:ident, p $p:literal, {
            $($(#[$field_doc:meta])* $field:ident: $type:ty, example $example:expr, as $value:expr;)*
        }, |$own:ident| $operation:expr $(, { $($more:tt)* })?;
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
        pub struct $class {
            $($(#[$field_doc])* pub $field: $type,)*
            pub p: f64,
        }

        impl Default for $class {
            fn default() -> Self {
                Self {
                    $($field: <$type>::default(),)*
                    p: $p,
                }
            }
        }

        impl Behaviour for $class {
            fn example(_: usize, _: usize) -> Self {
                Self {
                    $($field: $example,)*
                    ..Self::default()
                }
            }

            fn parameters(&mut self) -> Vec<Parameter<'_>> {
                vec![
                    $(Parameter::required(stringify!($field), $value(&mut self.$field)),)*
                    Parameter::probability(&mut self.p),
                ]
            }

            fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
                let $own = self;
                OperationsDraw::of(happens(self.p, draws).then(|| $operation))
            }

            $($($more)*)?

            applies!(|_own, draw, image, pixels| operation::apply_colors(draw, image, pixels));
        }
    )*};
}

/// Bits of a value.
fn bits(bits: &mut [usize; 1]) -> ParameterValue<'_> {
    ParameterValue::Whole(bits, WholeLimits::within(0, 8))
}

/// A value of a pixel, of either type.
fn threshold(threshold: &mut f64) -> ParameterValue<'_> {
    ParameterValue::Number(threshold, EndLimits::all([0.0, 255.0]))
}

fn sharpness(factor: &mut f64) -> ParameterValue<'_> {
    let limits = EndLimits {
        accepted: [0.0, 1e6],
        slider: [0.0, 4.0],
    };
    ParameterValue::Number(factor, limits)
}

with_probability! {
    /// Every channel gets the grey value.
    RandomGrayscale, p 0.1, {}, |_own| TensorOperation::Grayscale;

    /// Spreads the values of each channel so that all become about equally frequent.
    RandomEqualize, p 0.5, {}, |_own| TensorOperation::Equalize;

    /// The largest value less each value.
    RandomInvert, p 0.5, {}, |_own| TensorOperation::Invert;

    /// Stretches each channel to all values.
    RandomAutocontrast, p 0.5, {}, |_own| TensorOperation::AutoContrast;

    /// Keeps a few bits of each value.
    RandomPosterize, p 0.5, {
        bits: [usize; 1], example [3], as bits;
    }, |own| TensorOperation::Posterize(own.bits[0] as u32);

    /// Inverts the values from a threshold on.
    RandomSolarize, p 0.5, {
        /// In the units of the values: up to 255, or up to 1 after [`super::ToDtype`].
        threshold: f64, example 128.0, as threshold;
    }, |own| TensorOperation::Solarize(own.threshold), {
        fn refuses(&self, before: PixelType) -> Option<TypeError> {
            let is_above = self.threshold > f64::from(before.bound());
            is_above.then_some(TypeError::Threshold(self.threshold))
        }
    };

    /// Makes edges smoother or sharper.
    RandomAdjustSharpness, p 0.5, {
        /// 0 blurs, 1 changes nothing, 2 doubles the sharpness.
        sharpness_factor: f64, example 2.0, as sharpness;
    }, |own| TensorOperation::Sharpness(own.sharpness_factor);
}
