//! The worker's entry: the executor of the jobs, run between two messages.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use modelens_jobs::{
    Event, Executor, Interrupts, ModelSource, Options, PhotosId, Queue, Request, Stage, StoredId,
    Task, forget, give, given, take_written,
};
use wasm_bindgen::prelude::*;

use crate::handout::{self, Making};
use crate::message::{ToPage, ToWorker, bundled, from_bytes, to_bytes};

/// The networks that are fetched when they are asked for.
const LITE0: &str = "efficientnet_lite0.safetensors";
const LAB: &str = "lab_mobilenetv2.keras";

#[wasm_bindgen]
extern "C" {
    /// The worker's own `postMessage` of an array, whose buffer moves.
    #[wasm_bindgen(js_name = "modelensEmit")]
    fn emit(bytes: Vec<u8>);

    /// The bits of what the page has made out of date since the last message arrived, each once.
    #[wasm_bindgen(js_name = "modelensInterrupted")]
    fn interrupted() -> u32;
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
    photos: Arc<Mutex<OpenPhotos>>,
    /// Files that were given for a model alone.
    for_models: BTreeSet<PathBuf>,
    handouts: VecDeque<Making>,
}

/// The file of a model.
pub fn model_file(source: &ModelSource) -> PathBuf {
    match source {
        ModelSource::Lab => bundled(LAB),
        ModelSource::EfficientNetLite0 => bundled(LITE0),
        ModelSource::File(path) | ModelSource::Weights { path, .. } => path.clone(),
    }
}

/// Files that a task has read, whose content may be freed after it: they are fetched or read again if they are
/// needed again.
enum Freed {
    /// A model and what lies beside it.
    Model(PathBuf),
    /// What photos were read from that are no longer open, or were never opened.
    Photos(Vec<PathBuf>),
}

/// Where the photos that the window has open come from.
type OpenPhotos = BTreeMap<PhotosId, PathBuf>;

impl Freed {
    fn by(task: &Task, executor: &Executor, open: &Mutex<OpenPhotos>) -> Option<Self> {
        let Task::Request(request) = task else {
            return None;
        };
        match request {
            Request::OpenModel(source) => Some(Self::Model(model_file(source))),
            Request::SaveModel { trained, .. } => executor
                .source_of(*trained)
                .map(model_file)
                .map(Self::Model),
            Request::OpenPhotos(source) => {
                let root = root_of(source.path()?);
                Some(Self::Photos(vec![root]))
            }
            Request::Release(ids) => {
                let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
                let released = open.extract_if(.., |id, _| ids.contains(&StoredId::Photos(*id)));
                Some(Self::Photos(released.map(|(_, root)| root).collect()))
            }
            _ => None,
        }
    }

