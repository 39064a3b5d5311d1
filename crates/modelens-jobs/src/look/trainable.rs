//! One optimizer step on a copy for each of the four ways to set `trainable` and `training`.

use candle_core::Tensor;

use super::{Batch, Context, LookError, batch_for};
use crate::photos::PhotoCache;
use crate::{
    CardPart, FirstSteps, Outcome, PassLook, Stage, TrainableCard, TrainableLook, TrainableOutcome,
};
use modelens_core::model::flags::base_of;
use modelens_core::model::graph::Weight;
use modelens_core::model::head_cut::base_layers;
use modelens_core::model::layers::Weights;
use modelens_core::model::layers::batch_norm::{Moments, StoredWeights};
use modelens_core::model::pass::{Pass, PassCache, PassOptions};
use modelens_core::model::{
    CallModes, Flags, Layer, LayerId, Mode, Model, Outer, PassError, Reading, Role, Semantics,
};
use modelens_core::train::{SgdStep, loss, sgd_step};

/// The learning rate of each step.
const RATE: f64 = 0.01;
const STAGE: Stage = Stage::OptimizerSteps;

pub fn compute(
    look: &PassLook,
    context: &Context<'_>,
    cache: &mut PhotoCache,
) -> Result<(Vec<usize>, Outcome), LookError> {
    let look = PassLook {
        batch: look.batch.min(TrainableLook::MAX_PHOTOS),
        ..look.clone()
    };
    let model = context.model(&look)?;
    let graph = &model.graph;
    let Batch { photos, x, .. } = batch_for(&look, context, cache)?;
    let set = &context.photos(look.photos)?.photos;
    let classes = photos.iter().map(|&photo| set[photo].class as u32);
    let measuring = Measuring {
        look: &look,
        model,
        classes: classes.collect(),
        base: base_of(graph),
        probabilities: Reading::of(graph).is_some_and(Reading::is_probability),
        context,
    };
    let mut passes = PassCache::new(model, &x);
    let mut first = FirstSteps {
        photos: photos.len(),
        semantics: look.semantics,
        cards: Vec::new(),
    };
    let mut card = |trainable: bool, mode: Mode| -> Result<TrainableCard, LookError> {
        (context.progress)(STAGE, first.cards.len(), 4);
        let card = measuring.card(&mut passes, trainable, mode)?;
        first.cards.push(card.clone());
        (context.early)(&photos, Outcome::FirstSteps(first.clone()));
        Ok(card)
    };
    let [training, inference] = Mode::BOTH;
    // First with a frozen base, which is how most models come: the others go on from its end.
    let [frozen_training, frozen_inference] = [card(false, training)?, card(false, inference)?];
    let [open_training, open_inference] = [card(true, training)?, card(true, inference)?];
    let cards = [
        open_training,
        open_inference,
        frozen_training,
        frozen_inference,
    ];
    let base = measuring.base;
    let outcome = TrainableOutcome {
        photos: photos.len(),
        semantics: look.semantics,
        rate: RATE,
        recorded: look.flags.recorded(graph),
        has_head: base.is_some(),
        noises: of_role(model, Role::Noise).count(),
        cards,
    };
    Ok((photos, Outcome::Trainable(Box::new(outcome))))
}

fn of_role(model: &Model, role: Role) -> impl Iterator<Item = LayerId> + '_ {
    let layers = model.graph.layers.iter().enumerate();
    layers
        .filter(move |(_, layer)| layer.kind.role() == role)
        .map(|(id, _)| id)
}

/// What the four steps share.
struct Measuring<'a> {
    look: &'a PassLook,
    model: &'a Model,
    /// Of each photo.
    classes: Vec<u32>,
    base: Option<LayerId>,
    probabilities: bool,
    context: &'a Context<'a>,
}

