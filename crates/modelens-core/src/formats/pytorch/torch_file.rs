//! Reads files of `torch.save`: a zip archive of a pickle and one entry per storage or, before PyTorch
//! 1.6, several pickles followed by the storages. Source: `torch/serialization.py`.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use candle_core::{DType, Device, Tensor};
use zip::ZipArchive;
use zip::read::{ArchiveOffset, Config};

use super::StateDict;
use super::checkpoint::{Storage, Wanted, tensors};
use super::choice::WeightSet;
use super::pickle::{self, Pickle};
use super::{is_weight, no_float};
use crate::formats::OpenError;

/// Maximum bytes of a pickle, which holds only names and shapes.
const MAX_PICKLE: u64 = 16 << 20;
/// The first bytes of the older format: protocol 2 and a magic number.
const MAGIC: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";

/// True for a zip archive that `torch.save` wrote.
pub fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
        && archive(bytes).is_ok_and(|archive| pickle_name(&archive).is_some())
}

/// Opens an archive that starts at the first byte, as `torch.save` writes it.
///
/// When the zip crate searches for the start itself, it looks for the directory right before the end
/// record. torch writes 76 bytes of ZIP64 records in between; if the directory's first entry has 76
/// bytes too, which is so if the archive's name has 21 letters, the search takes the second entry for
/// the first and finds no archive.
fn archive(bytes: &[u8]) -> zip::result::ZipResult<ZipArchive<Cursor<&[u8]>>> {
    let from_the_start = Config {
        archive_offset: ArchiveOffset::Known(0),
    };
    ZipArchive::with_config(from_the_start, Cursor::new(bytes))
        .or_else(|_| ZipArchive::new(Cursor::new(bytes)))
}

/// True for a pickle of any kind, in an archive or not.
pub fn looks_like_pickle(bytes: &[u8]) -> bool {
    is_zip(bytes) || matches!(bytes, [0x80, 2..=5, ..])
}

/// The name of the entry `data.pkl`, with its folder.
fn pickle_name(archive: &ZipArchive<Cursor<&[u8]>>) -> Option<String> {
    let mut names = archive.file_names().filter_map(Result::ok);
    let name = names.find(|name| *name == "data.pkl" || name.ends_with("/data.pkl"))?;
    Some(name.into_owned())
}

pub fn broken(reason: impl Into<String>) -> OpenError {
    OpenError::Broken(reason.into())
}

/// The state dict of a file: its tensors of floating-point numbers, by name.
pub struct Read {
    pub state: StateDict,
    /// A sentence if the file holds several state dicts.
    pub warning: Option<String>,
    /// True if one of several sets of weights was chosen by its key.
    pub chosen: bool,
}

/// Reads the state dict of a file, wherever it lies in a checkpoint. `wanted` chooses one of several.
pub fn read(bytes: &[u8], wanted: Option<&WeightSet>) -> Result<Read, OpenError> {
    if is_zip(bytes) {
        return read_zip(bytes, wanted);
    }
    if !bytes.starts_with(MAGIC) {
        let reason = "it is a pickle, but not one that torch.save wrote";
        return Err(OpenError::NotAModel(reason.to_owned()));
    }
    read_legacy(bytes, wanted)
}

fn read_zip(bytes: &[u8], wanted: Option<&WeightSet>) -> Result<Read, OpenError> {
    let mut archive =
        archive(bytes).map_err(|e| broken(format!("it is not a zip archive ({e})")))?;
    let name = pickle_name(&archive).ok_or_else(|| broken("it holds no data.pkl"))?;
    let folder = name.trim_end_matches("data.pkl").to_owned();
    let text = entry(&mut archive, &name, MAX_PICKLE)?;
    if let Ok(order) = entry(&mut archive, &format!("{folder}byteorder"), 16)
        && order != b"little"
    {
        return Err(broken("its numbers are in an order that is not supported"));
    }
    let pickle = pickle::read(&text).map_err(broken)?;
    let found = tensors(&pickle, wanted)?;
    let state = load(found.tensors, bytes.len(), |key, length| {
        entry(&mut archive, &format!("{folder}data/{key}"), length as u64)
    })?;
    Ok(Read {
        state,
        warning: found.warning,
        chosen: found.chosen,
    })
}

