//! Textures for the screen, made once per result.

use std::sync::Arc;

use eframe::egui;
use eframe::egui::{Color32, ColorImage, Context, TextureHandle, TextureOptions};

use super::App;
use crate::augment::Pipeline;
use crate::dataset::Image;
use crate::state::{FillTexture, GridTextures, View};
use crate::theme;
use modelens_jobs::{AugmentationOutcome, GridCell, Look, Outcome};

/// The range of a photo's values.
pub const PHOTO_RANGE: [f64; 2] = [0.0, 255.0];

/// The range of the values of images, for arrays that go to the network as they are.
pub fn range_of<'a>(images: impl IntoIterator<Item = &'a Image>) -> [f64; 2] {
    let values = images.into_iter().flat_map(|image| &image.pixels_hwc);
    let finite = values
        .copied()
        .map(f64::from)
        .filter(|value| value.is_finite());
    let [low, high] = finite.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| {
        [low.min(value), high.max(value)]
    });
    if low < high { [low, high] } else { PHOTO_RANGE }
}

/// Makes one texture per image; cells that share an image share its texture. The ranges are those of
/// the originals and of what the pipeline makes of them, so that the result of Rescaling(1/255) is not
/// shown black.
pub fn grid_textures(
    ctx: &Context,
    outcome: &AugmentationOutcome,
    [original_range, range]: [[f64; 2]; 2],
) -> GridTextures {
    let mut known: Vec<(*const Image, TextureHandle)> = Vec::new();
    let mut of = |image: &Arc<Image>, range: [f64; 2]| {
        let address = Arc::as_ptr(image);
        if let Some((_, texture)) = known.iter().find(|(known, _)| *known == address) {
            return texture.clone();
        }
        let texture = texture(ctx, "grid", image, range);
        known.push((address, texture.clone()));
        texture
    };
    let originals = outcome
        .training
        .iter()
        .map(|cell| of(&cell.original, original_range))
        .collect();
    let mut side = |cells: &[GridCell]| cells.iter().map(|cell| of(&cell.image, range)).collect();
    GridTextures {
        training: side(&outcome.training),
        inference: side(&outcome.inference),
        originals,
        fill: None,
    }
}

/// The pixels that the fill mode painted in one cell: white there, transparent elsewhere. `None` if
/// they cannot be derived from the draws.
fn fill_texture(ctx: &Context, pipeline: &Pipeline, cell: &GridCell) -> Option<FillTexture> {
    let Image { height, width, .. } = *cell.original;
    let painted = pipeline.painted_by_fill(&cell.draws, height, width)?;
    let count = painted.iter().filter(|&&painted| painted).count();
    let color = |painted: bool| {
        if painted {
            theme::UNTINTED
        } else {
            Color32::TRANSPARENT
        }
    };
    let pixels: Vec<Color32> = painted.into_iter().map(color).collect();
    let share = count as f64 / pixels.len().max(1) as f64;
    let image = ColorImage::new([width, height], pixels);
    let texture = ctx.load_texture("fill", image, TextureOptions::NEAREST);
    Some(FillTexture { texture, share })
}

impl App {
    /// Makes the fill texture of the enlarged cell, once.
    pub(super) fn keep_fill(&mut self, ctx: &Context) {
        let Some(place) = self.state.grid.open else {
            return;
        };
        let computed = &mut self.state.computed;
        let Some(looked) = computed.result(View::Augmentation).cloned() else {
            return;
        };
        let (Outcome::Augmentation(outcome), Look::Augmentation(look)) =
            (&looked.outcome, &looked.look)
        else {
            return;
        };
        let Some(textures) = &mut computed.grid else {
            return;
        };
        if textures
            .fill
            .as_ref()
            .is_some_and(|(known, _)| *known == place)
        {
            return;
        }
        if let Some(cell) = outcome.side(place.mode).get(place.index) {
            textures.fill = Some((place, fill_texture(ctx, &look.pipeline, cell)));
        }
    }
}

/// Makes a texture of an image whose values run from `low` to `high`.
pub fn texture(ctx: &Context, name: &str, image: &Image, [low, high]: [f64; 2]) -> TextureHandle {
    let span = high - low;
    // After a rescaling by 0 all values are equal: any scale will do.
    let scale = if span > 0.0 { 255.0 / span } else { 1.0 } as f32;
    let low = low as f32;
    let pixel = |hwc: &[f32]| {
        let byte = |value: f32| ((value - low) * scale).clamp(0.0, 255.0).round() as u8;
        match *hwc {
            [red, green, blue, ..] => theme::pixel(&[byte(red), byte(green), byte(blue)]),
            [grey, ..] => theme::pixel(&[byte(grey)]),
            [] => theme::pixel(&[]),
        }
    };
    let pixels: Vec<_> = image
        .pixels_hwc
        .chunks_exact(image.channels.max(1))
        .map(pixel)
        .collect();
    let size = [image.width, image.height];
    // egui panics if the size does not match; such an image would be a bug.
    let image = if pixels.len() == size[0] * size[1] {
        ColorImage::new(size, pixels)
    } else {
        ColorImage::default()
    };
    load_smooth(ctx, name, image)
}

/// Makes a texture that stays smooth when it is shown small.
pub fn load_smooth(ctx: &Context, name: &str, image: ColorImage) -> TextureHandle {
    let options = TextureOptions {
        mipmap_mode: Some(egui::TextureFilter::Linear),
        ..TextureOptions::LINEAR
    };
    ctx.load_texture(name, image, options)
}
