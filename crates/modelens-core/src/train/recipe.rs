//! What a run does with the two switches, stage by stage, and ready-made runs to choose from.

use serde::{Deserialize, Serialize};

use super::network::Network;
use super::optimizer::OptimizerKind;
use super::trainer::{Stage, TrainingPlan};
use crate::model::modules::BASE;
use crate::model::{Flags, Mode, ModuleCall, Outer, Role, Semantics};

/// The `trainable` flags of the base; a new head always learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum BaseFlags {
    /// `base.trainable = value`
    All(bool),
    /// The course's fine-tuning: the layers before this one are frozen.
    From(usize),
    /// The same, and every BatchNorm layer of the base is frozen too.
    FromWithoutNorms(usize),
    /// Layer by layer.
    Given(Flags),
}

/// The value of `training` at the call of the base: `base(x, training=...)`. In PyTorch False is
/// `base.eval()`, made where [`EvalCalls`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BaseCall {
    AsFile,
    /// `None` leaves the argument out.
    Given(Option<bool>),
}

/// Where a PyTorch loop makes its calls on single modules, such as `base.eval()`. The loop calls `model.train()`
/// at the start of each epoch, which undoes every call before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum EvalCalls {
    /// Nowhere.
    Never,
    /// Once before the loop: `model.train()` undoes them in the first epoch.
    BeforeLoop,
    /// In each epoch, after `model.train()`.
    #[default]
    EachEpoch,
}

impl EvalCalls {
    pub const ALL: [Self; 3] = [Self::Never, Self::BeforeLoop, Self::EachEpoch];

    /// The name on the command line and in lessons.
    pub fn id(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::BeforeLoop => "before-loop",
            Self::EachEpoch => "each-epoch",
        }
    }

    /// The name the window shows.
    pub fn label(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::BeforeLoop => "once, before the loop",
            Self::EachEpoch => "each epoch, after model.train()",
        }
    }

    /// The name where there is little room.
    pub fn short_label(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::BeforeLoop => "once",
            Self::EachEpoch => "each epoch",
        }
    }

    /// True if the calls are in force while the loop takes its steps.
    pub fn hold(self) -> bool {
        self == Self::EachEpoch
    }
}

/// The epochs between one `compile()` and the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageRecipe {
    pub epochs: usize,
    pub rate: f64,
    pub base: BaseFlags,
    pub call: BaseCall,
}

/// One run: its stages, and the value of `training` that the loop passes to the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    pub name: String,
    pub stages: Vec<StageRecipe>,
    pub outer: Outer,
    /// Where the loop calls `.eval()`; counts in PyTorch only.
    pub evals: EvalCalls,
}

/// The settings that all runs of a comparison share.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedSettings {
    pub optimizer: OptimizerKind,
    pub batch: usize,
    pub seed: u64,
    pub semantics: Semantics,
    /// Indices of the photos to train with.
    pub training: Vec<usize>,
    /// Indices of the photos to validate with.
    pub validation: Vec<usize>,
    /// The output that each photo of the set belongs to.
    pub targets: Vec<u32>,
}

impl Recipe {
    /// The plan that the recipe means for this network.
    pub fn plan(&self, network: &Network, common: &SharedSettings) -> TrainingPlan {
        let common = common.clone();
        TrainingPlan {
            optimizer: common.optimizer,
            batch: common.batch,
            seed: common.seed,
            semantics: common.semantics,
            outer: self.outer,
            stages: self
                .stages
                .iter()
                .map(|s| s.stage(network, common.semantics, self.evals))
                .collect(),
            training: common.training,
            validation: common.validation,
            targets: common.targets,
        }
    }
}

impl StageRecipe {
    fn stage(&self, network: &Network, semantics: Semantics, evals: EvalCalls) -> Stage {
        let graph = &network.model.graph;
        let mut flags = match &self.base {
            BaseFlags::All(value) => network.base_flags(*value),
            BaseFlags::From(from) => {
                let mut flags = Flags::all(graph, true);
                flags.fine_tune_from(graph, *from);
                network.flags_with_head(&flags)
            }
            BaseFlags::FromWithoutNorms(from) => {
                let mut flags = Flags::all(graph, true);
                flags.fine_tune_from(graph, *from);
                for (id, layer) in graph.layers.iter().enumerate() {
                    if layer.kind.role() == Role::BatchNorm && !network.in_head[id] {
                        // As `layer.trainable = False` on the layer itself.
                        flags.set(graph, id, false, semantics);
                    }
                }
                network.flags_with_head(&flags)
            }
            BaseFlags::Given(flags) => network.flags(flags),
        };
        let mut base_call = None;
        let mut lost_evals = None;
        match (semantics, self.call) {
            (Semantics::PyTorch, call) => {
                if let BaseCall::Given(Some(training)) = call {
                    let mode = if training {
                        Mode::Training
                    } else {
                        Mode::Inference
                    };
                    // Every model has a base.
                    let call = ModuleCall::new(&network.model, BASE, mode);
                    flags.modules.extend(call.ok());
                }
                let is_eval = |call: &ModuleCall| call.mode == Mode::Inference;
                if !evals.hold() && flags.modules.iter().any(is_eval) {
                    lost_evals = Some(evals);
                    flags.modules.clear();
                }
            }
            (_, BaseCall::Given(value)) if network.is_nested() => flags.record(graph, value),
            (_, BaseCall::Given(value)) => base_call = value,
            (_, BaseCall::AsFile) => {}
        }
        Stage {
            epochs: self.epochs,
            rate: self.rate,
            flags,
            base_call,
            lost_evals,
        }
    }
}

