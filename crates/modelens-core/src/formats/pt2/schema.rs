//! The parts of `model.json` that are read. Source: `torch/_export/serde/schema.py`, version 8.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// The whole file.
#[derive(Debug, Deserialize)]
pub struct Program {
    pub graph_module: GraphModule,
    #[serde(default)]
    pub schema_version: Version,
    #[serde(default)]
    pub torch_version: String,
}

#[derive(Debug, Default, Deserialize)]
pub struct Version {
    pub major: u64,
}

#[derive(Debug, Deserialize)]
pub struct GraphModule {
    pub graph: Graph,
    pub signature: Signature,
    #[serde(default)]
    pub module_call_graph: Vec<ModuleCall>,
}

/// One module of the program.
#[derive(Debug, Deserialize)]
pub struct ModuleCall {
    #[serde(default)]
    pub fqn: String,
}

#[derive(Debug, Deserialize)]
pub struct Graph {
    pub nodes: Vec<Node>,
    #[serde(default)]
    pub tensor_values: BTreeMap<String, TensorMeta>,
}

/// One call of an operator.
#[derive(Debug, Deserialize)]
pub struct Node {
    /// `torch.ops.aten.conv2d.default`
    pub target: String,
    pub inputs: Vec<NamedArgument>,
    pub outputs: Vec<Argument>,
    #[serde(default)]
    pub metadata: Metadata,
}

#[derive(Debug, Default, Deserialize)]
pub struct Metadata {
    /// `L__self__,,pkg.Net;L__self___conv,conv,torch.nn.modules.conv.Conv2d`: key, path and class of each
    /// module around the call, the outermost first.
    #[serde(default)]
    pub nn_module_stack: String,
}

#[derive(Debug, Deserialize)]
pub struct NamedArgument {
    pub name: String,
    pub arg: Argument,
}

/// Shape and type of a tensor.
#[derive(Debug, Deserialize)]
pub struct TensorMeta {
    pub dtype: u64,
    pub sizes: Vec<SymInt>,
    #[serde(default)]
    pub requires_grad: bool,
    #[serde(default)]
    pub strides: Vec<SymInt>,
    #[serde(default)]
    pub storage_offset: Option<SymInt>,
}

#[derive(Debug, Deserialize)]
pub struct Signature {
    pub input_specs: Vec<InputSpec>,
    pub output_specs: Vec<OutputSpec>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputSpec {
    UserInput {
        arg: Argument,
    },
    Parameter {
        arg: TensorName,
        parameter_name: String,
    },
    Buffer {
        arg: TensorName,
        buffer_name: String,
    },
    TensorConstant {
        arg: TensorName,
        tensor_constant_name: String,
    },
    CustomObj(IgnoredAny),
    Token(IgnoredAny),
    ConstantInput(IgnoredAny),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputSpec {
    UserOutput { arg: Argument },
    LossOutput(IgnoredAny),
    BufferMutation(IgnoredAny),
    ParameterMutation(IgnoredAny),
    GradientToParameter(IgnoredAny),
    GradientToUserInput(IgnoredAny),
    UserInputMutation(IgnoredAny),
    Token(IgnoredAny),
}

#[derive(Clone, Debug, Deserialize)]
pub struct TensorName {
    pub name: String,
}

/// An argument or an output: a map with one entry whose key tells its type.
#[allow(clippy::enum_variant_names, reason = "the keys of the file")]
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Argument {
    AsNone(IgnoredAny),
    AsTensor(TensorName),
    AsTensors(Vec<TensorName>),
    AsOptionalTensor(Box<Argument>),
    AsOptionalTensors(Vec<Argument>),
    AsInt(i64),
    AsInts(Vec<i64>),
    AsSymInt(SymInt),
    AsSymInts(Vec<SymInt>),
    AsFloat(Decimal),
    AsFloats(Vec<Decimal>),
    AsBool(bool),
    AsString(String),
    /// A code of torch's types.
    AsScalarType(u64),
    AsMemoryFormat(IgnoredAny),
    AsLayout(IgnoredAny),
    AsDevice(IgnoredAny),
    AsBools(IgnoredAny),
    AsStrings(IgnoredAny),
    AsSymBool(IgnoredAny),
    AsSymBools(IgnoredAny),
    AsSymFloat(IgnoredAny),
    AsSymFloats(IgnoredAny),
    AsGraph(IgnoredAny),
    AsCustomObj(IgnoredAny),
    AsOperator(IgnoredAny),
    AsComplex(IgnoredAny),
    AsNestedTensors(IgnoredAny),
    AsIntLists(IgnoredAny),
    AsStringToArgument(IgnoredAny),
}

/// A whole number, or one that depends on the input.
#[allow(clippy::enum_variant_names, reason = "the keys of the file")]
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SymInt {
    AsInt(i64),
    /// The name of a value.
    AsName(String),
    /// A size in terms of the input's.
    AsExpr(IgnoredAny),
}

impl SymInt {
    pub fn int(&self) -> Option<i64> {
        match self {
            Self::AsInt(n) => Some(*n),
            Self::AsName(_) | Self::AsExpr(_) => None,
        }
    }
}

/// A number; infinities and NaN are written as text.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(from = "NumberOrText")]
pub struct Decimal(pub f64);

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(f64),
    Text(String),
}

impl From<NumberOrText> for Decimal {
    fn from(written: NumberOrText) -> Self {
        match written {
            NumberOrText::Number(x) => Self(x),
            NumberOrText::Text(text) => Self(match text.as_str() {
                "Infinity" => f64::INFINITY,
                "-Infinity" => f64::NEG_INFINITY,
                _ => f64::NAN,
            }),
        }
    }
}
