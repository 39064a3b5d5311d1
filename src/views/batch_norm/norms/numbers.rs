//! The numbers of the comparison, for CSV.

use super::Compared;
use crate::model::norms::Reads;
use crate::views::csv::Table;
use modelens_jobs::NormSide;

/// What each norm reads, its statistics in each channel, and its error on batches of each size.
pub fn csv(compared: &Compared<'_>) -> String {
    let outcome = compared.outcome;
    let mut table = Table::new();
    table.row(None, "batch", "photos", outcome.batch);
    table.row(None, "reference", "photos", outcome.photos);
    table.row(
        None,
        "layer",
        "values_a_channel_and_photo",
        outcome.positions,
    );
    table.row(None, "layer", "epsilon", outcome.epsilon);
    table.row(None, "layer", "present", outcome.present.id());
    table.row(None, "group_norm", "groups", outcome.groups);
    for row in &outcome.rows {
        let id = row.norm.id();
        table.row(None, id, "learns", row.norm.learns());
        if let Some(difference) = row.between_modes {
            table.row(None, id, "difference_between_modes", difference);
        }
        if let Some(difference) = row.from_inference {
            table.row(None, id, "difference_from_batch_norm", difference);
        }
        for (mode, side) in row.sides() {
            let mut put = |item: &str, quantity: &str, value: &dyn std::fmt::Display| {
                table.row(Some(mode), item, quantity, value);
            };
            put(id, "reads", &reads_id(side.reads));
            put(id, "statistics_move", &side.moves);
            errors(&mut put, id, &outcome.sizes, side);
            if let Some(used) = &side.used {
                let channel = format!("{id} channel");
                table.values(Some(mode), &channel, "mean", &used.mean);
                table.values(Some(mode), &channel, "variance", &used.variance);
            }
        }
    }
    table.finish()
}

fn errors(
    put: &mut dyn FnMut(&str, &str, &dyn std::fmt::Display),
    id: &str,
    sizes: &[usize],
    side: &NormSide,
) {
    for (size, error) in sizes.iter().zip(&side.errors) {
        let item = format!("{id} batch of {size}");
        match error {
            Some(error) => {
                put(&item, "error", &error.mean);
                put(&item, "error_low", &error.low);
                put(&item, "error_high", &error.high);
            }
            None => put(&item, "error", &"refused"),
        }
    }
}

/// The word in tables of numbers.
fn reads_id(reads: Reads) -> &'static str {
    match reads {
        Reads::Batch => "batch",
        Reads::Stored => "stored",
        Reads::Photo => "photo",
    }
}
