//! The numbers of the predictions, for CSV.

use crate::model::Mode;
use crate::views::csv::Table;
use modelens_jobs::PredictOutcome;

/// Every class that is shown, every pass and every batch. Classes are counted from 0, as the model's
/// outputs are.
pub fn csv(outcome: &PredictOutcome) -> String {
    let mut table = Table::new();
    table.row(None, "batch", "photos", outcome.batch);
    table.row(None, "class", "followed", outcome.followed);
    for mode in Mode::BOTH {
        for row in &outcome.rows {
            let item = format!("class {}", row.class);
            table.row(Some(mode), &item, "probability", row.probability(mode));
        }
        let side = outcome.side(mode);
        for (what, seen) in [("pass", &side.passes), ("batch", &side.mates)] {
            for (i, seen) in seen.iter().enumerate() {
                let item = format!("{what} {}", i + 1);
                table.row(Some(mode), &item, "probability", seen.probability);
                table.row(Some(mode), &item, "first_class", seen.first);
            }
        }
    }
    table.finish()
}
