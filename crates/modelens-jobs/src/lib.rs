//! The one thread that computes: requests in, events out. It works in the order saving, opening,
//! thumbnails, looks, and checks photos in the background when nothing else waits.

pub mod bundled;
mod files;
pub mod fine_tune;
mod job;
pub mod look;
pub mod machine;
mod photos;
mod slots;
mod source;
mod training;
mod training_photos;
mod whole_file;
pub mod words;

pub use files::{Replace, SaveFailed, save_network};
pub use whole_file::{WholeFile, WriteError, check_target, is_same_file, write_whole};
pub use job::*;
pub use photos::PhotoCache;
pub use source::{ModelSource, OpenFailed};
pub use training_photos::{Reading, TrainingPhotos};

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use files::{save_model, write_figure};
use slots::{Slots, Task};

use egui_svg::FontFiles;
use modelens_core::dataset::{PhotoSet, decode, folder};
use modelens_core::formats::OpenError;
use modelens_core::guarded;

/// The time since an instant: [`Instant::elapsed`], or none at all where pictures of the window are
/// compared.
pub type Clock = fn(&Instant) -> Duration;

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
    pub fn start(wake: impl Fn() + Send + Sync + 'static) -> std::io::Result<Self> {
        Self::start_with(wake, Instant::elapsed, FontFiles::default())
    }

    /// The same, with times by another clock, and the fonts of figures.
    ///
    /// # Errors
    /// As [`Worker::start`].
    pub fn start_with(
        wake: impl Fn() + Send + Sync + 'static,
        clock: Clock,
        fonts: FontFiles,
    ) -> std::io::Result<Self> {
        let slots = Arc::new(Slots::default());
        let (sender, events) = channel();
        let thread = std::thread::Builder::new().name("worker".into()).spawn({
            let slots = Arc::clone(&slots);
            move || {
                Thread {
                    slots,
                    sender,
                    wake: Arc::new(wake),
                    clock,
                    fonts,
                    cache: PhotoCache::default(),
                    training: None,
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

    /// Stops what is measured behind a look; the look itself goes on.
    pub fn cancel_behind(&self) {
        self.slots.cancel_behind();
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
    wake: Arc<dyn Fn() + Send + Sync>,
    cache: PhotoCache,
    training: Option<training::Training>,
    clock: Clock,
    fonts: FontFiles,
}

impl Thread {
    fn work(mut self) {
        while let Some((task, ticket)) = self.slots.take() {
            match task {
                Task::Do(Request::Train(request)) => self.train_command(request),
                Task::Do(request) => self.answer(request, ticket),
                Task::Train => self.train_on(),
                Task::Check { photos, photo } => self.check(photos, photo),
            }
        }
    }

    fn say(&self, event: Event) {
        // The window is gone once nobody listens; the thread ends with its next task.
        drop(self.sender.send(event));
        (self.wake)();
    }

    /// Does what is asked. A hostile file may trip a decoder: its panic is an answer too, and the
    /// thread lives on.
    fn answer(&mut self, request: Request, ticket: u64) {
        let done = guarded(|| match &request {
            Request::Figure { figure, to } => write_figure(figure, to, &self.fonts).map(Some),
            Request::OpenModel(source) => self.open_model(source).map(Some),
            Request::OpenPhotos(source) => self.open_photos(source).map(Some),
            Request::Thumbnail { photos, photo } => self.thumbnail(&photos.0, *photo).map(Some),
            Request::Look(look) => self.look(look, ticket),
            Request::BatchNorm(job) => self.behind_look(job, ticket),
            Request::SaveModel(job) => save_model(job).map(Some),
            Request::Train(_) => Ok(None),
        });
        let message = match done {
            Ok(Ok(event)) => {
                if let Some(event) = event {
                    self.say(event);
                }
                return;
            }
            Ok(Err(message)) => message,
            Err(panic) => match &request {
                Request::OpenModel(ModelSource::File(path) | ModelSource::Weights { path, .. }) => {
                    words::broken_file(&panic, &path.display().to_string())
                }
                _ => words::broke_off(&panic),
            },
        };
        self.say(Event::Failed {
            request: Box::new(request),
            message,
        });
    }

    fn progress(&self, job: Job, stage: &'static str) {
        self.say(Event::Progress {
            job,
            stage,
            done: 0,
            total: 0,
        });
    }

    fn open_model(&self, source: &ModelSource) -> Result<Event, String> {
        self.progress(Job::OpenModel, words::OPENING_BASE);
        let opened = source.open().map_err(|error| {
            if let (OpenError::WeightsAlone(_), Some(path)) = (&*error.cause, &error.path) {
                self.say(Event::WeightsAlone(path.clone()));
            }
            error.to_string()
        });
        let model = Arc::new(opened?);
        Ok(Event::ModelOpened {
            source: source.clone(),
            model,
        })
    }

    fn open_photos(&self, source: &PhotosSource) -> Result<Event, String> {
        self.progress(Job::OpenPhotos, words::LISTING_PHOTOS);
        let photos = Arc::new(source.open().map_err(|error| error.to_string())?);
        self.slots.check_photos(Arc::clone(&photos));
        Ok(Event::PhotosOpened {
            source: source.clone(),
            photos,
        })
    }

    fn thumbnail(&self, photos: &Arc<PhotoSet>, photo: usize) -> Result<Event, String> {
        match photos::thumbnail(photos, photo) {
            Ok(image) => Ok(Event::Thumbnail {
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
                Err(error.to_string())
            }
        }
    }

    /// `None` where a newer look waits, so that nobody asks for this one any more.
    fn look(&mut self, look: &Look, ticket: u64) -> Result<Option<Event>, String> {
        let Self {
            slots,
            sender,
            wake,
            cache,
            clock,
            ..
        } = self;
        let proceed = || slots.is_current(ticket);
        let early = |batch: &[usize], outcome| {
            drop(sender.send(Event::LookedEarly(Arc::new(Looked {
                look: look.clone(),
                batch: batch.to_vec(),
                outcome,
                early: true,
                suspicion: None,
                secs: 0.0,
            }))));
            wake();
        };
        let computed = with_context(sender, &**wake, *clock, Job::Look, &proceed, |context| {
            let context = look::Context {
                early: &early,
                ..*context
            };
            look::compute(look.clone(), &context, cache)
        });
        match computed {
            Ok(looked) => Ok(Some(Event::Looked(Arc::new(looked)))),
            Err(_) if slots.is_replaced() => Ok(None),
            Err(look::LookError::Cancelled) => Ok(Some(Event::Cancelled(Job::Look))),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The parts are said as they come; `None` where a newer request waits.
    fn behind_look(&mut self, job: &BatchNormJob, ticket: u64) -> Result<Option<Event>, String> {
        let Self {
            slots,
            sender,
            wake,
            cache,
            clock,
            ..
        } = self;
        let proceed = || slots.is_current_behind(ticket);
        let say = |event| {
            drop(sender.send(Event::BatchNorm(Box::new(event))));
            wake();
        };
        let measured = with_context(
            sender,
            &**wake,
            *clock,
            Job::BatchNorm,
            &proceed,
            |context| look::measure(job, context, cache, &say),
        );
        match measured {
            Ok(()) => Ok(None),
            Err(_) if !slots.is_current_behind(ticket) => {
                Ok(Some(Event::Cancelled(Job::BatchNorm)))
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Looks at the header of a photo that nobody asked for yet.
    fn check(&self, photos: Arc<PhotoSet>, photo: usize) {
        let Some(listed) = photos.photos.get(photo) else {
            return;
        };
        let reason = match guarded(|| decode::check(listed)) {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.cause.to_string(),
            Err(panic) => words::broken_image(&panic),
        };
        self.say(Event::Unreadable {
            photos,
            photo,
            reason,
        });
    }
}

/// Runs `f` with a context that tells of `job` through the worker's events.
fn with_context<T>(
    sender: &Sender<Event>,
    wake: &dyn Fn(),
    clock: Clock,
    job: Job,
    proceed: &(dyn Fn() -> bool + Sync),
    f: impl FnOnce(&look::Context<'_>) -> T,
) -> T {
    let progress = |stage, done, total| {
        drop(sender.send(Event::Progress {
            job,
            stage,
            done,
            total,
        }));
        wake();
    };
    f(&look::Context {
        proceed,
        progress: &progress,
        unreadable: &|photos, photo, reason| {
            drop(sender.send(Event::Unreadable {
                photos,
                photo,
                reason,
            }));
        },
        early: &|_, _| {},
        clock,
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
