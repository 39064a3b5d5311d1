//! The numbers of the table, for CSV.

use crate::model::releases::call_name;
use crate::views::csv::Table;
use modelens_jobs::ReleasesOutcome;

/// Every release and call.
pub fn csv(outcome: &ReleasesOutcome) -> String {
    let mut table = Table::new();
    table.row(None, "batch", "photos", outcome.photos);
    for cell in &outcome.cells {
        let item = format!("{} {}", cell.rules.id(), call_name(cell.outer));
        let mut row = |quantity: &str, value: &dyn std::fmt::Display| {
            table.row(None, &item, quantity, value);
        };
        row("augmentation_layers_active", &cell.augmentation.active);
        row("noise_layers_active", &cell.noise.active);
        row("share_dropped", &cell.dropped);
        row("batch_norms_on_batch", &cell.batch_norm.active);
        row("statistics_moved", &cell.statistics.active);
        row("output_difference", &cell.output_difference);
    }
    table.finish()
}
