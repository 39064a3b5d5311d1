//! Augmentation: Keras' preprocessing layers, their seeded draws and the affine sampler.
//!
//! Drawing is apart from applying: [`AugmentLayer::draw`] says what happens to an image,
//! [`AugmentLayer::apply`] does it. So a view can show, keep and repeat what was drawn.

mod affine;
mod brightness;
mod contrast;
mod crop;
mod defaults;
mod draw;
mod flip;
pub mod geometry;
mod keras_code;
mod parameters;
mod pipeline;
mod resizing;
mod rotation;
mod shear;
#[cfg(test)]
mod tests;
mod translation;
mod zoom;

use serde::{Deserialize, Serialize};

use crate::dataset::Image;
use crate::random::Draws;
use crate::rules::{Mode, Semantics};

pub use affine::sample;
pub use brightness::RandomBrightness;
pub use contrast::RandomContrast;
pub use crop::RandomCrop;
pub use draw::Draw;
pub use flip::{FlipMode, RandomFlip};
pub use parameters::{Factor, FillMode, Interpolation, ParameterError, Sampling};
pub use pipeline::{Pipeline, Preset, Step};
pub use resizing::{Rescaling, Resizing};
pub use rotation::RandomRotation;
pub use shear::RandomShear;
pub use translation::RandomTranslation;
pub use zoom::RandomZoom;

/// One preprocessing layer of Keras.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AugmentLayer {
    /// What it does, with its parameters.
    pub transform: Transform,
    /// The layer's own `seed` argument. It separates the layer's stream from those of other
    /// layers; the seed given to [`AugmentLayer::draw_batch`] still rules the draws.
    pub seed: Option<u64>,
}

/// What a preprocessing layer does, with its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Transform {
    Flip(RandomFlip),
    Rotation(RandomRotation),
    Zoom(RandomZoom),
    Translation(RandomTranslation),
    Shear(RandomShear),
    Contrast(RandomContrast),
    Brightness(RandomBrightness),
    Crop(RandomCrop),
    Resizing(Resizing),
    Rescaling(Rescaling),
}

/// The rules of one transform.
trait Behaviour {
    /// Keras' class name.
    fn class(&self) -> &'static str;

    /// Keras' limits of the parameters.
    fn validate(&self) -> Result<(), ParameterError>;

    /// Whether it draws; the deterministic transforms act in both modes.
    fn is_random(&self) -> bool {
        true
    }

    /// Whether all images of a batch share one draw.
    fn draws_once_per_batch(&self, _semantics: Semantics) -> bool {
        false
    }

    /// Draws for one image of `height` x `width` pixels.
    fn draw(&self, semantics: Semantics, draws: &mut Draws, height: usize, width: usize) -> Draw;

    /// Does what was drawn; a draw of another transform changes nothing.
    fn apply(&self, draw: &Draw, image: &Image) -> Image;

    /// What it does with `training=False`.
    fn inference(&self, _semantics: Semantics, image: &Image) -> Image {
        image.clone()
    }

    /// `[height, width]` of the output in training.
    fn training_size(&self, height: usize, width: usize) -> [usize; 2] {
        [height, width]
    }

    /// `[height, width]` of the output in inference.
    fn inference_size(&self, _semantics: Semantics, height: usize, width: usize) -> [usize; 2] {
        [height, width]
    }

    /// The arguments of its constructor that differ from the defaults, seed left out.
    fn arguments(&self) -> Vec<String>;
}

impl Transform {
    fn behaviour(&self) -> &dyn Behaviour {
        match self {
            Self::Flip(transform) => transform,
            Self::Rotation(transform) => transform,
            Self::Zoom(transform) => transform,
            Self::Translation(transform) => transform,
            Self::Shear(transform) => transform,
            Self::Contrast(transform) => transform,
            Self::Brightness(transform) => transform,
            Self::Crop(transform) => transform,
            Self::Resizing(transform) => transform,
            Self::Rescaling(transform) => transform,
        }
    }
}

