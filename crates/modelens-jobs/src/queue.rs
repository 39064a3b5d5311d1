//! What waits to be computed. Each kind of request has one place, so that a newer request replaces
//! an older one that has not begun: a slider that is dragged leaves one request, not a hundred.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use crate::{FigureTo, Interrupts, PhotosId, Request};
use modelens_core::dataset::Photos;

/// After this long without a task, memory that is kept for the next one is given up.
const REST_AFTER: Duration = Duration::from_secs(1);

/// One thing to do next.
#[derive(Debug)]
pub enum Task {
    Request(Request),
    /// One more step of the experiment.
    TrainingStep,
    /// Read the header of one photo.
    Check {
        id: PhotosId,
        photos: Photos,
        photo: usize,
    },
}

/// The waiting requests, shared by the handle of the window and the computing side.
///
/// Work takes a ticket when it begins and is out of date once the counter has moved on.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    /// Counts what makes a running look out of date.
    looks: AtomicU64,
    /// Counts what makes a running background measurement out of date.
    background: AtomicU64,
    /// Counts what makes a running experiment out of date.
    training: AtomicU64,
    /// Counts what makes a running look ahead of time out of date.
    ahead: AtomicU64,
    /// Asked while work runs, if nothing can be put meanwhile.
    outside: OnceLock<fn() -> Interrupts>,
    /// A newer look was announced from outside and has not been put yet.
    look_comes: AtomicBool,
}

#[derive(Debug, Default)]
struct Waiting {
    releases: VecDeque<Request>,
    saves: VecDeque<Request>,
    model: Option<Request>,
    photos: Option<Request>,
    thumbnail: Option<Request>,
    preview: Option<Request>,
    /// The look that follows depends on it.
    scales: Option<Request>,
    look: Option<Request>,
    runs: VecDeque<Request>,
    caches: Option<Request>,
    /// The background measurement of a look, taken when no look waits.
    batch_norm: Option<Request>,
    /// A look ahead of time, taken when nothing but photos to check waits.
    ahead: Option<Request>,
    /// The set whose photos are checked, and the next photo of it.
    check: Option<(PhotosId, Photos, usize)>,
    train_commands: VecDeque<Request>,
    /// The experiment has another step to take.
    train: bool,
    stop: bool,
}

impl Waiting {
    /// The most urgent request, without background work.
    fn next_request(&mut self) -> Option<Request> {
        // What is saved may be released by the next request.
        (self.saves.pop_front())
            .or_else(|| self.releases.pop_front())
            .or_else(|| self.model.take())
            .or_else(|| self.photos.take())
            .or_else(|| self.train_commands.pop_front())
            .or_else(|| self.scales.take())
            .or_else(|| self.thumbnail.take())
            .or_else(|| self.preview.take())
            .or_else(|| self.look.take())
            .or_else(|| self.runs.pop_front())
            .or_else(|| self.caches.take())
    }

    fn next_check(&mut self) -> Option<Task> {
        let (id, photos, photo) = self.check.take()?;
        if photo >= photos.photos.len() {
            return None;
        }
        self.check = Some((id, Arc::clone(&photos), photo + 1));
        Some(Task::Check { id, photos, photo })
    }
}

impl Queue {
    /// Puts a request in its place and wakes the computing side.
    pub fn put(&self, request: Request) {
        let mut waiting = self.lock();
        let interrupts = Interrupts::of(&request);
        self.interrupt(interrupts);
        if interrupts.meets(Interrupts::AHEAD) {
            waiting.ahead = None;
        }
        match request {
            Request::Ahead(_) => waiting.ahead = Some(request),
            Request::Release(_) => waiting.releases.push_back(request),
            Request::Figure {
                to: FigureTo::Preview,
                ..
            } => waiting.preview = Some(request),
            Request::Figure { .. } | Request::SaveModel { .. } => {
                waiting.saves.push_back(request);
            }
            Request::Train(_) => waiting.train_commands.push_back(request),
            Request::OpenModel(_) | Request::OpenTrained(_) => waiting.model = Some(request),
            Request::Run(_) => waiting.runs.push_back(request),
            Request::ListCaches => waiting.caches = Some(request),
            Request::OpenPhotos(_) => waiting.photos = Some(request),
            Request::Thumbnail { .. } => waiting.thumbnail = Some(request),
            Request::TryScales { .. } => waiting.scales = Some(request),
            Request::Look(_) => {
                waiting.look = Some(request);
                // The measurement belongs to the look before.
                waiting.batch_norm = None;
                self.look_comes.store(false, Ordering::Relaxed);
            }
            Request::BatchNorm(_) => waiting.batch_norm = Some(request),
        }
        self.changed.notify_one();
    }

    /// Queues a set of photos for the background check, replacing the one before.
    pub fn check_photos(&self, id: PhotosId, photos: Photos) {
        self.lock().check = Some((id, photos, 0));
        self.changed.notify_one();
    }

    /// Forgets the looks and openings that wait, and puts a running look out of date.
    pub fn cancel(&self) {
        let mut waiting = self.lock();
        waiting.model = None;
        waiting.photos = None;
        waiting.scales = None;
        waiting.look = None;
        waiting.batch_norm = None;
        waiting.ahead = None;
        self.interrupt(Interrupts::of_cancel());
    }

