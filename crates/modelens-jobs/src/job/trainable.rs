//! What the trainable view asks for, and what comes back.

use super::PassLook;
use modelens_core::model::{Mode, Semantics};

/// One optimizer step for each of the four ways to set the two switches.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainableLook {
    pub pass: PassLook,
}

impl TrainableLook {
    /// The most photos of a step: the gradients of a whole base keep every layer's values.
    pub const MAX_PHOTOS: usize = 16;

    /// Each card sets the flags of the base and the outer call itself, so those of the person do
    /// not matter there; they are set alike, that looks with equal results are equal.
    pub fn new(mut pass: PassLook) -> Self {
        pass.batch = pass.batch.min(Self::MAX_PHOTOS);
        pass.flags.set_base(&pass.model.0.graph, false);
        pass.call = Mode::Training.into();
        Self { pass }
    }
}

/// The 2x2 of both switches, measured.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainableOutcome {
    /// Photos of each step.
    pub photos: usize,
    /// The rules it was measured by.
    pub semantics: Semantics,
    /// The learning rate.
    pub rate: f64,
    /// The value of `training` recorded where the base is called.
    pub recorded: Option<bool>,
    /// Whether something lies outside of the base.
    pub has_head: bool,
    /// Dropout and other noise layers of the whole model.
    pub noises: usize,
    /// `trainable=True` first, and in each row training first.
    pub cards: [Card; 4],
}

impl TrainableOutcome {
    /// The card of one setting.
    pub fn card(&self, trainable: bool, mode: Mode) -> &Card {
        let row = if trainable { 0 } else { 2 };
        let column = usize::from(mode == Mode::Inference);
        &self.cards[row + column]
    }
}

/// What one optimizer step did under one setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// The base's flag.
    pub trainable: bool,
    /// The outer call.
    pub mode: Mode,
    /// The value of `training` that reaches the base.
    pub reaches_base: bool,
    pub base: Part,
    pub head: Part,
    /// Noise layers that are active.
    pub noises_active: usize,
    /// Largest absolute difference of the output from plain inference, without random draws.
    pub output_difference: f32,
    /// Before the step.
    pub loss: f32,
}

/// The base, or everything outside of it.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Part {
    /// Parameters an optimizer may change.
    pub learns: usize,
    /// Largest absolute change of a weight in the step.
    pub weight_change: f32,
    pub batch_norms: usize,
    /// BatchNorm layers that normalise with the batch.
    pub on_batch: usize,
    /// BatchNorm layers whose moving statistics change.
    pub statistics_moved: usize,
    /// Largest absolute change of a moving mean or variance.
    pub statistics_change: f32,
}
