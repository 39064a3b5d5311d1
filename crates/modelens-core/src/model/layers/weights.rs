//! The tensors of a network, apart from its description, and access to those of one layer.

use std::collections::BTreeMap;

use candle_core::{Error, Result, Tensor};

use crate::model::Model;
use crate::model::graph::{Layer, LayerId, Weight};

/// Tensors by layer and short name: all weights of a model, or those that replace some of them. A
/// training step works on replacements and leaves the model unchanged.
pub type WeightMap = BTreeMap<(LayerId, &'static str), Tensor>;

/// A weight with its values, before the two are kept apart.
#[derive(Clone, Debug)]
pub struct NewWeight {
    /// See [`Weight::name`].
    pub name: &'static str,
    /// In the layout that [`Weight::shape`] describes, always f32.
    pub tensor: Tensor,
    /// See [`Weight::learnable`].
    pub learnable: bool,
}

impl NewWeight {
    /// Adds the description to the layer and the values to the map.
    pub fn add_to(self, layer: &mut Layer, id: LayerId, weights: &mut WeightMap) {
        layer.weights.push(Weight {
            name: self.name,
            shape: self.tensor.dims().to_vec(),
            learnable: self.learnable,
            regularizer: None,
            constraint: None,
        });
        weights.insert((id, self.name), self.tensor);
    }
}

/// The weights of one layer. Forward and backward passes read weights through this only.
#[derive(Clone, Copy)]
pub struct Weights<'a> {
    layer: LayerId,
    own: &'a WeightMap,
    replaced: Option<&'a WeightMap>,
}

impl<'a> Weights<'a> {
    /// The weights of a layer: those in `replaced`, else the model's `own`.
    pub fn new(own: &'a WeightMap, layer: LayerId, replaced: Option<&'a WeightMap>) -> Self {
        Self {
            layer,
            own,
            replaced,
        }
    }

    /// The weights as they are in the file.
    pub fn of(model: &'a Model, layer: LayerId) -> Self {
        Self::new(&model.weights, layer, None)
    }

    /// The weight with this short name.
    pub fn get(&self, name: &str) -> Option<&'a Tensor> {
        let in_map = |weights: &'a WeightMap| {
            // Keys hold static names, so a name that is not cannot be looked up as one.
            let of_layer = weights.range((self.layer, "")..(self.layer + 1, ""));
            let mut named = of_layer.filter(|((_, known), _)| *known == name);
            named.next().map(|(_, tensor)| tensor)
        };
        self.replaced.and_then(in_map).or_else(|| in_map(self.own))
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
