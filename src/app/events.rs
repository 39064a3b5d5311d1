//! Puts events into the state.

use std::sync::Arc;

use eframe::egui::Context;

use super::App;
use super::shell::is_found_again;
use super::textures::{grid_textures, texture};
use crate::augment::Pipeline;
use crate::augment::{PHOTO_RANGE, picture, range_of};
use crate::command::Command;
use crate::dataset::{Image, PhotoList};
use crate::model::labels;
use crate::state::{Base, Gallery, OwnPipeline, Running, Settings, Sheet, Thumbnail, View};
use crate::words::notices as words;
use crate::words::window;
use modelens_jobs::{
    Event, Job, Look, LookResult, ModelSource, OpenedModel, Outcome, PhotosId, PhotosSource,
    Request, TrainedId,
};

impl App {
    /// Takes the events since the last frame.
    pub(super) fn drain(&mut self, ctx: &Context) {
        while let Some(event) = self.jobs.poll() {
            self.held.note(&event);
            self.event(ctx, event);
        }
    }

    fn event(&mut self, ctx: &Context, event: Event) {
        if matches!(
            event,
            Event::Look(_) | Event::BatchNorm(_) | Event::Training(_)
        ) {
            self.heard += 1;
        }
        let computed = &mut self.state.computed;
        match event {
            Event::Progress {
                job,
                stage,
                done,
                total,
            } => {
                // A late report of a cancelled job must not bring its spinner back.
                if computed.running(job).is_some() {
                    computed.progress(Running {
                        job,
                        stage,
                        done,
                        total,
                    });
                }
            }
            Event::ModelOpened(opened) => self.model_opened(opened),
            Event::TrainedOpened { trained, opened } => self.trained_opened(trained, opened),
            Event::CachesListed(models) => self.state.shell.cached = models,
            Event::WeightsAlone(path) => {
                let shell = &mut self.state.shell;
                (shell.weights, shell.sheet) = (Some(path), Some(Sheet::Network));
            }
            Event::PhotosOpened { id, source, photos } => self.photos_opened(id, source, photos),
            Event::Thumbnail {
                photos,
                photo,
                image,
            } => self.thumbnail(ctx, (photos, photo), &image),
            Event::ScalesTried {
                model,
                photos,
                report,
            } => {
                let tried = self.state.opened.scales.as_mut();
                if let Some(tried) = tried.filter(|t| (t.model, t.photos) == (model, photos)) {
                    tried.report = report;
                    self.state.computed.finish(Job::TryScales);
                }
            }
            Event::Unreadable {
                photos,
                photo,
                reason,
            } => {
                let gallery = self.state.opened.gallery.as_mut();
                if let Some(gallery) = gallery.filter(|g| g.id == photos) {
                    gallery.mark_unreadable(photo, reason);
                }
            }
            Event::Look(result) => self.looked(ctx, result),
            Event::BatchNorm(event) => self.measured(*event),
            // The window asks for none.
            Event::Ran(_) => {}
            Event::Training(event) => self.training_event(event),
            Event::Saved(path) => {
                computed.finish(Job::SaveFigure);
                computed.finish(Job::SaveModel);
                self.state.export.message = Some(window::saved(&path.display().to_string()));
                computed.saved = Some(path);
            }
            Event::FigureDrawn { to, raster } => self.figure_drawn(ctx, &to, &raster),
            // The job was removed from the list when the person cancelled it; by now a newer one of
            // the same kind may be there.
            Event::Cancelled(job) => {
                if job == Job::TryScales {
                    self.state.computed.finish(job);
                }
            }
            Event::Failed { request, message } => self.failed(ctx, &request, message),
        }
    }

    /// Keeps the picture of the photo under the pointer.
    fn thumbnail(&mut self, ctx: &Context, (photos, photo): (PhotosId, usize), image: &Image) {
        let computed = &mut self.state.computed;
        if computed
            .thumbnail_sent
            .as_ref()
            .is_some_and(|(_, sent)| *sent == photo)
        {
            computed.finish(Job::Thumbnail);
        }
        let gallery = self.state.opened.gallery.as_ref();
        let gallery = gallery.filter(|gallery| gallery.id == photos);
        let as_given = gallery.is_some_and(|gallery| gallery.photos.as_given);
        let range = if as_given {
            range_of([image])
        } else {
            PHOTO_RANGE
        };
        let picture = picture(image, &vec![range; image.channels]);
        if let Some(listed) = gallery.and_then(|g| g.photos.photos.get(photo)) {
            computed.thumbnail = Some(Thumbnail {
                photos,
                photo,
                name: listed.name.clone(),
                texture: texture(ctx, "photo", &picture),
            });
        }
    }

