//! Decoding photos to 8-bit RGB or grey, with limits that are checked before memory is allocated.
//!
//! JPEG as the framework's own library decodes it (see [`super::jpeg`]). All else as TensorFlow's
//! `decode_image(channels=3)`, and Pillow does the same: EXIF orientation is not applied, grey is copied to
//! three channels, alpha is dropped without blending, 16-bit values lose their low byte, and only the
//! first frame of an animation counts.

use std::borrow::Cow;
use std::io::{self, Cursor};

use image::error::LimitErrorKind;
use image::{
    DynamicImage, GrayImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage,
};

use super::input::PhotoInput;
use super::jpeg::PhotoDecoder;
use super::resize::{resize_bilinear, resize_grey8, resize_rgb8};
use super::{Image, PhotoSet, grey};
use crate::number::thousands;

/// Largest file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 100_000_000;
/// Largest height or width, in pixels.
pub const MAX_SIDE: u32 = 16_384;
/// Largest height times width, in pixels.
pub const MAX_PIXELS: u64 = 64_000_000;
/// Most memory that one decoder may take, in bytes,
const MAX_DECODER_BYTES: u64 = 512 << 20;
/// of which this much per pixel (four channels of 16 bits, and a copy), and this much besides.
const DECODER_BYTES_PER_PIXEL: u64 = 12;
const DECODER_BYTES: u64 = 16 << 20;
/// How much of a file [`PhotoSet::check`] reads first, in bytes; camera files may need more.
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
    /// The file's path if it has one, otherwise the photo's name.
    pub place: String,
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
    #[error(
        "TensorFlow does not read {0} in grey (color_mode='grayscale'): save it as PNG or as a JPEG \
         in RGB"
    )]
    NoGrey(&'static str),
    /// A file that is something else, and what to do.
    #[error("{0}")]
    Other(String),
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
            // The inner cause alone: the outer message only adds "Format error decoding Png".
            ImageError::Decoding(error) => Self::Broken(match error.source() {
                Some(source) => one_line(&source.to_string()),
                None => one_line(&error.to_string()),
            }),
            // Decoders read from memory here, so an I/O error means that the file ends too early.
            ImageError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Self::Broken("it ends too early".to_owned())
            }
            error => Self::Broken(one_line(&error.to_string())),
        }
    }
}

impl PhotoSet {
    /// Decodes the photo with this index to 8-bit RGB, `[H, W, 3]`. The content tells the format, not
    /// the name.
    ///
    /// # Errors
    /// A file that cannot be read, is no image, is broken, or is over one of the limits above.
    pub fn decode(&self, photo: usize, library: PhotoDecoder) -> Result<RgbImage, DecodeError> {
        decode(&self.bytes(photo)?, library).map_err(|cause| self.error(photo, cause))
    }

    /// The photo as a model takes it, `[height, width, channels]` of `input`: decoded and resized.
    ///
    /// # Errors
    /// As [`PhotoSet::decode`], and a photo without as many channels.
    pub fn image(&self, photo: usize, input: &PhotoInput) -> Result<Image, DecodeError> {
        let PhotoInput {
            height,
            width,
            channels,
            library,
        } = *input;
        if let Some(pixels) = self.files.pixels(photo) {
            let image = pixels.and_then(|image| {
                grey::with_channels(image, channels, library).ok_or(DecodeCause::NotAnImage)
            });
            let image = image.map_err(|cause| self.error(photo, cause))?;
            return Ok(resize_bilinear(&image, height, width));
        }
        if channels == 1 {
            let grey = decode_grey(&self.bytes(photo)?, library);
            let grey = grey.map_err(|cause| self.error(photo, cause))?;
            return Ok(resize_grey8(&grey, height, width));
        }
        Ok(resize_rgb8(&self.decode(photo, library)?, height, width))
    }

