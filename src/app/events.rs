//! What the worker says, put into the state.

use std::sync::Arc;

use eframe::egui;
use eframe::egui::{ColorImage, Context, TextureHandle, TextureOptions};

use super::{App, desired};
use crate::dataset::{Image, Photos};
use crate::model::Model;
use crate::state::{Base, Gallery, GridTextures, Running, Settings, Thumbnail, View};
use crate::worker::{
    AugmentationOutcome, Cell, Event, Job, Looked, ModelSource, Outcome, PhotosSource, Request,
};

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
            Event::ModelOpened { source, model } => self.model_opened(source, model),
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
                let texture = texture(ctx, "photo", &image);
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
            Event::Failed { request, message } => self.failed(&request, message),
        }
    }

    fn model_opened(&mut self, source: ModelSource, model: Arc<Model>) {
        let opened = &mut self.state.opened;
        // Another one was asked for since, or the opening was cancelled too late.
        if opened.opening_model.as_ref() != Some(&source) {
            return;
        }
        opened.opening_model = None;
        self.state.computed.finish(Job::OpenModel);
        let base = Base::new(model, source);
        self.state.settings.preprocessing = None;
        let last = base.base_len().saturating_sub(1);
        self.state.settings.fine_tune_from = Settings::default().fine_tune_from.min(last);
        opened.base = Some(base);
        self.state.computed.forget_results();
    }

    fn photos_opened(&mut self, source: PhotosSource, photos: Photos) {
        let opened = &mut self.state.opened;
        if opened.opening_photos.as_ref() != Some(&source) {
            return;
        }
        opened.opening_photos = None;
        self.state.computed.finish(Job::OpenPhotos);
        let wanted = opened.wanted_photo.take();
        opened.gallery = Some(Gallery::new(photos, source, wanted.as_deref()));
        self.state.computed.forget_results();
        self.state.computed.thumbnail = None;
    }

    fn looked(&mut self, ctx: &Context, looked: Arc<Looked>) {
        if self.state.computed.sent.as_ref() == Some(&looked.look) {
            self.state.computed.finish(Job::Look);
        }
        // Results of earlier settings are dropped; those of another view are kept for its tab.
        let view = View::of(&looked.look);
        if desired(&self.state, view).as_ref() != Some(&looked.look) {
            return;
        }
        if let Outcome::Augmentation(outcome) = &looked.outcome {
            self.state.computed.grid = Some(grid_textures(ctx, outcome));
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
                ("The model could not be opened", wanted, None)
            }
            Request::OpenPhotos(source) => {
                let wanted = opened.opening_photos.take_if(|w| w == source).is_some();
                if wanted {
                    opened.wanted_photo = None;
                }
                ("The photos could not be opened", wanted, None)
            }
            Request::Thumbnail { photo, .. } => {
                let sent = computed.thumbnail_sent.as_ref();
                let wanted = sent.is_some_and(|(_, sent)| sent == photo);
                ("The photo could not be shown", wanted, Some(*photo))
            }
            Request::Look(look) => {
                let wanted = computed.sent.as_ref() == Some(look);
                ("The view could not be computed", wanted, Some(look.photo()))
            }
            Request::SavePng { .. } => ("The picture could not be saved", true, None),
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

fn grid_textures(ctx: &Context, outcome: &AugmentationOutcome) -> GridTextures {
    let original = texture(ctx, "original", &outcome.original);
    let side = |cells: &[Cell]| -> Vec<TextureHandle> {
        let textures = cells.iter().map(|cell| {
            if cell.image == outcome.original {
                original.clone()
            } else {
                texture(ctx, "augmented", &cell.image)
            }
        });
        textures.collect()
    };
    GridTextures {
        training: side(&outcome.training),
        inference: side(&outcome.inference),
    }
}

fn texture(ctx: &Context, name: &str, image: &Image) -> TextureHandle {
    let pixel = |hwc: &[f32]| {
        let byte = |i: usize| hwc.get(i).map_or(0, |v| v.clamp(0.0, 255.0).round() as u8);
        if hwc.len() < 3 {
            egui::Color32::from_gray(byte(0))
        } else {
            egui::Color32::from_rgb(byte(0), byte(1), byte(2))
        }
    };
    let pixels: Vec<_> = image
        .pixels_hwc
        .chunks_exact(image.channels.max(1))
        .map(pixel)
        .collect();
    let size = [image.width, image.height];
    // A size that does not fit would be a bug of whoever made the image; egui panics on it.
    let image = if pixels.len() == size[0] * size[1] {
        ColorImage::new(size, pixels)
    } else {
        ColorImage::default()
    };
    let options = TextureOptions {
        mipmap_mode: Some(egui::TextureFilter::Linear),
        ..TextureOptions::LINEAR
    };
    ctx.load_texture(name, image, options)
}
