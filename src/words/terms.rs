//! What each term means, in one sentence, for tooltips and the list of words.

pub const BASE: &str = "base";
pub const BATCH: &str = "batch";
pub const MOMENTUM: &str = "momentum";
pub const OUTER_CALL: &str = "outer call";
pub const RECORDED_VALUE: &str = "recorded value";
pub const RULES: &str = "rules";
pub const SCALE: &str = "scale";
pub const SEED: &str = "seed";
pub const TRAINABLE: &str = "trainable";

/// Terms with their sentences; a sentence uses only terms that come before its own.
pub const TERMS: &[(&str, &str)] = &[
    (
        BASE,
        "The pretrained network that you put a new head on; a file may hold both.",
    ),
    (
        "head",
        "What is trained on top of the base: average pooling, dropout and a dense layer.",
    ),
    (
        "training=",
        "The argument of a call that chooses how its layers behave: fit passes True, predict and evaluate pass False.",
    ),
    (
        TRAINABLE,
        "The flag of a layer that lets an optimizer change its weights; PyTorch calls it requires_grad.",
    ),
    (
        "freeze",
        "To set trainable to False, so that an optimizer leaves the weights alone.",
    ),
    (
        OUTER_CALL,
        "The call of the whole model, made by fit, predict or your own code, with the training= value it passes down.",
    ),
    (
        RECORDED_VALUE,
        "A training= value written where the model calls its base, as in base_model(x, training=False); it is stored in the file.",
    ),
    (
        RULES,
        "How the framework treats both switches: Keras 2, Keras 3 and PyTorch differ.",
    ),
    (
        "BatchNorm",
        "A layer that subtracts a mean and divides by a standard deviation, channel by channel, then scales by gamma and shifts by beta.",
    ),
    (
        "batch statistics",
        "Mean and variance over all photos of the current batch and all of their positions.",
    ),
    (
        "moving statistics",
        "The mean and variance that a BatchNorm layer collects in training and uses in inference; PyTorch calls them running statistics.",
    ),
    (
        MOMENTUM,
        "The share of the old moving statistics that an update keeps: with 0.99, one hundredth comes from the batch.",
    ),
    (
        "channel",
        "One of the feature maps of a layer; BatchNorm has a mean and a variance for each.",
    ),
    (
        "dropout",
        "A layer that sets a random part of its units to zero in training and scales up the rest, so that the expected sum stays the same.",
    ),
    ("rate", "The probability with which dropout drops a unit."),
    (
        "learning rate",
        "How far an optimizer step goes along the gradient.",
    ),
    (
        "epoch",
        "One pass over all training photos, batch by batch.",
    ),
    ("unit", "One value in a layer's output for one photo."),
    (
        "augmentation",
        "Random changes of the training photos, such as flips and rotations, so that no epoch shows the same pixels twice.",
    ),
    (
        "pipeline",
        "Augmentation layers in order; each works on the output of the one before.",
    ),
    (BATCH, "The photos that go through the model together."),
    (
        SEED,
        "The number that decides every random draw: the same seed gives the same picture.",
    ),
    (
        SCALE,
        "What each pixel value from 0 to 255 becomes before the first layer.",
    ),
    (
        "compile()",
        "Keras builds its training step here and takes the trainable flags as they are; later changes take effect only after another compile().",
    ),
    (
        "fine-tune from",
        "To make the base trainable and then freeze its layers before the given one, as the course does after feature extraction.",
    ),
    (
        "optimizer step",
        "One change of the weights along the gradient of the loss on one batch.",
    ),
    (
        "inference",
        "Use of a model without training: training=False, model.eval().",
    ),
];

/// The sentence of a term.
pub fn sentence(term: &str) -> Option<&'static str> {
    let found = TERMS.iter().find(|(known, _)| *known == term);
    found.map(|(_, sentence)| *sentence)
}

/// The longest term that a label is or begins with: "channel" for "Channel 1 of 160".
pub fn beginning(label: &str) -> Option<&'static (&'static str, &'static str)> {
    let label = label.to_lowercase();
    let begins = |term: &str| {
        let rest = label.strip_prefix(&term.to_lowercase())?;
        let rest = rest.strip_prefix('s').unwrap_or(rest);
        let ends = term.ends_with('=')
            || !rest.starts_with(|c: char| c.is_alphanumeric() || "_(".contains(c));
        ends.then_some(())
    };
    let found = TERMS.iter().filter(|(term, _)| begins(term).is_some());
    found.max_by_key(|(term, _)| term.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_begins_with_the_longest_term() {
        let cases = [
            ("Channel 1 of 160", Some("channel")),
            ("training=True", Some("training=")),
            ("Batch statistics", Some("batch statistics")),
            ("batch", Some("batch")),
            ("Learning rate 0.001", Some("learning rate")),
            ("epochs", Some("epoch")),
            ("LAYERS", None),
            ("base(x, training=", None),
            ("batchnorm", Some("BatchNorm")),
            ("seeding", None),
            ("dropout_1", None),
        ];
        for (label, term) in cases {
            assert_eq!(beginning(label).map(|(term, _)| *term), term, "{label}");
        }
    }

    #[test]
    fn each_term_has_one_sentence() {
        for (i, (term, sentence)) in TERMS.iter().enumerate() {
            assert!(sentence.ends_with('.'), "{term}");
            assert!(
                !sentence.trim_end_matches('.').contains(". "),
                "{term}: one sentence"
            );
            assert!(
                TERMS[i + 1..].iter().all(|(other, _)| other != term),
                "{term} twice"
            );
        }
    }
}
