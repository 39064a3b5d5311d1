//! The one thread that computes: requests in, events out. It works in the order saving, opening,
//! thumbnails, looks, and checks photos in the background when nothing else waits.

mod job;
pub mod look;
mod photos;
mod slots;

pub use job::*;
pub use photos::{persist, temporary_beside};

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use photos::PhotoCache;
use slots::{Slots, Task};

use crate::dataset::{PhotoSet, decode, folder};

/// A handle on the thread; dropping it stops the thread.
#[derive(Debug)]
pub struct Worker {
    slots: Arc<Slots>,
    events: Receiver<Event>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread. `wake` is called after each event, so that a sleeping window draws it.
    ///
    /// # Errors
    /// The system refuses another thread.
    pub fn start(wake: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        let slots = Arc::new(Slots::default());
        let (sender, events) = channel();
        let thread = std::thread::Builder::new().name("worker".into()).spawn({
            let slots = Arc::clone(&slots);
            move || {
                Thread {
                    slots,
                    sender,
                    wake: Box::new(wake),
                    cache: PhotoCache::default(),
                }
                .work();
            }
        })?;
        Ok(Self {
            slots,
            events,
            thread: Some(thread),
        })
    }

    /// Queues a request; never blocks.
    pub fn send(&self, request: Request) {
        self.slots.put(request);
    }

    /// Stops the look, or the opening, that runs, and forgets those that wait.
    pub fn cancel(&self) {
        self.slots.cancel();
    }

    /// The next event, if there is one; never blocks.
    pub fn poll(&self) -> Option<Event> {
        self.events.try_recv().ok()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.slots.stop();
        if let Some(thread) = self.thread.take() {
            // A panic there was already reported by the panic hook; there is nothing to save.
            drop(thread.join());
        }
    }
}

/// The thread's own side.
struct Thread {
    slots: Arc<Slots>,
    sender: Sender<Event>,
    wake: Box<dyn Fn() + Send>,
    cache: PhotoCache,
}

impl Thread {
    fn work(mut self) {
        while let Some((task, ticket)) = self.slots.take() {
            match task {
                Task::Do(Request::SavePng { path, picture }) => self.save(&path, &picture),
                Task::Do(Request::OpenModel(source)) => self.open_model(&source),
                Task::Do(Request::OpenPhotos(source)) => self.open_photos(&source),
                Task::Do(Request::Thumbnail { photos, photo }) => self.thumbnail(&photos.0, photo),
                Task::Do(Request::Look(look)) => self.look(*look, ticket),
                Task::Check { photos, photo } => {
                    if let Some(listed) = photos.photos.get(photo)
                        && let Err(error) = decode::check(listed)
                    {
                        let reason = error.cause.to_string();
                        self.say(Event::Unreadable {
                            photos,
                            photo,
                            reason,
                        });
                    }
                }
            }
        }
    }

    fn say(&self, event: Event) {
        // The window is gone once nobody listens; the thread ends with its next task.
        drop(self.sender.send(event));
        (self.wake)();
    }

    fn open_model(&self, source: &ModelSource) {
        self.say(Event::Progress {
            job: Job::OpenModel,
            stage: "opening the base",
            done: 0,
            total: 0,
        });
        match guarded(|| source.open()) {
            Ok(Ok(model)) => self.say(Event::ModelOpened(Arc::new(model))),
            Ok(Err(error)) => self.fail(Job::OpenModel, error.to_string()),
            Err(panic) => {
                let cause = format!("the file broke its reader ({panic}): {}", source.title());
                self.fail(Job::OpenModel, cause);
            }
        }
    }

    fn open_photos(&self, source: &PhotosSource) {
        self.say(Event::Progress {
            job: Job::OpenPhotos,
            stage: "listing photos",
            done: 0,
            total: 0,
        });
        match source.open() {
            Ok(set) => {
                let set = Arc::new(set);
                self.slots.check_photos(Arc::clone(&set));
                self.say(Event::PhotosOpened(set));
            }
            Err(error) => self.fail(Job::OpenPhotos, error.to_string()),
        }
    }

    fn thumbnail(&self, photos: &Arc<PhotoSet>, photo: usize) {
        match photos::thumbnail(photos, photo) {
            Ok(image) => self.say(Event::Thumbnail {
                photos: Arc::clone(photos),
                photo,
                image,
            }),
            Err(error) => {
                let reason = error.cause.to_string();
                self.say(Event::Unreadable {
                    photos: Arc::clone(photos),
                    photo,
                    reason,
                });
                self.fail(Job::Thumbnail, error.to_string());
            }
        }
    }

    fn look(&mut self, look: Look, ticket: u64) {
        let slots = Arc::clone(&self.slots);
        let sender = self.sender.clone();
        let wake = &self.wake;
        let progress = |stage, done, total| {
            drop(sender.send(Event::Progress {
                job: Job::Look,
                stage,
                done,
                total,
            }));
            wake();
        };
        let context = look::Context {
            proceed: &|| slots.is_current(ticket),
            progress: &progress,
            unreadable: &|photos, photo, reason| {
                drop(sender.send(Event::Unreadable {
                    photos,
                    photo,
                    reason,
                }));
            },
        };
        let cache = &mut self.cache;
        let outcome = guarded(|| look::compute(look, &context, cache));
        match outcome {
            Ok(Ok(looked)) => self.say(Event::Looked(Arc::new(looked))),
            Ok(Err(look::LookError::Cancelled)) => {
                if !self.slots.is_replaced() {
                    self.say(Event::Cancelled(Job::Look));
                }
            }
            Ok(Err(error)) => self.fail(Job::Look, error.to_string()),
            Err(panic) => self.fail(Job::Look, format!("the computation broke off: {panic}")),
        }
    }

    fn save(&self, path: &std::path::Path, picture: &Picture) {
        match photos::save_png(path, picture) {
            Ok(()) => self.say(Event::Saved(path.to_owned())),
            Err(cause) => {
                let message = format!("the picture was not saved ({cause}): {}", path.display());
                self.fail(Job::SavePng, message);
            }
        }
    }

    fn fail(&self, job: Job, message: String) {
        self.say(Event::Failed { job, message });
    }
}

/// Runs `f`, turning a panic into its message: a hostile file may trip a decoder, and the thread
/// must live on.
pub(crate) fn guarded<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        text.unwrap_or_else(|| "unknown cause".to_owned())
    })
}

impl PhotosSource {
    /// The folder, unless the photos are bundled.
    pub fn path(&self) -> Option<&std::path::Path> {
        match self {
            Self::Folder(path) => Some(path),
            Self::Bundled => None,
        }
    }

    /// Lists the photos.
    ///
    /// # Errors
    /// See [`folder::DatasetError`].
    pub fn open(&self) -> Result<PhotoSet, folder::DatasetError> {
        match self {
            Self::Bundled => Ok(folder::bundled()),
            Self::Folder(path) => folder::open_folder(path),
        }
    }
}
