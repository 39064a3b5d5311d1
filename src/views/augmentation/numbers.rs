//! The numbers of the grids, for CSV.

use crate::model::Mode;
use crate::views::csv::Table;
use modelens_jobs::{AugmentationOutcome, GridCell};

/// What each cell of both sides drew, and how far it is from its photo.
pub fn csv(outcome: &AugmentationOutcome) -> String {
    let mut table = Table::new();
    for mode in Mode::BOTH {
        for (i, cell) in outcome.side(mode).iter().enumerate() {
            let item = format!("cell {}", i + 1);
            draws(&mut table, mode, &item, cell);
            if let Some(difference) = cell.largest_difference {
                table.row(Some(mode), &item, "largest_difference", difference);
            }
        }
    }
    table.finish()
}

/// What was drawn for a cell: one item per step of the pipeline, one number per quantity.
fn draws(table: &mut Table, mode: Mode, cell: &str, of: &GridCell) {
    for (i, draw) in of.draws.iter().enumerate() {
        let item = format!("{cell} step {}", i + 1);
        for (quantity, value) in draw.quantities() {
            table.row(Some(mode), &item, quantity, value);
        }
    }
}
