//! The augmentation grid: photos through the pipeline in both modes.

use std::sync::Arc;

use rayon::prelude::*;

use super::{Context, LookError, load};
use crate::photos::PhotoCache;
use crate::{AugmentationLook, AugmentationOutcome, Grid, GridCell, Outcome};
use modelens_core::augment::{
    AnyImage, Draw, PHOTO_RANGE, Pipeline, difference, difference_of_bytes, largest_difference,
    picture, picture_beside, range_of, to_bytes,
};
use modelens_core::dataset::Image;
use modelens_core::dataset::batch::choose;
use modelens_core::dataset::decode::DecodeCause;
use modelens_core::dataset::input::PhotoInput;
use modelens_core::random::Draws;
use modelens_core::rules::Semantics;

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
    look.pipeline.check_types()?;
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
    let range = if photos.as_given {
        range_of(originals.iter().map(|(_, image)| &**image))
    } else {
        PHOTO_RANGE
    };
    let ranges = if photos.as_given {
        vec![range; look.channels]
    } else {
        look.pipeline.ranges(look.channels)
    };
    let known = cache.undrawn.take();
    let undrawn = known.filter(|known| known.is_of(look, &originals, range));
    let undrawn = undrawn.unwrap_or_else(|| Undrawn::new(look, originals, &ranges, range));
    let originals = &undrawn.originals[..];
    let photos: Vec<usize> = originals.iter().map(|original| original.photo).collect();
    let draws = |side| draws(look, originals.len(), side);
    // A data loader augments whatever mode the model is in.
    let never_off = look.pipeline.is_never_off(look.semantics);
    let sides = if never_off {
        vec![draws(0), draws(1)]
    } else {
        vec![draws(0)]
    };
    let mut cells = drawn(look, &undrawn, &ranges, &sides).into_iter();
    let training = cells.next().unwrap_or_default();
    let inference = cells.next();
    let inference = inference.unwrap_or_else(|| without_draws(look, &undrawn));
    let outcome = Outcome::Augmentation(AugmentationOutcome {
        step_differences: step_differences(&undrawn, &training),
        training,
        inference,
    });
    cache.undrawn = Some(undrawn);
    Ok((photos, outcome))
}

/// What is the same for every draw of a pipeline, kept from one look to the next.
#[derive(Debug)]
pub struct Undrawn {
    pipeline: Pipeline,
    semantics: Semantics,
    originals: Vec<Original>,
    /// Each photo in inference mode.
    inference: Vec<Seen>,
    /// How much each step changes the photos in inference mode, at most.
    steps: Vec<Option<f32>>,
    /// The photos after the steps before the first one that draws, one entry for each of those steps. Empty
    /// unless the pipeline mixes photos.
    ahead: Vec<(Vec<AnyImage>, Vec<Option<f32>>)>,
}

impl Undrawn {
    fn new(
        look: &AugmentationLook,
        originals: Vec<(usize, Arc<Image>)>,
        ranges: &[[f64; 2]],
        range: [f64; 2],
    ) -> Self {
        let originals = originals.into_iter();
        let originals: Vec<Original> = originals
            .map(|original| Original::new(look, original, range))
            .collect();
        let mut steps = vec![Some(0.0_f32); steps(look)];
        let infer = |original: &Original| {
            let mut image: Option<Image> = None;
            for (step, worst) in steps.iter_mut().enumerate() {
                let before = image.as_ref().unwrap_or(&original.image);
                let pipeline = &look.pipeline;
                if let Some(after) = pipeline.inference_step(step, look.semantics, before) {
                    let change = difference(&after, before);
                    *worst = worst.zip(change).map(|(worst, change)| worst.max(change));
                    image = Some(after);
                }
            }
            match image {
                Some(image) => original.seen(image.into(), ranges),
                None => original.unchanged(),
            }
        };
        Self {
            inference: originals.iter().map(infer).collect(),
            steps,
            ahead: ahead(look, &originals),
            pipeline: look.pipeline.clone(),
            semantics: look.semantics,
            originals,
        }
    }

