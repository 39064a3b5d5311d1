//! Values that do not depend on the photo: weights, and shapes that exporters compute.

use candle_core::Tensor;

use super::node::Op;
use super::proto::Attribute;
use super::stored::Stored;
use crate::formats::OpenError;

/// A value that does not depend on the photo.
#[derive(Clone, Debug)]
pub enum Constant<'a> {
    /// As stored in the file.
    Stored(Stored<'a>),
    Floats(Tensor),
    /// Integers in row-major order; `None` is the batch size.
    Ints {
        list: Vec<Option<i64>>,
        dims: Vec<usize>,
    },
}

impl Constant<'_> {
    pub fn floats(&self) -> Result<Tensor, OpenError> {
        match self {
            Self::Stored(stored) => stored.floats(),
            Self::Floats(tensor) => Ok(tensor.clone()),
            Self::Ints { list, dims } => {
                let values = list.iter().map(|n| n.map_or(f32::NAN, |n| n as f32));
                let values: Vec<f32> = values.collect();
                Tensor::from_vec(values, dims.as_slice(), &candle_core::Device::Cpu)
                    .map_err(|e| OpenError::Broken(e.to_string()))
            }
        }
    }

    /// Integers; `None` is the batch size.
    pub fn sizes(&self) -> Result<Vec<Option<i64>>, OpenError> {
        match self {
            Self::Stored(stored) => Ok(stored.ints()?.into_iter().map(Some).collect()),
            Self::Ints { list, .. } => Ok(list.clone()),
            Self::Floats(_) => Err(OpenError::Broken(
                "it has fractions where a shape belongs".into(),
            )),
        }
    }

    pub fn ints(&self) -> Result<Vec<i64>, OpenError> {
        let sizes = self.sizes()?.into_iter().collect::<Option<Vec<i64>>>();
        sizes.ok_or_else(|| OpenError::Broken("an attribute depends on the batch size".into()))
    }

    /// True if the integers are 0, 1, 2 and so on.
    pub fn counts_up(&self) -> Result<bool, OpenError> {
        match self {
            Self::Stored(stored) => stored.counts_up(),
            _ => Ok(self
                .sizes()?
                .into_iter()
                .zip(0..)
                .all(|(n, i)| n == Some(i))),
        }
    }

    /// A single number.
    pub fn number(&self) -> Result<f32, OpenError> {
        let one = self
            .floats()?
            .flatten_all()
            .and_then(|t| t.to_vec1::<f32>());
        match one.as_deref() {
            Ok([one]) => Ok(*one),
            _ => Err(OpenError::Broken(
                "it has a list where one number belongs".into(),
            )),
        }
    }

    pub fn dims(&self) -> Vec<usize> {
        match self {
            Self::Stored(stored) => stored.dims.clone(),
            Self::Floats(tensor) => tensor.dims().to_vec(),
            Self::Ints { dims, .. } => dims.clone(),
        }
    }

    pub fn is_whole(&self) -> bool {
        match self {
            Self::Stored(stored) => stored.is_whole(),
            Self::Floats(_) => false,
            Self::Ints { .. } => true,
        }
    }
}

/// The value of a `Constant` node.
pub fn of_node<'a>(op: &Op<'_, 'a>) -> Result<Constant<'a>, OpenError> {
    let floats = |values: &[f32], scalar: bool| {
        let shape = if scalar { vec![] } else { vec![values.len()] };
        let tensor = Tensor::from_slice(values, shape, &candle_core::Device::Cpu);
        tensor
            .map(Constant::Floats)
            .map_err(|e| op.refuse(e.to_string()))
    };
    let ints = |values: &[i64], scalar| Constant::Ints {
        list: values.iter().copied().map(Some).collect(),
        dims: if scalar { vec![] } else { vec![values.len()] },
    };
    match op.node.attributes.first() {
        Some(("value", Attribute::Tensor(tensor))) => Ok(Constant::Stored((**tensor).clone())),
        Some(("value_float", Attribute::Float(x))) => floats(&[*x], true),
        Some(("value_floats", Attribute::Floats(list))) => floats(list, false),
        Some(("value_int", Attribute::Int(n))) => Ok(ints(&[*n], true)),
        Some(("value_ints", Attribute::Ints(list))) => Ok(ints(list, false)),
        _ => Err(op.refuse("its value is not understood")),
    }
}
