//! What the mode changes in a network without dropout.

use crate::model::{Mode, Semantics};
use crate::words::common;
use crate::words::modes::mode_label;
use crate::words::number::{count, measured, seconds};
use modelens_jobs::ModesOutcome;

pub const INSTEAD: &str = "WHAT TRAINING MODE CHANGES HERE";
pub const SHOW_BATCH_NORM: &str = "Open the BatchNorm view";

pub fn took_modes(photos: usize, secs: f64) -> String {
    let photos = common::photos(photos);
    format!("Forward, {photos}, both modes: {}", seconds(secs))
}

/// A line for each kind of layer with modes, and one for what was measured.
pub fn without_dropout(outcome: &ModesOutcome, semantics: Semantics) -> Vec<String> {
    let [train, eval] = Mode::BOTH.map(|mode| mode_label(mode, semantics));
    let ModesOutcome {
        batch_norms,
        on_batch,
        augmentations,
        drawing,
        ..
    } = *outcome;
    let mut lines = Vec::new();
    if batch_norms > 0 {
        let all = count(batch_norms, "BatchNorm layer", "BatchNorm layers");
        lines.push(match on_batch {
            0 => format!("**BatchNorm: nothing.** All of its {all} use stored statistics in both columns."),
            _ => format!(
                "**BatchNorm**: {on_batch} of {all} {} the batch in the left column, and stored statistics \
                 with {eval}.",
                if on_batch == 1 { "uses" } else { "use" },
            ),
        });
    }
    if augmentations > 0 {
        let all = count(augmentations, "augmentation layer", "augmentation layers");
        lines.push(match drawing {
            0 => format!("**Augmentation: nothing.** Its {all} do not draw in the left column."),
            _ => format!(
                "**Augmentation**: {drawing} of {all} {} in the left column.",
                if drawing == 1 { "draws" } else { "draw" },
            ),
        });
    }
    if batch_norms + augmentations == 0 {
        lines.push(format!(
            "**Nothing**: no layer of this network tells {train} from {eval}."
        ));
    }
    lines.push(measured_line(outcome));
    lines
}

/// How far the outputs of the two columns are apart.
fn measured_line(outcome: &ModesOutcome) -> String {
    let photos = common::photos(outcome.photos);
    if outcome.difference == 0.0 {
        return format!("Measured on {photos}: both columns give the same outputs.");
    }
    let difference = measured(f64::from(outcome.difference));
    let classes = match outcome.other_class {
        None => String::new(),
        Some(0) => ", and no photo gets another class".to_owned(),
        Some(1) => ", and 1 photo gets another class".to_owned(),
        Some(n) => format!(", and {n} photos get another class"),
    };
    format!("Measured on {photos}: the outputs differ by up to {difference}{classes}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_follow_from_the_numbers() {
        let outcome = ModesOutcome {
            photos: 8,
            batch_norms: 0,
            on_batch: 0,
            augmentations: 0,
            drawing: 0,
            difference: 0.0,
            other_class: Some(0),
        };
        let plain = without_dropout(&outcome, Semantics::Keras3);
        assert_eq!(
            plain,
            [
                "**Nothing**: no layer of this network tells training=True from training=False.",
                "Measured on 8 photos: both columns give the same outputs."
            ]
        );
        let outcome = ModesOutcome {
            batch_norms: 2,
            on_batch: 1,
            difference: 0.25,
            other_class: Some(3),
            ..outcome
        };
        let lines = without_dropout(&outcome, Semantics::PyTorch);
        assert_eq!(
            lines,
            [
                "**BatchNorm**: 1 of 2 BatchNorm layers uses the batch in the left column, and stored \
                 statistics with model.eval().",
                "Measured on 8 photos: the outputs differ by up to 0.2500, and 3 photos get another class."
            ]
        );
    }
}
