//! The predictions for one photo in both modes: once, over repeated passes, and with other photos in
//! the batch.

use std::cell::Cell;

use candle_core::Tensor;

use super::{Batch, Context, LookError, augmented, batch_for, load, photo_input, tensor_of};
use crate::photos::PhotoCache;
use crate::{
    ClassInPass, Outcome, PassLook, PredictLook, PredictOutcome, PredictRow, PredictSide, Stage,
};
use modelens_core::dataset::batch::choose;
use modelens_core::model::pass::{PassCache, PassOptions, mixes_images, run_row};
use modelens_core::model::{CallModes, Mode, Model, Outer, Reading, Role};
use modelens_core::random::Draws;

/// Purpose of the draws of batches with other photos.
const MATES: u64 = u64::from_le_bytes(*b"mates\0\0\0");
const STAGE: Stage = Stage::PassesInBothModes;

/// The passes of one look that are done. A look that was given up goes on from them, and one that only asks
/// for more passes adds to them.
#[derive(Debug)]
pub struct DonePasses {
    of: PassLook,
    /// Units of the last layer.
    outputs: usize,
    /// Probabilities of the chosen photo in each pass, by mode.
    repeated: [Vec<Vec<f32>>; 2],
    /// For each batch with other photos, the number of photos that could be read, and what each mode says.
    among: Vec<(usize, [ClassInPass; 2])>,
}

impl DonePasses {
    fn none(of: &PassLook) -> Self {
        Self {
            of: of.clone(),
            outputs: 0,
            repeated: [Vec::new(), Vec::new()],
            among: Vec::new(),
        }
    }

    /// Number of passes through the model.
    fn count(&self) -> usize {
        self.repeated.iter().map(Vec::len).sum::<usize>() + 2 * self.among.len()
    }
}

pub fn compute(
    look: &PredictLook,
    context: &Context<'_>,
    cache: &mut PhotoCache,
) -> Result<(Vec<usize>, Outcome), LookError> {
    let known = cache.predict.take().filter(|done| done.of == look.pass);
    let mut done = known.unwrap_or_else(|| DonePasses::none(&look.pass));
    let outcome = go_on(look, context, cache, &mut done);
    cache.predict = Some(done);
    outcome
}