impl From<Transform> for AugmentLayer {
    fn from(transform: Transform) -> Self {
        Self {
            transform,
            seed: None,
        }
    }
}

impl AugmentLayer {
    /// Keras' class name, such as `RandomFlip`.
    pub fn class(&self) -> &'static str {
        self.transform.behaviour().class()
    }

    /// Whether it draws: true for `Random...`, false for `Resizing` and `Rescaling`.
    pub fn is_random(&self) -> bool {
        self.transform.behaviour().is_random()
    }

    /// Whether the parameters lie within the limits that Keras' constructor accepts.
    pub fn validate(&self) -> Result<(), ParameterError> {
        self.transform.behaviour().validate()
    }

    /// Whether all images of a batch share one draw: `RandomCrop`, and Keras 2's `RandomContrast`.
    pub fn draws_once_per_batch(&self, semantics: Semantics) -> bool {
        self.transform.behaviour().draws_once_per_batch(semantics)
    }

    /// Draws for one image of `height` x `width` pixels.
    ///
    /// Keras 2 and Keras 3 follow tf_keras 2.21 and keras 3.15. PyTorch has no such layers: its
    /// images are drawn as in Keras 3, except that both axes flip independently (torchvision's
    /// `RandomHorizontalFlip` and `RandomVerticalFlip` are two transforms) and that contrast draws
    /// from `U(max(0, 1 - f), 1 + f)` as torchvision's `ColorJitter` does.
    pub fn draw(
        &self,
        semantics: Semantics,
        draws: &mut Draws,
        height: usize,
        width: usize,
    ) -> Draw {
        self.transform
            .behaviour()
            .draw(semantics, draws, height, width)
    }

    /// Draws for a batch of `n` images of one size: an entry an image.
    ///
    /// Image `i` has the stream `[purpose..., i]`, so its draw does not depend on `n`; layers that
    /// draw once for the whole batch have the stream `[purpose...]`.
    pub fn draw_batch(
        &self,
        semantics: Semantics,
        seed: u64,
        purpose: &[u64],
        n: usize,
        height: usize,
        width: usize,
    ) -> Vec<Draw> {
        let mut purpose = purpose.to_vec();
        purpose.extend(self.seed);
        if self.draws_once_per_batch(semantics) {
            let mut draws = Draws::new(seed, &purpose);
            return vec![self.draw(semantics, &mut draws, height, width); n];
        }
        (0..n)
            .map(|image| {
                purpose.push(image as u64);
                let mut draws = Draws::new(seed, &purpose);
                purpose.pop();
                self.draw(semantics, &mut draws, height, width)
            })
            .collect()
    }

    /// Does what was drawn.
    pub fn apply(&self, draw: &Draw, image: &Image) -> Image {
        self.transform.behaviour().apply(draw, image)
    }

    /// What the layer does with `training=False`: random layers return the image, except Keras 2's
    /// `RandomCrop`, which cuts the largest central window of its shape and resizes it.
    pub fn inference(&self, semantics: Semantics, image: &Image) -> Image {
        self.transform.behaviour().inference(semantics, image)
    }

    /// `[height, width]` of what the layer makes of an image of `height` x `width` pixels.
    pub fn output_size(
        &self,
        semantics: Semantics,
        mode: Mode,
        height: usize,
        width: usize,
    ) -> [usize; 2] {
        let behaviour = self.transform.behaviour();
        match mode {
            Mode::Training => behaviour.training_size(height, width),
            Mode::Inference => behaviour.inference_size(semantics, height, width),
        }
    }

    /// The call of the layer's constructor, with the arguments that differ from the defaults:
    /// `RandomRotation(0.2, fill_mode="constant")`.
    pub fn keras_code(&self) -> String {
        let mut arguments = self.transform.behaviour().arguments();
        arguments.extend(self.seed.map(|seed| format!("seed={seed}")));
        format!("{}({})", self.class(), arguments.join(", "))
    }
}
