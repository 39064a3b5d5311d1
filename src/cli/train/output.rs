//! Rows of the CSV, and the progress bar.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::time::Instant;

use crate::train::movement::Movement;
use crate::train::network::Network;
use crate::train::trainer::Step;

/// One row a step; validation and movement stand in the last row of an epoch.
pub const HEADER: &str = "run,stage,epoch,step,photos,rate,loss,accuracy,val_loss,val_accuracy,\
    val_loss_training,val_accuracy_training,base_weights_moved,base_statistics_moved,\
    head_weights_moved\n";

/// Adds the row of one step.
pub fn row(rows: &mut String, name: &str, step: &Step, network: &Network) {
    let Step {
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
            let largest = |in_head: bool, of: fn(&Movement) -> Option<f64>| {
                let part = end
                    .movement
                    .iter()
                    .filter(|m| network.in_head[m.layer] == in_head);
                part.filter_map(of).fold(0.0, f64::max) as f32
            };
            let base = largest(false, |m| m.weights);
            let statistics = largest(false, |m| m.statistics);
            let head = largest(true, |m| m.weights);
            let _ = writeln!(rows, ",{base},{statistics},{head}");
        }
        None => rows.push_str(",,,\n"),
    }
}

/// The progress on standard error, where somebody can see it.
pub struct Bar {
    total: usize,
    done: usize,
    begin: Instant,
    shown: bool,
}

impl Bar {
    const WIDTH: usize = 24;

    pub fn new(total: usize) -> Self {
        Self {
            total,
            done: 0,
            begin: Instant::now(),
            shown: std::io::stderr().is_terminal(),
        }
    }

    pub fn tell(&mut self, step: &Step) {
        self.done += 1;
        if !self.shown {
            return;
        }
        let full = Self::WIDTH * self.done / self.total.max(1);
        let (filled, empty) = ("█".repeat(full), "░".repeat(Self::WIDTH - full));
        let left =
            self.begin.elapsed().as_secs_f64() / self.done as f64 * (self.total - self.done) as f64;
        let (n, total, epoch, loss) = (self.done, self.total, step.epoch, step.batch.loss);
        eprint!(
            "\r{filled}{empty} step {n}/{total}  epoch {epoch}  loss {loss:.4}  {left:.0} s left  "
        );
    }

    pub fn end(&self) {
        if self.shown {
            eprintln!();
        }
    }
}
