//! The normalisations that may be in the place of the layer: what each reads in each mode, and how its output
//! moves with the other photos of the batch.

pub(crate) mod code;
mod numbers;
mod plot;
mod table;
mod ui;
mod values;
mod words;

pub use numbers::csv;
pub use ui::{body_ui, height, least_height};
pub use values::TABLE;
pub use words::{COMPARE, COMPARE_TIP, took};

use crate::command::Command;
use crate::model::LayerId;
use crate::model::norms::Norm;
use crate::state::{Base, State, View};
use crate::views::{Explanation, Show, parts};
use crate::words::common;
use crate::words::modes;
use crate::words::number::thousands;
use eframe::egui::Ui;
use modelens_jobs::{Look, LookResult, NormsOutcome, Outcome, PassLook};

/// The latest comparison, up to date or not.
pub struct Compared<'a> {
    pub base: &'a Base,
    pub pass: &'a PassLook,
    pub layer: LayerId,
    pub outcome: &'a NormsOutcome,
    /// The channel whose statistics the table shows.
    pub channel: usize,
}

impl<'a> Compared<'a> {
    /// `None` while there is none.
    pub fn of(state: &'a State) -> Option<Self> {
        let base = state.opened.base.as_ref()?;
        let looked = state.computed.result(View::BatchNorm)?;
        let Look::Norms(look) = &looked.look else {
            return None;
        };
        let outcome = outcome_of(looked)?;
        let chosen = base.channel.filter(|&channel| channel < outcome.channels);
        Some(Self {
            base,
            pass: &look.pass,
            layer: look.layer,
            outcome,
            channel: chosen.unwrap_or_else(|| most_different(outcome)),
        })
    }
}

/// The comparison in a result.
pub fn outcome_of(looked: &LookResult) -> Option<&NormsOutcome> {
    match &looked.outcome {
        Outcome::Norms(outcome) => Some(outcome),
        _ => None,
    }
}

/// The channel whose batch mean is farthest from the stored mean, in stored standard deviations.
fn most_different(outcome: &NormsOutcome) -> usize {
    let batch = outcome.row(Norm::Batch);
    let used = batch.and_then(|row| row.training.used.as_ref().zip(row.inference.used.as_ref()));
    let Some((batch, stored)) = used else {
        return 0;
    };
    let far = |&c: &usize| modelens_jobs::channel_distance(batch, stored, outcome.epsilon, c);
    let channels = 0..outcome.channels;
    // The first of equals.
    let most = channels.rev().max_by(|a, b| far(a).total_cmp(&far(b)));
    most.unwrap_or(0)
}

/// The sentences and the code.
pub fn explanation(state: &State) -> Explanation {
    let Some(compared) = Compared::of(state) else {
        return Explanation::default();
    };
    let layer = &compared.base.model.graph.layers[compared.layer];
    let outcome = compared.outcome;
    let setting = code::NormsSetting {
        nested: layer.parent.is_some(),
        groups: outcome.groups,
        rank: outcome.rank,
    };
    let pixels = modes::augmented_batch(compared.pass.augment.as_ref());
    Explanation {
        text: common::sentences(&[&words::what_you_see(outcome), &pixels]),
        code: code::snippet(&layer.name, setting, outcome.semantics),
    }
}

/// Steps through the channels.
pub fn channel_ui(ui: &mut Ui, show: &mut Show<'_>, compared: &Compared<'_>) {
    let channels = compared.outcome.channels;
    let at = compared.channel;
    parts::line_ui(
        ui,
        crate::theme::text::strong(words::channel(&common::of(at + 1, &thousands(channels)))),
    );
    let previous = super::words::PREVIOUS_CHANNEL;
    if parts::chevron_ui(ui, previous, true, at > 0).clicked() && at > 0 {
        show.push(Command::SetChannel(at - 1));
    }
    let (next, has_next) = (super::words::NEXT_CHANNEL, at + 1 < channels);
    if parts::chevron_ui(ui, next, false, has_next).clicked() && has_next {
        show.push(Command::SetChannel(at + 1));
    }
}
