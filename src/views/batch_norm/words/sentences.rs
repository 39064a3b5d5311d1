//! Sentences about further batches and outputs. Text between `**` stands out.

use crate::model::Semantics;
use crate::words::common;
use crate::words::number::{measured, thousands};

/// What PyTorch raises for a single value a channel.
pub const PYTORCH_REFUSES: &str = "Expected more than 1 value per channel when training";

/// The moving mean before and after `batches`; `last` has enough digits to differ from `first`.
pub fn walked(batches: usize, first: f64, last: &str) -> String {
    let batches = common::batches(batches);
    let first = measured(first);
    format!("After {batches} the moving mean has moved from {first} to {last}. ")
}

/// The moving mean after `batches` through a layer that doesn't update it.
pub fn not_walked(batches: usize, mean: f64) -> String {
    let batches = common::batches(batches);
    let mean = measured(mean);
    format!("{batches} went through and the moving mean is still {mean}. ")
}

/// The caption of a histogram: how many values, of what.
pub fn output_of_batch(channel: usize, n: usize, shape: &[usize], has_map: bool) -> String {
    let photos = common::photos(shape.first().copied().unwrap_or(0));
    let (n, positions, map) = (thousands(n), positions(shape), beside(has_map));
    format!("Output of channel {channel}: {n} values = {photos}{positions}{map}")
}

/// The caption in the inference column, beside the training column.
pub fn output_in_inference(channel: usize, has_map: bool) -> String {
    let map = beside(has_map);
    format!("Output of channel {channel}, same photos, same axis{map}")
}

/// The caption for narrow columns.
pub fn output_short(channel: usize) -> String {
    format!("Output of channel {channel}")
}

fn beside(has_map: bool) -> &'static str {
    if has_map { "; right: this photo" } else { "" }
}

/// A map's name; `photo` is its file's name.
pub fn map_name(channel: usize, photo: Option<&str>, call: &str) -> String {
    let photo = photo.unwrap_or("the photo");
    format!("Output of channel {channel} for {photo} with {call}")
}

/// ` × 5 × 5`; nothing for an input without positions.
pub fn positions(shape: &[usize]) -> String {
    let axes = shape.get(1..shape.len().saturating_sub(1));
    let mut words = String::new();
    for n in axes.unwrap_or_default() {
        words.push_str(" × ");
        words.push_str(&n.to_string());
    }
    words
}

/// The size of a batch as the chosen layer sees it.
pub struct Size {
    pub photos: usize,
    /// Values a channel.
    pub n: usize,
    pub rank: usize,
    pub positions: String,
}

/// What the batches measured so far showed.
pub struct Scatter<'a> {
    /// Mean and variance of the chosen channel.
    pub batches: &'a [[f64; 2]],
    /// Photos there are.
    pub all_photos: usize,
    pub uses_batch: bool,
    pub beta: f64,
    /// It is the flag that keeps the layer from using the batch.
    pub frozen: bool,
    /// Why the value of `training` that reaches the layer is what it is.
    pub why: String,
    pub calls: usize,
    pub trainable: bool,
}

impl Size {
    /// The size of the batch, how its statistics vary from batch to batch, and what follows.
    pub fn words(&self, scatter: &Scatter<'_>, semantics: Semantics) -> String {
        let photos = common::photos(self.photos);
        let n = thousands(self.n);
        let mut words = format!("**n = {n}** ({photos}{})", self.positions);
        if self.n == 1 {
            words.push_str(&self.single(scatter, semantics));
            return words;
        }
        if let Some(spread) = self.spread(scatter) {
            words.push_str(&spread);
        } else {
            words.push('.');
        }
        words.push_str(&scatter.fate(semantics));
        if self.rank == 2 {
            words.push_str(
                " A batch of one photo would have n = 1 and variance 0: Keras returns beta, \
                 PyTorch raises an error.",
            );
        }
        words
    }

    /// How much the statistics vary between batches.
    fn spread(&self, scatter: &Scatter<'_>) -> Option<String> {
        let batches = scatter.batches;
        if batches.len() < 2 {
            return None;
        }
        let [mean, variance] = [0, 1].map(|i| deviation(batches.iter().map(|b| b[i])));
        if mean == 0.0 && variance == 0.0 {
            let why = if self.photos == scatter.all_photos {
                ": each holds every photo"
            } else {
                ""
            };
            return Some(format!(
                ". All {} batches are the same{why}.",
                batches.len()
            ));
        }
        Some(format!(
            ". Over {} batches the mean has a standard deviation of {}, the variance one of {}.",
            batches.len(),
            measured(mean),
            measured(variance)
        ))
    }

    /// A single value a channel.
    fn single(&self, scatter: &Scatter<'_>, semantics: Semantics) -> String {
        match semantics {
            Semantics::PyTorch if scatter.uses_batch => {
                format!(
                    ". PyTorch refuses a batch with one value per channel: \"{PYTORCH_REFUSES}\"."
                )
            }
            _ if !scatter.uses_batch => {
                ". The layer normalises with its stored statistics, so one value is enough."
                    .to_owned()
            }
            _ => {
                let beta = measured(scatter.beta);
                let fused = if semantics == Semantics::Keras2 && self.rank == 4 {
                    " N/(N − 1) would divide by 0, so Keras 2 leaves the variance as it is."
                } else {
                    ""
                };
                format!(
                    ". The value is its own mean and the variance is 0, so every output is beta \
                     ({beta}), whatever the photo shows.{fused} PyTorch refuses such a batch: \
                     \"{PYTORCH_REFUSES}\"."
                )
            }
        }
    }
}

impl Scatter<'_> {
    /// Whether the moving statistics move, if that needs saying.
    fn fate(&self, semantics: Semantics) -> String {
        if self.calls > 1 {
            return format!(
                " The layer is called {} times per pass; only the last call counts here.",
                self.calls
            );
        }
        match (self.uses_batch, semantics) {
            (false, _) if self.frozen => " **No statistic moves**: the layer is frozen.".to_owned(),
            (false, _) => format!(" **No statistic moves.** {}", self.why),
            (true, Semantics::PyTorch) if !self.trainable => {
                " **The statistics move although the layer is frozen**: requires_grad=False does not stop \
                 them.".to_owned()
            }
            (true, _) => String::new(),
        }
    }
}

/// The standard deviation of a few batches' values (over their number less one).
fn deviation(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    let squares: f64 = values.map(|x| (x - mean) * (x - mean)).sum();
    (squares / (n - 1.0)).sqrt()
}

/// What the batch slider's tooltip says.
pub fn batch_tip() -> String {
    format!(
        "Photos in a batch. With a single value per channel (one photo, an input without \
         positions) the variance is 0: Keras returns beta, PyTorch raises \"{PYTORCH_REFUSES}\""
    )
}

/// What the momentum slider's tooltip says.
pub fn momentum_tip(own: &str) -> String {
    format!(
        "The share of the moving value that each batch keeps: moving = momentum × moving + \
         (1 − momentum) × batch. The layer's own: {own}"
    )
}

#[cfg(test)]
#[path = "sentences_tests.rs"]
mod tests;
