//! The texts of the picture of the network.

use crate::model::blocks::{Block, BlockPlace};
use crate::model::{Outer, Semantics};
use crate::views::trainable::blocks::{Lamp, Network, Picture};
use crate::words::call;
use crate::words::common;
use crate::words::number::count;

pub const NETWORK: &str = "The network";
pub const BOUNDARY: &str = "Freeze boundary";
pub const BOUNDARY_TIP: &str = "Drag: layers left of the line are frozen, the others learn. With \
     the keyboard: arrows move it by a block, Shift with arrows by a layer";

/// The most names of a tooltip.
const MOST_NAMES: usize = 14;

/// What the three rows of lamps say.
pub fn lamp_labels(semantics: Semantics) -> [&'static str; 3] {
    let draws = match semantics {
        Semantics::PyTorch => "dropout draws",
        Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => "random draws",
    };
    ["weights learn", "statistics move", draws]
}

/// The name of a block; what is outside of a base has no name of its own.
pub fn block_name(block: &Block) -> String {
    match block.place {
        BlockPlace::Base => block.name.clone(),
        BlockPlace::Before => "input".to_owned(),
        BlockPlace::Head => "head".to_owned(),
    }
}

/// A name, and shorter forms of it: its numbers if other names differ from it only in those, and its
/// beginning.
pub fn short_names(name: &str, all: &[String]) -> Vec<String> {
    let mut forms = vec![name.to_owned()];
    let is_counted = all
        .iter()
        .any(|other| other != name && without_digits(other) == without_digits(name));
    if is_counted {
        let numbers: Vec<&str> = name
            .split(|c: char| !c.is_ascii_digit())
            .filter(|part| !part.is_empty())
            .collect();
        forms.push(numbers.join("."));
        forms.extend(numbers.last().map(|last| (*last).to_owned()));
    }
    let letters = name.chars().count();
    for kept in (1..letters.saturating_sub(1).min(10)).rev() {
        let beginning: String = name.chars().take(kept).collect();
        forms.push(format!("{beginning}…"));
    }
    forms
}

fn without_digits(name: &str) -> String {
    name.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// The accessible name of a padlock.
pub fn frozen_block(name: &str) -> String {
    format!("{name} frozen")
}

/// What a block does in the call.
pub fn block_words(picture: &Picture, name: &str, semantics: Semantics) -> String {
    let layers = common::layers(picture.block.layers.len());
    let mut parts = vec![format!("{name}: {layers}")];
    let lamps = [picture.weights, picture.statistics, picture.draws];
    for (label, lamp) in lamp_labels(semantics).into_iter().zip(lamps) {
        if lamp.all > 0 {
            parts.push(lamp_words(label, lamp));
        }
    }
    parts.join(" · ")
}

fn lamp_words(label: &str, Lamp { on, all }: Lamp) -> String {
    format!("{label}: {on} of {all}")
}

/// The names of a block's layers, in one line or more.
pub fn layer_names(names: &[&str]) -> String {
    let more = names.len().saturating_sub(MOST_NAMES);
    let shown = names[..names.len() - more].join(", ");
    if more > 0 {
        format!("{shown} and {more} more")
    } else {
        shown
    }
}

pub fn boundary_at(boundary: usize, all: usize) -> String {
    format!("{boundary} of {all} layers are frozen")
}

/// What can be done with the picture in the window.
const HINT: &str = ". Drag the line, or click a padlock.";

/// The longest line without what a figure cannot do.
pub fn in_a_figure(line: &str) -> &str {
    line.strip_suffix(HINT).unwrap_or(line)
}

/// What is frozen, in full and shorter.
pub fn network_lines(
    network: &Network,
    outer: Outer,
    semantics: Semantics,
    layers: usize,
) -> [String; 3] {
    let blocks = count(network.blocks.len(), "block", "blocks");
    let call = match outer {
        Outer::Given(_) => call::label(outer, semantics).to_owned(),
        Outer::NotGiven => "the call".to_owned(),
    };
    let frozen = frozen_words(network);
    [
        format!("{layers} layers in {blocks}, with {call}: {frozen}{HINT}"),
        format!("With {call}: {frozen}{HINT}"),
        frozen,
    ]
}

fn frozen_words(network: &Network) -> String {
    let (at, all) = (network.boundary, network.len);
    if !network.is_exact {
        let frozen: usize = network.blocks.iter().map(|p| p.frozen.on).sum();
        let weighted: usize = network.blocks.iter().map(|p| p.frozen.all).sum();
        return format!("{frozen} of {weighted} layers with weights are frozen");
    }
    match at {
        0 => format!("none of {all} base layers is frozen"),
        _ if at == all => format!("all {all} base layers are frozen"),
        _ => format!(
            "base layers 1 to {at} are frozen, {} to {all} are not",
            at + 1
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_have_short_forms() {
        let all = [
            "Conv1",
            "block_12",
            "block_13",
            "conv2_block1",
            "conv3_block1",
            "head",
        ];
        let all = all.map(str::to_owned);
        assert_eq!(short_names("block_13", &all)[..2], ["block_13", "13"]);
        let forms = short_names("conv2_block1", &all);
        assert_eq!(forms[..3], ["conv2_block1", "2.1", "1"]);
        // Its number would be mistaken for that of a block.
        assert_eq!(short_names("Conv1", &all)[..2], ["Conv1", "Con…"]);
        assert_eq!(short_names("head", &all), ["head", "he…", "h…"]);
    }

    #[test]
    fn long_lists_of_names_are_cut() {
        let names = vec!["a"; MOST_NAMES + 2];
        assert!(layer_names(&names).ends_with("a and 2 more"));
        assert_eq!(layer_names(&["a", "b"]), "a, b");
    }
}
