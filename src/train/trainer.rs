//! The training loop: one call of [`Trainer::advance`] is one optimizer step, so that a run can
//! pause anywhere.

use std::collections::HashMap;
use std::sync::Arc;

use candle_core::Tensor;

use super::loss::cross_entropy;
use super::movement::{Movement, movement};
use super::network::{Network, TrainError};
use super::optimizer::{Kind, Optimizer};
use super::{Gradients, gradients};
use crate::model::layers::Overrides;
use crate::model::pass::{Pass, PassOptions, Stretch, run_stretch};
use crate::model::{Flags, Mode, Outer, PassError, Semantics};
use crate::random::Draws;

/// What the order of photos is addressed by.
const SHUFFLE: u64 = u64::from_le_bytes(*b"shuffle\0");
/// Features are kept up to this many bytes.
const MAX_FEATURES: usize = 1 << 30;
/// Photos of one pass that computes features.
const FEATURES_BATCH: usize = 16;
/// Counts passes that measure apart from those that train, so that their masks differ.
const MEASURING: u64 = 1 << 32;

/// Asks whether the run still goes on.
pub type Proceed<'a> = &'a (dyn Fn() -> bool + Sync);

/// Where the photos of a run come from.
pub trait Photos {
    /// The photos as the model's first layer takes them, `[N, H, W, C]`; with the augmentation that
    /// `draw` addresses, or without any.
    ///
    /// # Errors
    /// Photos that cannot be read, or do not fit.
    fn batch(
        &mut self,
        photos: &[usize],
        draw: Option<u64>,
        proceed: Proceed<'_>,
    ) -> Result<Tensor, TrainError>;

    /// Whether photos differ from epoch to epoch.
    fn augments(&self) -> bool;
}

/// Epochs under one set of flags, after one `compile()`: the optimizer begins anew.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    pub epochs: usize,
    pub rate: f64,
    pub flags: Flags,
    /// The value of `training` that the base is called with, where the flags cannot record it: in a
    /// flat model and in PyTorch. See [`Network::base_outer`].
    pub base_call: Option<bool>,
}

/// All that a run follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub optimizer: Kind,
    pub batch: usize,
    pub seed: u64,
    pub semantics: Semantics,
    /// What the loop passes to the model: `fit` passes True.
    pub outer: Outer,
    pub stages: Vec<Stage>,
    /// Photos to train with.
    pub training: Vec<usize>,
    /// Photos to validate with.
    pub validation: Vec<usize>,
    /// Of each photo of the set.
    pub targets: Vec<u32>,
}

impl Plan {
    /// Steps of one epoch: the last batch may be smaller.
    pub fn steps_per_epoch(&self) -> usize {
        self.training.len().div_ceil(self.batch.max(1))
    }

    pub fn epochs(&self) -> usize {
        self.stages.iter().map(|s| s.epochs).sum()
    }

    pub fn steps(&self) -> usize {
        self.epochs() * self.steps_per_epoch()
    }
}

/// Mean loss and accuracy over some photos.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    pub loss: f64,
    pub accuracy: f64,
}

/// What one step did.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// From 0.
    pub stage: usize,
    /// From 1, over all stages.
    pub epoch: usize,
    /// From 1, over all epochs.
    pub step: usize,
    pub photos: usize,
    pub rate: f64,
    /// Of the batch, before the step.
    pub batch: Score,
    /// After the last step of an epoch.
    pub end: Option<EpochEnd>,
}

/// What is measured after an epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochEnd {
    /// On the validation photos, in the order of [`Mode::BOTH`]: with the base and head as in
    /// training, and in inference. `None` without validation photos.
    pub validation: Option<[Score; 2]>,
    pub movement: Vec<Movement>,
}

/// A run under way.
pub struct Trainer {
    network: Arc<Network>,
    plan: Plan,
    /// What differs from the network's own weights and statistics.
    weights: Overrides,
    optimizer: Optimizer,
    done: usize,
    stage: usize,
    /// The order of photos in this epoch.
    order: Vec<usize>,
    /// By photo, where the base gives the same in every step.
    features: Option<HashMap<usize, Tensor>>,
}

