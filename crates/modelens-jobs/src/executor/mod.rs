//! The computing side: takes tasks from a [`Queue`], carries them out and emits events. It runs on
//! whatever thread calls it.

mod training;

use std::sync::Arc;

use egui_svg::FontFiles;
use modelens_core::dataset::Photos;
use modelens_core::formats::OpenError;
use modelens_core::guarded;
use modelens_core::model::Model;

use crate::clock::{Clock, system_clock};
use crate::files::{save_network, write_figure};
use crate::look::{self, Context, LookError};
use crate::queue::{Queue, Task};
use crate::store::{Released, Store, TrainedId};
use crate::{
    BatchNormJob, Event, Job, Look, LookResult, ModelId, ModelSource, OpenedModel, PhotoCache,
    PhotosId, PhotosSource, Ran, Replace, Request, Run, Stage, photos, run_array, words,
};

/// What the computing side gets from the program around it.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub clock: Clock,
    /// The fonts of figures.
    pub fonts: FontFiles,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: system_clock,
            fonts: FontFiles::default(),
        }
    }
}

type Emit = Arc<dyn Fn(Event) + Send + Sync>;

/// Carries out one task at a time.
pub struct Executor {
    queue: Arc<Queue>,
    emit: Emit,
    store: Store,
    cache: PhotoCache,
    training: Option<training::Training>,
    options: Options,
}

/// Why a request has no result.
enum Failure {
    /// The window gave up what the request refers to.
    Released,
    /// A sentence for the person.
    Message(String),
}

impl From<Released> for Failure {
    fn from(_: Released) -> Self {
        Self::Released
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Message(message)
    }
}

impl Executor {
    pub fn new(
        options: Options,
        queue: Arc<Queue>,
        emit: impl Fn(Event) + Send + Sync + 'static,
    ) -> Self {
        Self {
            queue,
            emit: Arc::new(emit),
            store: Store::default(),
            cache: PhotoCache::default(),
            training: None,
            options,
        }
    }

    /// Carries out a task that the queue gave, with the ticket that came with it.
    pub fn carry_out(&mut self, task: Task, ticket: u64) {
        match task {
            Task::Request(Request::Train(request)) => self.train_command(request),
            Task::Request(request) => self.answer(request, ticket),
            Task::TrainingStep => self.training_step(),
            Task::Check { id, photos, photo } => self.check(id, &photos, photo),
        }
    }

    /// The model that trained weights came from, whose file saving them reads again.
    pub fn source_of(&self, trained: TrainedId) -> Option<&ModelSource> {
        self.store.trained(trained).ok().map(|found| &found.source)
    }

    fn emit(&self, event: Event) {
        (self.emit)(event);
    }

    /// Carries out a request. A panic (a hostile file may trip a decoder) becomes a failure, and the
    /// executor goes on.
    fn answer(&mut self, request: Request, ticket: u64) {
        let done = guarded(|| match &request {
            Request::Figure { figure, to } => {
                Ok(Some(write_figure(figure, to, &self.options.fonts)?))
            }
            Request::OpenModel(source) => self.open_model(source).map(Some),
            Request::OpenTrained(trained) => self.open_trained(*trained).map(Some),
            Request::OpenPhotos(source) => self.open_photos(source).map(Some),
            Request::ListCaches => Ok(Some(Event::CachesListed(crate::cached_models()))),
            Request::Thumbnail { photos, photo } => self.thumbnail(*photos, *photo).map(Some),
            Request::TryScales { model, photos } => self.try_scales(*model, *photos).map(Some),
            Request::Look(look) => self.look(look, ticket),
            Request::Run(run) => self.run(run).map(Some),
            Request::Ahead(look) => self.look_ahead(look, ticket),
            Request::BatchNorm(job) => self.measure(job, ticket),
            Request::SaveModel { trained, path } => self.save_model(*trained, path).map(Some),
            Request::Release(ids) => {
                for &id in ids {
                    self.store.release(id);
                }
                Ok(None)
            }
            // `carry_out` sends these to the training.
            Request::Train(_) => Ok(None),
        });
        let message = match done {
            Ok(Ok(event)) => {
                if let Some(event) = event {
                    self.emit(event);
                }
                return;
            }
            Ok(Err(Failure::Released)) => {
                if let Some(job) = request.job() {
                    self.emit(Event::Cancelled(job));
                }
                return;
            }
            Ok(Err(Failure::Message(message))) => message,
            Err(panic) => match &request {
                Request::OpenModel(ModelSource::File(path) | ModelSource::Weights { path, .. }) => {
                    words::broken_file(&panic, &path.display().to_string())
                }
                _ => words::broke_off(&panic),
            },
        };
        self.emit(Event::Failed {
            request: Box::new(request),
            message,
        });
    }

