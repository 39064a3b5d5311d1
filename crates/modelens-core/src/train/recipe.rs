//! What a run does to the two switches, stage by stage, and the runs that are shown ready-made.

use serde::{Deserialize, Serialize};

use super::network::Network;
use super::optimizer::Kind;
use super::trainer::{Plan, Stage};
use crate::model::{Flags, Mode, Outer, Semantics};

/// The `trainable` flags of the base; a new head always learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum BaseFlags {
    /// `base.trainable = value`
    All(bool),
    /// The course's fine-tuning: the layers before this one frozen.
    From(usize),
    /// One by one.
    Given(Flags),
}

/// The value of `training` at the call of the base: `base(x, training=...)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BaseCall {
    AsFile,
    /// `None`: the argument is left out.
    Given(Option<bool>),
}

/// Epochs between one `compile()` and the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageRecipe {
    pub epochs: usize,
    pub rate: f64,
    pub base: BaseFlags,
    pub call: BaseCall,
}

/// One run: its stages, and what the loop passes to the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    pub name: String,
    pub stages: Vec<StageRecipe>,
    pub outer: Outer,
}

/// What all runs beside each other share.
#[derive(Clone, Debug, PartialEq)]
pub struct Common {
    pub optimizer: Kind,
    pub batch: usize,
    pub seed: u64,
    pub semantics: Semantics,
    /// Photos to train with.
    pub training: Vec<usize>,
    /// Photos to validate with.
    pub validation: Vec<usize>,
    /// Of each photo of the set.
    pub targets: Vec<u32>,
}

impl Recipe {
    /// What the recipe means for this network.
    pub fn plan(&self, network: &Network, common: &Common) -> Plan {
        let common = common.clone();
        Plan {
            optimizer: common.optimizer,
            batch: common.batch,
            seed: common.seed,
            semantics: common.semantics,
            outer: self.outer,
            stages: self
                .stages
                .iter()
                .map(|s| s.stage(network, common.semantics))
                .collect(),
            training: common.training,
            validation: common.validation,
            targets: common.targets,
        }
    }
}

impl StageRecipe {
    fn stage(&self, network: &Network, semantics: Semantics) -> Stage {
        let graph = &network.model.graph;
        let mut flags = match &self.base {
            BaseFlags::All(value) => network.base_flags(*value),
            BaseFlags::From(from) => {
                let mut flags = Flags::all(graph, true);
                flags.fine_tune_from(graph, *from);
                network.flags_with_head(&flags)
            }
            BaseFlags::Given(flags) => network.flags(flags),
        };
        let mut base_call = None;
        if let BaseCall::Given(value) = self.call {
            if network.is_nested() && semantics != Semantics::PyTorch {
                flags.record(graph, value);
            } else {
                base_call = value;
            }
        }
        Stage {
            epochs: self.epochs,
            rate: self.rate,
            flags,
            base_call,
        }
    }
}

/// Runs that are there to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Preset {
    /// The base's `training` times its `trainable`.
    FourWay,
    /// The head alone, on the frozen base in inference mode.
    HeadOnly,
    /// The head first, then the base from layer 120 on, at a tenth of the learning rate.
    CourseLab,
    /// The base was to be frozen, but `base.trainable = False` is missing.
    ForgotTrainable,
    /// The base is frozen, but `base(x, training=False)` is missing.
    ForgotTraining,
    /// The base trainable and its BatchNorm in training mode, with four photos a batch.
    UnfrozeSmallBatch,
}

/// The first layer that the course's lab fine-tunes.
pub const LAB_FROM: usize = 120;

impl Preset {
    pub const ALL: [Self; 6] = [
        Self::FourWay,
        Self::HeadOnly,
        Self::CourseLab,
        Self::ForgotTrainable,
        Self::ForgotTraining,
        Self::UnfrozeSmallBatch,
    ];

    /// The name the window shows.
    pub fn label(self) -> &'static str {
        match self {
            Self::FourWay => "Four ways: training × trainable",
            Self::HeadOnly => "Head only",
            Self::CourseLab => "Course lab",
            Self::ForgotTrainable => "Forgot trainable=False",
            Self::ForgotTraining => "Forgot training=False",
            Self::UnfrozeSmallBatch => "Unfroze, BatchNorm in training mode, batch 4",
        }
    }

    /// The name on the command line and in lessons.
    pub fn id(self) -> &'static str {
        match self {
            Self::FourWay => "four-way",
            Self::HeadOnly => "head-only",
            Self::CourseLab => "course-lab",
            Self::ForgotTrainable => "forgot-trainable",
            Self::ForgotTraining => "forgot-training",
            Self::UnfrozeSmallBatch => "unfroze-small-batch",
        }
    }

    /// The batch that belongs to it; `None`: the person's.
    pub fn batch(self) -> Option<usize> {
        (self == Self::UnfrozeSmallBatch).then_some(4)
    }

    /// The runs, beside each other, with this learning rate and this many epochs (of each stage).
    pub fn recipes(self, epochs: usize, rate: f64) -> Vec<Recipe> {
        let one = |name: &str, trainable: bool, call: bool| Recipe {
            name: name.to_owned(),
            stages: vec![StageRecipe {
                epochs,
                rate,
                base: BaseFlags::All(trainable),
                call: BaseCall::Given(Some(call)),
            }],
            outer: Mode::Training.into(),
        };
        let protected = || one("as meant", false, false);
        match self {
            Self::FourWay => [(true, true), (true, false), (false, true), (false, false)]
                .into_iter()
                .map(|(trainable, training)| {
                    let python = |value: bool| if value { "True" } else { "False" };
                    let (a, b) = (python(training), python(trainable));
                    one(&format!("training={a}, trainable={b}"), trainable, training)
                })
                .collect(),
            Self::HeadOnly => vec![one("head only", false, false)],
            Self::CourseLab => {
                let mut lab = one("course lab", false, false);
                lab.stages.push(StageRecipe {
                    epochs,
                    rate: rate / 10.0,
                    base: BaseFlags::From(LAB_FROM),
                    call: BaseCall::Given(Some(false)),
                });
                vec![lab]
            }
            Self::ForgotTrainable => vec![one("forgot trainable=False", true, false), protected()],
            Self::ForgotTraining => vec![one("forgot training=False", false, true), protected()],
            Self::UnfrozeSmallBatch => {
                vec![
                    one("unfroze, training=True", true, true),
                    one("unfroze, training=False", true, false),
                ]
            }
        }
    }
}
