//! What waits for the worker. Each kind of request has one place, so a newer one replaces an older
//! one that has not begun; that is what sliders need.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::job::{FigureTo, Request, TrainRequest};
use modelens_core::dataset::PhotoSet;

/// One thing to do next.
#[derive(Debug)]
pub enum Task {
    Do(Request),
    /// One more step of the experiment.
    Train,
    /// Look at the header of one photo.
    Check {
        photos: Arc<PhotoSet>,
        photo: usize,
    },
}

/// The waiting requests, shared between the handle and the thread.
#[derive(Debug, Default)]
pub struct Slots {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    /// Goes up with everything that makes a running look stale.
    ticket: AtomicU64,
    /// Goes up with everything that makes running work behind a look stale.
    behind: AtomicU64,
    /// Goes up with everything that makes a running experiment stale.
    training: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    saves: VecDeque<Request>,
    model: Option<Request>,
    photos: Option<Request>,
    thumbnail: Option<Request>,
    preview: Option<Request>,
    look: Option<Request>,
    /// Measured behind a look, once no look waits.
    batch_norm: Option<Request>,
    /// The set under check, and the next photo of it.
    check: Option<(Arc<PhotoSet>, usize)>,
    train_commands: VecDeque<Request>,
    /// The experiment has another step to take.
    train: bool,
    stop: bool,
}

impl Slots {
    /// Puts a request into its place and wakes the thread.
    pub fn put(&self, request: Request) {
        let mut waiting = self.lock();
        match request {
            Request::Figure {
                to: FigureTo::Preview,
                ..
            } => waiting.preview = Some(request),
            Request::Figure { .. } | Request::SaveModel(_) => waiting.saves.push_back(request),
            Request::Train(command) => {
                if matches!(command, TrainRequest::Start(_) | TrainRequest::Stop) {
                    self.training.fetch_add(1, Ordering::Relaxed);
                }
                waiting.train_commands.push_back(Request::Train(command));
            }
            Request::OpenModel(_) => waiting.model = Some(request),
            Request::OpenPhotos(_) => waiting.photos = Some(request),
            Request::Thumbnail { .. } => waiting.thumbnail = Some(request),
            Request::Look(_) => {
                waiting.look = Some(request);
                // A newer look wants other numbers behind it, too.
                waiting.batch_norm = None;
                self.ticket.fetch_add(1, Ordering::Relaxed);
                self.behind.fetch_add(1, Ordering::Relaxed);
            }
            Request::BatchNorm(_) => {
                waiting.batch_norm = Some(request);
                self.behind.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.changed.notify_one();
    }

    /// Queues a set for the check in the background, in the place of an earlier one.
    pub fn check_photos(&self, photos: Arc<PhotoSet>) {
        self.lock().check = Some((photos, 0));
        self.changed.notify_one();
    }

    /// Forgets looks and openings, and makes a running look stale.
    pub fn cancel(&self) {
        let mut waiting = self.lock();
        waiting.model = None;
        waiting.photos = None;
        waiting.look = None;
        waiting.batch_norm = None;
        self.ticket.fetch_add(1, Ordering::Relaxed);
        self.behind.fetch_add(1, Ordering::Relaxed);
    }

    /// Forgets what is measured behind a look, and makes it stale where it runs.
    pub fn cancel_behind(&self) {
        self.lock().batch_norm = None;
        self.behind.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends the thread after the task that runs.
    pub fn stop(&self) {
        self.lock().stop = true;
        self.ticket.fetch_add(1, Ordering::Relaxed);
        self.behind.fetch_add(1, Ordering::Relaxed);
        self.training.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_one();
    }

    /// Whether the experiment has another step to take.
    pub fn train(&self, wants: bool) {
        self.lock().train = wants;
    }

    /// What a running experiment compares with the number it began under.
    pub fn training_ticket(&self) -> u64 {
        self.training.load(Ordering::Relaxed)
    }

    /// Whether a look that began with this ticket is still wanted.
    pub fn is_current(&self, ticket: u64) -> bool {
        self.ticket.load(Ordering::Relaxed) == ticket
    }

    /// Whether work behind a look that began with this ticket is still wanted.
    pub fn is_current_behind(&self, ticket: u64) -> bool {
        self.behind.load(Ordering::Relaxed) == ticket
    }

    /// Whether a newer look already waits.
    pub fn is_replaced(&self) -> bool {
        self.lock().look.is_some()
    }

    /// The next task and its ticket; sleeps while there is none. `None` ends the thread.
    pub fn take(&self) -> Option<(Task, u64)> {
        let mut waiting = self.lock();
        loop {
            // A picture that waits is still written: the person was told that it will be.
            if waiting.stop && waiting.saves.is_empty() {
                return None;
            }
            let ticket = self.ticket.load(Ordering::Relaxed);
            let slots = &mut *waiting;
            let next = slots.saves.pop_front();
            let next = next
                .or_else(|| slots.model.take())
                .or_else(|| slots.photos.take());
            let next = next.or_else(|| slots.train_commands.pop_front());
            let next = next
                .or_else(|| slots.thumbnail.take())
                .or_else(|| slots.preview.take())
                .or_else(|| slots.look.take());
            if let Some(request) = next {
                return Some((Task::Do(request), ticket));
            }
            if let Some(request) = slots.batch_norm.take() {
                let ticket = self.behind.load(Ordering::Relaxed);
                return Some((Task::Do(request), ticket));
            }
            if slots.train {
                return Some((Task::Train, ticket));
            }
            if let Some((photos, photo)) = slots.check.take()
                && photo < photos.photos.len()
            {
                slots.check = Some((Arc::clone(&photos), photo + 1));
                return Some((Task::Check { photos, photo }, ticket));
            }
            waiting = self
                .changed
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing is half done under the lock, so a panic elsewhere leaves it sound.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
