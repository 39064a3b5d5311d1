//! One layer in inference, on the photo of a sampler.

use candle_core::{Device, Tensor};

use crate::augment::AugmentLayer;
use crate::dataset::Image;
use crate::model::Semantics;
use crate::model::graph::{BatchNorm, Layer, LayerKind};
use crate::model::layers::norm::{Moments, normalise};
use crate::model::layers::{self, Weights};

/// A layer in inference.
pub fn calm(
    layer: &Layer,
    weights: Weights<'_>,
    inputs: &[Tensor],
    semantics: Semantics,
) -> candle_core::Result<Tensor> {
    let first = || {
        let missing = || candle_core::Error::Msg("the layer has no input".into());
        inputs.first().ok_or_else(missing)
    };
    match &layer.kind {
        LayerKind::Noise(_) => first().cloned(),
        LayerKind::BatchNorm(settings) => stored(first()?, weights, settings),
        LayerKind::Augment(augment) => rested(first()?, augment, semantics),
        _ => layers::forward(layer, weights, inputs),
    }
}

/// BatchNorm on its stored statistics.
fn stored(x: &Tensor, weights: Weights<'_>, settings: &BatchNorm) -> candle_core::Result<Tensor> {
    let vector = |name: &str| {
        let missing = || candle_core::Error::Msg("the moving statistics are missing".into());
        weights.get(name).ok_or_else(missing)?.to_vec1::<f32>()
    };
    let moving = Moments {
        mean: vector("moving_mean")?,
        variance: vector("moving_variance")?,
    };
    let (gamma, beta) = (weights.get("gamma"), weights.get("beta"));
    normalise(x, &moving, gamma, beta, settings.epsilon, false)
}

/// A preprocessing layer in inference.
fn rested(x: &Tensor, layer: &AugmentLayer, semantics: Semantics) -> candle_core::Result<Tensor> {
    let (n, height, width, channels) = x.dims4()?;
    let images = (0..n).map(|image| {
        let pixels_hwc = x.get(image)?.flatten_all()?.to_vec1::<f32>()?;
        let image = Image {
            height,
            width,
            channels,
            pixels_hwc,
        };
        let done = layer.inference(semantics, &image);
        let shape = (1, done.height, done.width, done.channels);
        Tensor::from_vec(done.pixels_hwc, shape, &Device::Cpu)
    });
    let images: Vec<Tensor> = images.collect::<candle_core::Result<_>>()?;
    Tensor::cat(&images, 0)
}
