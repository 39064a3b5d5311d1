//! The chosen runs in Keras or PyTorch, to copy.

use crate::model::Semantics;
use crate::state::TrainSettings;
use crate::train::recipe::{EvalCalls, RunPreset};
use crate::words::number::trimmed;
use modelens_jobs::fine_tune::HeadChoice;

/// The calls that a preset makes, with the line it lacks.
pub fn snippet(settings: &TrainSettings, head: HeadChoice, semantics: Semantics) -> String {
    let (preset, epochs) = (settings.preset(semantics), settings.epochs);
    let lab = preset == RunPreset::CourseLab;
    let missing = |line| {
        if preset == line {
            "  # the line that was forgotten"
        } else {
            ""
        }
    };
    let (flag, call) = (
        missing(RunPreset::ForgotTrainable),
        missing(RunPreset::ForgotTraining),
    );
    if semantics == Semantics::PyTorch {
        let later = if lab {
            "\n# then: requires_grad_(True) from layer 120 on, lr / 10"
        } else {
            ""
        };
        // A preset that compares the places shows the right one.
        let evals = match preset {
            RunPreset::WhereEval => EvalCalls::EachEpoch,
            _ => settings.evals,
        };
        let (before, train): (&str, String) = match evals {
            EvalCalls::Never => ("", "    model.train()  # the base too\n".into()),
            EvalCalls::BeforeLoop => (
                "base.eval()\n",
                "    model.train()  # undoes base.eval()\n".into(),
            ),
            EvalCalls::EachEpoch => {
                let call = if call.is_empty() {
                    "  # after model.train()"
                } else {
                    call
                };
                ("", format!("    model.train()\n    base.eval(){call}\n"))
            }
        };
        return format!(
            "base.requires_grad_(False){flag}\n{before}for epoch in range({epochs}):\n{train}    \
             for x, y in loader:\n        loss = loss_fn(head(base(x)), y)\n        \
             optimizer.zero_grad()\n        loss.backward()\n        optimizer.step(){later}"
        );
    }
    let optimizer = |rate: f64| {
        // The smallest rate has five decimals, and a tenth of it six.
        let rate = format!("{rate:.6}");
        let rate = rate.trim_end_matches('0');
        format!("{}({rate})", settings.optimizer.label())
    };
    let first = optimizer(settings.rate);
    let later = if lab {
        let second = optimizer(settings.rate / 10.0);
        format!(
            "\nbase.trainable = True\nfor layer in base.layers[:120]:\n    layer.trainable = False\n\
             model.compile({second}, loss)  # again\nmodel.fit(photos, epochs={epochs})"
        )
    } else {
        String::new()
    };
    let loss = match head {
        HeadChoice::Own => "loss = \"sparse_categorical_crossentropy\"",
        HeadChoice::New { sigmoid: true, .. } => "loss = BinaryCrossentropy(from_logits=True)",
        HeadChoice::New { sigmoid: false, .. } => {
            "loss = SparseCategoricalCrossentropy(from_logits=True)"
        }
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
         {loss}\nmodel.compile({first}, loss)\nmodel.fit(photos, epochs={epochs}){later}"
    )
}
