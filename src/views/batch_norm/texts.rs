//! Fills the view's sentences with what was measured.

use super::Shown;
use super::words::{self, Moves, Scatter, Size};
use crate::model::Mode;
use crate::state::State;
use crate::words::call::{self, Call};
use crate::words::number::told_apart;

/// The card below: this batch, and the walk so far.
pub fn what_you_see(shown: &Shown<'_>) -> String {
    let [next, _] = shown.next();
    words::what_you_see(
        shown.outcome,
        shown.channel,
        shown.trainable,
        &Call::of(&shown.base.model.graph, shown.pass, shown.layer),
        &Moves {
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
    if shown.walked == 0 {
        return None;
    }
    Some(if shown.outcome.training.effective.updates_statistics {
        words::walked(shown.walked, first, &told_apart([first, last])[1])
    } else {
        words::not_walked(shown.walked, last)
    })
}

fn shown_mean(values: &[f32]) -> f64 {
    values.first().map_or(0.0, |&x| f64::from(x))
}

/// The caption above a histogram, in full and in two shorter forms.
pub fn output_captions(shown: &Shown<'_>, mode: Mode, has_map: bool, alone: bool) -> [String; 3] {
    [
        output_caption(shown, mode, has_map, alone),
        output_caption(shown, mode, false, alone),
        words::output_short(shown.channel + 1),
    ]
}

/// The caption above a histogram and a map; `alone`: without the other side.
fn output_caption(shown: &Shown<'_>, mode: Mode, has_map: bool, alone: bool) -> String {
    let channel = shown.channel + 1;
    let outcome = shown.outcome;
    match mode {
        Mode::Inference if !alone => words::output_in_inference(channel, has_map),
        Mode::Training | Mode::Inference => {
            words::output_of_batch(channel, outcome.n, &outcome.shape, has_map)
        }
    }
}

/// The map in words.
pub fn map_name(shown: &Shown<'_>, mode: Mode) -> String {
    let photo = shown
        .photos
        .and_then(|set| set.photos.get(shown.pass.photo));
    words::map_name(
        shown.channel + 1,
        photo.map(|p| p.name.as_str()),
        call::label(shown.pass.outer(mode), shown.semantics()),
    )
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
        positions: words::positions(shape),
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
        uses_batch: training.uses_batch(),
        beta: shown.at(&shown.outcome.beta),
        frozen: training.effective.training && !training.uses_batch(),
        why: Call::of(&shown.base.model.graph, shown.pass, shown.layer).why(),
        calls: shown.outcome.calls,
        trainable: shown.trainable,
    };
    size.words(&scatter, shown.semantics())
}