/// The bytes of one entry of at most `limit` bytes.
fn entry(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    name: &str,
    limit: u64,
) -> Result<Vec<u8>, OpenError> {
    let failed = |e: &dyn std::fmt::Display| broken(format!("its entry {name}: {e}"));
    let file = archive.by_name(name).map_err(|e| failed(&e))?;
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| failed(&e))?;
    if bytes.len() as u64 > limit {
        return Err(failed(&"it is longer than the file says"));
    }
    Ok(bytes)
}

fn read_legacy(bytes: &[u8], wanted: Option<&WeightSet>) -> Result<Read, OpenError> {
    let mut at = 0;
    let mut next = || -> Result<Pickle, OpenError> {
        let rest = &bytes[at.min(bytes.len())..];
        let rest = &rest[..rest.len().min(MAX_PICKLE as usize)];
        let pickle = pickle::read(rest).map_err(broken)?;
        at += pickle.length;
        Ok(pickle)
    };
    // The magic number, the version, the machine.
    for _ in 0..3 {
        next()?;
    }
    let objects = next()?;
    let keys = next()?;
    let keys = keys.items(keys.root).and_then(|items| {
        items
            .iter()
            .map(|&k| keys.text(k))
            .collect::<Option<Vec<_>>>()
    });
    let keys = keys.ok_or_else(|| broken("it does not list its storages"))?;
    let found = tensors(&objects, wanted)?;
    // All storages of the file have a place in it, also those of other tensors.
    let sizes: BTreeMap<&str, usize> = found
        .all
        .iter()
        .map(|w| (w.key.as_str(), w.dtype.map_or(0, |d| d.size_in_bytes())))
        .collect();
    let mut places = BTreeMap::new();
    for key in keys {
        let count = bytes.get(at..at.saturating_add(8));
        let count = count.and_then(|c| c.first_chunk::<8>());
        let count = count.map(|c| u64::from_le_bytes(*c));
        let count = count.and_then(|c| usize::try_from(c).ok());
        // After a storage of unknown element size, the positions of the others are unknown too.
        let size = sizes.get(key).copied().filter(|&size| size > 0);
        let (Some(count), Some(size)) = (count, size) else {
            break;
        };
        let start = at + 8;
        let end = count.checked_mul(size).and_then(|n| n.checked_add(start));
        let end = end.filter(|&end| end <= bytes.len());
        at = end.ok_or_else(|| broken("it ends in the middle of a storage"))?;
        places.insert(key.to_owned(), start..at);
    }
    let state = load(found.tensors, bytes.len(), |key, _| {
        let place = places.get(key).cloned();
        let data = place.and_then(|place| bytes.get(place));
        Ok(data
            .ok_or_else(|| broken(format!("its storage {key} is missing")))?
            .to_vec())
    })?;
    Ok(Read {
        state,
        warning: found.warning,
        chosen: found.chosen,
    })
}

