//! Augmentation: Keras' preprocessing layers and torchvision's transforms, their seeded draws and the
//! samplers.
//!
//! Drawing is separate from applying: [`AugmentLayer::draw`] says what happens to an image,
//! [`AugmentLayer::apply`] does it. So a view can show, keep and repeat what was drawn.
//! Each layer is one file in [`layers`] or [`torchvision`]; the docs of both say how to add one.

/// Implements what `Behaviour` asks for of layers that mix each image, and its label, with another one of the
/// batch.
macro_rules! mixes_batches {
    ($mix:expr $(, $of_bytes:expr)?) => {
        fn mixes_images(&self) -> bool {
            true
        }

        fn mixes_labels(&self) -> bool {
            true
        }

        fn apply(&self, _: &Draw, image: &Image) -> Image {
            image.clone()
        }

        fn apply_batch(&self, draws: &[&Draw], images: &[&Image], _: PixelType) -> Vec<Image> {
            $crate::augment::layers::mixed(draws, images, $mix)
        }

        $(fn apply_batch_bytes(&self, draws: &[&Draw], images: &[&Image<u8>]) -> Option<Vec<Image<u8>>> {
            Some($crate::augment::layers::mixed(draws, images, $of_bytes))
        })?
    };
}

mod affine;
mod behaviour;
mod boxes;
mod bytes;
mod code;
mod color;
pub mod geometry;
mod keras_config;
mod kernel;
mod layers;
mod parameter;
mod picture;
mod pipeline;
mod tensors;
#[cfg(test)]
mod tests;
pub mod torchvision;
mod values;

use serde::{Deserialize, Serialize};

use crate::dataset::Image;
use crate::random::{Draws, StreamKey};
use crate::rules::{Mode, Semantics};

use behaviour::Drawing;

pub use behaviour::{Framework, PixelType, Since, TypeError};
pub use boxes::DrawnBox;
pub use bytes::{AnyImage, to_bytes};
pub use code::{CodeError, MOST_BYTES as MOST_CODE_BYTES};
pub use color::BYTE as PHOTO_RANGE;
pub use keras_config::KerasConfig;
pub use layers::*;
pub use parameter::{
    EndLimits, FactorLimits, ListLimits, Parameter, ParameterError, ParameterValue, WholeLimits,
};
pub use picture::{
    difference, difference_of_bytes, largest_difference, picture, picture_beside, range_of,
};
pub use pipeline::{Pipeline, PipelinePreset, PipelineStep};
pub use values::{Choice, Factor, FillMode, Interpolation, Named, Sampling};

