//! Parameter counts, as `summary()` prints them.

use super::graph::{Layer, Weight};
use super::{Flags, ModelDescription, Semantics};

/// Numbers of values in the weights of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counts {
    pub total: usize,
    pub trainable: usize,
    pub non_trainable: usize,
}

/// The weights that count as parameters: in Keras all of them; in PyTorch running statistics are buffers and
/// do not count.
fn parameters(layer: &Layer, semantics: Semantics) -> impl Iterator<Item = &Weight> {
    let buffers = semantics != Semantics::PyTorch;
    layer.weights.iter().filter(move |w| w.learnable || buffers)
}

/// The number of parameters of one layer, without the layers inside it.
pub fn layer_params(layer: &Layer, semantics: Semantics) -> usize {
    parameters(layer, semantics).map(Weight::len).sum()
}

/// The counts under these flags. In Keras 2 the weights of a trainable layer inside a frozen model are not
/// trainable; in Keras 3 and PyTorch they are.
pub fn counts(model: &ModelDescription, flags: &Flags, semantics: Semantics) -> Counts {
    let mut counts = Counts::default();
    for (id, layer) in model.graph.layers.iter().enumerate() {
        let learns = flags.learns(&model.graph, id, semantics);
        for weight in parameters(layer, semantics) {
            let n = weight.len();
            counts.total += n;
            if learns && weight.learnable {
                counts.trainable += n;
            }
        }
    }
    counts.non_trainable = counts.total - counts.trainable;
    counts
}