impl Trainer {
    /// # Errors
    /// No photos to train with, and flags under which nothing learns.
    pub fn new(network: Arc<Network>, plan: Plan) -> Result<Self, TrainError> {
        if plan.training.is_empty() {
            return Err(TrainError::NothingToTrainWith);
        }
        let learns = |stage: &Stage| network.learns(&stage.flags, plan.semantics);
        if !plan.stages.iter().any(learns) {
            return Err(TrainError::NothingLearns);
        }
        Ok(Self {
            optimizer: Optimizer::new(plan.optimizer),
            network,
            plan,
            weights: Overrides::new(),
            done: 0,
            stage: usize::MAX,
            order: Vec::new(),
            features: None,
        })
    }

    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Weights and moving statistics as they are now, where they may differ from the network's.
    pub fn weights(&self) -> &Overrides {
        &self.weights
    }

    /// Whether the base's features were computed once for this stage. That is right only where no
    /// layer of the base learns, draws, or normalises with the batch, and photos are not augmented:
    /// then every step would compute the same numbers again.
    pub fn features_kept(&self) -> bool {
        self.features.is_some()
    }

    pub fn is_done(&self) -> bool {
        self.done >= self.plan.steps()
    }

    /// One step; `None` once the run is done. A step that fails leaves the weights as they were.
    ///
    /// # Errors
    /// See [`TrainError`].
    pub fn advance(
        &mut self,
        photos: &mut dyn Photos,
        proceed: Proceed<'_>,
    ) -> Result<Option<Step>, TrainError> {
        if self.is_done() {
            return Ok(None);
        }
        let per_epoch = self.plan.steps_per_epoch();
        let (epoch, place) = (self.done / per_epoch, self.done % per_epoch);
        self.enter_stage(epoch, photos, proceed)?;
        if place == 0 || self.order.is_empty() {
            self.order = shuffled(&self.plan.training, self.plan.seed, epoch as u64);
        }
        let stage = self.plan.stages[self.stage].clone();
        let begin = place * self.plan.batch;
        let end = (begin + self.plan.batch).min(self.order.len());
        let batch = self.order[begin..end].to_vec();
        let repeat = self.done as u64 + 1;
        let x = self.input(&batch, Some(repeat), photos, proceed)?;
        let classes = self.classes(&batch);
        let options = PassOptions {
            repeat,
            ..self.options(&stage.flags, self.plan.outer)
        };
        let cancel = |_, _| proceed();
        let found = gradients(
            &self.network.model,
            &options,
            |o| self.forward(&x, &stage, o, &cancel),
            |y| cross_entropy(y, &classes, false),
        )?;
        let step = self.done + 1;
        let failed = |layer: String| TrainError::NotANumber {
            step,
            epoch: epoch + 1,
            layer,
        };
        if !found.loss.is_finite() {
            let taps: Vec<usize> = (0..self.network.model.graph.layers.len()).collect();
            let options = PassOptions {
                taps: &taps,
                ..options
            };
            let pass = self.forward(&x, &stage, &options, &cancel)?;
            return Err(failed(self.first_broken(&pass)));
        }
        let correct = correct(&found.pass.output, &classes).map_err(TrainError::Tensor)?;
        let loss = f64::from(found.loss);
        let after = self.stepped(&stage, found)?;
        if let Some(layer) = self.broken_weight(&after) {
            return Err(failed(layer));
        }
        let before = std::mem::replace(&mut self.weights, after);
        let end = if place + 1 == per_epoch {
            match self.measured(&stage, repeat, photos, proceed) {
                Ok(end) => Some(end),
                Err(error) => {
                    self.weights = before;
                    return Err(error);
                }
            }
        } else {
            None
        };
        self.done += 1;
        Ok(Some(Step {
            stage: self.stage,
            epoch: epoch + 1,
            step: self.done,
            photos: batch.len(),
            rate: stage.rate,
            batch: Score {
                loss,
                accuracy: correct as f64 / batch.len() as f64,
            },
            end,
        }))
    }

    /// Begins the stage of this epoch, if it is another one.
    fn enter_stage(
        &mut self,
        epoch: usize,
        photos: &mut dyn Photos,
        proceed: Proceed<'_>,
    ) -> Result<(), TrainError> {
        let mut before = 0;
        let stage = self.plan.stages.iter().position(|stage| {
            before += stage.epochs;
            epoch < before
        });
        let stage = stage.unwrap_or_default();
        if stage == self.stage {
            return Ok(());
        }
        self.features = self.features_of(stage, photos, proceed)?;
        self.optimizer = Optimizer::new(self.plan.optimizer);
        self.stage = stage;
        Ok(())
    }

