//! Weights and constants: raw tensors, and the tables that describe them.

use std::collections::{BTreeMap, BTreeSet};

use candle_core::{DType, Device, Tensor};
use serde::Deserialize;

use super::archive::{Archive, older};
use super::schema::{InputSpec, SymInt, TensorMeta};
use crate::formats::OpenError;

/// Maximum number of axes of a tensor.
pub const MAX_RANK: usize = 8;

#[derive(Debug, Default, Deserialize)]
struct Table {
    #[serde(default)]
    config: BTreeMap<String, Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    path_name: String,
    #[serde(default)]
    use_pickle: bool,
    tensor_meta: Option<TensorMeta>,
}

/// Where a value of the graph is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its name in the model, such as `features.0.weight`.
    pub name: String,
    folder: &'static str,
}

/// All tensors of a file.
pub struct Tensors<'a> {
    archive: Archive<'a>,
    weights: Table,
    constants: Table,
}

impl<'a> Tensors<'a> {
    pub fn open(mut archive: Archive<'a>) -> Result<Self, OpenError> {
        let mut table = |name: &str| -> Result<Table, OpenError> {
            let text = archive.json(name)?.ok_or_else(older)?;
            serde_json::from_slice(&text).map_err(|e| OpenError::Broken(format!("{name}: {e}")))
        };
        Ok(Self {
            weights: table("data/weights/model_weights_config.json")?,
            constants: table("data/constants/model_constants_config.json")?,
            archive,
        })
    }

    /// The names in the graph of all that is stored.
    pub fn inputs(&self, specs: &[InputSpec]) -> BTreeMap<String, Stored> {
        let known = specs.iter().filter_map(|spec| {
            let (arg, name) = match spec {
                InputSpec::Parameter {
                    arg,
                    parameter_name: name,
                }
                | InputSpec::Buffer {
                    arg,
                    buffer_name: name,
                }
                | InputSpec::TensorConstant {
                    arg,
                    tensor_constant_name: name,
                } => (arg, name),
                InputSpec::UserInput { .. }
                | InputSpec::CustomObj(_)
                | InputSpec::Token(_)
                | InputSpec::ConstantInput(_) => return None,
            };
            // Buffers that are not persistent are among the constants.
            let folder = if self.weights.config.contains_key(name) {
                "weights"
            } else {
                "constants"
            };
            let name = name.clone();
            Some((arg.name.clone(), Stored { name, folder }))
        });
        known.collect()
    }

    fn entry(&self, stored: &Stored) -> Result<&Entry, OpenError> {
        let table = match stored.folder {
            "weights" => &self.weights,
            _ => &self.constants,
        };
        let entry = table.config.get(&stored.name);
        entry.ok_or_else(|| missing(&stored.name))
    }

    fn meta(&self, stored: &Stored) -> Result<&TensorMeta, OpenError> {
        let meta = self.entry(stored)?.tensor_meta.as_ref();
        meta.ok_or_else(|| broken(&stored.name, "it has no shape"))
    }

    /// True if an optimizer may change it.
    pub fn requires_grad(&self, stored: &Stored) -> bool {
        self.meta(stored).is_ok_and(|meta| meta.requires_grad)
    }

    /// How many values it has.
    pub fn count(&self, stored: &Stored) -> Option<usize> {
        let sizes = self.meta(stored).ok()?.sizes.iter();
        let mut sizes = sizes.map(|n| usize::try_from(n.int()?).ok());
        sizes.try_fold(1_usize, |n, size| n.checked_mul(size?))
    }

    /// A single whole number among the weights.
    pub fn number(&mut self, name: &str) -> Option<i64> {
        let stored = Stored {
            name: name.to_owned(),
            folder: "weights",
        };
        self.weights.config.get(name)?;
        let tensor = self.read(&stored).ok()?;
        tensor
            .flatten_all()
            .ok()?
            .to_vec1::<i64>()
            .ok()?
            .first()
            .copied()
    }

