//! The numbers of the four cards, for CSV.

use crate::views::csv::Table;
use modelens_jobs::{TrainableCard, TrainableOutcome};

/// The step, and what it did under each setting of the two switches.
pub fn csv(outcome: &TrainableOutcome) -> String {
    let mut table = Table::new();
    table.row(None, "step", "rate", outcome.rate);
    table.row(None, "step", "photos", outcome.photos);
    for card in &outcome.cards {
        card_rows(&mut table, card);
    }
    table.finish()
}

fn card_rows(table: &mut Table, card: &TrainableCard) {
    let mode = Some(card.mode);
    let flag = if card.trainable {
        "trainable=True"
    } else {
        "trainable=False"
    };
    table.row(mode, flag, "loss", card.loss);
    table.row(mode, flag, "output_difference", card.output_difference);
    table.row(mode, flag, "noise_layers_active", card.noises_active);
    for (part, name) in [(&card.base, "base"), (&card.head, "head")] {
        let item = format!("{flag} {name}");
        table.row(mode, &item, "parameters_that_learn", part.learns);
        table.row(mode, &item, "largest_weight_change", part.weight_change);
        table.row(mode, &item, "batch_norms", part.batch_norms);
        table.row(mode, &item, "batch_norms_on_batch", part.on_batch);
        table.row(mode, &item, "statistics_moved", part.statistics_moved);
        table.row(
            mode,
            &item,
            "largest_statistics_change",
            part.statistics_change,
        );
    }
}
