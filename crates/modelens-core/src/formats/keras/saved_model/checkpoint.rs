//! The tensors of a TensorFlow checkpoint, and the objects that they belong to.
//! Source: `tensor_bundle.proto` and `trackable_object_graph.proto` of TensorFlow.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};

use super::{broken, table};
use crate::formats::wire::{Field, Fields, varint};
use crate::formats::{Beside, OpenError};

/// Bytes of the index, at most: a network has some thousand tensors.
const MAX_INDEX: u64 = 64 << 20;
/// Bytes of the tensors in one file, at most.
const MAX_DATA: u64 = 4 << 30;
/// Files that the tensors are spread over, at most.
const MAX_SHARDS: u64 = 64;
/// Axes of a tensor, at most.
const MAX_RANK: usize = 8;
const OBJECTS: &str = "_CHECKPOINTABLE_OBJECT_GRAPH";

/// A checkpoint in memory.
pub struct Checkpoint {
    entries: BTreeMap<String, Entry>,
    shards: Vec<Vec<u8>>,
}

/// Where one tensor is.
#[derive(Clone, Debug, Default)]
struct Entry {
    /// A code of TensorFlow's types.
    dtype: u64,
    shape: Vec<usize>,
    shard: usize,
    offset: usize,
    size: usize,
    is_sliced: bool,
}

/// A tensor of fractions.
pub struct Values {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// Names and indices of objects.
pub type Children = Vec<(String, usize)>;

/// An object that was saved: a layer, a variable, a list.
#[derive(Clone, Debug, Default)]
pub struct Object {
    /// The objects that it holds.
    pub children: Children,
    /// The key of its tensor, if it is a variable.
    pub key: Option<String>,
}

impl Checkpoint {
    /// Reads `<prefix>.index` and the files of tensors beside it.
    pub fn read(beside: &dyn Beside, prefix: &str) -> Result<Self, OpenError> {
        let file = |name: String, limit: u64| match beside.read_unlinked(&name, limit) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(broken(&format!("its file {name} is missing"))),
            Err(why) => Err(broken(&format!("its file {name} {why}"))),
        };
        let index = file(format!("{prefix}.index"), MAX_INDEX)?;
        let mut entries = BTreeMap::new();
        let mut shards = 1;
        for (key, value) in table::entries(&index)? {
            if key.is_empty() {
                shards = header(value)?;
            } else if let Ok(key) = String::from_utf8(key) {
                entries.insert(key, Entry::read(value)?);
            }
        }
        let names = (0..shards).map(|i| format!("{prefix}.data-{i:05}-of-{shards:05}"));
        let shards = names.map(|name| file(name, MAX_DATA));
        Ok(Self {
            entries,
            shards: shards.collect::<Result<_, _>>()?,
        })
    }

    fn bytes(&self, entry: &Entry) -> Option<&[u8]> {
        let end = entry.offset.checked_add(entry.size)?;
        self.shards.get(entry.shard)?.get(entry.offset..end)
    }

    /// The objects, the saved one first.
    pub fn objects(&self) -> Result<Vec<Object>, OpenError> {
        let entry = self.entries.get(OBJECTS);
        let bytes = entry.and_then(|entry| self.bytes(entry));
        let mut text = bytes.ok_or_else(|| broken("its objects are missing"))?;
        // One string: its length, a checksum of it, and its bytes.
        let length = varint(&mut text).and_then(|n| usize::try_from(n).ok());
        let message = length.and_then(|n| text.get(4..n.checked_add(4)?));
        objects(message.ok_or_else(|| broken("its objects are cut off"))?)
    }