    /// Opens what is bundled in the place of a remembered file that can't be opened any more, and says so. The rules
    /// chosen for that file go with it. Returns false for every other request.
    fn replace_lost(&mut self, ctx: &Context, request: &Request, message: &str) -> bool {
        // A page shows something, whatever its address says.
        if !self.reopens && !cfg!(target_family = "wasm") {
            return false;
        }
        let opened = &self.state.opened;
        let bundled = match request {
            Request::OpenModel(source) if opened.base.is_none() && *source != ModelSource::Lab => {
                self.state.settings.semantics = None;
                Command::OpenModel(ModelSource::Lab)
            }
            Request::OpenPhotos(source)
                if opened.gallery.is_none() && *source != PhotosSource::Bundled =>
            {
                Command::OpenPhotos(PhotosSource::Bundled)
            }
            _ => return false,
        };
        let title = if self.reopens {
            words::LAST_UNOPENED
        } else {
            words::ADDRESS_UNOPENED
        };
        let computed = &mut self.state.computed;
        computed.notify(title, message.to_owned());
        self.apply(ctx, bundled);
        true
    }

    fn model_opened(&mut self, opened: OpenedModel) {
        let opening = &mut self.state.opened.opening_model;
        // Another model was asked for since, or the opening was cancelled too late.
        if opening.as_ref() == Some(&opened.source) {
            *opening = None;
            self.show_model(opened);
        }
    }

    /// Shows the model of a run in the other views. Its flags are those of the file, and the runs
    /// stay as they are.
    fn trained_opened(&mut self, trained: TrainedId, mut opened: OpenedModel) {
        let opening = &mut self.state.opened.opening_trained;
        if opening.take_if(|wanted| *wanted == trained).is_none() {
            return;
        }
        if let Some(base) = &self.state.opened.base {
            let title = crate::views::fine_tune::model_title(&base.model.title);
            Arc::make_mut(&mut opened.model).title = title;
        }
        // Trained on this scale, whatever evidence its new head would give.
        let unknown = opened
            .model
            .scale_unknown
            .then(|| self.state.preprocessing());
        let preprocessing = self.state.settings.preprocessing.or(unknown);
        self.stop_runs();
        let training = std::mem::take(&mut self.state.training);
        self.show_model(opened);
        self.state.training = training;
        self.state.settings.preprocessing = preprocessing;
        self.state.settings.view = View::Trainable;
    }

    fn show_model(&mut self, opened: OpenedModel) {
        self.state.computed.finish(Job::OpenModel);
        if let Some(path) = opened.source.path().filter(|path| is_found_again(path)) {
            self.state.shell.recent.add_model(path);
        }
        self.fonts.check = true;
        self.history.forget();
        let base = Base::new(opened);
        self.state.settings.preprocessing = None;
        let last = base.base_len().saturating_sub(1);
        self.state.settings.fine_tune_from = Settings::default().fine_tune_from.min(last);
        let before = self.state.own_pipeline().cloned();
        self.choose_pipeline(before.as_ref(), base.own_pipeline.as_ref());
        self.state.opened.base = Some(base);
        self.name_classes();
        // Earlier messages about opening a model no longer matter.
        self.state.computed.settled(words::MODEL_UNOPENED);
        self.forget_results();
        self.forget_runs();
    }

    fn photos_opened(&mut self, id: PhotosId, source: PhotosSource, photos: Arc<PhotoList>) {
        let opened = &mut self.state.opened;
        if opened.opening_photos.as_ref() != Some(&source) {
            return;
        }
        opened.opening_photos = None;
        self.state.computed.finish(Job::OpenPhotos);
        if let Some(path) = source.path().filter(|path| is_found_again(path)) {
            self.state.shell.recent.add_photos(path);
        }
        self.fonts.check = true;
        self.history.forget();
        let opened = &mut self.state.opened;
        let wanted = opened.wanted_photo.take();
        opened.gallery = Some(Gallery::new(id, photos, source, wanted.as_deref()));
        self.name_classes();
        self.forget_results();
        self.forget_runs();
        self.state.computed.thumbnail = None;
    }

    /// Names outputs without names after the folders of the photos, if there are as many.
    fn name_classes(&mut self) {
        let opened = &mut self.state.opened;
        if let (Some(base), Some(gallery)) = (&mut opened.base, &opened.gallery)
            && let Some(named) = labels::by_folders(&base.model, &gallery.photos.classes)
        {
            base.model = Arc::new(named);
        }
    }

    /// Chooses the pipeline of the file, if it has one. If not, the pipeline of the file before is
    /// replaced by the course's, but one that the person built stays.
    fn choose_pipeline(&mut self, before: Option<&OwnPipeline>, own: Option<&OwnPipeline>) {
        let pipeline = &mut self.state.settings.pipeline;
        if let Some(own) = own {
            *pipeline = own.pipeline.clone();
        } else if before.is_some_and(|before| before.pipeline == *pipeline) {
            *pipeline = Pipeline::course();
        }
    }

