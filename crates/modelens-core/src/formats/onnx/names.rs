//! Names nodes after the modules they were exported from.

use super::proto::Node;

/// The name that the node's layer had in the exported model, as far as the file gives it: that of its
/// weights, or of the modules around it. `is_stored` is true if its second input is stored in the file.
pub fn of_node(node: &Node<'_>, index: usize, is_stored: bool) -> String {
    let weight = node.inputs.get(1).copied().unwrap_or_default();
    if let Some(stem) = weight.strip_suffix(".weight")
        && is_stored
        && !stem.is_empty()
    {
        return clipped(stem);
    }
    let Some(path) = node.name.strip_prefix('/') else {
        return match node.name {
            "" => format!("{}_{index}", node.op.chars().take(80).collect::<String>()),
            name => clipped(name),
        };
    };
    let parts: Vec<&str> = path.split('/').collect();
    let parts = match parts.split_last() {
        Some((_, modules)) if is_stored && !modules.is_empty() => modules,
        _ => &parts,
    };
    let (mut around, mut local) = (String::new(), "");
    for part in parts {
        // PyTorch repeats the name of the sequence that contains a module.
        let goes_on = part
            .strip_prefix(local)
            .is_some_and(|rest| rest.starts_with('.'));
        if !goes_on && !local.is_empty() {
            around = around + local + ".";
        }
        local = part;
    }
    clipped(&(around + local))
}

fn clipped(name: &str) -> String {
    name.chars().take(160).collect()
}
