//! The normalisations that may be in the place of a BatchNorm layer, on its own input.
//!
//! Every layer before it runs in inference, so a photo's input is the same in every batch, and what differs
//! between batches is the normalisation's alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use candle_core::Tensor;

use super::{
    BATCH, Context, LookError, augmented, batch_of, check_batch, load, photo_input, tensor_of,
};
use crate::photos::PhotoCache;
use crate::{NormRow, NormSide, NormsLook, NormsOutcome, Outcome, PassLook, Stage};
use modelens_core::dataset::Image;
use modelens_core::dataset::batch::choose;
use modelens_core::model::graph::{Graph, LayerKind};
use modelens_core::model::layers::Weights;
use modelens_core::model::layers::batch_norm::{Moments, StoredWeights};
use modelens_core::model::norms::{
    ChannelMoments, DrawnBatches, Norm, NormSetting, batch_error, drawn_batches, groups_for,
    photo_moments,
};
use modelens_core::model::pass::{PassOptions, Segment, run_segment};
use modelens_core::model::{Flags, Mode, Model, Role, Semantics};
use modelens_core::random::Draws;

/// Photos that go through the network at a time.
const PART: usize = 8;

pub fn compute(
    look: &NormsLook,
    context: &Context<'_>,
    cache: &mut PhotoCache,
) -> Result<(Vec<usize>, Outcome), LookError> {
    let NormsLook { pass, layer } = look;
    let model = context.model(pass)?;
    let layer = &model.graph.layers[*layer];
    let LayerKind::BatchNorm(settings) = &layer.kind else {
        return Err(LookError::WrongLayer(layer.name.clone()));
    };
    let stored = StoredWeights::of(Weights::of(model, look.layer))?.moving;
    let input = input_of(look, context, cache)?;
    let position = |photo: &usize| input.photos.iter().position(|p| p == photo);
    let wanted = wanted_batch(pass, context)?;
    let batch: Vec<usize> = wanted.iter().filter_map(position).collect();
    let chosen = position(&pass.photo).ok_or(LookError::NoPhotos)?;
    let channels = stored.mean.len();
    let comparison = Comparison {
        setting: NormSetting {
            stored: &ChannelMoments::from(&stored),
            epsilon: settings.epsilon,
            groups: groups_for(channels, input.positions),
            positions: input.positions,
            semantics: pass.semantics,
        },
        photos: &input.moments,
        batch: batch.iter().map(|&i| &input.moments[i]).collect(),
        chosen: batch.iter().position(|&i| i == chosen).unwrap_or(0),
        drawn: drawn_batches(input.photos.len(), [pass.seed, pass.redraws]),
    };
    let mut rows = Vec::with_capacity(Norm::ALL.len());
    for norm in Norm::ALL {
        if !(context.proceed)() {
            return Err(LookError::Cancelled);
        }
        rows.push(comparison.row(norm));
    }
    let frozen = pass.semantics != Semantics::PyTorch && !pass.flags.get(look.layer);
    let outcome = NormsOutcome {
        batch: batch.len(),
        photos: input.photos.len(),
        channels,
        positions: input.positions,
        rank: input.rank,
        epsilon: settings.epsilon,
        groups: comparison.setting.groups,
        semantics: pass.semantics,
        present: if frozen {
            Norm::FrozenBatch
        } else {
            Norm::Batch
        },
        sizes: comparison.drawn.iter().map(|drawn| drawn.size).collect(),
        rows,
    };
    let used = batch.into_iter().map(|i| input.photos[i]).collect();
    Ok((used, Outcome::Norms(Box::new(outcome))))
}

/// The photos of the look's batch, whether they can be read or not.
fn wanted_batch(pass: &PassLook, context: &Context<'_>) -> Result<Vec<usize>, LookError> {
    let set = context.photos(pass.photos)?;
    Ok(batch_of(set, Some(pass.photo), pass.batch, pass.seed))
}

/// The layer's input for every photo that batches are drawn from.
struct LayerInput {
    /// The photos that could be read.
    photos: Vec<usize>,
    /// One for each of them.
    moments: Vec<ChannelMoments>,
    /// Values of a channel in one photo.
    positions: usize,
    /// Its axes, with that of the batch.
    rank: usize,
}

