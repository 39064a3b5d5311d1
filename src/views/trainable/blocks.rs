//! What the picture of the network shows of each block under the present flags and in the outer call.

use std::ops::Range;

use crate::model::blocks::{Block, blocks, counted_layers};
use crate::model::{CallModes, LayerId, Outer, Role, Semantics};
use crate::state::Base;

/// A lamp: of how many layers it speaks, and of how many of them it is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lamp {
    pub on: usize,
    pub all: usize,
}

impl Lamp {
    fn add(&mut self, on: bool) {
        self.all += 1;
        self.on += usize::from(on);
    }
}

/// A block with what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub block: Block,
    /// Layers whose weights an optimizer may change.
    pub weights: Lamp,
    /// BatchNorm layers whose moving statistics move.
    pub statistics: Lamp,
    /// Layers that draw: dropout, noise, augmentation.
    pub draws: Lamp,
    /// Layers with weights whose own flag is off.
    pub frozen: Lamp,
}

/// The whole picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    pub blocks: Vec<Picture>,
    /// Number of layers that the boundary counts.
    pub len: usize,
    /// The first of these layers that is not frozen; `len` if all are frozen.
    pub boundary: usize,
    /// Whether every layer before it is frozen, and no layer after it is.
    pub is_exact: bool,
}

impl Network {
    /// The blocks in the call of the training column.
    pub fn of(base: &Base, outer: Outer, semantics: Semantics, random: bool, from: usize) -> Self {
        let graph = &base.model.graph;
        let modes = CallModes::of(graph, &base.flags, outer, semantics);
        let picture = |block: Block| {
            let [mut weights, mut statistics, mut draws, mut frozen] = [Lamp::default(); 4];
            for &id in &block.layers {
                let layer = &graph.layers[id];
                let effective = modes.effective(graph, &base.flags, id);
                if layer.weights.iter().any(|w| w.learnable) {
                    weights.add(effective.learns);
                    frozen.add(!base.flags.get(id));
                }
                match layer.kind.role() {
                    Role::BatchNorm => statistics.add(effective.updates_statistics),
                    Role::Noise | Role::Augmentation => draws.add(random && effective.active),
                    Role::Weights | Role::Plain => {}
                }
            }
            Picture {
                block,
                weights,
                statistics,
                draws,
                frozen,
            }
        };
        let counted = counted_layers(graph);
        // For each counted layer with weights: whether it is frozen.
        let flags: Vec<Option<bool>> = counted
            .iter()
            .map(|&id| frozen(base, graph.subtree(id)))
            .collect();
        let (boundary, is_exact) = boundary(&flags, from);
        Self {
            blocks: blocks(&base.model).into_iter().map(picture).collect(),
            len: counted.len(),
            boundary,
            is_exact,
        }
    }

    /// Where the boundary goes from here by one block.
    pub fn next_block(&self, forward: bool) -> usize {
        let starts = self.movable().map(|range| range.start).chain([self.len]);
        if forward {
            let mut later = starts.filter(|&start| start > self.boundary);
            later.next().unwrap_or(self.len)
        } else {
            starts
                .filter(|&start| start < self.boundary)
                .last()
                .unwrap_or(0)
        }
    }

    /// The counted layers of the blocks that have some.
    pub fn movable(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.blocks.iter().filter_map(|p| p.block.counted.clone())
    }
}

impl Picture {
    /// Whether a click on the padlock freezes the block: if any of its layers is not frozen.
    pub fn would_freeze(&self) -> bool {
        self.frozen.on < self.frozen.all
    }
}

/// Whether all layers with weights are frozen; `None` if there are none.
fn frozen(base: &Base, layers: impl Iterator<Item = LayerId>) -> Option<bool> {
    let graph = &base.model.graph;
    let weighted = layers.filter(|&id| graph.layers[id].weights.iter().any(|w| w.learnable));
    let mut flags = weighted.map(|id| base.flags.get(id)).peekable();
    flags.peek()?;
    Some(flags.all(|flag| !flag))
}

