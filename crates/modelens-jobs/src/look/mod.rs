//! Computes what a view shows: [`compute`] for looks, [`measure`] for the background measurements of
//! the BatchNorm view.

mod augmentation;
mod batch_norm;
mod batches;
mod dropout;
mod modes;
mod norms;
mod predict;
mod releases;
mod trainable;

pub use augmentation::Undrawn;
pub use batches::measure;
pub use predict::DonePasses;

use std::sync::Arc;

use candle_core::{Device, Tensor};
use thiserror::Error;

use crate::photos::{Loaded, PhotoCache};
use crate::{Clock, Look, LookResult, Outcome, PassLook, PhotosId, Released, Stage, Store};
use modelens_core::augment::{Draw, Pipeline, TypeError};
use modelens_core::dataset::batch::choose;
use modelens_core::dataset::decode::{DecodeCause, DecodeError};
use modelens_core::dataset::input::{ChannelsError, PhotoInput};
use modelens_core::dataset::{Image, PhotoSet, Photos};
use modelens_core::model::first_norm::Suspicion;
use modelens_core::model::layers::shape::MAX_VALUES;
use modelens_core::model::pass::{Pass, PassOptions, run};
use modelens_core::model::{Graph, LayerId, Mode, Model, PassError, Preprocessing, Semantics};
use modelens_core::random::Draws;

/// What a computation reads, what it reports while it runs, and what may stop it.
pub struct Context<'a> {
    /// The models and photos that looks refer to.
    pub store: &'a Store,
    /// Returns false once the result is no longer wanted.
    pub proceed: &'a (dyn Fn() -> bool + Sync),
    /// Reports the stage, the number of things done, and of all.
    pub progress: &'a dyn Fn(Stage, usize, usize),
    /// Reports a photo that cannot be decoded, and why.
    pub unreadable: &'a dyn Fn(PhotosId, usize, String),
    /// Reports the photos of the batch and the first part of a result that takes long.
    pub early: &'a dyn Fn(&[usize], Outcome),
    /// Measures how long the computation takes.
    pub clock: Clock,
}

impl<'a> Context<'a> {
    fn model(&self, look: &PassLook) -> Result<&'a Model, Released> {
        Ok(&self.store.model(look.model)?.model)
    }

    fn photos(&self, id: PhotosId) -> Result<&'a Photos, Released> {
        self.store.photos(id)
    }
}

