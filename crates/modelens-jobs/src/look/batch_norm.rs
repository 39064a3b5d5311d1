//! One BatchNorm layer in both modes, over the whole batch.

use candle_core::Tensor;

use super::{Context, LookError, both_modes};
use crate::photos::PhotoCache;
use crate::{
    BatchNormOutcome, BatchNormSide, HISTOGRAM_BINS, LayerDistance, Outcome, PassLook,
    mean_distance,
};
use modelens_core::model::graph::LayerKind;
use modelens_core::model::layers::Weights;
use modelens_core::model::layers::batch_norm::{Moments, StoredWeights};
use modelens_core::model::pass::Pass;
use modelens_core::model::{Layer, LayerId, Model};
use modelens_kernels::slices::with_values;

pub fn compute(
    look: &PassLook,
    id: LayerId,
    context: &Context<'_>,
    cache: &mut PhotoCache,
) -> Result<(Vec<usize>, Outcome), LookError> {
    let model = context.model(look)?;
    let graph = &model.graph;
    let layer = &graph.layers[id];
    let wrong = || LookError::WrongLayer(layer.name.clone());
    let LayerKind::BatchNorm(settings) = &layer.kind else {
        return Err(wrong());
    };
    let StoredWeights {
        moving,
        gamma,
        beta,
    } = StoredWeights::of(Weights::of(model, id))?;
    let modes = both_modes(look, &[id], context, cache)?;
    let channels = moving.mean.len();
    let output = |pass: &Pass| {
        let tap = pass.taps.get(&id);
        tap.map(|tap| tap.output.clone()).ok_or_else(wrong)
    };
    let [left, right] = [output(&modes.training)?, output(&modes.inference)?];
    let axis = with_values(&left, |left| {
        with_values(&right, |right| Ok(axes(left, right, channels)))
    })?;
    let side = |pass: &Pass, values: &Tensor| -> Result<BatchNormSide, LookError> {
        let done = pass.batch_norm.get(&id).ok_or_else(wrong)?;
        Ok(BatchNormSide {
            effective: done.effective,
            used: done.batch.clone().unwrap_or_else(|| moving.clone()),
            batch: done.measured.clone().ok_or_else(wrong)?,
            next: done.next.clone(),
            histogram: with_values(values, |values| Ok(histograms(values, &axis)))?,
            map: values.get(modes.chosen)?.flatten_all()?.to_vec1()?,
        })
    };
    let outcome = BatchNormOutcome {
        n: left.elem_count() / channels.max(1),
        shape: left.dims().to_vec(),
        momentum: settings.momentum,
        epsilon: settings.epsilon,
        gamma,
        beta,
        training: side(&modes.training, &left)?,
        inference: side(&modes.inference, &right)?,
        moving,
        histogram_axis: axis,
        calls: graph.nodes.iter().filter(|node| node.layer == id).count(),
        semantics: look.semantics,
        layers: layers(model, &modes.training)?,
    };
    Ok((modes.batch, Outcome::BatchNorm(Box::new(outcome))))
}

/// Every BatchNorm of a training pass, in the model's order.
fn layers(model: &Model, pass: &Pass) -> Result<Vec<LayerDistance>, LookError> {
    let measured = pass.batch_norm.iter().map(|(&id, done)| {
        let layer = &model.graph.layers[id];
        let moving = moving_of(model, id)?;
        let pair = done.batch.as_ref().zip(moving.as_ref());
        let distance = pair.map(|(batch, moving)| mean_distance(batch, moving, epsilon_of(layer)));
        Ok(LayerDistance {
            layer: id,
            uses_batch: done.batch.is_some(),
            distance,
        })
    });
    measured.collect()
}

/// The epsilon of a BatchNorm.
pub fn epsilon_of(layer: &Layer) -> f64 {
    match &layer.kind {
        LayerKind::BatchNorm(settings) => settings.epsilon,
        _ => 0.0,
    }
}

/// The moving statistics in the file.
pub fn moving_of(model: &Model, id: LayerId) -> Result<Option<Moments>, candle_core::Error> {
    match &model.graph.layers[id].kind {
        LayerKind::BatchNorm(_) => Ok(Some(StoredWeights::of(Weights::of(model, id))?.moving)),
        _ => Ok(None),
    }
}

/// By channel: the range of the finite values on both sides, one unit wide if they are all equal.
fn axes(left: &[f32], right: &[f32], channels: usize) -> Vec<[f32; 2]> {
    let mut axes = vec![[f32::INFINITY, f32::NEG_INFINITY]; channels];
    for row in left.chunks(channels).chain(right.chunks(channels)) {
        for (axis, &value) in axes.iter_mut().zip(row) {
            if value.is_finite() {
                *axis = [axis[0].min(value), axis[1].max(value)];
            }
        }
    }
    for axis in &mut axes {
        if axis[0] > axis[1] {
            *axis = [0.0, 0.0];
        }
        if axis[0] == axis[1] {
            *axis = [axis[0] - 0.5, axis[1] + 0.5];
        }
    }
    axes
}

/// By channel: the number of finite values in each bin of its axis.
fn histograms(values: &[f32], axes: &[[f32; 2]]) -> Vec<Vec<u32>> {
    let mut histograms = vec![vec![0; HISTOGRAM_BINS]; axes.len()];
    let bins = HISTOGRAM_BINS as f32;
    for row in values.chunks(axes.len().max(1)) {
        for ((histogram, axis), &value) in histograms.iter_mut().zip(axes).zip(row) {
            if value.is_finite() {
                let place = (value - axis[0]) / (axis[1] - axis[0]) * bins;
                histogram[(place as usize).min(HISTOGRAM_BINS - 1)] += 1;
            }
        }
    }
    histograms
}
