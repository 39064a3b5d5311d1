//! Layers as they are added to the graph, and their calls.

use candle_core::Tensor;

use super::Build;
use crate::formats::OpenError;
use crate::formats::pt2::node::Op;
use crate::formats::pt2::stored::Stored;
use crate::formats::pt2::value::Value;
use crate::model::graph::{Input, Layer, LayerKind, Node};
use crate::model::layers::NewWeight;
use crate::model::layers::shape::Shapes;
use crate::model::{LayerId, NodeId};

/// A layer's weight, and the tensor of the file that it is.
pub struct Weight {
    pub new: NewWeight,
    pub from: Option<Stored>,
}

/// A layer of which only the name is still to be made unique.
pub struct NewLayer {
    pub name: String,
    pub class: String,
    pub kind: LayerKind,
    pub weights: Vec<Weight>,
    /// True for a module of the program, which may be called several times.
    pub is_module: bool,
    pub listed: bool,
}

impl<'a> Build<'a> {
    /// Adds a layer and calls it, or calls the same module once more. Returns the node and the shape of
    /// its value.
    pub fn call(
        &mut self,
        op: &Op<'a>,
        new: NewLayer,
        inputs: Vec<Input>,
    ) -> Result<(NodeId, Vec<Option<usize>>), OpenError> {
        let from: Vec<_> = new
            .weights
            .iter()
            .map(|w| (w.new.name, w.from.clone()))
            .collect();
        let key = format!("{} {:?} {from:?}", new.name, new.kind);
        let id = if let Some(&id) = self.modules.get(&key) {
            id
        } else {
            let is_module = new.is_module;
            let id = self.add(op, new)?;
            if is_module {
                self.modules.insert(key, id);
            }
            id
        };
        let layer = &self.graph.layers[id];
        let images = inputs.iter().map(|input| match *input {
            Input::Node(node) => &self.dims[node][1..],
            Input::Number(_) => &[],
        });
        let images: Vec<&[Option<usize>]> = images.collect();
        let shapes = Shapes {
            inputs: &images,
            weights: &|name| layer.shape(name).map(<[usize]>::to_vec),
        };
        let rules = layer.kind.op();
        let numbers = inputs
            .iter()
            .filter(|i| matches!(i, Input::Number(_)))
            .count();
        if !rules.arity().takes(inputs.len() - numbers, numbers) {
            return Err(op.refuse("it takes another number of inputs"));
        }
        let shape = rules
            .output_shape(&shapes)
            .map_err(|reason| op.refuse(reason))?;
        let dims: Vec<Option<usize>> = std::iter::once(None).chain(shape).collect();
        self.graph.nodes.push(Node::new(id, inputs));
        self.dims.push(dims.clone());
        Ok((self.graph.nodes.len() - 1, dims))
    }

    fn add(&mut self, op: &Op<'a>, new: NewLayer) -> Result<LayerId, OpenError> {
        let mut unique = new.name.clone();
        let mut count = 0;
        while !self.names.insert(unique.clone()) {
            count += 1;
            unique = format!("{}_{count}", new.name);
        }
        let id = self.graph.layers.len();
        let mut layer = Layer::new(unique.as_str(), new.class.as_str(), new.kind);
        layer.listed = new.listed;
        let learnable = |w: &Weight| w.from.as_ref().map(|from| self.tensors.requires_grad(from));
        let flags: Vec<bool> = new
            .weights
            .iter()
            .filter(|w| w.new.learnable)
            .filter_map(learnable)
            .collect();
        layer.trainable = flags.is_empty() || flags.contains(&true);
        let mixed = flags.contains(&true) && flags.contains(&false);
        for Weight { mut new, from } in new.weights {
            let values = new.tensor.elem_count();
            self.budget = self.budget.checked_sub(values).ok_or_else(|| {
                OpenError::TooLarge("its layers need more weights than the file holds".into())
            })?;
            if let Some(from) = from {
                new.learnable &= !mixed || self.tensors.requires_grad(&from);
                self.sources.insert((id, new.name), from);
            } else if new.learnable {
                // Training it would not train what it is computed from, and no file could keep it.
                new.learnable = false;
                self.computed += 1;
            }
            let contiguous = new.tensor.contiguous();
            new.tensor = contiguous.map_err(|e| op.refuse(e.to_string()))?;
            new.add_to(&mut layer, id, &mut self.weights);
        }
        self.graph.layers.push(layer);
        Ok(id)
    }

    /// A layer of this node on one value, whose axes stay.
    pub fn on(
        &mut self,
        op: &Op<'a>,
        kind: LayerKind,
        weights: Vec<Weight>,
        x: &Value,
    ) -> Result<Value, OpenError> {
        let new = NewLayer::of(op, kind, weights);
        let (node, dims) = self.call(op, new, vec![Input::Node(x.node)])?;
        Ok(Value {
            node,
            dims,
            axes: x.axes.clone(),
        })
    }
}

impl NewLayer {
    /// The layer of a node.
    pub fn of(op: &Op<'_>, kind: LayerKind, weights: Vec<Weight>) -> Self {
        Self {
            name: op.name.clone(),
            class: op.class.clone(),
            kind,
            weights,
            is_module: op.is_module,
            listed: true,
        }
    }
}

/// A weight of a layer in the layout that the layer needs.
pub fn new_weight(
    name: &'static str,
    tensor: Tensor,
    from: Option<Stored>,
    learnable: bool,
) -> Weight {
    Weight {
        new: NewWeight {
            name,
            tensor,
            learnable,
        },
        from,
    }
}
