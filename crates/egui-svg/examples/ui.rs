//! Draws a small user interface without a window and writes it as SVG and PNG.
//!
//! Usage: `cargo run --package egui-svg --example ui -- [NAME]` writes `NAME.svg` and `NAME.png`
//! (`ui` if no name is given).

use std::error::Error;
use std::fs;

use egui::{Color32, ColorImage, Context, RawInput, Rect, TextureOptions, Ui, pos2, vec2};
use egui_svg::{FontFiles, Images, Typography, frame_svg, png};
use epaint_default_fonts::{HACK_REGULAR, UBUNTU_LIGHT};

/// The files of egui's own fonts, for the PNG.
const FONTS: FontFiles = FontFiles {
    files: &[UBUNTU_LIGHT, HACK_REGULAR],
    family: "Ubuntu",
};

/// How the SVG names these fonts.
const TYPOGRAPHY: Typography = Typography {
    size: 12.5,
    family: " font-family=\"Ubuntu, sans-serif\" font-weight=\"300\"",
    attributes: |family| match family {
        egui::FontFamily::Monospace => " font-family=\"Hack, monospace\" font-weight=\"400\"",
        egui::FontFamily::Proportional | egui::FontFamily::Name(_) => "",
    },
};

fn main() -> Result<(), Box<dyn Error>> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "ui".to_owned());
    let ctx = Context::default();
    Images::install(&ctx);
    ctx.set_fonts(fonts());
    ctx.set_theme(egui::Theme::Light);
    let checkers = ctx.load_texture("checkers", checkers(), TextureOptions::NEAREST);

    let size = vec2(360.0, 220.0);
    let input = || RawInput {
        screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), size)),
        ..RawInput::default()
    };
    let mut rate = 0.2;
    let mut draw = |ui: &mut Ui| {
        ui.heading("Dropout");
        ui.horizontal(|ui| {
            ui.label("rate");
            ui.add(egui::Slider::new(&mut rate, 0.0..=1.0));
        });
        ui.checkbox(&mut true, "training=True");
        ui.add(egui::ProgressBar::new(0.7).text("70 %"));
        ui.monospace("x * mask / (1 - rate)");
        ui.image((checkers.id(), vec2(64.0, 64.0)));
    };
    // egui measures in the first frame; the second one has everything in its place.
    ctx.run_ui(input(), &mut draw).textures_delta.clear();
    let mut output = ctx.run_ui(input(), &mut draw);
    output.textures_delta.clear();

    let images = Images::of(&ctx);
    let background = Color32::WHITE;
    let svg = frame_svg(&output, &images, size, background, "A small UI", TYPOGRAPHY)?;
    let pixels = 2 * size.x as u32;
    fs::write(
        format!("{name}.png"),
        png::from_svg(&svg, pixels, &FONTS, None)?,
    )?;
    fs::write(format!("{name}.svg"), svg)?;
    Ok(())
}

/// egui's own fonts. A program with egui's feature `default_fonts` needs no such function.
fn fonts() -> egui::FontDefinitions {
    let mut fonts = egui::FontDefinitions::empty();
    for (name, bytes, family) in [
        ("Ubuntu-Light", UBUNTU_LIGHT, egui::FontFamily::Proportional),
        ("Hack", HACK_REGULAR, egui::FontFamily::Monospace),
    ] {
        let data = egui::FontData::from_static(bytes);
        fonts.font_data.insert(name.to_owned(), data.into());
        fonts
            .families
            .entry(family)
            .or_default()
            .push(name.to_owned());
    }
    fonts
}

/// Eight by eight squares.
fn checkers() -> ColorImage {
    let pixel = |i: usize| match (i + i / 8) % 2 {
        0 => Color32::from_rgb(194, 80, 10),
        _ => Color32::from_rgb(253, 241, 231),
    };
    ColorImage::new([8, 8], (0..64).map(pixel).collect())
}
