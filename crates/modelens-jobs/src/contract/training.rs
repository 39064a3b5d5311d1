//! What the fine-tune view asks for, and what comes back while it runs.

use serde::{Deserialize, Serialize};

use crate::fine_tune::FineTune;
use crate::store::{ModelId, PhotosId, TrainedId};
use modelens_core::model::Format;
use modelens_core::train::network::Network;
use modelens_core::train::recipe::Recipe;
use modelens_core::train::summary::Summary;
use modelens_core::train::trainer::TrainingStep;

/// Runs side by side that share all but their recipes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    pub model: ModelId,
    pub photos: PhotosId,
    pub setup: FineTune,
    pub recipes: Vec<Recipe>,
    /// How many seeds to run, from that of `setup` on. Those after the first run once the first is done,
    /// and only their summaries come back.
    pub seeds: usize,
}

/// What to do with the experiment. There is one at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TrainRequest {
    /// Replaces the experiment before. With `one_step` it pauses after one step of every run; a
    /// [`TrainRequest::Step`] sent afterwards would come too late, since the runs have begun by then.
    Start {
        experiment: Box<Experiment>,
        one_step: bool,
    },
    /// After the current step.
    Pause,
    Resume,
    /// Takes one step of every run, then pauses.
    Step,
    /// Gives the experiment up, even in the middle of a step.
    Stop,
}

/// How an experiment goes. The runs take their steps in turn, so that they grow side by side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TrainEvent {
    /// The photos are read and every run can begin.
    Prepared {
        network: Box<NetworkDescription>,
        /// What is odd about photos and settings.
        notes: Vec<String>,
        /// Number of steps of each run.
        totals: Vec<usize>,
        /// Photos to train with, and to validate with.
        photos: [usize; 2],
        /// The same of each class.
        classes: Vec<(String, [usize; 2])>,
    },
    /// The features of the base are computed once, before the first step: photos done, and all.
    Features {
        run: usize,
        done: usize,
        total: usize,
    },
    /// This run cannot go on, the others can; its earlier steps stay valid.
    RunFailed {
        run: usize,
        why: String,
    },
    StepDone(Box<StepDone>),
    /// A step of a seed after the first.
    FurtherStep(Box<FurtherStep>),
    Paused,
    /// All runs are done.
    Finished,
    /// The remaining runs cannot go on; earlier steps stay valid.
    Failed(String),
}

/// The network that an experiment trains: the opened model, or that with a new head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkDescription {
    pub format: Format,
    /// Class names in output order.
    pub labels: Vec<String>,
    /// The unique name of each layer.
    pub layer_names: Vec<String>,
    /// Whether each layer belongs to the head.
    pub in_head: Vec<bool>,
}

impl NetworkDescription {
    pub(crate) fn of(network: &Network) -> Self {
        let graph = &network.model.graph;
        Self {
            format: network.model.format,
            labels: network.model.labels.clone(),
            layer_names: (0..graph.layers.len())
                .map(|id| graph.unique_name(id))
                .collect(),
            in_head: network.in_head.clone(),
        }
    }
}

/// One step of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepDone {
    pub run: usize,
    pub step: TrainingStep,
    /// Wall time.
    pub secs: f64,
    /// The features of the base were computed once.
    pub features_kept: bool,
    /// Set after an epoch.
    pub end: Option<TrainedWeights>,
}

/// One step of one run with a seed after the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FurtherStep {
    pub run: usize,
    pub seed: u64,
    /// Wall time.
    pub secs: f64,
    /// What the run came to, or why it broke off; set by its last step.
    pub end: Option<Result<Summary, String>>,
}

/// What a run has reached after an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainedWeights {
    pub id: TrainedId,
    pub summary: Summary,
}
