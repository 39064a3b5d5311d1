//! What the page and its worker send each other: one byte that says what it is, and its content.

use std::path::{Path, PathBuf};

use modelens_jobs::{Event, Request};
use serde::{Deserialize, Serialize};

/// From the page to the worker.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToWorker {
    Request(Request),
    Cancel,
    CancelBackground,
    /// Computes a handout of a lesson, as JSON, and writes it.
    Handout {
        lesson: String,
        path: PathBuf,
    },
}

/// From the worker to the page.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToPage {
    Event(Event),
    /// A file to download.
    File {
        path: PathBuf,
        bytes: Vec<u8>,
    },
    /// Where the handout was written, or why it could not be.
    Handout(Result<PathBuf, String>),
}

/// The message as bytes; `None` if it cannot be written, which no message of these types is.
pub fn to_bytes<T: Serialize>(message: &T) -> Option<Vec<u8>> {
    postcard::to_allocvec(message).ok()
}

/// The message in these bytes; `None` for bytes of another build of the program.
pub fn from_bytes<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Option<T> {
    postcard::from_bytes(bytes).ok()
}

/// Where the worker finds the files that the page fetched: the bundled ones of the program.
pub fn bundled(name: &str) -> PathBuf {
    Path::new("/bundled").join(name)
}
