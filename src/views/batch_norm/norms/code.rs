//! The normalisations that may be in the layer's place, to copy.

use crate::model::Semantics;
use crate::views::parts::code::call;

/// The layer that the comparison shows.
#[derive(Clone, Copy, Debug)]
pub struct NormsSetting {
    /// The layer is in a nested model.
    pub nested: bool,
    /// Groups of the `GroupNorm`.
    pub groups: usize,
    /// Axes of the layer's input: 4 or 2.
    pub rank: usize,
}

/// How to write each of them with the layer's own gamma, beta and epsilon.
pub fn snippet(layer: &str, setting: NormsSetting, semantics: Semantics) -> String {
    let NormsSetting {
        nested,
        groups,
        rank,
    } = setting;
    if semantics == Semantics::PyTorch {
        let get = call("model.get_submodule", layer);
        let frozen = if rank == 4 {
            "from torchvision.ops import FrozenBatchNorm2d\n\n"
        } else {
            ""
        };
        let stored = if rank == 4 {
            "frozen = FrozenBatchNorm2d(C, eps=bn.eps)  # no learning, no moving\n\
             frozen.load_state_dict(bn.state_dict())\n"
        } else {
            ""
        };
        return format!(
            "{frozen}bn = {get}\nC = bn.num_features\n\
             sync = nn.SyncBatchNorm.convert_sync_batchnorm(bn)\n{stored}\
             group = nn.GroupNorm({groups}, C, eps=bn.eps)\n\
             whole = nn.GroupNorm(1, C, eps=bn.eps)  # LayerNorm\n\
             for norm in group, whole:\n    \
             norm.weight, norm.bias = bn.weight, bn.bias"
        );
    }
    let get = call(
        if nested {
            "base.get_layer"
        } else {
            "model.get_layer"
        },
        layer,
    );
    format!(
        "bn = {get}\neps, layers = bn.epsilon, keras.layers\n\
         bn.trainable = False  # the frozen one\n\
         sync = layers.BatchNormalization(synchronized=True)\n\
         group = layers.GroupNormalization({groups}, epsilon=eps)\n\
         whole = layers.GroupNormalization(1, epsilon=eps)\n\
         for norm in group, whole:\n    \
         norm.build(bn.input.shape)\n    \
         norm.set_weights([bn.gamma, bn.beta])"
    )
}
