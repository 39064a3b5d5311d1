//! Looks without a window: computed directly, or asked for from a thread.

use std::sync::{Arc, LazyLock};

use modelens::dataset::PhotoSet;
use modelens::model::{Flags, Mode, Model};
use modelens_jobs::look::{Context, LookError, compute};
use modelens_jobs::{
    Event, JobThread, Jobs as _, Look, LookResult, ModelId, ModelSource, Outcome, PassLook,
    PhotoCache, PhotosId, Request, Store, bundled_photos, system_clock,
};

use super::models::without_pixels;

/// A model and photos in a store.
pub struct Opened {
    store: Store,
    pub model: Arc<Model>,
    pub model_id: ModelId,
    pub photos_id: PhotosId,
}

impl Opened {
    pub fn new(model: Arc<Model>, photos: PhotoSet) -> Self {
        let mut store = Store::default();
        Self {
            model_id: store.add_model(Arc::clone(&model), ModelSource::Lab),
            photos_id: store.add_photos(Arc::new(photos)),
            model,
            store,
        }
    }

    /// The model of [`without_pixels`] and the bundled photos: both modes see the same pixels.
    pub fn bundled() -> &'static Self {
        static OPENED: LazyLock<Opened> =
            LazyLock::new(|| Opened::new(Arc::new(without_pixels()), bundled_photos()));
        &OPENED
    }

    /// A context that never cancels and reports nothing.
    pub fn context(&self) -> Context<'_> {
        Context {
            store: &self.store,
            proceed: &|| true,
            progress: &|_, _, _| {},
            unreadable: &|_, _, _| {},
            early: &|_, _| {},
            clock: system_clock,
        }
    }

    /// A look at four photos in training mode, with the flags of the file.
    pub fn pass_look(&self) -> PassLook {
        PassLook {
            model: self.model_id,
            photos: self.photos_id,
            photo: 24,
            batch: 4,
            seed: 7,
            redraws: 0,
            random: true,
            preprocessing: self.model.preprocessing,
            flags: Flags::of_file(&self.model.graph),
            augment: None,
            semantics: self.model.semantics,
            call: Mode::Training.into(),
        }
    }

    pub fn compute(&self, look: Look) -> Result<LookResult, LookError> {
        compute(look, &self.context(), &mut PhotoCache::default())
    }

    /// The outcome of a look that must not fail.
    pub fn outcome(&self, look: Look) -> Outcome {
        let result = self.compute(look);
        result.unwrap_or_else(|error| panic!("{error}")).outcome
    }
}

/// The first event but progress that answers a request.
pub fn answer(request: Request) -> Event {
    let jobs = JobThread::start(|| {}).expect("a thread");
    jobs.send(request);
    loop {
        match jobs.poll() {
            Some(Event::Progress { .. }) | None => {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            Some(event) => return event,
        }
    }
}