    fn begin(&self, job: Job, stage: Stage) {
        self.emit(Event::Progress {
            job,
            stage,
            done: 0,
            total: 0,
        });
    }

    fn open_model(&mut self, source: &ModelSource) -> Result<Event, Failure> {
        self.begin(Job::OpenModel, Stage::OpeningModel);
        let model = source.open().map_err(|error| {
            if let (OpenError::WeightsAlone(_), Some(path)) = (&*error.cause, &error.path) {
                self.emit(Event::WeightsAlone(path.clone()));
            }
            error.to_string()
        })?;
        Ok(Event::ModelOpened(self.opened(model, source.clone())))
    }

    fn open_trained(&mut self, trained: TrainedId) -> Result<Event, Failure> {
        let found = self.store.trained(trained)?;
        let model = found.network.finished(&found.weights);
        let source = found.source.clone();
        let opened = self.opened(model, source);
        Ok(Event::TrainedOpened { trained, opened })
    }

    /// Stores a model and describes it.
    fn opened(&mut self, model: Model, source: ModelSource) -> OpenedModel {
        let description = Arc::new(model.description.clone());
        OpenedModel {
            id: self.store.add_model(Arc::new(model), source.clone()),
            source,
            model: description,
        }
    }

    fn open_photos(&mut self, source: &PhotosSource) -> Result<Event, Failure> {
        self.begin(Job::OpenPhotos, Stage::ListingPhotos);
        let photos = Arc::new(source.open().map_err(|error| error.to_string())?);
        let id = self.store.add_photos(Arc::clone(&photos));
        self.queue.check_photos(id, Arc::clone(&photos));
        Ok(Event::PhotosOpened {
            id,
            source: source.clone(),
            photos: Arc::new(photos.list.clone()),
        })
    }

    fn thumbnail(&self, photos: PhotosId, photo: usize) -> Result<Event, Failure> {
        match photos::thumbnail(self.store.photos(photos)?, photo) {
            Ok(image) => Ok(Event::Thumbnail {
                photos,
                photo,
                image,
            }),
            Err(error) => {
                let reason = error.cause.to_string();
                self.emit(Event::Unreadable {
                    photos,
                    photo,
                    reason,
                });
                Err(error.to_string().into())
            }
        }
    }

    fn try_scales(&self, model: ModelId, photos: PhotosId) -> Result<Event, Failure> {
        self.begin(Job::TryScales, Stage::TryingScales);
        let found = &self.store.model(model)?.model;
        let report = crate::try_scales(found, self.store.photos(photos)?);
        Ok(Event::ScalesTried {
            model,
            photos,
            report: report.map(Box::new),
        })
    }

    /// Computes a look; `None` if a newer one waits, since nobody needs this one any more.
    fn look(&mut self, look: &Look, ticket: u64) -> Result<Option<Event>, Failure> {
        let queue = Arc::clone(&self.queue);
        let emit = Arc::clone(&self.emit);
        let early = |batch: &[usize], outcome| {
            emit(Event::Look(Arc::new(LookResult {
                look: look.clone(),
                batch: batch.to_vec(),
                outcome,
                early: true,
                suspicion: None,
                secs: 0.0,
            })));
        };
        let computed = self.with_context(
            Job::Look,
            &|| queue.is_current(ticket),
            &early,
            |context, cache| look::compute(look.clone(), context, cache),
        );
        match computed {
            Ok(result) => Ok(Some(Event::Look(Arc::new(result)))),
            Err(_) if queue.has_look() => Ok(None),
            Err(LookError::Cancelled) => Ok(Some(Event::Cancelled(Job::Look))),
            Err(LookError::Released(released)) => Err(released.into()),
            Err(error) => Err(error.to_string().into()),
        }
    }

