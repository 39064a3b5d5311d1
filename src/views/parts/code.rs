//! Lines of code that several views offer.

use crate::model::modules::{BASE, BATCH_NORMS, DROPOUTS, MODEL, method};
use crate::model::{ModuleCall, ModuleCalls};

/// A call with the layer's name, on two lines if one would be too long for the card.
pub fn call(function: &str, layer: &str) -> String {
    const LONGEST: usize = 34;
    let between = if function.len() + layer.len() > LONGEST {
        "\n    "
    } else {
        ""
    };
    format!("{function}({between}\"{layer}\")")
}

/// Calls on single modules of a PyTorch model, one a line.
pub fn module_calls(calls: &ModuleCalls) -> String {
    let each = |call: &ModuleCall, classes: &str| {
        let method = method(call.mode);
        format!("for m in model.modules():\n    if isinstance(m, {classes}): m.{method}()\n")
    };
    let lines = calls.iter().map(|module| match module.name.as_str() {
        BATCH_NORMS => each(module, "nn.modules.batchnorm._BatchNorm"),
        DROPOUTS => each(module, "nn.modules.dropout._DropoutNd"),
        name @ (BASE | MODEL) => format!("{name}.{}()\n", method(module.mode)),
        name => {
            let get = call("model.get_submodule", name);
            format!("{get}.{}()\n", method(module.mode))
        }
    });
    lines.collect()
}
