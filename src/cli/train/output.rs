//! The progress bar.

use std::io::IsTerminal as _;
use std::time::Instant;

use crate::cli::terminal;
use crate::train::trainer::TrainingStep;

/// A progress bar on standard error, if that is a terminal.
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

    pub fn tell(&mut self, step: &TrainingStep) {
        self.done += 1;
        if !self.shown {
            return;
        }
        let full = Self::WIDTH * self.done / self.total.max(1);
        let (filled, empty) = ("█".repeat(full), "░".repeat(Self::WIDTH - full));
        let left =
            self.begin.elapsed().as_secs_f64() / self.done as f64 * (self.total - self.done) as f64;
        let (n, total, epoch, loss) = (self.done, self.total, step.epoch, step.batch.loss);
        terminal::tell(format_args!(
            "\r{filled}{empty} step {n}/{total}  epoch {epoch}  loss {loss:.4}  {left:.0} s left  "
        ));
    }

    pub fn end(&self) {
        if self.shown {
            terminal::tell(format_args!("\n"));
        }
    }
}
