//! Preprocessing and augmentation layers inside a network.

use candle_core::{Device, Result, Tensor};

use super::shape::{ImageShape, Shapes};
use super::{Call, CallMode, LayerOp};
use crate::augment::AugmentLayer;
use crate::dataset::Image;
use crate::rules::{Mode, Role, Semantics};

/// [`AugmentLayer`] applied to each image of a batch. No gradient passes through it. Source: Keras'
/// preprocessing layers; see [`crate::augment`].
impl LayerOp for AugmentLayer {
    fn role(&self) -> Role {
        if self.is_random() {
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
        Ok(match self.own_size() {
            Some([height, width]) => vec![Some(height), Some(width), channels],
            None => vec![height, width, channels],
        })
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let x = call.x()?;
        let (n, height, width, channels) = x.dims4()?;
        let draws = call
            .draws
            .map(|key| self.draw_batch(call.semantics, key.seed, key.purpose, n, height, width));
        let mut values = Vec::with_capacity(x.elem_count());
        let mut size = [height, width, channels];
        for i in 0..n {
            let image = Image {
                height,
                width,
                channels,
                pixels_hwc: x.get(i)?.flatten_all()?.to_vec1::<f32>()?,
            };
            let done = match draws.as_ref().and_then(|draws| draws.get(i)) {
                Some(draw) => self.apply(draw, &image),
                None => self.inference(call.semantics, &image),
            };
            size = [done.height, done.width, done.channels];
            values.extend(done.pixels_hwc);
        }
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
