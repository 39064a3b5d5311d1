//! Both switches in Keras or PyTorch, to copy.

use crate::model::Semantics;

/// Both switches as the course sets them; `nested`: the file has a base inside the model.
pub fn snippet(nested: bool, semantics: Semantics) -> String {
    let base = if nested { "base" } else { "model" };
    if semantics == Semantics::PyTorch {
        return format!(
            "{base}.requires_grad_(False)  # weights\n\
             {base}.eval()  # statistics, again after\n\
             {0:1$}         # every model.train()\n\
             learn = filter(lambda p: p.requires_grad,\n               model.parameters())\n\
             optimizer = torch.optim.SGD(learn, 0.01)",
            "",
            base.len()
        );
    }
    let inside_fit = match semantics {
        Semantics::Keras3 => "fit passes True",
        Semantics::Keras316 => "holds inside fit, and for\n# the head: its dropout is off",
        Semantics::Keras2 | Semantics::PyTorch => "holds inside fit",
    };
    format!(
        "{base}.trainable = False  # weights\n\
         x = {base}(x, training=False)\n# statistics; {inside_fit}\n\n\
         # always again\nmodel.compile(\"sgd\", \"sparse_categorical_crossentropy\")"
    )
}
