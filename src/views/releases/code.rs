//! How to look at the release, and how to take the saver's values out of a file.

use crate::model::Semantics;

/// What the user of a file of another release can do by these rules.
pub fn snippet(runner: Semantics) -> String {
    match runner {
        Semantics::Keras316 => "def forget(config):  # at single layers\n    \
             for layer in config[\"layers\"]:\n        \
             inside = layer[\"config\"]\n        \
             if \"layers\" in inside:\n            \
             forget(inside)\n            \
             continue\n        \
             for node in layer.get(\"inbound_nodes\", []):\n            \
             node[\"kwargs\"].pop(\"training\", None)\n\n\
             config = model.get_config()\n\
             forget(config)\n\
             fresh = model.from_config(config)\n\
             fresh.set_weights(model.get_weights())"
            .to_owned(),
        Semantics::Keras2 => "import tf_keras\ntf_keras.__version__".to_owned(),
        Semantics::Keras3 => "import keras\nkeras.__version__".to_owned(),
        Semantics::PyTorch => "import torch\ntorch.__version__".to_owned(),
    }
}
