//! PNG from SVG or from pixels.

use std::sync::Arc;

use ::png::{BitDepth, ColorType, Compression, Encoder, EncodingError, PixelDimensions, Unit};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, Tree};
use thiserror::Error;

use crate::FontFiles;

/// The largest width and height, in pixels.
pub const MAX_SIDE: u32 = 16_384;

/// The smallest width, in pixels: narrower, nothing can be recognised.
pub const MIN_WIDTH: u32 = 100;

/// The usual resolution of print, in pixels per inch.
pub const DPI: f64 = 300.0;

const MM_PER_INCH: f64 = 25.4;

/// Why a PNG cannot be made.
#[derive(Debug, Error)]
pub enum PngError {
    /// The drawing is not valid SVG.
    #[error("the drawing cannot be read back: {0}")]
    Svg(#[from] usvg::Error),
    /// A side is longer than [`MAX_SIDE`].
    #[error("{width} x {height} pixels are too many: a side has at most {MAX_SIDE}")]
    TooLarge { width: u32, height: u32 },
    /// A width, in pixels, outside of [`MIN_WIDTH`] to [`MAX_SIDE`].
    #[error("a picture is {MIN_WIDTH} to {MAX_SIDE} pixels wide, not {0:.0}")]
    Width(f64),
    /// The encoder failed.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
}

/// A drawing as pixels.
#[derive(Clone, Debug)]
pub struct Raster {
    /// Width and height.
    pub size: [usize; 2],
    /// Row by row from the top; alpha is not premultiplied.
    pub rgba: Vec<[u8; 4]>,
}

#[cfg(feature = "shapes")]
impl Raster {
    /// The pixels as egui keeps them, for a texture or the clipboard.
    pub fn to_image(&self) -> egui::ColorImage {
        egui::ColorImage::from_rgba_unmultiplied(self.size, self.rgba.as_flattened())
    }
}

/// Parses a drawing, with these fonts and no others.
///
/// # Errors
/// The drawing is not valid SVG.
pub fn tree(svg: &str, fonts: &FontFiles) -> Result<Tree, usvg::Error> {
    let mut database = usvg::fontdb::Database::new();
    for font in fonts.files {
        database.load_font_data(font.to_vec());
    }
    let options = usvg::Options {
        font_family: fonts.family.to_owned(),
        fontdb: Arc::new(database),
        ..Default::default()
    };
    Tree::from_str(svg, &options)
}

/// Draws an SVG as pixels, `width` of them wide.
///
/// # Errors
/// [`PngError::Svg`] or [`PngError::TooLarge`].
pub fn raster(svg: &str, width: u32, fonts: &FontFiles) -> Result<Raster, PngError> {
    let tree = tree(svg, fonts)?;
    let size = tree.size();
    let scale = width as f32 / size.width();
    let height = (size.height() * scale).round() as u32;
    let too_large = PngError::TooLarge { width, height };
    if width.max(height) > MAX_SIDE {
        return Err(too_large);
    }
    let mut pixmap = Pixmap::new(width, height).ok_or(too_large)?;
    let down = height as f32 / size.height();
    resvg::render(
        &tree,
        Transform::from_scale(scale, down),
        &mut pixmap.as_mut(),
    );
    let rgba = pixmap.pixels().iter().map(|p| {
        let p = p.demultiply();
        [p.red(), p.green(), p.blue(), p.alpha()]
    });
    Ok(Raster {
        size: [width as usize, height as usize],
        rgba: rgba.collect(),
    })
}

/// Encodes pixels as PNG, without an alpha channel if all of them are opaque. `rgba` holds
/// `width * height` pixels, not premultiplied. `dpi` (pixels per inch) is noted in the file, so that
/// other programs know its size in millimetres.
///
/// # Errors
/// [`EncodingError`] if the size is 0 or does not match the pixels.
pub fn encode(
    [width, height]: [usize; 2],
    rgba: &[[u8; 4]],
    dpi: Option<f64>,
) -> Result<Vec<u8>, EncodingError> {
    let is_opaque = rgba.iter().all(|&[.., alpha]| alpha == 255);
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, width as u32, height as u32);
    let color = if is_opaque {
        ColorType::Rgb
    } else {
        ColorType::Rgba
    };
    encoder.set_color(color);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::High);
    if let Some(dpi) = dpi {
        let per_metre = (dpi * 1000.0 / MM_PER_INCH).round() as u32;
        encoder.set_pixel_dims(Some(PixelDimensions {
            xppu: per_metre,
            yppu: per_metre,
            unit: Unit::Meter,
        }));
    }
    let channels = if is_opaque { 3 } else { 4 };
    let bytes: Vec<u8> = rgba
        .iter()
        .flat_map(|p| p[..channels].iter().copied())
        .collect();
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&bytes)?;
    writer.finish()?;
    Ok(out)
}

/// Draws an SVG as a PNG, `width` pixels wide. `dpi` is noted as in [`encode`].
///
/// # Errors
/// [`PngError::Svg`], [`PngError::TooLarge`] or [`PngError::Encoding`].
pub fn from_svg(
    svg: &str,
    width: u32,
    fonts: &FontFiles,
    dpi: Option<f64>,
) -> Result<Vec<u8>, PngError> {
    let raster = raster(svg, width, fonts)?;
    Ok(encode(raster.size, &raster.rgba, dpi)?)
}

/// Rounds a width to whole pixels.
///
/// # Errors
/// [`PngError::Width`] below [`MIN_WIDTH`] and above [`MAX_SIDE`].
pub(crate) fn checked_width(pixels: f64) -> Result<u32, PngError> {
    let whole = pixels.round();
    if (f64::from(MIN_WIDTH)..=f64::from(MAX_SIDE)).contains(&whole) {
        Ok(whole as u32)
    } else {
        Err(PngError::Width(pixels))
    }
}

/// Converts millimetres to pixels at a resolution in pixels per inch.
pub(crate) fn pixels_of_mm(mm: f64, dpi: f64) -> f64 {
    mm / MM_PER_INCH * dpi
}
