//! The two switches as they are, and what one training step changes under them.

use crate::model::{LayerId, Mode, Role, Semantics, flags};
use crate::state::{State, View};
use modelens_jobs::{Outcome, TrainableCard, TrainableOutcome};

/// One measured step of `fit`.
#[derive(Clone, Copy)]
pub struct Step<'a> {
    /// Number of photos in it.
    pub photos: usize,
    pub semantics: Semantics,
    pub card: &'a TrainableCard,
}

/// Both switches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switches {
    /// The flag of the base; without a nested base, whether anything is trainable.
    pub trainable: bool,
    /// The value at the call of the base: what is recorded there in Keras (`None`: nothing), and what
    /// `base.train()` or `base.eval()` set in PyTorch (`None`: the mode of the whole model).
    pub call: Option<bool>,
    /// True if some layers of the base have another flag than the base itself, as after "Fine-tune from".
    pub is_mixed: bool,
    /// False where the model calls no nested base, so that Keras has no call to record a value at.
    pub has_call: bool,
}

impl Switches {
    /// The switches of the open model; `None` if there is none.
    pub fn of(state: &State) -> Option<Self> {
        let base = state.opened.base.as_ref()?;
        let graph = &base.model.graph;
        let nested = flags::base_of(graph);
        let mut weights = graph.layers.iter().enumerate();
        let first = weights.find(|(_, layer)| layer.kind.role() == Role::Weights);
        // A call on the whole base sets its first layer too.
        let inside = nested.or(first.map(|(id, _)| id));
        let trainable = match nested {
            Some(id) => base.flags.get(id),
            None => (0..graph.layers.len()).any(|id| base.flags.get(id)),
        };
        let (call, has_call) = match state.semantics() {
            Semantics::PyTorch => {
                let mode = inside.and_then(|id| base.flags.modules.of(id));
                (mode.map(Mode::training), true)
            }
            Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => {
                (base.flags.recorded(graph), nested.is_some())
            }
        };
        let layers: Vec<LayerId> = match nested {
            Some(id) => graph.subtree(id).collect(),
            None => (0..graph.layers.len()).collect(),
        };
        let is_mixed = layers.iter().any(|&id| base.flags.get(id) != trainable);
        Some(Self {
            trainable,
            call,
            is_mixed,
            has_call,
        })
    }

    /// What one step of `fit` did to the model under these switches.
    pub fn card(self, outcome: &TrainableOutcome) -> &TrainableCard {
        outcome.card(self.trainable, Mode::Training)
    }

    /// The same, as soon as that step is done.
    pub fn step(self, state: &State) -> Option<Step<'_>> {
        match &state.computed.result(View::Start)?.outcome {
            Outcome::Trainable(outcome) => Some(Step {
                photos: outcome.photos,
                semantics: outcome.semantics,
                card: self.card(outcome),
            }),
            Outcome::FirstSteps(first) => Some(Step {
                photos: first.photos,
                semantics: first.semantics,
                card: first.card(self.trainable, Mode::Training)?,
            }),
            Outcome::Augmentation(_)
            | Outcome::Dropout(_)
            | Outcome::BatchNorm(_)
            | Outcome::Modes(_)
            | Outcome::Norms(_)
            | Outcome::Predict(_)
            | Outcome::Releases(_) => None,
        }
    }
}

/// Where the dropout and other noise layers of a model are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoisePlaces {
    pub in_base: usize,
    pub in_head: usize,
    /// False where the model has no nested base, so that all of it is one network.
    pub has_base: bool,
}

impl NoisePlaces {
    /// Where the layers of the open model are; empty if there is none.
    pub fn of(state: &State) -> Self {
        let Some(base) = &state.opened.base else {
            return Self::default();
        };
        let graph = &base.model.graph;
        let nested = flags::base_of(graph);
        let inside: Vec<LayerId> = nested.map_or_else(Vec::new, |id| graph.subtree(id).collect());
        let mut places = Self {
            has_base: nested.is_some(),
            ..Self::default()
        };
        for &id in &base.noises {
            if inside.contains(&id) {
                places.in_base += 1;
            } else {
                places.in_head += 1;
            }
        }
        places
    }
}

/// A question that a lamp answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lamp {
    Weights,
    Statistics,
    Dropout,
}

impl Lamp {
    /// All three, from the left.
    pub const ALL: [Self; 3] = [Self::Weights, Self::Statistics, Self::Dropout];

    /// Whether the lamp is on: the step moves what it asks for.
    pub fn is_on(self, card: &TrainableCard) -> bool {
        match self {
            // A change that is not a number is one, too.
            Self::Weights => card.base.weight_change != 0.0,
            Self::Statistics => card.base.statistics_moved > 0,
            Self::Dropout => card.noises_active > 0,
        }
    }
}
