use std::collections::BTreeMap;

use super::super::{Look, compute as compute_look};
use super::*;
use crate::{PhotosSource, Store, system_clock};
use modelens_core::augment::{AugmentLayer, Transform};

#[test]
fn what_is_kept_between_looks_changes_none_of_them() {
    let mut store = Store::default();
    let photos = PhotosSource::Bundled.open().expect("bundled photos");
    let photos = store.add_photos(Arc::new(photos));
    let context = Context {
        store: &store,
        proceed: &|| true,
        progress: &|_, _, _| {},
        unreadable: &|_, _, _| {},
        early: &|_, _| {},
        clock: system_clock,
    };
    let look = |pipeline: &Pipeline, grid, photo, redraws, semantics| AugmentationLook {
        photos,
        photo,
        grid,
        cell_redraws: BTreeMap::new(),
        height: 24,
        width: 24,
        channels: 3,
        pipeline: pipeline.clone(),
        semantics,
        seed: 7,
        redraws,
    };
    let mut kept = PhotoCache::default();
    for layer in Transform::all(24, 24).map(AugmentLayer::from) {
        let class = layer.class();
        let mut pipeline = Pipeline::default();
        pipeline.add(layer);
        for (grid, photo, redraws, semantics) in [
            (Grid::OnePhoto, 3, 0, Semantics::Keras3),
            (Grid::OnePhoto, 3, 1, Semantics::Keras3),
            (Grid::OnePhoto, 3, 1, Semantics::Keras2),
            (Grid::OnePhoto, 4, 1, Semantics::Keras2),
            (Grid::NinePhotos, 4, 1, Semantics::Keras2),
            (Grid::ThreeEpochs, 4, 2, Semantics::PyTorch),
        ] {
            let look = look(&pipeline, grid, photo, redraws, semantics);
            let outcome = |cache: &mut PhotoCache| {
                compute_look(Look::Augmentation(look.clone()), &context, cache)
                    .expect(class)
                    .outcome
            };
            let anew = outcome(&mut PhotoCache::default());
            assert!(outcome(&mut kept) == anew, "{class} {grid:?} {redraws}");
        }
    }
}
