//! The photos of a training run, decoded once and kept while they fit into memory.

use std::collections::HashMap;
use std::sync::Arc;

use candle_core::Tensor;

use crate::look::{Targets, augmented_and_labelled, check_batch, tensor_of};
use modelens_core::augment::Pipeline;
use modelens_core::dataset::decode::DecodeCause;
use modelens_core::dataset::input::PhotoInput;
use modelens_core::dataset::{Image, Photos, batch};
use modelens_core::model::{Model, Preprocessing, Semantics};
use modelens_core::train::network::TrainError;
use modelens_core::train::trainer::{self, Proceed};

/// At most this many bytes of decoded photos are kept; the rest is decoded in every epoch.
const KEPT_BYTES: usize = 512 << 20;

/// How photos are turned into the model's input.
#[derive(Clone, Debug, PartialEq)]
pub struct PhotoReading {
    pub preprocessing: Preprocessing,
    pub augment: Option<Pipeline>,
    pub semantics: Semantics,
    pub seed: u64,
    /// `[height, width, channels]` of the model's input.
    pub input_hwc: [Option<usize>; 3],
}

impl PhotoReading {
    /// As the model expects, without augmentation.
    pub fn of(model: &Model, semantics: Semantics, seed: u64) -> Self {
        Self {
            preprocessing: model.preprocessing,
            augment: None,
            semantics,
            seed,
            input_hwc: model.graph.input_hwc,
        }
    }

    /// The size and the channels of the photos.
    fn input(&self) -> PhotoInput {
        PhotoInput::of(self.input_hwc, self.semantics)
    }
}

/// The photos of one set as a run reads them.
pub struct TrainingPhotos {
    photos: Photos,
    reading: PhotoReading,
    kept: HashMap<usize, Arc<Image>>,
    /// The labels of the latest batch, if the pipeline mixed them.
    targets: Option<Targets>,
}

impl TrainingPhotos {
    pub fn new(photos: Photos, reading: PhotoReading) -> Self {
        Self {
            photos,
            reading,
            kept: HashMap::new(),
            targets: None,
        }
    }

    /// Decodes photos before the run and returns those that cannot be read, each with its reason.
    ///
    /// # Errors
    /// Cancelled.
    pub fn read_all(
        &mut self,
        indices: &[usize],
        progress: &(dyn Fn(usize) + Sync),
        proceed: Proceed<'_>,
    ) -> Result<Vec<(usize, String)>, TrainError> {
        let mut unreadable = Vec::new();
        let input = self.reading.input();
        let fits = input.check(&self.photos);
        fits.map_err(|error| TrainError::Photos(error.to_string()))?;
        for (i, chunk) in indices.chunks(64).enumerate() {
            let on_done = |done: usize| {
                progress(i * 64 + done);
                proceed()
            };
            for (index, image) in batch::load(&self.photos, chunk, &input, &on_done) {
                match image {
                    Ok(image) => self.keep(index, &Arc::new(image)),
                    Err(error) if matches!(error.cause, DecodeCause::Cancelled) => {
                        return Err(TrainError::Cancelled);
                    }
                    Err(error) => unreadable.push((index, error.to_string())),
                }
            }
        }
        Ok(unreadable)
    }

    fn keep(&mut self, index: usize, image: &Arc<Image>) {
        let bytes = image.pixels_hwc.len() * size_of::<f32>();
        if (self.kept.len() + 1) * bytes <= KEPT_BYTES {
            self.kept.insert(index, Arc::clone(image));
        }
    }

    fn images(
        &mut self,
        indices: &[usize],
        proceed: Proceed<'_>,
    ) -> Result<Vec<Arc<Image>>, TrainError> {
        let input = self.reading.input();
        let new: Vec<usize> = indices
            .iter()
            .copied()
            .filter(|i| !self.kept.contains_key(i))
            .collect();
        let mut now = HashMap::new();
        for (index, image) in batch::load(&self.photos, &new, &input, &|_| proceed()) {
            let image = image.map_err(|error| match error.cause {
                DecodeCause::Cancelled => TrainError::Cancelled,
                _ => TrainError::Photos(error.to_string()),
            })?;
            let image = Arc::new(image);
            self.keep(index, &image);
            now.insert(index, image);
        }
        let found = |i: &usize| self.kept.get(i).or_else(|| now.get(i)).cloned();
        Ok(indices.iter().filter_map(found).collect())
    }
}

impl trainer::PhotoBatches for TrainingPhotos {
    fn batch(
        &mut self,
        photos: &[usize],
        draw: Option<u64>,
        proceed: Proceed<'_>,
    ) -> Result<Tensor, TrainError> {
        let reading = self.reading.clone();
        check_batch(photos.len(), &reading.input())
            .map_err(|e| TrainError::Photos(e.to_string()))?;
        let images = self.images(photos, proceed)?;
        let pipeline = draw.and(reading.augment.as_ref());
        let address = [reading.seed, draw.unwrap_or_default()];
        let augmented = augmented_and_labelled(
            images,
            pipeline,
            reading.input_hwc,
            reading.semantics,
            address,
        );
        let (images, targets) = augmented.map_err(|e| TrainError::Photos(e.to_string()))?;
        self.targets = targets;
        tensor_of(&images, reading.preprocessing).map_err(TrainError::Tensor)
    }

    fn targets(&self) -> Option<&Targets> {
        self.targets.as_ref()
    }

    fn augments(&self) -> bool {
        self.reading.augment.is_some()
    }
}