/// Those of the batch, and others that the seed chooses, up to [`NormsLook::MAX_PHOTOS`].
fn input_of(
    look: &NormsLook,
    context: &Context<'_>,
    cache: &mut PhotoCache,
) -> Result<LayerInput, LookError> {
    let pass = &look.pass;
    let model = context.model(pass)?;
    let set = context.photos(pass.photos)?;
    let mut wanted: BTreeSet<usize> = wanted_batch(pass, context)?.into_iter().collect();
    let mut draws = Draws::new(pass.seed, &[BATCH, 1]);
    let others = choose(set.photos.len(), None, NormsLook::MAX_PHOTOS, &mut draws);
    for other in others {
        if wanted.len() < NormsLook::MAX_PHOTOS {
            wanted.insert(other);
        }
    }
    let wanted: Vec<usize> = wanted.into_iter().collect();
    let input = photo_input(&model.graph, pass.semantics);
    input.check(set)?;
    check_batch(PART.min(wanted.len()), &input)?;
    let mut photos = Vec::with_capacity(wanted.len());
    let mut moments = Vec::with_capacity(wanted.len());
    let [mut positions, mut rank] = [1, 2];
    for part in wanted.chunks(PART) {
        (context.progress)(Stage::ComparingNorms, photos.len(), wanted.len());
        let quiet = Context {
            progress: &|_, _, _| {},
            ..*context
        };
        let loaded = load(pass.photos, part, &input, &quiet, cache)?;
        if !(context.proceed)() {
            return Err(LookError::Cancelled);
        }
        if let Some((_, Err(error))) = loaded.iter().find(|(index, _)| *index == pass.photo) {
            return Err(LookError::Photo(error.clone()));
        }
        let readable = loaded
            .into_iter()
            .filter_map(|(index, image)| Some((index, image.ok()?)));
        let (indices, images): (Vec<usize>, Vec<Arc<Image>>) = readable.unzip();
        let Some(&first) = indices.first() else {
            continue;
        };
        // Each part has draws of its own.
        let draws = [pass.seed, pass.redraws + ((first as u64) << 32)];
        let augment = pass.augment.as_ref();
        let images = augmented(
            images,
            augment,
            model.graph.input_hwc,
            pass.semantics,
            draws,
        )?;
        let x = tensor_of(&images, pass.preprocessing)?;
        let tapped = input_in_inference(model, &x, look, context)?;
        let channels = tapped.dims().last().copied().unwrap_or(1).max(1);
        rank = tapped.rank();
        positions = tapped.elem_count() / (indices.len() * channels).max(1);
        moments.extend(photo_moments(&tapped)?);
        photos.extend(indices);
    }
    Ok(LayerInput {
        photos,
        moments,
        positions,
        rank,
    })
}

/// What reaches the layer if every layer before it runs in inference.
fn input_in_inference(
    model: &Model,
    x: &Tensor,
    look: &NormsLook,
    context: &Context<'_>,
) -> Result<Tensor, LookError> {
    let NormsLook { pass, layer } = look;
    let graph = &model.graph;
    let wrong = || LookError::WrongLayer(graph.layers[*layer].name.clone());
    let until = graph.nodes.iter().rposition(|node| node.layer == *layer);
    let segment = Segment {
        until: Some(until.ok_or_else(wrong)?),
        ..Segment::default()
    };
    let options = PassOptions {
        outer: Mode::Inference.into(),
        semantics: pass.semantics,
        flags: &stored_everywhere(graph, &pass.flags, pass.semantics),
        random: false,
        seed: pass.seed,
        repeat: pass.redraws,
        taps: &[*layer],
        moments: &[],
        weights: None,
    };
    let mut done = run_segment(model, x, segment, &options, &|_, _| (context.proceed)())?;
    Ok(done.taps.remove(layer).ok_or_else(wrong)?.input)
}

/// The flags with every BatchNorm frozen and no module in a mode of its own: a value in the file or a call on a
/// module could have it use the batch in inference too.
fn stored_everywhere(graph: &Graph, flags: &Flags, semantics: Semantics) -> Flags {
    let mut flags = flags.in_column(Mode::Inference);
    for (id, layer) in graph.layers.iter().enumerate() {
        if layer.kind.role() == Role::BatchNorm {
            flags.set(graph, id, false, semantics);
        }
    }
    flags
}

/// What all rows share.
struct Comparison<'a> {
    setting: NormSetting<'a>,
    photos: &'a [ChannelMoments],
    /// The batch of the look.
    batch: Vec<&'a ChannelMoments>,
    /// Position of the chosen photo in it.
    chosen: usize,
    drawn: Vec<DrawnBatches>,
}

impl Comparison<'_> {
    fn row(&self, norm: Norm) -> NormRow {
        let setting = &self.setting;
        let [training, inference] = Mode::BOTH.map(|mode| {
            let refused = setting.refuses(norm.reads(mode), self.batch.len());
            (!refused).then(|| setting.used(norm, mode, &self.batch))
        });
        let stored = setting.used(Norm::Batch, Mode::Inference, &self.batch);
        let distance = |one: &[ChannelMoments], other: &[ChannelMoments]| {
            setting.mean_square(&self.batch, one, other).sqrt()
        };
        let both = training.as_ref().zip(inference.as_ref());
        let between_modes = both.map(|(one, other)| distance(one, other));
        let from_inference = inference.as_ref().map(|used| distance(used, &stored));
        let side = |mode: Mode, used: Option<Vec<ChannelMoments>>| NormSide {
            reads: norm.reads(mode),
            moves: norm.moves(mode),
            used: used.as_ref().map(|used| narrow(&used[self.chosen])),
            errors: self
                .drawn
                .iter()
                .map(|drawn| batch_error(norm, mode, self.photos, drawn, &self.setting))
                .collect(),
        };
        NormRow {
            norm,
            training: side(Mode::Training, training),
            inference: side(Mode::Inference, inference),
            between_modes,
            from_inference,
        }
    }
}

fn narrow(moments: &ChannelMoments) -> Moments {
    let values = |values: &[f64]| values.iter().map(|&x| x as f32).collect();
    Moments {
        mean: values(&moments.mean),
        variance: values(&moments.variance),
    }
}
