//! Names layers after the modules that call them.

use super::node::operator;
use super::schema::{Argument, Node};
use super::stored::Stored;

/// A module around a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Module<'a> {
    /// `features.0`; empty for the whole network.
    pub path: &'a str,
    /// `torch.nn.modules.conv.Conv2d`
    pub class: &'a str,
}

/// The modules around a call, the outermost first.
pub fn modules(node: &Node) -> impl Iterator<Item = Module<'_>> {
    let parts = node.metadata.nn_module_stack.split(';');
    parts.filter_map(|part| {
        let mut fields = part.splitn(3, ',');
        let (_, path, class) = (fields.next()?, fields.next()?, fields.next()?);
        // What the exporter writes for its own nodes.
        if class.contains("_empty_nn_module_stack") {
            return None;
        }
        // A module that is called several times.
        let path = path.split('@').next().unwrap_or(path);
        Some(Module { path, class })
    })
}

/// The name of a layer and of its class, and whether the node is all that a module computes.
pub fn of_node(node: &Node, weight: Option<&Stored>) -> (String, String, bool) {
    let op = operator(&node.target).map_or(node.target.as_str(), |(op, _)| op);
    let inner = modules(node).last();
    let class = inner.map_or("", |module| {
        module.class.rsplit('.').next().unwrap_or_default()
    });
    if let Some((stem, _)) = weight.and_then(|w| w.name.rsplit_once('.')) {
        let class = if inner.is_some_and(|module| module.path == stem) {
            class
        } else {
            op
        };
        return (clipped(stem), clipped(class), true);
    }
    let Some(inner) = inner else {
        return (clipped(op), clipped(op), false);
    };
    if is_leaf(inner.class) {
        return (clipped(inner.path), clipped(class), true);
    }
    let name = match inner.path {
        "" => op.to_owned(),
        path => format!("{path}.{op}"),
    };
    (clipped(&name), clipped(op), false)
}

/// True for classes of `torch.nn` that compute one thing without weights.
fn is_leaf(class: &str) -> bool {
    let Some(rest) = class.strip_prefix("torch.nn.modules.") else {
        return class.ends_with(".StochasticDepth") || class.ends_with(".DropPath");
    };
    let module = rest.split('.').next().unwrap_or_default();
    let whole = matches!(
        module,
        "activation"
            | "dropout"
            | "pooling"
            | "padding"
            | "flatten"
            | "upsampling"
            | "linear"
            | "conv"
            | "batchnorm"
            | "instancenorm"
            | "normalization"
    );
    whole && !class.ends_with("MultiheadAttention")
}

/// The tensor in this argument.
pub fn tensor_of<'a>(node: &'a Node, argument: &str) -> Option<&'a str> {
    let found = node.inputs.iter().find(|input| input.name == argument)?;
    match &found.arg {
        Argument::AsTensor(tensor) => Some(&tensor.name),
        _ => None,
    }
}

fn clipped(name: &str) -> String {
    name.chars().take(160).collect()
}
