//! The augmentation grid: photos through the pipeline in both modes.

use std::sync::Arc;

use rayon::prelude::*;

use super::{Context, LookError, load};
use crate::photos::PhotoCache;
use crate::{AugmentationLook, AugmentationOutcome, Grid, GridCell, Outcome};
use modelens_core::augment::{Draw, Pipeline};
use modelens_core::dataset::Image;
use modelens_core::dataset::batch::choose;
use modelens_core::dataset::decode::DecodeCause;
use modelens_core::dataset::input::PhotoInput;
use modelens_core::random::Draws;

/// Number of photos in a grid with several.
const PHOTOS: usize = 9;
/// Purpose of the draws of the grid.
const GRID: u64 = u64::from_le_bytes(*b"grid\0\0\0\0");
/// Purpose of the draws that choose the other eight photos.
const OTHERS: u64 = u64::from_le_bytes(*b"others\0\0");

pub fn compute(
    look: &AugmentationLook,
    context: &Context<'_>,
    cache: &mut PhotoCache,
) -> Result<(Vec<usize>, Outcome), LookError> {
    let photos = context.photos(look.photos)?;
    let wanted = wanted(look, photos.photos.len());
    let input_hwc = [look.height, look.width, look.channels].map(Some);
    let input = PhotoInput::of(input_hwc, look.semantics);
    input.check(photos)?;
    let mut originals = Vec::new();
    for (photo, image) in load(look.photos, &wanted, &input, context, cache)? {
        match image {
            Ok(image) => originals.push((photo, image)),
            Err(error) if matches!(error.cause, DecodeCause::Cancelled) => {
                return Err(LookError::Cancelled);
            }
            // A broken photo among nine is left out, but not the chosen one.
            Err(error) if photo == look.photo => return Err(LookError::Photo(error)),
            Err(_) => {}
        }
    }
    if originals.is_empty() {
        return Err(LookError::NoPhotos);
    }
    let photos: Vec<usize> = originals.iter().map(|(photo, _)| *photo).collect();
    let training = side(look, &originals, 0);
    // A data loader augments whatever mode the model is in.
    let inference = if look.pipeline.is_never_off(look.semantics) {
        side(look, &originals, 1)
    } else {
        unchanged(look, &originals)
    };
    Ok((
        photos,
        Outcome::Augmentation(AugmentationOutcome {
            step_differences: step_differences(look, &originals, &training),
            training,
            inference,
        }),
    ))
}

/// The photos of the grid out of `n`, the chosen one first.
fn wanted(look: &AugmentationLook, n: usize) -> Vec<usize> {
    if look.grid == Grid::OnePhoto {
        return vec![look.photo];
    }
    let chosen = Some(look.photo);
    let mut photos = choose(n, chosen, PHOTOS, &mut Draws::new(look.seed, &[OTHERS]));
    if let Some(place) = photos.iter().position(|&p| p == look.photo) {
        photos[..=place].rotate_right(1);
    }
    photos
}

/// The original that each cell shows: one photo nine times, nine photos, or nine photos in each of
/// three rows. With fewer than nine photos the grid has fewer cells.
fn cells<'a>(
    look: &AugmentationLook,
    originals: &'a [(usize, Arc<Image>)],
) -> Vec<&'a (usize, Arc<Image>)> {
    match look.grid {
        Grid::OnePhoto => originals.iter().cycle().take(look.grid.cells()).collect(),
        Grid::NinePhotos => originals.iter().collect(),
        Grid::ThreeEpochs => originals.iter().chain(originals).chain(originals).collect(),
    }
}

/// Augments every cell with its own draws. `side` tells the draws of left and right apart.
fn side(look: &AugmentationLook, originals: &[(usize, Arc<Image>)], side: u64) -> Vec<GridCell> {
    let cells = cells(look, originals);
    // The course calls the layers once for each photo; nine photos, or those of an epoch, are one
    // batch.
    let batch = if look.grid == Grid::OnePhoto {
        1
    } else {
        originals.len()
    };
    let draws = |cell_redraws: u64| -> Vec<Vec<Draw>> {
        let batches = (0..cells.len().div_ceil(batch)).flat_map(|number| {
            let purpose = [GRID, side, look.redraws, cell_redraws, number as u64];
            let (h, w) = (look.height, look.width);
            look.pipeline
                .draw_batch(look.semantics, look.seed, &purpose, batch, h, w)
        });
        batches.collect()
    };
    let mut drawn = draws(0);
    for (&cell, &redraws) in &look.cell_redraws {
        if redraws > 0
            && let (Some(old), Some(new)) =
                (drawn.get_mut(cell), draws(redraws).into_iter().nth(cell))
        {
            *old = new;
        }
    }
    let batches = cells.par_chunks(batch).zip(drawn.par_chunks(batch));
    batches
        .flat_map(|(cells, drawn)| augmented(&look.pipeline, cells, drawn))
        .collect()
}

