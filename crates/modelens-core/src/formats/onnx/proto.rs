//! The messages of an ONNX file that are used here, borrowed from the file's bytes.
//! Source: `onnx/onnx.proto`.

use super::stored::{MAX_RANK, Stored};
use crate::formats::OpenError;
use crate::formats::wire::{Field, Fields, varint};

/// Maximum number of names, attributes and nodes in a file: far above that of any network.
const MAX_ITEMS: usize = 400_000;
/// Maximum number of integers in one attribute, and in one tensor of shapes.
pub const MAX_INTS: usize = 4096;

/// `ModelProto`.
#[derive(Debug, Default)]
pub struct Model<'a> {
    pub producer: &'a str,
    pub producer_version: &'a str,
    /// The version of the standard operators.
    pub opset: i64,
    pub graph: Option<Graph<'a>>,
}

/// `GraphProto`.
#[derive(Debug, Default)]
pub struct Graph<'a> {
    pub name: &'a str,
    pub nodes: Vec<Node<'a>>,
    pub initializers: Vec<Stored<'a>>,
    pub inputs: Vec<ValueInfo<'a>>,
    pub outputs: Vec<ValueInfo<'a>>,
}

/// `NodeProto`.
#[derive(Debug, Default)]
pub struct Node<'a> {
    pub name: &'a str,
    pub op: &'a str,
    pub domain: &'a str,
    pub inputs: Vec<&'a str>,
    pub outputs: Vec<&'a str>,
    pub attributes: Vec<(&'a str, Attribute<'a>)>,
}

/// The value of an `AttributeProto`.
#[derive(Debug)]
pub enum Attribute<'a> {
    Float(f32),
    Int(i64),
    Text(&'a str),
    Floats(Vec<f32>),
    Ints(Vec<i64>),
    Tensor(Box<Stored<'a>>),
    /// Graphs, lists of strings.
    Other,
}

/// `ValueInfoProto`; `None` for unknown dimensions.
#[derive(Debug, Default)]
pub struct ValueInfo<'a> {
    pub name: &'a str,
    pub dims: Option<Vec<Option<usize>>>,
    /// `TensorProto.DataType`; 0 if it is unknown.
    pub element: u64,
}

/// How many of [`MAX_ITEMS`] are left.
struct Budget(usize);

impl Budget {
    fn push<T>(&mut self, list: &mut Vec<T>, item: T) -> Result<(), OpenError> {
        let left = self.0.checked_sub(1);
        self.0 = left.ok_or_else(|| {
            OpenError::TooLarge(format!("it lists more than {MAX_ITEMS} names and settings"))
        })?;
        list.push(item);
        Ok(())
    }
}

pub fn broken(what: &str) -> OpenError {
    OpenError::Broken(format!("its ONNX {what} is not understood"))
}

pub fn text(bytes: &[u8]) -> Result<&str, OpenError> {
    std::str::from_utf8(bytes).map_err(|_| broken("text"))
}

impl<'a> Model<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Self, OpenError> {
        let mut model = Self::default();
        let mut budget = Budget(MAX_ITEMS);
        for field in Fields::new(bytes) {
            match field? {
                (2, Field::Bytes(bytes)) => model.producer = text(bytes)?,
                (3, Field::Bytes(bytes)) => model.producer_version = text(bytes)?,
                (7, Field::Bytes(bytes)) => model.graph = Some(Graph::read(bytes, &mut budget)?),
                (8, Field::Bytes(bytes)) => {
                    let (mut domain, mut version) = ("", 0);
                    for field in Fields::new(bytes) {
                        match field? {
                            (1, Field::Bytes(bytes)) => domain = text(bytes)?,
                            (2, Field::Varint(value)) => version = value.cast_signed(),
                            _ => {}
                        }
                    }
                    if matches!(domain, "" | "ai.onnx") {
                        model.opset = version;
                    }
                }
                _ => {}
            }
        }
        Ok(model)
    }
}

impl<'a> Graph<'a> {
    fn read(bytes: &'a [u8], budget: &mut Budget) -> Result<Self, OpenError> {
        let mut graph = Self::default();
        for field in Fields::new(bytes) {
            match field? {
                (1, Field::Bytes(bytes)) => {
                    let node = Node::read(bytes, budget)?;
                    budget.push(&mut graph.nodes, node)?;
                }
                (2, Field::Bytes(bytes)) => graph.name = text(bytes)?,
                (5, Field::Bytes(bytes)) => {
                    budget.push(&mut graph.initializers, Stored::read(bytes)?)?;
                }
                (11, Field::Bytes(bytes)) => {
                    budget.push(&mut graph.inputs, ValueInfo::read(bytes)?)?;
                }
                (12, Field::Bytes(bytes)) => {
                    budget.push(&mut graph.outputs, ValueInfo::read(bytes)?)?;
                }
                _ => {}
            }
        }
        Ok(graph)
    }
}

