//! What the fine-tune view asks for, and what comes back while it runs.

use std::path::PathBuf;
use std::sync::Arc;

use crate::fine_tune::FineTune;
use crate::source::ModelSource;
use modelens_core::model::layers::Overrides;
use modelens_core::train::network::Network;
use modelens_core::train::recipe::Recipe;
use modelens_core::train::summary::Summary;
use modelens_core::train::trainer::Step;

/// Runs beside each other that share all but their recipes.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    pub setup: FineTune,
    pub recipes: Vec<Recipe>,
}

/// What to do with the experiment. There is one at a time.
#[derive(Clone, Debug, PartialEq)]
pub enum TrainRequest {
    /// In the place of one that is there.
    Start(Box<Experiment>),
    /// After the step that runs.
    Pause,
    Resume,
    /// One step of every run, then pause.
    Step,
    /// Gives it up; also inside of a step.
    Stop,
}

/// How an experiment goes. The runs take their steps in turn, so that they grow side by side.
#[derive(Clone, Debug)]
pub enum TrainEvent {
    /// Photos are read and every run can begin.
    Prepared {
        network: Arc<Network>,
        /// What is odd about photos and settings.
        notes: Vec<String>,
        /// Of each run.
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
    /// This run cannot go on, the others can; what it did still holds.
    RunFailed {
        run: usize,
        why: String,
    },
    Stepped(Box<Stepped>),
    Paused,
    /// All runs are done.
    Finished,
    /// The runs that are left cannot go on; what was done still holds.
    Failed(String),
}

/// One step of one run.
#[derive(Clone, Debug)]
pub struct Stepped {
    pub run: usize,
    pub step: Step,
    /// Wall time.
    pub secs: f64,
    /// The features of the base were computed once.
    pub features_kept: bool,
    /// After an epoch: what happened so far, and the weights.
    pub end: Option<(Summary, Arc<Overrides>)>,
}

/// A trained network to be written to a file.
#[derive(Clone, Debug)]
pub struct SaveModel {
    /// The file it came from.
    pub source: ModelSource,
    pub network: Arc<Network>,
    pub weights: Arc<Overrides>,
    pub path: PathBuf,
}
