//! Batch normalisation in a pass: which statistics it uses, and which moving statistics follow.

use std::sync::Arc;

use candle_core::{Error, Result};

use super::BatchNormPass;
use super::backward::Saved;
use super::executor::Executor;
use super::plan::relu_max;
use crate::model::array::Array;
use crate::model::graph::{LayerId, NodeId};
use crate::model::layers::LayerKind;
use crate::model::layers::batch_norm::{
    BatchNorm, StoredWeights, affine, inverse_deviation, moments_of, next_moving,
};
use crate::rules::{Effective, Semantics, Statistics};
use modelens_kernels::affine_relu::AffineRelu;
use modelens_kernels::batch_norm_backward::BatchNormBackward;

impl Executor<'_> {
    /// The weights of a BatchNorm. A shared layer continues from the moving statistics that its earlier
    /// call left.
    pub(super) fn batch_norm_weights(&self, layer: LayerId) -> Result<StoredWeights> {
        let mut stored = StoredWeights::of(self.weights(layer))?;
        if let Some(earlier) = self.batch_norm.get(&layer) {
            stored.moving = earlier.next.clone();
        }
        Ok(stored)
    }

    /// Runs a BatchNorm, together with the ReLU fused with it. Returns the value and the node it belongs
    /// to.
    pub(super) fn batch_norm(
        &mut self,
        id: NodeId,
        layer: LayerId,
        settings: &BatchNorm,
        effective: Effective,
        x: Arc<Array>,
    ) -> Result<(Arc<Array>, NodeId)> {
        let semantics = self.options.semantics;
        let StoredWeights {
            moving,
            gamma,
            beta,
        } = self.batch_norm_weights(layer)?;
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
        let moments = || moments_of(x.values(), channels, rank, semantics);
        let batch = uses_batch.then(moments);
        let is_measured = self.options.moments.contains(&layer);
        let measured = is_measured.then(|| batch.clone().unwrap_or_else(moments));
        let used = batch.as_ref().unwrap_or(&moving);
        let mut last = id;
        let mut affine_relu = AffineRelu {
            affine: Some(affine(used, &gamma, &beta, settings.epsilon)),
            relu: None,
        };
        if let Some(then) = self.plan.fused[id] {
            if let LayerKind::Activation(activation) =
                self.graph.layers[self.graph.nodes[then].layer].kind
            {
                affine_relu.relu = relu_max(activation);
            }
            last = then;
            self.save(then, || Saved::Identity);
        }
        if self.records(id) {
            let inverse = inverse_deviation(used, settings.epsilon);
            let norm = BatchNormBackward {
                mean: used.mean.clone(),
                inverse: inverse.into_iter().map(|i| i as f32).collect(),
                gamma,
                beta,
                relu: affine_relu.relu,
            };
            self.save(id, || Saved::BatchNorm {
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
            // A shared layer used batch statistics in this pass if any of its calls did.
            Some(earlier) if earlier.batch.is_some() => earlier,
            _ => BatchNormPass {
                effective,
                n,
                rank,
                batch,
                measured,
                next,
            },
        };
        self.batch_norm.insert(layer, done);
        if self.plan.deferred[last] {
            self.deferred[last] = Some(affine_relu);
            return Ok((x, last));
        }
        Ok((applied(x, &affine_relu)?, last))
    }
}

/// Applies scale, shift and ReLU, in place if nothing else reads the values.
pub fn applied(mut x: Arc<Array>, affine_relu: &AffineRelu) -> Result<Arc<Array>> {
    let channels = x.channels();
    if let Some(own) = Arc::get_mut(&mut x) {
        affine_relu.apply_all(own.values_mut(), channels);
        return Ok(x);
    }
    let mut y = Array::new(x.dims())?;
    affine_relu.apply_into(x.values(), y.values_mut(), channels);
    Ok(Arc::new(y))
}
