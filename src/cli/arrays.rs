//! Reads and writes NumPy arrays: `.npy` and `.npz`.

use std::fs::File;
use std::io::{BufReader, BufWriter, Cursor, Read, Write};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use candle_core::{Device, Tensor};
use npyz::{DType, NpyFile, TypeChar, WriterBuilder as _};
use zip::write::SimpleFileOptions;

use crate::dataset::npy;
use modelens_jobs::{WholeFile, WriteError};

/// The most values of an input array: 268 MB, more than any batch needs.
const MAX_VALUES: u64 = 1 << 26;

/// True if the file is an array rather than a photo, judged by its first bytes.
pub fn is_array(path: &Path) -> bool {
    let mut start = [0_u8; 6];
    // Opening a pipe would wait for a writer.
    if !std::fs::metadata(path).is_ok_and(|found| found.is_file()) {
        return false;
    }
    let read = File::open(path).and_then(|mut f| f.read_exact(&mut start));
    read.is_ok()
        && (&start == b"\x93NUMPY" || start.starts_with(b"PK\x03\x04") && holds_arrays(path))
}

/// Whether a zip archive holds arrays; photos come in such archives too.
fn holds_arrays(path: &Path) -> bool {
    let archive = File::open(path).map(|file| zip::ZipArchive::new(BufReader::new(file)));
    let Ok(Ok(archive)) = archive else {
        return false;
    };
    // What holds `x_train` is a set of photos.
    let has = |name: &str| {
        archive
            .file_names()
            .any(|known| known.is_ok_and(|known| known == name))
    };
    let any = || {
        archive
            .file_names()
            .any(|name| name.is_ok_and(|name| name.ends_with(".npy")))
    };
    has("x.npy") || (any() && !has("x_train.npy") && !has("images.npy") && !has("X.npy"))
}

/// Reads an `.npy` file, or the array `x` of an `.npz` file, as float32.
///
/// # Errors
/// The file cannot be read, or is not an array of numbers in C order that fits.
pub fn read_input(path: &Path) -> Result<Tensor> {
    if !std::fs::metadata(path)?.is_file() {
        bail!("it is a folder, a device or a pipe");
    }
    let mut file = BufReader::new(File::open(path)?);
    let mut start = [0_u8; 2];
    file.read_exact(&mut start)
        .context("the file is too short")?;
    let file = BufReader::new(File::open(path)?);
    if &start == b"PK" {
        let mut archive = zip::ZipArchive::new(file)?;
        let Ok(entry) = archive.by_name("x.npy") else {
            bail!("the archive has no array `x`");
        };
        read_npy(entry)
    } else {
        read_npy(file)
    }
}

/// Reads one array as float32; float64 and uint8 are converted.
///
/// # Errors
/// As [`read_input`].
///
/// # Errors
/// As [`read_input`].
pub fn read_npy(mut reader: impl Read) -> Result<Tensor> {
    let header = npy::header(&mut reader).map_err(anyhow::Error::msg);
    let header = header.context("this is not a NumPy array")?;
    let reader = Cursor::new(header).chain(reader);
    // `npyz` multiplies the sides of the shape without checking for overflow.
    let opened = modelens_core::guarded(|| NpyFile::new(reader).map_err(|e| e.to_string()));
    let opened = opened.and_then(|npy| npy).map_err(anyhow::Error::msg);
    let npy = opened.context("this is not a NumPy array")?;
    let shape: Vec<u64> = npy.shape().to_vec();
    let count = shape.iter().try_fold(1_u64, |n, &d| n.checked_mul(d));
    if count.is_none_or(|n| n > MAX_VALUES) {
        bail!("the array is too large: {shape:?}");
    }
    if npy.order() != npyz::Order::C {
        bail!("the array is in Fortran order; save it with numpy.ascontiguousarray");
    }
    let DType::Plain(kind) = npy.dtype() else {
        bail!("the array must hold plain numbers");
    };
    let values: Vec<f32> = match (kind.type_char(), kind.size_field()) {
        (TypeChar::Float, 4) => npy.data::<f32>()?.collect::<std::io::Result<_>>()?,
        (TypeChar::Float, 8) => npy
            .data::<f64>()?
            .map(|v| v.map(|v| v as f32))
            .collect::<std::io::Result<_>>()?,
        (TypeChar::Uint, 1) => npy
            .data::<u8>()?
            .map(|v| v.map(f32::from))
            .collect::<std::io::Result<_>>()?,
        _ => bail!(
            "the array must hold float32 values, not {}",
            npy.dtype().descr()
        ),
    };
    let shape: Vec<usize> = shape
        .iter()
        .map(|&d| usize::try_from(d))
        .collect::<Result<_, _>>()?;
    Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
}

