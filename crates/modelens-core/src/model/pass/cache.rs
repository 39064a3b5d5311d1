//! Passes on one input that begin alike: what they have in common is computed once.

use std::collections::BTreeMap;

use candle_core::Tensor;

use super::one_row::can_part_at;
use super::plan::{CallEffect, effective};
use super::{Learning, Pass, PassOptions, Segment, run_segment};
use crate::model::graph::{Layer, NodeId};
use crate::model::{Model, PassError};
use crate::rules::Effective;

/// Passes through one model on one input, with one seed. Two calls that have the same effect on the same
/// input give the same value, so a pass goes on where it parts from the ones before it: at the first
/// BatchNorm with other statistics, or at the first layer that draws.
pub struct PassCache<'a> {
    pub model: &'a Model,
    pub x: &'a Tensor,
    starts: Vec<Start>,
}

/// The first part of a pass.
struct Start {
    until: NodeId,
    /// Of the nodes up to `until`.
    effects: Vec<CallEffect>,
    /// Its output is the value of `until`.
    pass: Pass,
}

impl<'a> PassCache<'a> {
    /// Nothing is computed yet.
    pub fn new(model: &'a Model, x: &'a Tensor) -> Self {
        Self {
            model,
            x,
            starts: Vec::new(),
        }
    }

    /// Like [`run`](super::run), for passes without taps and with the model's own weights; others are not
    /// kept.
    ///
    /// # Errors
    /// Those of [`run`](super::run).
    pub fn run(
        &mut self,
        options: &PassOptions<'_>,
        proceed: &dyn Fn(usize, usize) -> bool,
    ) -> Result<Pass, PassError> {
        let start = self.start(options, &Learning::new(), proceed)?;
        let (after, x) = match &start {
            Some((after, pass)) if *after == self.model.graph.output => return Ok(pass.clone()),
            Some((after, pass)) => (Some(*after), &pass.output),
            None => (None, self.x),
        };
        let segment = Segment {
            after,
            ..Segment::default()
        };
        let rest = run_segment(self.model, x, segment, options, proceed)?;
        Ok(match start {
            Some((_, start)) => rest.following(&start),
            None => rest,
        })
    }

    /// The longest part of a pass before anything draws and before any weight in `learning`: the last of
    /// its nodes, and the pass up to there. `None` if there is none.
    ///
    /// # Errors
    /// Those of [`run`](super::run).
    pub fn start(
        &mut self,
        options: &PassOptions<'_>,
        learning: &Learning,
        proceed: &dyn Fn(usize, usize) -> bool,
    ) -> Result<Option<(NodeId, Pass)>, PassError> {
        let graph = &self.model.graph;
        if !can_be_shared(options) {
            return Ok(None);
        }
        if !proceed(0, graph.nodes.len()) {
            return Err(PassError::Cancelled);
        }
        let effective = effective(graph, options, Segment::default());
        let effects = self.effects(options, &effective);
        let Some(until) = self.end_of_start(&effects, learning) else {
            return Ok(None);
        };
        let of_this_call = |mut pass: Pass| {
            for (node, &effective) in graph.nodes.iter().zip(&effective).take(until + 1) {
                if let Some(done) = pass.batch_norm.get_mut(&node.layer) {
                    done.effective = effective;
                }
            }
            Ok(Some((until, pass)))
        };
        let fits =
            |start: &&Start| start.until <= until && start.effects[..] == effects[..=start.until];
        let known = self.starts.iter().filter(fits).max_by_key(|s| s.until);
        if let Some(known) = known
            && known.until == until
        {
            return of_this_call(known.pass.clone());
        }
        let segment = Segment {
            after: known.map(|known| known.until),
            until: Some(until),
            own_call: None,
        };
        let x = known.map_or(self.x, |known| &known.pass.output);
        let mut pass = run_segment(self.model, x, segment, options, proceed)?;
        if let Some(known) = known {
            pass = pass.following(&known.pass);
        }
        self.starts.push(Start {
            until,
            effects: effects[..=until].to_vec(),
            pass: pass.clone(),
        });
        of_this_call(pass)
    }

    /// The last node of the part that a pass with these options, which runs elsewhere, shares with later ones, if
    /// that part is not known yet. [`Self::keep`] then needs the output of its layer.
    pub fn unknown_start(&self, options: &PassOptions<'_>) -> Option<NodeId> {
        let graph = &self.model.graph;
        let is_penalised = |layer: &Layer| layer.activity_regularizer.is_some();
        if !can_be_shared(options) || graph.layers.iter().any(is_penalised) {
            return None;
        }
        let effects = self.effects(options, &effective(graph, options, Segment::default()));
        let until = self.end_of_start(&effects, &Learning::new())?;
        let is_known =
            |start: &Start| start.until == until && start.effects[..] == effects[..=until];
        let layer = graph.nodes[until].layer;
        let is_called_once = graph
            .nodes
            .iter()
            .filter(|node| node.layer == layer)
            .count()
            == 1;
        (is_called_once && !self.starts.iter().any(is_known)).then_some(until)
    }

