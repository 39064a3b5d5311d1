//! Decoding photos to 8-bit RGB, with limits that are checked before memory is taken.
//!
//! As TensorFlow's `decode_image(channels=3)`: EXIF orientation is not applied, grey is copied to
//! three channels, alpha is dropped without blending, 16-bit values lose their low byte, and of an
//! animation only the first frame counts.

use std::fs::{self, File};
use std::io::{self, Cursor, Read as _};
use std::path::Path;

use image::error::LimitErrorKind;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};

use super::{Photo, PhotoSource};
use crate::number::thousands;

/// Largest file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 100_000_000;
/// Largest height or width, in pixels.
pub const MAX_SIDE: u32 = 16_384;
/// Largest height times width, in pixels.
pub const MAX_PIXELS: u64 = 64_000_000;
/// Most memory one decoder may take, in bytes.
const MAX_DECODER_BYTES: u64 = 512 << 20;
/// Of which for each pixel (16 bits of four channels, and a copy), and beside them.
const DECODER_BYTES_PER_PIXEL: u64 = 12;
const DECODER_BYTES: u64 = 16 << 20;
/// How much of a file [`check`] reads first, in bytes; camera files may need more.
const HEADER_BYTES: u64 = 32 << 10;

const FORMATS: [ImageFormat; 5] = [
    ImageFormat::Jpeg,
    ImageFormat::Png,
    ImageFormat::WebP,
    ImageFormat::Gif,
    ImageFormat::Bmp,
];

/// Why one photo has no pixels, and which.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause}: {place}")]
pub struct DecodeError {
    pub cause: DecodeCause,
    /// The file's path, or the name of a bundled photo.
    pub place: String,
}

impl DecodeError {
    /// The error for `photo`.
    pub fn new(photo: &Photo, cause: DecodeCause) -> Self {
        let place = match &photo.source {
            PhotoSource::Bundled(_) => photo.name.clone(),
            PhotoSource::File(path) => path.display().to_string(),
        };
        Self { cause, place }
    }
}

/// Why a photo has no pixels.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeCause {
    #[error("not an image modelens can read (JPEG, PNG, WebP, GIF, BMP)")]
    NotAnImage,
    #[error("the image is broken: {0}")]
    Broken(String),
    #[error(
        "too large: {} x {} pixels (width x height); the limit is {} a side and {} megapixels",
        thousands(*.width), thousands(*.height),
        thousands(MAX_SIDE), MAX_PIXELS / 1_000_000
    )]
    TooManyPixels { width: u32, height: u32 },
    #[error(
        "too large: a file of {} bytes; the limit is {}",
        thousands(*.0), thousands(MAX_FILE_BYTES)
    )]
    FileTooLarge(u64),
    #[error("too large: decoding takes more memory than an image of its size needs")]
    TooMuchMemory,
    #[error("not a regular file")]
    NotAFile,
    #[error("cannot read the file: {0}")]
    Unreadable(String),
    #[error("cancelled")]
    Cancelled,
}

impl From<io::Error> for DecodeCause {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<ImageError> for DecodeCause {
    fn from(error: ImageError) -> Self {
        use std::error::Error as _;
        match error {
            ImageError::Limits(limit) if limit.kind() == LimitErrorKind::InsufficientMemory => {
                Self::TooMuchMemory
            }
            // The cause alone: the outer sentence only adds "Format error decoding Png".
            ImageError::Decoding(error) => Self::Broken(match error.source() {
                Some(source) => one_line(&source.to_string()),
                None => one_line(&error.to_string()),
            }),
            // Decoders read from memory here, so an I/O error is a file that ends too early.
            ImageError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Self::Broken("it ends too early".to_owned())
            }
            error => Self::Broken(one_line(&error.to_string())),
        }
    }
}

/// Decodes `photo` to 8-bit RGB, `[H, W, 3]`; the format is told by the content, not by the name.
///
/// # Errors
/// Where the file cannot be read, is no image, is broken, or is over one of the limits above.
pub fn decode(photo: &Photo) -> Result<RgbImage, DecodeError> {
    let decoded = match &photo.source {
        PhotoSource::Bundled(bytes) => decode_bytes(bytes),
        PhotoSource::File(path) => read(path, None).and_then(|(bytes, _)| decode_bytes(&bytes)),
    };
    decoded.map_err(|cause| DecodeError::new(photo, cause))
}

/// Whether the header of `photo` is that of an image within the limits.
///
/// Reads the first bytes of the file only, so a picture that breaks off later passes.
///
/// # Errors
/// As [`decode`].
pub fn check(photo: &Photo) -> Result<(), DecodeError> {
    let checked = match &photo.source {
        PhotoSource::Bundled(bytes) => header(bytes).map(|_| ()),
        PhotoSource::File(path) => check_file(path),
    };
    checked.map_err(|cause| DecodeError::new(photo, cause))
}

