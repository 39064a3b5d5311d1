//! The preprocessing layers, one file each.
//!
//! To add one: write its file (parameters with defaults and limits, what it draws, what it does to
//! an image, how a draw is worded, the formulas and where they come from), declare the module, and
//! add a line to the table. The add menu, the editors, `--augment`, the reader of Keras files and the
//! generated code follow from that.

mod aug_mix;
mod auto_contrast;
mod brightness;
mod clahe;
mod color_degeneration;
mod color_jitter;
mod contrast;
mod crop;
mod cut_mix;
mod elastic;
mod equalization;
mod erasing;
mod flip;
mod gaussian_blur;
mod grayscale;
mod hue;
mod invert;
mod mix_up;
mod operations;
mod perspective;
mod posterization;
mod rand_augment;
mod rescaling;
mod resizing;
mod rotation;
mod saturation;
mod sharpness;
mod shear;
mod size;
mod solarization;
mod translation;
mod zoom;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::keras_config::KerasConfig;
use super::parameter::Parameter;
use super::values::{Factor, Sampling};
use crate::dataset::Image;
use crate::number::fixed;
use crate::random::{Draws, StreamKey};
use crate::rules::Semantics;

pub use flip::FlipMode;
pub use operations::{ChosenDraw, Operation};

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
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    Hue: hue::RandomHue draws HueDraw;
    Saturation: saturation::RandomSaturation draws SaturationDraw;
    Sharpness: sharpness::RandomSharpness draws SharpnessDraw;
    ColorDegeneration: color_degeneration::RandomColorDegeneration draws ColorDegenerationDraw;
    ColorJitter: color_jitter::RandomColorJitter draws ColorJitterDraw;
    Grayscale: grayscale::RandomGrayscale draws GrayscaleDraw;
    Posterization: posterization::RandomPosterization draws PosterizationDraw;
    Invert: invert::RandomInvert draws InvertDraw;
    Solarization: solarization::Solarization draws SolarizationDraw;
    GaussianBlur: gaussian_blur::RandomGaussianBlur draws GaussianBlurDraw;
    Erasing: erasing::RandomErasing draws ErasingDraw;
    Perspective: perspective::RandomPerspective draws PerspectiveDraw;
    Elastic: elastic::RandomElasticTransform draws ElasticDraw;
    RandAugment: rand_augment::RandAugment draws RandAugmentDraw;
    AugMix: aug_mix::AugMix draws AugMixDraw;
    MixUp: mix_up::MixUp draws MixUpDraw;
    CutMix: cut_mix::CutMix draws CutMixDraw;
    Height: size::RandomHeight draws HeightDraw;
    Width: size::RandomWidth draws WidthDraw;
    AutoContrast: auto_contrast::AutoContrast;
    Equalization: equalization::Equalization;
    Clahe: clahe::ContrastLimitedAdaptiveHistogramEqualization;
    Resizing: resizing::Resizing;
    Rescaling: rescaling::Rescaling;
}

/// The first release of Keras that has a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Since {
    /// Keras 2 and every Keras 3.
    Always,
    /// Keras 2, and no Keras 3.
    Keras2Only,
    /// This minor release of Keras 3, and not Keras 2.
    Keras3(u8),
}

/// What a layer may look at while it draws for one image.
pub(super) struct Drawing<'a> {
    pub semantics: Semantics,
    /// The stream of the image.
    pub draws: Draws,
    /// The family of streams of the batch.
    pub stream: StreamKey<'a>,
    /// The image's place in the batch.
    pub index: usize,
    /// The number of images in the batch.
    pub n: usize,
    pub height: usize,
    pub width: usize,
}

impl Drawing<'_> {
    /// A stream that is the same for every image of the batch.
    fn shared(&self) -> Draws {
        // No batch has an image at this place.
        self.stream.draws_for(u64::MAX)
    }
}

/// The rules of one layer. Its type's `Default` holds the defaults of Keras' constructor, with zeros
/// for arguments that have none.
pub(super) trait Behaviour: Sync {
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

    /// True if it draws.
    fn is_random(&self) -> bool {
        true
    }

    /// True if it does nothing with `training=False`, at least in Keras 3. Layers that do not draw act in
    /// both modes, as a rule.
    fn is_training_only(&self) -> bool {
        self.is_random()
    }

    /// The first release of Keras that has it.
    fn since(&self) -> Since {
        Since::Always
    }

    /// True if what becomes of an image depends on the other images of its batch.
    fn mixes_images(&self) -> bool {
        false
    }

    /// True if it mixes the labels of images as well.
    fn mixes_labels(&self) -> bool {
        false
    }

    /// True if all images of a batch share one draw.
    fn draws_once_per_batch(&self, _semantics: Semantics) -> bool {
        false
    }

    /// Draws for one image of `height` x `width` pixels.
    fn draw(&self, _: Semantics, _: &mut Draws, _height: usize, _width: usize) -> Draw {
        Draw::Nothing
    }