/// Reads every storage once and cuts the tensors out of it. Claimed sizes are checked against the
/// file's length, so that a small file cannot allocate much memory.
fn load(
    wanted: Vec<Wanted>,
    length: usize,
    mut storage: impl FnMut(&str, usize) -> Result<Vec<u8>, OpenError>,
) -> Result<StateDict, OpenError> {
    let mut by_storage: BTreeMap<String, Vec<Wanted>> = BTreeMap::new();
    for tensor in wanted {
        by_storage
            .entry(tensor.storage.key.clone())
            .or_default()
            .push(tensor);
    }
    let too_large = |name: &str| {
        OpenError::TooLarge(format!(
            "tensor `{name}` claims more values than a file of this size may hold"
        ))
    };
    // Half precision is stored as f32: twice the size.
    let mut budget = length.saturating_mul(4);
    let mut state = StateDict::new();
    for (key, tensors) in by_storage {
        let Some(Storage { dtype, count, .. }) = tensors.first().map(|t| &t.storage) else {
            continue;
        };
        let floats = [DType::F32, DType::F64, DType::F16, DType::BF16];
        let Some(dtype) = dtype.filter(|dtype| floats.contains(dtype)) else {
            let mut weights = tensors.iter().filter(|t| !t.size.is_empty());
            match weights.find(|tensor| is_weight(&tensor.name)) {
                Some(tensor) => return Err(no_float(&tensor.name)),
                None => continue,
            }
        };
        let bytes = count.checked_mul(dtype.size_in_bytes());
        let bytes = bytes.filter(|&bytes| bytes <= length);
        let bytes = bytes.ok_or_else(|| too_large(&tensors[0].name))?;
        let data = storage(&key, bytes)?;
        if data.len() != bytes {
            return Err(broken(format!(
                "its storage {key} has another length than it says"
            )));
        }
        let values = Tensor::from_raw_buffer(&data, dtype, &[*count], &Device::Cpu)
            .and_then(|t| t.to_dtype(DType::F32))
            .map_err(|e| broken(e.to_string()))?;
        for tensor in &tensors {
            let elements = tensor
                .size
                .iter()
                .try_fold(1_usize, |n, &s| n.checked_mul(s));
            let cost = elements.and_then(|n| n.checked_mul(4));
            budget = cost
                .and_then(|cost| budget.checked_sub(cost))
                .ok_or_else(|| too_large(&tensor.name))?;
            let cut = cut(&values, tensor, *count)?;
            state.insert(tensor.name.clone(), cut);
        }
    }
    Ok(state)
}

/// The tensor, copied in row-major order.
fn cut(values: &Tensor, tensor: &Wanted, count: usize) -> Result<Tensor, OpenError> {
    let outside = || {
        broken(format!(
            "its tensor `{}` reaches out of its storage",
            tensor.name
        ))
    };
    let failed = |e: candle_core::Error| broken(format!("its tensor `{}`: {e}", tensor.name));
    if tensor.size.contains(&0) {
        return Tensor::zeros(tensor.size.as_slice(), DType::F32, &Device::Cpu).map_err(failed);
    }
    let axes = || tensor.size.iter().zip(&tensor.stride);
    let last = axes().try_fold(tensor.offset, |at, (&size, &stride)| {
        (size - 1).checked_mul(stride)?.checked_add(at)
    });
    if last.is_none_or(|last| last >= count) {
        return Err(outside());
    }
    let mut run = 1;
    let in_order = axes().rev().all(|(&size, &stride)| {
        let fits = size == 1 || stride == run;
        run *= size;
        fits
    });
    if in_order {
        let part = values.narrow(0, tensor.offset, run).map_err(failed)?;
        return part
            .copy()
            .and_then(|t| t.reshape(tensor.size.as_slice()))
            .map_err(failed);
    }
    let mut places = vec![tensor.offset];
    for (&size, &stride) in axes() {
        let steps = places
            .iter()
            .flat_map(|&place| (0..size).map(move |i| place + i * stride));
        places = steps.collect();
    }
    let all = values.to_vec1::<f32>().map_err(failed)?;
    let picked: Vec<f32> = places.into_iter().map(|place| all[place]).collect();
    Tensor::from_vec(picked, tensor.size.as_slice(), &Device::Cpu).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One linear layer as torch writes it in several ways: `make_pytorch_heads.py`.
    #[test]
    fn a_state_dict_is_found_however_it_is_wrapped() {
        let bytes = include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/pytorch/wrapped.zip"
        ));
        let mut files = ZipArchive::new(Cursor::new(&bytes[..])).unwrap();
        assert_eq!(files.len(), 6);
        for at in 0..files.len() {
            let mut file = files.by_index(at).unwrap();
            let name = file.name().unwrap().into_owned();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            assert!(looks_like_pickle(&bytes), "{name}");
            let state = read(&bytes, None).unwrap().state;
            let prefix = if name == "with_module.pth" { "0." } else { "" };
            let values = |key: &str| {
                let tensor = &state[&format!("{prefix}{key}")];
                tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap()
            };
            assert_eq!(values("weight"), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], "{name}");
            assert_eq!(values("bias"), [7.0, 8.0], "{name}");
            assert_eq!(state.len(), 2, "{name}");
        }
    }
}
