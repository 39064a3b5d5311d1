//! Which nodes the output depends on, and which names share memory.

use std::collections::{HashMap, HashSet};

use super::node::{is_view, operator};
use super::schema::{Argument, Node};

/// What is known of the nodes before any of them is read.
pub struct Flow<'a> {
    /// By node: whether the output depends on it.
    pub live: Vec<bool>,
    /// By name: the name of the memory that it may be a view of.
    pub memory: HashMap<&'a str, &'a str>,
    /// By name: the last live node that reads it.
    pub last_read: HashMap<&'a str, usize>,
}

/// The names of the tensors in an argument.
pub fn tensors(arg: &Argument) -> Vec<&str> {
    match arg {
        Argument::AsTensor(tensor) => vec![&tensor.name],
        Argument::AsTensors(list) => list.iter().map(|t| t.name.as_str()).collect(),
        Argument::AsOptionalTensor(inner) => tensors(inner),
        Argument::AsOptionalTensors(list) => list.iter().flat_map(tensors).collect(),
        Argument::AsSymInt(super::schema::SymInt::AsName(name)) => vec![name],
        Argument::AsSymInts(list) => {
            let names = list.iter().filter_map(|n| match n {
                super::schema::SymInt::AsName(name) => Some(name.as_str()),
                _ => None,
            });
            names.collect()
        }
        _ => Vec::new(),
    }
}

impl<'a> Flow<'a> {
    pub fn of(nodes: &'a [Node], output: &'a str) -> Self {
        let mut memory: HashMap<&str, &str> = HashMap::new();
        for node in nodes {
            let shares =
                operator(&node.target).is_some_and(|(op, in_place)| in_place || is_view(op));
            let first = node.inputs.first().map(|input| &input.arg);
            let Some(Argument::AsTensor(first)) = first.filter(|_| shares) else {
                continue;
            };
            let root = memory
                .get(first.name.as_str())
                .copied()
                .unwrap_or(&first.name);
            for name in node.outputs.iter().flat_map(tensors) {
                memory.insert(name, root);
            }
        }
        let root = |name: &'a str| memory.get(name).copied().unwrap_or(name);
        let mut live = vec![false; nodes.len()];
        let mut last_read = HashMap::from([(output, nodes.len())]);
        let (mut needed, mut needed_memory) =
            (HashSet::from([output]), HashSet::from([root(output)]));
        for (i, node) in nodes.iter().enumerate().rev() {
            let writes = operator(&node.target).is_some_and(|(_, in_place)| in_place);
            let mut outputs = node.outputs.iter().flat_map(tensors);
            live[i] = outputs
                .any(|name| needed.contains(name) || writes && needed_memory.contains(root(name)));
            if live[i] {
                for name in node.inputs.iter().flat_map(|input| tensors(&input.arg)) {
                    needed.insert(name);
                    needed_memory.insert(root(name));
                    last_read.entry(name).or_insert(i);
                }
            }
        }
        Self {
            live,
            memory,
            last_read,
        }
    }

    /// The name of the memory that this name may be a view of.
    pub fn root(&self, name: &'a str) -> &'a str {
        self.memory.get(name).copied().unwrap_or(name)
    }

    /// True if a live node after this one reads the name.
    pub fn is_read_after(&self, name: &str, node: usize) -> bool {
        self.last_read.get(name).is_some_and(|&last| last > node)
    }
}
