//! Both switches in Keras or PyTorch, to copy.

use crate::model::Semantics;

/// Both switches as the course sets them; `nested`: the file has a base inside the model.
pub fn snippet(nested: bool, semantics: Semantics) -> String {
    switches(nested, false, Some(false), semantics)
}

/// Both switches as they are set: the flag of the base, and the value at its call (`None`: left out).
pub fn switches(nested: bool, trainable: bool, call: Option<bool>, semantics: Semantics) -> String {
    let base = if nested { "base" } else { "model" };
    let flag = python(trainable);
    if semantics == Semantics::PyTorch {
        let mode = match call {
            Some(training) => {
                let called = if training { "train" } else { "eval" };
                let gap = " ".repeat(base.len() + called.len() - "eval".len());
                format!(
                    "{base}.{called}()  # statistics, again after\n{gap}         # every model.train()\n"
                )
            }
            None => String::new(),
        };
        return format!(
            "{base}.requires_grad_({flag})  # weights\n\
             {mode}\
             learn = filter(lambda p: p.requires_grad,\n               model.parameters())\n\
             optimizer = torch.optim.SGD(learn, 0.01)",
        );
    }
    let inside_fit = match (semantics, call) {
        (Semantics::Keras3, _) | (_, None) => "fit passes True",
        (Semantics::Keras316, Some(false)) => {
            "holds inside fit, and for\n# the head: its dropout is off"
        }
        (Semantics::Keras316 | Semantics::Keras2 | Semantics::PyTorch, Some(_)) => {
            "holds inside fit"
        }
    };
    let training = call.map_or(String::new(), |given| {
        format!(", training={}", python(given))
    });
    format!(
        "{base}.trainable = {flag}  # weights\n\
         x = {base}(x{training})\n# statistics; {inside_fit}\n\n\
         # always again\nmodel.compile(\"sgd\", \"sparse_categorical_crossentropy\")"
    )
}

fn python(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_follows_the_switches() {
        for semantics in [Semantics::Keras2, Semantics::Keras3, Semantics::Keras316] {
            let open = switches(true, true, None, semantics);
            assert!(open.starts_with(
                "base.trainable = True  # weights\nx = base(x)\n# statistics; fit passes True"
            ));
            let frozen = switches(true, false, Some(true), semantics);
            assert!(frozen.contains("base.trainable = False") && frozen.contains("training=True)"));
        }
        let open = switches(true, true, None, Semantics::PyTorch);
        assert!(open.starts_with("base.requires_grad_(True)") && !open.contains("eval()"));
        let eval = snippet(true, Semantics::PyTorch);
        assert!(eval.contains(
            "\nbase.eval()  # statistics, again after\n             # every model.train()\n"
        ));
    }
}