    /// The types in which weights of fractions are stored, besides 32 bits.
    pub fn other_types(&self) -> BTreeSet<&'static str> {
        let metas = self
            .weights
            .config
            .values()
            .filter_map(|e| e.tensor_meta.as_ref());
        let named = metas.filter_map(|meta| match meta.dtype {
            6 => Some("float16"),
            8 => Some("float64"),
            13 => Some("bfloat16"),
            _ => None,
        });
        named.collect()
    }

    /// The weights and buffers that a state dict of the network has.
    pub fn state(&self) -> Vec<Stored> {
        let names = self.weights.config.keys().cloned();
        let of = |name| Stored {
            name,
            folder: "weights",
        };
        names.map(of).collect()
    }

    /// The values: f32 for fractions, i64 for whole numbers and truth values.
    pub fn read(&mut self, stored: &Stored) -> Result<Tensor, OpenError> {
        let tensor = self.read_as_kept(stored)?;
        let dtype = match tensor.dtype() {
            DType::U8 | DType::I32 | DType::I64 => DType::I64,
            _ => DType::F32,
        };
        let converted = tensor.to_dtype(dtype);
        converted.map_err(|e| broken(&stored.name, e.to_string()))
    }

    /// The values in the type that they are stored in.
    pub fn read_as_kept(&mut self, stored: &Stored) -> Result<Tensor, OpenError> {
        let name = stored.name.as_str();
        let entry = self.entry(stored)?;
        if entry.use_pickle {
            return Err(broken(name, "it is pickled, which is not read"));
        }
        let meta = self.meta(stored)?;
        let dims = whole(name, &meta.sizes)?;
        let strides = whole(name, &meta.strides)?;
        let offset = match &meta.storage_offset {
            None => 0,
            Some(offset) => whole(name, std::slice::from_ref(offset))?[0],
        };
        let kept = match meta.dtype {
            1 | 12 => DType::U8,
            4 => DType::I32,
            5 => DType::I64,
            6 => DType::F16,
            7 => DType::F32,
            8 => DType::F64,
            13 => DType::BF16,
            code => {
                return Err(broken(
                    name,
                    format!("its type has the code {code}, which is not read"),
                ));
            }
        };
        let size = kept.size_in_bytes();
        if strides.len() != dims.len() || dims.len() > MAX_RANK {
            return Err(broken(name, "its strides do not fit its shape"));
        }
        let count = dims.iter().try_fold(1_usize, |n, &d| n.checked_mul(d));
        // Values from the first to the last one that is part of it.
        let mut reach = offset.checked_add(1);
        for (&d, &stride) in dims.iter().zip(&strides) {
            reach = reach.and_then(|n| n.checked_add(d.saturating_sub(1).checked_mul(stride)?));
        }
        let (Some(count), Some(reach)) = (count, reach) else {
            return Err(broken(name, "its shape is larger than can be counted"));
        };
        let path = entry.path_name.clone();
        let limit = (self.archive.length() as u64)
            .saturating_mul(2)
            .saturating_add(1 << 20);
        let bytes = self
            .archive
            .entry(&format!("data/{}/{path}", stored.folder), limit)?;
        let bytes = bytes.ok_or_else(|| missing(name))?;
        let held = bytes.len() / size;
        if count > 0 && (reach > held || count > held) {
            return Err(broken(
                name,
                format!("of shape {dims:?} it needs {reach} values, and the file holds {held}"),
            ));
        }
        let plain = offset == 0 && is_row_major(&dims, &strides);
        let tensor = if plain || count == 0 {
            Tensor::from_raw_buffer(&bytes[..count * size], kept, &dims, &Device::Cpu)
        } else {
            let mut ordered = Vec::with_capacity(count * size);
            for i in 0..count {
                let mut rest = i;
                let mut at = offset;
                for (&d, &stride) in dims.iter().zip(&strides).rev() {
                    at += rest % d * stride;
                    rest /= d;
                }
                ordered.extend_from_slice(&bytes[at * size..(at + 1) * size]);
            }
            Tensor::from_raw_buffer(&ordered, kept, &dims, &Device::Cpu)
        };
        tensor.map_err(|e| broken(name, e.to_string()))
    }
}

/// True if the strides are those of values one after the other; those of axes of length 1 do not matter.
fn is_row_major(dims: &[usize], strides: &[usize]) -> bool {
    let mut step = 1;
    dims.iter().zip(strides).rev().all(|(&d, &stride)| {
        let fits = d == 1 || stride == step;
        step *= d;
        fits
    })
}

fn whole(name: &str, sizes: &[SymInt]) -> Result<Vec<usize>, OpenError> {
    let sizes = sizes.iter().map(|n| usize::try_from(n.int()?).ok());
    let sizes: Option<Vec<usize>> = sizes.collect();
    sizes.ok_or_else(|| broken(name, "its shape is not made of whole numbers"))
}

fn missing(name: &str) -> OpenError {
    broken(name, "it is missing from the file")
}

fn broken(name: &str, why: impl std::fmt::Display) -> OpenError {
    let name: String = name.chars().take(80).collect();
    OpenError::Broken(format!("its tensor `{name}`: {why}"))
}
