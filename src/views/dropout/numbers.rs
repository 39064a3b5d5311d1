//! The numbers of a noise layer, for CSV.

use crate::model::Mode;
use crate::views::csv::Table;
use modelens_jobs::DropoutOutcome;

/// Rates, the mean of passes, the prediction, and every unit of both sides.
pub fn csv(outcome: &DropoutOutcome) -> String {
    let mut table = Table::new();
    table.row(None, "layer", "rate", outcome.noise.strength());
    table.row(None, "layer", "rate_in_file", outcome.file_rate);
    for point in &outcome.mean.points {
        let item = format!("mean of {} passes", point.passes);
        table.row(None, &item, "distance", point.distance);
        table.row(None, &item, "expected_distance", point.expected);
    }
    if let Some(passes) = &outcome.monte_carlo {
        let item = format!("class {}", passes.top);
        table.row(
            Some(Mode::Inference),
            &item,
            "probability",
            passes.inference,
        );
        table.values(
            Some(Mode::Training),
            "pass",
            "probability",
            &passes.probabilities,
        );
    }
    for (mode, side) in Mode::BOTH
        .into_iter()
        .zip([&outcome.training, &outcome.inference])
    {
        let mode = Some(mode);
        table.row(mode, "layer", "dropped", side.dropped);
        table.values(mode, "unit", "before", &side.input);
        if let Some(mask) = &side.mask {
            table.values(mode, "unit", "factor", mask);
        }
        table.values(mode, "unit", "after", &side.output);
    }
    table.finish()
}