    /// The values of a variable.
    pub fn values(&self, key: &str) -> Result<Values, OpenError> {
        let short: String = key.chars().take(120).collect();
        let odd = |what: &str| broken(&format!("its tensor `{short}` {what}"));
        let entry = self.entries.get(key).ok_or_else(|| odd("is missing"))?;
        if entry.is_sliced {
            return Err(odd("is saved in slices, which are not read"));
        }
        let bytes = self.bytes(entry).ok_or_else(|| odd("is cut off"))?;
        let dtype = match entry.dtype {
            1 => DType::F32,
            2 => DType::F64,
            3 => DType::I32,
            9 => DType::I64,
            14 => DType::BF16,
            19 => DType::F16,
            code => return Err(odd(&format!("has the type {code}, which is not read"))),
        };
        let mut sides = entry.shape.iter();
        let count = sides.try_fold(1_usize, |n, &d| n.checked_mul(d));
        let wanted = count.and_then(|n| n.checked_mul(dtype.size_in_bytes()));
        if wanted != Some(bytes.len()) {
            return Err(odd("has another size than its shape"));
        }
        let values = Tensor::from_raw_buffer(bytes, dtype, &entry.shape, &Device::Cpu)
            .and_then(|t| t.to_dtype(DType::F32)?.flatten_all()?.to_vec1());
        Ok(Values {
            shape: entry.shape.clone(),
            values: values.map_err(|e| odd(&e.to_string()))?,
        })
    }
}

/// The number of files that hold the tensors.
fn header(message: &[u8]) -> Result<u64, OpenError> {
    let mut shards = 1;
    for field in Fields::new(message) {
        match field? {
            (1, Field::Varint(n)) => shards = n,
            (2, Field::Varint(order)) if order != 0 => {
                return Err(broken("its numbers are big-endian, which is not read"));
            }
            _ => {}
        }
    }
    if !(1..=MAX_SHARDS).contains(&shards) {
        return Err(broken(&format!(
            "its tensors are said to be in {shards} files"
        )));
    }
    Ok(shards)
}

impl Entry {
    fn read(message: &[u8]) -> Result<Self, OpenError> {
        let mut entry = Self::default();
        let size = |n: u64| usize::try_from(n).map_err(|_| broken("a tensor is too large"));
        for field in Fields::new(message) {
            match field? {
                (1, Field::Varint(dtype)) => entry.dtype = dtype,
                (2, Field::Bytes(shape)) => entry.shape = dims(shape)?,
                (3, Field::Varint(n)) => entry.shard = size(n)?,
                (4, Field::Varint(n)) => entry.offset = size(n)?,
                (5, Field::Varint(n)) => entry.size = size(n)?,
                (7, Field::Bytes(_)) => entry.is_sliced = true,
                _ => {}
            }
        }
        Ok(entry)
    }
}

/// The axes of a `TensorShapeProto`.
fn dims(message: &[u8]) -> Result<Vec<usize>, OpenError> {
    let mut dims = Vec::new();
    for field in Fields::new(message) {
        let (2, Field::Bytes(dim)) = field? else {
            continue;
        };
        let mut size = 0;
        for field in Fields::new(dim) {
            if let (1, Field::Varint(n)) = field? {
                size = usize::try_from(n).map_err(|_| broken("a tensor is too large"))?;
            }
        }
        dims.push(size);
        if dims.len() > MAX_RANK {
            return Err(broken("a tensor has too many axes"));
        }
    }
    Ok(dims)
}

/// The nodes of a `TrackableObjectGraph`.
fn objects(message: &[u8]) -> Result<Vec<Object>, OpenError> {
    let mut objects = Vec::new();
    for field in Fields::new(message) {
        let (1, Field::Bytes(node)) = field? else {
            continue;
        };
        let mut object = Object::default();
        for field in Fields::new(node) {
            match field? {
                (1, Field::Bytes(child)) => object.children.push(reference(child)?),
                (2, Field::Bytes(attribute)) => {
                    for field in Fields::new(attribute) {
                        if let (3, Field::Bytes(key)) = field? {
                            object.key = Some(String::from_utf8_lossy(key).into_owned());
                        }
                    }
                }
                _ => {}
            }
        }
        objects.push(object);
    }
    Ok(objects)
}

/// The name and the index of a child.
pub fn reference(message: &[u8]) -> Result<(String, usize), OpenError> {
    let (mut name, mut index) = (String::new(), 0);
    for field in Fields::new(message) {
        match field? {
            (1, Field::Varint(n)) => index = usize::try_from(n).unwrap_or(usize::MAX),
            (2, Field::Bytes(text)) => name = String::from_utf8_lossy(text).into_owned(),
            _ => {}
        }
    }
    Ok((name, index))
}