    /// Computes a look that nobody waits for.
    fn look_ahead(&mut self, look: &Look, ticket: u64) -> Result<Option<Event>, Failure> {
        let queue = Arc::clone(&self.queue);
        let computed = self.with_context(
            Job::Ahead,
            &|| queue.is_current_ahead(ticket),
            &|_, _| {},
            |context, cache| look::compute(look.clone(), context, cache),
        );
        match computed {
            Ok(result) => Ok(Some(Event::Look(Arc::new(result)))),
            // Whoever gave it up knows.
            Err(_) if !queue.is_current_ahead(ticket) => Ok(None),
            Err(LookError::Released(released)) => Err(released.into()),
            Err(error) => Err(error.to_string().into()),
        }
    }

    /// Runs an array through a model.
    fn run(&self, run: &Run) -> Result<Event, Failure> {
        let model = &self.store.model(run.model)?.model;
        let started = (self.options.clock)();
        let ran = run_array(model, run).map_err(|error| error.to_string())?;
        let secs = (self.options.clock)().saturating_sub(started).as_secs_f64();
        Ok(Event::Ran(Box::new(Ran { secs, ..ran })))
    }

    /// Measures in the background and emits each part as soon as it is known.
    fn measure(&mut self, job: &BatchNormJob, ticket: u64) -> Result<Option<Event>, Failure> {
        let queue = Arc::clone(&self.queue);
        let emit = Arc::clone(&self.emit);
        let measured = self.with_context(
            Job::BatchNorm,
            &|| queue.is_current_background(ticket),
            &|_, _| {},
            |context, cache| {
                look::measure(job, context, cache, &|event| {
                    emit(Event::BatchNorm(Box::new(event)));
                })
            },
        );
        match measured {
            Ok(()) => Ok(None),
            Err(_) if !queue.is_current_background(ticket) => {
                Ok(Some(Event::Cancelled(Job::BatchNorm)))
            }
            Err(LookError::Released(released)) => Err(released.into()),
            Err(error) => Err(error.to_string().into()),
        }
    }

    /// Writes trained weights to a file. The dialog that gave the path has already asked whether an
    /// existing file may be replaced.
    fn save_model(&self, trained: TrainedId, path: &std::path::Path) -> Result<Event, Failure> {
        let trained = self.store.trained(trained)?;
        let (network, weights) = (&trained.network, &trained.weights);
        save_network(&trained.source, network, weights, path, Replace::Model)
            .map_err(|cause| format!("{cause}: {}", path.display()))?;
        Ok(Event::Saved(path.to_owned()))
    }

    /// Reads the header of a photo in the background.
    fn check(&self, id: PhotosId, photos: &Photos, photo: usize) {
        let reason = match guarded(|| photos.check(photo)) {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.cause.to_string(),
            Err(panic) => words::broken_image(&panic),
        };
        self.emit(Event::Unreadable {
            photos: id,
            photo,
            reason,
        });
    }

    /// Runs `f` with a context that reports the progress of `job` as events.
    fn with_context<T>(
        &mut self,
        job: Job,
        proceed: &(dyn Fn() -> bool + Sync),
        early: &dyn Fn(&[usize], crate::Outcome),
        f: impl FnOnce(&Context<'_>, &mut PhotoCache) -> T,
    ) -> T {
        let emit = &self.emit;
        let context = Context {
            store: &self.store,
            proceed,
            progress: &|stage, done, total| {
                emit(Event::Progress {
                    job,
                    stage,
                    done,
                    total,
                });
            },
            unreadable: &|photos, photo, reason| {
                emit(Event::Unreadable {
                    photos,
                    photo,
                    reason,
                });
            },
            early,
            clock: self.options.clock,
        };
        f(&context, &mut self.cache)
    }
}
