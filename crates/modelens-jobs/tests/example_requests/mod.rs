//! Requests of every kind for one network and one set of photos, as the window would make them.

use std::collections::BTreeMap;

use modelens_core::augment::Pipeline;
use modelens_core::model::{Flags, LayerId, Mode, ModelDescription, Role};
use modelens_core::train::optimizer::OptimizerKind;
use modelens_jobs::fine_tune::{FineTune, HeadChoice};
use modelens_jobs::{
    AugmentationLook, DropoutSetting, Grid, Look, ModelId, NormsLook, PassLook, PhotosId,
    PredictLook, ReleasesLook, TrainableLook,
};

/// A batch with everything trainable, called with `training=True`.
pub fn pass(
    model: ModelId,
    photos: PhotosId,
    description: &ModelDescription,
    batch: usize,
) -> PassLook {
    PassLook {
        model,
        photos,
        photo: 3,
        batch,
        seed: 7,
        redraws: 0,
        random: true,
        preprocessing: description.preprocessing,
        flags: Flags::all(&description.graph, true),
        augment: None,
        semantics: description.semantics,
        call: Mode::Training.into(),
    }
}

/// The last layer with this role.
pub fn last(role: Role, description: &ModelDescription) -> LayerId {
    let layers = &description.graph.layers;
    let found = layers.iter().rposition(|layer| layer.kind.role() == role);
    found.expect("a layer with this role")
}

/// What each view asks for; photos are augmented at `side` x `side` pixels.
pub fn looks(pass: &PassLook, description: &ModelDescription, side: usize) -> [Look; 8] {
    let norm = last(Role::BatchNorm, description);
    [
        Look::Augmentation(AugmentationLook {
            photos: pass.photos,
            photo: pass.photo,
            grid: Grid::OnePhoto,
            cell_redraws: BTreeMap::from([(2, 1)]),
            height: side,
            width: side,
            channels: 3,
            pipeline: Pipeline::course(),
            semantics: pass.semantics,
            seed: pass.seed,
            redraws: pass.redraws,
        }),
        Look::Dropout {
            pass: pass.clone(),
            layer: last(Role::Noise, description),
            setting: DropoutSetting::default(),
        },
        Look::BatchNorm {
            pass: pass.clone(),
            layer: norm,
        },
        Look::Modes(pass.clone()),
        Look::Norms(NormsLook::new(pass.clone(), norm)),
        Look::Trainable(TrainableLook::new(pass.clone(), &description.graph)),
        Look::Predict(PredictLook::new(pass.clone(), 2)),
        Look::Releases(ReleasesLook::new(pass.clone())),
    ]
}

/// How to train a new head, with batches of 32.
pub fn fine_tune(description: &ModelDescription) -> FineTune {
    FineTune {
        preprocessing: description.preprocessing,
        head: HeadChoice::New {
            dropout: 0.2,
            sigmoid: false,
        },
        optimizer: OptimizerKind::Adam,
        batch: 32,
        validation: 0.2,
        seed: 7,
        semantics: description.semantics,
        augment: None,
    }
}