/// One batch of cells with what was drawn for each of them.
fn augmented(
    pipeline: &Pipeline,
    cells: &[&(usize, Arc<Image>)],
    drawn: &[Vec<Draw>],
) -> Vec<GridCell> {
    let originals: Vec<&Image> = cells.iter().map(|(_, original)| &**original).collect();
    let images = pipeline.apply_batch(drawn, &originals);
    let targets = if pipeline.mixes_labels() {
        Pipeline::targets(drawn)
    } else {
        vec![Vec::new(); drawn.len()]
    };
    let of_cells = cells.iter().zip(drawn).zip(images.into_iter().zip(targets));
    let of_photo = |(place, share): (usize, f64)| Some((cells.get(place)?.0, share));
    of_cells
        .map(|(((photo, original), draws), (image, target))| GridCell {
            photo: *photo,
            largest_difference: difference(&image, original),
            words: Pipeline::words(draws),
            original: Arc::clone(original),
            image: Arc::new(image),
            draws: draws.clone(),
            target: target.into_iter().filter_map(of_photo).collect(),
        })
        .collect()
}

/// See [`AugmentationOutcome::step_differences`].
fn step_differences(
    look: &AugmentationLook,
    originals: &[(usize, Arc<Image>)],
    training: &[GridCell],
) -> Vec<[Option<f32>; 2]> {
    // What one photo becomes depends on the others only where a step mixes them.
    let n = if look.pipeline.mixes_images() && look.grid != Grid::OnePhoto {
        originals.len()
    } else {
        1
    };
    let batch = || originals.iter().take(n).map(|(_, image)| (**image).clone());
    let [mut drawn, mut plain]: [Vec<Image>; 2] = [batch().collect(), batch().collect()];
    let worst = |before: &[Image], after: &[Image]| {
        let pairs = before.iter().zip(after);
        pairs
            .map(|(before, after)| difference(after, before))
            .try_fold(0.0, |worst: f32, next| Some(worst.max(next?)))
    };
    let steps = look.pipeline.steps.iter().filter(|step| step.on).count();
    let of_step = |place: usize| {
        let draws = training.iter().take(n).map(|cell| cell.draws.get(place));
        let draws: Vec<&Draw> = draws.map(|draw| draw.unwrap_or(&Draw::Nothing)).collect();
        let images: Vec<&Image> = drawn.iter().collect();
        let next = look.pipeline.apply_step(place, &draws, &images);
        let in_training = worst(&drawn, &next);
        drawn = next;
        let infer = |image: &Image| {
            let next = look.pipeline.inference_step(place, look.semantics, image);
            next.unwrap_or_else(|| image.clone())
        };
        let next: Vec<Image> = plain.iter().map(infer).collect();
        let in_inference = worst(&plain, &next);
        plain = next;
        [in_training, in_inference]
    };
    (0..steps).map(of_step).collect()
}

/// The cells in inference mode, where random layers return their input.
fn unchanged(look: &AugmentationLook, originals: &[(usize, Arc<Image>)]) -> Vec<GridCell> {
    let once: Vec<(usize, Arc<Image>, Arc<Image>)> = originals
        .iter()
        .map(|(photo, original)| {
            let image = look.pipeline.inference(look.semantics, original);
            let image = if image == **original {
                Arc::clone(original)
            } else {
                Arc::new(image)
            };
            (*photo, Arc::clone(original), image)
        })
        .collect();
    let cells = cells(look, originals)
        .into_iter()
        .enumerate()
        .map(|(i, (photo, _))| {
            let (_, original, image) = &once[i % once.len()];
            GridCell {
                photo: *photo,
                largest_difference: difference(image, original),
                original: Arc::clone(original),
                image: Arc::clone(image),
                draws: Vec::new(),
                words: Pipeline::words(&[]),
                target: Vec::new(),
            }
        });
    cells.collect()
}

/// Largest absolute difference over all values; `None` if the sizes differ.
fn difference(a: &Image, b: &Image) -> Option<f32> {
    if std::ptr::eq(a, b) {
        return Some(0.0);
    }
    if (a.height, a.width, a.channels) != (b.height, b.width, b.channels) {
        return None;
    }
    // Eight independent maxima, so that comparisons need not wait for each other.
    let mut largest = [0.0_f32; 8];
    for (a, b) in a.pixels_hwc.chunks(8).zip(b.pixels_hwc.chunks(8)) {
        for ((largest, a), b) in largest.iter_mut().zip(a).zip(b) {
            let difference = (a - b).abs();
            *largest = if difference > *largest {
                difference
            } else {
                *largest
            };
        }
    }
    Some(largest.into_iter().fold(0.0, f32::max))
}
