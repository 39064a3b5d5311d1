//! Tests of the augmentation layers.

mod code;
mod colors;
mod distributions;
mod geometry;
mod golden;
mod layers;
mod nested;
mod properties;
mod releases;
mod statistics;
mod torchvision;
mod wording;

use super::*;
use affine::sample;

/// A layer without a seed of its own.
fn layer(transform: Transform) -> AugmentLayer {
    transform.into()
}

/// An image of smooth but distinct values.
fn test_image(height: usize, width: usize, channels: usize) -> Image {
    let pixels_hwc = (0..height * width * channels)
        .map(|i| ((i * 37 + i / 7) % 256) as f32)
        .collect();
    Image {
        height,
        width,
        channels,
        pixels_hwc,
    }
}
