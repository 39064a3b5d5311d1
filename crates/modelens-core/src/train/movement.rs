//! How far a run has moved each layer from its first weights.

use serde::{Deserialize, Serialize};

use candle_core::Tensor;

use crate::model::graph::Weight;
use crate::model::layers::{WeightMap, Weights};
use crate::model::{LayerId, Model};

/// How far one layer has moved, relative to its norm at the start: `|w - w0| / |w0|` with the
/// Euclidean norm over all values. Exactly 0 means bit for bit the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Movement {
    pub layer: LayerId,
    /// For the weights an optimizer may change; `None` if the layer has none.
    pub weights: Option<f64>,
    /// For moving means and variances; `None` for layers other than BatchNorm.
    pub statistics: Option<f64>,
}

/// The movement of every layer with weights, in the model's order. `now` holds the weights that
/// differ from the model's.
///
/// # Errors
/// Weights that cannot be read back.
pub fn movement(model: &Model, now: &WeightMap) -> candle_core::Result<Vec<Movement>> {
    let layers = model.graph.layers.iter().enumerate();
    let weighted = layers.filter(|(_, layer)| !layer.weights.is_empty());
    weighted
        .map(|(id, layer)| {
            let own = |weight: &Weight| Weights::of(model, id).need(weight.name);
            let part = |learnable: bool| -> candle_core::Result<Option<f64>> {
                let part: Vec<_> = layer
                    .weights
                    .iter()
                    .filter(|w| w.learnable == learnable)
                    .collect();
                let (mut moved, mut length) = (0.0, 0.0);
                for weight in &part {
                    if let Some(now) = now.get(&(id, weight.name)) {
                        moved += squared_difference(now, own(weight)?)?;
                    }
                }
                if moved != 0.0 {
                    for weight in &part {
                        length += squares(own(weight)?)?;
                    }
                }
                Ok((!part.is_empty()).then(|| relative(moved, length)))
            };
            Ok(Movement {
                layer: id,
                weights: part(true)?,
                statistics: part(false)?,
            })
        })
        .collect()
}

/// The relative movement from squared norms; the movement itself for weights that began at 0.
fn relative(moved: f64, length: f64) -> f64 {
    if moved == 0.0 || length == 0.0 {
        moved.sqrt()
    } else {
        (moved / length).sqrt()
    }
}

fn squares(tensor: &Tensor) -> candle_core::Result<f64> {
    let values = tensor.flatten_all()?.to_vec1::<f32>()?;
    Ok(values.iter().map(|&v| f64::from(v).powi(2)).sum())
}

fn squared_difference(a: &Tensor, b: &Tensor) -> candle_core::Result<f64> {
    let a = a.flatten_all()?.to_vec1::<f32>()?;
    let b = b.flatten_all()?.to_vec1::<f32>()?;
    let pairs = a.iter().zip(&b);
    Ok(pairs
        .map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2))
        .sum())
}
