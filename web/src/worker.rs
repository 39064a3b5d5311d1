//! The worker's entry: the executor of the jobs, run between two messages.

use std::io::Read as _;
use std::sync::Arc;

use modelens_jobs::{Event, Executor, ModelSource, Options, Queue, Request, give, take_written};
use wasm_bindgen::prelude::*;

use crate::message::{ToPage, ToWorker, bundled, from_bytes, to_bytes};

/// The networks that are fetched when they are asked for.
const LITE0: &str = "efficientnet_lite0.safetensors";
const LAB: &str = "lab_mobilenetv2.keras";

#[wasm_bindgen]
extern "C" {
    /// The worker's own `postMessage` of an array, whose buffer moves.
    #[wasm_bindgen(js_name = "modelensEmit")]
    fn emit(bytes: Vec<u8>);
}

fn post(message: &ToPage) {
    if let Some(bytes) = to_bytes(message) {
        emit(bytes);
    }
}

/// The computing side.
#[wasm_bindgen]
pub struct Side {
    queue: Arc<Queue>,
    executor: Executor,
}

#[wasm_bindgen]
impl Side {
    /// Starts with the bundled photos, a tar archive.
    #[wasm_bindgen(constructor)]
    pub fn new(photos: &[u8]) -> Self {
        std::panic::set_hook(Box::new(|panic| log::error!("{panic}")));
        drop(eframe::WebLogger::init(log::LevelFilter::Warn));
        unpack(photos);
        let queue = Arc::new(Queue::default());
        let options = Options {
            clock: modelens_jobs::system_clock,
            fonts: modelens::theme::fonts::FOR_FIGURES,
        };
        let executor = Executor::new(options, Arc::clone(&queue), |event: Event| {
            post(&ToPage::Event(event));
        });
        Self { queue, executor }
    }

    /// The bundled file that this message needs and that has not been fetched.
    pub fn needs(&self, bytes: &[u8]) -> Option<String> {
        let name = match from_bytes(bytes)? {
            ToWorker::Request(Request::OpenModel(ModelSource::Lab)) => LAB,
            ToWorker::Request(Request::OpenModel(ModelSource::EfficientNetLite0)) => LITE0,
            _ => return None,
        };
        let missing = modelens_jobs::given(&bundled(name)).is_none();
        missing.then(|| name.to_owned())
    }

    /// Whether this message opens a model.
    pub fn opens_model(&self, bytes: &[u8]) -> bool {
        matches!(
            from_bytes(bytes),
            Some(ToWorker::Request(Request::OpenModel(_)))
        )
    }

    /// Keeps a bundled file that was fetched.
    pub fn fetched(&self, name: &str, bytes: Vec<u8>) {
        give(bundled(name), bytes);
    }

    /// Takes a message of the page.
    pub fn receive(&self, bytes: &[u8]) {
        match from_bytes(bytes) {
            Some(ToWorker::Request(request)) => self.queue.put(request),
            Some(ToWorker::Cancel) => self.queue.cancel(),
            Some(ToWorker::CancelBackground) => self.queue.cancel_background(),
            None => log::error!("a message that cannot be read"),
        }
    }

    /// Carries out the most urgent task; false if there is none.
    pub fn step(&mut self) -> bool {
        let Some((task, ticket)) = self.queue.next() else {
            return false;
        };
        self.executor.carry_out(task, ticket);
        for (path, bytes) in take_written() {
            post(&ToPage::File { path, bytes });
        }
        true
    }
}

/// Gives the files of a tar archive as the bundled photos.
fn unpack(archive: &[u8]) {
    let mut archive = tar::Archive::new(archive);
    let Ok(entries) = archive.entries() else {
        return;
    };
    for mut entry in entries.flatten() {
        let Ok(path) = entry.path().map(std::borrow::Cow::into_owned) else {
            continue;
        };
        let mut bytes = Vec::new();
        if entry.header().entry_type().is_file() && entry.read_to_end(&mut bytes).is_ok() {
            let path = path.strip_prefix("./").unwrap_or(&path);
            give(bundled("photos").join(path), bytes);
        }
    }
}
