//! Everything that decides how the window looks: colours, sizes, fonts and the style made of them.
//! No other module holds a colour or a size.

pub mod fonts;
mod palette;
pub mod sizes;
mod style;
pub mod text;

pub use fonts::with as fonts_with;
pub use palette::{BLANK, ModeColors, Palette};

use eframe::egui::{Color32, Context, Theme, Ui};

/// Installs fonts and styles; call once, before the first frame.
pub fn install(ctx: &Context) {
    ctx.set_fonts(fonts::definitions());
    // Where the system does not say which theme it has.
    ctx.options_mut(|options| options.fallback_theme = Theme::Light);
    ctx.set_style_of(Theme::Light, style::style(&Palette::LIGHT));
    ctx.set_style_of(Theme::Dark, style::style(&Palette::DARK));
}

/// Textures drawn with this tint show their own colours.
pub const UNTINTED: Color32 = Color32::WHITE;

/// The background of a figure for white paper.
pub const PAPER: Color32 = Color32::WHITE;

/// The colour of one pixel of a photo: grey of one channel, else red, green and blue.
pub fn pixel(channels: &[u8]) -> Color32 {
    match *channels {
        [red, green, blue, ..] => Color32::from_rgb(red, green, blue),
        [grey, ..] => Color32::from_gray(grey),
        [] => Color32::TRANSPARENT,
    }
}

/// The colours of the theme in use.
pub fn palette(ui: &Ui) -> &'static Palette {
    if ui.visuals().dark_mode {
        &Palette::DARK
    } else {
        &Palette::LIGHT
    }
}