    /// Keeps the first part of a pass that ran elsewhere, up to [`Self::unknown_start`], for passes that begin like
    /// it. Its layer is tapped, unless it is the last.
    pub fn keep(&mut self, until: NodeId, options: &PassOptions<'_>, pass: &Pass) {
        let graph = &self.model.graph;
        let output = if until == graph.output {
            Some(&pass.output)
        } else {
            let tap = pass.taps.get(&graph.nodes[until].layer);
            tap.map(|tap| &tap.output)
        };
        let Some(output) = output.cloned() else {
            return;
        };
        let mut effects = self.effects(options, &effective(graph, options, Segment::default()));
        effects.truncate(until + 1);
        self.starts.push(Start {
            until,
            effects,
            pass: Pass {
                output,
                taps: BTreeMap::new(),
                batch_norm: pass.batch_norm.clone(),
                activity_loss: 0.0,
            },
        });
    }

    /// The effect of every call.
    fn effects(&self, options: &PassOptions<'_>, effective: &[Effective]) -> Vec<CallEffect> {
        let graph = &self.model.graph;
        let calls = graph.nodes.iter().zip(effective);
        let effects = calls.map(|(node, &effective)| {
            let role = graph.layers[node.layer].kind.role();
            CallEffect::new(role, effective, options)
        });
        effects.collect()
    }

    /// The last node before anything draws and before any weight in `learning` at which passes can part.
    fn end_of_start(&self, effects: &[CallEffect], learning: &Learning) -> Option<NodeId> {
        let graph = &self.model.graph;
        let calls = graph.nodes.iter().zip(effects).take(graph.output + 1);
        let is_fixed = |layer| learning.iter().all(|(learns, _)| *learns != layer);
        let alike = calls.take_while(|(node, effect)| !effect.draws && is_fixed(node.layer));
        (0..alike.count()).rev().find(|&id| can_part_at(graph, id))
    }
}

/// True for passes with the model's own weights and without taps.
fn can_be_shared(options: &PassOptions<'_>) -> bool {
    options.taps.is_empty() && options.moments.is_empty() && options.weights.is_none()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use candle_core::Device;

    use super::*;
    use crate::fixtures;
    use crate::model::pass::run;
    use crate::model::{Flags, Mode};
    use crate::random::Draws;

    /// In both modes, with and without draws, each twice.
    #[test]
    fn a_pass_from_the_cache_is_the_pass_itself() {
        for model in [fixtures::lab_mobilenetv2(), fixtures::nested()] {
            let shape = model.graph.input_hwc.map(|side| side.unwrap_or(24));
            let mut draws = Draws::new(5, &[]);
            let x = (0..2 * shape.iter().product::<usize>()).map(|_| draws.normal() as f32);
            let x: Vec<f32> = x.collect();
            let [h, w, c] = shape;
            let x = Tensor::from_vec(x, (2, h, w, c), &Device::Cpu).unwrap();
            let mut flags = Flags::of_file(&model.graph);
            let mut cache = PassCache::new(&model, &x);
            let calls = Cell::new(0);
            let count = |_, _| {
                calls.set(calls.get() + 1);
                true
            };
            for (mode, random, repeat, trainable) in [
                (Mode::Inference, true, 0, true),
                (Mode::Training, true, 0, true),
                (Mode::Training, true, 1, true),
                (Mode::Training, false, 0, false),
                (Mode::Inference, false, 1, false),
            ] {
                flags.set_base(&model.graph, trainable);
                let options = PassOptions {
                    random,
                    repeat,
                    ..PassOptions::of(&model, &flags, mode)
                };
                let plain = run(&model, &x, &options, &|_, _| true).unwrap();
                let cached = cache.run(&options, &count).unwrap();
                let difference = (&plain.output - &cached.output).unwrap().abs().unwrap();
                let difference = difference.flatten_all().unwrap().max(0).unwrap();
                let difference = difference.to_scalar::<f32>().unwrap();
                assert!(difference <= 1e-5, "{options:?}: {difference}");
                assert_eq!(plain.batch_norm.len(), cached.batch_norm.len());
                for (id, done) in &plain.batch_norm {
                    assert_eq!(done.effective, cached.batch_norm[id].effective);
                }
                let before = calls.get();
                let again = cache.run(&options, &count).unwrap();
                let values = |pass: &Pass| pass.output.flatten_all()?.to_vec1::<f32>();
                assert_eq!(values(&again).unwrap(), values(&cached).unwrap());
                let nodes = model.graph.nodes.len();
                let ran = calls.get() - before;
                assert!(random || ran < nodes / 10, "it ran again");
            }
        }
    }
}
