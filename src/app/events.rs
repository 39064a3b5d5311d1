//! What the worker says, put into the state.

use std::sync::Arc;

use eframe::egui::Context;

use super::textures::{PHOTO_RANGE, grid_textures, texture};
use super::{App, desired};
use crate::augment::Pipeline;
use crate::dataset::Photos;
use crate::model::{Model, labels};
use crate::state::{Base, Gallery, OwnPipeline, Running, Settings, Sheet, Thumbnail, View};
use crate::words::notices as words;
use crate::words::window;
use crate::worker::{Event, Job, Look, Looked, ModelSource, Outcome, PhotosSource, Request};

impl App {
    /// Takes everything the worker has said since the last frame.
    pub(super) fn drain(&mut self, ctx: &Context) {
        while let Some(event) = self.worker.poll() {
            self.event(ctx, event);
        }
    }

    fn event(&mut self, ctx: &Context, event: Event) {
        if matches!(
            event,
            Event::Looked(_) | Event::LookedEarly(_) | Event::BatchNorm(_) | Event::Training(_)
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
                // A late report of a job that was cancelled must not bring its spinner back.
                if computed.running(job).is_some() {
                    computed.progress(Running {
                        job,
                        stage,
                        done,
                        total,
                    });
                }
            }
            Event::ModelOpened { source, model } => self.model_opened(source, model),
            Event::WeightsAlone(path) => {
                let desk = &mut self.state.desk;
                (desk.weights, desk.sheet) = (Some(path), Some(Sheet::Network));
            }
            Event::PhotosOpened { source, photos } => self.photos_opened(source, photos),
            Event::Thumbnail {
                photos,
                photo,
                image,
            } => {
                if computed
                    .thumbnail_sent
                    .as_ref()
                    .is_some_and(|(_, sent)| *sent == photo)
                {
                    computed.finish(Job::Thumbnail);
                }
                let texture = texture(ctx, "photo", &image, PHOTO_RANGE);
                computed.thumbnail = Some(Thumbnail {
                    photos,
                    photo,
                    texture,
                });
            }
            Event::Unreadable {
                photos,
                photo,
                reason,
            } => {
                let gallery = self.state.opened.gallery.as_mut();
                if let Some(gallery) = gallery.filter(|g| Arc::ptr_eq(&g.photos, &photos)) {
                    gallery.mark_unreadable(photo, reason);
                }
            }
            Event::Looked(looked) | Event::LookedEarly(looked) => self.looked(ctx, looked),
            Event::BatchNorm(event) => self.measured(*event),
            Event::Training(event) => self.training_event(event),
            Event::Saved(path) => {
                computed.finish(Job::SaveFigure);
                computed.finish(Job::SaveModel);
                self.state.export.said = Some(window::saved(&path.display().to_string()));
                computed.saved = Some(path);
            }
            Event::FigureDrawn { to, raster } => self.figure_drawn(ctx, &to, &raster),
            // The job was taken off the list when the person cancelled it; by now a newer one of
            // the same kind may be on it.
            Event::Cancelled(_) => {}
            Event::Failed { request, message } => self.failed(&request, message),
        }
    }

    pub(super) fn model_opened(&mut self, source: ModelSource, model: Arc<Model>) {
        let opened = &mut self.state.opened;
        // Another one was asked for since, or the opening was cancelled too late.
        if opened.opening_model.as_ref() != Some(&source) {
            return;
        }
        opened.opening_model = None;
        self.state.computed.finish(Job::OpenModel);
        if let Some(path) = source.path() {
            self.state.desk.recent.add_model(path);
        }
        self.fonts.check = true;
        self.history.forget();
        let base = Base::new(model, source);
        self.state.settings.preprocessing = None;
        let last = base.base_len().saturating_sub(1);
        self.state.settings.fine_tune_from = Settings::default().fine_tune_from.min(last);
        let before = self.state.own_pipeline().cloned();
        self.choose_pipeline(before.as_ref(), base.own_pipeline.as_ref());
        self.state.opened.base = Some(base);
        self.name_classes();
        // What was wrong with the same weights before is settled.
        self.state.computed.settled(words::MODEL_UNOPENED);
        self.forget_results();
        self.forget_runs();
    }

    fn photos_opened(&mut self, source: PhotosSource, photos: Photos) {
        let opened = &mut self.state.opened;
        if opened.opening_photos.as_ref() != Some(&source) {
            return;
        }
        opened.opening_photos = None;
        self.state.computed.finish(Job::OpenPhotos);
        if let PhotosSource::Folder(path) = &source {
            self.state.desk.recent.add_photos(path);
        }
        self.fonts.check = true;
        self.history.forget();
        let opened = &mut self.state.opened;
        let wanted = opened.wanted_photo.take();
        opened.gallery = Some(Gallery::new(photos, source, wanted.as_deref()));
        self.name_classes();
        self.forget_results();
        self.forget_runs();
        self.state.computed.thumbnail = None;
    }

    /// Outputs without names are called after the folders of the photos, where there are as many.
    fn name_classes(&mut self) {
        let opened = &mut self.state.opened;
        if let (Some(base), Some(gallery)) = (&mut opened.base, &opened.gallery)
            && let Some(named) = labels::by_folders(&base.model, &gallery.photos.classes)
        {
            base.model = Arc::new(named);
        }
    }

    /// A file's own block comes first; without one, a block taken over from the file before gives
    /// way, and whatever the person built stays.
    fn choose_pipeline(&mut self, before: Option<&OwnPipeline>, own: Option<&OwnPipeline>) {
        let pipeline = &mut self.state.settings.pipeline;
        if let Some(own) = own {
            *pipeline = own.pipeline.clone();
        } else if before.is_some_and(|before| before.pipeline == *pipeline) {
            *pipeline = Pipeline::course();
        }
    }

    /// Drops what belongs to a model or to photos that are no longer open.
    fn forget_results(&mut self) {
        self.state.computed.forget_results();
        let grid = &mut self.state.grid;
        grid.open = None;
        grid.last_open = None;
        grid.expanded = None;
        grid.steps_changed();
    }

    fn looked(&mut self, ctx: &Context, looked: Arc<Looked>) {
        if !looked.early && self.state.computed.sent.as_ref() == Some(&looked.look) {
            self.state.computed.finish(Job::Look);
        }
        // Results of earlier settings are dropped; those of another view are kept for its tab.
        let view = View::of(&looked.look);
        let Some(wanted) = desired(&self.state, view) else {
            return;
        };
        if wanted != looked.look && !follows(&wanted, &looked.look) {
            return;
        }
        if let (Outcome::Augmentation(outcome), Look::Augmentation(look)) =
            (&looked.outcome, &looked.look)
        {
            let range = look.pipeline.value_range();
            self.state.computed.grid = Some(grid_textures(ctx, outcome, range));
        }
        self.state.computed.store(looked);
    }

    fn failed(&mut self, request: &Request, message: String) {
        let opened = &mut self.state.opened;
        let computed = &mut self.state.computed;
        // What failed may have been replaced since: then the newer request still runs.
        let (title, wanted, photo) = match request {
            Request::OpenModel(source) => {
                let wanted = opened.opening_model.take_if(|w| w == source).is_some();
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
            Request::SaveModel(_) => (words::MODEL_UNSAVED, true, None),
            Request::Train(_) => (words::RUNS_BROKE_OFF, true, None),
        };
        if !wanted {
            return;
        }
        computed.finish(request.job());
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

/// Whether a grid computed for earlier settings is shown until the newest comes: while a slider is
/// dragged the grid must follow, and no frame's own result may arrive before the next change.
fn follows(wanted: &Look, done: &Look) -> bool {
    match (wanted, done) {
        (Look::Augmentation(wanted), Look::Augmentation(done)) => {
            wanted.photos == done.photos && wanted.photo == done.photo && wanted.grid == done.grid
        }
        _ => false,
    }
}