    /// Draws for one image of a batch. Only layers that draw some numbers for the whole batch, or another
    /// image of it, have their own.
    fn draw_in_batch(&self, drawing: &mut Drawing<'_>) -> Draw {
        let Drawing {
            semantics,
            height,
            width,
            ..
        } = *drawing;
        self.draw(semantics, &mut drawing.draws, height, width)
    }

    /// Does what was drawn; a draw of another layer changes nothing.
    fn apply(&self, draw: &Draw, image: &Image) -> Image;

    /// Does what was drawn for each image of a batch. Layers that mix images have their own.
    fn apply_batch(&self, draws: &[&Draw], images: &[&Image]) -> Vec<Image> {
        self.apply_each(draws, images)
    }

    /// Does what was drawn for each image on its own.
    fn apply_each(&self, draws: &[&Draw], images: &[&Image]) -> Vec<Image> {
        let pairs = draws.par_iter().zip(images);
        pairs.map(|(draw, image)| self.apply(draw, image)).collect()
    }

    /// True if it changes images with `training=False`.
    fn acts_in_inference(&self, _semantics: Semantics) -> bool {
        !self.is_training_only()
    }

    /// What it does with `training=False`, if it acts there.
    fn inference(&self, image: &Image) -> Image {
        self.apply(&Draw::Nothing, image)
    }

    /// Whether the height and the width of its output are drawn.
    fn draws_size(&self) -> [bool; 2] {
        [false; 2]
    }

    /// `[height, width]` of its output where it acts; `None` if it keeps the size, or draws it.
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

    /// Where Keras 2 and Keras 3 differ, told from the side of `semantics`, or what surprises; `None` for
    /// PyTorch.
    fn differences(&self, _semantics: Semantics) -> Option<String> {
        None
    }
}

/// What one layer drew for one image.
trait Drawn {
    /// The draw in a few characters; empty where it changes nothing.
    fn words(&self) -> String;

    /// What the words mean, where they alone may mislead.
    fn meaning(&self) -> Option<String> {
        None
    }

    /// The image of the batch that was mixed in, and the image's own share of the label.
    fn partner(&self) -> Option<(usize, f64)> {
        None
    }

    /// True if pixels move in a way that no single matrix describes.
    fn bends(&self) -> bool {
        false
    }

    /// `[height, width]` of the output, if it was drawn.
    fn size(&self, _height: usize, _width: usize) -> Option<[usize; 2]> {
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
    pub fn meaning(&self) -> Option<String> {
        self.drawn()?.meaning()
    }

    /// The image of the batch that was mixed in, and the image's own share of the label.
    pub fn partner(&self) -> Option<(usize, f64)> {
        self.drawn()?.partner()
    }

    /// True if pixels move in a way that no single matrix describes.
    pub fn bends(&self) -> bool {
        self.drawn().is_some_and(Drawn::bends)
    }

    /// `[height, width]` of the output for an image of `height` x `width`, if it was drawn.
    pub fn size(&self, height: usize, width: usize) -> Option<[usize; 2]> {
        self.drawn()?.size(height, width)
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

/// What surprises in layers that draw their probability; `None` for PyTorch, and for equal ends.
fn drawn_probability(class: &str, factor: Factor, semantics: Semantics) -> Option<String> {
    let (low, high) = factor.ends_from(0.0);
    (low < high && semantics != Semantics::PyTorch).then(|| {
        format!(
            "{class} draws its probability as well, from {} to {}: it changes {} of the photos on \
             average.",
            fixed(low, 2),
            fixed(high, 2),
            percent(factor.mean_from_zero())
        )
    })
}

/// A share in whole percent.
fn percent(share: f64) -> String {
    format!("{}%", fixed(100.0 * share, 0))
}

/// Mixes each image of a batch with the partner that was drawn for it.
fn mixed(
    draws: &[&Draw],
    images: &[&Image],
    mix: impl Fn(&Draw, &Image, &Image) -> Image + Sync,
) -> Vec<Image> {
    let pairs = draws.par_iter().zip(images);
    pairs
        .map(|(draw, image)| {
            let partner = draw.partner().and_then(|(partner, _)| images.get(partner));
            // Images of different sizes cannot be one batch.
            match partner.filter(|other| other.pixels_hwc.len() == image.pixels_hwc.len()) {
                Some(other) => mix(draw, image, other),
                None => (*image).clone(),
            }
        })
        .collect()
}

/// What is easily overlooked about layers that mix labels; `None` for PyTorch.
fn labels_are_lost(class: &str, semantics: Semantics) -> Option<String> {
    (semantics != Semantics::PyTorch).then(|| {
        format!(
            "{class} mixes labels only if it gets them: call it with {{\"images\": x, \"labels\": y}} in \
             the data set. Inside a model it mixes the photos and leaves the labels."
        )
    })
}
