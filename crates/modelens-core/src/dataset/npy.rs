//! Arrays of NumPy: `.npy`, and the arrays `x` and `y`, or `x_train`, `y_train`, `x_test` and `y_test`, of
//! an `.npz`.

use std::io::{BufReader, Cursor, Read, Seek};

use npyz::{DType, NpyFile, TypeChar};
use zip::ZipArchive;

use super::numbers::{NumberPhotos, Numbered, Pixels};
use super::{Part, PhotoSet};

/// The most values of an array: four bytes each, where they are floats.
const MAX_VALUES: u64 = 1 << 28;

/// The most bytes of an array's header; about a hundred are usual.
const MAX_HEADER: usize = 1 << 16;

/// The most opening brackets in an array's header. An array of plain numbers has two. The grammar of
/// `npyz` backtracks over nested brackets, in time exponential in their number.
const MAX_BRACKETS: usize = 8;

/// Reads the bytes of an array's header, within the limits. `npyz` would allocate the length that the
/// file claims before checking that the bytes exist.
///
/// # Errors
/// A header that is cut off or over a limit, in words.
pub fn header(mut reader: impl Read) -> Result<Vec<u8>, String> {
    let cut = |error: std::io::Error| error.to_string();
    let mut header = vec![0; 10];
    reader.read_exact(&mut header).map_err(cut)?;
    // Since version 2 of the format the length has four bytes.
    if header[6] > 1 {
        header.resize(12, 0);
        reader.read_exact(&mut header[10..]).map_err(cut)?;
    }
    let length = header[8..].iter().rev();
    let length = length.fold(0_usize, |length, &byte| length << 8 | usize::from(byte));
    if length > MAX_HEADER {
        return Err(format!(
            "its header has {length} bytes, more than {MAX_HEADER}"
        ));
    }
    let start = header.len();
    header.resize(start + length, 0);
    reader.read_exact(&mut header[start..]).map_err(cut)?;
    let opens = |byte: &&u8| matches!(**byte, b'(' | b'[' | b'{');
    if header[start..].iter().filter(opens).count() > MAX_BRACKETS {
        return Err("the array must hold plain numbers".to_owned());
    }
    Ok(header)
}

struct Array {
    shape: Vec<usize>,
    pixels: Pixels,
}

/// Reads one array; what is neither bytes nor floats becomes floats.
#[allow(clippy::cast_lossless, reason = "one line for every type")]
fn read(mut reader: impl Read) -> Result<Array, String> {
    let header = header(&mut reader).map_err(|why| format!("this is not a NumPy array: {why}"))?;
    // `npyz` asks for one value at a time, and each answer of a zip entry is slow.
    let reader = Cursor::new(header).chain(BufReader::with_capacity(1 << 16, reader));
    // `npyz` multiplies the sides of the shape without checking for overflow.
    let npy = crate::guarded(|| NpyFile::new(reader).map_err(|e| e.to_string()));
    let npy = npy.and_then(|npy| npy)?;
    let shape: Vec<u64> = npy.shape().to_vec();
    let count = shape.iter().try_fold(1_u64, |n, &d| n.checked_mul(d));
    if count.is_none_or(|n| n > MAX_VALUES) {
        return Err(format!("the array is too large: {shape:?}"));
    }
    if npy.order() != npyz::Order::C && shape.len() > 1 {
        return Err(
            "the array is in Fortran order; save it with numpy.ascontiguousarray".to_owned(),
        );
    }
    let DType::Plain(kind) = npy.dtype() else {
        return Err("the array must hold plain numbers".to_owned());
    };
    let io = |error: std::io::Error| error.to_string();
    // Whole numbers are classes or pixels, far below 2^24.
    macro_rules! floats {
        ($type:ty) => {
            npy.data::<$type>()
                .map_err(|e| e.to_string())?
                .map(|v| v.map(|v| v as f32))
                .collect::<std::io::Result<Vec<f32>>>()
                .map(Pixels::Floats)
                .map_err(io)?
        };
    }
    let pixels = match (kind.type_char(), kind.size_field()) {
        (TypeChar::Uint, 1) => {
            let bytes = npy.data::<u8>().map_err(|e| e.to_string())?;
            Pixels::Bytes(bytes.collect::<std::io::Result<_>>().map_err(io)?)
        }
        (TypeChar::Float, 4) => floats!(f32),
        (TypeChar::Float, 8) => floats!(f64),
        (TypeChar::Int, 1) => floats!(i8),
        (TypeChar::Int, 2) => floats!(i16),
        (TypeChar::Int, 4) => floats!(i32),
        (TypeChar::Int, 8) => floats!(i64),
        (TypeChar::Uint, 2) => floats!(u16),
        (TypeChar::Uint, 4) => floats!(u32),
        (TypeChar::Uint, 8) => floats!(u64),
        _ => {
            return Err(format!(
                "the array must hold numbers, not {}",
                npy.dtype().descr()
            ));
        }
    };
    let shape = shape
        .iter()
        .map(|&d| usize::try_from(d).map_err(|e| e.to_string()));
    Ok(Array {
        shape: shape.collect::<Result<_, _>>()?,
        pixels,
    })
}

/// The set of images in one array, without classes.
///
/// # Errors
/// No array of images, in words.
pub fn open_npy(reader: impl Read, title: &str) -> Result<PhotoSet, String> {
    set(vec![(read(reader)?, None, None)], title)
}

