//! HDF5 as Keras uses it: strings in attributes, weights in datasets.

use std::cell::Cell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use candle_core::{DType, Device, Tensor};
use hdf5_pure::{
    AttrValue, Dataset, Datatype, DatatypeByteOrder, File, FloatingPointLayout, Group,
};

use super::archive::unpacked;
use super::specs::ExpectedWeight;
use crate::formats::OpenError;
use crate::formats::other_files::grouped;
use crate::model::layers::NewWeight;

/// Maximum ratio of uncompressed to compressed bytes (deflate's limit): it bounds what a small file
/// can make the reader allocate.
const MAX_RATIO: u64 = 1_100;
/// Bytes of weights that a file of this length may hold.
fn budget(length: u64) -> u64 {
    length.saturating_mul(MAX_RATIO).min(unpacked(length))
}

/// An opened file, and how many bytes of weights may still be read from it.
pub(super) struct H5 {
    file: File,
    budget: Cell<u64>,
}

/// The length of the whole file as its superblock gives it; `None` for a superblock of another kind.
/// Source: "HDF5 File Format Specification", III.A. h5py refuses shorter files too.
fn end_of_file(bytes: &[u8]) -> Option<u64> {
    let version = *bytes.get(8)?;
    // The size of an address, and the place of the address of the end.
    let (size, place) = match version {
        0 => (*bytes.get(13)?, 40),
        1 => (*bytes.get(13)?, 44),
        2 | 3 => (*bytes.get(9)?, 28),
        _ => return None,
    };
    let end = bytes.get(place..place + 8).filter(|_| size == 8)?;
    Some(u64::from_le_bytes(end.try_into().ok()?))
}

/// The attributes of one group.
pub(super) struct Attributes(HashMap<String, AttrValue>);

impl Attributes {
    /// The string of this name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().map(|s| s.trim_end_matches('\0'))
    }

    /// The list of strings of this name. Long lists are split over `name0`, `name1` and so on; empty
    /// ones are stored as arrays of numbers, so anything but strings counts as empty.
    pub fn list(&self, name: &str) -> Vec<String> {
        let strings = |name: &str| {
            let values = self.0.get(name)?.as_strings().unwrap_or_default();
            Some(
                values
                    .iter()
                    .map(|s| s.trim_end_matches('\0').to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        strings(name).unwrap_or_else(|| {
            (0..)
                .map_while(|i| strings(&format!("{name}{i}")))
                .flatten()
                .collect()
        })
    }
}

/// Runs a read and turns panics into errors: the HDF5 reader checks its arithmetic but uses
/// `unreachable!` in its decoding, and a file may come from anyone.
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T, OpenError>) -> Result<T, OpenError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(OpenError::Broken(
            "its HDF5 structure cannot be followed".to_owned(),
        ))
    })
}

fn broken(error: impl std::fmt::Display) -> OpenError {
    OpenError::Broken(format!("its HDF5 structure cannot be read ({error})"))
}

impl H5 {
    /// `length` is that of the file on disk, which may be an archive around this one.
    pub fn open(bytes: Vec<u8>, length: usize) -> Result<Self, OpenError> {
        let budget = budget(length as u64);
        if let Some(end) = end_of_file(&bytes)
            && end > bytes.len() as u64
        {
            return Err(OpenError::CutOff(format!(
                "it has {} of {} bytes",
                grouped(bytes.len() as u64),
                grouped(end)
            )));
        }
        let file = File::from_bytes(bytes).map_err(broken)?;
        Ok(Self {
            file,
            budget: Cell::new(budget),
        })
    }

    pub fn root(&self) -> Group {
        self.file.root()
    }

    /// A dataset by its path from the root.
    pub fn dataset(&self, path: &str) -> Result<Dataset, OpenError> {
        self.root().dataset(path).map_err(broken)
    }

    pub fn attributes(group: &Group) -> Result<Attributes, OpenError> {
        group.attrs().map(Attributes).map_err(broken)
    }

    /// The names of the datasets in a group.
    pub fn datasets(group: &Group) -> Result<Vec<String>, OpenError> {
        group.datasets().map_err(broken)
    }

    /// The names of the groups in a group.
    pub fn groups(group: &Group) -> Result<Vec<String>, OpenError> {
        group.groups().map_err(broken)
    }

    /// Reads one weight if it has the shape that the layer needs.
    pub fn weight(
        &mut self,
        dataset: &Dataset,
        layer: &str,
        need: &ExpectedWeight,
    ) -> Result<NewWeight, OpenError> {
        let shape = dataset.shape().map_err(broken)?;
        let found: Vec<usize> = shape
            .iter()
            .map(|&n| usize::try_from(n).unwrap_or(usize::MAX))
            .collect();
        if found != need.shape {
            return Err(OpenError::WeightShape {
                layer: layer.to_owned(),
                weight: need.name.to_owned(),
                found,
                expected: need.shape.clone(),
            });
        }
        let size = dataset.element_size().map_err(broken)?;
        let bytes = shape
            .iter()
            .try_fold(size, |product, &n| product.checked_mul(n));
        let left = bytes.and_then(|bytes| self.budget.get().checked_sub(bytes));
        let left = left.ok_or_else(|| {
            OpenError::TooLarge(format!(
                "weight `{}` of layer `{layer}` claims more values than a file of this size may hold",
                need.name
            ))
        })?;
        self.budget.set(left);
        let dtype = dtype(dataset, need).map_err(|reason| OpenError::UnsupportedSetting {
            layer: layer.to_owned(),
            reason: format!("its weight `{}` {reason}", need.name),
        })?;
        let tensor = read(dataset, dtype, &need.shape)?;
        Ok(NewWeight {
            name: need.name,
            tensor,
            learnable: need.learnable,
        })
    }
}

