//! One BatchNorm layer: what each side normalises with, what comes out, and how its moving
//! statistics move.

mod arithmetic;
mod batches;
mod cause;
pub(super) mod code;
mod columns;
mod controls;
mod map;
mod mechanism;
pub(super) mod norms;
mod numbers;
mod scatters;
mod strip;
mod texts;
mod ui;
mod values;
mod walk_plot;
mod words;

use eframe::egui::{Ui, Vec2, vec2};

use super::page::COLUMNS;
use super::parts::Cut;
use super::parts::code::module_calls;
use super::{Explanation, Page, Show, current, pass};
use crate::command::Action;
use crate::dataset::PhotoList;
use crate::lesson::Value;
use crate::model::layers::batch_norm::{Moments, next_moving};
use crate::model::{LayerId, Mode, Outer, Role, Semantics};
use crate::state::{Base, State, View};
use crate::theme::sizes;
use crate::words::{common, modes};
use modelens_jobs::{
    BatchNormOutcome, BatchNormSide, Look, LookResult, MeasuredBatch, NormsLook, Outcome, PassLook,
    walked,
};

/// The BatchNorm view.
pub struct BatchNorm;

/// Which columns the network's own augmentation layers change, if any.
fn own_augmentation(state: &State, base: &Base) -> String {
    let graph = &base.model.graph;
    let layers = || {
        let all = graph.layers.iter().enumerate();
        all.filter(|(_, layer)| layer.kind.role() == Role::Augmentation)
    };
    let draws = |outer: Outer| {
        let semantics = state.semantics();
        let acts = |id| {
            base.flags
                .effective(&base.model, id, outer, semantics)
                .active
        };
        state.settings.random && layers().any(|(id, _)| acts(id))
    };
    let classes: Vec<&str> = layers().map(|(_, layer)| layer.class.as_str()).collect();
    let active = [state.settings.call, Mode::Inference.into()].map(draws);
    modes::own_augmentation(&classes, active)
}

