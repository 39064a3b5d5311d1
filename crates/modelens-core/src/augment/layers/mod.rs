//! The preprocessing layers, one file each.
//!
//! To add one: write its file (parameters with defaults and limits, what it draws, what it does to
//! an image, how a draw is worded, the formulas and where they come from), declare the module, and
//! add a line to the table. The add menu, the editors, `--augment`, the reader of Keras files and the
//! generated code follow from that.

mod brightness;
mod contrast;
mod crop;
mod flip;
mod rescaling;
mod resizing;
mod rotation;
mod shear;
mod translation;
mod zoom;

use serde::{Deserialize, Serialize};

use super::keras_config::KerasConfig;
use super::parameter::Parameter;
use super::values::Sampling;
use crate::dataset::Image;
use crate::random::Draws;
use crate::rules::Semantics;

pub use flip::FlipMode;

/// Declares the layers, in the order of the window's menu: the module, the type that holds the
/// parameters (which is also the class in Keras), and for a random layer the type of its draws.
macro_rules! layers {
    ($($variant:ident: $module:ident::$layer:ident $(draws $draw:ident)?;)*) => {
        $(pub use $module::$layer; $(pub use $module::$draw;)?)*

        /// What a preprocessing layer does, with its parameters.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub enum Transform {
            $(#[doc = concat!("Keras' `", stringify!($layer), "`.")] $variant($layer)),*
        }

        /// What one layer drew for one image.
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
        pub enum Draw {
            /// The layer does not draw.
            Nothing,
            $($(#[doc = concat!("Drawn by `", stringify!($layer), "`.")] $variant($draw),)?)*
        }

        $(
            impl From<$layer> for Transform {
                fn from(layer: $layer) -> Self {
                    Self::$variant(layer)
                }
            }
            $(
                impl From<$draw> for Draw {
                    fn from(draw: $draw) -> Self {
                        Self::$variant(draw)
                    }
                }
            )?
        )*

        impl Transform {
            const COUNT: usize = [$(stringify!($variant)),*].len();

            /// Every layer once, with parameters to start from, for images of `height` x `width`.
            pub fn all(height: usize, width: usize) -> [Self; Self::COUNT] {
                [$(Self::$variant($layer::example(height, width))),*]
            }

            /// Every layer once, with the defaults of Keras' constructors.
            fn defaults() -> [Self; Self::COUNT] {
                [$(Self::$variant($layer::default())),*]
            }

            /// The same layer with the defaults of Keras' constructor.
            pub(super) fn default_of(&self) -> Self {
                match self {
                    $(Self::$variant(_) => Self::$variant($layer::default())),*
                }
            }

            /// Keras' class name, such as `RandomFlip`.
            pub fn class(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => stringify!($layer)),*
                }
            }

            pub(super) fn behaviour(&self) -> &dyn Behaviour {
                match self {
                    $(Self::$variant(layer) => layer),*
                }
            }

            fn behaviour_mut(&mut self) -> &mut dyn Behaviour {
                match self {
                    $(Self::$variant(layer) => layer),*
                }
            }
        }

        impl Draw {
            /// `None` for [`Draw::Nothing`].
            fn drawn(&self) -> Option<&dyn Drawn> {
                match self {
                    Self::Nothing => None,
                    $($(Self::$variant(draw) => {
                        let draw: &$draw = draw;
                        Some(draw)
                    })?)*
                }
            }
        }
    };
}

layers! {
    Flip: flip::RandomFlip draws FlipDraw;
    Rotation: rotation::RandomRotation draws RotationDraw;
    Zoom: zoom::RandomZoom draws ZoomDraw;
    Translation: translation::RandomTranslation draws TranslationDraw;
    Shear: shear::RandomShear draws ShearDraw;
    Contrast: contrast::RandomContrast draws ContrastDraw;
    Brightness: brightness::RandomBrightness draws BrightnessDraw;
    Crop: crop::RandomCrop draws CropDraw;
    Resizing: resizing::Resizing;
    Rescaling: rescaling::Rescaling;
}

/// The rules of one layer. Its type's `Default` holds the defaults of Keras' constructor, with zeros
/// for arguments that have none.
pub(super) trait Behaviour {
    /// The parameters that the window and `--augment` start from. Layers that change the size take
    /// `height` x `width`, so that a new one changes nothing at first.
    fn example(height: usize, width: usize) -> Self
    where
        Self: Sized;

    /// The arguments of its constructor except the seed, in the order of the window's editor.
    fn parameters(&mut self) -> Vec<Parameter<'_>>;

