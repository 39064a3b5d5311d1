//! Asking the worker.

use std::sync::{Arc, OnceLock};

use modelens::dataset::PhotoSet;
use modelens::model::{Flags, Mode, Model, Preprocessing};
use modelens::worker::{Event, Look, Outcome, PassLook, PhotosSource, Request, Same, Worker};

/// The bundled photos, listed once for all tests.
pub fn bundled_photos() -> Same<PhotoSet> {
    static PHOTOS: OnceLock<Arc<PhotoSet>> = OnceLock::new();
    let open = || Arc::new(PhotosSource::Bundled.open().expect("the bundled photos"));
    Same(Arc::clone(PHOTOS.get_or_init(open)))
}

/// A look at four bundled photos in training mode, with the flags of the file.
pub fn pass_look(model: &Arc<Model>) -> PassLook {
    PassLook {
        model: Same(Arc::clone(model)),
        photos: bundled_photos(),
        photo: 24,
        batch: 4,
        seed: 7,
        redraws: 0,
        random: true,
        preprocessing: Preprocessing::MinusOneToOne,
        flags: Flags::of_file(&model.graph),
        augment: None,
        semantics: model.semantics,
        call: Mode::Training.into(),
    }
}

/// Sends a request to a worker and waits for the result.
pub fn looked(worker: &Worker, look: Look) -> Outcome {
    worker.send(Request::Look(Box::new(look)));
    loop {
        match worker.poll() {
            Some(Event::Looked(looked)) => return looked.outcome.clone(),
            Some(Event::Failed { message, .. }) => panic!("{message}"),
            _ => std::thread::sleep(std::time::Duration::from_millis(1)),
        }
    }
}

/// The first event but progress that answers a request.
pub fn answer(request: Request) -> Event {
    let worker = Worker::start(|| {}).expect("a thread");
    worker.send(request);
    loop {
        match worker.poll() {
            Some(Event::Progress { .. }) | None => {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            Some(event) => return event,
        }
    }
}
