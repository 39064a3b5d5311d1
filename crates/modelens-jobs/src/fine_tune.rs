//! Prepares training runs from the person's choices: the network, the split, the photos, and notes
//! about what is odd. The window and the command line share it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::look::photo_size;
use crate::{PhotoReading, TrainingPhotos, words};
use modelens_core::augment::Pipeline;
use modelens_core::dataset::{PhotoSet, Photos};
use modelens_core::model::{Model, Preprocessing, Semantics};
use modelens_core::train::head::NewHead;
use modelens_core::train::network::{Head, Network, TrainError};
use modelens_core::train::optimizer::OptimizerKind;
use modelens_core::train::recipe::SharedSettings;
use modelens_core::train::split::split_photos;
use modelens_core::train::trainer::Proceed;

/// Which head is trained.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum HeadChoice {
    /// The one in the file.
    Own,
    /// A new one for the classes of the photos.
    New { dropout: f64, sigmoid: bool },
}

/// Settings that all runs of an experiment share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FineTune {
    pub preprocessing: Preprocessing,
    pub head: HeadChoice,
    pub optimizer: OptimizerKind,
    pub batch: usize,
    /// The fraction of the photos to validate with, in `[0, 1)`.
    pub validation: f64,
    pub seed: u64,
    pub semantics: Semantics,
    pub augment: Option<Pipeline>,
}

/// A run that can begin.
pub struct Prepared {
    pub network: Arc<Network>,
    pub photos: TrainingPhotos,
    pub common: SharedSettings,
    /// What is odd about photos and settings, in sentences.
    pub notes: Vec<String>,
    /// By class: photos to train with, and to validate with.
    pub classes: Vec<(String, [usize; 2])>,
}

impl FineTune {
    /// The same with the seed of this number, counted from 0: it decides the split, the first weights of a
    /// new head and every draw.
    #[must_use]
    pub fn with_seed(&self, number: usize) -> Self {
        Self {
            seed: self.seed.wrapping_add(number as u64),
            ..self.clone()
        }
    }

    /// The model with the chosen head.
    ///
    /// # Errors
    /// See [`Network::new`].
    pub fn network(&self, model: &Model, photos: &PhotoSet) -> Result<Network, TrainError> {
        let head = match self.head {
            HeadChoice::Own => Head::Own,
            HeadChoice::New { dropout, sigmoid } => Head::New(NewHead {
                classes: photos.classes.len(),
                dropout,
                sigmoid,
                seed: self.seed,
            }),
        };
        let size = photo_size(model.graph.input_hwc);
        Network::new(model, head, &photos.classes, size)
    }

    /// Splits and reads the photos.
    ///
    /// # Errors
    /// No readable photos, none to train with, or cancelled.
    pub fn prepare(
        &self,
        network: Arc<Network>,
        set: &Photos,
        progress: &(dyn Fn(usize, usize) + Sync),
        proceed: Proceed<'_>,
    ) -> Result<Prepared, TrainError> {
        let parts = split_photos(set, self.validation, self.seed);
        let reading = PhotoReading {
            preprocessing: self.preprocessing,
            augment: self.augment.clone(),
            ..PhotoReading::of(&network.model, self.semantics, self.seed)
        };
        let mut photos = TrainingPhotos::new(Arc::clone(set), reading);
        // What a folder keeps for tests takes no part.
        let mut all = [&parts.training[..], &parts.validation[..]].concat();
        all.sort_unstable();
        let told = |done: usize| progress(done, all.len());
        let unreadable = photos.read_all(&all, &told, proceed)?;
        if unreadable.len() == all.len() {
            return Err(TrainError::NoPhotos);
        }
        let readable = |mut photos: Vec<usize>| {
            photos.retain(|p| unreadable.iter().all(|(u, _)| u != p));
            photos
        };
        let (training, validation) = (readable(parts.training), readable(parts.validation));
        if training.is_empty() {
            return Err(TrainError::NothingToTrainWith);
        }
        let classes: Vec<usize> = set.photos.iter().map(|p| p.class).collect();
        let mut notes: Vec<String> = unreadable
            .iter()
            .map(|(_, why)| words::left_out(why))
            .collect();
        let facts = Facts {
            set,
            classes: &classes,
            training: &training,
            validation: &validation,
            batch: self.batch,
            fraction: self.validation,
        };
        notes.extend(facts.sentences());
        let classes_told = facts.classes_told();
        let target = |&class: &usize| network.targets.get(class).copied().unwrap_or_default();
        let common = SharedSettings {
            optimizer: self.optimizer,
            batch: self.batch,
            seed: self.seed,
            semantics: self.semantics,
            targets: classes.iter().map(target).collect(),
            training,
            validation,
        };
        Ok(Prepared {
            network,
            photos,
            common,
            notes,
            classes: classes_told,
        })
    }
}

/// The photos of a run, to find what is odd about them.
struct Facts<'a> {
    set: &'a PhotoSet,
    classes: &'a [usize],
    training: &'a [usize],
    validation: &'a [usize],
    batch: usize,
    fraction: f64,
}

impl Facts<'_> {
    /// By class: photos to train with, and to validate with.
    fn classes_told(&self) -> Vec<(String, [usize; 2])> {
        let count = |photos: &[usize], class: usize| {
            photos.iter().filter(|&&p| self.classes[p] == class).count()
        };
        let names = self.set.classes.iter().enumerate();
        names
            .map(|(class, name)| {
                let parts = [self.training, self.validation].map(|photos| count(photos, class));
                (name.clone(), parts)
            })
            .collect()
    }

    fn sentences(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        let n = self.training.len();
        let counts: Vec<usize> = self.classes_told().iter().map(|(_, [n, _])| *n).collect();
        let none: Vec<&str> = std::iter::zip(&self.set.classes, &counts)
            .filter(|(_, c)| **c == 0)
            .map(|(name, _)| name.as_str())
            .collect();
        if !none.is_empty() {
            let names = none.join(", ");
            sentences.push(words::no_photo_of(&names, n));
        }
        let most = counts.iter().copied().max().unwrap_or_default();
        // More than twice an even share, or more than two thirds.
        if most * self.set.classes.len() > 2 * n || 3 * most > 2 * n {
            let class = counts.iter().position(|&c| c == most).unwrap_or_default();
            let name = &self.set.classes[class];
            let share = 100.0 * most as f64 / n as f64;
            sentences.push(words::mostly(most, n, name, share));
        }
        if self.validation.is_empty() {
            let all = self.classes.len();
            let fraction = self.fraction;
            sentences.push(words::none_to_validate(fraction, all));
        }
        if self.batch > n {
            let batch = self.batch;
            sentences.push(words::large_batch(batch, n));
        }
        sentences
    }
}