    /// The features of every photo, where the base gives the same in every step of the stage.
    fn features_of(
        &self,
        stage: usize,
        photos: &mut dyn Photos,
        proceed: Proceed<'_>,
    ) -> Result<Option<HashMap<usize, Tensor>>, TrainError> {
        let stage = &self.plan.stages[stage];
        let Some(cut) = self.network.cut.filter(|_| !photos.augments()) else {
            return Ok(None);
        };
        let outer = Network::base_outer(self.plan.semantics, stage.base_call, self.plan.outer);
        let model = &self.network.model;
        let semantics = self.plan.semantics;
        let before = model.graph.nodes.iter().take(cut + 1);
        let mut effective = before.map(|n| {
            let effective = stage.flags.effective(model, n.layer, outer, semantics);
            let learns = effective.learns && !model.graph.layers[n.layer].weights.is_empty();
            effective.active || effective.updates_statistics || learns
        });
        if effective.any(|changes| changes) {
            return Ok(None);
        }
        let all = [&self.plan.training[..], &self.plan.validation].concat();
        let mut features = HashMap::with_capacity(all.len());
        let options = self.options(&stage.flags, outer);
        let stretch = Stretch {
            after: None,
            until: Some(cut),
        };
        for chunk in all.chunks(FEATURES_BATCH) {
            let x = photos.batch(chunk, None, proceed)?;
            let pass = run_stretch(model, &x, stretch, &options, &|_, _| proceed())?;
            let each = pass.output.elem_count() / chunk.len();
            if each * all.len() * size_of::<f32>() > MAX_FEATURES {
                return Ok(None);
            }
            for (i, &photo) in chunk.iter().enumerate() {
                let row = pass.output.narrow(0, i, 1).and_then(|t| t.copy());
                features.insert(photo, row.map_err(TrainError::Tensor)?);
            }
        }
        Ok(Some(features))
    }

    fn options<'a>(&'a self, flags: &'a Flags, outer: Outer) -> PassOptions<'a> {
        PassOptions {
            outer,
            semantics: self.plan.semantics,
            flags,
            random: true,
            seed: self.plan.seed,
            repeat: 0,
            taps: &[],
            weights: Some(&self.weights),
        }
    }

    /// Photos, or their features where these are kept.
    fn input(
        &self,
        batch: &[usize],
        draw: Option<u64>,
        photos: &mut dyn Photos,
        proceed: Proceed<'_>,
    ) -> Result<Tensor, TrainError> {
        let Some(features) = &self.features else {
            return photos.batch(batch, draw, proceed);
        };
        let rows: Vec<&Tensor> = batch.iter().filter_map(|p| features.get(p)).collect();
        Tensor::cat(&rows, 0).map_err(TrainError::Tensor)
    }

    /// The pass from photos or features, with the base under its own outer call.
    fn forward(
        &self,
        x: &Tensor,
        stage: &Stage,
        options: &PassOptions<'_>,
        proceed: &dyn Fn(usize, usize) -> bool,
    ) -> Result<Pass, PassError> {
        let model = &self.network.model;
        let head = Stretch {
            after: self.network.cut,
            until: None,
        };
        if self.features.is_some() {
            return run_stretch(model, x, head, options, proceed);
        }
        let outer = Network::base_outer(self.plan.semantics, stage.base_call, options.outer);
        if outer == options.outer || self.network.cut.is_none() {
            return run_stretch(model, x, Stretch::default(), options, proceed);
        }
        let base = Stretch {
            after: None,
            until: self.network.cut,
        };
        let in_base = PassOptions {
            outer,
            ..options.clone()
        };
        let mut base = run_stretch(model, x, base, &in_base, proceed)?;
        let mut pass = run_stretch(model, &base.output, head, options, proceed)?;
        pass.taps.append(&mut base.taps);
        pass.batch_norm.append(&mut base.batch_norm);
        Ok(pass)
    }

    /// All weights after the step: what the optimizer makes of the gradients, and the moving
    /// statistics that the pass moved.
    fn stepped(&mut self, stage: &Stage, found: Gradients) -> Result<Overrides, TrainError> {
        let stepped = self
            .optimizer
            .step(stage.rate, &found.weights, &found.gradients);
        let mut after = self.weights.clone();
        after.extend(stepped.map_err(TrainError::Tensor)?);
        for (id, done) in found.pass.batch_norm {
            if done.effective.updates_statistics {
                let vector = |values: Vec<f32>| {
                    let n = values.len();
                    Tensor::from_vec(values, n, &candle_core::Device::Cpu)
                };
                let [mean, variance] = [done.next.mean, done.next.variance].map(vector);
                after.insert((id, "moving_mean"), mean.map_err(TrainError::Tensor)?);
                after.insert(
                    (id, "moving_variance"),
                    variance.map_err(TrainError::Tensor)?,
                );
            }
        }
        Ok(after)
    }

