//! One noise layer in both modes, for the chosen photo.

use candle_core::Tensor;

use super::{Context, LookError, both_modes};
use crate::model::graph::{LayerKind, Noise};
use crate::model::pass::{Pass, Tap};
use crate::model::{LayerId, Model};
use crate::worker::job::{DropoutOutcome, DropoutSide, Outcome, PassLook};
use crate::worker::photos::PhotoCache;

pub fn compute(
    look: &PassLook,
    layer: LayerId,
    context: &Context<'_>,
    cache: &mut PhotoCache,
) -> Result<(Vec<usize>, Outcome), LookError> {
    let model = &look.model.0;
    let LayerKind::Noise(noise) = &model.graph.layers[layer].kind else {
        return Err(wrong(model, layer));
    };
    let modes = both_modes(look, layer, context, cache)?;
    let tap = |pass: &Pass| {
        pass.taps
            .get(&layer)
            .cloned()
            .ok_or_else(|| wrong(model, layer))
    };
    let (training, inference) = (tap(&modes.training)?, tap(&modes.inference)?);
    let outcome = DropoutOutcome {
        rate: rate(noise),
        shape: training.input.dims()[1..].to_vec(),
        training: side(&training, modes.chosen)?,
        inference: side(&inference, modes.chosen)?,
    };
    Ok((modes.batch, Outcome::Dropout(outcome)))
}

fn wrong(model: &Model, layer: LayerId) -> LookError {
    LookError::WrongLayer(model.graph.layers[layer].name.clone())
}

fn rate(noise: &Noise) -> f64 {
    match *noise {
        Noise::Dropout { rate, .. }
        | Noise::SpatialDropout2d { rate }
        | Noise::AlphaDropout { rate }
        | Noise::GaussianDropout { rate }
        | Noise::DropConnect { rate } => rate,
        Noise::GaussianNoise { stddev } => stddev,
    }
}

fn side(tap: &Tap, chosen: usize) -> Result<DropoutSide, LookError> {
    let of_photo = |t: &Tensor| t.get(chosen)?.flatten_all()?.to_vec1::<f32>();
    let input = of_photo(&tap.input)?;
    let mask = tap.mask.as_ref().map(of_photo).transpose()?;
    // A layer that does nothing multiplies with 1.
    let mask = if tap.effective.active {
        mask
    } else {
        Some(vec![1.0; input.len()])
    };
    let dropped = mask.iter().flatten().filter(|&&m| m == 0.0).count();
    Ok(DropoutSide {
        effective: tap.effective,
        input,
        output: of_photo(&tap.output)?,
        mask,
        dropped,
    })
}
