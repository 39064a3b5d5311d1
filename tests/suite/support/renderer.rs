//! Draws the window of a test as figures are drawn: shapes to SVG to pixels, without a GPU. The same
//! frame gives the same picture on every machine.

use std::fmt::Write as _;

use eframe::egui::{Context, FullOutput, TexturesDelta};
use egui_kittest::TestRenderer;
use egui_svg::{Images, frame_svg, png};
use image::RgbaImage;
use modelens::theme::fonts::{FOR_FIGURES, TYPOGRAPHY};
use sha2::{Digest as _, Sha256};

/// For `Harness::builder().renderer(..)`.
#[derive(Debug, Default)]
pub struct SvgRenderer {
    images: Images,
}

impl TestRenderer for SvgRenderer {
    fn handle_delta(&mut self, delta: &mut TexturesDelta) {
        self.images.remember(delta);
        delta.clear();
    }

    fn render(&mut self, ctx: &Context, output: &FullOutput) -> Result<RgbaImage, String> {
        let svg = svg(ctx, output, &self.images)?;
        let width = ctx.content_rect().width() * ctx.pixels_per_point();
        let raster =
            png::raster(&svg, width.round() as u32, &FOR_FIGURES).map_err(|e| e.to_string())?;
        let [width, height] = raster.size.map(|side| side as u32);
        let bytes = raster.rgba.into_flattened();
        RgbaImage::from_raw(width, height, bytes).ok_or_else(|| "the size is wrong".to_owned())
    }
}

/// A frame of the window as SVG.
pub fn svg(ctx: &Context, output: &FullOutput, images: &Images) -> Result<String, String> {
    let background = ctx.global_style().visuals.panel_fill;
    let size = ctx.content_rect().size();
    frame_svg(output, images, size, background, "modelens", TYPOGRAPHY).map_err(|e| e.to_string())
}

/// The drawing with a hash in place of each embedded picture: the photos are in the repository.
pub fn without_pictures(svg: &str) -> String {
    let mut parts = svg.split("xlink:href=\"data:");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (data, rest) = part.split_once('"').expect("the end of an address");
        out.push_str("xlink:href=\"sha256:");
        for byte in &Sha256::digest(data)[..8] {
            write!(out, "{byte:02x}").expect("a string grows");
        }
        out.push('"');
        out.push_str(rest);
    }
    out
}
