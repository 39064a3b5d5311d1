//! In a lecture, the next step of the lesson is computed before it is shown.

use std::sync::Arc;

use super::App;
use crate::lesson::Lesson;
use crate::state::{Opened, State};
use crate::views::current;
use modelens_jobs::{Interrupts, Job, Look, LookResult, ModelId, PhotosId, Request, Stage};

/// What is computed ahead of time.
#[derive(Default)]
pub struct Ahead {
    /// The step that the look belongs to, and the look; `None`: the step needs none.
    planned: Option<(Place, Option<Look>)>,
    /// The look that was sent and has no result yet.
    sent: Option<Look>,
    ready: Option<Arc<LookResult>>,
}

/// A step of a lesson on a model and photos.
struct Place {
    lesson: Arc<Lesson>,
    step: usize,
    model: ModelId,
    photos: PhotosId,
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        let key = |place: &Self| (place.step, place.model, place.photos);
        Arc::ptr_eq(&self.lesson, &other.lesson) && key(self) == key(other)
    }
}

impl App {
    /// True if the next step of the lesson is computed.
    pub fn next_is_ready(&self) -> bool {
        let look = self.ahead.planned.as_ref().and_then(|p| p.1.as_ref());
        look.is_some() && look == self.ahead.ready.as_ref().map(|ready| &ready.look)
    }

    /// Has the look of the next step computed, if nothing else is being computed.
    pub(super) fn ask_ahead(&mut self) {
        let Some(look) = self.next_look() else {
            return;
        };
        let ahead = &mut self.ahead;
        let ready = ahead.ready.as_ref().map(|ready| &ready.look);
        if ready == Some(&look) || ahead.sent.as_ref() == Some(&look) {
            return;
        }
        ahead.ready = None;
        self.send(Request::Ahead(Box::new(look.clone())));
        self.ahead.sent = Some(look);
    }

    /// Sends a request. What is computed ahead gives way to most of them.
    pub(super) fn send(&mut self, request: Request) {
        if Interrupts::of(&request).meets(Interrupts::AHEAD) {
            self.give_up_ahead();
        }
        self.jobs.send(request);
    }

    /// What the next step will show; `None` outside of a lecture, while the present step is computed, and
    /// if the next one needs nothing else.
    fn next_look(&mut self) -> Option<Look> {
        let state = &self.state;
        state.shell.lecture?;
        let open = state.lesson.as_ref().filter(|o| !o.free && !o.waits)?;
        let (base, gallery) = (state.opened.base.as_ref()?, state.opened.gallery.as_ref()?);
        let step = open.step + 1;
        let busy = [
            Job::OpenModel,
            Job::OpenPhotos,
            Job::TryScales,
            Job::Look,
            Job::BatchNorm,
        ];
        if step >= open.lesson.steps.len()
            || busy
                .into_iter()
                .any(|job| state.computed.running(job).is_some())
        {
            return None;
        }
        let place = Place {
            lesson: Arc::clone(&open.lesson),
            step,
            model: base.id,
            photos: gallery.id,
        };
        let planned = self.ahead.planned.as_ref();
        if planned.is_none_or(|(of, _)| *of != place) {
            let mut next = State {
                settings: state.settings.clone(),
                opened: Opened {
                    base: Some(base.clone()),
                    gallery: Some(gallery.clone()),
                    scales: state.opened.scales.clone(),
                    ..Opened::default()
                },
                ..State::default()
            };
            let applied = open.lesson.apply(step, &mut next);
            let look = applied
                .ok()
                .and_then(|()| next.settings.view.page().wanted(&next));
            self.ahead.planned = Some((place, look));
        }
        let (_, look) = self.ahead.planned.as_ref()?;
        let look = look.clone()?;
        let state = &self.state;
        let view = state.settings.view;
        let shown = current(state, view).is_some_and(|shown| !shown.early);
        let same = || current(state, view).is_some_and(|shown| shown.look == look);
        // A step that shows runs computes no look.
        let settled = shown || view.page().wanted(state).is_none();
        (settled && !same()).then_some(look)
    }

    /// Shows a look that was computed ahead, or waits for it if it is being computed; false if it is
    /// neither.
    pub(super) fn take_ahead(&mut self, ctx: &eframe::egui::Context, look: &Look) -> bool {
        let ahead = &mut self.ahead;
        if let Some(ready) = ahead.ready.take_if(|ready| ready.look == *look) {
            self.state.computed.sent = Some(look.clone());
            self.forget_walk_job();
            self.looked(ctx, ready);
            return true;
        }
        if ahead.sent.as_ref() != Some(look) {
            // The request that follows gives it up.
            ahead.sent = None;
            return false;
        }
        let computed = &mut self.state.computed;
        computed.sent = Some(look.clone());
        computed.sent_secs = ctx.input(|i| i.time);
        computed.start(Job::Look, Stage::Forward);
        self.forget_walk_job();
        true
    }

    /// Keeps the result of a look that is not shown yet; false if the look was not computed ahead.
    pub(super) fn keep_ahead(&mut self, result: &Arc<LookResult>) -> bool {
        let ahead = &mut self.ahead;
        if result.early || ahead.sent.take_if(|sent| *sent == result.look).is_none() {
            return false;
        }
        if self.state.computed.sent.as_ref() == Some(&result.look) {
            // The step is shown by now.
            return false;
        }
        ahead.ready = Some(Arc::clone(result));
        true
    }

    /// The look of the next step cannot be computed; it is not asked for ahead again.
    pub(super) fn ahead_failed(&mut self) {
        if let Some((_, planned)) = &mut self.ahead.planned {
            *planned = None;
        }
        self.give_up_ahead();
    }

    /// Forgets the look that was sent ahead. If the window waits for it, it asks for it again.
    pub(super) fn give_up_ahead(&mut self) {
        let Some(look) = self.ahead.sent.take() else {
            return;
        };
        let computed = &mut self.state.computed;
        if computed.sent.as_ref() == Some(&look) && computed.running(Job::Look).is_some() {
            computed.sent = None;
            computed.finish(Job::Look);
        }
    }
}