    /// Drops the results of a model or of photos that are no longer open.
    fn forget_results(&mut self) {
        self.state.computed.forget_results();
        let grid = &mut self.state.grid;
        grid.open = None;
        grid.last_open = None;
        grid.expanded = None;
        grid.steps_changed();
    }

    pub(super) fn looked(&mut self, ctx: &Context, looked: Arc<LookResult>) {
        if self.keep_ahead(&looked) {
            return;
        }
        if !looked.early && self.state.computed.sent.as_ref() == Some(&looked.look) {
            self.state.computed.finish(Job::Look);
        }
        // Results of earlier settings are dropped, but those of another view are kept for its tab.
        let view = View::of(&looked.look);
        let Some(wanted) = view.page().wanted(&self.state) else {
            return;
        };
        if wanted != looked.look && !follows(&wanted, &looked.look) {
            return;
        }
        // The first steps take the place of no whole result.
        let is_part = |looked: &LookResult| matches!(looked.outcome, Outcome::FirstSteps(_));
        let shown = self.state.computed.result(view);
        if is_part(&looked) && shown.is_some_and(|shown| !is_part(shown)) {
            return;
        }
        if let Outcome::Augmentation(outcome) = &looked.outcome {
            self.state.computed.grid = Some(grid_textures(ctx, outcome));
        }
        self.state.computed.store(looked);
    }

    fn failed(&mut self, ctx: &Context, request: &Request, message: String) {
        // Asked again when its step is shown, and told then.
        if matches!(request, Request::Ahead(_)) {
            self.ahead_failed();
            return;
        }
        if self.replace_lost(ctx, request, &message) {
            return;
        }
        let opened = &mut self.state.opened;
        let computed = &mut self.state.computed;
        // If the failed request was replaced since, the newer one still runs.
        let (title, wanted, photo) = match request {
            Request::OpenModel(source) => {
                let wanted = opened.opening_model.take_if(|w| w == source).is_some();
                (words::MODEL_UNOPENED, wanted, None)
            }
            Request::OpenTrained(trained) => {
                let opening = &mut opened.opening_trained;
                let wanted = opening.take_if(|w| w == trained).is_some();
                (words::MODEL_UNOPENED, wanted, None)
            }
            Request::OpenPhotos(source) => {
                let wanted = opened.opening_photos.take_if(|w| w == source).is_some();
                if wanted {
                    opened.wanted_photo = None;
                }
                (words::PHOTOS_UNOPENED, wanted, None)
            }
            Request::Thumbnail { photo, .. } => {
                let sent = computed.thumbnail_sent.as_ref();
                let wanted = sent.is_some_and(|(_, sent)| sent == photo);
                (words::PHOTO_UNSHOWN, wanted, Some(*photo))
            }
            Request::TryScales { .. } => (words::VIEW_UNCOMPUTED, true, None),
            Request::Look(look) => {
                let wanted = computed.sent.as_ref() == Some(look);
                (words::VIEW_UNCOMPUTED, wanted, Some(look.photo()))
            }
            Request::BatchNorm(job) => {
                let wanted = self.state.walk.sent.as_ref() == Some(job);
                self.state.walk.stop();
                (words::BATCHES_UNMEASURED, wanted, None)
            }
            Request::Figure { .. } => {
                self.state.export.waits = false;
                (words::FIGURE_UNSAVED, true, None)
            }
            Request::SaveModel { .. } => (words::MODEL_UNSAVED, true, None),
            Request::Train(_) => (words::RUNS_BROKE_OFF, true, None),
            // It has no answer.
            Request::Release(_) | Request::ListCaches | Request::Ahead(_) | Request::Run(_) => {
                return;
            }
        };
        if !wanted {
            return;
        }
        if let Some(job) = request.job() {
            computed.finish(job);
        }
        // A photo that cannot be read is listed in the status bar, and its view says so.
        let gallery = opened.gallery.as_ref();
        let listed = gallery
            .zip(photo)
            .is_some_and(|(g, photo)| g.unreadable.contains_key(&photo));
        if !listed {
            computed.notify(title, message);
        }
    }
}

/// Whether a grid of earlier settings is shown until the newest arrives. The grid must follow a
/// slider that is dragged, although each change may come before the result of the one before.
fn follows(wanted: &Look, done: &Look) -> bool {
    match (wanted, done) {
        (Look::Augmentation(wanted), Look::Augmentation(done)) => {
            wanted.photos == done.photos && wanted.photo == done.photo && wanted.grid == done.grid
        }
        _ => false,
    }
}
