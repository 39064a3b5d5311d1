//! What the trainable view asks for, and what comes back.

use serde::{Deserialize, Serialize};

use super::PassLook;
use modelens_core::model::{Graph, Mode, Semantics};

/// One optimizer step for each of the four settings of the two switches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainableLook {
    pub pass: PassLook,
}

impl TrainableLook {
    /// The most photos in a step: the backward pass through a whole base keeps every layer's output.
    pub const MAX_PHOTOS: usize = 16;

    /// A look at a model with this graph. Each card sets the flags of the base and the outer call
    /// itself, so those of the person are normalised: looks with equal results are equal.
    pub fn new(mut pass: PassLook, graph: &Graph) -> Self {
        pass.batch = pass.batch.min(Self::MAX_PHOTOS);
        pass.flags.set_base(graph, false);
        pass.call = Mode::Training.into();
        Self { pass }
    }
}

/// Measurements for all four settings of the two switches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainableOutcome {
    /// Number of photos in each step.
    pub photos: usize,
    /// The rules it was measured by.
    pub semantics: Semantics,
    /// The learning rate.
    pub rate: f64,
    /// The value of `training` recorded where the base is called.
    pub recorded: Option<bool>,
    /// Whether the model has layers outside of the base.
    pub has_head: bool,
    /// Number of dropout and other noise layers in the whole model.
    pub noises: usize,
    /// `trainable=True` first, and in each row training first.
    pub cards: [TrainableCard; 4],
}

impl TrainableOutcome {
    /// The card of one setting.
    pub fn card(&self, trainable: bool, mode: Mode) -> &TrainableCard {
        let row = if trainable { 0 } else { 2 };
        let column = usize::from(mode == Mode::Inference);
        &self.cards[row + column]
    }
}

/// The steps that are done so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FirstSteps {
    /// Number of photos in each step.
    pub photos: usize,
    /// The rules they were measured by.
    pub semantics: Semantics,
    pub cards: Vec<TrainableCard>,
}

impl FirstSteps {
    /// The card of one setting; `None` if its step is not done.
    pub fn card(&self, trainable: bool, mode: Mode) -> Option<&TrainableCard> {
        let mut cards = self.cards.iter();
        cards.find(|card| card.trainable == trainable && card.mode == mode)
    }
}

/// What one optimizer step did under one setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainableCard {
    /// The base's flag.
    pub trainable: bool,
    /// The outer call.
    pub mode: Mode,
    /// The value of `training` that reaches the base.
    pub reaches_base: bool,
    pub base: CardPart,
    pub head: CardPart,
    /// Number of active noise layers.
    pub noises_active: usize,
    /// Largest absolute difference of the output from that in inference, both without random draws.
    pub output_difference: f32,
    /// The loss before the step.
    pub loss: f32,
}

/// The base, or everything outside of it.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct CardPart {
    /// Number of parameters an optimizer may change.
    pub learns: usize,
    /// Largest absolute change of a weight in the step.
    pub weight_change: f32,
    /// Number of BatchNorm layers.
    pub batch_norms: usize,
    /// Number of BatchNorm layers that use batch statistics.
    pub on_batch: usize,
    /// Number of BatchNorm layers whose moving statistics change.
    pub statistics_moved: usize,
    /// Largest absolute change of a moving mean or variance.
    pub statistics_change: f32,
}
