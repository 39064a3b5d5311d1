//! Tensors as the file stores them.

use std::borrow::Cow;

use candle_core::{DType, Device, Tensor};

use super::outside::Outside;
use super::proto::{MAX_INTS, broken, extend, inner, text};
use crate::formats::OpenError;
use crate::formats::wire::{Field, Fields, varint};

/// `TensorProto` with its values as stored.
#[derive(Clone, Debug, Default)]
pub struct Stored<'a> {
    pub name: &'a str,
    pub dims: Vec<usize>,
    kind: u64,
    /// Little-endian numbers of `kind`.
    data: Cow<'a, [u8]>,
    /// Where the values are, if they are in another file.
    pub outside: Option<Outside<'a>>,
}

/// Maximum number of axes of a tensor.
pub const MAX_RANK: usize = 8;

impl<'a> Stored<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Self, OpenError> {
        let mut tensor = Self::default();
        let mut sides = Vec::new();
        let mut is_outside = false;
        let mut outside = Outside::default();
        for field in Fields::new(bytes) {
            match field? {
                (1, Field::Varint(value)) => sides.push(value.cast_signed()),
                (1, Field::Bytes(bytes)) => extend(&mut sides, bytes)?,
                (2, Field::Varint(value)) => tensor.kind = value,
                (4 | 9 | 10, Field::Bytes(bytes)) if tensor.data.is_empty() => {
                    tensor.data = Cow::Borrowed(bytes);
                }
                (4, Field::Fixed32(bytes)) => tensor.data.to_mut().extend(bytes),
                (10, Field::Fixed64(bytes)) => tensor.data.to_mut().extend(bytes),
                (5 | 7, Field::Varint(value)) => tensor.push_whole(value)?,
                (5 | 7, Field::Bytes(mut bytes)) => {
                    while !bytes.is_empty() {
                        let value = varint(&mut bytes).ok_or_else(|| broken("tensor"))?;
                        tensor.push_whole(value)?;
                    }
                }
                (8, Field::Bytes(bytes)) => tensor.name = text(bytes)?,
                // StringStringEntryProto.
                (13, Field::Bytes(bytes)) => {
                    let part = |number| -> Result<&str, OpenError> {
                        Ok(inner(bytes, number)?
                            .map(text)
                            .transpose()?
                            .unwrap_or_default())
                    };
                    let value = part(2)?;
                    let number = || value.parse::<u64>().map_err(|_| broken("tensor"));
                    match part(1)? {
                        "location" => outside.location = value,
                        "offset" => outside.offset = number()?,
                        "length" => outside.length = Some(number()?),
                        _ => {}
                    }
                }
                (14, Field::Varint(value)) => is_outside = value == 1,
                _ => {}
            }
            if sides.len() > MAX_RANK {
                return Err(broken("tensor"));
            }
        }
        tensor.outside = is_outside.then_some(outside);
        let sides = sides.into_iter().map(usize::try_from);
        tensor.dims = sides
            .collect::<Result<_, _>>()
            .map_err(|_| broken("tensor"))?;
        Ok(tensor)
    }

    /// Takes the values from another file.
    pub fn fill(&mut self, values: Vec<u8>) {
        self.data = Cow::Owned(values);
        self.outside = None;
    }

    /// Appends a number of `int32_data` or `int64_data`.
    fn push_whole(&mut self, value: u64) -> Result<(), OpenError> {
        let data = self.data.to_mut();
        if data.len() > 8 * MAX_INTS {
            return Err(broken("tensor"));
        }
        let bytes = value.to_le_bytes();
        match self.kind {
            10 | 16 => data.extend(&bytes[..2]),
            6 => data.extend(&bytes[..4]),
            7 => data.extend(bytes),
            _ => data.extend(&bytes[..1]),
        }
        Ok(())
    }

    pub fn is_whole(&self) -> bool {
        matches!(self.kind, 6 | 7)
    }

    /// Checks that the data has as many values of `size` bytes as the shape says.
    fn checked(&self, size: usize) -> Result<usize, OpenError> {
        let shown = self.name.chars().take(80).collect::<String>();
        if self.outside.is_some() {
            return Err(OpenError::Broken(format!(
                "the values of its tensor `{shown}` are in another file, where they may not be"
            )));
        }
        let count = self.dims.iter().try_fold(1_usize, |n, &d| n.checked_mul(d));
        let bytes = count.and_then(|n| n.checked_mul(size));
        if bytes != Some(self.data.len()) {
            return Err(OpenError::Broken(format!(
                "its tensor `{shown}` of shape {:?} has {} bytes",
                self.dims,
                self.data.len()
            )));
        }
        Ok(count.unwrap_or(0))
    }

    /// The values as f32, in row-major order.
    pub fn floats(&self) -> Result<Tensor, OpenError> {
        let dtype = match self.kind {
            1 => DType::F32,
            10 => DType::F16,
            11 => DType::F64,
            16 => DType::BF16,
            6 => DType::I32,
            7 => DType::I64,
            _ => {
                return Err(OpenError::NotAModel(format!(
                    "its tensor `{}` is of a type that is not supported; 8-bit (quantised) files are not",
                    self.name.chars().take(80).collect::<String>()
                )));
            }
        };
        self.checked(dtype.size_in_bytes())?;
        Tensor::from_raw_buffer(&self.data, dtype, &self.dims, &Device::Cpu)
            .and_then(|t| t.to_dtype(DType::F32))
            .map_err(|e| OpenError::Broken(e.to_string()))
    }

    /// Integers: axes, shapes, pads.
    pub fn ints(&self) -> Result<Vec<i64>, OpenError> {
        if self.dims.iter().try_fold(1_usize, |n, &d| n.checked_mul(d)) > Some(MAX_INTS) {
            return Err(broken("list of numbers"));
        }
        Ok(self.whole()?.collect())
    }

    /// True if the integers are 0, 1, 2 and so on.
    pub fn counts_up(&self) -> Result<bool, OpenError> {
        Ok(self.whole()?.zip(0..).all(|(n, i)| n == i))
    }

    fn whole(&self) -> Result<impl Iterator<Item = i64>, OpenError> {
        let size = match self.kind {
            7 => 8,
            6 => 4,
            _ => return Err(broken("list of numbers")),
        };
        self.checked(size)?;
        Ok(self.data.chunks_exact(size).map(|bytes| {
            let is_negative = bytes[bytes.len() - 1] >= 0x80;
            let mut wide = [if is_negative { 0xff } else { 0 }; 8];
            wide[..bytes.len()].copy_from_slice(bytes);
            i64::from_le_bytes(wide)
        }))
    }
}
