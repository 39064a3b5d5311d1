//! The preprocessing layers of Keras, one file each, and the table of all layers and transforms.
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
pub(super) mod cut_mix;
mod elastic;
mod equalization;
mod erasing;
mod flip;
mod gaussian_blur;
mod grayscale;
mod hue;
mod invert;
mod layer_list;
pub(super) mod mix_up;
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

use super::behaviour::{Behaviour, Drawing, Drawn, Framework, Since};
use super::bytes::Value;
use super::keras_config::KerasConfig;
use super::parameter::Parameter;
use super::torchvision;
use super::values::{Factor, FillMode, Sampling};
use crate::dataset::Image;
use crate::number::fixed;
use crate::rules::Semantics;

pub use flip::FlipMode;
pub use layer_list::LayerList;
pub(super) use operations::affine_product;
pub use operations::{ChosenDraw, Operation};

/// Declares the layers and the transforms, in the order of the window's menu: of Keras the module, the type
/// that holds the parameters (which is also the class), and for a random layer the type of its draws; of
/// torchvision the types in [`torchvision`].
macro_rules! layers {
    (
        keras { $($variant:ident: $module:ident::$layer:ident $(draws $draw:ident)?;)* }
        torchvision { $($v2_variant:ident: $v2:ident $(draws $v2_draw:ident)?;)* }
    ) => {
        $(pub use $module::$layer; $(pub use $module::$draw;)?)*

        table! {
            $($variant, $layer, Framework::Keras, stringify!($layer) $(, $draw)?;)*
            LayerList, layer_list::LayerList, Framework::Keras, "Pipeline";
            $(
                $v2_variant, torchvision::$v2, Framework::Torchvision, concat!("v2.", stringify!($v2))
                $(, torchvision::$v2_draw)?;
            )*
        }
    };
}

/// The two enums of the table, and what each row of it says.
macro_rules! table {
    ($($variant:ident, $layer:ty, $framework:expr, $class:expr $(, $draw:ty)?;)*) => {
        /// What a preprocessing layer or a transform does, with its parameters.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub enum Transform {
            $(#[doc = concat!("`", stringify!($layer), "`.")] $variant($layer)),*
        }

        /// What one layer drew for one image.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub enum Draw {
            /// The layer does not draw.
            Nothing,
            /// Drawn by torchvision's transforms of colours and by its policies.
            Operations(torchvision::OperationsDraw),
            /// Drawn by torchvision's `AugMix`.
            Mixture(torchvision::MixtureDraw),
            /// Drawn by the transforms in a list.
            Nested(torchvision::NestedDraw),
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
                [$(Self::$variant(<$layer>::example(height, width))),*]
            }

            /// Every layer once, with the defaults of the frameworks' constructors.
            pub(super) fn defaults() -> [Self; Self::COUNT] {
                [$(Self::$variant(<$layer>::default())),*]
            }

            /// The same layer with the defaults of the framework's constructor.
            pub(super) fn default_of(&self) -> Self {
                match self {
                    $(Self::$variant(_) => Self::$variant(<$layer>::default())),*
                }
            }

            /// The framework's class name, such as `RandomFlip`; that of torchvision with its module, such as
            /// `v2.RandomHorizontalFlip`.
            pub fn class(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $class),*
                }
            }

            /// The framework that has it.
            pub fn framework(&self) -> Framework {
                match self {
                    $(Self::$variant(_) => $framework),*
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
                    Self::Operations(draw) => Some(draw),
                    Self::Mixture(draw) => Some(draw),
                    Self::Nested(draw) => Some(draw),
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
    keras {
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
    torchvision {
        V2ResizedCrop: RandomResizedCrop draws ResizedCropDraw;
        V2HorizontalFlip: RandomHorizontalFlip;
        V2VerticalFlip: RandomVerticalFlip;
        V2Rotation: RandomRotation draws RotationDraw;
        V2Affine: RandomAffine draws AffineDraw;
        V2Perspective: RandomPerspective draws V2PerspectiveDraw;
        V2Elastic: ElasticTransform draws V2ElasticDraw;
        V2Crop: RandomCrop draws V2CropDraw;
        V2Size: RandomResize draws SizeDraw;
        V2ShortestSize: RandomShortestSize;
        V2Jitter: ScaleJitter;
        V2ZoomOut: RandomZoomOut draws ZoomOutDraw;
        V2Erasing: RandomErasing draws V2ErasingDraw;
        V2Resize: Resize;
        V2CenterCrop: CenterCrop;
        V2Pad: Pad;
        V2ToImage: ToImage;
        V2ToDtype: ToDtype;
        V2Normalize: Normalize;

        V2ColorJitter: ColorJitter;
        V2PhotometricDistort: RandomPhotometricDistort;
        V2ChannelPermutation: RandomChannelPermutation;
        V2Grayscale: RandomGrayscale;
        V2Equalize: RandomEqualize;
        V2Invert: RandomInvert;
        V2Autocontrast: RandomAutocontrast;
        V2Posterize: RandomPosterize;
        V2Solarize: RandomSolarize;
        V2AdjustSharpness: RandomAdjustSharpness;
        V2GaussianBlur: GaussianBlur;
        V2GaussianNoise: GaussianNoise;
        V2Jpeg: JPEG;
        V2AutoAugment: AutoAugment;
        V2RandAugment: RandAugment;
        V2TrivialAugmentWide: TrivialAugmentWide;
        V2AugMix: AugMix;
        V2MixUp: MixUp;
        V2CutMix: CutMix;
        V2Apply: RandomApply;
        V2Choice: RandomChoice;
        V2Order: RandomOrder;
    }
}

impl Transform {
    /// The arguments of the constructor except the seed, in the order of the window's editor.
    pub fn parameters(&mut self) -> Vec<Parameter<'_>> {
        self.behaviour_mut().parameters()
    }

    /// Makes lists of arguments as long as the list of layers that they belong to, after one was added or
    /// removed.
    pub fn match_lengths(&mut self) {
        self.behaviour_mut().match_lengths();
    }

    /// Reads the layer of this class from its arguments; `None` for a class that is not in the table.
    ///
    /// # Errors
    /// A setting that is missing, has a wrong type, or is not supported.
    pub(super) fn read<C: KerasConfig>(class: &str, config: &C) -> Result<Option<Self>, C::Error> {
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
        let mut own = self.clone();
        let parameters = own.parameters();
        let named = |name: &str| parameters.iter().any(|parameter| parameter.name == name);
        // Transforms of torchvision that read between pixels have a fill value outside of the image.
        let filled = Sampling {
            fill_mode: FillMode::Constant,
            ..Sampling::default()
        };
        let of_torchvision = named("fill") && named("interpolation");
        let found = parameters.iter().find_map(Parameter::as_sampling);
        found.or(of_torchvision.then_some(filled))
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

    /// The draws inside of a list of transforms, or this one.
    pub fn each(&self) -> Vec<&Self> {
        match self {
            Self::Nested(nested) => nested.draws().flat_map(Self::each).collect(),
            own => vec![own],
        }
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
pub(in crate::augment) fn signed(value: f64, decimals: usize) -> String {
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
pub(in crate::augment) fn percent(share: f64) -> String {
    format!("{}%", fixed(100.0 * share, 0))
}

/// Mixes each image of a batch with the partner that was drawn for it.
pub(in crate::augment) fn mixed<T: Value>(
    draws: &[&Draw],
    images: &[&Image<T>],
    mix: impl Fn(&Draw, &Image<T>, &Image<T>) -> Image<T> + Sync,
) -> Vec<Image<T>> {
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
