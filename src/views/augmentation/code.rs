//! The pipeline in Keras or torchvision, to copy.

use crate::augment::{AugmentLayer, Pipeline};
use crate::model::Semantics;

/// The layers that are on, and calls of them in both modes.
pub fn snippet(pipeline: &Pipeline, semantics: Semantics) -> String {
    if semantics != Semantics::PyTorch && !pipeline.has_torchvision() {
        // Short enough for the card in the smallest window.
        let layers = pipeline
            .keras_code(semantics)
            .replace("keras.layers.", "layers.");
        if pipeline.mixes_labels() && semantics != Semantics::Keras2 {
            return format!(
                "layers = keras.layers\naugment = {layers}\n\
                 # in the data set, y one-hot: inside a model labels are not mixed\n\
                 augment({{\"images\": x, \"labels\": y}}, training=True)",
            );
        }
        let on = || pipeline.steps.iter().filter(|step| step.on);
        let has = |layer: &AugmentLayer| layer.missing_in(semantics).is_none();
        let draws = on().any(|step| step.layer.is_random() && has(&step.layer));
        let both = on().any(|step| !step.layer.is_training_only() && has(&step.layer));
        let [drawn, without_draws] = if draws && both {
            ["draws", "does not draw"]
        } else if draws {
            ["draws", "does nothing"]
        } else {
            ["nothing to draw"; 2]
        };
        return format!(
            "layers = keras.layers\naugment = {layers}\n\
             augment(x, training=True)   # {drawn}\n\
             augment(x)                  # {drawn}\n\
             augment(x, training=False)  # {without_draws}",
        );
    }
    let augment = pipeline.torchvision_code();
    let torch = if augment.contains("torch.") {
        "import torch\n"
    } else {
        ""
    };
    let labels = if pipeline.mixes_labels() {
        "# on a batch, labels one-hot floats: augment(images, labels)\n"
    } else {
        ""
    };
    format!(
        "{torch}from torchvision.transforms import v2\naugment = {augment}\n{labels}\
         # belongs to the training loader only;\n# model.eval() does not reach it"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_course_pipeline_in_both_frameworks() {
        let pipeline = Pipeline::course();
        let keras = snippet(&pipeline, Semantics::Keras3);
        assert!(keras.contains("RandomFlip(\"horizontal\")"), "{keras}");
        assert!(keras.contains("training=False"), "{keras}");
        let torch = snippet(&pipeline, Semantics::PyTorch);
        assert!(torch.contains("v2.RandomRotation(72)"), "{torch}");
        assert!(!torch.contains("training="), "{torch}");
    }
}