impl<'a> Node<'a> {
    fn read(bytes: &'a [u8], budget: &mut Budget) -> Result<Self, OpenError> {
        let mut node = Self::default();
        for field in Fields::new(bytes) {
            match field? {
                (1, Field::Bytes(bytes)) => budget.push(&mut node.inputs, text(bytes)?)?,
                (2, Field::Bytes(bytes)) => budget.push(&mut node.outputs, text(bytes)?)?,
                (3, Field::Bytes(bytes)) => node.name = text(bytes)?,
                (4, Field::Bytes(bytes)) => node.op = text(bytes)?,
                (5, Field::Bytes(bytes)) => {
                    budget.push(&mut node.attributes, Attribute::read(bytes)?)?;
                }
                (7, Field::Bytes(bytes)) => node.domain = text(bytes)?,
                _ => {}
            }
        }
        Ok(node)
    }
}

impl<'a> Attribute<'a> {
    fn read(bytes: &'a [u8]) -> Result<(&'a str, Self), OpenError> {
        let (mut name, mut kind) = ("", 0);
        let (mut float, mut int, mut string, mut tensor) = (0.0, 0, "", None);
        let (mut floats, mut ints) = (Vec::new(), Vec::new());
        for field in Fields::new(bytes) {
            match field? {
                (1, Field::Bytes(bytes)) => name = text(bytes)?,
                (2, Field::Fixed32(bytes)) => float = f32::from_le_bytes(bytes),
                (3, Field::Varint(value)) => int = value.cast_signed(),
                // Some are not text.
                (4, Field::Bytes(bytes)) => string = text(bytes).unwrap_or_default(),
                (5, Field::Bytes(bytes)) => tensor = Some(Stored::read(bytes)?),
                (7, Field::Fixed32(bytes)) => floats.push(f32::from_le_bytes(bytes)),
                (7, Field::Bytes(bytes)) => {
                    let numbers = bytes.as_chunks::<4>().0.iter();
                    floats.extend(numbers.take(MAX_INTS + 1).map(|n| f32::from_le_bytes(*n)));
                }
                (8, Field::Varint(value)) => ints.push(value.cast_signed()),
                (8, Field::Bytes(bytes)) => extend(&mut ints, bytes)?,
                (20, Field::Varint(value)) => kind = value,
                _ => {}
            }
            if ints.len().max(floats.len()) > MAX_INTS {
                return Err(OpenError::TooLarge(format!(
                    "a setting of more than {MAX_INTS} numbers"
                )));
            }
        }
        let value = match (kind, tensor) {
            (1, _) => Self::Float(float),
            (2, _) => Self::Int(int),
            (3, _) => Self::Text(string),
            (4, Some(tensor)) => Self::Tensor(Box::new(tensor)),
            (6, _) => Self::Floats(floats),
            (7, _) => Self::Ints(ints),
            _ => Self::Other,
        };
        Ok((name, value))
    }
}

/// Appends packed integers.
pub fn extend(ints: &mut Vec<i64>, mut bytes: &[u8]) -> Result<(), OpenError> {
    while !bytes.is_empty() && ints.len() <= MAX_INTS {
        let value = varint(&mut bytes).ok_or_else(|| broken("list of numbers"))?;
        ints.push(value.cast_signed());
    }
    Ok(())
}

impl<'a> ValueInfo<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, OpenError> {
        let mut info = Self::default();
        for field in Fields::new(bytes) {
            match field? {
                (1, Field::Bytes(bytes)) => info.name = text(bytes)?,
                (2, Field::Bytes(bytes)) => {
                    // type.tensor_type, with elem_type and shape.
                    for field in Fields::new(inner(bytes, 1)?.unwrap_or_default()) {
                        match field? {
                            (1, Field::Varint(element)) => info.element = element,
                            (2, Field::Bytes(shape)) => info.dims = Some(dims(shape)?),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(info)
    }
}

/// The message in the field with this number.
pub fn inner(bytes: &[u8], wanted: u64) -> Result<Option<&[u8]>, OpenError> {
    for field in Fields::new(bytes) {
        if let (number, Field::Bytes(bytes)) = field?
            && number == wanted
        {
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

/// `TensorShapeProto`.
fn dims(bytes: &[u8]) -> Result<Vec<Option<usize>>, OpenError> {
    let mut dims = Vec::new();
    for field in Fields::new(bytes) {
        let (1, Field::Bytes(dim)) = field? else {
            continue;
        };
        let mut value = None;
        for field in Fields::new(dim) {
            if let (1, Field::Varint(n)) = field? {
                value = usize::try_from(n).ok().filter(|&n| n > 0);
            }
        }
        dims.push(value);
        if dims.len() > MAX_RANK {
            return Err(broken("shape"));
        }
    }
    Ok(dims)
}
