//! The pictures that textures were made of, kept so that a figure can hold them.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use egui::epaint::ImageData;
use egui::{
    self, Color32, ColorImage, Context, FullOutput, TextureFilter, TextureId, TexturesDelta,
};

/// A picture as it was given to a texture.
#[derive(Clone, Debug)]
pub struct Picture {
    pub image: Arc<ColorImage>,
    /// Enlarged as squares, not smoothed.
    pub is_sharp: bool,
}

/// Remembers the pictures of a context's textures. egui hands them to the graphics card and
/// forgets them.
#[derive(Debug, Default)]
pub struct Images {
    by_texture: HashMap<TextureId, Picture>,
}

impl Images {
    /// From now on the pictures of this context are remembered.
    pub fn install(ctx: &Context) {
        ctx.add_plugin(Self::default());
    }

    /// The pictures of a context; they are shared, not copied.
    pub fn of(ctx: &Context) -> Self {
        let by_texture = ctx.with_plugin(|images: &mut Self| images.by_texture.clone());
        Self {
            by_texture: by_texture.unwrap_or_default(),
        }
    }

    /// The same where nobody draws frames: egui tells of textures with a frame.
    pub fn without_window(ctx: &Context) -> Self {
        let mut output = ctx.run_ui(egui::RawInput::default(), |_| {});
        output.textures_delta.clear();
        Self::of(ctx)
    }

    /// Sees to it that no texture of this context will have the name of one of these: a figure
    /// shows textures of the window's context beside its own.
    pub fn keep_apart(&self, ctx: &Context) {
        let number = |id: &TextureId| match id {
            TextureId::Managed(n) => *n,
            TextureId::User(_) => 0,
        };
        let highest = self.by_texture.keys().map(number).max().unwrap_or(0);
        let options = egui::TextureOptions::LINEAR;
        // Names count up and are never used again.
        while number(&ctx.load_texture("", ColorImage::default(), options).id()) < highest {}
    }

    /// These, and those of another context kept apart from them.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        let others = other.by_texture.iter();
        self.by_texture
            .extend(others.map(|(id, picture)| (*id, picture.clone())));
        self
    }

    /// Notes what a frame says of textures.
    pub fn remember(&mut self, delta: &TexturesDelta) {
        for (&id, changes) in &delta.set {
            for change in changes {
                // Glyphs come in parts, pictures never do.
                if id == TextureId::default() || change.pos.is_some() {
                    continue;
                }
                let ImageData::Color(image) = &change.image;
                let picture = Picture {
                    image: Arc::clone(image),
                    is_sharp: change.options.magnification == TextureFilter::Nearest,
                };
                self.by_texture.insert(id, picture);
            }
        }
        for id in &delta.free {
            self.by_texture.remove(id);
        }
    }

    /// The picture of a texture.
    pub fn get(&self, texture: TextureId) -> Option<&Picture> {
        self.by_texture.get(&texture)
    }
}

impl egui::Plugin for Images {
    fn debug_name(&self) -> &'static str {
        "images for figures"
    }

    fn output_hook(&mut self, _ctx: &Context, output: &mut FullOutput) {
        self.remember(&output.textures_delta);
    }
}

/// A picture as the address of an `<image>`: PNG, base64. `tint` is multiplied with it, and each
/// pixel becomes a square of `times` x `times` pixels.
pub fn data_uri(
    image: &ColorImage,
    tint: Color32,
    times: usize,
) -> Result<String, png::EncodingError> {
    let mut rgba: Vec<[u8; 4]> = Vec::with_capacity(image.pixels.len() * times * times);
    for row in image.pixels.chunks(image.width().max(1)) {
        let pixels = row
            .iter()
            .map(|&pixel| (pixel * tint).to_srgba_unmultiplied());
        let row: Vec<[u8; 4]> = pixels.flat_map(|p| std::iter::repeat_n(p, times)).collect();
        for _ in 0..times {
            rgba.extend_from_slice(&row);
        }
    }
    let png = super::png::encode(image.size.map(|side| side * times), &rgba, None)?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(png)))
}
