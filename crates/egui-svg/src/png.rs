//! PNG from SVG, and PNG from pixels.

use std::sync::Arc;

use ::png::{BitDepth, ColorType, Compression, Encoder, EncodingError, PixelDimensions, Unit};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, Tree};
use thiserror::Error;

use crate::FontFiles;

/// The most pixels of a side.
pub const MAX_SIDE: u32 = 16_384;

/// Fewer pixels show nothing.
pub const MIN_WIDTH: u32 = 100;

/// Pixels of an inch, where nothing else is said.
pub const DPI: f64 = 300.0;

const MM_PER_INCH: f64 = 25.4;

/// Why there is no PNG.
#[derive(Debug, Error)]
pub enum PngError {
    #[error("the drawing cannot be read back: {0}")]
    Svg(#[from] usvg::Error),
    #[error("{width} x {height} pixels are more than {MAX_SIDE} a side")]
    TooLarge { width: u32, height: u32 },
    #[error("a picture is {MIN_WIDTH} to {MAX_SIDE} pixels wide, not {0:.0}")]
    Width(f64),
    #[error(transparent)]
    Encoding(#[from] EncodingError),
}

/// Pixels from a drawing.
#[derive(Clone, Debug)]
pub struct Raster {
    pub size: [usize; 2],
    pub rgba: Vec<[u8; 4]>,
}

/// Reads a drawing with these fonts and no others.
///
/// # Errors
/// When it is not SVG.
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

/// Draws an SVG `width` pixels wide.
///
/// # Errors
/// Too many pixels, or a drawing that is not SVG.
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

/// Writes pixels as PNG; without an alpha channel where none is needed. `dpi` is noted in the
/// file, so that other programs give it its size in millimetres.
///
/// # Errors
/// See [`EncodingError`].
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

/// A drawing as the bytes of a PNG `width` pixels wide.
///
/// # Errors
/// See [`PngError`].
pub fn written(
    svg: &str,
    width: u32,
    fonts: &FontFiles,
    dpi: Option<f64>,
) -> Result<Vec<u8>, PngError> {
    let raster = raster(svg, width, fonts)?;
    Ok(encode(raster.size, &raster.rgba, dpi)?)
}

/// A width in whole pixels.
///
/// # Errors
/// Too few, or more than a PNG may have.
pub fn width(pixels: f64) -> Result<u32, PngError> {
    let whole = pixels.round();
    if (f64::from(MIN_WIDTH)..=f64::from(MAX_SIDE)).contains(&whole) {
        Ok(whole as u32)
    } else {
        Err(PngError::Width(pixels))
    }
}

/// Pixels of so many millimetres.
pub fn pixels_of_mm(mm: f64, dpi: f64) -> f64 {
    mm / MM_PER_INCH * dpi
}