/// One preprocessing layer of Keras, or one transform of torchvision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AugmentLayer {
    /// What it does, with its parameters.
    pub transform: Transform,
    /// The layer's own `seed` argument. It separates the layer's stream of draws from those of other
    /// layers; the draws still follow from the seed given to [`AugmentLayer::draw_batch`].
    pub seed: Option<u64>,
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
    /// Reads a layer from its Keras configuration; `None` for a class that is no preprocessing layer.
    ///
    /// # Errors
    /// A setting that is missing, has a wrong type, is not supported, or lies beyond Keras' limits.
    pub fn from_keras<C: KerasConfig>(class: &str, config: &C) -> Result<Option<Self>, C::Error> {
        match Self::read(class, config)? {
            Some(layer) if layer.framework() == Framework::Keras => Ok(Some(layer)),
            _ => Ok(None),
        }
    }

    /// Reads the layer of the table with this class.
    fn read<C: KerasConfig>(class: &str, config: &C) -> Result<Option<Self>, C::Error> {
        let Some(transform) = Transform::read(class, config)? else {
            return Ok(None);
        };
        let layer = Self {
            transform,
            seed: config.seed(),
        };
        layer
            .validate()
            .map_err(|error| config.refuse(error.to_string()))?;
        Ok(Some(layer))
    }

    /// The framework that has it.
    pub fn framework(&self) -> Framework {
        self.transform.framework()
    }

    /// True if it runs whatever mode the model is in: every transform of torchvision, and every layer in
    /// a data loader of PyTorch.
    pub fn is_never_off(&self, semantics: Semantics) -> bool {
        self.framework() == Framework::Torchvision || semantics == Semantics::PyTorch
    }

    /// The class, such as `RandomFlip` or `v2.RandomHorizontalFlip`.
    pub fn class(&self) -> &'static str {
        self.transform.class()
    }

    /// True if it draws: for `Random...`, but not for `Resizing` and `Rescaling`.
    pub fn is_random(&self) -> bool {
        self.transform.behaviour().is_random()
    }

    /// True if it only acts in training: random layers, and Keras' `Equalization`.
    pub fn is_training_only(&self) -> bool {
        self.transform.behaviour().is_training_only()
    }

    /// True if what becomes of an image depends on the other images of its batch.
    pub fn mixes_images(&self) -> bool {
        self.transform.behaviour().mixes_images()
    }

    /// True if it mixes the labels of images as well.
    pub fn mixes_labels(&self) -> bool {
        self.transform.behaviour().mixes_labels()
    }

    /// The first release of Keras that has the layer.
    pub fn since(&self) -> Since {
        self.transform.behaviour().since()
    }

    /// Checks the parameters against the limits of Keras' constructor.
    ///
    /// # Errors
    /// The first parameter that Keras would reject.
    pub fn validate(&self) -> Result<(), ParameterError> {
        let class = self.class();
        let mut transform = self.transform.clone();
        let parameters = transform.parameters();
        parameters.iter().try_for_each(|p| p.check(class))
    }

    /// Draws for one image of `height` x `width` pixels.
    ///
    /// Keras 2 and Keras 3 follow tf_keras 2.21 and keras 3.15. PyTorch has no such layers: its
    /// images are drawn as in Keras 3, except that both axes flip independently (torchvision's
    /// `RandomHorizontalFlip` and `RandomVerticalFlip` are two transforms) and that contrast draws
    /// from `U(max(0, 1 - f), 1 + f)` as torchvision's `ColorJitter` does.
    fn draw(&self, semantics: Semantics, draws: &mut Draws, height: usize, width: usize) -> Draw {
        self.transform
            .behaviour()
            .draw(semantics, draws, height, width)
    }

    /// Draws for a batch of `n` images of one size: one entry per image.
    ///
    /// Image `i` has the stream `[purpose..., i]`, so its draw does not depend on `n`. Layers that
    /// draw once for the whole batch (`RandomCrop`, and Keras 2's `RandomContrast`) have the stream
    /// `[purpose...]`.
    pub fn draw_batch(
        &self,
        semantics: Semantics,
        seed: u64,
        purpose: &[u64],
        n: usize,
        height: usize,
        width: usize,
    ) -> Vec<Draw> {
        self.draw_sizes(semantics, seed, purpose, &vec![[height, width]; n])
    }

    /// As [`Self::draw_batch`], for images of these sizes `[height, width]`.
    pub(crate) fn draw_sizes(
        &self,
        semantics: Semantics,
        seed: u64,
        purpose: &[u64],
        sizes: &[[usize; 2]],
    ) -> Vec<Draw> {
        let mut purpose = purpose.to_vec();
        purpose.extend(self.seed);
        let behaviour = self.transform.behaviour();
        if let Some(&[height, width]) = sizes.first()
            && behaviour.draws_once_per_batch(semantics)
        {
            let mut draws = Draws::new(seed, &purpose);
            return vec![self.draw(semantics, &mut draws, height, width); sizes.len()];
        }
        let of_image = sizes.iter().enumerate();
        of_image
            .map(|(index, &[height, width])| {
                purpose.push(index as u64);
                let draws = Draws::new(seed, &purpose);
                purpose.pop();
                behaviour.draw_in_batch(&mut Drawing {
                    semantics,
                    draws,
                    stream: StreamKey {
                        seed,
                        purpose: &purpose,
                    },
                    index,
                    n: sizes.len(),
                    height,
                    width,
                })
            })
            .collect()
    }

    /// Does what was drawn; a draw of another layer changes nothing. A layer that mixes images changes
    /// nothing either: it needs [`Self::apply_batch`].
    pub fn apply(&self, draw: &Draw, image: &Image) -> Image {
        self.apply_as(draw, image, PixelType::Uint8)
    }

    /// As [`Self::apply`], for values of this type.
    pub(crate) fn apply_as(&self, draw: &Draw, image: &Image, pixels: PixelType) -> Image {
        self.transform.behaviour().apply_as(draw, image, pixels)
    }

    /// Does what was drawn for each image of a batch.
    pub fn apply_batch(&self, draws: &[&Draw], images: &[&Image], pixels: PixelType) -> Vec<Image> {
        let behaviour = self.transform.behaviour();
        behaviour.apply_batch(draws, images, pixels)
    }

    /// True if the layer does something with `training=False`.
    pub fn acts_in_inference(&self, semantics: Semantics) -> bool {
        self.transform.behaviour().acts_in_inference(semantics)
    }

    /// What the layer does with `training=False`: random layers return the image, except Keras 2's
    /// `RandomCrop`, which cuts out the largest central window of its shape and resizes it.
    pub fn inference(&self, semantics: Semantics, image: &Image) -> Image {
        let behaviour = self.transform.behaviour();
        if behaviour.acts_in_inference(semantics) {
            behaviour.inference(image, PixelType::Uint8)
        } else {
            image.clone()
        }
    }

    /// `[height, width]` of the output in training; `None` if the layer keeps the image's size.
    pub fn own_size(&self) -> Option<[usize; 2]> {
        self.transform.behaviour().output_size()
    }

    /// As [`Self::own_size`], also where it follows from the size of the input.
    fn size_for(&self, height: usize, width: usize) -> Option<[usize; 2]> {
        self.transform.behaviour().output_size_of(height, width)
    }

    /// Whether the height and the width of the output are drawn in training.
    pub fn draws_size(&self) -> [bool; 2] {
        self.transform.behaviour().draws_size()
    }

    /// `[height, width]` of the output for an image of `height` x `width` pixels.
    pub fn output_size(
        &self,
        semantics: Semantics,
        mode: Mode,
        height: usize,
        width: usize,
    ) -> [usize; 2] {
        let behaviour = self.transform.behaviour();
        let acts = match mode {
            Mode::Training => true,
            Mode::Inference => behaviour.acts_in_inference(semantics),
        };
        let own = self.size_for(height, width);
        own.filter(|_| acts).unwrap_or([height, width])
    }

    /// `[height, width]` of an image of `[height, width]` after this draw.
    fn size_after(
        &self,
        semantics: Semantics,
        draw: &Draw,
        [height, width]: [usize; 2],
    ) -> [usize; 2] {
        draw.size(height, width)
            .unwrap_or_else(|| self.output_size(semantics, Mode::Training, height, width))
    }

    /// The call of the layer's constructor, with the arguments that differ from the defaults:
    /// `RandomRotation(0.2, fill_mode="constant")`.
    pub fn code(&self) -> String {
        let mut transform = self.transform.clone();
        let mut default = transform.default_of();
        let pairs = transform.parameters().into_iter().zip(default.parameters());
        let mut arguments: Vec<String> = pairs.flat_map(|(own, d)| own.code(&d)).collect();
        arguments.extend(self.seed.map(|seed| format!("seed={seed}")));
        format!("{}({})", self.class(), arguments.join(", "))
    }

    /// Why a release of Keras does not have the layer; `None` if it has it.
    pub fn missing_in(&self, semantics: Semantics) -> Option<String> {
        if self.framework() == Framework::Torchvision {
            return Some("of torchvision, for the data loader".to_owned());
        }
        match (self.since(), semantics) {
            (Since::Always, _)
            | (Since::Keras2Only, Semantics::Keras2)
            | (Since::Keras3(_), Semantics::Keras3 | Semantics::Keras316 | Semantics::PyTorch) => {
                None
            }
            (Since::Keras2Only, Semantics::Keras3 | Semantics::Keras316 | Semantics::PyTorch) => {
                Some("only in Keras 2".to_owned())
            }
            (Since::Keras3(minor), Semantics::Keras2) => Some(format!("from Keras 3.{minor} on")),
        }
    }

    /// The transform of torchvision, or the nearest one to a layer of Keras: `v2.RandomRotation(72)`; `None`
    /// if there is none.
    pub fn torchvision_code(&self) -> Option<String> {
        match self.framework() {
            Framework::Keras => self.transform.behaviour().torchvision(),
            Framework::Torchvision => Some(self.code()),
        }
    }

    /// One sentence on where Keras 2 and Keras 3 differ for this layer, told from the side of
    /// `semantics`; `None` where they do not, and for PyTorch.
    pub fn differences(&self, semantics: Semantics) -> Option<String> {
        self.transform.behaviour().differences(semantics)
    }

    /// True if some draw of the layer turns an image upside down.
    pub fn can_turn_upside_down(&self) -> bool {
        self.transform.behaviour().can_turn_upside_down()
    }
}
