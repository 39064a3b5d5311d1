//! The blocks of a network, as a picture shows them: runs of neighbouring layers that belong together by
//! their names, or else runs of equal length.

use std::ops::Range;

use super::flags::base_of;
use super::head_cut::base_layers;
use super::{Graph, LayerId, LayerKind, ModelDescription};

/// Where in the network a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockPlace {
    /// Before a nested base: augmentation, scaling.
    Before,
    Base,
    Head,
}

/// A run of neighbouring layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What the names of its layers share.
    pub name: String,
    pub place: BlockPlace,
    /// Its layers without the models around them, in order.
    pub layers: Vec<LayerId>,
    /// Which of the layers that [`Flags::fine_tune_from`](super::Flags::fine_tune_from) counts it holds;
    /// `None` outside of a nested base.
    pub counted: Option<Range<usize>>,
}

/// The most blocks of a picture; longer rows of blocks are joined.
const MOST_BLOCKS: usize = 32;
/// A network with fewer layers gets a block for each layer with weights.
const FEW_LAYERS: usize = 20;
/// Blocks of equal runs if the names tell nothing.
const EQUAL_RUNS: usize = 16;
/// Number of neighbours that must share a prefix to be a block by it.
const SHARING: usize = 3;

/// The blocks of a network, in order. Every listed layer is in one of them.
pub fn blocks(model: &ModelDescription) -> Vec<Block> {
    let graph = &model.graph;
    let base = base_of(graph);
    let counted = counted_layers(graph);
    let in_base = base_layers(model);
    // In a flat network the head is at its end.
    let head = counted
        .iter()
        .position(|id| !in_base.contains(id))
        .unwrap_or(counted.len());
    let mut found = base_blocks(graph, &counted[..head], 0);
    let before_or_after = |after: bool| -> Vec<LayerId> {
        let Some(base) = base else { return Vec::new() };
        let inside: Vec<LayerId> = graph.subtree(base).collect();
        let last = inside.last().copied().unwrap_or(base);
        let all = 0..graph.layers.len();
        let side = all.filter(|id| !inside.contains(id) && (*id > last) == after);
        leaves(graph, side)
    };
    let outside = |place, layers: Vec<LayerId>| Block {
        name: String::new(),
        place,
        layers,
        counted: None,
    };
    let before = before_or_after(false);
    if !before.is_empty() {
        found.insert(0, outside(BlockPlace::Before, before));
    }
    if base.is_none() && head < counted.len() {
        let own = counted[head..].iter().flat_map(|&id| graph.subtree(id));
        found.push(Block {
            counted: Some(head..counted.len()),
            ..outside(BlockPlace::Head, leaves(graph, own))
        });
    }
    let after = before_or_after(true);
    if !after.is_empty() {
        found.push(outside(BlockPlace::Head, after));
    }
    found
}

/// The layers that [`Flags::fine_tune_from`](super::Flags::fine_tune_from) counts, in order.
pub fn counted_layers(graph: &Graph) -> Vec<LayerId> {
    let children = graph.children(base_of(graph));
    children.filter(|&id| graph.layers[id].listed).collect()
}

/// Without nested models and without what the framework does not list.
fn leaves(graph: &Graph, layers: impl Iterator<Item = LayerId>) -> Vec<LayerId> {
    layers
        .filter(|&id| graph.layers[id].listed && graph.layers[id].kind != LayerKind::Model)
        .collect()
}

fn base_blocks(graph: &Graph, counted: &[LayerId], first: usize) -> Vec<Block> {
    let has_weights = |id: LayerId| {
        let mut inside = graph.subtree(id);
        inside.any(|id| !graph.layers[id].weights.is_empty())
    };
    let named: Vec<(&str, bool)> = counted
        .iter()
        .map(|&id| (graph.layers[id].name.as_str(), has_weights(id)))
        .collect();
    let runs = runs(&named).into_iter();
    let block = |(name, range): (String, Range<usize>)| {
        let own = counted[range.clone()].iter();
        Block {
            name,
            place: BlockPlace::Base,
            layers: leaves(graph, own.flat_map(|&id| graph.subtree(id))),
            counted: Some(first + range.start..first + range.end),
        }
    };
    runs.map(block).collect()
}

/// Splits layers into named runs; `layers`: names, and whether they have weights.
fn runs(layers: &[(&str, bool)]) -> Vec<(String, Range<usize>)> {
    if layers.is_empty() {
        return Vec::new();
    }
    let found = if layers.len() <= FEW_LAYERS {
        single_layers(layers)
    } else {
        let named = named_runs(layers);
        if named.len() < SHARING {
            equal_runs(layers)
        } else {
            named
        }
    };
    joined(found)
}