/// Adds the passes that are missing.
fn go_on(
    look: &PredictLook,
    context: &Context<'_>,
    cache: &mut PhotoCache,
    done: &mut DonePasses,
) -> Result<(Vec<usize>, Outcome), LookError> {
    let pass = &look.pass;
    let model = context.model(pass)?;
    let reading = Reading::of(&model.graph).ok_or(LookError::NoClasses)?;
    let Batch { photos, chosen, x } = batch_for(pass, context, cache)?;
    let mates = mates_of(pass, context.photos(pass.photos)?.photos.len());
    let passing = Passing {
        look: pass,
        reading,
        context,
        done: Cell::new(done.count()),
        total: 2 * (look.passes + mates.len()),
        outputs: Cell::new(done.outputs),
    };
    let alone = x.narrow(0, chosen, 1)?;
    let mut same_input = SameInput::new(model, [&x, &alone], chosen);
    let mut repeat = |done: &mut DonePasses, mode: Mode, passes: usize| -> Result<(), LookError> {
        // Each redraw has its own numbers of passes, however many passes are asked for.
        let first = pass.redraws * PredictLook::PASSES_RANGE[1] as u64;
        for number in done.repeated[mode as usize].len()..passes {
            let repeat = Some(first + number as u64);
            let row = passing.probabilities(&mut same_input, mode, repeat)?;
            done.repeated[mode as usize].push(row);
        }
        done.outputs = passing.outputs.get();
        Ok(())
    };
    for mode in Mode::BOTH {
        repeat(done, mode, 1)?;
    }
    let [first_training, first_inference] = [0, 1].map(|mode| done.repeated[mode][0].clone());
    let [top_training, top_inference] = [&first_training, &first_inference].map(|row| top(row));
    let followed = *top_inference.first().ok_or(LookError::NoClasses)?;
    let mut classes = top_inference.clone();
    classes.extend(top_training.iter().filter(|c| !top_inference.contains(c)));
    classes.sort_by(|&a, &b| first_inference[b].total_cmp(&first_inference[a]));
    let rows = classes.into_iter().map(|class| PredictRow {
        class,
        training: first_training[class],
        inference: first_inference[class],
    });
    let rows: Vec<PredictRow> = rows.collect();
    let side = |mode, passes: &[Vec<f32>], mates| side(model, pass, mode, passes, mates, followed);
    let outcome = PredictOutcome {
        reading,
        outputs: passing.outputs.get(),
        rows,
        followed,
        batch: photos.len(),
        mates_batch: [0; 2],
        training: side(Mode::Training, &done.repeated[0][..1], Vec::new()),
        inference: side(Mode::Inference, &done.repeated[1][..1], Vec::new()),
    };
    (context.early)(&photos, Outcome::Predict(Box::new(outcome.clone())));

    for mode in Mode::BOTH {
        repeat(done, mode, look.passes)?;
    }
    for others in mates.iter().skip(done.among.len()) {
        let (count, x) = mates_tensor(pass, others, context, cache)?;
        let alone = x.narrow(0, 0, 1)?;
        let mut same_input = SameInput::new(model, [&x, &alone], 0);
        let mut seen = |mode| {
            let row = passing.probabilities(&mut same_input, mode, None)?;
            Ok::<_, LookError>(class_in_pass(&row, followed))
        };
        let both = [seen(Mode::Training)?, seen(Mode::Inference)?];
        done.among.push((count, both));
    }
    let sizes = || done.among.iter().map(|(count, _)| *count);
    let among = |mode: usize| done.among.iter().map(move |(_, both)| both[mode]);
    let repeated = |mode: usize| &done.repeated[mode][..look.passes];
    let outcome = PredictOutcome {
        mates_batch: [sizes().min().unwrap_or(0), sizes().max().unwrap_or(0)],
        training: side(Mode::Training, repeated(0), among(0).collect()),
        inference: side(Mode::Inference, repeated(1), among(1).collect()),
        ..outcome
    };
    Ok((photos, Outcome::Predict(Box::new(outcome))))
}

/// The five most probable classes; ties stay in order.
fn top(probabilities: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    order.truncate(PredictLook::TOP);
    order
}

fn class_in_pass(row: &[f32], followed: usize) -> ClassInPass {
    ClassInPass {
        probability: row.get(followed).copied().unwrap_or(f32::NAN),
        first: top(row).first().copied().unwrap_or(followed),
    }
}

/// The other photos in each further batch, out of a set of `n`; empty if there are no others or the
/// batch is a single photo.
///
/// A batch of all photos would always have the same others, so it takes half of the photos instead.
fn mates_of(look: &PassLook, n: usize) -> Vec<Vec<usize>> {
    let size = if look.batch < n {
        look.batch
    } else {
        n.div_ceil(2)
    };
    if size < 2 {
        return Vec::new();
    }
    let batches = 0..PredictLook::BATCHES as u64;
    let others = batches.map(|i| {
        let mut draws = Draws::new(look.seed, &[MATES, i]);
        let mut batch = choose(n, Some(look.photo), size, &mut draws);
        batch.retain(|&photo| photo != look.photo);
        batch
    });
    others.collect()
}

/// The number of readable photos and the input of a batch that begins with the chosen photo.
fn mates_tensor(
    look: &PassLook,
    others: &[usize],
    context: &Context<'_>,
    cache: &mut PhotoCache,
) -> Result<(usize, Tensor), LookError> {
    let graph = &context.model(look)?.graph;
    let mut wanted = vec![look.photo];
    wanted.extend(others);
    let input = photo_input(graph, look.semantics);
    let loaded = load(look.photos, &wanted, &input, context, cache)?;
    if !(context.proceed)() {
        return Err(LookError::Cancelled);
    }
    if !matches!(loaded.first(), Some((_, Ok(_)))) {
        return Err(LookError::NoPhotos);
    }
    let images: Vec<_> = loaded.into_iter().filter_map(|(_, i)| i.ok()).collect();
    let draws = [look.seed, look.redraws];
    let images = augmented(
        images,
        look.augment.as_ref(),
        graph.input_hwc,
        look.semantics,
        draws,
    )?;
    Ok((images.len(), tensor_of(&images, look.preprocessing)?))
}

