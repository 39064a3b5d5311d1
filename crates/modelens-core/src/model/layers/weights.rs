//! Access to the weights of one layer: those of the model, or others in their place.

use std::collections::BTreeMap;

use candle_core::{Error, Result, Tensor};

use crate::model::graph::{Graph, Layer, LayerId};

/// Weights that replace the model's, by layer and short name. A training step works on these and
/// leaves the model unchanged.
pub type Overrides = BTreeMap<(LayerId, &'static str), Tensor>;

/// The weights of one layer. Forward and backward passes read weights through this only.
#[derive(Clone, Copy)]
pub struct Weights<'a> {
    layer: &'a Layer,
    overrides: Option<(LayerId, &'a Overrides)>,
}

impl<'a> Weights<'a> {
    /// The weights of layer `id`, or those in `overrides`.
    pub fn new(graph: &'a Graph, id: LayerId, overrides: Option<&'a Overrides>) -> Self {
        Self {
            layer: &graph.layers[id],
            overrides: overrides.map(|overrides| (id, overrides)),
        }
    }

    /// The weights as they are in the file.
    pub fn of(layer: &'a Layer) -> Self {
        Self {
            layer,
            overrides: None,
        }
    }

    /// The weight with this short name.
    pub fn get(&self, name: &str) -> Option<&'a Tensor> {
        let own = self.layer.weights.iter().find(|w| w.name == name)?;
        let replaced = self
            .overrides
            .and_then(|(id, overrides)| overrides.get(&(id, own.name)));
        Some(replaced.unwrap_or(&own.tensor))
    }

    /// The weight with this short name.
    ///
    /// # Errors
    /// The layer has no such weight.
    pub fn need(&self, name: &str) -> Result<&'a Tensor> {
        self.get(name)
            .ok_or_else(|| Error::Msg(format!("weight `{name}` is missing")))
    }
}
