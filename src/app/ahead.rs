//! What the person may look at next is computed while nobody waits for anything: the next step of a lesson, or
//! the neighbouring views.

use std::sync::Arc;

use eframe::egui::Context;

use super::App;
use crate::lesson::Lesson;
use crate::state::{Opened, State, Status, View};
use crate::views::current;
use modelens_jobs::{Job, Look, LookResult, ModelId, PhotosId, Request, Stage};

/// Seconds without input before a look is guessed.
const GUESS_AFTER_SECS: f64 = 0.5;

/// What is computed ahead of time.
#[derive(Default)]
pub struct Ahead {
    /// The step that the look belongs to, and the look; `None`: the step needs none.
    planned: Option<(Place, Option<Look>)>,
    /// The look that was sent and has no result yet.
    sent: Option<Look>,
    ready: Option<Arc<LookResult>>,
    /// The last look that could not be computed.
    failed: Option<Look>,
    /// When a look that is only guessed is sent, in seconds of the window's clock.
    due_secs: Option<f64>,
}

/// The tabs after and before a view.
fn neighbours(view: View) -> [Option<View>; 2] {
    let at = View::ALL.iter().position(|other| *other == view);
    let neighbour = |at: Option<usize>| View::ALL.get(at?).copied();
    [
        neighbour(at.map(|at| at + 1)),
        neighbour(at.and_then(|at| at.checked_sub(1))),
    ]
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

    /// Has what the person may look at next computed, if nothing else is being computed. Outside of a lecture it
    /// waits until the person has done nothing for [`GUESS_AFTER_SECS`].
    pub(super) fn ask_ahead(&mut self, ctx: &Context) {
        let Some(look) = self.next_look() else {
            return;
        };
        let ahead = &mut self.ahead;
        let ready = ahead.ready.as_ref().map(|ready| &ready.look);
        let known = [ready, ahead.sent.as_ref(), ahead.failed.as_ref()];
        if known.contains(&Some(&look)) {
            return;
        }
        if self.state.shell.lecture.is_none() {
            let (now, acts) = ctx.input(|i| (i.time, !i.events.is_empty()));
            let due = ahead.due_secs.filter(|_| !acts);
            let due = *ahead.due_secs.insert(due.unwrap_or(now + GUESS_AFTER_SECS));
            if now < due {
                ctx.request_repaint_after_secs((due - now) as f32);
                return;
            }
        }
        ahead.due_secs = None;
        ahead.ready = None;
        ahead.sent = Some(look.clone());
        self.jobs.send(Request::Ahead(Box::new(look)));
    }

    /// What the next step of a lesson will show, or without a lesson a neighbouring view; `None` while the present
    /// one is computed, and if all of it is known.
    fn next_look(&mut self) -> Option<Look> {
        let state = &self.state;
        let is_lecture = state.shell.lecture.is_some();
        // A page's worker has one thread: a guess would make the person wait.
        let guesses = !cfg!(target_family = "wasm");
        let trains = matches!(state.training.status, Status::Preparing | Status::Running);
        if trains || !(guesses || is_lecture) {
            return None;
        }
        let busy = [
            Job::OpenModel,
            Job::OpenPhotos,
            Job::TryScales,
            Job::Look,
            Job::BatchNorm,
        ];
        if busy
            .into_iter()
            .any(|job| state.computed.running(job).is_some())
        {
            return None;
        }
        let view = state.settings.view;
        let shown = current(state, view).is_some_and(|shown| !shown.early);
        // A step that shows runs computes no look.
        if !shown && view.page().wanted(state).is_some() {
            return None;
        }
        if let Some(open) = state.lesson.as_ref().filter(|open| !open.free) {
            let step = (!open.waits).then(|| (Arc::clone(&open.lesson), open.step + 1))?;
            let look = self.step_look(step)?;
            let same = current(&self.state, view).is_some_and(|shown| shown.look == look);
            return (!same).then_some(look);
        }
        if !guesses {
            return None;
        }
        let is_known = |view: View, look: &Look| {
            let result = state.computed.result(view);
            result.is_some_and(|result| result.look == *look && !result.early)
        };
        let mut looks = neighbours(view).into_iter().flatten().filter_map(|view| {
            let look = view.page().wanted(state)?;
            Some((View::of(&look), look))
        });
        let unknown = looks.find(|(view, look)| !is_known(*view, look));
        unknown.map(|(_, look)| look)
    }

    /// What a step of a lesson shows; `None` if there is no such step, or if it needs nothing.
    fn step_look(&mut self, (lesson, step): (Arc<Lesson>, usize)) -> Option<Look> {
        let state = &self.state;
        let (base, gallery) = (state.opened.base.as_ref()?, state.opened.gallery.as_ref()?);
        if step >= lesson.steps.len() {
            return None;
        }
        let place = Place {
            lesson,
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
            let applied = place.lesson.apply(step, &mut next);
            let look = applied
                .ok()
                .and_then(|()| next.settings.view.page().wanted(&next));
            self.ahead.planned = Some((place, look));
        }
        self.ahead.planned.as_ref()?.1.clone()
    }

    /// Shows a look that was computed ahead, or waits for it if it is being computed; false if it is
    /// neither.
    pub(super) fn take_ahead(&mut self, ctx: &Context, look: &Look) -> bool {
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

    /// The look cannot be computed; it is not asked for ahead again.
    pub(super) fn ahead_failed(&mut self) {
        self.ahead.failed.clone_from(&self.ahead.sent);
        self.ahead_ended();
    }

    /// Asks for the look again if it was given up while the window waited for it.
    pub(super) fn ahead_ended(&mut self) {
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