/// The boundary between frozen and other layers, and whether it says all; `from` wins where layers
/// without weights leave a choice.
fn boundary(frozen: &[Option<bool>], from: usize) -> (usize, bool) {
    let fits = |at: usize| {
        let before = frozen[..at].iter().flatten();
        let after = frozen[at..].iter().flatten();
        before.copied().all(|frozen| frozen) && after.copied().all(|frozen| !frozen)
    };
    let first = frozen
        .iter()
        .position(|&frozen| frozen == Some(false))
        .unwrap_or(frozen.len());
    if from <= frozen.len() && first < frozen.len() && fits(from) {
        return (from, true);
    }
    let first = if frozen[..first].iter().flatten().next().is_none() {
        0
    } else {
        first
    };
    (first, fits(first))
}

/// Where on a row of blocks a layer begins, and the other way round.
#[derive(Clone, Debug)]
pub struct Track {
    /// Left and right end of each movable block, with its layers.
    places: Vec<([f32; 2], Range<usize>)>,
}

impl Track {
    pub fn new(places: Vec<([f32; 2], Range<usize>)>) -> Self {
        Self { places }
    }

    /// The left end of a layer; of the number of layers, the right end of the last one.
    pub fn x_of(&self, layer: usize) -> f32 {
        for ([left, right], range) in &self.places {
            if range.contains(&layer) {
                let share = (layer - range.start) as f32 / range.len() as f32;
                return left + share * (right - left);
            }
        }
        self.places.last().map_or(0.0, |([_, right], _)| *right)
    }

    /// The boundary for a pointer: the nearest beginning of a layer, or of a block within `snap`.
    pub fn layer_at(&self, x: f32, snap: f32) -> usize {
        let last = self.places.last().map_or(0, |(_, range)| range.end);
        let starts = self.places.iter().map(|(_, range)| range.start);
        let near = |layer: &usize| (self.x_of(*layer) - x).abs();
        let nearest = |layers: &mut dyn Iterator<Item = usize>| {
            layers.min_by(|a, b| near(a).total_cmp(&near(b)))
        };
        let block = nearest(&mut starts.chain([last])).unwrap_or(0);
        if near(&block) <= snap {
            return block;
        }
        let first = self.places.first().map_or(0, |(_, range)| range.start);
        nearest(&mut (first..=last)).unwrap_or(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundary_is_before_the_first_layer_that_learns() {
        let [plain, frozen, learns] = [None, Some(true), Some(false)];
        assert_eq!(boundary(&[plain, frozen, learns, learns], 9), (2, true));
        assert_eq!(boundary(&[plain, frozen, plain, learns], 2), (2, true));
        assert_eq!(boundary(&[plain, frozen, plain, learns], 9), (3, true));
        assert_eq!(boundary(&[plain, frozen, frozen, plain], 2), (4, true));
        assert_eq!(boundary(&[plain, learns, learns], 7), (0, true));
        assert_eq!(boundary(&[frozen, learns, frozen, learns], 1), (1, false));
        assert_eq!(boundary(&[], 0), (0, true));
    }

    #[test]
    fn a_pointer_snaps_to_blocks_and_else_to_layers() {
        let track = Track::new(vec![
            ([100.0, 140.0], 0..4),
            ([140.0, 180.0], 4..14),
            ([180.0, 220.0], 14..16),
        ]);
        for layer in 0..=16 {
            assert_eq!(track.layer_at(track.x_of(layer), 0.5), layer);
        }
        assert_eq!(track.x_of(9), 160.0);
        assert_eq!(track.layer_at(137.0, 5.0), 4);
        assert_eq!(track.layer_at(149.0, 5.0), 6);
        assert_eq!(track.layer_at(-50.0, 5.0), 0);
        assert_eq!(track.layer_at(900.0, 5.0), 16);
    }
}