    /// Puts begun work out of date.
    fn interrupt(&self, what: Interrupts) {
        let counters = [
            (Interrupts::LOOK | Interrupts::CANCEL, &self.looks),
            (Interrupts::BACKGROUND, &self.background),
            (Interrupts::TRAINING, &self.training),
            (Interrupts::AHEAD, &self.ahead),
        ];
        for (reasons, counter) in counters {
            if what.meets(reasons) {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Has running work ask `outside` what makes it out of date, where messages can't be put while it runs. It
    /// returns each interruption once; the message itself is put later.
    pub fn ask_outside(&self, outside: fn() -> Interrupts) {
        self.outside.get_or_init(|| outside);
    }

    fn hear(&self) {
        if let Some(outside) = self.outside.get() {
            let heard = outside();
            self.interrupt(heard);
            if heard.meets(Interrupts::LOOK) {
                self.look_comes.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Forgets the background measurement of a look, and puts it out of date if it runs.
    pub fn cancel_background(&self) {
        self.lock().batch_norm = None;
        self.interrupt(Interrupts::BACKGROUND);
    }

    /// Ends [`Self::wait`] after the current task.
    pub fn stop(&self) {
        self.lock().stop = true;
        self.interrupt(Interrupts::of_cancel() | Interrupts::TRAINING);
        self.changed.notify_one();
    }

    /// Notes whether the experiment has another step to take.
    pub fn train(&self, has_steps: bool) {
        self.lock().train = has_steps;
    }

    /// The ticket of an experiment that begins now; it is out of date once this returns another.
    pub fn training_ticket(&self) -> u64 {
        self.hear();
        self.training.load(Ordering::Relaxed)
    }

    /// Whether a look that began with this ticket is still wanted.
    pub fn is_current(&self, ticket: u64) -> bool {
        self.hear();
        self.looks.load(Ordering::Relaxed) == ticket
    }

    /// Whether a background measurement that began with this ticket is still wanted.
    pub fn is_current_background(&self, ticket: u64) -> bool {
        self.hear();
        self.background.load(Ordering::Relaxed) == ticket
    }

    /// Whether a look ahead of time that began with this ticket is still wanted.
    pub fn is_current_ahead(&self, ticket: u64) -> bool {
        self.hear();
        self.ahead.load(Ordering::Relaxed) == ticket
    }

    /// Whether a look waits, or is on its way.
    pub fn has_look(&self) -> bool {
        self.look_comes.load(Ordering::Relaxed) || self.lock().look.is_some()
    }

    /// The next task and its ticket; sleeps until there is one, and calls `rest` once if none comes for
    /// [`REST_AFTER`]. `None` once the queue is stopped.
    pub fn wait(&self, rest: impl FnOnce()) -> Option<(Task, u64)> {
        let mut rest = Some(rest);
        let mut waiting = self.lock();
        loop {
            // Files that wait are still written: the person was told that they will be.
            if waiting.stop && waiting.saves.is_empty() {
                return None;
            }
            if let Some(task) = self.take(&mut waiting) {
                return Some(task);
            }
            if rest.is_none() {
                let woken = self.changed.wait(waiting);
                waiting = woken.unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let woken = self.changed.wait_timeout(waiting, REST_AFTER);
            let (woken, timeout) = woken.unwrap_or_else(PoisonError::into_inner);
            waiting = woken;
            if timeout.timed_out()
                && let Some(rest) = rest.take()
            {
                drop(waiting);
                rest();
                waiting = self.lock();
            }
        }
    }

    /// The next task and its ticket; `None` if nothing waits.
    pub fn next(&self) -> Option<(Task, u64)> {
        self.take(&mut self.lock())
    }

    fn take(&self, waiting: &mut Waiting) -> Option<(Task, u64)> {
        let ticket = self.looks.load(Ordering::Relaxed);
        if let Some(request) = waiting.next_request() {
            return Some((Task::Request(request), ticket));
        }
        if let Some(request) = waiting.batch_norm.take() {
            let ticket = self.background.load(Ordering::Relaxed);
            return Some((Task::Request(request), ticket));
        }
        if waiting.train {
            return Some((Task::TrainingStep, ticket));
        }
        if let Some(request) = waiting.ahead.take() {
            let ticket = self.ahead.load(Ordering::Relaxed);
            return Some((Task::Request(request), ticket));
        }
        waiting.next_check().map(|task| (task, ticket))
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // No panic leaves the data half changed, so a poisoned lock is still sound.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_given_up_once_while_nothing_comes() {
        let queue = Arc::new(Queue::default());
        let rests = Arc::new(AtomicU64::new(0));
        let waiter = std::thread::Builder::new().name("waiter".into()).spawn({
            let (queue, rests) = (Arc::clone(&queue), Arc::clone(&rests));
            move || {
                let rest = || {
                    rests.fetch_add(1, Ordering::Relaxed);
                };
                queue.wait(rest).is_none()
            }
        });
        while rests.load(Ordering::Relaxed) == 0 {
            std::thread::sleep(Duration::from_millis(10));
        }
        queue.stop();
        assert!(waiter.unwrap().join().unwrap(), "no task came");
        assert_eq!(rests.load(Ordering::Relaxed), 1);
    }
}
