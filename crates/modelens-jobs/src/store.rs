//! What stays on the computing side: opened networks, listed photos and trained weights. The window
//! refers to them by number.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::source::ModelSource;
use modelens_core::dataset::{PhotoSet, Photos};
use modelens_core::model::Model;
use modelens_core::model::layers::WeightMap;
use modelens_core::train::network::Network;

/// Number of an opened model in its [`Store`]. A number is never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ModelId(u64);

/// Number of a listed set of photos in its [`Store`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PhotosId(u64);

/// Number of the weights of one run after one epoch, in its [`Store`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TrainedId(u64);

/// Anything in a [`Store`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum StoredId {
    Model(ModelId),
    Photos(PhotosId),
    Trained(TrainedId),
}

/// The window released what a request refers to, so the answer is no longer wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the model or the photos are no longer open")]
pub struct Released;

/// An opened model and where it came from.
#[derive(Clone, Debug)]
pub struct StoredModel {
    pub model: Arc<Model>,
    pub source: ModelSource,
}

/// The weights of a run after an epoch, with the network they belong to.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The file that the model before training came from.
    pub source: ModelSource,
    pub network: Arc<Network>,
    /// All weights that differ from the network's own.
    pub weights: Arc<WeightMap>,
}

/// The opened models, photos and trained weights that nobody released yet.
#[derive(Debug, Default)]
pub struct Store {
    last_id: u64,
    models: BTreeMap<ModelId, StoredModel>,
    photos: BTreeMap<PhotosId, Photos>,
    trained: BTreeMap<TrainedId, Trained>,
}

impl Store {
    pub fn add_model(&mut self, model: Arc<Model>, source: ModelSource) -> ModelId {
        let id = ModelId(self.next_id());
        self.models.insert(id, StoredModel { model, source });
        id
    }

    pub fn add_photos(&mut self, photos: Arc<PhotoSet>) -> PhotosId {
        let id = PhotosId(self.next_id());
        self.photos.insert(id, photos);
        id
    }

    pub(crate) fn add_trained(&mut self, trained: Trained) -> TrainedId {
        let id = TrainedId(self.next_id());
        self.trained.insert(id, trained);
        id
    }

    pub(crate) fn model(&self, id: ModelId) -> Result<&StoredModel, Released> {
        self.models.get(&id).ok_or(Released)
    }

    pub(crate) fn photos(&self, id: PhotosId) -> Result<&Photos, Released> {
        self.photos.get(&id).ok_or(Released)
    }

    pub(crate) fn trained(&self, id: TrainedId) -> Result<&Trained, Released> {
        self.trained.get(&id).ok_or(Released)
    }

    pub(crate) fn release(&mut self, id: StoredId) {
        match id {
            StoredId::Model(id) => drop(self.models.remove(&id)),
            StoredId::Photos(id) => drop(self.photos.remove(&id)),
            StoredId::Trained(id) => drop(self.trained.remove(&id)),
        }
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}
