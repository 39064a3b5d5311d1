//! What the rules of one layer answer, and what one draw of it says.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::layers::Draw;
use super::parameter::Parameter;
use crate::dataset::Image;
use crate::random::{Draws, StreamKey};
use crate::rules::Semantics;

/// The framework that a layer or a transform belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Framework {
    /// Layers, which know the mode.
    Keras,
    /// `transforms.v2`, which runs whenever it is called.
    Torchvision,
}

impl Framework {
    pub const ALL: [Self; 2] = [Self::Keras, Self::Torchvision];
}

/// What the values of an image are for torchvision's transforms, which compute differently for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelType {
    /// Whole numbers from 0 to 255; results are rounded or truncated, as each kernel does.
    Uint8,
    /// `float32` from 0 to 1, as [`super::torchvision::ToDtype`] makes them.
    Float,
}

impl PixelType {
    /// The largest value of an image.
    pub(super) fn bound(self) -> f32 {
        match self {
            Self::Uint8 => 255.0,
            Self::Float => 1.0,
        }
    }
}

/// Values that a transform of torchvision does not take.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum TypeError {
    #[error(
        "the transform v2.{0} takes floats, but gets bytes, so torchvision raises an error: put \
         v2.ToDtype(torch.float32, scale=True) before it"
    )]
    Bytes(&'static str),
    #[error(
        "the transform v2.{0} takes bytes, but gets floats, so torchvision raises an error: put it before \
         v2.ToDtype(torch.float32, scale=True)"
    )]
    Floats(&'static str),
    #[error(
        "the transform v2.RandomSolarize gets floats from 0 to 1, but its threshold is {0}, so torchvision raises an \
         error: choose a threshold of at most 1"
    )]
    Threshold(f64),
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
    pub fn shared(&self) -> Draws {
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

    /// Makes lists of arguments as long as the list of layers that they belong to.
    fn match_lengths(&mut self) {}

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

    /// As [`Self::apply`], for values of this type. Transforms of torchvision that compute differently for
    /// both types have their own; layers of Keras take any values.
    fn apply_as(&self, draw: &Draw, image: &Image, _: PixelType) -> Image {
        self.apply(draw, image)
    }

    /// As [`Self::apply_as`] for an 8-bit image, where that is computed without floats in memory.
    fn apply_bytes(&self, _: &Draw, _: &Image<u8>) -> Option<Image<u8>> {
        None
    }

    /// The type of the values that it makes.
    fn pixel_type(&self, before: PixelType) -> PixelType {
        before
    }

    /// Why torchvision raises an error for values of this type; `None` if it takes them.
    fn refuses(&self, _: PixelType) -> Option<TypeError> {
        None
    }

    /// Does what was drawn for each image of a batch. Layers that mix images have their own.
    fn apply_batch(&self, draws: &[&Draw], images: &[&Image], pixels: PixelType) -> Vec<Image> {
        self.apply_each(draws, images, pixels)
    }

    /// As [`Self::apply_batch`] for 8-bit images, where that is computed without floats in memory.
    fn apply_batch_bytes(&self, draws: &[&Draw], images: &[&Image<u8>]) -> Option<Vec<Image<u8>>> {
        let pairs = draws.par_iter().zip(images);
        pairs
            .map(|(draw, image)| self.apply_bytes(draw, image))
            .collect()
    }

    /// Does what was drawn for each image on its own.
    fn apply_each(&self, draws: &[&Draw], images: &[&Image], pixels: PixelType) -> Vec<Image> {
        let pairs = draws.par_iter().zip(images);
        pairs
            .map(|(draw, image)| self.apply_as(draw, image, pixels))
            .collect()
    }

    /// True if it changes images with `training=False`.
    fn acts_in_inference(&self, _semantics: Semantics) -> bool {
        !self.is_training_only()
    }

    /// What it does with `training=False`, if it acts there.
    fn inference(&self, image: &Image, pixels: PixelType) -> Image {
        self.apply_as(&Draw::Nothing, image, pixels)
    }

    /// Whether the height and the width of its output are drawn.
    fn draws_size(&self) -> [bool; 2] {
        [false; 2]
    }

    /// `[height, width]` of its output where it acts; `None` if it keeps the size, draws it, or computes it
    /// from the input's.
    fn output_size(&self) -> Option<[usize; 2]> {
        None
    }

    /// `[height, width]` of its output for an image of `height` x `width`; `None` if it keeps the size or
    /// draws it.
    fn output_size_of(&self, _height: usize, _width: usize) -> Option<[usize; 2]> {
        self.output_size()
    }

    /// What it makes of the range of values `[low, high]` of a channel.
    fn value_range(&self, range: [f64; 2], _channel: usize) -> [f64; 2] {
        range
    }

    /// Takes back what it does to the range of values, if it is one of torchvision's conversions; `before` is
    /// the type that it gets.
    fn undo_range(&self, _image: &mut Image, _before: PixelType) {}

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
pub(super) trait Drawn {
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