    fn free(self, for_models: &mut BTreeSet<PathBuf>, open: &Mutex<OpenPhotos>) {
        let open = open.lock().unwrap_or_else(PoisonError::into_inner);
        let in_use = |path: &Path| {
            path.starts_with(bundled("photos")) || open.values().any(|root| path.starts_with(root))
        };
        match self {
            Self::Model(file) => {
                let beside = for_models.extract_if(.., |path| path.parent() == file.parent());
                let beside: BTreeSet<PathBuf> = beside.collect();
                forget(|path| beside.contains(path) && !in_use(path));
            }
            Self::Photos(roots) => {
                forget(|path| roots.iter().any(|root| path.starts_with(root)) && !in_use(path));
            }
        }
    }
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
        queue.ask_outside(|| Interrupts::from_bits(interrupted()));
        let options = Options {
            clock: modelens_jobs::system_clock,
            fonts: modelens::theme::fonts::FOR_FIGURES,
        };
        let photos = Arc::new(Mutex::new(OpenPhotos::new()));
        let open = Arc::clone(&photos);
        let executor = Executor::new(options, Arc::clone(&queue), move |event: Event| {
            if let Event::PhotosOpened { id, source, .. } = &event
                && let Some(path) = source.path()
            {
                let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
                open.insert(*id, root_of(path));
            }
            post(&ToPage::Event(event));
        });
        Self {
            queue,
            executor,
            photos,
            for_models: BTreeSet::new(),
            handouts: VecDeque::new(),
        }
    }

    /// The files that this message reads: for each its path, after "model" or "photos", of which a newer one
    /// replaces an older, or after "original" or "album".
    pub fn needs(&self, bytes: &[u8]) -> Vec<String> {
        let request = match from_bytes(bytes) {
            Some(ToWorker::Request(request)) => request,
            Some(ToWorker::Handout { lesson, .. }) => return handout::needs(&lesson),
            Some(ToWorker::Cancel | ToWorker::CancelBackground) | None => return Vec::new(),
        };
        let (kind, path) = match &request {
            Request::OpenModel(source) => ("model", Some(model_file(source))),
            // The weights are saved in the file that the model came from.
            Request::SaveModel { trained, .. } => (
                "original",
                self.executor.source_of(*trained).map(model_file),
            ),
            Request::OpenPhotos(source) => ("photos", source.path().map(Path::to_owned)),
            _ => return Vec::new(),
        };
        let path = path.map(|path| path.to_string_lossy().into_owned());
        path.map_or_else(Vec::new, |path| vec![kind.to_owned(), path])
    }

    /// Whether the content of a file is missing here.
    pub fn lacks(&self, path: &str) -> bool {
        given(Path::new(path)).is_none()
    }

    /// Whether this message gives up what is being opened.
    pub fn cancels(&self, bytes: &[u8]) -> bool {
        matches!(from_bytes(bytes), Some(ToWorker::Cancel))
    }

    /// Keeps the content of a file until what is opened from it no longer needs it.
    pub fn give(&mut self, kind: &str, path: String, bytes: Vec<u8>) {
        if kind == "model" || kind == "original" {
            self.for_models.insert(path.clone().into());
        }
        give(path.into(), bytes);
    }

    /// Reports how many bytes of what a message needs have arrived.
    pub fn progress(&self, bytes: &[u8], done: f64, total: f64) {
        if let Some(ToWorker::Request(request)) = from_bytes(bytes)
            && let Some(job) = request.job()
        {
            post(&ToPage::Event(Event::Progress {
                job,
                stage: Stage::Fetching,
                done: (done / 1e3) as usize,
                total: (total / 1e3).ceil() as usize,
            }));
        }
    }

    /// Answers a message whose files can't be had.
    pub fn fail(&self, bytes: &[u8], message: String) {
        match from_bytes(bytes) {
            Some(ToWorker::Request(request)) => {
                let request = Box::new(request);
                post(&ToPage::Event(Event::Failed { request, message }));
            }
            Some(ToWorker::Handout { .. }) => post(&ToPage::Handout(Err(message))),
            Some(ToWorker::Cancel | ToWorker::CancelBackground) | None => {}
        }
    }

    /// Takes a message of the page.
    pub fn receive(&mut self, bytes: &[u8]) {
        match from_bytes(bytes) {
            Some(ToWorker::Request(request)) => self.queue.put(request),
            Some(ToWorker::Cancel) => self.queue.cancel(),
            Some(ToWorker::CancelBackground) => self.queue.cancel_background(),
            Some(ToWorker::Handout { lesson, path }) => match Making::new(&lesson, path) {
                Ok(making) => self.handouts.push_back(making),
                Err(why) => post(&ToPage::Handout(Err(why))),
            },
            None => log::error!("a message that cannot be read"),
        }
    }

    /// Carries out the most urgent task; false if there is none.
    pub fn step(&mut self) -> bool {
        let Some((task, ticket)) = self.queue.next() else {
            return self.write_handout();
        };
        let done = Freed::by(&task, &self.executor, &self.photos);
        self.executor.carry_out(task, ticket);
        if let Some(done) = done {
            done.free(&mut self.for_models, &self.photos);
        }
        send_written();
        true
    }

    /// Goes on with the handout, when the window wants nothing; false if none is wanted.
    fn write_handout(&mut self) -> bool {
        let Some(mut making) = self.handouts.pop_front() else {
            return false;
        };
        match making.go_on() {
            Some(done) => {
                send_written();
                Freed::Model(making.model).free(&mut self.for_models, &self.photos);
                Freed::Photos(making.photos.into_iter().collect())
                    .free(&mut self.for_models, &self.photos);
                post(&ToPage::Handout(done));
            }
            None => self.handouts.push_front(making),
        }
        true
    }
}

fn send_written() {
    for (path, bytes) in take_written() {
        post(&ToPage::File { path, bytes });
    }
}

/// What photos are read from: a table names those beside it.
fn root_of(path: &Path) -> PathBuf {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    let is_table = ending.is_some_and(|ending| ending == "csv" || ending == "tsv");
    path.parent()
        .filter(|_| is_table)
        .unwrap_or(path)
        .to_owned()
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