    /// Settings of Keras' constructor that are refused when they are true.
    fn unsupported(&self) -> &'static [&'static str] {
        &[]
    }

    /// True if it draws. Layers that do not draw act in both modes.
    fn is_random(&self) -> bool {
        true
    }

    /// True if all images of a batch share one draw.
    fn draws_once_per_batch(&self, _semantics: Semantics) -> bool {
        false
    }

    /// Draws for one image of `height` x `width` pixels.
    fn draw(&self, _: Semantics, _: &mut Draws, _height: usize, _width: usize) -> Draw {
        Draw::Nothing
    }

    /// Does what was drawn; a draw of another layer changes nothing.
    fn apply(&self, draw: &Draw, image: &Image) -> Image;

    /// True if it changes images with `training=False`.
    fn acts_in_inference(&self, _semantics: Semantics) -> bool {
        !self.is_random()
    }

    /// What it does with `training=False`, if it acts there.
    fn inference(&self, image: &Image) -> Image {
        self.apply(&Draw::Nothing, image)
    }

    /// `[height, width]` of its output where it acts; `None` if it keeps the size.
    fn output_size(&self) -> Option<[usize; 2]> {
        None
    }

    /// What it makes of the range of values `[low, high]`.
    fn value_range(&self, range: [f64; 2]) -> [f64; 2] {
        range
    }

    /// True if it can turn an image upside down.
    fn can_turn_upside_down(&self) -> bool {
        false
    }

    /// The nearest transform of torchvision; `None` if there is none.
    fn torchvision(&self) -> Option<String> {
        None
    }

    /// Where Keras 2 and Keras 3 differ, told from the side of `semantics`; `None` for PyTorch.
    fn differences(&self, _semantics: Semantics) -> Option<String> {
        None
    }
}

/// What one layer drew for one image.
trait Drawn {
    /// The draw in a few characters; empty where it changes nothing.
    fn words(&self) -> String;

    /// What the words mean, where they alone may mislead.
    fn meaning(&self) -> Option<&'static str> {
        None
    }

    /// The numbers of the draw with their names, for tables.
    fn quantities(&self) -> Vec<(&'static str, f64)>;

    /// See [`Draw::input_from_output`].
    fn input_from_output(&self, _height: usize, _width: usize) -> Option<[f32; 8]> {
        None
    }

    /// True if the image is upside down after it.
    fn is_upside_down(&self) -> bool {
        false
    }
}

impl Transform {
    /// The arguments of the constructor except the seed, in the order of the window's editor.
    pub fn parameters(&mut self) -> Vec<Parameter<'_>> {
        self.behaviour_mut().parameters()
    }

    /// Reads the layer of this class from its configuration; `None` for a class that is not in the
    /// table.
    ///
    /// # Errors
    /// A setting that is missing, has a wrong type, or is not supported.
    pub(super) fn from_keras<C: KerasConfig>(
        class: &str,
        config: &C,
    ) -> Result<Option<Self>, C::Error> {
        let mut layers = Self::defaults().into_iter();
        let Some(mut transform) = layers.find(|layer| layer.class() == class) else {
            return Ok(None);
        };
        for key in transform.behaviour().unsupported() {
            if config.flag(key)?.unwrap_or(false) {
                return Err(config.refuse(format!("`{key}` is not supported")));
            }
        }
        for mut parameter in transform.parameters() {
            parameter.read(config)?;
        }
        Ok(Some(transform))
    }

    /// How the layer reads pixels outside the image; `None` for layers that move no pixels.
    pub fn sampling(&self) -> Option<Sampling> {
        self.clone()
            .parameters()
            .iter()
            .find_map(Parameter::as_sampling)
    }
}

impl Draw {
    /// The projective vector `[a0, a1, a2, b0, b1, b2, c0, c1]` from the output (x = column,
    /// y = row) to the input, for an image of `height` x `width` pixels; `None` where no pixel moves,
    /// and for crops, whose output has another size.
    ///
    /// `k = c0 x + c1 y + 1`, `input = ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k)`.
    /// The numbers are computed in 32 bits, in the frameworks' order of operations.
    pub fn input_from_output(&self, height: usize, width: usize) -> Option<[f64; 8]> {
        let vector = self.drawn()?.input_from_output(height, width)?;
        Some(vector.map(f64::from))
    }

    /// The draw in a few characters: `flipped`, `−41.3°`, `zoom 1.08`; empty where it changes
    /// nothing.
    pub fn words(&self) -> String {
        self.drawn().map(Drawn::words).unwrap_or_default()
    }

    /// What [`Self::words`] mean, where they alone may mislead.
    pub fn meaning(&self) -> Option<&'static str> {
        self.drawn()?.meaning()
    }

    /// The numbers of the draw with their names: degrees counter-clockwise, fractions of height and
    /// width, pixels.
    pub fn quantities(&self) -> Vec<(&'static str, f64)> {
        self.drawn().map(Drawn::quantities).unwrap_or_default()
    }

    /// True if the image is rather upside down than upright after this draw.
    pub fn is_upside_down(&self) -> bool {
        self.drawn().is_some_and(Drawn::is_upside_down)
    }
}

/// A number with its sign, the minus as U+2212; a number that rounds to zero has no sign.
fn signed(value: f64, decimals: usize) -> String {
    let digits = format!("{:.decimals$}", value.abs());
    if digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) {
        return digits;
    }
    format!("{}{digits}", if value < 0.0 { '\u{2212}' } else { '+' })
}
