//! Asks for what the shown view needs.

use eframe::egui::Context;

use super::App;
use modelens_jobs::{Job, Request, Stage};

impl App {
    /// Sends what the current settings need and nobody asked for yet.
    pub(super) fn ask(&mut self, ctx: &Context) {
        self.ask_thumbnail();
        let view = self.state.settings.view;
        let Some(look) = view.page().wanted(&self.state) else {
            return;
        };
        let computed = &mut self.state.computed;
        let shown = computed
            .result(view)
            .is_some_and(|looked| looked.look == look && !looked.early);
        if shown || computed.sent.as_ref() == Some(&look) {
            return;
        }
        computed.sent = Some(look.clone());
        computed.sent_secs = ctx.input(|i| i.time);
        computed.start(Job::Look, Stage::Forward);
        self.forget_walk_job();
        self.jobs.send(Request::Look(Box::new(look)));
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
        self.jobs.send(Request::Thumbnail { photos, photo });
    }
}
