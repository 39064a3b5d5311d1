//! The rates of stochastic depth, which no state dict tells.

use super::choice::{Told, unknown_option};
use crate::formats::OpenError;
use crate::model::Assumption;

/// Rates that grow from 0 at the first block to `most` at the last.
pub struct StochasticDepth {
    most: f64,
    is_told: bool,
}

impl StochasticDepth {
    /// The rate that a person chose with `drop_path=RATE`, else that of the library.
    ///
    /// # Errors
    /// Any other option.
    pub fn of(told: &Told, of_library: f64) -> Result<Self, OpenError> {
        let mut depth = Self {
            most: of_library,
            is_told: false,
        };
        for option in &told.options {
            let wrong = || unknown_option(option, &["drop_path=RATE"]);
            let rate = option.strip_prefix("drop_path=").ok_or_else(wrong)?;
            let rate = rate.parse().ok().filter(|rate| (0.0..1.0).contains(rate));
            depth.most = rate.ok_or_else(wrong)?;
            depth.is_told = true;
        }
        Ok(depth)
    }

    /// The rate of block `place` of `total`.
    pub fn rate(&self, place: usize, total: usize) -> f64 {
        self.most * place as f64 / (total.max(2) - 1) as f64
    }

    /// Says which rates were taken, as in this library; nothing if a person chose them.
    pub fn assumption(&self, told: &Told, library: &str) -> Option<Assumption> {
        if self.is_told {
            return None;
        }
        let most = self.most;
        let others = [0.0, 0.1, 0.2, 0.4]
            .into_iter()
            .filter(|rate| *rate != most);
        let rates = std::iter::once(most).chain(others);
        let sentence = if most == 0.0 {
            format!(
                "the file does not tell the rates of stochastic depth: they are 0, as in {library}"
            )
        } else {
            format!(
                "the file does not tell the rates of stochastic depth: they grow from 0 to {most} over the \
                 blocks, as in {library}"
            )
        };
        Some(Assumption {
            sentence,
            choices: rates
                .map(|rate| told.with_option(&format!("drop_path={rate}")))
                .collect(),
        })
    }
}
