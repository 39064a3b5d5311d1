//! Why the batch mean of a channel changed with the last setting: an earlier layer does something else.

use std::collections::{BTreeSet, VecDeque};

use super::Shown;
use super::words::{self, EarlierChange};
use crate::model::graph::Input;
use crate::model::{CallModes, Graph, LayerId, Mode, Role};
use crate::state::State;
use crate::words::number::measured;
use modelens_jobs::{BatchNormOutcome, Look, LookResult, Outcome, PassLook};

/// The sentence about the change; empty if nothing changed, or not because of an earlier layer.
pub fn sentence(shown: &Shown<'_>, state: &State) -> String {
    let earlier = state.computed.earlier_batch_norm.as_deref();
    let found = earlier.and_then(|earlier| found(shown, earlier));
    found.map_or_else(String::new, |(values, nearest, all)| {
        words::changed_before(&values, &nearest, all)
    })
}

/// The mean before and now, the nearest layer that changed, and how many layers like it did.
fn found(shown: &Shown<'_>, earlier: &LookResult) -> Option<([String; 2], EarlierChange, usize)> {
    let (Look::BatchNorm { pass, layer }, Outcome::BatchNorm(outcome)) =
        (&earlier.look, &earlier.outcome)
    else {
        return None;
    };
    if *layer != shown.layer || !same_photos(pass, shown.pass) {
        return None;
    }
    let means = [outcome.as_ref(), shown.outcome].map(|outcome| {
        let mean = outcome.training.batch.mean.get(shown.channel);
        measured(mean.map_or(0.0, |&x| f64::from(x)))
    });
    if means[0] == means[1] {
        return None;
    }
    let graph = &shown.base.model.graph;
    let differs = Differs::new(graph, [(pass, outcome), (shown.pass, shown.outcome)]);
    let changes: Vec<EarlierChange> = upstream(graph, shown.layer)
        .into_iter()
        .filter_map(|layer| differs.at(graph, layer))
        .collect();
    let nearest = changes.first()?.clone();
    let same =
        |change: &&EarlierChange| (change.role, change.active) == (nearest.role, nearest.active);
    let all = changes.iter().filter(same).count();
    Some((means, nearest, all))
}

/// True if both passes see the same pixels and draw the same numbers: only flags, calls and rules differ.
fn same_photos(a: &PassLook, b: &PassLook) -> bool {
    let b = PassLook {
        flags: a.flags.clone(),
        call: a.call,
        semantics: a.semantics,
        ..b.clone()
    };
    *a == b
}

/// What each layer did before, and does now.
struct Differs<'a> {
    modes: [CallModes; 2],
    looks: [(&'a PassLook, &'a BatchNormOutcome); 2],
}

impl<'a> Differs<'a> {
    fn new(graph: &Graph, looks: [(&'a PassLook, &'a BatchNormOutcome); 2]) -> Self {
        let modes = looks.map(|(pass, _)| {
            CallModes::of(
                graph,
                &pass.flags,
                pass.outer(Mode::Training),
                pass.semantics,
            )
        });
        Self { modes, looks }
    }

    /// The change at a layer, if there is one.
    fn at(&self, graph: &Graph, layer: LayerId) -> Option<EarlierChange> {
        let role = graph.layers[layer].kind.role();
        let active = |which: usize| {
            let (pass, outcome) = self.looks[which];
            match role {
                Role::BatchNorm => {
                    let measured = outcome.layers.iter().find(|l| l.layer == layer);
                    measured.is_some_and(|l| l.uses_batch)
                }
                Role::Noise | Role::Augmentation => {
                    let modes = &self.modes[which];
                    pass.random && modes.effective(graph, &pass.flags, layer).active
                }
                Role::Weights | Role::Plain => false,
            }
        };
        let [was, is] = [0, 1].map(active);
        (was != is).then(|| EarlierChange {
            name: graph.unique_name(layer),
            role,
            active: is,
        })
    }
}

/// The layers that a layer's input depends on, the nearest first.
fn upstream(graph: &Graph, layer: LayerId) -> Vec<LayerId> {
    let calls = graph.nodes.iter().enumerate();
    let calls = calls.filter(|(_, node)| node.layer == layer);
    let mut queue: VecDeque<usize> = calls.map(|(id, _)| id).collect();
    let mut seen: BTreeSet<usize> = queue.iter().copied().collect();
    let mut layers = Vec::new();
    while let Some(id) = queue.pop_front() {
        for input in &graph.nodes[id].inputs {
            if let Input::Node(from) = *input
                && seen.insert(from)
            {
                queue.push_back(from);
                layers.push(graph.nodes[from].layer);
            }
        }
    }
    layers.retain(|&found| found != layer);
    layers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::graph::{LayerKind, Node};
    use crate::model::{Layer, layers::Merge};

    #[test]
    fn the_nearest_layers_come_first() {
        let layer = |name: &str, kind| Layer::new(name, "", kind);
        let names = ["input", "a", "b", "add", "last"];
        let graph = Graph {
            layers: names
                .map(|name| match name {
                    "input" => layer(name, LayerKind::Input),
                    "add" => layer(name, LayerKind::Merge(Merge::Add)),
                    _ => layer(name, LayerKind::Identity),
                })
                .into(),
            nodes: vec![
                Node::new(0, vec![]),
                Node::new(1, vec![Input::Node(0)]),
                Node::new(2, vec![Input::Node(1)]),
                Node::new(3, vec![Input::Node(2), Input::Node(0)]),
                Node::new(4, vec![Input::Node(3)]),
            ],
            output: 4,
            ..Graph::default()
        };
        assert_eq!(upstream(&graph, 4), [3, 2, 0, 1]);
        assert_eq!(upstream(&graph, 1), [0]);
    }
}
