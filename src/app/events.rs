//! What the worker says, put into the state.

use std::sync::Arc;

use eframe::egui::Context;

use super::textures::{PHOTO_RANGE, grid_textures, texture};
use super::{App, desired};
use crate::augment::Pipeline;
use crate::dataset::Photos;
use crate::model::Model;
use crate::state::{Base, Gallery, OwnPipeline, Running, Settings, Thumbnail, View};
use crate::worker::{Event, Job, Look, Looked, Outcome};

impl App {
    /// Takes everything the worker has said since the last frame.
    pub(super) fn drain(&mut self, ctx: &Context) {
        while let Some(event) = self.worker.poll() {
            self.event(ctx, event);
        }
    }

    fn event(&mut self, ctx: &Context, event: Event) {
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
            Event::ModelOpened(model) => self.model_opened(model),
            Event::PhotosOpened(photos) => self.photos_opened(photos),
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
            Event::Looked(looked) => self.looked(ctx, looked),
            Event::Saved(path) => {
                computed.finish(Job::SavePng);
                computed.saved = Some(path);
            }
            // The job was taken off the list when the person cancelled it; by now a newer one of
            // the same kind may be on it.
            Event::Cancelled(_) => {}
            Event::Failed { job, message } => self.failed(job, message),
        }
    }

    fn model_opened(&mut self, model: Arc<Model>) {
        let opened = &mut self.state.opened;
        self.state.computed.finish(Job::OpenModel);
        // Without a request that waits, this is a model whose opening was cancelled too late.
        let Some(source) = opened.opening_model.take() else {
            return;
        };
        let base = Base::new(model, source);
        self.state.settings.preprocessing = None;
        let last = base.base_len().saturating_sub(1);
        self.state.settings.fine_tune_from = Settings::default().fine_tune_from.min(last);
        let before = self.state.own_pipeline().cloned();
        self.choose_pipeline(before.as_ref(), base.own_pipeline.as_ref());
        self.state.opened.base = Some(base);
        self.forget_results();
    }

    fn photos_opened(&mut self, photos: Photos) {
        let opened = &mut self.state.opened;
        self.state.computed.finish(Job::OpenPhotos);
        let Some(source) = opened.opening_photos.take() else {
            return;
        };
        let wanted = opened.wanted_photo.take();
        opened.gallery = Some(Gallery::new(photos, source, wanted.as_deref()));
        self.forget_results();
        self.state.computed.thumbnail = None;
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
        if self.state.computed.sent.as_ref() == Some(&looked.look) {
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

    fn failed(&mut self, job: Job, message: String) {
        let opened = &mut self.state.opened;
        let title = match job {
            Job::OpenModel => {
                opened.opening_model = None;
                "The model could not be opened"
            }
            Job::OpenPhotos => {
                opened.opening_photos = None;
                opened.wanted_photo = None;
                "The photos could not be opened"
            }
            Job::Thumbnail => "The photo could not be shown",
            Job::Look => "The view could not be computed",
            Job::SavePng => "The picture could not be saved",
        };
        let photo = self.photo_named_in(&message);
        if photo.is_some() && photo != self.photo_asked_for(job) {
            // An older request failed on a photo that has given way; the newer one still runs.
            return;
        }
        let was_running = self.state.computed.running(job).is_some();
        self.state.computed.finish(job);
        // A photo that cannot be read is listed in the status bar, and its view says so.
        if was_running && photo.is_none() && job != Job::Thumbnail {
            self.state.computed.notify(title, message);
        }
    }

    /// The unreadable photo that a message speaks of: paths stand last.
    fn photo_named_in(&self, message: &str) -> Option<usize> {
        let gallery = self.state.opened.gallery.as_ref()?;
        let name = |photo: usize| gallery.photos.photos.get(photo).map(|p| p.name.as_str());
        let mut unreadable = gallery.unreadable.keys().copied();
        unreadable.find(|&photo| name(photo).is_some_and(|name| message.ends_with(name)))
    }

    /// The photo of the request that was sent last.
    fn photo_asked_for(&self, job: Job) -> Option<usize> {
        let computed = &self.state.computed;
        match job {
            Job::Look => match computed.sent.as_ref()? {
                Look::Augmentation(look) => Some(look.photo),
                Look::Dropout { pass, .. } | Look::BatchNorm { pass, .. } => Some(pass.photo),
            },
            Job::Thumbnail => computed.thumbnail_sent.as_ref().map(|(_, photo)| *photo),
            Job::OpenModel | Job::OpenPhotos | Job::SavePng => None,
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
