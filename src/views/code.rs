//! The same setting in Keras or PyTorch, to copy.

use crate::augment::{AugmentLayer, Pipeline};
use crate::model::{Effective, Mode, Outer, Reading, Semantics};
use crate::state::TrainSettings;
use crate::train::recipe::Preset;
use crate::words::number::trimmed;
use crate::worker::fine_tune::HeadChoice;

/// The augmentation view.
pub fn augmentation(pipeline: &Pipeline, semantics: Semantics) -> String {
    if semantics != Semantics::PyTorch {
        // Short enough for the card in the smallest window.
        let layers = pipeline.keras_code().replace("keras.layers.", "layers.");
        let [drawn, resting] = if pipeline.draws() {
            ["draws", "rests"]
        } else {
            ["nothing to draw"; 2]
        };
        return format!(
            "layers = keras.layers\naugment = {layers}\n\
             augment(x, training=True)   # {drawn}\n\
             augment(x)                  # {drawn}\n\
             augment(x, training=False)  # {resting}",
        );
    }
    let layers = pipeline.steps.iter().filter(|step| step.on);
    let lines: Vec<String> = layers
        .map(|step| format!("    {},", torchvision(&step.layer)))
        .collect();
    let augment = if lines.is_empty() {
        "v2.Identity()".to_owned()
    } else {
        format!("v2.Compose([\n{}\n])", lines.join("\n"))
    };
    format!(
        "from torchvision.transforms import v2\naugment = {augment}\n\
         # belongs to the training loader only;\n# model.eval() does not reach it"
    )
}

/// The fine-tune view.
pub fn fine_tune(settings: &TrainSettings, head: HeadChoice, semantics: Semantics) -> String {
    let (preset, epochs) = (settings.preset, settings.epochs);
    let lab = preset == Preset::CourseLab;
    let missing = |line| {
        if preset == line {
            "  # the line that was forgotten"
        } else {
            ""
        }
    };
    let (flag, call) = (
        missing(Preset::ForgotTrainable),
        missing(Preset::ForgotTraining),
    );
    if semantics == Semantics::PyTorch {
        let later = if lab {
            "\n# then: requires_grad_(True) from layer 120 on, lr / 10"
        } else {
            ""
        };
        return format!(
            "base.requires_grad_(False){flag}\nmodel.train()\nbase.eval(){call}\nfor x, y in loader:  \
             # epochs: {epochs}\n    loss = loss_fn(head(base(x)), y)\n    \
             optimizer.zero_grad()\n    loss.backward()\n    optimizer.step(){later}"
        );
    }
    let later = if lab {
        format!(
            "\nbase.trainable = True\nfor layer in base.layers[:120]:\n    layer.trainable = False\n\
             model.compile(...)   # again, lr / 10\nmodel.fit(photos, epochs={epochs})"
        )
    } else {
        String::new()
    };
    let head = match head {
        HeadChoice::Own => "model = Model(inputs, head(x))".to_owned(),
        HeadChoice::New { dropout, sigmoid } => format!(
            "x = GlobalAveragePooling2D()(x)\nx = Dropout({})(x)\nmodel = Model(inputs, \
             Dense({})(x))",
            trimmed(dropout),
            if sigmoid { "1" } else { "classes" }
        ),
    };
    format!(
        "base.trainable = False{flag}\nx = base(inputs, training=False){call}\n{head}\n\
         model.compile(...)\nmodel.fit(photos, epochs={epochs}){later}"
    )
}

/// The nearest transform of torchvision.
fn torchvision(layer: &AugmentLayer) -> String {
    let code = layer.torchvision_code();
    code.unwrap_or_else(|| format!("...  # {}", layer.keras_code()))
}

/// A call with the layer's name, on two lines where one would be too long for the card.
pub fn call(function: &str, layer: &str) -> String {
    const LONGEST: usize = 34;
    let between = if function.len() + layer.len() > LONGEST {
        "\n    "
    } else {
        ""
    };
    format!("{function}({between}\"{layer}\")")
}

/// The setting that the BatchNorm view shows.
#[derive(Clone, Copy, Debug)]
pub struct BatchNormSetting {
    /// The layer lies in a model inside the model.
    pub nested: bool,
    /// The outer call of the training column.
    pub outer: Outer,
    /// What the layer does in it.
    pub training: Effective,
    pub trainable: bool,
    /// Keras' convention; `None`: the layer's own.
    pub momentum: Option<f64>,
    /// Batches that the moving statistics have taken in.
    pub batches: usize,
}

