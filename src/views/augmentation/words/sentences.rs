//! "What you see" in the Augmentation view, written from what was measured.

use super::meaning::lost;
use crate::augment::{AugmentLayer, ContrastDraw, Draw, FlipDraw, PHOTO_RANGE, Pipeline, ZoomDraw};
use crate::dataset::PhotoList;
use crate::model::Semantics;
use crate::words::common;
use crate::words::number::{angle, fixed, measured};
use modelens_jobs::{AugmentationOutcome, Grid, GridCell};

/// Channels of a colour photo.
const COLORS: usize = 3;

/// What the grid shows.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    pub outcome: &'a AugmentationOutcome,
    pub pipeline: &'a Pipeline,
    pub grid: Grid,
    pub semantics: Semantics,
    pub photos: Option<&'a PhotoList>,
    /// The name of the file's augmentation block, if the pipeline is that block.
    pub own: Option<&'a str>,
}

/// The conclusion and all sentences.
pub fn sentences(seen: &Seen<'_>) -> String {
    let own = seen
        .own
        .map(|name| format!("This pipeline comes from the file: {name}."));
    // Keras' Equalization does not draw, but does nothing in inference either.
    let random = active(seen.pipeline).any(AugmentLayer::is_training_only);
    let mut all: Vec<String> = Vec::new();
    if random {
        all.push(left(seen));
        all.extend(epochs(seen));
        all.push(right(seen));
        all.extend(mixed(seen));
        all.extend(meaning(seen));
        if !seen.pipeline.is_never_off(seen.semantics) {
            all.push(
                "Called without training=, these layers augment: their default is True.".into(),
            );
        }
        all.extend(differences(seen.pipeline, seen.semantics));
    }
    all.extend(scaled(seen.pipeline));
    all.extend(own);
    common::concluded(&conclusion(seen, random), &all.join(" "))
}

/// How the pictures show values of another range than a photo's.
fn scaled(pipeline: &Pipeline) -> Option<String> {
    let ranges = pipeline.ranges(COLORS);
    let ends = || ranges.iter().flatten().copied();
    let low = ends().fold(f64::INFINITY, f64::min);
    let high = ends().fold(f64::NEG_INFINITY, f64::max);
    ([low, high] != PHOTO_RANGE).then(|| {
        let (low, high) = (fixed(low, 2), fixed(high, 2));
        format!(
            "A photo's values now run from {low} to {high}. The pictures show them scaled back to 0 to 255, so \
             that black is black."
        )
    })
}

/// How many pictures each side changes.
fn conclusion(seen: &Seen<'_>, random: bool) -> String {
    let (training, inference) = (&seen.outcome.training, &seen.outcome.inference);
    let n = training.len();
    if active(seen.pipeline).next().is_none() {
        return format!("No step is on: all {n} pictures on both sides are the unchanged photos.");
    }
    if !random {
        return format!(
            "No step is random: this pipeline makes the same {n} pictures in both modes."
        );
    }
    if seen.pipeline.is_never_off(seen.semantics) {
        return format!(
            "Both sides are drawn anew, {n} pictures each: model.eval() does not reach augmentation."
        );
    }
    let changed = |cells: &[GridCell]| {
        let changed = cells
            .iter()
            .filter(|cell| cell.largest_difference != Some(0.0));
        changed.count()
    };
    let [left, right] = [training, inference].map(|cells| changed(cells));
    let right = match right {
        0 => "none is".to_owned(),
        right => format!("{right} are, by layers that act in both modes"),
    };
    format!("With training=True {left} of {n} pictures are changed; with training=False {right}.")
}

/// The layers that are on.
fn active(pipeline: &Pipeline) -> impl Iterator<Item = &AugmentLayer> {
    pipeline
        .steps
        .iter()
        .filter(|step| step.on)
        .map(|step| &step.layer)
}

/// A number of images; nine is written as a word, as in the course.
fn number(n: usize) -> String {
    if n == 9 {
        "nine".to_owned()
    } else {
        n.to_string()
    }
}

fn left(seen: &Seen<'_>) -> String {
    let cells = &seen.outcome.training;
    let n = cells.len();
    let what = match seen.grid {
        Grid::OnePhoto => format!("{} draws from one photo", number(n)),
        Grid::NinePhotos if n == 1 => "one photo, drawn once".to_owned(),
        Grid::NinePhotos => format!("{} photos, one draw each", number(n)),
        Grid::ThreeEpochs => format!("{} in three epochs", common::photos(n / 3)),
    };
    let parts = drawn(cells);
    if parts.is_empty() {
        return format!("Left, {what}.");
    }
    format!("Left, {what}: {}.", parts.join(", "))
}

/// What was drawn, counted and measured over the cells.
fn drawn(cells: &[GridCell]) -> Vec<String> {
    let draws = || cells.iter().flat_map(|cell| &cell.draws);
    let mut parts = Vec::new();
    if draws().any(|draw| matches!(draw, Draw::Flip(_))) {
        let flipped = |draw: &Draw| matches!(draw, Draw::Flip(FlipDraw { left_right, top_bottom }) if *left_right || *top_bottom);
        let flips = cells
            .iter()
            .filter(|cell| cell.draws.iter().any(flipped))
            .count();
        parts.push(format!("{flips} of {} are flipped", cells.len()));
    }
    if let Some((low, high)) = range(draws().filter_map(degrees)) {
        parts.push(format!("angles run from {} to {}", angle(low), angle(high)));
    }
    let zooms = draws().filter_map(|draw| match draw {
        Draw::Zoom(ZoomDraw { y, .. }) => Some(*y),
        _ => None,
    });
    if let Some((low, high)) = range(zooms) {
        let (low, high) = (fixed(low, 2), fixed(high, 2));
        parts.push(format!(
            "zoom runs from {low} to {high} (in Keras, above 1 zooms out)"
        ));
    }
    let contrasts = draws().filter_map(|draw| match draw {
        Draw::Contrast(ContrastDraw { factor, .. }) => Some(*factor),
        _ => None,
    });
    if let Some((low, high)) = range(contrasts) {
        parts.push(format!(
            "contrast from {} to {}",
            fixed(low, 2),
            fixed(high, 2)
        ));
    }
    parts
}

