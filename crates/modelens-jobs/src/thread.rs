//! The computing side on a thread of this process.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;

use super::executor::{Executor, Options};
use super::queue::Queue;
use super::{Event, Jobs, Request};
use modelens_core::model::array;

/// A handle on the thread. Dropping it stops the thread, after the files that wait are written.
#[derive(Debug)]
pub struct JobThread {
    queue: Arc<Queue>,
    events: Receiver<Event>,
    thread: Option<JoinHandle<()>>,
}

impl JobThread {
    /// Starts the thread with the default options. `wake` is called after each event.
    ///
    /// # Errors
    /// The system refuses another thread.
    pub fn start(wake: impl Fn() + Send + Sync + 'static) -> std::io::Result<Self> {
        Self::start_with(Options::default(), wake)
    }

    /// Starts the thread. `wake` is called after each event.
    ///
    /// # Errors
    /// The system refuses another thread.
    pub fn start_with(
        options: Options,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let (sender, events) = channel();
        let emit = move |event| {
            // The window is gone if nobody listens; the thread ends with its next task.
            drop(sender.send(event));
            wake();
        };
        let mut executor = Executor::new(options, Arc::clone(&queue), emit);
        let thread = std::thread::Builder::new().name("jobs".into()).spawn({
            let queue = Arc::clone(&queue);
            move || {
                // Between two tasks of a person, buffers are worth their memory; while nobody acts, they aren't.
                while let Some((task, ticket)) = queue.wait(array::release) {
                    executor.carry_out(task, ticket);
                }
            }
        })?;
        Ok(Self {
            queue,
            events,
            thread: Some(thread),
        })
    }
}

impl Jobs for JobThread {
    fn send(&self, request: Request) {
        self.queue.put(request);
    }

    fn poll(&self) -> Option<Event> {
        self.events.try_recv().ok()
    }

    fn cancel(&self) {
        self.queue.cancel();
    }

    fn cancel_background(&self) {
        self.queue.cancel_background();
    }
}

impl Drop for JobThread {
    fn drop(&mut self) {
        self.queue.stop();
        if let Some(thread) = self.thread.take() {
            // The panic hook has already reported a panic there; there is nothing to save.
            drop(thread.join());
        }
    }
}