    fn measured(
        &self,
        stage: &Stage,
        repeat: u64,
        photos: &mut dyn Photos,
        proceed: Proceed<'_>,
    ) -> Result<EpochEnd, TrainError> {
        let validation = if self.plan.validation.is_empty() {
            None
        } else {
            let [training, inference] = Mode::BOTH;
            Some([
                self.score(stage, training, repeat, photos, proceed)?,
                self.score(stage, inference, repeat, photos, proceed)?,
            ])
        };
        let moved = movement(&self.network.model, &self.weights).map_err(TrainError::Tensor)?;
        Ok(EpochEnd {
            validation,
            movement: moved,
        })
    }

    /// The validation photos in batches; nothing moves.
    fn score(
        &self,
        stage: &Stage,
        mode: Mode,
        repeat: u64,
        photos: &mut dyn Photos,
        proceed: Proceed<'_>,
    ) -> Result<Score, TrainError> {
        let (mut loss, mut right) = (0.0, 0);
        for (i, batch) in self.plan.validation.chunks(self.plan.batch).enumerate() {
            let x = self.input(batch, None, photos, proceed)?;
            let options = PassOptions {
                repeat: MEASURING + (repeat << 16) + i as u64,
                ..self.options(&stage.flags, mode.into())
            };
            let pass = self.forward(&x, stage, &options, &|_, _| proceed())?;
            let classes = self.classes(batch);
            let value = cross_entropy(&pass.output, &classes, false)
                .and_then(|l| l.to_scalar::<f32>())
                .map_err(TrainError::Tensor)?;
            loss += f64::from(value) * batch.len() as f64;
            right += correct(&pass.output, &classes).map_err(TrainError::Tensor)?;
        }
        let n = self.plan.validation.len() as f64;
        Ok(Score {
            loss: loss / n,
            accuracy: right as f64 / n,
        })
    }

    fn classes(&self, photos: &[usize]) -> Vec<u32> {
        photos.iter().map(|&p| self.plan.targets[p]).collect()
    }

    /// The first layer in the order of calls whose output is not finite.
    fn first_broken(&self, pass: &Pass) -> String {
        let graph = &self.network.model.graph;
        let mut layers = graph.nodes.iter().map(|n| n.layer);
        let broken = |id: &usize| pass.taps.get(id).is_some_and(|tap| !is_finite(&tap.output));
        let found = layers.find(broken);
        found.map_or_else(|| "output".to_owned(), |id| graph.unique_name(id))
    }

    /// The first layer with a weight that is not finite.
    fn broken_weight(&self, weights: &Overrides) -> Option<String> {
        let ((id, _), _) = weights.iter().find(|(_, w)| !is_finite(w))?;
        Some(self.network.model.graph.unique_name(*id))
    }
}

fn is_finite(tensor: &Tensor) -> bool {
    let values = tensor.flatten_all().and_then(|t| t.to_vec1::<f32>());
    values.is_ok_and(|v| v.iter().all(|x| x.is_finite()))
}

/// The photos in the order of one epoch (Fisher and Yates).
fn shuffled(photos: &[usize], seed: u64, epoch: u64) -> Vec<usize> {
    let mut order = photos.to_vec();
    let mut draws = Draws::new(seed, &[SHUFFLE, epoch]);
    for i in (1..order.len()).rev() {
        order.swap(i, draws.below(i + 1));
    }
    order
}

/// How many rows of logits answer right: the largest one, or the sign of a single one.
fn correct(logits: &Tensor, classes: &[u32]) -> candle_core::Result<usize> {
    let rows = logits.to_vec2::<f32>()?;
    let answer = |row: &Vec<f32>| match row.as_slice() {
        [one] => u32::from(*one > 0.0),
        row => {
            let best = row
                .iter()
                .enumerate()
                .reduce(|a, b| if b.1 > a.1 { b } else { a });
            best.map_or(0, |(i, _)| i as u32)
        }
    };
    let pairs = rows.iter().map(answer).zip(classes);
    Ok(pairs.filter(|(answer, class)| answer == *class).count())
}