/// How far a draw turns a photo, counter-clockwise.
fn degrees(draw: &Draw) -> Option<f64> {
    let quantities = draw.quantities().into_iter();
    let mut turns = quantities.filter(|(name, _)| *name == "rotation_degrees");
    turns.next().map(|(_, degrees)| degrees)
}

/// What becomes of the labels where a step mixes them.
fn mixed(seen: &Seen<'_>) -> Option<String> {
    if !seen.pipeline.mixes_labels() {
        return None;
    }
    let cells = &seen.outcome.training;
    if seen.grid == Grid::OnePhoto {
        return Some(
            "A batch of one photo has nothing to mix with: choose nine photos to see labels mixed."
                .to_owned(),
        );
    }
    let mixed = cells.iter().filter(|cell| cell.target.len() > 1).count();
    Some(format!(
        "{mixed} of {} photos are mixed with another one, and their label is mixed alike.",
        cells.len()
    ))
}

/// Three epochs: the same photos, drawn differently in each.
fn epochs(seen: &Seen<'_>) -> Option<String> {
    let cells = &seen.outcome.training;
    if seen.grid != Grid::ThreeEpochs || cells.is_empty() {
        return None;
    }
    let photos = cells.len() / 3;
    let differs = |photo: usize| {
        let [a, b, c] = [0, 1, 2].map(|epoch| cells.get(epoch * photos + photo).map(|c| &c.draws));
        a != b && b != c && a != c
    };
    let other = (0..photos).filter(|&photo| differs(photo)).count();
    Some(format!(
        "The data set does not grow: every epoch has the same {}, and {other} of {photos} are \
         drawn differently in each.",
        common::photos(photos)
    ))
}

fn right(seen: &Seen<'_>) -> String {
    let cells = &seen.outcome.inference;
    if seen.pipeline.is_never_off(seen.semantics) {
        return format!(
            "Right, {} more draws: torchvision's transforms and PyTorch's data loader do not know the \
             mode, and model.eval() does not reach them. Evaluate with a second loader without them.",
            number(cells.len())
        );
    }
    let sizes_differ = cells.iter().any(|cell| cell.largest_difference.is_none());
    let differences = cells.iter().filter_map(|cell| cell.largest_difference);
    let largest = differences.fold(0.0_f32, f32::max);
    let rest = "Right, training=False: the random layers return their input";
    if sizes_differ {
        return format!("{rest}, but a layer that acts in both modes changes its size.");
    }
    if largest > 0.0 {
        return format!(
            "{rest}, but a layer that acts in both modes changes it by up to {}.",
            measured(f64::from(largest))
        );
    }
    match seen.grid {
        Grid::OnePhoto => format!(
            "Right, {} copies: with training=False augmentation layers return their input \
             (largest difference 0). If all images in your notebook are the same, the layer most \
             likely ran in inference mode.",
            number(cells.len())
        ),
        Grid::NinePhotos | Grid::ThreeEpochs => {
            "Right, the unchanged photos: with training=False augmentation layers return their \
             input (largest difference 0)."
                .to_owned()
        }
    }
}

/// Says which photos have lost their meaning, as far as the classes tell; else whether they could.
fn meaning(seen: &Seen<'_>) -> Vec<String> {
    let lost = seen
        .photos
        .map(|photos| lost(photos, &seen.outcome.training));
    match lost {
        Some(lost) if !lost.is_empty() => lost,
        _ => upside_down(seen).into_iter().collect(),
    }
}

/// Says whether a photo may be upside down, so that its label is wrong.
fn upside_down(seen: &Seen<'_>) -> Option<String> {
    let cells = &seen.outcome.training;
    let drawn = cells
        .iter()
        .filter(|cell| cell.draws.iter().any(Draw::is_upside_down))
        .count();
    if drawn > 0 {
        return Some(format!(
            "Labels may become wrong: {drawn} of {} are flipped vertically or turned by more \
             than 90°, which makes a 9 of a 6.",
            cells.len()
        ));
    }
    let possible = active(seen.pipeline).any(AugmentLayer::can_turn_upside_down);
    possible.then(|| {
        format!(
            "None of these {} is upside down, but this pipeline can flip vertically or turn by more \
             than 90°: a 6 would become a 9 under the label 6.",
            number(cells.len())
        )
    })
}

/// How the layers of the pipeline differ between Keras 2 and Keras 3.
fn differences(pipeline: &Pipeline, semantics: Semantics) -> Vec<String> {
    let mut notes = Vec::new();
    for layer in active(pipeline) {
        let note = layer.differences(semantics);
        notes.extend(note.filter(|note| !notes.contains(note)));
    }
    notes
}

fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |range, x| match range {
        None => Some((x, x)),
        Some((low, high)) => Some((low.min(x), high.max(x))),
    })
}

#[cfg(test)]
#[path = "sentences_tests.rs"]
mod tests;
