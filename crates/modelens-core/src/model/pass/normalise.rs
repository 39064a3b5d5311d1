//! Batch normalisation in a pass: which statistics it takes, and which follow.

use std::sync::Arc;

use candle_core::{Error, Result, Tensor};

use super::BatchNormPass;
use super::forward::Running;
use super::plan::relu_top;
use super::tape::Saved;
use crate::model::array::Array;
use crate::model::graph::{BatchNorm, LayerId, LayerKind, NodeId};
use crate::model::layers::channels::Finish;
use crate::model::layers::norm::{Moments, affine, inverse_deviation, moments_of, next_moving};
use crate::model::layers::norm_gradient::NormGradient;
use crate::rules::{Effective, Semantics, Statistics};

impl Running<'_> {
    /// Moving statistics, gamma (or ones) and beta (or zeros).
    pub(super) fn norm_weights(&self, layer: LayerId) -> Result<(Moments, Vec<f32>, Vec<f32>)> {
        let weights = self.weights(layer);
        let vector = |name: &str| weights.get(name).map(Tensor::to_vec1::<f32>).transpose();
        let missing = || Error::Msg("the moving statistics are missing".into());
        // A shared layer goes on from what its earlier call left.
        let moving = match self.batch_norm.get(&layer) {
            Some(earlier) => earlier.next.clone(),
            None => Moments {
                mean: vector("moving_mean")?.ok_or_else(missing)?,
                variance: vector("moving_variance")?.ok_or_else(missing)?,
            },
        };
        let channels = moving.mean.len();
        let filled = |weight: Option<Vec<f32>>, value| weight.unwrap_or(vec![value; channels]);
        let (gamma, beta) = (filled(vector("gamma")?, 1.0), filled(vector("beta")?, 0.0));
        Ok((moving, gamma, beta))
    }

    pub(super) fn batch_norm(
        &mut self,
        id: NodeId,
        layer: LayerId,
        settings: &BatchNorm,
        effective: Effective,
        x: Arc<Array>,
    ) -> Result<(Arc<Array>, NodeId)> {
        let semantics = self.options.semantics;
        let (moving, gamma, beta) = self.norm_weights(layer)?;
        let channels = moving.mean.len();
        if x.channels() != channels {
            return Err(Error::Msg(format!(
                "{channels} values for {} channels",
                x.channels()
            )));
        }
        let (rank, n) = (x.dims().len(), x.values().len() / channels.max(1));
        let uses_batch = effective.statistics == Some(Statistics::Batch);
        if uses_batch && n < 2 && semantics == Semantics::PyTorch {
            return Err(Error::Msg(
                "PyTorch refuses batch statistics of a single value a channel; take a larger batch"
                    .into(),
            ));
        }
        let batch = uses_batch.then(|| moments_of(x.values(), channels, rank, semantics));
        let used = batch.as_ref().unwrap_or(&moving);
        let mut last = id;
        let mut finish = Finish {
            affine: Some(affine(used, &gamma, &beta, settings.epsilon)),
            relu: None,
        };
        if let Some(then) = self.plan.with[id] {
            if let LayerKind::Activation(activation) =
                self.graph.layers[self.graph.nodes[then].layer].kind
            {
                finish.relu = relu_top(activation);
            }
            last = then;
            self.save(then, || Saved::Same);
        }
        if self.records(id) {
            let inverse = inverse_deviation(used, settings.epsilon);
            let norm = NormGradient {
                mean: used.mean.clone(),
                inverse: inverse.into_iter().map(|i| i as f32).collect(),
                gamma,
                beta,
                relu: finish.relu,
            };
            self.save(id, || Saved::Norm {
                x: Arc::clone(&x),
                norm,
                through_moments: uses_batch,
            });
        }
        let next = match &batch {
            Some(batch) if effective.updates_statistics => {
                next_moving(&moving, batch, settings.momentum, n, rank, semantics)
            }
            _ => moving,
        };
        let earlier = self.batch_norm.remove(&layer).filter(|_| batch.is_none());
        let done = match earlier {
            // A shared layer that used the batch in an earlier call did use it in this pass.
            Some(earlier) if earlier.batch.is_some() => earlier,
            _ => BatchNormPass {
                effective,
                n,
                batch,
                next,
            },
        };
        self.batch_norm.insert(layer, done);
        if self.plan.deferred[last] {
            self.deferred[last] = Some(finish);
            return Ok((x, last));
        }
        Ok((finished(x, &finish)?, last))
    }
}

/// Scale, shift and ReLU: in place where nothing else reads the values.
pub fn finished(mut x: Arc<Array>, finish: &Finish) -> Result<Arc<Array>> {
    let channels = x.channels();
    if let Some(own) = Arc::get_mut(&mut x) {
        finish.apply_all(own.values_mut(), channels);
        return Ok(x);
    }
    let mut y = Array::new(x.dims())?;
    finish.apply_into(x.values(), y.values_mut(), channels);
    Ok(Arc::new(y))
}
