//! Keras' `Pipeline`: layers one after the other, as one layer.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawing, RandomFlip, Since, Transform};
use crate::augment::behaviour::PixelType;
use crate::augment::parameter::{Parameter, ParameterValue};
use crate::augment::torchvision::nested;
use crate::augment::{AugmentLayer, FlipMode};
use crate::dataset::Image;
use crate::rules::Semantics;

/// All of its layers, in order. Source: keras 3.15 `pipeline.py`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerList {
    pub layers: Vec<AugmentLayer>,
}

impl Behaviour for LayerList {
    fn example(_: usize, _: usize) -> Self {
        let mode = FlipMode::Horizontal;
        Self {
            layers: vec![Transform::from(RandomFlip { mode }).into()],
        }
    }

    fn since(&self) -> Since {
        Since::Keras3(6)
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let layers = ParameterValue::Layers(&mut self.layers);
        vec![Parameter::required("layers", layers)]
    }

    fn is_random(&self) -> bool {
        self.layers.iter().any(AugmentLayer::is_random)
    }

    fn is_training_only(&self) -> bool {
        self.layers.iter().all(AugmentLayer::is_training_only)
    }

    fn mixes_images(&self) -> bool {
        self.layers.iter().any(AugmentLayer::mixes_images)
    }

    fn mixes_labels(&self) -> bool {
        self.layers.iter().any(AugmentLayer::mixes_labels)
    }

    fn draw_in_batch(&self, drawing: &mut Drawing<'_>) -> Draw {
        nested::draw_steps(&self.layers, 0..self.layers.len(), drawing)
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        nested::apply(&self.layers, draw, image, PixelType::Uint8)
    }

    fn apply_batch(&self, draws: &[&Draw], images: &[&Image], pixels: PixelType) -> Vec<Image> {
        if self.mixes_images() {
            nested::apply_batch(&self.layers, draws, images, pixels)
        } else {
            self.apply_each(draws, images, pixels)
        }
    }

    /// Keras 2 has no such layer.
    fn inference(&self, image: &Image, _: PixelType) -> Image {
        let layers = self.layers.iter();
        layers.fold(image.clone(), |image, layer| {
            layer.inference(Semantics::Keras3, &image)
        })
    }

    fn output_size(&self) -> Option<[usize; 2]> {
        self.layers.iter().rev().find_map(AugmentLayer::own_size)
    }

    fn draws_size(&self) -> [bool; 2] {
        let drawn = self.layers.iter().map(AugmentLayer::draws_size);
        drawn.fold([false; 2], |[a, b], [c, d]| [a || c, b || d])
    }

    fn value_range(&self, range: [f64; 2], channel: usize) -> [f64; 2] {
        self.layers.iter().fold(range, |range, layer| {
            layer.transform.behaviour().value_range(range, channel)
        })
    }

    fn can_turn_upside_down(&self) -> bool {
        self.layers.iter().any(AugmentLayer::can_turn_upside_down)
    }
}