fn check_file(path: &Path) -> Result<(), DecodeCause> {
    let mut limit = HEADER_BYTES;
    loop {
        let (bytes, size) = read(path, Some(limit))?;
        match header(&bytes) {
            // Large metadata before the dimensions: look further.
            Err(DecodeCause::Broken(_)) if limit < size => limit *= 16,
            result => return result.map(|_| ()),
        }
    }
}

/// The first `limit` bytes of a file (all without a limit), and its size in bytes.
fn read(path: &Path, limit: Option<u64>) -> Result<(Vec<u8>, u64), DecodeCause> {
    let metadata = fs::metadata(path)?;
    // Asked before opening: opening a named pipe would wait for a writer.
    if !metadata.is_file() {
        return Err(DecodeCause::NotAFile);
    }
    let size = metadata.len();
    if size > MAX_FILE_BYTES {
        return Err(DecodeCause::FileTooLarge(size));
    }
    let mut bytes = Vec::new();
    // Bounded even where the file grows meanwhile.
    File::open(path)?
        .take(limit.unwrap_or(MAX_FILE_BYTES))
        .read_to_end(&mut bytes)?;
    Ok((bytes, size))
}

/// The format and a decoder that has read the header only, within the limits.
fn header(bytes: &[u8]) -> Result<(ImageFormat, impl ImageDecoder + '_), DecodeCause> {
    let format = image::guess_format(bytes)
        .ok()
        .filter(|format| FORMATS.contains(format))
        .ok_or(DecodeCause::NotAnImage)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    // No limit on the sides here: ours below names the dimensions.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    reader.limits(limits);
    let decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(DecodeCause::Broken("it has no pixels".to_owned()));
    }
    let n_pixels = u64::from(width) * u64::from(height);
    if width.max(height) > MAX_SIDE || n_pixels > MAX_PIXELS {
        return Err(DecodeCause::TooManyPixels { width, height });
    }
    Ok((format, decoder))
}

fn decode_bytes(bytes: &[u8]) -> Result<RgbImage, DecodeCause> {
    let (format, mut decoder) = header(bytes)?;
    let (width, height) = decoder.dimensions();
    // A frame of an animation may be larger than the image it is a part of.
    let mut limits = Limits::no_limits();
    let own = DECODER_BYTES_PER_PIXEL * u64::from(width) * u64::from(height);
    limits.max_alloc = Some(MAX_DECODER_BYTES.min(DECODER_BYTES + own));
    decoder.set_limits(limits)?;
    if format == ImageFormat::Jpeg && !jpeg_is_complete(bytes) {
        // The decoder would fill the missing part with grey; TensorFlow refuses such a file too.
        return Err(DecodeCause::Broken("it ends too early".to_owned()));
    }
    Ok(to_rgb8(DynamicImage::from_decoder(decoder)?))
}

/// Whether the compressed data of a JPEG is followed by an end-of-image marker (`FF D9`).
///
/// Searched after the first start of scan (`FF DA`): the metadata before it may hold a thumbnail,
/// which is a whole JPEG. Compressed data never holds `FF D9`, as `FF` is stuffed with `00` there.
fn jpeg_is_complete(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[lead, marker, high, low]) = bytes.get(at..at + 4) {
        if lead != 0xFF {
            break;
        }
        if marker == 0xFF {
            at += 1;
            continue;
        }
        // The length counts its own two bytes.
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
        if marker == 0xDA {
            break;
        }
    }
    let data = bytes.get(at..).unwrap_or_default();
    data.windows(2).rev().any(|pair| pair == [0xFF, 0xD9])
}

/// 8-bit RGB: alpha dropped, 16-bit values as `v >> 8` (libpng's `png_set_strip_16`, which
/// TensorFlow calls; rounding would give other pixels).
fn to_rgb8(image: DynamicImage) -> RgbImage {
    fn narrow<const N: usize>(
        values: &[u16],
        (width, height): (u32, u32),
        rgb: impl Fn([u16; N]) -> [u16; 3],
    ) -> RgbImage {
        let pixels = values.as_chunks::<N>().0.iter();
        // The low byte of the shifted value is the whole of it.
        let bytes = pixels.flat_map(|&p| rgb(p).map(|v| (v >> 8) as u8));
        // The sizes always agree, and an image without pixels stands for the impossible case.
        RgbImage::from_raw(width, height, bytes.collect()).unwrap_or_default()
    }
    match &image {
        DynamicImage::ImageLuma16(p) => narrow(p, p.dimensions(), |[v]| [v; 3]),
        DynamicImage::ImageLumaA16(p) => narrow(p, p.dimensions(), |[v, _]| [v; 3]),
        DynamicImage::ImageRgb16(p) => narrow(p, p.dimensions(), |rgb| rgb),
        DynamicImage::ImageRgba16(p) => narrow(p, p.dimensions(), |[r, g, b, _]| [r, g, b]),
        _ => image.into_rgb8(),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