/// A run for each layer with weights; the others go with the one before them.
fn single_layers(layers: &[(&str, bool)]) -> Vec<(String, Range<usize>)> {
    let mut runs: Vec<(String, Range<usize>)> = Vec::new();
    let mut weighted = false;
    for (i, &(name, weights)) in layers.iter().enumerate() {
        match runs.last_mut() {
            Some((_, range)) if !weights => range.end = i + 1,
            // Layers without weights at the beginning go with the first one that has some.
            Some((own, range)) if !weighted => {
                (*own, range.end) = (name.to_owned(), i + 1);
            }
            _ => runs.push((name.to_owned(), i..i + 1)),
        }
        weighted |= weights;
    }
    runs
}

/// Runs of layers whose names begin with the same block.
fn named_runs(layers: &[(&str, bool)]) -> Vec<(String, Range<usize>)> {
    let keys: Vec<Option<String>> = (0..layers.len())
        .map(|i| block_of(layers[i].0).or_else(|| shared_prefix(layers, i)))
        .collect();
    let mut runs: Vec<(Option<String>, Range<usize>)> = Vec::new();
    for (i, key) in keys.into_iter().enumerate() {
        match runs.last_mut() {
            Some((known, range)) if *known == key => range.end = i + 1,
            _ => runs.push((key, i..i + 1)),
        }
    }
    let has_weights = |range: &Range<usize>| layers[range.clone()].iter().any(|layer| layer.1);
    let mut merged: Vec<(String, Range<usize>)> = Vec::new();
    for (key, range) in runs {
        let weighted = layers[range.clone()].iter().find(|layer| layer.1);
        let name = key.unwrap_or_else(|| weighted.unwrap_or(&layers[range.start]).0.to_owned());
        match merged.last_mut() {
            // What has no weights goes with its neighbour.
            Some((_, last)) if !has_weights(&range) => last.end = range.end,
            Some((own, last)) if !has_weights(last) => (*own, last.end) = (name, range.end),
            _ => merged.push((name, range)),
        }
    }
    merged
}

/// The part of a name up to the number of its block: `block_13` of `block_13_project_BN`, `conv2_block1`
/// of `conv2_block1_1_conv`, `layer1.0` of `layer1.0.conv1`.
fn block_of(name: &str) -> Option<String> {
    if name.contains('.') {
        let parts: Vec<&str> = name.split('.').collect();
        let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let has_digit = |part: &&str| part.bytes().any(|b| b.is_ascii_digit());
        let Some(first) = parts.iter().position(has_digit) else {
            return Some(parts[0].to_owned());
        };
        let next = parts.get(first + 1).is_some_and(|part| is_number(part));
        let last = first + usize::from(next && !is_number(parts[first]));
        return Some(parts[..=last].join("."));
    }
    let lower = name.to_ascii_lowercase();
    let word = "block";
    let after = lower.find(word)? + word.len();
    let rest = &lower.as_bytes()[after..];
    let skipped = usize::from(rest.first() == Some(&b'_'));
    let digits = rest[skipped..]
        .iter()
        .take_while(|b| b.is_ascii_digit())
        .count();
    if digits == 0 {
        return None;
    }
    let mut end = skipped + digits;
    let ends = |at: usize| rest.get(at).is_none_or(|&b| b == b'_');
    // `block1a`: a letter that ends the name of the block.
    if rest.get(end).is_some_and(u8::is_ascii_alphabetic) && ends(end + 1) {
        end += 1;
    }
    Some(name[..after + end].to_owned())
}

/// The first two words of a name, if neighbours have them too and neither is a number:
/// `expanded_conv` of `expanded_conv_depthwise_BN`.
fn shared_prefix(layers: &[(&str, bool)], place: usize) -> Option<String> {
    let prefix = |name: &str| {
        let mut words = name.split('_');
        let [first, second] = [words.next()?, words.next()?];
        words.next()?;
        let is_word = |word: &str| word.bytes().all(|b| b.is_ascii_alphabetic());
        (is_word(first) && is_word(second)).then(|| format!("{first}_{second}"))
    };
    let own = prefix(layers[place].0)?;
    let same = |layer: &&(&str, bool)| prefix(layer.0).as_ref() == Some(&own);
    let after = layers[place..].iter().take_while(same).count();
    let before = layers[..place].iter().rev().take_while(same).count();
    (before + after >= SHARING).then_some(own)
}

