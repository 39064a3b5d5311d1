//! Asks for what the shown view needs.

use eframe::egui::Context;

use super::App;
use crate::state::TriedScales;
use modelens_jobs::{Job, Request, Stage};

impl App {
    /// Sends what the current settings need and nobody asked for yet.
    pub(super) fn ask(&mut self, ctx: &Context) {
        self.ask_thumbnail();
        if self.scale_is_awaited() {
            return;
        }
        let view = self.state.settings.view;
        let Some(look) = view.page().wanted(&self.state) else {
            return;
        };
        let computed = &mut self.state.computed;
        let shown = computed
            .result(view)
            .is_some_and(|looked| looked.look == look && !looked.early);
        if shown || computed.sent.as_ref() == Some(&look) || self.take_ahead(ctx, &look) {
            return;
        }
        let computed = &mut self.state.computed;
        computed.sent = Some(look.clone());
        computed.sent_secs = ctx.input(|i| i.time);
        computed.start(Job::Look, Stage::Forward);
        self.forget_walk_job();
        self.send(Request::Look(Box::new(look)));
    }

    /// Has the scales tried where the model does not say its own; true while the result is awaited.
    fn scale_is_awaited(&mut self) -> bool {
        let opened = &mut self.state.opened;
        let (Some(base), Some(gallery)) = (&opened.base, &opened.gallery) else {
            return false;
        };
        if !base.model.scale_unknown || gallery.photos.photos.is_empty() {
            return false;
        }
        let (model, photos) = (base.id, gallery.id);
        let asked = opened.scales.as_ref();
        if asked.is_none_or(|tried| (tried.model, tried.photos) != (model, photos)) {
            opened.scales = Some(TriedScales {
                model,
                photos,
                report: None,
            });
            self.state
                .computed
                .start(Job::TryScales, Stage::TryingScales);
            self.send(Request::TryScales { model, photos });
        }
        self.state.computed.running(Job::TryScales).is_some()
    }

    fn ask_thumbnail(&mut self) {
        let Some(gallery) = self.state.opened.gallery.as_ref() else {
            return;
        };
        if gallery.chosen().is_none() {
            return;
        }
        let (photos, photo) = (gallery.id, gallery.photo);
        let wanted = Some((photos, photo));
        let computed = &mut self.state.computed;
        let shown = computed.thumbnail.as_ref().map(|t| (t.photos, t.photo));
        if shown == wanted || computed.thumbnail_sent == wanted {
            return;
        }
        computed.thumbnail_sent = wanted;
        computed.start(Job::Thumbnail, Stage::DecodingPhoto);
        self.send(Request::Thumbnail { photos, photo });
    }
}