/// Ready-made sets of runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunPreset {
    /// All four combinations of the base's `training` and `trainable`.
    FourWay,
    /// The head alone, on the frozen base in inference mode.
    HeadOnly,
    /// The head first, then the base from layer 120 on, at a tenth of the learning rate: with
    /// `training=False`, without it, and with the BatchNorm layers kept frozen.
    CourseLab,
    /// The base should be frozen, but `base.trainable = False` is missing.
    ForgotTrainable,
    /// The base is frozen, but `base(x, training=False)` is missing.
    ForgotTraining,
    /// The base is trainable and its BatchNorm is in training mode, with four photos per batch.
    UnfrozeSmallBatch,
    /// PyTorch: the base is frozen, and `base.eval()` is called never, once, or in each epoch.
    WhereEval,
}

/// The first layer that the course's lab fine-tunes.
pub const LAB_FROM: usize = 120;

/// The usual size of a batch, number of epochs of each stage, and learning rate. With these the four runs
/// on the bundled photos show what the advice is for; `docs/fine-tuning.md` holds the measurements.
pub const BATCH: usize = 8;
pub const EPOCHS: usize = 4;
pub const RATE: f64 = 1e-3;

impl RunPreset {
    pub const ALL: [Self; 7] = [
        Self::FourWay,
        Self::HeadOnly,
        Self::CourseLab,
        Self::ForgotTrainable,
        Self::ForgotTraining,
        Self::UnfrozeSmallBatch,
        Self::WhereEval,
    ];

    /// True if the runs differ under these rules. Keras has no mode of a module that a loop could lose.
    pub fn suits(self, semantics: Semantics) -> bool {
        self != Self::WhereEval || semantics == Semantics::PyTorch
    }

    /// The name the window shows.
    pub fn label(self) -> &'static str {
        match self {
            Self::FourWay => "Four ways: training × trainable",
            Self::HeadOnly => "Head only",
            Self::CourseLab => "Course lab",
            Self::ForgotTrainable => "Forgot trainable=False",
            Self::ForgotTraining => "Forgot training=False",
            Self::UnfrozeSmallBatch => "Unfroze, BatchNorm in training mode, batch 4",
            Self::WhereEval => "Frozen: where to call base.eval()",
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
            Self::WhereEval => "where-eval",
        }
    }

    /// The batch size that belongs to it; `None` keeps the chosen one.
    pub fn batch(self) -> Option<usize> {
        match self {
            Self::UnfrozeSmallBatch => Some(4),
            Self::WhereEval => Some(8),
            Self::FourWay
            | Self::HeadOnly
            | Self::CourseLab
            | Self::ForgotTrainable
            | Self::ForgotTraining => None,
        }
    }

    /// The runs to compare, with this learning rate and this many epochs per stage. `evals` is where a
    /// PyTorch loop calls `base.eval()`, unless the preset compares that.
    pub fn recipes(self, epochs: usize, rate: f64, evals: EvalCalls) -> Vec<Recipe> {
        let one = |name: &str, trainable: bool, call: bool| Recipe {
            name: name.to_owned(),
            stages: vec![StageRecipe {
                epochs,
                rate,
                base: BaseFlags::All(trainable),
                call: BaseCall::Given(Some(call)),
            }],
            outer: Mode::Training.into(),
            evals,
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
                let lab = |name: &str, call: bool, base: BaseFlags| {
                    let mut lab = one(name, false, call);
                    lab.stages.push(StageRecipe {
                        epochs,
                        rate: rate / 10.0,
                        base,
                        call: BaseCall::Given(Some(call)),
                    });
                    lab
                };
                let from = || BaseFlags::From(LAB_FROM);
                vec![
                    lab("training=False, from 120", false, from()),
                    lab("training=True, from 120", true, from()),
                    lab(
                        "training=False, BatchNorm frozen",
                        false,
                        BaseFlags::FromWithoutNorms(LAB_FROM),
                    ),
                ]
            }
            Self::ForgotTrainable => vec![one("forgot trainable=False", true, false), protected()],
            Self::ForgotTraining => vec![one("forgot training=False", false, true), protected()],
            Self::UnfrozeSmallBatch => {
                vec![
                    one("unfroze, training=True", true, true),
                    one("unfroze, training=False", true, false),
                ]
            }
            Self::WhereEval => EvalCalls::ALL
                .into_iter()
                .map(|evals| Recipe {
                    evals,
                    ..one(&format!("base.eval(): {}", evals.label()), false, false)
                })
                .collect(),
        }
    }
}
