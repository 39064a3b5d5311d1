//! Frees models, photos and trained weights that the window no longer uses.

use std::collections::BTreeSet;

use super::App;
use modelens_jobs::{Event, Request, StoredId, TrainEvent, TrainedId};

/// What the jobs hold for this window.
#[derive(Debug, Default)]
pub struct Held {
    known: BTreeSet<StoredId>,
    /// The weights of the last save dialog.
    pub saving: Option<TrainedId>,
}

impl Held {
    /// Notes what is held after an event.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::ModelOpened(opened) | Event::TrainedOpened { opened, .. } => {
                self.known.insert(StoredId::Model(opened.id));
            }
            Event::PhotosOpened { id, .. } => {
                self.known.insert(StoredId::Photos(*id));
            }
            Event::Training(TrainEvent::StepDone(done)) => {
                let trained = done.end.as_ref().map(|end| StoredId::Trained(end.id));
                self.known.extend(trained);
            }
            Event::Training(_)
            | Event::Progress { .. }
            | Event::CachesListed(_)
            | Event::WeightsAlone(_)
            | Event::Thumbnail { .. }
            | Event::ScalesTried { .. }
            | Event::Unreadable { .. }
            | Event::Look(_)
            | Event::BatchNorm(_)
            | Event::Ran(_)
            | Event::Saved(_)
            | Event::FigureDrawn { .. }
            | Event::Cancelled(_)
            | Event::Failed { .. } => {}
        }
    }
}

impl App {
    /// Releases what is held but no longer used.
    pub(super) fn release_unused(&mut self) {
        let state = &self.state;
        let model = state.opened.base.as_ref().map(|b| StoredId::Model(b.id));
        let photos = state
            .opened
            .gallery
            .as_ref()
            .map(|g| StoredId::Photos(g.id));
        let runs = [&state.training, &self.runs_before_lesson];
        let runs = runs.into_iter().flat_map(|training| &training.runs);
        let runs = runs.filter_map(|run| run.trained);
        let trained = runs.chain(state.opened.opening_trained);
        let trained = trained.chain(self.held.saving).map(StoredId::Trained);
        let used: BTreeSet<StoredId> = trained.chain(model).chain(photos).collect();
        let unused: Vec<StoredId> = self.held.known.difference(&used).copied().collect();
        if !unused.is_empty() {
            self.held.known.retain(|id| used.contains(id));
            self.send(Request::Release(unused));
        }
    }
}