/// Runs of equal length, named by the places of their layers.
fn equal_runs(layers: &[(&str, bool)]) -> Vec<(String, Range<usize>)> {
    let length = layers.len().div_ceil(EQUAL_RUNS);
    let starts = (0..layers.len()).step_by(length);
    let run = |start: usize| {
        let end = (start + length).min(layers.len());
        (format!("{}–{end}", start + 1), start..end)
    };
    starts.map(run).collect()
}

/// Joins neighbours until a picture has room for all.
fn joined(runs: Vec<(String, Range<usize>)>) -> Vec<(String, Range<usize>)> {
    let at_once = runs.len().div_ceil(MOST_BLOCKS);
    if at_once <= 1 {
        return runs;
    }
    let join = |runs: &[(String, Range<usize>)]| {
        let [first, last] = [&runs[0], &runs[runs.len() - 1]];
        let name = if runs.len() == 1 {
            first.0.clone()
        } else {
            format!("{} – {}", first.0, last.0)
        };
        (name, first.1.start..last.1.end)
    };
    runs.chunks(at_once).map(join).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_block() {
        for (name, block) in [
            ("block_13_project_BN", Some("block_13")),
            ("block1a_dwconv", Some("block1a")),
            ("conv2_block1_1_conv", Some("conv2_block1")),
            ("block2_sepconv1", Some("block2")),
            (
                "convnext_tiny_stage_0_block_1_layernorm",
                Some("convnext_tiny_stage_0_block_1"),
            ),
            ("layer1.0.conv1", Some("layer1.0")),
            ("features.0.0", Some("features.0")),
            (
                "features.denseblock1.denselayer1.norm1",
                Some("features.denseblock1"),
            ),
            (
                "encoder.layers.encoder_layer_0.ln_1",
                Some("encoder.layers.encoder_layer_0"),
            ),
            ("classifier.weight", Some("classifier")),
            ("Conv_1_bn", None),
            ("bn_Conv1", None),
            ("blockade", None),
        ] {
            assert_eq!(block_of(name).as_deref(), block, "{name}");
        }
    }

    fn runs_of(names: &[&str]) -> Vec<(String, Range<usize>)> {
        let is_weighted = |name: &&str| !name.contains("relu") && !name.contains("input");
        let layers: Vec<(&str, bool)> = names.iter().map(|n| (*n, is_weighted(n))).collect();
        let runs = runs(&layers);
        // Every layer is in one run.
        let mut next = 0;
        for (name, range) in &runs {
            assert_eq!(range.start, next, "{name}");
            next = range.end;
        }
        assert_eq!(next, names.len());
        runs
    }

    fn names(runs: &[(String, Range<usize>)]) -> Vec<&str> {
        runs.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn mobilenet_has_its_blocks() {
        let mut layers: Vec<String> = ["input_layer", "Conv1", "bn_Conv1", "Conv1_relu"]
            .map(str::to_owned)
            .into();
        let parts = [
            "depthwise",
            "depthwise_BN",
            "depthwise_relu",
            "project",
            "project_BN",
        ];
        layers.extend(parts.iter().map(|part| format!("expanded_conv_{part}")));
        for block in 1..=16 {
            layers.extend(parts.iter().map(|part| format!("block_{block}_{part}")));
        }
        layers.extend(["Conv_1", "Conv_1_bn", "out_relu"].map(str::to_owned));
        let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
        let runs = runs_of(&layers);
        let names = names(&runs);
        assert_eq!(names[..3], ["Conv1", "expanded_conv", "block_1"]);
        assert_eq!(names[17..], ["block_16", "Conv_1"]);
        assert_eq!(runs[0].1, 0..4);
    }

    #[test]
    fn other_networks_get_single_layers_or_equal_runs() {
        let few = ["input", "conv_a", "bn_a", "relu_a", "probs"];
        assert_eq!(names(&runs_of(&few)), ["conv_a", "bn_a", "probs"]);
        assert_eq!(runs_of(&few)[0].1, 0..2);
        let many: Vec<String> = (0..100).map(|i| format!("conv2d_{i}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let runs = runs_of(&many);
        assert_eq!(names(&runs)[..2], ["1–7", "8–14"]);
        let deep: Vec<String> = (0..200)
            .map(|i| format!("features.{}.{i}", i / 2))
            .collect();
        let deep: Vec<&str> = deep.iter().map(String::as_str).collect();
        let runs = runs_of(&deep);
        assert_eq!(runs.len(), 25);
        assert_eq!(runs[0].0, "features.0 – features.3");
    }
}
