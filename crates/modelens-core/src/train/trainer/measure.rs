//! Passes that change nothing: features that are computed once, and validation.

use std::collections::HashMap;

use candle_core::Tensor;

use super::{EpochEnd, PhotoBatches, Proceed, Score, Stage, Trainer, correct};
use crate::model::pass::{PassOptions, Segment, run_segment};
use crate::model::{CallModes, Mode, Semantics};
use crate::train::learning;
use crate::train::loss::cross_entropy;
use crate::train::movement::movement;
use crate::train::network::{Network, TrainError};
use crate::train::penalties::weight_loss;

/// Features are kept up to this many bytes.
const MAX_FEATURES: usize = 1 << 30;
/// Photos per pass that computes features.
const FEATURES_BATCH: usize = 16;
/// Added to the count of passes that measure, so that their masks differ from those that train.
const MEASURING: u64 = 1 << 32;

impl Trainer {
    /// The base's output for every photo, if it is the same in every step of the stage.
    pub(super) fn features_of(
        &self,
        stage: usize,
        photos: &mut dyn PhotoBatches,
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
        let modes = CallModes::of(&model.graph, &stage.flags, outer, semantics);
        let mut effective = before.enumerate().map(|(id, n)| {
            let effective = modes.effective_at(&model.graph, &stage.flags, id);
            let learns = effective.learns && !model.graph.layers[n.layer].weights.is_empty();
            let layer = &model.graph.layers[n.layer];
            // The penalty on an activity needs the pass.
            let penalised = layer.activity_regularizer.is_some();
            effective.active || effective.updates_statistics || learns || penalised
        });
        if effective.any(|changes| changes) {
            return Ok(None);
        }
        let all = [&self.plan.training[..], &self.plan.validation].concat();
        let mut features = HashMap::with_capacity(all.len());
        let options = self.options(&stage.flags, outer);
        let segment = Segment {
            after: None,
            until: Some(cut),
            ..Segment::default()
        };
        for chunk in all.chunks(FEATURES_BATCH) {
            if let Some(tell) = &self.on_features {
                tell(features.len(), all.len());
            }
            let x = photos.batch(chunk, None, proceed)?;
            let pass = run_segment(model, &x, segment, &options, &|_, _| proceed())?;
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

    /// Measures after an epoch; changes nothing.
    pub(super) fn measured(
        &self,
        stage: &Stage,
        repeat: u64,
        photos: &mut dyn PhotoBatches,
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

    /// Scores the validation photos in batches; changes nothing.
    fn score(
        &self,
        stage: &Stage,
        mode: Mode,
        repeat: u64,
        photos: &mut dyn PhotoBatches,
        proceed: Proceed<'_>,
    ) -> Result<Score, TrainError> {
        let (mut loss, mut right) = (0.0, 0);
        // `model.eval()` undoes the calls on single modules.
        let flags = stage.flags.in_column(mode);
        // Keras adds the penalties to the validation loss too. Which weights learn does not depend on the mode.
        let options = self.options(&stage.flags, self.plan.outer);
        let learning = learning(&self.network.model, &options);
        let penalty = weight_loss(&self.network.model, &options, &learning);
        let penalty = penalty.map_err(TrainError::Tensor)?;
        // In PyTorch random transforms belong to the loader, and that of the validation photos has none.
        let draws = mode == Mode::Training || self.plan.semantics != Semantics::PyTorch;
        for (i, batch) in self.plan.validation.chunks(self.plan.batch).enumerate() {
            let x = self.input(batch, None, photos, proceed)?;
            let options = PassOptions {
                repeat: MEASURING + (repeat << 16) + i as u64,
                random: draws,
                ..self.options(&flags, mode.into())
            };
            let segment = self.segment(stage, options.outer);
            let model = &self.network.model;
            let pass = run_segment(model, &x, segment, &options, &|_, _| proceed())?;
            let classes = self.classes(batch);
            let value = cross_entropy(&pass.output, &classes, false)
                .and_then(|l| l.to_scalar::<f32>())
                .map_err(TrainError::Tensor)?;
            let value = f64::from(value) + penalty + pass.activity_loss;
            loss += value * batch.len() as f64;
            right += correct(&pass.output, &classes).map_err(TrainError::Tensor)?;
        }
        let n = self.plan.validation.len() as f64;
        Ok(Score {
            loss: loss / n,
            accuracy: right as f64 / n,
        })
    }
}