impl Page for BatchNorm {
    fn label(&self) -> &'static str {
        words::LABEL
    }

    fn tooltip(&self) -> &'static str {
        words::TOOLTIP
    }

    fn role(&self) -> Option<Role> {
        Some(Role::BatchNorm)
    }

    fn wanted(&self, state: &State) -> Option<Look> {
        let layer = self.layer(state.opened.base.as_ref()?)?;
        let pass = pass(state)?;
        Some(if state.settings.compare_norms {
            Look::Norms(NormsLook::new(pass, layer))
        } else {
            Look::BatchNorm { pass, layer }
        })
    }

    fn missing(&self, base: &Base) -> Option<String> {
        let model = &base.model;
        base.batch_norms.is_empty().then(|| {
            let why = model.format.without_batch_norm.map(str::to_owned);
            why.unwrap_or_else(|| words::without_batch_norm(&model.graph, model.semantics))
        })
    }

    fn instead(&self, base: &Base) -> Option<(Action, &'static str)> {
        let action = Action::Show(View::Dropout);
        (!base.noises.is_empty()).then_some((action, words::SHOW_DROPOUT))
    }

    fn explanation(&self, state: &State) -> Explanation {
        if state.settings.compare_norms {
            return norms::explanation(state);
        }
        let semantics = state.semantics();
        let base = state.opened.base.as_ref();
        let Some((base, layer)) = base.and_then(|b| Some((b, b.batch_norm?))) else {
            return Explanation::default();
        };
        let outer = state.settings.call;
        let shown = Shown::of(state);
        let text = shown.as_ref().map(|shown| {
            let pixels = modes::augmented_batch(state.augmented_by(View::BatchNorm));
            let calls = state.module_calls();
            let seen = texts::what_you_see(shown) + &own_augmentation(state, base);
            // After the conclusion, before its evidence.
            let (conclusion, evidence) = seen.split_once('\n').unwrap_or((&seen, ""));
            let evidence = cause::sentence(shown, state) + evidence;
            common::sentences(&[&format!("{conclusion}\n{evidence}"), &calls, &pixels])
        });
        let own = &base.model.graph.layers[layer];
        let setting = code::BatchNormSetting {
            nested: own.parent.is_some(),
            outer,
            calls: module_calls(&base.flags.modules),
            training: base.flags.effective(&base.model, layer, outer, semantics),
            trainable: base.flags.get(layer),
            momentum: state.walk.momentum,
            batches: shown.map_or(0, |shown| shown.walked),
        };
        Explanation {
            text: text.unwrap_or_default(),
            code: code::snippet(&own.name, &setting, semantics),
        }
    }

    fn controls_ui(&self, ui: &mut Ui, show: &mut Show<'_>) {
        controls::controls_ui(ui, show);
    }

    fn body_ui(&self, ui: &mut Ui, show: &mut Show<'_>, cut: Cut) {
        if show.state.settings.compare_norms {
            norms::body_ui(ui, show, cut);
        } else {
            ui::body_ui(ui, show, cut);
        }
    }

    fn control_rows(&self, width: f32) -> usize {
        if width < sizes::BATCH_NORM_CONTROLS {
            2
        } else {
            1
        }
    }

    fn least_height(&self, state: &State) -> f32 {
        if state.settings.compare_norms {
            return norms::least_height();
        }
        sizes::STRIP + sizes::BATCH_NORM_COLUMNS_MIN + sizes::SCATTER_ROW_MIN + 2.0 * sizes::S2
    }

    fn figure_height(&self, _ui: &Ui, state: &State, width: f32) -> f32 {
        if state.settings.compare_norms {
            return norms::height();
        }
        if width < sizes::FIGURE_LEAST {
            return ui::stacked_height(state.walk.watches);
        }
        sizes::STRIP + sizes::FIGURE_BODY
    }

    fn least_size(&self, ui: &Ui, state: &State, width: f32) -> Vec2 {
        if state.settings.compare_norms {
            return vec2(sizes::FIGURE_LEAST, self.least_height(state));
        }
        let height = if width < sizes::FIGURE_LEAST {
            self.figure_height(ui, state, width)
        } else {
            ui::low_height(state.walk.watches)
        };
        vec2(sizes::FIGURE_NARROW, height)
    }

    fn sides(&self, state: &State) -> Option<[&'static str; 2]> {
        (!state.settings.compare_norms).then_some(COLUMNS)
    }

    fn channel(&self, state: &State) -> Option<usize> {
        let compared = norms::Compared::of(state).map(|compared| compared.channel);
        let channel = compared.or_else(|| Shown::of(state).map(|shown| shown.channel));
        channel.map(|channel| channel + 1)
    }

    fn took(&self, looked: &LookResult) -> String {
        if let Some(outcome) = norms::outcome_of(looked) {
            return norms::took(outcome.photos, looked.secs);
        }
        let is_augmented =
            matches!(&looked.look, Look::BatchNorm { pass, .. } if pass.augment.is_some());
        words::took(looked.batch.len(), is_augmented, looked.secs)
    }

    fn value_names(&self) -> Vec<(&'static str, &'static str)> {
        let compared = super::values::meanings_of(norms::TABLE);
        [super::values::meanings_of(values::TABLE), compared].concat()
    }

    fn value(&self, state: &State, name: &str) -> Option<Value> {
        let looked = current(state, View::BatchNorm)?;
        if let Some(outcome) = norms::outcome_of(looked) {
            return super::values::find(norms::TABLE, name)?(outcome);
        }
        let value = super::values::find(values::TABLE, name)?;
        let shown = Shown::of(state)?;
        value(shown.outcome, shown.channel)
    }

    fn numbers(&self, state: &State) -> Option<String> {
        let compared = norms::Compared::of(state).map(|compared| norms::csv(&compared));
        compared.or_else(|| Shown::of(state).map(|shown| numbers::csv(state, &shown)))
    }
}

/// The latest result, up to date or not, with what is chosen in it.
struct Shown<'a> {
    base: &'a Base,
    photos: Option<&'a PhotoList>,
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
        self.walk_of(self.walked)
    }

    /// The chosen channel's moving statistics from the file on, one after each of the first batches.
    fn walk_of(&self, batches: usize) -> Vec<Moments> {
        let start = self.channel_of(&self.outcome.moving);
        let batches: Vec<MeasuredBatch> = self.batches[..batches.min(self.batches.len())]
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
fn chosen_channel(base: &Base, outcome: &BatchNormOutcome) -> usize {
    let channels = outcome.moving.mean.len();
    let channel = base.channel.filter(|&channel| channel < channels);
    let first = || outcome.most_different().first().copied();
    channel.or_else(first).unwrap_or(0)
}