/// The BatchNorm view: the layer, the call of each column, and what it makes the layer do.
pub fn batch_norm(layer: &str, setting: &BatchNormSetting, semantics: Semantics) -> String {
    let flag = python(setting.trainable);
    let effect = if setting.training.updates_statistics {
        "batch statistics"
    } else if setting.training.training {
        "frozen: runs in inference"
    } else if setting.outer == Outer::Given(Mode::Training) {
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
        let train = match batches {
            0 => format!("{switch}model(x)  # {effect}"),
            n => format!("{switch}for x in batches[:{n}]: model(x)  # {effect}"),
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

/// The trainable view: both switches as the course sets them; `nested` where the file holds a base
/// inside the model.
pub fn trainable(nested: bool, semantics: Semantics) -> String {
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
    let inside_fit = if semantics == Semantics::Keras2 {
        "holds inside fit"
    } else {
        "fit passes True"
    };
    format!(
        "{base}.trainable = False  # weights\n\
         x = {base}(x, training=False)\n# statistics; {inside_fit}\n\n\
         model.compile(...)  # always again"
    )
}

/// The predict view: repeated passes in training mode, one in inference, and the same photo among
/// other batch-mates. `outputs` is the number of units of the last layer.
pub fn predict(reading: Reading, outputs: usize, passes: usize, semantics: Semantics) -> String {
    let top = outputs.min(5);
    let single = outputs == 1 && reading != Reading::Softmax;
    let activation = if single { "sigmoid" } else { "softmax" };
    let (call, take, join) = match semantics {
        Semantics::Keras2 => ("tf.nn", "tf.math.top_k", "tf.concat([x[:1], others], 0)"),
        Semantics::Keras3 => (
            "keras.ops",
            "keras.ops.top_k",
            "keras.ops.concatenate(\n    [x[:1], others])",
        ),
        Semantics::PyTorch => ("", "torch.topk", "torch.cat([x[:1], others])"),
    };
    let read = match (reading, semantics) {
        (Reading::Softmax | Reading::Sigmoid, _) => String::new(),
        (Reading::Logits, Semantics::PyTorch) if single => ".sigmoid()".to_owned(),
        (Reading::Logits, Semantics::PyTorch) => ".softmax(-1)".to_owned(),
        (Reading::Logits, Semantics::Keras2) if single => "\np = tf.math.sigmoid(p)".to_owned(),
        (Reading::Logits, _) => format!("\np = {call}.{activation}(p)"),
    };
    let last = if single {
        String::new()
    } else {
        format!("\n{take}(p, {top})")
    };
    let others = format!("y = {join}  # other batch-mates");
    if semantics == Semantics::PyTorch {
        return format!(
            "model.train()\nfor i in range({passes}):  # photo first in x\n    p = model(x)[0]\n\
             model.eval()\np = model(x)[0]{read}{last}\n{others}\nmodel.train(); model(y)[0]",
        );
    }
    format!(
        "for i in range({passes}):  # photo first in x\n    p = model(x, training=True)[0]\n\
         p = model(x, training=False)[0]{read}{last}\n{others}\nmodel(y, training=True)[0]",
    )
}

fn python(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Role, effective};

    #[test]
    fn the_course_pipeline_in_both_frameworks() {
        let pipeline = Pipeline::course();
        let keras = augmentation(&pipeline, Semantics::Keras3);
        assert!(keras.contains("RandomFlip(\"horizontal\")"), "{keras}");
        assert!(keras.contains("training=False"), "{keras}");
        let torch = augmentation(&pipeline, Semantics::PyTorch);
        assert!(torch.contains("v2.RandomRotation(72)"), "{torch}");
        assert!(!torch.contains("training="), "{torch}");
    }

    #[test]
    fn frozen_is_called_inference_only_where_it_is() {
        let of = |trainable, recorded, semantics| {
            let outer = Outer::Given(Mode::Training);
            let e = effective(Role::BatchNorm, trainable, true, outer, recorded, semantics);
            let setting = BatchNormSetting {
                nested: false,
                outer: Mode::Training.into(),
                training: e,
                trainable,
                momentum: None,
                batches: 0,
            };
            batch_norm("bn", &setting, semantics)
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
                nested: true,
                outer,
                training: effective(Role::BatchNorm, true, true, outer, None, semantics),
                trainable: true,
                momentum: Some(0.9),
                batches: 10,
            };
            batch_norm("bn", &setting, semantics)
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

    #[test]
    fn predictions_are_read_as_the_model_gives_them() {
        for semantics in Semantics::ALL {
            let raw = predict(Reading::Softmax, 19, 8, semantics);
            assert!(
                !raw.contains("softmax") && raw.contains("range(8)"),
                "{raw}"
            );
            assert!(raw.contains("(p, 5)"), "{raw}");
            let logits = predict(Reading::Logits, 3, 8, semantics);
            assert!(
                logits.contains("softmax") && logits.contains("(p, 3)"),
                "{logits}"
            );
            let single = predict(Reading::Logits, 1, 8, semantics);
            assert!(
                single.contains("sigmoid") && !single.contains("top"),
                "{single}"
            );
            let switch = match semantics {
                Semantics::PyTorch => "model.eval()",
                Semantics::Keras2 | Semantics::Keras3 => "training=False",
            };
            assert!(raw.contains(switch), "{raw}");
        }
    }
}