impl Measuring<'_> {
    fn options<'a>(&'a self, flags: &'a Flags, mode: Mode, random: bool) -> PassOptions<'a> {
        PassOptions {
            outer: mode.into(),
            semantics: self.look.semantics,
            flags,
            random,
            seed: self.look.seed,
            repeat: self.look.redraws,
            taps: &[],
            moments: &[],
            weights: None,
        }
    }

    /// The model's output without random draws, for comparing outputs.
    fn output(
        &self,
        passes: &mut PassCache<'_>,
        flags: &Flags,
        mode: Mode,
    ) -> Result<Vec<f32>, LookError> {
        let options = self.options(flags, mode, false);
        let pass = passes.run(&options, &|_, _| (self.context.proceed)())?;
        Ok(pass.output.flatten_all()?.to_vec1()?)
    }

    fn card(
        &self,
        passes: &mut PassCache<'_>,
        trainable: bool,
        mode: Mode,
    ) -> Result<TrainableCard, LookError> {
        let model = self.model;
        let mut flags = self.look.flags.in_column(mode);
        flags.set_base(&model.graph, trainable);
        let step = sgd_step(
            passes,
            &self.options(&flags, mode, true),
            RATE,
            |y| self.loss(y),
            &|_, _| (self.context.proceed)(),
        )?;
        let output = self.output(passes, &flags, mode)?;
        let inference = self.look.flags.in_column(Mode::Inference);
        let plain = self.output(passes, &inference, Mode::Inference)?;
        if !(self.context.proceed)() {
            return Err(PassError::Cancelled.into());
        }
        let outer = Outer::Given(mode);
        let modes = CallModes::of(&model.graph, &flags, outer, self.look.semantics);
        let effective = |id| modes.effective(&model.graph, &flags, id);
        let mut card = TrainableCard {
            trainable,
            mode,
            reaches_base: match (self.base, self.look.semantics) {
                // The modules in the base may have a mode of their own.
                (_, Semantics::PyTorch) => base_layers(model)
                    .into_iter()
                    .any(|id| effective(id).training),
                (Some(base), _) => effective(base).training,
                (None, _) => mode.training(),
            },
            base: CardPart::default(),
            head: CardPart::default(),
            noises_active: of_role(model, Role::Noise)
                .filter(|&id| effective(id).active)
                .count(),
            output_difference: largest_difference(&output, &plain),
            loss: step.loss,
        };
        for (id, layer) in model.graph.layers.iter().enumerate() {
            let part = if self.is_in_base(id) {
                &mut card.base
            } else {
                &mut card.head
            };
            if effective(id).learns {
                part.learns += learnable(layer);
            }
            measure(part, model, id, &step)?;
        }
        Ok(card)
    }

    fn is_in_base(&self, layer: LayerId) -> bool {
        let Some(base) = self.base else {
            return true;
        };
        layer == base || self.model.graph.ancestors(layer).any(|a| a == base)
    }

    /// Cross-entropy with the photos' classes; a base without a classifier is averaged over its
    /// positions first.
    fn loss(&self, y: &Tensor) -> candle_core::Result<Tensor> {
        let mut y = y.clone();
        while y.rank() > 2 {
            y = y.mean(1)?;
        }
        loss::cross_entropy(&y, &self.classes, self.probabilities)
    }
}

/// The number of values in the weights an optimizer may change.
fn learnable(layer: &Layer) -> usize {
    let weights = layer.weights.iter().filter(|w| w.learnable);
    weights.map(Weight::len).sum()
}

/// Adds what the step did to one layer.
fn measure(
    part: &mut CardPart,
    model: &Model,
    id: LayerId,
    step: &SgdStep,
) -> Result<(), LookError> {
    let (layer, own) = (&model.graph.layers[id], Weights::of(model, id));
    let values = |t: &Tensor| t.flatten_all()?.to_vec1::<f32>();
    for weight in &layer.weights {
        if let Some(after) = step.weights.get(&(id, weight.name)) {
            let before = own.need(weight.name)?;
            let change = largest_difference(&values(after)?, &values(before)?);
            part.weight_change = larger(part.weight_change, change);
        }
    }
    if layer.kind.role() != Role::BatchNorm {
        return Ok(());
    }
    part.batch_norms += 1;
    let Some(moved) = statistics_change(model, id, &step.pass)? else {
        return Ok(());
    };
    part.on_batch += usize::from(moved.on_batch);
    if moved.change != 0.0 {
        part.statistics_moved += 1;
        part.statistics_change = larger(part.statistics_change, moved.change);
    }
    Ok(())
}

struct StatisticsChange {
    on_batch: bool,
    change: f32,
}

/// What a pass does to the moving statistics of a BatchNorm; `None` where it does not run.
fn statistics_change(
    model: &Model,
    id: LayerId,
    pass: &Pass,
) -> candle_core::Result<Option<StatisticsChange>> {
    let Some(done) = pass.batch_norm.get(&id) else {
        return Ok(None);
    };
    let Moments { mean, variance } = StoredWeights::of(Weights::of(model, id))?.moving;
    Ok(Some(StatisticsChange {
        on_batch: done.batch.is_some(),
        change: larger(
            largest_difference(&done.next.mean, &mean),
            largest_difference(&done.next.variance, &variance),
        ),
    }))
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    let pairs = a.iter().zip(b);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, larger)
}

/// The larger value. NaN counts as largest, so that a broken weight shows.
fn larger(a: f32, b: f32) -> f32 {
    if a.is_nan() || b.is_nan() {
        f32::NAN
    } else {
        a.max(b)
    }
}
