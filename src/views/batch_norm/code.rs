//! The chosen layer in Keras or PyTorch, to copy.

use crate::model::{Effective, Mode, Outer, Semantics};
use crate::views::parts::code::call;
use crate::words::call::python;
use crate::words::number::trimmed;

/// The setting that the BatchNorm view shows.
#[derive(Clone, Debug)]
pub struct BatchNormSetting {
    /// The layer is in a nested model.
    pub nested: bool,
    /// The outer call of the training column.
    pub outer: Outer,
    /// PyTorch: the calls on single modules after it, one a line.
    pub calls: String,
    /// What the layer does in it.
    pub training: Effective,
    pub trainable: bool,
    /// Keras' convention; `None`: the layer's own.
    pub momentum: Option<f64>,
    /// Batches that the moving statistics have taken in.
    pub batches: usize,
}

/// The BatchNorm view: the layer, the call of each column, and what it makes the layer do.
pub fn snippet(layer: &str, setting: &BatchNormSetting, semantics: Semantics) -> String {
    let flag = python(setting.trainable);
    let effect = if setting.training.updates_statistics {
        "batch statistics"
    } else if setting.training.training {
        "frozen: runs in inference"
    } else if setting.outer == Outer::Given(Mode::Training) && semantics != Semantics::PyTorch {
        "bound by the recorded training=False"
    } else {
        "stored statistics"
    };
    let batches = setting.batches;
    if semantics == Semantics::PyTorch {
        let get = call("model.get_submodule", layer);
        let momentum = setting.momentum.map_or_else(String::new, |momentum| {
            format!("bn.momentum = {}\n", trimmed(1.0 - momentum))
        });
        let switch = match setting.outer {
            Outer::Given(Mode::Training) => "model.train()\n",
            Outer::Given(Mode::Inference) => "model.eval()\n",
            Outer::NotGiven => "",
        };
        let calls = &setting.calls;
        let train = match batches {
            0 => format!("{switch}{calls}model(x)  # {effect}"),
            n => format!("{switch}{calls}for x in batches[:{n}]: model(x)  # {effect}"),
        };
        return format!(
            "bn = {get}\nbn.requires_grad_({flag})  # gamma and beta\n{momentum}{train}\n\
             # bn.eval() keeps the statistics"
        );
    }
    let get = call(
        if setting.nested {
            "base.get_layer"
        } else {
            "model.get_layer"
        },
        layer,
    );
    let momentum = setting.momentum.map_or_else(String::new, |momentum| {
        format!("layer.momentum = {}\n", trimmed(momentum))
    });
    let model = match setting.outer {
        Outer::Given(mode) => format!("model(x, training={})", python(mode.training())),
        Outer::NotGiven => "model(x)".to_owned(),
    };
    let train = match batches {
        0 => format!("{model:<24}  # {effect}"),
        n => format!("for x in batches[:{n}]:\n    {model}  # {effect}"),
    };
    // A loop takes the last line's place, so that all of it is seen.
    let pytorch = if batches == 0 {
        "\n# PyTorch needs bn.eval() instead"
    } else {
        ""
    };
    format!(
        "layer = {get}\nlayer.trainable = {flag}\n{momentum}{train}\n\
         model(x, training=False)  # stored statistics{pytorch}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Role, effective};

    #[test]
    fn frozen_is_called_inference_only_where_it_is() {
        let of = |trainable, recorded, semantics| {
            let outer = Outer::Given(Mode::Training);
            let e = effective(Role::BatchNorm, trainable, true, outer, recorded, semantics);
            let setting = BatchNormSetting {
                calls: String::new(),
                nested: false,
                outer: Mode::Training.into(),
                training: e,
                trainable,
                momentum: None,
                batches: 0,
            };
            snippet("bn", &setting, semantics)
        };
        assert!(of(false, None, Semantics::Keras3).contains("model.get_layer(\"bn\")\n"));
        assert!(of(false, None, Semantics::Keras3).contains("frozen: runs in inference"));
        assert!(!of(true, None, Semantics::Keras3).contains("frozen"));
        assert!(of(true, Some(false), Semantics::Keras2).contains("recorded training=False"));
        assert!(of(false, None, Semantics::PyTorch).contains("requires_grad_(False)"));
    }

    #[test]
    fn momentum_and_batches_are_the_chosen_ones() {
        let of = |semantics| {
            let outer = Outer::Given(Mode::Training);
            let setting = BatchNormSetting {
                calls: String::new(),
                nested: true,
                outer,
                training: effective(Role::BatchNorm, true, true, outer, None, semantics),
                trainable: true,
                momentum: Some(0.9),
                batches: 10,
            };
            snippet("bn", &setting, semantics)
        };
        let keras = of(Semantics::Keras3);
        assert!(keras.contains("layer.momentum = 0.9\n"), "{keras}");
        assert!(keras.contains("for x in batches[:10]:"), "{keras}");
        let torch = of(Semantics::PyTorch);
        assert!(
            torch.contains("bn.momentum = 0.1\n"),
            "PyTorch's own: {torch}"
        );
        assert!(torch.contains("for x in batches[:10]: model(x)"), "{torch}");
    }
}
