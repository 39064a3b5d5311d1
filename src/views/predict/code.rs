//! The passes in Keras or PyTorch, to copy.

use crate::model::{Reading, Semantics};

/// The predict view: repeated passes in training mode, one in inference, and the same photo among
/// other batch-mates. `outputs` is the number of units of the last layer.
pub fn snippet(reading: Reading, outputs: usize, passes: usize, semantics: Semantics) -> String {
    let top = outputs.min(5);
    let single = outputs == 1 && reading != Reading::Softmax;
    let activation = if single { "sigmoid" } else { "softmax" };
    let (call, take, join) = match semantics {
        Semantics::Keras2 => ("tf.nn", "tf.math.top_k", "tf.concat([x[:1], others], 0)"),
        Semantics::Keras3 | Semantics::Keras316 => (
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictions_are_read_as_the_model_gives_them() {
        for semantics in Semantics::ALL {
            let raw = snippet(Reading::Softmax, 19, 8, semantics);
            assert!(
                !raw.contains("softmax") && raw.contains("range(8)"),
                "{raw}"
            );
            assert!(raw.contains("(p, 5)"), "{raw}");
            let logits = snippet(Reading::Logits, 3, 8, semantics);
            assert!(
                logits.contains("softmax") && logits.contains("(p, 3)"),
                "{logits}"
            );
            let single = snippet(Reading::Logits, 1, 8, semantics);
            assert!(
                single.contains("sigmoid") && !single.contains("top"),
                "{single}"
            );
            let switch = match semantics {
                Semantics::PyTorch => "model.eval()",
                Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => "training=False",
            };
            assert!(raw.contains(switch), "{raw}");
        }
    }
}
