//! The training loop. One call of [`Trainer::advance`] is one optimizer step, so that a run can pause
//! anywhere.

mod measure;
mod plan;

use std::collections::HashMap;
use std::sync::Arc;

use candle_core::Tensor;

use super::loss::{cross_entropy, mixed_cross_entropy};
use super::network::{Network, TrainError};
use super::optimizer::Optimizer;
use super::penalties::constrain;
use super::{Gradients, gradients, learning};
use crate::model::layers::WeightMap;
use crate::model::pass::{Pass, PassOptions, Segment, check_recorded, run_segment};
use crate::model::{Flags, Outer};
use crate::random::Draws;

pub use plan::{EpochEnd, PhotoBatches, Proceed, Score, Stage, TrainingPlan, TrainingStep};

/// The stream of the draws that shuffle photos.
const SHUFFLE: u64 = u64::from_le_bytes(*b"shuffle\0");

/// A run in progress.
pub struct Trainer {
    network: Arc<Network>,
    plan: TrainingPlan,
    /// Weights and statistics that differ from the network's own.
    weights: WeightMap,
    optimizer: Optimizer,
    done: usize,
    stage: usize,
    /// The photos in the order of this epoch.
    order: Vec<usize>,
    /// The base's output for each photo, if it is the same in every step.
    features: Option<HashMap<usize, Tensor>>,
    /// Called while features are computed.
    on_features: Option<OnFeatures>,
}

/// Called with the number of photos whose features are computed, and with their total.
pub type OnFeatures = Box<dyn Fn(usize, usize) + Send>;

impl Trainer {
    /// Starts a run.
    ///
    /// # Errors
    /// No photos to train with, flags under which nothing learns, or a batch that needs more memory than
    /// is free.
    pub fn new(network: Arc<Network>, plan: TrainingPlan) -> Result<Self, TrainError> {
        if plan.training.is_empty() {
            return Err(TrainError::NothingToTrainWith);
        }
        let learns = |stage: &Stage| network.learns(&stage.flags, plan.semantics);
        if !plan.stages.iter().any(learns) {
            return Err(TrainError::NothingLearns);
        }
        let trainer = Self {
            optimizer: Optimizer::new(plan.optimizer, plan.semantics),
            network,
            plan,
            weights: WeightMap::new(),
            done: 0,
            stage: usize::MAX,
            order: Vec::new(),
            features: None,
            on_features: None,
        };
        trainer.check_memory()?;
        Ok(trainer)
    }

    /// Refuses a batch whose step needs more memory than is free, before any photo is read.
    fn check_memory(&self) -> Result<(), TrainError> {
        let model = &self.network.model;
        let [height, width, channels] = model.graph.input_hwc;
        let (Some(height), Some(width)) = (height, width) else {
            // The photos decide; each step checks again.
            return Ok(());
        };
        let images = self.plan.batch.min(self.plan.training.len());
        let shape = [images, height, width, channels.unwrap_or(3)];
        for stage in &self.plan.stages {
            let options = self.options(&stage.flags, self.plan.outer);
            let learning = learning(model, &options);
            let segment = self.segment(stage, options.outer);
            check_recorded(model, &shape, segment, &options, &learning)?;
        }
        Ok(())
    }

    /// Sets the function that is called while features are computed.
    pub fn tell_features(&mut self, on_features: OnFeatures) {
        self.on_features = Some(on_features);
    }

    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    pub fn plan(&self) -> &TrainingPlan {
        &self.plan
    }

    /// The present weights and moving statistics, as far as they may differ from the network's.
    pub fn weights(&self) -> &WeightMap {
        &self.weights
    }

    /// True if the base's output was computed only once for this stage. That is right if no layer of the
    /// base learns, draws, or uses batch statistics, and photos are not augmented, because then every
    /// step would compute the same numbers again.
    pub fn features_kept(&self) -> bool {
        self.features.is_some()
    }

    pub fn is_done(&self) -> bool {
        self.done >= self.plan.steps()
    }