fn side(
    model: &Model,
    look: &PassLook,
    mode: Mode,
    passes: &[Vec<f32>],
    mates: Vec<ClassInPass>,
    followed: usize,
) -> PredictSide {
    let flags = look.flags.in_column(mode);
    let modes = CallModes::of(&model.graph, &flags, Outer::Given(mode), look.semantics);
    let layers = model.graph.layers.iter().enumerate();
    let layers = layers.map(|(id, layer)| {
        let effective = modes.effective(&model.graph, &flags, id);
        (layer.kind.role(), look.flags.get(id), effective)
    });
    let layers: Vec<_> = layers.collect();
    let batch_norms = || layers.iter().filter(|(role, ..)| *role == Role::BatchNorm);
    let on_batch = || batch_norms().filter(|(.., effective)| effective.active);
    let random = layers.iter().filter(|(role, _, effective)| {
        matches!(role, Role::Noise | Role::Augmentation) && effective.active
    });
    let first = class_in_pass(&passes[0], followed).first;
    PredictSide {
        first,
        first_probability: passes[0][first],
        passes: passes
            .iter()
            .map(|row| class_in_pass(row, followed))
            .collect(),
        mates,
        random: random.count(),
        batch_norms: batch_norms().count(),
        on_batch: on_batch().count(),
        on_batch_frozen: on_batch().filter(|(_, trainable, _)| !trainable).count(),
        frozen: batch_norms().filter(|(_, trainable, _)| !trainable).count(),
        unreached: batch_norms()
            .filter(|(.., effective)| effective.training != mode.training())
            .count(),
    }
}

/// What all passes share.
struct Passing<'a> {
    look: &'a PassLook,
    reading: Reading,
    context: &'a Context<'a>,
    /// Number of passes done so far.
    done: Cell<usize>,
    total: usize,
    /// Units of the last layer.
    outputs: Cell<usize>,
}

impl Passing<'_> {
    /// The probabilities of one photo. `repeat` numbers the pass for its random draws; `None`: no random
    /// draws.
    fn probabilities(
        &self,
        input: &mut SameInput<'_>,
        mode: Mode,
        repeat: Option<u64>,
    ) -> Result<Vec<f32>, LookError> {
        let flags = self.look.flags.in_column(mode);
        let options = PassOptions {
            outer: mode.into(),
            semantics: self.look.semantics,
            flags: &flags,
            random: repeat.is_some(),
            seed: self.look.seed,
            repeat: repeat.unwrap_or(0),
            taps: &[],
            moments: &[],
            weights: None,
        };
        let done = self.done.get();
        (self.context.progress)(STAGE, done, self.total);
        let output = input.output(&options, &|_, _| (self.context.proceed)())?;
        self.done.set(done + 1);
        if output.rank() != 2 {
            return Err(LookError::NoClasses);
        }
        let row = output.get(0)?.to_vec1::<f32>()?;
        if row.is_empty() {
            return Err(LookError::NoClasses);
        }
        self.outputs.set(row.len());
        Ok(self.reading.probabilities(&row))
    }
}

/// Passes of one batch of which one photo is wanted.
struct SameInput<'a> {
    together: PassCache<'a>,
    /// The photo alone.
    alone: PassCache<'a>,
    /// The photo's place in the batch.
    place: usize,
}

impl<'a> SameInput<'a> {
    fn new(model: &'a Model, [together, alone]: [&'a Tensor; 2], place: usize) -> Self {
        let [together, alone] = [together, alone].map(|x| PassCache::new(model, x));
        Self {
            together,
            alone,
            place,
        }
    }

    /// The photo's output, `[1, ...]`. Where the others change nothing, they do not run.
    fn output(
        &mut self,
        options: &PassOptions<'_>,
        proceed: &dyn Fn(usize, usize) -> bool,
    ) -> Result<Tensor, LookError> {
        let (model, x, place) = (self.together.model, self.together.x, self.place);
        if !mixes_images(model, options) {
            return Ok(self.alone.run(options, proceed)?.output);
        }
        if let Some(output) = run_row(model, x, place, options, proceed)? {
            return Ok(output);
        }
        Ok(self
            .together
            .run(options, proceed)?
            .output
            .narrow(0, place, 1)?)
    }
}
