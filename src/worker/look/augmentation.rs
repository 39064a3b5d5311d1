//! One photo, nine times through the pipeline, in both modes.

use super::{Context, LookError, load};
use crate::augment::{Draw, Pipeline};
use crate::dataset::Image;
use crate::dataset::decode::DecodeCause;
use crate::model::Semantics;
use crate::worker::job::{AugmentationLook, AugmentationOutcome, Cell, Outcome};
use crate::worker::photos::PhotoCache;

/// The course's grid: three by three.
const CELLS: usize = 9;
/// What draws of the grid are addressed by.
const GRID: u64 = u64::from_le_bytes(*b"grid\0\0\0\0");

pub fn compute(
    look: &AugmentationLook,
    context: &Context<'_>,
    cache: &mut PhotoCache,
) -> Result<(Vec<usize>, Outcome), LookError> {
    let size = [look.height, look.width];
    let loaded = load(&look.photos.0, &[look.photo], size, context, cache);
    let original = match loaded.into_iter().next() {
        Some((_, Ok(image))) => image,
        Some((_, Err(error))) if matches!(error.cause, DecodeCause::Cancelled) => {
            return Err(LookError::Cancelled);
        }
        Some((_, Err(error))) => return Err(LookError::Photo(error)),
        None => return Err(LookError::NoPhotos),
    };
    let draw = |repeat: u64| {
        let purpose = [GRID, repeat];
        let (h, w) = (look.height, look.width);
        look.pipeline
            .draw_batch(look.semantics, look.seed, &purpose, CELLS, h, w)
    };
    let drawn = |draws: Vec<Vec<Draw>>| -> Vec<Cell> {
        let cells = draws.into_iter().map(|draws| {
            let image = look.pipeline.apply(&draws, &original);
            let words = Pipeline::words(&draws);
            Cell {
                largest_difference: difference(&image, &original),
                image,
                draws,
                words,
            }
        });
        cells.collect()
    };
    let training = drawn(draw(2 * look.redraws));
    // A PyTorch data loader augments whatever mode the model is in.
    let inference = if look.semantics == Semantics::PyTorch {
        drawn(draw(2 * look.redraws + 1))
    } else {
        let image = look.pipeline.inference(look.semantics, &original);
        let cell = Cell {
            largest_difference: difference(&image, &original),
            image,
            draws: Vec::new(),
            words: Pipeline::words(&[]),
        };
        vec![cell; CELLS]
    };
    let outcome = AugmentationOutcome {
        original: (*original).clone(),
        training,
        inference,
    };
    Ok((vec![look.photo], Outcome::Augmentation(outcome)))
}

/// Largest absolute difference over all values; `None` where sizes differ.
fn difference(a: &Image, b: &Image) -> Option<f32> {
    let same = (a.height, a.width, a.channels) == (b.height, b.width, b.channels);
    let pairs = a.pixels_hwc.iter().zip(&b.pixels_hwc);
    same.then(|| pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max))
}
