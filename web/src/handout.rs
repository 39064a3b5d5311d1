//! Handouts in the worker: a window without a screen, whose jobs run here too.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::{cell::RefCell, path::Path};

use modelens::app::handout::{HandoutMaker, options_for};
use modelens::lesson::Lesson;
use modelens_jobs::{Event, Executor, Jobs, Options, Queue, Request, write_whole};

use crate::worker::model_file;

/// Jobs that are carried out one at a time by whoever calls [`OwnJobs::work`].
struct OwnJobs {
    queue: Arc<Queue>,
    executor: RefCell<Executor>,
    events: Arc<Mutex<VecDeque<Event>>>,
}

impl OwnJobs {
    fn new() -> Self {
        let queue = Arc::new(Queue::default());
        let events = Arc::new(Mutex::new(VecDeque::new()));
        let options = Options {
            clock: modelens_jobs::system_clock,
            fonts: modelens::theme::fonts::FOR_FIGURES,
        };
        let arrived = Arc::clone(&events);
        let executor = Executor::new(options, Arc::clone(&queue), move |event| {
            let mut arrived = arrived.lock().unwrap_or_else(PoisonError::into_inner);
            arrived.push_back(event);
        });
        Self {
            queue,
            executor: RefCell::new(executor),
            events,
        }
    }

    /// Carries out the most urgent task.
    fn work(&self) {
        if let Some((task, ticket)) = self.queue.next() {
            self.executor.borrow_mut().carry_out(task, ticket);
        }
    }
}

/// The jobs as the window without a screen has them.
struct Handle(Rc<OwnJobs>);

impl Jobs for Handle {
    fn send(&self, request: Request) {
        self.0.queue.put(request);
    }

    fn poll(&self) -> Option<Event> {
        let mut events = self.0.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.pop_front()
    }

    fn cancel(&self) {
        self.0.queue.cancel();
    }

    fn cancel_background(&self) {
        self.0.queue.cancel_background();
    }
}

/// A handout that is being computed.
pub struct Making {
    jobs: Rc<OwnJobs>,
    maker: HandoutMaker,
    path: PathBuf,
    /// The file of its model.
    pub model: PathBuf,
    /// What its photos are read from, unless they are bundled.
    pub photos: Option<PathBuf>,
}

impl Making {
    /// Begins with a lesson, which is JSON.
    ///
    /// # Errors
    /// It comes from another build of the program.
    pub fn new(lesson: &str, path: PathBuf) -> Result<Self, String> {
        let lesson: Lesson = serde_json::from_str(lesson).map_err(|error| error.to_string())?;
        let model = model_file(&lesson.model);
        let photos = lesson.photos.path().map(Path::to_owned);
        let jobs = Rc::new(OwnJobs::new());
        let handle = Box::new(Handle(Rc::clone(&jobs)));
        let maker = HandoutMaker::new(lesson, options_for(&path), handle);
        Ok(Self {
            jobs,
            maker,
            path,
            model,
            photos,
        })
    }

    /// Computes a little; `None` until the file is written.
    pub fn go_on(&mut self) -> Option<Result<PathBuf, String>> {
        self.jobs.work();
        let done = self.maker.go_on()?;
        let written = done.and_then(|written| {
            write_whole(&self.path, &written.bytes).map_err(|error| error.to_string())
        });
        Some(written.map(|()| self.path.clone()))
    }
}

/// The files that a lesson, which is JSON, opens: each after its kind.
pub fn needs(lesson: &str) -> Vec<String> {
    let Ok(lesson) = serde_json::from_str::<Lesson>(lesson) else {
        return Vec::new();
    };
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let mut needs = vec!["original".to_owned(), text(&model_file(&lesson.model))];
    if let Some(photos) = lesson.photos.path() {
        needs.extend(["album".to_owned(), text(photos)]);
    }
    needs
}
