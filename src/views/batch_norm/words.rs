//! The view's sentences, filled with what was measured. `**...**` stands out.

use super::{Shown, arithmetic};
use crate::model::{Mode, Semantics};
use crate::state::State;
use crate::views::call::{self, Call};
use crate::views::number::{count, measured, thousands};
use crate::views::{plots, text as sentences};

/// What PyTorch raises for a single value a channel.
pub const PYTORCH_REFUSES: &str = "Expected more than 1 value per channel when training";

/// The card below: this batch, and the walk so far.
pub fn what_you_see(shown: &Shown<'_>) -> String {
    let [next, _] = shown.next();
    sentences::batch_norm(
        shown.outcome,
        shown.channel,
        shown.trainable,
        Call::of(shown.pass, shown.layer),
        &sentences::Moves {
            momentum: shown.momentum,
            next,
            walk: walk(shown),
        },
    )
}

/// The chosen channel's moving mean after the batches taken in; `None` at the start.
fn walk(shown: &Shown<'_>) -> Option<String> {
    let way = shown.walk();
    let [first, last] = [way.first()?, way.last()?].map(|m| shown_mean(&m.mean));
    let batches = count(shown.walked, "batch", "batches");
    if shown.walked == 0 {
        return None;
    }
    Some(if shown.outcome.training.effective.updates_statistics {
        format!(
            "**After {batches}** the moving mean has walked from {} to {}. ",
            measured(first),
            plots::told_apart(first, last)
        )
    } else {
        format!(
            "**{batches} went through** and the moving mean is still {}. ",
            measured(last)
        )
    })
}

fn shown_mean(values: &[f32]) -> f64 {
    values.first().map_or(0.0, |&x| f64::from(x))
}

/// What stands above a histogram and a map.
pub fn output_caption(shown: &Shown<'_>, mode: Mode, has_map: bool) -> String {
    let channel = shown.channel + 1;
    let map = if has_map { "; right: this photo" } else { "" };
    match mode {
        Mode::Training => {
            let n = thousands(shown.outcome.n);
            let photos = shown.outcome.shape.first().copied().unwrap_or(0);
            let photos = count(photos, "photo", "photos");
            let positions = positions(&shown.outcome.shape);
            format!("Output of channel {channel}: {n} values = {photos}{positions}{map}")
        }
        Mode::Inference => format!("Output of channel {channel}, same photos, same axis{map}"),
    }
}

/// The map in words.
pub fn map_name(shown: &Shown<'_>, mode: Mode) -> String {
    let photo = shown.pass.photos.0.photos.get(shown.pass.photo);
    format!(
        "Output of channel {} for {} with {}",
        shown.channel + 1,
        photo.map_or("the photo", |p| p.name.as_str()),
        call::label(shown.pass.outer(mode), shown.semantics()),
    )
}

/// ` × 5 × 5`; nothing for an input without positions.
fn positions(shape: &[usize]) -> String {
    let axes = shape.get(1..shape.len().saturating_sub(1));
    let mut words = String::new();
    for n in axes.unwrap_or_default() {
        words.push_str(" × ");
        words.push_str(&n.to_string());
    }
    words
}

/// Below the plots of further batches.
pub fn batches(shown: &Shown<'_>, state: &State) -> String {
    let shape = &shown.outcome.shape;
    let per_photo: usize = shape
        .get(1..shape.len().saturating_sub(1))
        .unwrap_or_default()
        .iter()
        .product();
    let photos = state.photos().map_or(0, |p| p.photos.len());
    let now = state.settings.batch.min(photos);
    let size = Size {
        photos: now,
        n: now * per_photo,
        rank: shape.len(),
        positions: positions(shape),
    };
    let channels = shown.batches.iter().map(|batch| {
        let m = &batch.moments;
        [shown.at(&m.mean), shown.at(&m.variance)]
    });
    let channels: Vec<[f64; 2]> = channels.collect();
    let training = &shown.outcome.training;
    let scatter = Scatter {
        batches: &channels,
        all_photos: photos,
        uses_batch: sentences::uses_batch(training),
        beta: shown.at(&shown.outcome.beta),
        frozen: training.effective.training && !sentences::uses_batch(training),
        why: Call::of(shown.pass, shown.layer).why(),
        calls: shown.outcome.calls,
        trainable: shown.trainable,
    };
    size.words(&scatter, shown.semantics())
}

/// The size of a batch as the chosen layer sees it.
struct Size {
    photos: usize,
    /// Values a channel.
    n: usize,
    rank: usize,
    positions: String,
}

/// What the batches measured so far showed.
struct Scatter<'a> {
    /// Mean and variance of the chosen channel.
    batches: &'a [[f64; 2]],
    /// Photos there are.
    all_photos: usize,
    uses_batch: bool,
    beta: f64,
    /// It is the flag that keeps the layer from using the batch.
    frozen: bool,
    /// Why the value of `training` that reaches the layer is what it is.
    why: String,
    calls: usize,
    trainable: bool,
}

impl Size {
    fn words(&self, scatter: &Scatter<'_>, semantics: Semantics) -> String {
        let photos = count(self.photos, "photo", "photos");
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
                " One photo a batch would be n = 1: variance 0. Keras then returns beta, \
                 PyTorch raises an error.",
            );
        }
        words
    }

    /// How far the batches lie apart.
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
            ". Over {} batches the mean scatters by {} (standard deviation), the variance by {}.",
            batches.len(),
            measured(mean),
            measured(variance)
        ))
    }

    /// A single value a channel.
    fn single(&self, scatter: &Scatter<'_>, semantics: Semantics) -> String {
        match semantics {
            Semantics::PyTorch if scatter.uses_batch => {
                format!(". PyTorch refuses a batch of one value a channel: \"{PYTORCH_REFUSES}\".")
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
    /// Whether anything walks, where that needs saying.
    fn fate(&self, semantics: Semantics) -> String {
        if self.calls > 1 {
            return format!(
                " The layer is called {} times a pass; the walk takes in the last call only.",
                self.calls
            );
        }
        match (self.uses_batch, semantics) {
            (false, _) if self.frozen => " **Nothing walks**: the layer is frozen.".to_owned(),
            (false, _) => format!(" **Nothing walks.** {}", self.why),
            (true, Semantics::PyTorch) if !self.trainable => {
                " **It walks though frozen**: requires_grad=False does not stop it.".to_owned()
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
        "Photos in a batch. With a single value a channel (one photo, an input without \
         positions) the variance is 0: Keras returns beta, PyTorch raises \"{PYTORCH_REFUSES}\""
    )
}

/// What the momentum slider's tooltip says.
pub fn momentum_tip(own: f64) -> String {
    format!(
        "How much of the moving value each batch leaves: moving = momentum × moving + \
         (1 − momentum) × batch. The layer's own: {}",
        arithmetic::factor(own)
    )
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
