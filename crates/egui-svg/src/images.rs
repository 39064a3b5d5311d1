//! The pictures of textures, kept so that they can be embedded in an SVG.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use egui::epaint::ImageData;
use egui::{
    self, Color32, ColorImage, Context, FullOutput, TextureFilter, TextureId, TexturesDelta,
};

/// The picture that a texture was made from.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Its pixels, shared with egui.
    pub image: Arc<ColorImage>,
    /// True if egui enlarges it without smoothing (`TextureFilter::Nearest`).
    pub is_sharp: bool,
}

/// The pictures of a context's textures. egui itself hands them to the graphics card and forgets
/// them, so [`Images::install`] must come before the first texture.
#[derive(Debug, Default)]
pub struct Images {
    by_texture: HashMap<TextureId, Picture>,
}

impl Images {
    /// Installs a plugin that remembers the pictures of this context from now on.
    pub fn install(ctx: &Context) {
        ctx.add_plugin(Self::default());
    }

    /// The pictures of a context, as of its last frame. They are shared, not copied. Empty if
    /// [`Images::install`] was not called.
    pub fn of(ctx: &Context) -> Self {
        let by_texture = ctx.with_plugin(|images: &mut Self| images.by_texture.clone());
        Self {
            by_texture: by_texture.unwrap_or_default(),
        }
    }

    /// The pictures of a context whose frames nobody draws. egui reports textures at the end of a
    /// frame, so this runs an empty one.
    pub fn without_window(ctx: &Context) -> Self {
        let mut output = ctx.run_ui(egui::RawInput::default(), |_| {});
        output.textures_delta.clear();
        Self::of(ctx)
    }

    /// Makes sure that later textures of `ctx` have ids that none of these pictures has, so that
    /// the textures of two contexts can be shown in one drawing.
    pub fn keep_apart(&self, ctx: &Context) {
        let number = |id: &TextureId| match id {
            TextureId::Managed(n) => *n,
            TextureId::User(_) => 0,
        };
        let highest = self.by_texture.keys().map(number).max().unwrap_or(0);
        let options = egui::TextureOptions::LINEAR;
        // Ids count up and are never reused.
        while number(&ctx.load_texture("", ColorImage::default(), options).id()) < highest {}
    }

    /// These pictures and those of another context; see [`Images::keep_apart`].
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        let others = other.by_texture.iter();
        self.by_texture
            .extend(others.map(|(id, picture)| (*id, picture.clone())));
        self
    }

    /// Adds and removes pictures as a frame reports it.
    pub fn remember(&mut self, delta: &TexturesDelta) {
        for (&id, changes) in &delta.set {
            for change in changes {
                // Only the font atlas is updated in parts.
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

    /// Adds the picture of a texture that no frame has reported yet.
    pub fn insert(&mut self, texture: TextureId, image: Arc<ColorImage>) {
        let picture = Picture {
            image,
            is_sharp: false,
        };
        self.by_texture.insert(texture, picture);
    }

    /// The picture of a texture, if it is known.
    pub fn get(&self, texture: TextureId) -> Option<&Picture> {
        self.by_texture.get(&texture)
    }
}

impl egui::Plugin for Images {
    fn debug_name(&self) -> &'static str {
        "images for SVG"
    }

    fn output_hook(&mut self, _ctx: &Context, output: &mut FullOutput) {
        self.remember(&output.textures_delta);
    }
}

/// Encodes a picture, multiplied by `tint`, as a data URI: PNG in base64. Each pixel becomes a
/// square of `times` x `times` pixels.
///
/// # Errors
/// The picture cannot be encoded as PNG.
pub(crate) fn data_uri(
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