/// What an array of an `.npz` holds.
#[derive(Clone, Debug)]
pub enum NamedArray {
    Numbers(Tensor),
    /// One axis of texts.
    Texts(Vec<String>),
}

/// Writes arrays as an uncompressed `.npz`, in this order and without dates, so that equal arrays give
/// equal bytes. The file is written under a temporary name first: an error leaves no partial file.
///
/// # Errors
/// The file cannot be written.
pub fn write_npz(path: &Path, arrays: &[(String, NamedArray)]) -> Result<()> {
    let mut file = WholeFile::create(path)?;
    let mut archive = zip::ZipWriter::new(BufWriter::new(file.writer()));
    if let Err(error) = add_arrays(&mut archive, arrays) {
        // Dropping an unfinished archive would print a second message.
        std::mem::forget(archive);
        return Err(error);
    }
    archive.finish()?.flush().map_err(WriteError::from)?;
    Ok(file.finish()?)
}

fn add_arrays<W: Write + std::io::Seek>(
    archive: &mut zip::ZipWriter<W>,
    arrays: &[(String, NamedArray)],
) -> Result<()> {
    let stored = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .large_file(true)
        .last_modified_time(zip::DateTime::default());
    for (name, array) in arrays {
        let mut bytes = Vec::new();
        let tensor = match array {
            NamedArray::Numbers(tensor) => tensor,
            NamedArray::Texts(texts) => {
                archive.start_file(format!("{name}.npy"), stored)?;
                archive
                    .write_all(&texts_npy(texts))
                    .map_err(WriteError::from)?;
                continue;
            }
        };
        let shape: Vec<u64> = tensor.dims().iter().map(|&d| d as u64).collect();
        let mut npy = npyz::WriteOptions::new()
            .default_dtype()
            .shape(&shape)
            .writer(Cursor::new(&mut bytes))
            .begin_nd()?;
        npy.extend(tensor.flatten_all()?.to_vec1::<f32>()?)?;
        npy.finish()?;
        archive.start_file(format!("{name}.npy"), stored)?;
        archive.write_all(&bytes).map_err(WriteError::from)?;
    }
    Ok(())
}

/// An array of texts as NumPy writes it: version 1.0, `<U` and the length of the longest text, each
/// text in UTF-32 filled with zeros.
fn texts_npy(texts: &[String]) -> Vec<u8> {
    let longest = texts
        .iter()
        .map(|t| t.chars().count())
        .max()
        .unwrap_or(0)
        .max(1);
    let header = format!(
        "{{'descr': '<U{longest}', 'fortran_order': False, 'shape': ({},), }}",
        texts.len()
    );
    // The header ends with a line break at a multiple of 64 bytes; ten bytes come before it.
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(format!("{header:width$}\n", width = length - 1).bytes());
    for text in texts {
        let mut letters: Vec<u32> = text.chars().map(u32::from).collect();
        letters.resize(longest, 0);
        bytes.extend(letters.into_iter().flat_map(u32::to_le_bytes));
    }
    bytes
}
