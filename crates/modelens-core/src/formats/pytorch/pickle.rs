//! Reads the objects of a pickle without executing it. A fixed set of opcodes gives plain values;
//! calls of the few functions that `torch.save` writes for tensors are recognised, and everything
//! else becomes [`Node::Opaque`]. Nothing is imported, nothing is called.
//!
//! All values are in one list and refer to each other by index, so that neither depth nor cycles in
//! a file can exhaust the stack. Source: the opcodes of Python's `pickletools`, protocols 0 to 5.

mod machine;
#[cfg(test)]
mod machine_tests;

pub use self::machine::read;

/// One value; a compound value is an index into [`Pickle::nodes`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    None,
    Bool(bool),
    Int(i64),
    /// A number that is never needed.
    Other,
    Node(usize),
}

/// A text or a compound value.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    Text(String),
    Tuple(Vec<Value>),
    List(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    /// `module.name`, as written.
    Global(String),
    /// The tuple that names a tensor's storage.
    Persistent(Value),
    Tensor {
        storage: Value,
        offset: i64,
        size: Value,
        stride: Value,
    },
    /// An instance of a class, with the state that it was given, if any.
    Object(Option<Value>),
    /// An object of any other kind.
    Opaque,
}

/// The objects of one pickle.
#[derive(Debug)]
pub struct Pickle {
    pub nodes: Vec<Node>,
    pub root: Value,
    /// Number of bytes read, including the final opcode.
    pub length: usize,
}

impl Pickle {
    pub fn node(&self, value: Value) -> Option<&Node> {
        match value {
            Value::Node(id) => self.nodes.get(id),
            _ => None,
        }
    }

    pub fn text(&self, value: Value) -> Option<&str> {
        match self.node(value)? {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a tuple or a list.
    pub fn items(&self, value: Value) -> Option<&[Value]> {
        match self.node(value)? {
            Node::Tuple(items) | Node::List(items) => Some(items),
            _ => None,
        }
    }

    /// A tuple of whole numbers.
    pub fn ints(&self, value: Value) -> Option<Vec<i64>> {
        let int = |value: &Value| match value {
            Value::Int(n) => Some(*n),
            _ => None,
        };
        self.items(value)?.iter().map(int).collect()
    }
}
