//! The numbers of the runs, for CSV: rows of steps, as `modelens train` writes them.

use std::fmt::Write as _;

use crate::state::{RunState, TrainingState};
use crate::train::rows::{HEADER, row};
use crate::views::csv::quoted;
use modelens_jobs::NetworkDescription;

/// Every step of every run, and how far each layer has moved; `None` before there are runs.
pub fn csv(training: &TrainingState) -> Option<String> {
    let network = training.network.as_ref()?;
    let seed = training.experiment.as_ref()?.setup.seed;
    let mut table = String::new();
    for run in &training.runs {
        let mut rows = String::new();
        for step in &run.steps {
            row(&mut rows, &run.name, seed, step, &network.in_head);
        }
        for line in rows.lines() {
            let _ = writeln!(table, "{line},,,");
        }
        moved(&mut table, run, network);
    }
    let header = HEADER.trim_end();
    Some(format!(
        "{header},layer,weights_moved,statistics_moved\n{table}"
    ))
}

/// Adds one row per layer: how far it has moved after the last epoch. The columns of steps are empty.
fn moved(table: &mut String, run: &RunState, network: &NetworkDescription) {
    let last = run.steps.iter().rev().find(|step| step.end.is_some());
    let Some((step, end)) = last.and_then(|step| Some((step, step.end.as_ref()?))) else {
        return;
    };
    let empty = ",".repeat(HEADER.matches(',').count() - 2);
    for movement in &end.movement {
        let name = network.layer_names.get(movement.layer);
        let layer = quoted(name.map_or("", String::as_str));
        let [weights, statistics] = [movement.weights, movement.statistics]
            .map(|moved| moved.map_or_else(String::new, |moved| (moved as f32).to_string()));
        let (name, stage, epoch) = (&run.name, step.stage + 1, step.epoch);
        let _ = writeln!(
            table,
            "\"{name}\",{stage},{epoch}{empty},{layer},{weights},{statistics}"
        );
    }
}
