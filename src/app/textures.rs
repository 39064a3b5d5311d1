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

/// Makes one texture per picture; cells that share a picture share its texture.
pub fn grid_textures(ctx: &Context, outcome: &AugmentationOutcome) -> GridTextures {
    let mut known: Vec<(*const Image<u8>, TextureHandle)> = Vec::new();
    let mut of = |picture: &Arc<Image<u8>>| {
        let address = Arc::as_ptr(picture);
        if let Some((_, texture)) = known.iter().find(|(known, _)| *known == address) {
            return texture.clone();
        }
        let texture = texture(ctx, "grid", picture);
        known.push((address, texture.clone()));
        texture
    };
    let originals = outcome.training.iter();
    let originals = originals.map(|cell| of(&cell.original)).collect();
    let mut side = |cells: &[GridCell]| cells.iter().map(|cell| of(&cell.image)).collect();
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
    let [height, width] = [cell.original.height, cell.original.width];
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

/// Makes a texture of a picture.
pub fn texture(ctx: &Context, name: &str, picture: &Image<u8>) -> TextureHandle {
    let pixel = |hwc: &[u8]| match *hwc {
        [red, green, blue, ..] => theme::pixel(&[red, green, blue]),
        [grey, ..] => theme::pixel(&[grey]),
        [] => theme::pixel(&[]),
    };
    let pixels = picture.pixels_hwc.chunks_exact(picture.channels.max(1));
    let pixels: Vec<Color32> = pixels.map(pixel).collect();
    let size = [picture.width, picture.height];
    // egui panics if the size does not match; such a picture would be a bug.
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
