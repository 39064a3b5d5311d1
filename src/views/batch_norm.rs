//! One BatchNorm layer: what each side normalises with, what comes out, and how its moving
//! statistics walk.

use eframe::egui::{Rect, Ui};

mod arithmetic;
mod batches;
mod columns;
mod controls;
mod map;
mod said;
mod scatters;
mod strip;
mod walk_plot;

pub use controls::controls_ui;

use super::explain::Explanation;
use super::parts::{self, Cut};
use super::{Show, code};
use crate::dataset::PhotoSet;
use crate::model::layers::norm::{Moments, next_moving};
use crate::model::{Effective, LayerId, Mode, Semantics};
use crate::state::{Base, State, View};
use crate::theme::{self, sizes};
use crate::words::batch_norm as words;
use crate::words::modes;
use crate::worker::{
    BatchNormOutcome, BatchNormSide, Look, MeasuredBatch, Outcome, PassLook, walked,
};

/// The latest result, up to date or not, with what is chosen in it.
struct Shown<'a> {
    base: &'a Base,
    photos: Option<&'a PhotoSet>,
    pass: &'a PassLook,
    layer: LayerId,
    outcome: &'a BatchNormOutcome,
    channel: usize,
    /// The flag of the layer when it was measured.
    trainable: bool,
    /// Keras' convention: the chosen one, else the layer's own.
    momentum: f64,
    /// Measured so far.
    batches: &'a [MeasuredBatch],
    /// How many of them the moving statistics have taken in.
    walked: usize,
}

impl<'a> Shown<'a> {
    fn of(state: &'a State) -> Option<Self> {
        let base = state.opened.base.as_ref()?;
        let looked = state.computed.result(View::BatchNorm)?;
        let (Look::BatchNorm { pass, layer }, Outcome::BatchNorm(outcome)) =
            (&looked.look, &looked.outcome)
        else {
            return None;
        };
        let batches = state.walk.batches(pass, *layer);
        Some(Self {
            base,
            photos: state.photos(),
            pass,
            layer: *layer,
            outcome,
            channel: chosen_channel(base, outcome),
            trainable: pass.flags.get(*layer),
            momentum: state.walk.momentum.unwrap_or(outcome.momentum),
            batches,
            walked: state.walk.walked().min(batches.len()),
        })
    }

    fn semantics(&self) -> Semantics {
        self.outcome.semantics
    }

    fn side(&self, mode: Mode) -> &'a BatchNormSide {
        match mode {
            Mode::Training => &self.outcome.training,
            Mode::Inference => &self.outcome.inference,
        }
    }

    /// The chosen channel's value.
    fn at(&self, values: &[f32]) -> f64 {
        values.get(self.channel).map_or(0.0, |&x| f64::from(x))
    }

    /// The chosen channel alone.
    fn channel_of(&self, moments: &Moments) -> Moments {
        let one = |values: &[f32]| values.get(self.channel).copied().into_iter().collect();
        Moments {
            mean: one(&moments.mean),
            variance: one(&moments.variance),
        }
    }

    /// The chosen channel's moving mean and variance after this batch, with the chosen momentum.
    fn next(&self) -> [f64; 2] {
        let side = &self.outcome.training;
        let outcome = self.outcome;
        let own = (self.momentum - outcome.momentum).abs() < f64::EPSILON;
        if own || !side.effective.updates_statistics {
            return [self.at(&side.next.mean), self.at(&side.next.variance)];
        }
        let [moving, batch] = [&outcome.moving, &side.batch].map(|m| self.channel_of(m));
        let rank = outcome.shape.len();
        let next = next_moving(
            &moving,
            &batch,
            self.momentum,
            outcome.n,
            rank,
            outcome.semantics,
        );
        [next.mean, next.variance].map(|v| v.first().map_or(0.0, |&x| f64::from(x)))
    }

    /// The chosen channel's moving statistics from the file on, one after each batch taken in.
    fn walk(&self) -> Vec<Moments> {
        let start = self.channel_of(&self.outcome.moving);
        let batches: Vec<MeasuredBatch> = self.batches[..self.walked]
            .iter()
            .map(|batch| MeasuredBatch {
                moments: self.channel_of(&batch.moments),
                ..*batch
            })
            .collect();
        let mut walk = walked(&start, &batches, self.momentum, self.semantics());
        walk.insert(0, start);
        walk
    }
}

/// The chosen channel, else the one that differs most.
pub fn chosen_channel(base: &Base, outcome: &BatchNormOutcome) -> usize {
    let channels = outcome.moving.mean.len();
    let channel = base.channel.filter(|&channel| channel < channels);
    let first = || outcome.most_different().first().copied();
    channel.or_else(first).unwrap_or(0)
}

/// Sentences and code.
pub fn explanation(state: &State) -> Explanation {
    let semantics = state.semantics();
    let Some((base, layer)) = state
        .opened
        .base
        .as_ref()
        .and_then(|b| Some((b, b.batch_norm?)))
    else {
        return Explanation::default();
    };
    let trainable = base.flags.get(layer);
    let outer = state.settings.call;
    let training: Effective = base.flags.effective(&base.model, layer, outer, semantics);
    let shown = Shown::of(state);
    let text = shown.as_ref().map(|shown| {
        modes::augmented_batch(state.augmented_by(View::BatchNorm)) + &said::what_you_see(shown)
    });
    let own = &base.model.graph.layers[layer];
    Explanation {
        text: text.unwrap_or_default(),
        code: code::batch_norm(
            &own.name,
            &code::BatchNormSetting {
                nested: own.parent.is_some(),
                outer,
                training,
                trainable,
                momentum: state.walk.momentum,
                batches: shown.map_or(0, |shown| shown.walked),
            },
            semantics,
        ),
    }
}

/// All layers at a glance; both columns; below them the scatter plots and the walk.
pub fn body_ui(ui: &mut Ui, show: &mut Show<'_>, mut cut: Cut) {
    let state = show.state;
    let shown = Shown::of(state);
    let strip = cut.top(sizes::STRIP);
    strip::strip_ui(ui, show, shown.as_ref(), strip);
    cut.top(sizes::S2);
    let height = cut.0.height();
    let columns = (height * sizes::BATCH_NORM_COLUMNS_SHARE)
        .min(height - sizes::SCATTER_ROW_MIN - sizes::S2)
        .max(sizes::BATCH_NORM_COLUMNS_MIN)
        .floor();
    let columns = Cut(cut.top(columns));
    cut.top(sizes::S2);
    columns::columns_ui(ui, show, shown.as_ref(), columns);
    let card = cut.0;
    parts::card(ui.painter(), card, theme::palette(ui));
    if let Some(shown) = &shown {
        below_ui(ui, show, shown, card);
    }
}

/// This batch against the file, and further batches.
fn below_ui(ui: &mut Ui, show: &mut Show<'_>, shown: &Shown<'_>, card: Rect) {
    let inner = card.shrink2(eframe::egui::vec2(sizes::S4, sizes::S2));
    let left = (inner.width() * sizes::SCATTER_SHARE)
        .min(2.0 * inner.height() * sizes::SCATTER_ASPECT)
        .floor();
    let (scatters, batches) = inner.split_left_right_at_x(inner.left() + left);
    scatters::scatters_ui(ui, show, shown, scatters);
    let batches = batches.with_min_x(batches.left() + sizes::S4);
    parts::note_plot(ui, words::FURTHER_BATCHES, batches);
    batches::batches_ui(ui, show, shown, batches);
}
