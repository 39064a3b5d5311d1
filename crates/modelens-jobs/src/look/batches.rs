//! The background measurements of the BatchNorm view: the distance of every layer, and one layer's
//! statistics on further batches.

use std::sync::Arc;

use candle_core::Tensor;

use super::batch_norm::{epsilon_of, moving_of};
use super::{
    BATCH, Batch, Context, LookError, augmented, batch_for, check_batch, load, photo_input,
    tensor_of,
};
use crate::photos::PhotoCache;
use crate::{
    BatchNormEvent, BatchNormJob, LayerDistance, MeasuredBatch, PassLook, SMALL_PHOTOS, SmallPhoto,
    Stage, mean_distance,
};
use modelens_core::dataset::Image;
use modelens_core::dataset::batch::choose;
use modelens_core::model::pass::{Pass, PassOptions, run};
use modelens_core::model::{LayerId, Mode};
use modelens_core::random::Draws;

/// Measures what the job asks for and passes each part to `emit` as soon as it is known.
pub fn measure(
    job: &BatchNormJob,
    context: &Context<'_>,
    cache: &mut PhotoCache,
    emit: &dyn Fn(BatchNormEvent),
) -> Result<(), LookError> {
    // Reading a batch is not shown as a stage of its own.
    let quiet = Context {
        progress: &|_, _, _| {},
        ..*context
    };
    match job {
        BatchNormJob::Distances { pass, layers } => {
            let distances = distances(pass, layers, context, cache)?;
            let pass = pass.clone();
            emit(BatchNormEvent::Distances { pass, distances });
        }
        BatchNormJob::Batches {
            pass,
            layer,
            from,
            to,
        } => {
            for number in *from..*to {
                (context.progress)(Stage::MeasuringBatches, number, *to);
                let (batch, photos) = measured(pass, *layer, number, &quiet, cache)?;
                emit(BatchNormEvent::Batch {
                    pass: pass.clone(),
                    layer: *layer,
                    number,
                    batch,
                    photos,
                });
            }
        }
    }
    emit(BatchNormEvent::Done(job.clone()));
    Ok(())
}

/// A pass as in the training column.
fn training_pass(
    look: &PassLook,
    x: &Tensor,
    moments: &[LayerId],
    repeat: u64,
    context: &Context<'_>,
) -> Result<Pass, LookError> {
    let options = PassOptions {
        outer: look.outer(Mode::Training),
        semantics: look.semantics,
        flags: &look.flags,
        random: look.random,
        seed: look.seed,
        repeat,
        taps: &[],
        moments,
        weights: None,
    };
    let model = context.model(look)?;
    Ok(run(model, x, &options, &|_, _| (context.proceed)())?)
}

/// One pass measures every layer: only the moments are kept, no layer's values.
fn distances(
    look: &PassLook,
    layers: &[LayerDistance],
    context: &Context<'_>,
    cache: &mut PhotoCache,
) -> Result<Vec<(LayerId, f32)>, LookError> {
    (context.progress)(Stage::MeasuringEveryBatchNorm, 0, layers.len());
    let Batch { x, .. } = batch_for(look, context, cache)?;
    let model = context.model(look)?;
    let wanted: Vec<LayerId> = layers.iter().map(|l| l.layer).collect();
    let pass = training_pass(look, &x, &wanted, look.redraws, context)?;
    let mut found = Vec::with_capacity(layers.len());
    for id in wanted {
        let done = pass.batch_norm.get(&id);
        let measured = done.and_then(|done| done.measured.as_ref());
        if let Some((batch, moving)) = measured.zip(moving_of(model, id)?) {
            let distance = mean_distance(batch, &moving, epsilon_of(&model.graph.layers[id]));
            found.push((id, distance));
        }
    }
    Ok(found)
}

