//! Preprocessing and augmentation layers inside a network.

use candle_core::{Device, Result, Tensor};

use super::shape::{ImageShape, Shapes};
use super::{Call, CallMode, LayerOp};
use crate::augment::{AugmentLayer, Draw, PixelType};
use crate::dataset::Image;
use crate::rules::{Mode, Role, Semantics};

/// [`AugmentLayer`] applied to each image of a batch. No gradient passes through it. Source: Keras'
/// preprocessing layers; see [`crate::augment`].
impl LayerOp for AugmentLayer {
    fn role(&self) -> Role {
        if self.is_training_only() {
            Role::Augmentation
        } else {
            Role::Plain
        }
    }

    /// The stream of an image is addressed by its place in the batch.
    fn mixes_images(&self, mode: CallMode) -> bool {
        mode.draws
    }

    /// The shape in training. In inference Keras 3's `RandomCrop` returns its input, but Keras builds the
    /// following layers for the shape in training.
    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let [height, width, channels] = shapes.image()?;
        if let Some([height, width]) = self.own_size() {
            return Ok(vec![Some(height), Some(width), channels]);
        }
        let [height_drawn, width_drawn] = self.draws_size();
        let known = |side: Option<usize>, drawn: bool| side.filter(|_| !drawn);
        Ok(vec![
            known(height, height_drawn),
            known(width, width_drawn),
            channels,
        ])
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let x = call.x()?;
        let (n, height, width, channels) = x.dims4()?;
        let draws = call
            .draws
            .map(|key| self.draw_batch(call.semantics, key.seed, key.purpose, n, height, width));
        let mut images = Vec::with_capacity(n);
        for i in 0..n {
            images.push(Image {
                height,
                width,
                channels,
                pixels_hwc: x.get(i)?.flatten_all()?.to_vec1::<f32>()?,
            });
        }
        let done = match &draws {
            Some(draws) => {
                let draws: Vec<&Draw> = draws.iter().collect();
                let images: Vec<&Image> = images.iter().collect();
                self.apply_batch(&draws, &images, PixelType::Uint8)
            }
            None => images
                .iter()
                .map(|image| self.inference(call.semantics, image))
                .collect(),
        };
        let size = done.first().map_or([height, width, channels], |image| {
            [image.height, image.width, image.channels]
        });
        let values: Vec<f32> = done
            .into_iter()
            .flat_map(|image| image.pixels_hwc)
            .collect();
        Tensor::from_vec(values, (n, size[0], size[1], size[2]), &Device::Cpu)
    }

    /// The largest output in either mode.
    fn scratch_values(&self, shapes: &Shapes<'_>) -> usize {
        let Ok([Some(height), Some(width), channels]) = shapes.image() else {
            return 0;
        };
        let modes = Semantics::ALL
            .into_iter()
            .flat_map(|semantics| Mode::BOTH.map(|mode| (semantics, mode)));
        let pixels = modes.map(|(semantics, mode)| {
            let [height, width] = self.output_size(semantics, mode, height, width);
            height.saturating_mul(width)
        });
        let pixels = pixels.max().unwrap_or(0);
        pixels.saturating_mul(channels.unwrap_or(1))
    }
}