    /// True if it is that of these photos and this pipeline.
    fn is_of(
        &self,
        look: &AugmentationLook,
        originals: &[(usize, Arc<Image>)],
        range: [f64; 2],
    ) -> bool {
        let pairs = self.originals.iter().zip(originals);
        self.pipeline == look.pipeline
            && self.semantics == look.semantics
            && self.originals.len() == originals.len()
            && pairs.into_iter().all(|(known, (photo, image))| {
                known.photo == *photo && known.range == range && Arc::ptr_eq(&known.image, image)
            })
    }
}

/// See [`Undrawn::ahead`].
fn ahead(
    look: &AugmentationLook,
    originals: &[Original],
) -> Vec<(Vec<AnyImage>, Vec<Option<f32>>)> {
    if !look.pipeline.mixes_images() {
        return Vec::new();
    }
    let mut images: Vec<AnyImage> = originals
        .iter()
        .map(|original| original.start(look))
        .collect();
    let on = look.pipeline.steps.iter().filter(|step| step.on);
    let plain = on.take_while(|step| !step.layer.is_random() && !step.layer.mixes_images());
    // Whatever the seed.
    let (n, [h, w]) = (images.len(), [look.height, look.width]);
    let draws = look.pipeline.draw_batch(look.semantics, 0, &[], n, h, w);
    let step = |(step, _)| {
        let draws: Vec<&Draw> = draws.iter().map(|draws| &draws[step]).collect();
        let after = look.pipeline.apply_step(step, &draws, &images);
        let pairs = after.iter().zip(&images);
        let changes = pairs.map(|(after, before)| largest_difference(after, before));
        let changes = changes.collect();
        images.clone_from(&after);
        (after, changes)
    };
    plain.enumerate().map(step).collect()
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

/// A photo in the forms that cells need.
#[derive(Debug)]
struct Original {
    /// Index of the photo in its set.
    photo: usize,
    image: Arc<Image>,
    /// Of its values.
    range: [f64; 2],
    /// Rounded to bytes, if a transform of torchvision may take it.
    rounded: Option<Arc<Image<u8>>>,
    picture: Arc<Image<u8>>,
}

impl Original {
    fn new(look: &AugmentationLook, (photo, image): (usize, Arc<Image>), range: [f64; 2]) -> Self {
        Self {
            photo,
            rounded: (look.pipeline.has_torchvision()).then(|| Arc::new(to_bytes(&image))),
            picture: Arc::new(picture(&image, &vec![range; image.channels])),
            range,
            image,
        }
    }

    /// What the first step gets.
    fn start(&self, look: &AugmentationLook) -> AnyImage {
        match &self.rounded {
            Some(rounded) if look.pipeline.takes_bytes(0) => AnyImage::Bytes(Arc::clone(rounded)),
            _ => AnyImage::Floats(Arc::clone(&self.image)),
        }
    }

    /// How far an image is from the photo.
    fn difference(&self, made: &AnyImage) -> Option<f32> {
        match (made, &self.rounded) {
            (AnyImage::Bytes(made), Some(rounded)) => difference_of_bytes(made, rounded),
            _ => difference(&made.floats(), &self.image),
        }
    }

    /// What is shown of an image that was made of the photo.
    fn seen(&self, made: AnyImage, ranges: &[[f64; 2]]) -> Seen {
        let (picture, difference) = match (made, &self.rounded) {
            (AnyImage::Bytes(image), Some(rounded))
                if ranges.iter().all(|range| *range == PHOTO_RANGE) =>
            {
                let difference = difference_of_bytes(&image, rounded);
                (image, difference)
            }
            (made, _) => {
                let floats = made.floats();
                let (picture, difference) =
                    picture_beside(&floats, ranges, &self.image, self.range);
                (Arc::new(picture), difference)
            }
        };
        Seen {
            picture,
            difference,
            steps: Vec::new(),
        }
    }

    /// The photo itself.
    fn unchanged(&self) -> Seen {
        Seen {
            picture: Arc::clone(&self.picture),
            difference: Some(0.0),
            steps: Vec::new(),
        }
    }

    fn cell(&self, seen: &Seen, draws: Vec<Draw>, target: Vec<(usize, f64)>) -> GridCell {
        GridCell {
            photo: self.photo,
            original: Arc::clone(&self.picture),
            image: Arc::clone(&seen.picture),
            words: Pipeline::words(&draws),
            draws,
            target,
            largest_difference: seen.difference,
            step_differences: seen.steps.clone(),
        }
    }
}

/// What a cell shows.
#[derive(Debug)]
struct Seen {
    picture: Arc<Image<u8>>,
    /// See [`GridCell::largest_difference`].
    difference: Option<f32>,
    /// See [`GridCell::step_differences`].
    steps: Vec<Option<f32>>,
}

/// The place of the original that each cell shows: one photo nine times, nine photos, or nine photos in each
/// of three rows. With fewer than nine photos the grid has fewer cells.
fn places(look: &AugmentationLook, originals: usize) -> Vec<usize> {
    match look.grid {
        Grid::OnePhoto => vec![0; look.grid.cells()],
        Grid::NinePhotos => (0..originals).collect(),
        Grid::ThreeEpochs => (0..originals).cycle().take(3 * originals).collect(),
    }
}

/// Images in a batch: the course calls the layers once for each photo; nine photos, or those of an epoch, are
/// one batch.
fn batch_size(look: &AugmentationLook, originals: usize) -> usize {
    match look.grid {
        Grid::OnePhoto => 1,
        Grid::NinePhotos | Grid::ThreeEpochs => originals,
    }
}

/// What is drawn for each cell. `side` tells the draws of left and right apart.
fn draws(look: &AugmentationLook, originals: usize, side: u64) -> Vec<Vec<Draw>> {
    let cells = places(look, originals).len();
    let batch = batch_size(look, originals);
    let draws = |cell_redraws: u64| -> Vec<Vec<Draw>> {
        let batches = (0..cells.div_ceil(batch)).flat_map(|number| {
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
    drawn
}

/// The cells of each side with what was drawn for them.
fn drawn(
    look: &AugmentationLook,
    undrawn: &Undrawn,
    ranges: &[[f64; 2]],
    sides: &[Vec<Vec<Draw>>],
) -> Vec<Vec<GridCell>> {
    let originals = &undrawn.originals[..];
    let batch = batch_size(look, originals.len());
    let places = places(look, originals.len());
    if batch > 1 && look.pipeline.mixes_images() {
        let of_side = |draws: &Vec<Vec<Draw>>| {
            let batches = places.chunks(batch).zip(draws.chunks(batch));
            batches
                .flat_map(|(places, draws)| mixed(look, undrawn, ranges, places, draws))
                .collect()
        };
        return sides.iter().map(of_side).collect();
    }
    // Equal draws make equal pictures of a photo, which are computed once.
    let mut distinct: Vec<(usize, &[Draw])> = Vec::new();
    let mut of_cells: Vec<usize> = Vec::new();
    for draws in sides {
        for (&place, draws) in places.iter().zip(draws) {
            let known = distinct.iter().position(|known| *known == (place, draws));
            of_cells.push(known.unwrap_or(distinct.len()));
            if known.is_none() {
                distinct.push((place, draws));
            }
        }
    }
    let [one, several] = [steps(look) == 1, steps(look) > 1];
    let see = |&(place, draws): &(usize, &[Draw])| {
        let original: &Original = &originals[place];
        let rounded = original.rounded.as_deref();
        let mut steps = Vec::new();
        let mut after_step = |before: Option<&AnyImage>, after: &AnyImage| match before {
            _ if !several => {}
            Some(before) => steps.push(largest_difference(before, after)),
            None => steps.push(original.difference(after)),
        };
        let made = look
            .pipeline
            .apply_any(draws, &original.image, rounded, &mut after_step);
        let Some(made) = made else {
            return original.unchanged();
        };
        // The difference of a single step is that of the picture, unless the step rescales.
        let rescales = ranges.iter().any(|range| *range != original.range);
        if one && rescales {
            steps.push(original.difference(&made));
        }
        let seen = original.seen(made, ranges);
        if one && !rescales {
            steps.push(seen.difference);
        }
        Seen { steps, ..seen }
    };
    let seen: Vec<Seen> = if let [one] = distinct[..] {
        vec![see(&one)]
    } else {
        distinct.par_iter().map(see).collect()
    };
    let mut of_cells = of_cells.into_iter();
    let of_side = |draws: &Vec<Vec<Draw>>| {
        let cells = places.iter().zip(draws).zip(of_cells.by_ref());
        cells
            .map(|((&place, draws), of_cell)| {
                let original = &originals[place];
                // An image alone has nothing to mix with.
                let target = if look.pipeline.mixes_labels() {
                    vec![(original.photo, 1.0)]
                } else {
                    Vec::new()
                };
                original.cell(&seen[of_cell], draws.clone(), target)
            })
            .collect()
    };
    sides.iter().map(of_side).collect()
}

/// One batch of cells whose images may be mixed.
fn mixed(
    look: &AugmentationLook,
    undrawn: &Undrawn,
    ranges: &[[f64; 2]],
    places: &[usize],
    draws: &[Vec<Draw>],
) -> Vec<GridCell> {
    let originals = &undrawn.originals[..];
    let mut differences = vec![Vec::new(); places.len()];
    for (_, changes) in &undrawn.ahead {
        for (&place, differences) in places.iter().zip(&mut differences) {
            differences.push(changes[place]);
        }
    }
    let of_place = |&place: &usize| match undrawn.ahead.last() {
        Some((images, _)) => images[place].clone(),
        None => originals[place].start(look),
    };
    let mut made: Vec<AnyImage> = places.iter().map(of_place).collect();
    for step in undrawn.ahead.len()..steps(look) {
        let drawn: Vec<&Draw> = draws.iter().map(|draws| &draws[step]).collect();
        let after = look.pipeline.apply_step(step, &drawn, &made);
        let pairs = made.iter().zip(&after).zip(&mut differences);
        for ((before, after), differences) in pairs {
            differences.push(largest_difference(after, before));
        }
        made = after;
    }
    let targets = if look.pipeline.mixes_labels() {
        Pipeline::targets(draws)
    } else {
        vec![Vec::new(); draws.len()]
    };
    let of_photo =
        |(place, share): (usize, f64)| Some((originals[*places.get(place)?].photo, share));
    let made = made.into_iter().zip(differences);
    let of_cells = places.iter().zip(draws).zip(made.zip(targets));
    of_cells
        .map(|((&place, draws), ((made, steps), target))| {
            let target = target.into_iter().filter_map(of_photo).collect();
            let original = &originals[place];
            let seen = original.seen(made, ranges);
            original.cell(&Seen { steps, ..seen }, draws.clone(), target)
        })
        .collect()
}

/// The cells in inference mode, where random layers return their input.
fn without_draws(look: &AugmentationLook, undrawn: &Undrawn) -> Vec<GridCell> {
    let cell = |place: usize| {
        let seen = &undrawn.inference[place];
        undrawn.originals[place].cell(seen, Vec::new(), Vec::new())
    };
    let places = places(look, undrawn.originals.len()).into_iter();
    places.map(cell).collect()
}

/// The number of steps that are on.
fn steps(look: &AugmentationLook) -> usize {
    look.pipeline.steps.iter().filter(|step| step.on).count()
}

/// See [`AugmentationOutcome::step_differences`].
fn step_differences(undrawn: &Undrawn, training: &[GridCell]) -> Vec<[Option<f32>; 2]> {
    let of_step = |(step, in_inference): (usize, &Option<f32>)| {
        let mut changes = training.iter().map(|cell| {
            cell.step_differences
                .get(step)
                .copied()
                .unwrap_or(Some(0.0))
        });
        let in_training = changes.try_fold(0.0, |worst: f32, next| Some(worst.max(next?)));
        [in_training, *in_inference]
    };
    undrawn.steps.iter().enumerate().map(of_step).collect()
}

#[cfg(test)]
#[path = "augmentation_tests.rs"]
mod tests;
