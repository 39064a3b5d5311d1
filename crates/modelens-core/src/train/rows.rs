//! Runs as CSV, one row per step.

use std::fmt::Write as _;

use super::movement::Movement;
use super::trainer::TrainingStep;

/// The header line. Validation and movement are in the last row of each epoch.
pub const HEADER: &str = "run,stage,epoch,step,photos,rate,loss,accuracy,val_loss,val_accuracy,\
    val_loss_training,val_accuracy_training,base_weights_moved,base_statistics_moved,\
    head_weights_moved,seed\n";

/// Appends the row of one step of a run with this seed. `in_head` says of each layer whether it belongs to
/// the head.
pub fn row(rows: &mut String, name: &str, seed: u64, step: &TrainingStep, in_head: &[bool]) {
    let TrainingStep {
        stage,
        epoch,
        photos,
        rate,
        ..
    } = step;
    let (n, batch) = (step.step, step.batch);
    let _ = write!(
        rows,
        "\"{name}\",{},{epoch},{n},{photos},{rate},{:.6},{:.6}",
        stage + 1,
        batch.loss,
        batch.accuracy
    );
    let validation = step.end.as_ref().and_then(|end| end.validation);
    match validation {
        Some([training, inference]) => {
            for score in [inference, training] {
                let _ = write!(rows, ",{:.6},{:.6}", score.loss, score.accuracy);
            }
        }
        None => rows.push_str(",,,,"),
    }
    match &step.end {
        Some(end) => {
            let largest = |of_head: bool, of: fn(&Movement) -> Option<f64>| {
                let part = end
                    .movement
                    .iter()
                    .filter(|m| in_head.get(m.layer) == Some(&of_head));
                part.filter_map(of).fold(0.0, f64::max) as f32
            };
            let base = largest(false, |m| m.weights);
            let statistics = largest(false, |m| m.statistics);
            let head = largest(true, |m| m.weights);
            let _ = writeln!(rows, ",{base},{statistics},{head},{seed}");
        }
        None => {
            let _ = writeln!(rows, ",,,,{seed}");
        }
    }
}