    /// The bytes of a photo's file.
    ///
    /// # Errors
    /// A file that cannot be read or is too large.
    pub fn bytes(&self, photo: usize) -> Result<Cow<'_, [u8]>, DecodeError> {
        self.size(photo)
            .and_then(|_| self.files.read(photo, MAX_FILE_BYTES))
            .map_err(|cause| self.error(photo, cause))
    }

    /// Checks that the header of a photo is that of an image within the limits. Reads the first bytes
    /// only, so an image that breaks off later passes.
    ///
    /// # Errors
    /// As [`PhotoSet::decode`].
    pub fn check(&self, photo: usize) -> Result<(), DecodeError> {
        if self.files.channels().is_some() {
            return Ok(());
        }
        let checked = || {
            let size = self.size(photo)?;
            let mut limit = HEADER_BYTES;
            loop {
                match header(&self.files.read(photo, limit)?) {
                    // Large metadata before the dimensions: read on.
                    Err(DecodeCause::Broken(_)) if limit < size => limit *= 16,
                    result => return result.map(|_| ()),
                }
            }
        };
        checked().map_err(|cause| self.error(photo, cause))
    }

    fn size(&self, photo: usize) -> Result<u64, DecodeCause> {
        let size = self.files.size(photo)?;
        if size > MAX_FILE_BYTES {
            return Err(DecodeCause::FileTooLarge(size));
        }
        Ok(size)
    }

    /// The error for a photo.
    pub fn error(&self, photo: usize, cause: DecodeCause) -> DecodeError {
        let name = || self.photos[photo].name.clone();
        let place = self.files.place(photo).unwrap_or_else(name);
        DecodeError { cause, place }
    }
}

/// What is known of an image before its pixels are decoded.
enum Header<'a> {
    /// [`super::jpeg`] decodes it.
    Jpeg,
    /// A decoder that has read the header only.
    Other(Box<dyn ImageDecoder + 'a>),
}

/// The header of an image within the limits.
fn header(bytes: &[u8]) -> Result<Header<'_>, DecodeCause> {
    let format = image::guess_format(bytes)
        .ok()
        .filter(|format| FORMATS.contains(format))
        .ok_or_else(|| match crate::not_downloaded(bytes) {
            Some(what) => DecodeCause::Other(what),
            None => DecodeCause::NotAnImage,
        })?;
    if format == ImageFormat::Jpeg {
        let sides = super::jpeg::dimensions(bytes);
        let sides = sides.ok_or_else(|| DecodeCause::Broken("it ends too early".to_owned()))?;
        check_sides(sides)?;
        return Ok(Header::Jpeg);
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    // The sides are limited below, with an error that names the dimensions.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    reader.limits(limits);
    let decoder = reader.into_decoder()?;
    check_sides(decoder.dimensions().into())?;
    Ok(Header::Other(Box::new(decoder)))
}

fn check_sides([width, height]: [u32; 2]) -> Result<(), DecodeCause> {
    if width == 0 || height == 0 {
        return Err(DecodeCause::Broken("it has no pixels".to_owned()));
    }
    let n_pixels = u64::from(width) * u64::from(height);
    if width.max(height) > MAX_SIDE || n_pixels > MAX_PIXELS {
        return Err(DecodeCause::TooManyPixels { width, height });
    }
    Ok(())
}

/// The most memory for decoding an image of this size, in bytes.
fn max_bytes(width: u32, height: u32) -> u64 {
    let own = DECODER_BYTES_PER_PIXEL * u64::from(width) * u64::from(height);
    MAX_DECODER_BYTES.min(DECODER_BYTES + own)
}

/// Width and height of a complete JPEG.
fn checked_jpeg(bytes: &[u8]) -> Result<[u32; 2], DecodeCause> {
    let ends_early = || DecodeCause::Broken("it ends too early".to_owned());
    let sides = super::jpeg::dimensions(bytes).ok_or_else(ends_early)?;
    check_sides(sides)?;
    // The decoder would fill the missing part with grey; TensorFlow refuses such a file too.
    if jpeg_is_complete(bytes) {
        Ok(sides)
    } else {
        Err(ends_early())
    }
}