fn measured(
    look: &PassLook,
    layer: LayerId,
    number: usize,
    context: &Context<'_>,
    cache: &mut PhotoCache,
) -> Result<(MeasuredBatch, Vec<SmallPhoto>), LookError> {
    let graph = &context.model(look)?.graph;
    let wrong = || LookError::WrongLayer(graph.layers[layer].name.clone());
    // Further batches use numbers above any count of redraws, so that their draws differ.
    let repeat = look.redraws + ((number as u64) << 32);
    let (photos, x, small) = if number == 0 {
        let Batch { photos, x, .. } = batch_for(look, context, cache)?;
        let first = &photos[..photos.len().min(SMALL_PHOTOS)];
        let input = photo_input(graph, look.semantics);
        let loaded = load(look.photos, first, &input, context, cache)?;
        let images: Vec<Arc<Image>> = loaded.into_iter().filter_map(|(_, i)| i.ok()).collect();
        let as_given = context.photos(look.photos)?.as_given;
        (photos.len(), x, small_photos(&images, as_given))
    } else {
        further_batch(look, number, repeat, context, cache)?
    };
    let pass = training_pass(look, &x, &[layer], repeat, context)?;
    let done = pass.batch_norm.get(&layer).ok_or_else(wrong)?;
    let batch = MeasuredBatch {
        photos,
        n: done.n,
        rank: done.rank,
        moments: done.measured.clone().ok_or_else(wrong)?,
        updates: done.effective.updates_statistics,
    };
    Ok((batch, small))
}

/// The first photos of a batch, small; numbers that are no pixel values get the range of the batch.
fn small_photos(images: &[Arc<Image>], as_given: bool) -> Vec<SmallPhoto> {
    let first = &images[..images.len().min(SMALL_PHOTOS)];
    let values = || first.iter().flat_map(|image| &image.pixels_hwc).copied();
    let [low, high] = if as_given {
        [
            values().fold(f32::INFINITY, f32::min),
            values().fold(f32::NEG_INFINITY, f32::max),
        ]
    } else {
        [0.0, 255.0]
    };
    let span = if high > low { high - low } else { 1.0 };
    let byte = |value: f32| ((value - low) / span * 255.0).clamp(0.0, 255.0).round() as u8;
    first.iter().map(|image| small_photo(image, byte)).collect()
}

/// Every pixel is the one in the middle of its square of the photo.
fn small_photo(image: &Image, byte: impl Fn(f32) -> u8) -> SmallPhoto {
    let side = SmallPhoto::SIDE;
    let [height, width, channels] = [image.height, image.width, image.channels];
    let at = |i: usize, length: usize| ((2 * i + 1) * length / (2 * side)).min(length - 1);
    let places = (0..side * side).map(|i| [at(i / side, height), at(i % side, width)]);
    let pixel = |[row, column]: [usize; 2]| {
        let first = (row * width + column) * channels;
        match &image.pixels_hwc[first..first + channels] {
            [red, green, blue, ..] => [*red, *green, *blue].map(&byte),
            [grey, ..] => [byte(*grey); 3],
            [] => [0; 3],
        }
    };
    SmallPhoto {
        rgb: places.map(pixel).collect(),
    }
}

/// A batch of photos drawn by the seed and `number`: how many photos could be read, the input, and
/// the first photos, small.
fn further_batch(
    look: &PassLook,
    number: usize,
    repeat: u64,
    context: &Context<'_>,
    cache: &mut PhotoCache,
) -> Result<(usize, Tensor, Vec<SmallPhoto>), LookError> {
    let photos = context.photos(look.photos)?;
    let graph = &context.model(look)?.graph;
    let input = photo_input(graph, look.semantics);
    let mut draws = Draws::new(look.seed, &[BATCH, number as u64]);
    let wanted = choose(photos.photos.len(), None, look.batch, &mut draws);
    check_batch(wanted.len(), &input)?;
    let loaded = load(look.photos, &wanted, &input, context, cache)?;
    let images: Vec<Arc<Image>> = loaded.into_iter().filter_map(|(_, i)| i.ok()).collect();
    if !(context.proceed)() {
        return Err(LookError::Cancelled);
    }
    if images.is_empty() {
        return Err(LookError::NoPhotos);
    }
    let small = small_photos(&images, photos.as_given);
    let draws = [look.seed, repeat];
    let images = augmented(
        images,
        look.augment.as_ref(),
        graph.input_hwc,
        look.semantics,
        draws,
    )?;
    let x = tensor_of(&images, look.preprocessing)?;
    Ok((images.len(), x, small))
}