/// Whether a zip archive holds arrays; photos come in such archives too.
pub fn holds_arrays(reader: impl Read + Seek) -> bool {
    let Ok(archive) = ZipArchive::new(reader) else {
        return false;
    };
    let mut names = archive.file_names().filter_map(Result::ok);
    names.any(|name| name.ends_with(".npy"))
}

/// The set of images in an `.npz`.
///
/// # Errors
/// No arrays of images, in words.
pub fn open_npz(reader: impl Read + Seek, title: &str) -> Result<PhotoSet, String> {
    let mut archive = ZipArchive::new(reader).map_err(|e| e.to_string())?;
    let mut array = |names: &[&str]| -> Result<Option<Array>, String> {
        for name in names {
            if let Ok(entry) = archive.by_name(&format!("{name}.npy")) {
                let found = read(entry).map_err(|why| format!("array `{name}`: {why}"))?;
                return Ok(Some(found));
            }
        }
        Ok(None)
    };
    if let Some(x) = array(&["x_train", "X_train", "train_images"])? {
        let y = array(&["y_train", "Y_train", "train_labels"])?;
        let mut parts = vec![(x, y, Some(Part::Training))];
        for (part, xs, ys) in [
            (
                Part::Validation,
                &["x_val", "X_val", "x_valid", "val_images"][..],
                &["y_val", "Y_val", "y_valid", "val_labels"][..],
            ),
            (
                Part::Test,
                &["x_test", "X_test", "test_images"],
                &["y_test", "Y_test", "test_labels"],
            ),
        ] {
            if let Some(x) = array(xs)? {
                parts.push((x, array(ys)?, Some(part)));
            }
        }
        return set(parts, title);
    }
    match array(&["x", "X", "images"])? {
        Some(x) => set(vec![(x, array(&["y", "Y", "labels"])?, None)], title),
        None => Err("the archive has no array `x` or `x_train`".to_owned()),
    }
}

type PartArrays = (Array, Option<Array>, Option<Part>);

fn set(parts: Vec<PartArrays>, title: &str) -> Result<PhotoSet, String> {
    let mut notes = Vec::new();
    let mut images: Option<NumberPhotos> = None;
    let (mut labels, mut of_part) = (Vec::new(), Vec::new());
    let splits = parts.len() > 1;
    for (x, y, part) in parts {
        let (count, [height, width, channels]) = match x.shape[..] {
            [n, h, w, c] => (n, [h, w, c]),
            [n, h, w] => (n, [h, w, 1]),
            ref other => return Err(format!("an array of images has 3 or 4 axes, not {other:?}")),
        };
        let own = match y {
            Some(y) => classes(&y, count)?,
            None => vec![0; count],
        };
        labels.extend(own);
        of_part.extend(
            part.filter(|_| splits)
                .map(|part| vec![part; count])
                .unwrap_or_default(),
        );
        images = Some(match images {
            None => NumberPhotos {
                pixels: x.pixels,
                height,
                width,
                channels,
                places: Vec::new(),
            },
            Some(mut all) => {
                if [all.height, all.width, all.channels] != [height, width, channels] {
                    return Err("the arrays hold images of different sizes".to_owned());
                }
                match (&mut all.pixels, x.pixels) {
                    (Pixels::Bytes(all), Pixels::Bytes(more)) => all.extend(more),
                    (Pixels::Floats(all), Pixels::Floats(more)) => all.extend(more),
                    _ => return Err("the arrays hold numbers of different types".to_owned()),
                }
                all
            }
        });
    }
    let photos = images.ok_or("the file holds no images")?;
    if labels.is_empty() || photos.height * photos.width * photos.channels == 0 {
        return Err("the array holds no images".to_owned());
    }
    notes.push(match photos.pixels {
        Pixels::Bytes(_) => "the array holds bytes: they are scaled like photos".to_owned(),
        Pixels::Floats(_) => {
            "the array holds floats: they go to the network as they are, without scaling".to_owned()
        }
    });
    if splits {
        let validates = if of_part.contains(&Part::Validation) {
            "x_val"
        } else {
            "x_test"
        };
        notes.push(format!("x_train trains, {validates} validates"));
    }
    let numbered = Numbered {
        photos,
        labels,
        parts: of_part,
        names: Vec::new(),
    };
    Ok(numbered.into_set(title, notes))
}

/// The class of each image: whole numbers, or the largest of a row of `[N, classes]`.
fn classes(y: &Array, count: usize) -> Result<Vec<usize>, String> {
    let values: Vec<f32> = match &y.pixels {
        Pixels::Bytes(bytes) => bytes.iter().map(|&v| f32::from(v)).collect(),
        Pixels::Floats(floats) => floats.clone(),
    };
    let width = match y.shape[..] {
        [n] if n == count => 1,
        [n, k] if n == count && k > 0 => k,
        ref other => return Err(format!("labels of shape {other:?} for {count} images")),
    };
    if width > 1 {
        let largest = |row: &[f32]| {
            let order = row.iter().enumerate().rev();
            order
                .max_by(|a, b| a.1.total_cmp(b.1))
                .map_or(0, |(class, _)| class)
        };
        return Ok(values.chunks(width).map(largest).collect());
    }
    let class = |&value: &f32| {
        let fits = (0.0..65_536.0).contains(&value) && value.fract() == 0.0;
        fits.then_some(value as usize)
            .ok_or_else(|| format!("{value} is no class"))
    };
    values.iter().map(class).collect()
}