    /// Does one step; `None` once the run is done. A step that fails does not change the weights.
    ///
    /// # Errors
    /// See [`TrainError`].
    pub fn advance(
        &mut self,
        photos: &mut dyn PhotoBatches,
        proceed: Proceed<'_>,
    ) -> Result<Option<TrainingStep>, TrainError> {
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
        let targets = photos.targets().cloned();
        let options = PassOptions {
            repeat,
            ..self.options(&stage.flags, self.plan.outer)
        };
        let cancel = |_, _| proceed();
        let found = gradients(
            &self.network.model,
            &x,
            self.segment(&stage, options.outer),
            &options,
            |y| match &targets {
                Some(targets) => mixed_cross_entropy(y, &classes, targets),
                None => cross_entropy(y, &classes, false),
            },
            &cancel,
        )?;
        let step = self.done + 1;
        if !found.loss.is_finite() {
            let taps: Vec<usize> = (0..self.network.model.graph.layers.len()).collect();
            let options = PassOptions {
                taps: &taps,
                ..options
            };
            let segment = self.segment(&stage, options.outer);
            let pass = run_segment(&self.network.model, &x, segment, &options, &cancel)?;
            return Err(TrainError::NotANumber {
                step,
                epoch: epoch + 1,
                layer: self.first_not_finite(&pass),
            });
        }
        let correct = correct(&found.pass.output, &classes).map_err(TrainError::Tensor)?;
        let loss = f64::from(found.loss);
        let optimizer = (place + 1 == per_epoch).then(|| self.optimizer.clone());
        let after = self.after_step(&stage, found)?;
        if let Some(layer) = self.weight_not_finite(&after) {
            return Err(TrainError::WeightNotANumber {
                step,
                epoch: epoch + 1,
                layer,
            });
        }
        let before = std::mem::replace(&mut self.weights, after);
        let end = if place + 1 == per_epoch {
            match self.measured(&stage, repeat, photos, proceed) {
                Ok(end) => Some(end),
                Err(error) => {
                    self.weights = before;
                    self.optimizer = optimizer.unwrap_or_else(|| self.optimizer.clone());
                    return Err(error);
                }
            }
        } else {
            None
        };
        self.done += 1;
        Ok(Some(TrainingStep {
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

    /// Begins the stage of this epoch if it is not the present one.
    fn enter_stage(
        &mut self,
        epoch: usize,
        photos: &mut dyn PhotoBatches,
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
        self.optimizer = Optimizer::new(self.plan.optimizer, self.plan.semantics);
        self.stage = stage;
        Ok(())
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
            moments: &[],
            weights: Some(&self.weights),
        }
    }

    /// A batch of photos, or their features if these are kept.
    fn input(
        &self,
        batch: &[usize],
        draw: Option<u64>,
        photos: &mut dyn PhotoBatches,
        proceed: Proceed<'_>,
    ) -> Result<Tensor, TrainError> {
        let Some(features) = &self.features else {
            return photos.batch(batch, draw, proceed);
        };
        let rows: Vec<&Tensor> = batch.iter().filter_map(|p| features.get(p)).collect();
        Tensor::cat(&rows, 0).map_err(TrainError::Tensor)
    }

    /// The part of the network after the photos or features, with the outer call that the base sees.
    fn segment(&self, stage: &Stage, outer: Outer) -> Segment {
        let cut = self.network.cut;
        let own = Network::base_outer(self.plan.semantics, stage.base_call, outer);
        let own_call = cut.filter(|_| own != outer).map(|cut| (cut, own));
        if self.features.is_some() {
            return Segment {
                after: cut,
                own_call,
                ..Segment::default()
            };
        }
        Segment {
            own_call,
            ..Segment::default()
        }
    }

    /// All weights after the step, changed by the optimizer, with the moving statistics that the pass
    /// changed.
    fn after_step(&mut self, stage: &Stage, found: Gradients) -> Result<WeightMap, TrainError> {
        let stepped = self
            .optimizer
            .step(stage.rate, &found.weights, &found.gradients);
        let mut stepped = stepped.map_err(TrainError::Tensor)?;
        constrain(&self.network.model, &mut stepped).map_err(TrainError::Tensor)?;
        let mut after = self.weights.clone();
        after.extend(stepped);
        for (id, done) in found.pass.batch_norm {
            if done.effective.updates_statistics {
                let moved = done.next.into_weights().map_err(TrainError::Tensor)?;
                after.extend(moved.map(|(name, tensor)| ((id, name), tensor)));
            }
        }
        Ok(after)
    }

    fn classes(&self, photos: &[usize]) -> Vec<u32> {
        photos.iter().map(|&p| self.plan.targets[p]).collect()
    }

    /// The name of the first layer, in the order of calls, whose output is not finite.
    fn first_not_finite(&self, pass: &Pass) -> String {
        let graph = &self.network.model.graph;
        let mut layers = graph.nodes.iter().map(|n| n.layer);
        let broken = |id: &usize| pass.taps.get(id).is_some_and(|tap| !is_finite(&tap.output));
        let found = layers.find(broken);
        found.map_or_else(|| "output".to_owned(), |id| graph.unique_name(id))
    }

    /// The name of the first layer with a weight that is not finite.
    fn weight_not_finite(&self, weights: &WeightMap) -> Option<String> {
        let ((id, _), _) = weights.iter().find(|(_, w)| !is_finite(w))?;
        Some(self.network.model.graph.unique_name(*id))
    }
}

fn is_finite(tensor: &Tensor) -> bool {
    let values = tensor.flatten_all().and_then(|t| t.to_vec1::<f32>());
    values.is_ok_and(|v| v.iter().all(|x| x.is_finite()))
}

/// The photos in the order of one epoch (Fisher-Yates shuffle).
fn shuffled(photos: &[usize], seed: u64, epoch: u64) -> Vec<usize> {
    let mut order = photos.to_vec();
    let mut draws = Draws::new(seed, &[SHUFFLE, epoch]);
    for i in (1..order.len()).rev() {
        order.swap(i, draws.below(i + 1));
    }
    order
}

/// Number of rows of logits whose answer is right: the largest logit, or the sign of a single one.
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
