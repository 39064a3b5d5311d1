//! One batch by the rules of every release and in every outer call.

use candle_core::Tensor;

use super::{Batch, Context, LookError, batch_for};
use crate::photos::PhotoCache;
use crate::{Outcome, PassLook, ReleaseCell, ReleasesOutcome, Stage};
use modelens_core::model::layers::Weights;
use modelens_core::model::layers::batch_norm::StoredWeights;
use modelens_core::model::pass::{Pass, PassOptions, run};
use modelens_core::model::releases::{ActiveLayers, CALLS};
use modelens_core::model::{CallModes, Effective, LayerId, Mode, Model, Outer, Role, Semantics};

pub fn compute(
    look: &PassLook,
    context: &Context<'_>,
    cache: &mut PhotoCache,
) -> Result<(Vec<usize>, Outcome), LookError> {
    let model = context.model(look)?;
    let Batch { photos, x, .. } = batch_for(look, context, cache)?;
    let measuring = Measuring {
        look,
        model,
        x: &x,
        random: of_role(model, &[Role::Noise, Role::Augmentation]),
        context,
    };
    let writer = model.semantics;
    let all = Semantics::ALL.into_iter();
    let places: Vec<(Semantics, Outer)> = all
        .flat_map(|rules| CALLS.map(|outer| (rules, outer)))
        .collect();
    let plain = measuring.pass(writer, Mode::Inference.into(), [0, places.len() + 1])?;
    let plain = values(&plain.output)?;
    let mut done: Vec<(Vec<Effective>, ReleaseCell)> = Vec::new();
    for (i, &(rules, outer)) in places.iter().enumerate() {
        let modes = measuring.modes(rules, outer);
        // The releases of Keras 3 compute the same where their layers do the same.
        let same = done
            .iter()
            .find(|(known, cell)| cell.rules.is_keras3() && rules.is_keras3() && *known == modes);
        let cell = if let Some((_, cell)) = same {
            ReleaseCell {
                rules,
                outer,
                ..*cell
            }
        } else {
            let pass = measuring.pass(rules, outer, [i + 1, places.len() + 1])?;
            measuring.cell(rules, outer, &pass, &plain)?
        };
        done.push((modes, cell));
    }
    let outcome = ReleasesOutcome {
        photos: photos.len(),
        writer,
        cells: done.into_iter().map(|(_, cell)| cell).collect(),
    };
    Ok((photos, Outcome::Releases(Box::new(outcome))))
}

fn of_role(model: &Model, roles: &[Role]) -> Vec<LayerId> {
    let layers = model.graph.layers.iter().enumerate();
    layers
        .filter(|(_, layer)| roles.contains(&layer.kind.role()))
        .map(|(id, _)| id)
        .collect()
}

/// What the passes share.
struct Measuring<'a> {
    look: &'a PassLook,
    model: &'a Model,
    x: &'a Tensor,
    /// The layers that draw.
    random: Vec<LayerId>,
    context: &'a Context<'a>,
}

impl Measuring<'_> {
    /// What every call of a layer does by the rules.
    fn modes(&self, rules: Semantics, outer: Outer) -> Vec<Effective> {
        let (graph, flags) = (&self.model.graph, &self.look.flags.in_call(outer));
        let modes = CallModes::of(graph, flags, outer, rules);
        let nodes = 0..graph.nodes.len();
        nodes
            .map(|id| modes.effective_at(graph, flags, id))
            .collect()
    }

    fn pass(
        &self,
        rules: Semantics,
        outer: Outer,
        [done, of]: [usize; 2],
    ) -> Result<Pass, LookError> {
        let flags = self.look.flags.in_call(outer);
        let options = PassOptions {
            outer,
            semantics: rules,
            flags: &flags,
            random: true,
            seed: self.look.seed,
            repeat: self.look.redraws,
            taps: &self.random,
            moments: &[],
            weights: None,
        };
        (self.context.progress)(Stage::Forward, done, of);
        Ok(run(self.model, self.x, &options, &|_, _| {
            (self.context.proceed)()
        })?)
    }

    fn cell(
        &self,
        rules: Semantics,
        outer: Outer,
        pass: &Pass,
        plain: &[f32],
    ) -> Result<ReleaseCell, LookError> {
        let mut cell = ReleaseCell {
            rules,
            outer,
            augmentation: ActiveLayers::default(),
            noise: ActiveLayers::default(),
            dropped: 0.0,
            batch_norm: ActiveLayers::default(),
            statistics: ActiveLayers::default(),
            output_difference: largest_difference(&values(&pass.output)?, plain),
        };
        let (mut zeroed, mut all) = (0usize, 0usize);
        for (id, tap) in &pass.taps {
            let (before, after) = (values(&tap.input)?, values(&tap.output)?);
            let is_noise = self.model.graph.layers[*id].kind.role() == Role::Noise;
            let count = if is_noise {
                let lost = std::iter::zip(&before, &after);
                zeroed += lost.filter(|&(b, a)| *b != 0.0 && *a == 0.0).count();
                all += before.len();
                &mut cell.noise
            } else {
                &mut cell.augmentation
            };
            count.of += 1;
            count.active += usize::from(before != after);
        }
        if all > 0 {
            cell.dropped = zeroed as f64 / all as f64;
        }
        for (&id, done) in &pass.batch_norm {
            let stored = StoredWeights::of(Weights::of(self.model, id))?.moving;
            let moves = stored.mean != done.next.mean || stored.variance != done.next.variance;
            cell.batch_norm.of += 1;
            cell.batch_norm.active += usize::from(done.batch.is_some());
            cell.statistics.of += 1;
            cell.statistics.active += usize::from(moves);
        }
        Ok(cell)
    }
}

fn values(tensor: &Tensor) -> candle_core::Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}

/// The largest absolute difference; NaN if one of the values is.
fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    let pairs = std::iter::zip(a, b).map(|(a, b)| (a - b).abs());
    pairs.fold(0.0, |most: f32, x| {
        if most.is_nan() || x.is_nan() {
            f32::NAN
        } else {
            most.max(x)
        }
    })
}
