//! Interprets the opcodes of a pickle on a stack of values.

use std::collections::HashMap;

use super::{Node, Pickle, Value};

/// Reads one pickle from the start of `bytes`; the error is a reason in words.
pub fn read(bytes: &[u8]) -> Result<Pickle, String> {
    let mut machine = Machine {
        bytes,
        at: 0,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        nodes: Vec::new(),
        steps: 0,
    };
    let root = machine.run()?;
    Ok(Pickle {
        nodes: machine.nodes,
        root,
        length: machine.at,
    })
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    /// Heights of the stack at the open marks.
    marks: Vec<usize>,
    memo: HashMap<usize, Value>,
    nodes: Vec<Node>,
    steps: usize,
}

/// Maximum number of opcodes: a pickle of ten thousand tensors has some hundred thousand. Each may
/// take a hundred times its own length in memory.
const MAX_STEPS: usize = 1 << 20;

const SHORT: &str = "its pickle is cut off";
const UNKNOWN: &str = "its pickle refers to an unknown value";
const EMPTY: &str = "its pickle takes a value from an empty stack";

impl<'a> Machine<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(count).ok_or(SHORT)?;
        let taken = self.bytes.get(self.at..end).ok_or(SHORT)?;
        self.at = end;
        Ok(taken)
    }

    /// A little-endian number of up to eight bytes.
    fn number(&mut self, size: usize) -> Result<usize, String> {
        let bytes = self.take(size)?;
        let number = bytes
            .iter()
            .rev()
            .fold(0_u64, |n, &b| n << 8 | u64::from(b));
        usize::try_from(number).map_err(|_| SHORT.to_owned())
    }

    fn line(&mut self) -> Result<&'a str, String> {
        let rest = self.bytes.get(self.at..).ok_or(SHORT)?;
        let length = rest.iter().position(|&b| b == b'\n').ok_or(SHORT)?;
        let line = self.take(length)?;
        self.at += 1;
        std::str::from_utf8(line).map_err(|_| "its pickle holds a broken name".to_owned())
    }

    fn pop(&mut self) -> Result<Value, String> {
        let least = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= least {
            return Err(EMPTY.to_owned());
        }
        self.stack.pop().ok_or_else(|| EMPTY.to_owned())
    }

    /// The values pushed since the last mark.
    fn since_mark(&mut self) -> Result<Vec<Value>, String> {
        let height = self.marks.pop().ok_or(EMPTY)?;
        Ok(self.stack.split_off(height))
    }

    fn add(&mut self, node: Node) {
        self.nodes.push(node);
        self.stack.push(Value::Node(self.nodes.len() - 1));
    }

    fn text(&mut self, length: usize) -> Result<(), String> {
        let text = String::from_utf8_lossy(self.take(length)?).into_owned();
        self.add(Node::Text(text));
        Ok(())
    }

    fn tuple(&mut self, count: usize) -> Result<(), String> {
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(self.pop()?);
        }
        items.reverse();
        self.add(Node::Tuple(items));
        Ok(())
    }

    fn get(&mut self, key: usize) -> Result<(), String> {
        let value = self.memo.get(&key).copied();
        self.stack.push(value.ok_or(UNKNOWN)?);
        Ok(())
    }

    fn put(&mut self, key: usize) -> Result<(), String> {
        let top = self.stack.last().copied().ok_or(EMPTY)?;
        self.memo.insert(key, top);
        Ok(())
    }

    /// The compound value on top of the stack, which items are added to.
    fn below(&mut self) -> Option<&mut Node> {
        match self.stack.last() {
            Some(Value::Node(id)) => self.nodes.get_mut(*id),
            _ => None,
        }
    }

    fn append(&mut self, items: Vec<Value>) {
        if let Some(Node::List(list)) = self.below() {
            list.extend(items);
        }
    }

    fn set(&mut self, items: &[Value]) {
        if let Some(Node::Dict(dict)) = self.below() {
            dict.extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1])));
        }
    }

    #[allow(clippy::too_many_lines, reason = "one line or two an opcode")]
    fn run(&mut self) -> Result<Value, String> {
        loop {
            self.steps += 1;
            if self.steps > MAX_STEPS {
                return Err("its pickle has far too many values".to_owned());
            }
            let [opcode] = self.take(1)? else {
                return Err(SHORT.to_owned());
            };
            match opcode {
                // PROTO, FRAME
                0x80 => drop(self.take(1)?),
                0x95 => drop(self.take(8)?),
                b'.' => return self.pop(),
                b'(' => self.marks.push(self.stack.len()),
                b'0' => drop(self.pop()?),
                // BUILD
                b'b' => {
                    let state = self.pop()?;
                    if let Some(Node::Object(old)) = self.below() {
                        *old = Some(state);
                    }
                }
                // POP_MARK, ADDITEMS
                b'1' | 0x90 => drop(self.since_mark()?),
                b'2' => {
                    let top = self.pop()?;
                    self.stack.extend([top, top]);
                }
                b'N' => self.stack.push(Value::None),
                0x88 => self.stack.push(Value::Bool(true)),
                0x89 => self.stack.push(Value::Bool(false)),
                b'J' => {
                    let bytes = self.take(4)?.first_chunk::<4>().ok_or(SHORT)?;
                    self.stack
                        .push(Value::Int(i32::from_le_bytes(*bytes).into()));
                }
                b'K' => self.int(1)?,
                b'M' => self.int(2)?,
                0x8a => {
                    let length = self.number(1)?;
                    self.long(length)?;
                }
                0x8b => {
                    let length = self.number(4)?;
                    self.long(length)?;
                }
                b'G' => {
                    self.take(8)?;
                    self.stack.push(Value::Other);
                }
                // Numbers and texts as lines, of protocol 0.
                b'F' => {
                    self.line()?;
                    self.stack.push(Value::Other);
                }
                b'I' | b'L' => {
                    let value = match self.line()?.trim_end_matches('L') {
                        "00" => Value::Bool(false),
                        "01" => Value::Bool(true),
                        digits => digits.parse().map_or(Value::Other, Value::Int),
                    };
                    self.stack.push(value);
                }
                b'S' => {
                    let quoted = self.line()?.trim();
                    let text = quoted.get(1..quoted.len().saturating_sub(1));
                    self.add(Node::Text(text.unwrap_or_default().to_owned()));
                }
                b'V' => {
                    let text = self.line()?.to_owned();
                    self.add(Node::Text(text));
                }
                b'p' => {
                    let key = self.line()?.parse().map_err(|_| UNKNOWN)?;
                    self.put(key)?;
                }
                b'g' => {
                    let key = self.line()?.parse().map_err(|_| UNKNOWN)?;
                    self.get(key)?;
                }
                // Texts; bytes are treated as texts.
                b'X' | b'T' | b'B' => {
                    let length = self.number(4)?;
                    self.text(length)?;
                }
                0x8c | b'U' | b'C' => {
                    let length = self.number(1)?;
                    self.text(length)?;
                }
                0x8d | 0x8e | 0x96 => {
                    let length = self.number(8)?;
                    self.text(length)?;
                }
                // EMPTY_SET, FROZENSET
                0x8f => self.add(Node::Opaque),
                0x91 => {
                    self.since_mark()?;
                    self.add(Node::Opaque);
                }
                b'}' => self.add(Node::Dict(Vec::new())),
                b']' => self.add(Node::List(Vec::new())),
                b')' => self.add(Node::Tuple(Vec::new())),
                0x85..=0x87 => self.tuple(usize::from(opcode - 0x84))?,
                b't' => {
                    let items = self.since_mark()?;
                    self.add(Node::Tuple(items));
                }
                b'l' => {
                    let items = self.since_mark()?;
                    self.add(Node::List(items));
                }
                b'd' => {
                    let items = self.since_mark()?;
                    let pairs = items.chunks_exact(2).map(|pair| (pair[0], pair[1]));
                    self.add(Node::Dict(pairs.collect()));
                }
                b'a' => {
                    let item = self.pop()?;
                    self.append(vec![item]);
                }
                b'e' => {
                    let items = self.since_mark()?;
                    self.append(items);
                }
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.set(&[key, value]);
                }
                b'u' => {
                    let items = self.since_mark()?;
                    self.set(&items);
                }
                b'q' => {
                    let key = self.number(1)?;
                    self.put(key)?;
                }
                b'r' => {
                    let key = self.number(4)?;
                    self.put(key)?;
                }
                0x94 => self.put(self.memo.len())?,
                b'h' => {
                    let key = self.number(1)?;
                    self.get(key)?;
                }
                b'j' => {
                    let key = self.number(4)?;
                    self.get(key)?;
                }
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.add(Node::Global(format!("{module}.{name}")));
                }
                0x93 => {
                    let (name, module) = (self.pop()?, self.pop()?);
                    let text = |value: Value| match value {
                        Value::Node(id) => match self.nodes.get(id) {
                            Some(Node::Text(text)) => Some(text.as_str()),
                            _ => None,
                        },
                        _ => None,
                    };
                    let global = text(module).zip(text(name));
                    let node = match global {
                        Some((module, name)) if module.len() + name.len() < 256 => {
                            Node::Global(format!("{module}.{name}"))
                        }
                        _ => Node::Opaque,
                    };
                    self.add(node);
                }
                b'Q' => {
                    let id = self.pop()?;
                    self.add(Node::Persistent(id));
                }
                // NEWOBJ_EX
                0x92 => {
                    for _ in 0..3 {
                        self.pop()?;
                    }
                    self.add(Node::Object(None));
                }
                // INST, OBJ: an instance of a class of Python 2.
                b'i' => {
                    let _class = (self.line()?, self.line()?);
                    self.since_mark()?;
                    self.add(Node::Object(None));
                }
                b'o' => {
                    self.since_mark()?;
                    self.add(Node::Object(None));
                }
                // REDUCE, NEWOBJ: a call, which is never made.
                b'R' | 0x81 => {
                    let (arguments, function) = (self.pop()?, self.pop()?);
                    let node = match self.pairs(function, arguments) {
                        Some(pairs) => {
                            // They are copied, each time that a file asks for it.
                            self.steps = self.steps.saturating_add(pairs.len());
                            Node::Dict(pairs)
                        }
                        None => self.call(function, arguments),
                    };
                    self.add(node);
                }
                other => {
                    return Err(format!(
                        "its pickle has the opcode {other}, which is not supported"
                    ));
                }
            }
        }
    }

    fn int(&mut self, size: usize) -> Result<(), String> {
        let number = self.number(size)? as i64;
        self.stack.push(Value::Int(number));
        Ok(())
    }

    /// A signed number of any length; beyond 64 bits its value is dropped.
    fn long(&mut self, length: usize) -> Result<(), String> {
        let bytes = self.take(length)?;
        let negative = bytes.last().is_some_and(|b| b & 0x80 != 0);
        let value = if length <= 8 {
            let fill = if negative { -1_i64 } else { 0 };
            Value::Int(bytes.iter().rev().fold(fill, |n, &b| n << 8 | i64::from(b)))
        } else {
            Value::Other
        };
        self.stack.push(value);
        Ok(())
    }

    /// The items of an `OrderedDict` that is made of a list of pairs, as Python 2 writes it.
    fn pairs(&self, function: Value, arguments: Value) -> Option<Vec<(Value, Value)>> {
        let items = |value: Value| match value {
            Value::Node(id) => match self.nodes.get(id)? {
                Node::Tuple(items) | Node::List(items) => Some(items.as_slice()),
                _ => None,
            },
            _ => None,
        };
        let Value::Node(function) = function else {
            return None;
        };
        match self.nodes.get(function)? {
            Node::Global(name) if name == "collections.OrderedDict" => {}
            _ => return None,
        }
        let &[list] = items(arguments)? else {
            return None;
        };
        let pair = |&value: &Value| match items(value)? {
            &[key, value] => Some((key, value)),
            _ => None,
        };
        items(list)?.iter().map(pair).collect()
    }

    /// The result of a call, for the few functions that matter.
    fn call(&self, function: Value, arguments: Value) -> Node {
        let node = |value: Value| match value {
            Value::Node(id) => self.nodes.get(id),
            _ => None,
        };
        let (Some(Node::Global(name)), Some(Node::Tuple(arguments))) =
            (node(function), node(arguments))
        else {
            return Node::Object(None);
        };
        match (name.as_str(), arguments.as_slice()) {
            ("collections.OrderedDict", []) | ("collections.defaultdict", _) => {
                Node::Dict(Vec::new())
            }
            (
                "torch._utils._rebuild_tensor_v2"
                | "torch._utils._rebuild_tensor_v3"
                | "torch._utils._rebuild_tensor",
                [storage, Value::Int(offset), size, stride, ..],
            ) => Node::Tensor {
                storage: *storage,
                offset: *offset,
                size: *size,
                stride: *stride,
            },
            (
                "torch._utils._rebuild_parameter" | "torch._utils._rebuild_parameter_with_state",
                [tensor, ..],
            ) => match node(*tensor) {
                Some(tensor @ Node::Tensor { .. }) => tensor.clone(),
                _ => Node::Opaque,
            },
            // A tensor with attributes of its own: the function that makes it, its class, arguments.
            ("torch._tensor._rebuild_from_type_v2", [function, _, arguments, ..]) if matches!(node(*function), Some(Node::Global(name)) if name.starts_with("torch._utils.")) => {
                self.call(*function, *arguments)
            }
            _ => Node::Object(None),
        }
    }
}
