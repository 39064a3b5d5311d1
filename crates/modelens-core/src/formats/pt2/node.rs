//! Typed access to the arguments of one node.

use super::schema::{Argument, Node};
use crate::formats::OpenError;

/// Maximum side of a window, stride or pad, as for Keras files.
const MAX_STEP: i64 = 1 << 16;

/// A node and the name of its layer.
#[allow(clippy::struct_field_names, reason = "the word of the field")]
pub struct Op<'a> {
    pub node: &'a Node,
    /// `conv2d`, without the underscore of an operator that writes into its input.
    pub op: &'a str,
    /// The module's path, and the operator where a module has several.
    pub name: String,
    /// The module's class, or the operator.
    pub class: String,
    /// True if the node is all that its module computes.
    pub is_module: bool,
}

/// The name of an operator without its namespace and overload, and whether it writes into its input;
/// `None` for operators that are not PyTorch's own.
pub fn operator(target: &str) -> Option<(&str, bool)> {
    let rest = target
        .strip_prefix("torch.ops.aten.")
        .or_else(|| target.strip_prefix("_operator."))?;
    let op = rest.split('.').next().unwrap_or(rest);
    Some(match op.strip_suffix('_') {
        Some(short) if !short.is_empty() => (short, true),
        _ => (op, false),
    })
}

/// Whether the output of an operator may share memory with its first input.
pub fn is_view(op: &str) -> bool {
    matches!(
        op,
        "view"
            | "reshape"
            | "_unsafe_view"
            | "view_as"
            | "reshape_as"
            | "flatten"
            | "unflatten"
            | "permute"
            | "transpose"
            | "t"
            | "numpy_T"
            | "swapaxes"
            | "movedim"
            | "squeeze"
            | "unsqueeze"
            | "expand"
            | "expand_as"
            | "slice"
            | "select"
            | "narrow"
            | "chunk"
            | "split"
            | "split_with_sizes"
            | "unbind"
            | "contiguous"
            | "detach"
            | "alias"
            | "dropout"
            | "feature_dropout"
            | "alpha_dropout"
            | "to"
    )
}

impl<'a> Op<'a> {
    /// An error for an unsupported setting, with the operator that has it.
    pub fn refuse(&self, reason: impl std::fmt::Display) -> OpenError {
        let op: String = self.node.target.chars().take(80).collect();
        let op = op.trim_start_matches("torch.ops.");
        OpenError::UnsupportedSetting {
            layer: self.name.clone(),
            reason: format!("{reason} ({op})"),
        }
    }

    /// An operator that is not known.
    pub fn unknown(&self) -> OpenError {
        self.refuse(
            "this operator is not supported; docs/layers.md lists those that are. Leave it out of the \
             exported part of the network",
        )
    }

    /// The argument of this name; `None` where it is left out.
    pub fn arg(&self, name: &str) -> Option<&'a Argument> {
        let mut inputs = self.node.inputs.iter();
        let found = &inputs.find(|input| input.name == name)?.arg;
        (!matches!(found, Argument::AsNone(_))).then_some(found)
    }

    /// The argument at this place, whatever its name.
    pub fn at(&self, at: usize) -> Option<&'a Argument> {
        let found = &self.node.inputs.get(at)?.arg;
        (!matches!(found, Argument::AsNone(_))).then_some(found)
    }

    fn odd(&self, name: &str) -> OpenError {
        self.refuse(format!("its argument `{name}` is not understood"))
    }

    /// The names of the output tensors.
    pub fn outputs(&self) -> Vec<&str> {
        let outputs = self.node.outputs.iter();
        let names = outputs.flat_map(|output| match output {
            Argument::AsTensor(tensor) => vec![tensor.name.as_str()],
            Argument::AsTensors(tensors) => tensors.iter().map(|t| t.name.as_str()).collect(),
            _ => Vec::new(),
        });
        names.collect()
    }

    pub fn int(&self, name: &str, default: i64) -> Result<i64, OpenError> {
        match self.arg(name) {
            None => Ok(default),
            Some(Argument::AsInt(n)) => Ok(*n),
            Some(Argument::AsSymInt(n)) => n.int().ok_or_else(|| self.odd(name)),
            Some(_) => Err(self.odd(name)),
        }
    }

    pub fn bool(&self, name: &str, default: bool) -> Result<bool, OpenError> {
        match self.arg(name) {
            None => Ok(default),
            Some(Argument::AsBool(b)) => Ok(*b),
            Some(_) => Err(self.odd(name)),
        }
    }

    /// A fraction or a whole number.
    pub fn float(&self, name: &str, default: f64) -> Result<f64, OpenError> {
        let given = self.arg(name);
        given.map_or(Ok(default), |arg| number(arg).ok_or_else(|| self.odd(name)))
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        match self.arg(name) {
            Some(Argument::AsString(text)) => Some(text),
            _ => None,
        }
    }

    pub fn ints(&self, name: &str) -> Result<Option<Vec<i64>>, OpenError> {
        match self.arg(name) {
            None => Ok(None),
            Some(Argument::AsInts(list)) => Ok(Some(list.clone())),
            Some(Argument::AsInt(n)) => Ok(Some(vec![*n])),
            Some(Argument::AsSymInts(list)) => {
                let list: Option<Vec<i64>> = list.iter().map(super::schema::SymInt::int).collect();
                list.map(Some).ok_or_else(|| self.odd(name))
            }
            Some(Argument::AsTensors(list)) if list.is_empty() => Ok(Some(Vec::new())),
            Some(_) => Err(self.odd(name)),
        }
    }

    /// Two whole numbers, each at least `least`; a single number is used for both.
    pub fn pair(&self, name: &str, least: i64, default: usize) -> Result<[usize; 2], OpenError> {
        let list = self.ints(name)?.unwrap_or_default();
        let pair = match *list.as_slice() {
            [] => return Ok([default; 2]),
            [both] => [both; 2],
            [a, b] => [a, b],
            _ => return Err(self.odd(name)),
        };
        if pair.iter().any(|n| !(least..=MAX_STEP).contains(n)) {
            return Err(self.odd(name));
        }
        Ok(pair.map(|n| n as usize))
    }

    /// The index of an axis of a value with `rank` axes.
    pub fn axis(&self, axis: i64, rank: usize) -> Result<usize, OpenError> {
        let from_start = if axis < 0 {
            axis.checked_add(rank as i64)
        } else {
            Some(axis)
        };
        let found = from_start.and_then(|a| usize::try_from(a).ok());
        found
            .filter(|&a| a < rank)
            .ok_or_else(|| self.refuse(format!("it names axis {axis} of a value with {rank} axes")))
    }

    /// Several axes, sorted, each once.
    pub fn axes(&self, axes: &[i64], rank: usize) -> Result<Vec<usize>, OpenError> {
        let axes = axes.iter().map(|&a| self.axis(a, rank));
        let mut axes = axes.collect::<Result<Vec<_>, _>>()?;
        axes.sort_unstable();
        axes.dedup();
        Ok(axes)
    }
}

/// The number that an argument is.
pub fn number(arg: &Argument) -> Option<f64> {
    match arg {
        Argument::AsFloat(x) => Some(x.0),
        Argument::AsInt(n) => Some(*n as f64),
        Argument::AsSymInt(n) => Some(n.int()? as f64),
        Argument::AsBool(b) => Some(f64::from(*b)),
        _ => None,
    }
}