/// Why a view has nothing to show.
#[derive(Debug, Error)]
pub enum LookError {
    #[error("cancelled")]
    Cancelled,
    #[error(transparent)]
    Released(#[from] Released),
    #[error("{0}")]
    Photo(DecodeError),
    #[error("{0}")]
    Pass(PassError),
    #[error(
        "{count} photos of {height} x {width} pixels would need {gigabytes:.1} GB; take a smaller batch"
    )]
    TooLarge {
        count: usize,
        height: usize,
        width: usize,
        gigabytes: f64,
    },
    #[error(transparent)]
    Channels(#[from] ChannelsError),
    #[error("none of the photos of the batch can be read")]
    NoPhotos,
    #[error("the model's output is not one row of classes a photo")]
    NoClasses,
    #[error("layer `{0}` has no result of this kind")]
    WrongLayer(String),
    #[error(
        "the pipeline makes photos of {} by {} pixels, but the model takes {} by {}: turn its \
         crop or resizing off", made[0], made[1], taken[0], taken[1]
    )]
    AugmentedSize {
        /// `[height, width]`.
        made: [usize; 2],
        taken: [usize; 2],
    },
    #[error(transparent)]
    Types(#[from] TypeError),
    #[error("the numbers cannot be read back: {0}")]
    Tensor(#[from] candle_core::Error),
}

impl From<PassError> for LookError {
    fn from(error: PassError) -> Self {
        match error {
            PassError::Cancelled => Self::Cancelled,
            other => Self::Pass(other),
        }
    }
}

/// Computes a look in both modes.
pub fn compute(
    look: Look,
    context: &Context<'_>,
    cache: &mut PhotoCache,
) -> Result<LookResult, LookError> {
    let begin = (context.clock)();
    cache.suspicion = None;
    let (batch, outcome) = match &look {
        Look::Augmentation(look) => augmentation::compute(look, context, cache)?,
        Look::Dropout {
            pass,
            layer,
            setting,
        } => dropout::compute(pass, *layer, *setting, context, cache)?,
        Look::BatchNorm { pass, layer } => batch_norm::compute(pass, *layer, context, cache)?,
        Look::Modes(pass) => modes::compute(pass, context, cache)?,
        Look::Norms(look) => norms::compute(look, context, cache)?,
        Look::Trainable(look) => trainable::compute(&look.pass, context, cache)?,
        Look::Predict(look) => predict::compute(look, context, cache)?,
        Look::Releases(look) => releases::compute(&look.pass, context, cache)?,
    };
    Ok(LookResult {
        look,
        outcome,
        early: false,
        suspicion: cache.suspicion.take(),
        secs: (context.clock)().saturating_sub(begin).as_secs_f64(),
        batch,
    })
}

/// Purpose of the draws of batches, so that they differ from all other draws of a seed.
const BATCH: u64 = u64::from_le_bytes(*b"batch\0\0\0");

/// The photos of a batch: the chosen one and others drawn by the seed.
pub fn batch_of(photos: &PhotoSet, chosen: Option<usize>, batch: usize, seed: u64) -> Vec<usize> {
    choose(
        photos.photos.len(),
        chosen,
        batch,
        &mut Draws::new(seed, &[BATCH]),
    )
}

/// Preprocessed photos as a tensor `[N, H, W, C]`.
pub fn tensor_of(
    images: &[impl AsRef<Image>],
    preprocessing: Preprocessing,
) -> candle_core::Result<Tensor> {
    let first = images.first().map(AsRef::as_ref);
    let [h, w, c] = first.map_or([0; 3], |i| [i.height, i.width, i.channels]);
    let values = images.iter().flat_map(|image| &image.as_ref().pixels_hwc);
    let mut values: Vec<f32> = values.copied().collect();
    values
        .chunks_mut(c.max(1))
        .for_each(|pixel| preprocessing.apply(pixel));
    Tensor::from_vec(values, (images.len(), h, w, c), &Device::Cpu)
}

/// Height and width of the photos a model takes: those of its input, or 224 where it leaves them
/// open.
pub fn photo_size(input_hwc: [Option<usize>; 3]) -> [usize; 2] {
    PhotoInput::of(input_hwc, Semantics::Keras3).size()
}

/// How a model takes photos under the rules of a framework.
pub fn photo_input(graph: &Graph, semantics: Semantics) -> PhotoInput {
    PhotoInput::of(graph.input_hwc, semantics)
}

/// Refuses a batch that is too large for one tensor of a pass, before its photos are read.
///
/// # Errors
/// A batch that needs too much memory.
pub fn check_batch(count: usize, input: &PhotoInput) -> Result<(), LookError> {
    let PhotoInput {
        height,
        width,
        channels,
        ..
    } = *input;
    // Photos are decoded in colours.
    let sides = [height, width, channels.max(3)];
    let values = sides.into_iter().fold(count, usize::saturating_mul);
    if values > MAX_VALUES {
        return Err(LookError::TooLarge {
            count,
            height,
            width,
            gigabytes: values as f64 * 4.0 / 1e9,
        });
    }
    Ok(())
}

/// The photos of a look as the model's input.
struct Batch {
    /// The photos that could be read, in order.
    photos: Vec<usize>,
    /// Position of the chosen photo in the batch.
    chosen: usize,
    x: Tensor,
}

/// A pass in each mode.
struct BothModes {
    /// The photos of the batch, in order.
    batch: Vec<usize>,
    /// Position of the chosen photo in the batch.
    chosen: usize,
    training: Pass,
    inference: Pass,
}

/// Reads the batch of a look.
fn batch_for(
    look: &PassLook,
    context: &Context<'_>,
    cache: &mut PhotoCache,
) -> Result<Batch, LookError> {
    let model = context.model(look)?;
    let photos_set = context.photos(look.photos)?;
    let wanted = batch_of(photos_set, Some(look.photo), look.batch, look.seed);
    let input = photo_input(&model.graph, look.semantics);
    input.check(photos_set)?;
    check_batch(wanted.len(), &input)?;
    let loaded = load(look.photos, &wanted, &input, context, cache)?;
    let chosen_photo = loaded.iter().find(|(index, _)| *index == look.photo);
    match chosen_photo {
        Some((_, Err(error))) if matches!(error.cause, DecodeCause::Cancelled) => {
            return Err(LookError::Cancelled);
        }
        Some((_, Err(error))) => {
            return Err(LookError::Photo(error.clone()));
        }
        _ => {}
    }
    let readable = loaded
        .into_iter()
        .filter_map(|(i, image)| image.ok().map(|image| (i, image)));
    let (batch, images): (Vec<usize>, Vec<_>) = readable.unzip();
    if !(context.proceed)() {
        return Err(LookError::Cancelled);
    }
    let chosen = batch
        .iter()
        .position(|&i| i == look.photo)
        .ok_or(LookError::NoPhotos)?;
    let input_hwc = model.graph.input_hwc;
    let draws = [look.seed, look.redraws];
    let images = augmented(
        images,
        look.augment.as_ref(),
        input_hwc,
        look.semantics,
        draws,
    )?;
    let x = tensor_of(&images, look.preprocessing)?;
    // Augmentation changes colours on purpose, so its scale says nothing.
    if look.augment.is_none() && !photos_set.as_given {
        let as_if = |how| tensor_of(&images, how).ok();
        cache.suspicion = Suspicion::of(model, look.preprocessing, &as_if);
    }
    Ok(Batch {
        photos: batch,
        chosen,
        x,
    })
}

/// Runs both modes. The layers in `taps` are tapped, and their input is measured if they are BatchNorm layers.
fn both_modes(
    look: &PassLook,
    taps: &[LayerId],
    context: &Context<'_>,
    cache: &mut PhotoCache,
) -> Result<BothModes, LookError> {
    let model = context.model(look)?;
    let Batch {
        photos: batch,
        chosen,
        x,
    } = batch_for(look, context, cache)?;
    let pass = |mode: Mode| {
        let flags = look.flags.in_column(mode);
        let options = PassOptions {
            outer: look.outer(mode),
            semantics: look.semantics,
            flags: &flags,
            random: look.random,
            seed: look.seed,
            repeat: look.redraws,
            taps,
            moments: taps,
            weights: None,
        };
        run(model, &x, &options, &|done, total| {
            let before = if mode == Mode::Training { 0 } else { total };
            // One event for each layer would wake the window more often than it can draw.
            if done % 16 == 0 {
                (context.progress)(Stage::ForwardBothModes, before + done, 2 * total);
            }
            (context.proceed)()
        })
    };
    Ok(BothModes {
        batch,
        chosen,
        training: pass(Mode::Training)?,
        inference: pass(Mode::Inference)?,
    })
}

/// Purpose of the draws of augmented batches.
const AUGMENT: u64 = u64::from_le_bytes(*b"augment\0");

/// Augments a batch with random draws, as in training. Without a pipeline, returns it as it is.
pub fn augmented(
    images: Vec<Arc<Image>>,
    pipeline: Option<&Pipeline>,
    input_hwc: [Option<usize>; 3],
    semantics: Semantics,
    address: [u64; 2],
) -> Result<Vec<Arc<Image>>, LookError> {
    let (images, _) = augmented_and_labelled(images, pipeline, input_hwc, semantics, address)?;
    Ok(images)
}

/// What each photo of a batch is labelled with: places in the batch, with their shares of the label.
pub type Targets = Vec<Vec<(usize, f64)>>;

/// As [`augmented`], and the new labels if a step of the pipeline mixes them.
pub fn augmented_and_labelled(
    images: Vec<Arc<Image>>,
    pipeline: Option<&Pipeline>,
    input_hwc: [Option<usize>; 3],
    semantics: Semantics,
    [seed, redraws]: [u64; 2],
) -> Result<(Vec<Arc<Image>>, Option<Targets>), LookError> {
    let (Some(pipeline), Some(first)) = (pipeline, images.first()) else {
        return Ok((images, None));
    };
    pipeline.check_types()?;
    let [height, width] = [first.height, first.width];
    let [in_height, in_width, _] = input_hwc;
    let purpose = [AUGMENT, redraws];
    let draws = pipeline.draw_batch(semantics, seed, &purpose, images.len(), height, width);
    let size = |draws: &Vec<Draw>| pipeline.drawn_size(semantics, draws, height, width);
    // All images of a batch must have the same size, drawn or not.
    let first = draws.first().map_or([height, width], size);
    let taken = [in_height.unwrap_or(first[0]), in_width.unwrap_or(first[1])];
    if let Some(made) = draws.iter().map(size).find(|made| *made != taken) {
        return Err(LookError::AugmentedSize { made, taken });
    }
    let targets = pipeline.mixes_labels().then(|| Pipeline::targets(&draws));
    let done = pipeline.apply_batch(&draws, &images);
    let done = done.into_iter().map(|image| pipeline.in_photo_range(image));
    Ok((done.map(Arc::new).collect(), targets))
}

/// Loads photos and reports progress and each photo that cannot be decoded.
fn load(
    id: PhotosId,
    indices: &[usize],
    input: &PhotoInput,
    context: &Context<'_>,
    cache: &mut PhotoCache,
) -> Result<Vec<Loaded>, LookError> {
    let photos = context.photos(id)?;
    (context.progress)(Stage::ReadingPhotos, 0, indices.len());
    let loaded = cache.load(photos, indices, input, &|_| (context.proceed)());
    for (index, image) in &loaded {
        if let Err(error) = image
            && !matches!(error.cause, DecodeCause::Cancelled)
        {
            (context.unreadable)(id, *index, error.cause.to_string());
        }
    }
    Ok(loaded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_that_need_too_much_memory_are_refused_before_they_are_read() {
        let input = |side| PhotoInput::of([Some(side), Some(side), Some(3)], Semantics::Keras3);
        assert!(check_batch(32, &input(224)).is_ok());
        let refused = check_batch(32, &input(4096)).unwrap_err().to_string();
        assert_eq!(
            refused,
            "32 photos of 4096 x 4096 pixels would need 6.4 GB; take a smaller batch"
        );
    }
}
