use std::io::Cursor;

use image::{ImageBuffer, Luma, LumaA, Pixel, PixelWithColorType, Rgb, Rgba};

use super::*;

fn photo(bytes: Vec<u8>) -> Photo {
    Photo {
        name: "cat.jpg".to_owned(),
        class: 0,
        source: PhotoSource::Bundled(bytes.leak()),
    }
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
    decode(&photo(bytes)).unwrap().get_pixel(0, 0).0
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
        let photo = photo(encoded(&image, format));
        let decoded = decode(&photo).unwrap();
        assert_eq!(decoded.dimensions(), (3, 2));
        assert!(decoded.get_pixel(2, 1).0[0].abs_diff(200) < 4, "{format:?}");
        assert_eq!(check(&photo), Ok(()));
    }
}

#[test]
fn what_is_no_image_says_so() {
    let text = photo(b"a shopping list, renamed".to_vec());
    let sentence = "not an image modelens can read (JPEG, PNG, WebP, GIF, BMP): cat.jpg";
    assert_eq!(decode(&text).unwrap_err().to_string(), sentence);
    assert_eq!(check(&text).unwrap_err().to_string(), sentence);
    assert_eq!(
        decode(&photo(Vec::new())).unwrap_err().cause,
        DecodeCause::NotAnImage
    );
}

#[test]
fn giant_dimensions_are_refused_by_the_header() {
    let sentence = "too large: 30,000 x 30,000 pixels (width x height); \
                    the limit is 16,384 a side and 64 megapixels: cat.jpg";
    let giant = photo(png_header(30_000, 30_000));
    assert_eq!(decode(&giant).unwrap_err().to_string(), sentence);
    assert_eq!(check(&giant).unwrap_err().to_string(), sentence);

    let many = check(&photo(png_header(16_000, 16_000))).unwrap_err();
    assert!(matches!(many.cause, DecodeCause::TooManyPixels { .. }));
    let enormous = check(&photo(png_header(0x7fff_ffff, 0x7fff_ffff))).unwrap_err();
    assert!(enormous.to_string().starts_with("too large: "));
    assert_eq!(check(&photo(png_header(8_000, 8_000))), Ok(()));
}

#[test]
fn an_image_that_breaks_off_is_broken() {
    let image = ImageBuffer::from_fn(64, 64, |x, y| Rgb([(x * y) as u8, x as u8, y as u8]));
    for format in FORMATS {
        let mut bytes = encoded(&image, format);
        bytes.truncate(bytes.len() * 3 / 4);
        let error = decode(&photo(bytes)).unwrap_err();
        assert!(matches!(error.cause, DecodeCause::Broken(_)), "{error}");
    }
}

#[test]
fn files_are_read_and_their_paths_come_last() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| Photo {
        name: name.to_owned(),
        class: 0,
        source: PhotoSource::File(folder.path().join(name)),
    };

    let missing = decode(&file("no.png")).unwrap_err();
    assert!(matches!(missing.cause, DecodeCause::Unreadable(_)));
    assert!(missing.to_string().ends_with("no.png"));

    fs::create_dir(folder.path().join("d.png")).unwrap();
    assert_eq!(
        check(&file("d.png")).unwrap_err().cause,
        DecodeCause::NotAFile
    );

    let sparse = File::create(folder.path().join("big.png")).unwrap();
    sparse.set_len(MAX_FILE_BYTES + 1).unwrap();
    let big = decode(&file("big.png")).unwrap_err().to_string();
    assert!(big.starts_with("too large: a file of 100,000,001 bytes; the limit is 100,000,000: "));
}

#[test]
fn a_header_behind_much_metadata_is_found() {
    let folder = tempfile::tempdir().unwrap();
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
    let path = folder.path().join("meta.jpg");
    let photo = Photo {
        name: "meta.jpg".to_owned(),
        class: 0,
        source: PhotoSource::File(path.clone()),
    };
    fs::write(&path, &bytes).unwrap();
    assert_eq!(check(&photo), Ok(()));
    assert_eq!(decode(&photo).unwrap().dimensions(), (9, 9));

    fs::write(&path, &bytes[..bytes.len() - 2]).unwrap();
    assert_eq!(check(&photo), Ok(()));
    let cause = decode(&photo).unwrap_err().cause;
    assert_eq!(cause, DecodeCause::Broken("it ends too early".to_owned()));
}

/// A frame that is larger than its image is not made room for.
#[test]
fn a_frame_larger_than_its_image_is_refused() {
    let image = RgbImage::from_pixel(8, 8, Rgb([200, 100, 50]));
    let mut gif = Cursor::new(Vec::new());
    let frame = DynamicImage::from(image);
    frame.write_to(&mut gif, ImageFormat::Gif).expect("a GIF");
    let mut bytes = gif.into_inner();
    assert!(decode_bytes(&bytes).is_ok());
    // The image descriptor: a comma, left, top, width, height.
    let descriptor = [0x2C, 0, 0, 0, 0, 8, 0, 8, 0];
    let at = bytes.windows(9).position(|w| w == descriptor);
    let at = at.expect("the frame");
    bytes[at + 5..at + 9].copy_from_slice(&[0x00, 0x20, 0x00, 0x20]);
    let refused = decode_bytes(&bytes).map(|_| ());
    assert!(
        matches!(refused, Err(DecodeCause::TooMuchMemory)),
        "{refused:?}"
    );
}