/// Decodes an image to 8-bit RGB, `[H, W, 3]`.
fn decode(bytes: &[u8], library: PhotoDecoder) -> Result<RgbImage, DecodeCause> {
    if image::guess_format(bytes).ok() == Some(ImageFormat::Jpeg) {
        let [width, height] = checked_jpeg(bytes)?;
        let most = max_bytes(width, height);
        // A decoder that trips over a hostile file must not take the program with it.
        return crate::guarded(|| super::jpeg::decode(bytes, library, most))
            .map_err(DecodeCause::Broken)?
            .map_err(|error| DecodeCause::Broken(one_line(&error.to_string())));
    }
    Ok(to_rgb8(decode_dynamic(bytes)?, library))
}

/// Decodes an image that is no JPEG, with the channels and bits it has.
fn decode_dynamic(bytes: &[u8]) -> Result<DynamicImage, DecodeCause> {
    let Header::Other(mut decoder) = header(bytes)? else {
        return Err(DecodeCause::NotAnImage);
    };
    let (width, height) = decoder.dimensions();
    // A frame of an animation may be larger than its image.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(max_bytes(width, height));
    decoder.set_limits(limits)?;
    Ok(DynamicImage::from_decoder(decoder)?)
}

/// Decodes an image to 8-bit grey, `[H, W]`.
///
/// TensorFlow reads JPEG and PNG in grey itself (`decode_image(channels=1)`); what it reads in colours
/// alone (GIF, BMP, WebP) is converted as `tf.image.rgb_to_grayscale` does. Pillow converts colours.
fn decode_grey(bytes: &[u8], library: PhotoDecoder) -> Result<GrayImage, DecodeCause> {
    if image::guess_format(bytes).ok() == Some(ImageFormat::Jpeg) {
        let [width, height] = checked_jpeg(bytes)?;
        let most = max_bytes(width, height);
        return crate::guarded(|| super::jpeg::decode_grey(bytes, library, most))
            .map_err(DecodeCause::Broken)?;
    }
    let is_png = image::guess_format(bytes).ok() == Some(ImageFormat::Png);
    match library {
        PhotoDecoder::TensorFlow if is_png => Ok(grey::tensorflow_png(&decode_dynamic(bytes)?)),
        PhotoDecoder::TensorFlow => Ok(grey::tensorflow_colours(&decode(bytes, library)?)),
        PhotoDecoder::Pillow => Ok(grey::pillow(&decode(bytes, library)?)),
    }
}

/// Whether the compressed data of a JPEG is followed by an end-of-image marker (`FF D9`).
///
/// The search begins after the first start of scan (`FF DA`), because the metadata before it may hold
/// a thumbnail, which is a whole JPEG. Compressed data never holds `FF D9`: there, `00` follows each
/// `FF`.
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
/// TensorFlow calls; rounding would give other pixels). Pillow cuts 16-bit grey off at 255 instead.
fn to_rgb8(image: DynamicImage, library: PhotoDecoder) -> RgbImage {
    fn narrow<const N: usize>(
        values: &[u16],
        (width, height): (u32, u32),
        rgb: impl Fn([u16; N]) -> [u16; 3],
    ) -> RgbImage {
        let pixels = values.as_chunks::<N>().0.iter();
        // A shifted value fits into a byte.
        let bytes = pixels.flat_map(|&p| rgb(p).map(|v| (v >> 8) as u8));
        // The sizes always agree; an empty image in the impossible case.
        RgbImage::from_raw(width, height, bytes.collect()).unwrap_or_default()
    }
    match &image {
        DynamicImage::ImageLuma16(p) if library == PhotoDecoder::Pillow => {
            narrow(p, p.dimensions(), |[v]| [v.min(255) << 8; 3])
        }
        DynamicImage::ImageLuma16(p) => narrow(p, p.dimensions(), |[v]| [v; 3]),
        DynamicImage::ImageLumaA16(p) => narrow(p, p.dimensions(), |[v, _]| [v; 3]),
        DynamicImage::ImageRgb16(p) => narrow(p, p.dimensions(), |rgb| rgb),
        DynamicImage::ImageRgba16(p) => narrow(p, p.dimensions(), |[r, g, b, _]| [r, g, b]),
        _ => image.into_rgb8(),
    }
}

pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use image::{ImageBuffer, Luma, LumaA, Pixel, PixelWithColorType, Rgb, Rgba};

    use super::*;
    use crate::dataset::{Photo, PhotoList, PhotosInMemory};

    /// A set of photos with these bytes, all named `cat.jpg`.
    pub(crate) fn set_of(photos: Vec<Vec<u8>>) -> PhotoSet {
        let photo = Photo {
            name: "cat.jpg".to_owned(),
            class: 0,
            part: None,
        };
        PhotoSet {
            list: PhotoList {
                title: String::new(),
                classes: vec!["cat".to_owned()],
                photos: vec![photo; photos.len()],
                notes: Vec::new(),
                as_given: false,
            },
            files: Arc::new(PhotosInMemory(photos.into_iter().map(Cow::Owned).collect())),
        }
    }

    fn decoded(bytes: Vec<u8>) -> Result<RgbImage, DecodeError> {
        set_of(vec![bytes]).decode(0, PhotoDecoder::TensorFlow)
    }

    fn checked(bytes: Vec<u8>) -> Result<(), DecodeError> {
        set_of(vec![bytes]).check(0)
    }

    fn encoded<P>(image: &ImageBuffer<P, Vec<P::Subpixel>>, format: ImageFormat) -> Vec<u8>
    where
        P: Pixel + PixelWithColorType,
        [P::Subpixel]: image::EncodableLayout,
    {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn one_pixel<P>(pixel: P) -> [u8; 3]
    where
        P: Pixel + PixelWithColorType,
        [P::Subpixel]: image::EncodableLayout,
    {
        let image = ImageBuffer::from_pixel(1, 1, pixel);
        let bytes = encoded(&image, ImageFormat::Png);
        decoded(bytes).unwrap().get_pixel(0, 0).0
    }

    /// A PNG that ends after its header; the checksum is right.
    fn png_header(width: u32, height: u32) -> Vec<u8> {
        let mut chunk = b"IHDR".to_vec();
        chunk.extend(width.to_be_bytes());
        chunk.extend(height.to_be_bytes());
        // 8 bits a channel, RGB.
        chunk.extend([8, 2, 0, 0, 0]);
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
        png.extend(&chunk);
        png.extend(crc32(&chunk).to_be_bytes());
        // An empty IDAT, where the header ends.
        png.extend(b"\0\0\0\0IDAT");
        png.extend(crc32(b"IDAT").to_be_bytes());
        png
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| {
                (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
            })
        })
    }

    #[test]
    fn every_kind_of_png_becomes_rgb() {
        assert_eq!(one_pixel(Luma([9_u8])), [9; 3]);
        assert_eq!(one_pixel(LumaA([9_u8, 0])), [9; 3]);
        assert_eq!(one_pixel(Rgba([1_u8, 2, 3, 0])), [1, 2, 3]);
        assert_eq!(one_pixel(Luma([0x12ff_u16])), [0x12; 3]);
        assert_eq!(
            one_pixel(Rgba([0x01ff_u16, 0x02ff, 0xffff, 7])),
            [1, 2, 0xff]
        );
    }

    #[test]
    fn the_content_tells_the_format() {
        let image = ImageBuffer::from_pixel(3, 2, Rgb([200_u8, 100, 0]));
        for format in FORMATS {
            let bytes = encoded(&image, format);
            let decoded = decoded(bytes.clone()).unwrap();
            assert_eq!(decoded.dimensions(), (3, 2));
            assert!(decoded.get_pixel(2, 1).0[0].abs_diff(200) < 4, "{format:?}");
            assert_eq!(checked(bytes), Ok(()));
        }
    }

    #[test]
    fn what_is_no_image_says_so() {
        let text = b"a shopping list, renamed".to_vec();
        let sentence = "not an image modelens can read (JPEG, PNG, WebP, GIF, BMP): cat.jpg";
        assert_eq!(decoded(text.clone()).unwrap_err().to_string(), sentence);
        assert_eq!(checked(text).unwrap_err().to_string(), sentence);
        let nothing = decoded(Vec::new()).unwrap_err();
        assert_eq!(nothing.cause, DecodeCause::NotAnImage);
    }

    #[test]
    fn giant_dimensions_are_refused_by_the_header() {
        let sentence = "too large: 30,000 x 30,000 pixels (width x height); \
                        the limit is 16,384 a side and 64 megapixels: cat.jpg";
        let giant = png_header(30_000, 30_000);
        assert_eq!(decoded(giant.clone()).unwrap_err().to_string(), sentence);
        assert_eq!(checked(giant).unwrap_err().to_string(), sentence);

        let many = checked(png_header(16_000, 16_000)).unwrap_err();
        assert!(matches!(many.cause, DecodeCause::TooManyPixels { .. }));
        let enormous = checked(png_header(0x7fff_ffff, 0x7fff_ffff)).unwrap_err();
        assert!(enormous.to_string().starts_with("too large: "));
        assert_eq!(checked(png_header(8_000, 8_000)), Ok(()));
    }

    #[test]
    fn an_image_that_breaks_off_is_broken() {
        let image = ImageBuffer::from_fn(64, 64, |x, y| Rgb([(x * y) as u8, x as u8, y as u8]));
        for format in FORMATS {
            let mut bytes = encoded(&image, format);
            bytes.truncate(bytes.len() * 3 / 4);
            let error = decoded(bytes).unwrap_err();
            assert!(matches!(error.cause, DecodeCause::Broken(_)), "{error}");
        }
    }

    #[test]
    fn a_header_after_much_metadata_is_found() {
        let jpeg = encoded(
            &ImageBuffer::from_pixel(9, 9, Rgb([1_u8, 2, 3])),
            ImageFormat::Jpeg,
        );
        let mut bytes = jpeg[..2].to_vec();
        for _ in 0..3 {
            // Three application segments of 60,000 bytes, each with an end-of-image marker inside.
            bytes.extend([0xFF, 0xEB, 0xEA, 0x60, 0xFF, 0xD9]);
            bytes.resize(bytes.len() + 59_996, 0);
        }
        bytes.extend(&jpeg[2..]);
        assert_eq!(checked(bytes.clone()), Ok(()));
        assert_eq!(decoded(bytes.clone()).unwrap().dimensions(), (9, 9));

        bytes.truncate(bytes.len() - 2);
        assert_eq!(checked(bytes.clone()), Ok(()));
        let cause = decoded(bytes).unwrap_err().cause;
        assert_eq!(cause, DecodeCause::Broken("it ends too early".to_owned()));
    }

    /// No memory is allocated for a frame that is larger than its image.
    #[test]
    fn a_frame_larger_than_its_image_is_refused() {
        let image = RgbImage::from_pixel(8, 8, Rgb([200, 100, 50]));
        let mut gif = Cursor::new(Vec::new());
        let frame = DynamicImage::from(image);
        frame.write_to(&mut gif, ImageFormat::Gif).expect("a GIF");
        let mut bytes = gif.into_inner();
        assert!(decode(&bytes, PhotoDecoder::TensorFlow).is_ok());
        // The image descriptor: a comma, left, top, width, height.
        let descriptor = [0x2C, 0, 0, 0, 0, 8, 0, 8, 0];
        let at = bytes.windows(9).position(|w| w == descriptor);
        let at = at.expect("the frame");
        bytes[at + 5..at + 9].copy_from_slice(&[0x00, 0x20, 0x00, 0x20]);
        let refused = decode(&bytes, PhotoDecoder::TensorFlow).map(|_| ());
        assert!(
            matches!(refused, Err(DecodeCause::TooMuchMemory)),
            "{refused:?}"
        );
    }
}