/// The number type of a weight.
enum StoredType {
    /// `hdf5_pure` converts the values.
    Number,
    /// The file names no type, or one of 2 bytes, which `hdf5_pure` does not convert.
    Half { dtype: DType, big_endian: bool },
}

/// IEEE float16.
const BINARY16: FloatingPointLayout = FloatingPointLayout {
    bit_offset: 0,
    bit_precision: 16,
    exponent_location: 10,
    exponent_size: 5,
    mantissa_location: 0,
    mantissa_size: 10,
    exponent_bias: 15,
};
/// The upper half of an IEEE float32.
const BFLOAT16: FloatingPointLayout = FloatingPointLayout {
    bit_offset: 0,
    bit_precision: 16,
    exponent_location: 7,
    exponent_size: 8,
    mantissa_location: 0,
    mantissa_size: 7,
    exponent_bias: 127,
};

/// The number type that the file gives, or for opaque data the one that Keras must have written; the
/// error is a reason in words.
///
/// h5py has no type for bfloat16 and stores it as opaque data of 2 bytes. Keras 3 marks such data by an
/// attribute in `.keras` files only; elsewhere the policy of the layer tells.
fn dtype(dataset: &Dataset, need: &ExpectedWeight) -> Result<StoredType, String> {
    let datatype = dataset.datatype();
    let datatype = datatype.map_err(|e| format!("has a number type that cannot be read ({e})"))?;
    match datatype {
        Datatype::FloatingPoint {
            size: 2,
            byte_order,
            layout,
        } => {
            let dtype = match layout {
                BINARY16 => DType::F16,
                BFLOAT16 => DType::BF16,
                _ => return Err("has an unknown number type of 2 bytes".to_owned()),
            };
            let big_endian = match byte_order {
                DatatypeByteOrder::LittleEndian => false,
                DatatypeByteOrder::BigEndian => true,
                DatatypeByteOrder::Vax => return Err("has the byte order of a VAX".to_owned()),
            };
            Ok(StoredType::Half { dtype, big_endian })
        }
        Datatype::FloatingPoint {
            layout: FloatingPointLayout::IEEE754_BINARY32 | FloatingPointLayout::IEEE754_BINARY64,
            ..
        } => Ok(StoredType::Number),
        Datatype::FloatingPoint { size, .. } => {
            Err(format!("has an unknown number type of {size} bytes"))
        }
        // A count, such as the one of a Normalization.
        Datatype::FixedPoint { .. } if !need.learnable => Ok(StoredType::Number),
        Datatype::FixedPoint { size, .. } => Err(format!(
            "is stored as integers of {size} bytes, as in a quantised model, which is not supported"
        )),
        Datatype::Opaque { size, .. } => {
            let attributes = dataset.attrs().map(Attributes);
            let marked = attributes
                .ok()
                .and_then(|a| a.text("dtype").map(str::to_owned));
            let is_bfloat16 = match &marked {
                Some(name) => name == "bfloat16",
                None => need.bfloat16,
            };
            if size == 2 && is_bfloat16 {
                return Ok(StoredType::Half {
                    dtype: DType::BF16,
                    big_endian: false,
                });
            }
            Err(match marked {
                Some(name) => format!("is stored as {name}, which is not supported"),
                None => format!(
                    "is stored as opaque data of {size} bytes, and neither the file nor the layer's \
                     dtype tells which numbers these are"
                ),
            })
        }
        // Text, structures and the like. The enum may grow.
        _ => Err("is not stored as numbers".to_owned()),
    }
}

/// The values as f32.
#[allow(
    clippy::needless_pass_by_value,
    reason = "the type is asked for in place"
)]
fn read(dataset: &Dataset, stored: StoredType, shape: &[usize]) -> Result<Tensor, OpenError> {
    match stored {
        StoredType::Number => {
            let values = dataset.read_f32().map_err(broken)?;
            Tensor::from_vec(values, shape, &Device::Cpu).map_err(broken)
        }
        StoredType::Half { dtype, big_endian } => {
            let mut raw = dataset.read_raw().map_err(broken)?;
            if big_endian {
                raw.as_chunks_mut::<2>()
                    .0
                    .iter_mut()
                    .for_each(|pair| pair.reverse());
            }
            let half = Tensor::from_raw_buffer(&raw, dtype, shape, &Device::Cpu).map_err(broken)?;
            half.to_dtype(DType::F32).map_err(broken)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_and_empty_lists() {
        let attributes = Attributes(HashMap::from([
            (
                "w0".to_owned(),
                AttrValue::StringArray(vec!["a\0\0".to_owned(), "b".to_owned()]),
            ),
            (
                "w1".to_owned(),
                AttrValue::VarLenStringArray(vec!["c".to_owned()]),
            ),
            ("none".to_owned(), AttrValue::F64Array(Vec::new())),
        ]));
        assert_eq!(attributes.list("w"), ["a", "b", "c"]);
        assert!(attributes.list("none").is_empty());
        assert!(attributes.list("absent").is_empty());
    }

    #[test]
    fn panics_become_errors() {
        let result: Result<(), _> = guarded(|| panic!("as a reader might"));
        assert!(matches!(result, Err(OpenError::Broken(_))));
    }

    #[test]
    fn small_files_do_not_unpack_to_more_than_there_is_memory() {
        // Eight megabytes of zeros, packed, would otherwise be read as eight gigabytes.
        assert_eq!(budget(8_000_000), 256 << 20);
        assert_eq!(budget(1_000), 1_100_000);
        assert_eq!(budget(3 << 30), 6 << 30);
    }
}
