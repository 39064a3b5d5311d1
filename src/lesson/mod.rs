//! Lessons: a text file that opens a model and photos, and goes through steps, each a view with
//! its settings and a text.

mod bundled;
mod expect;
mod fill;
mod format;
mod names;
pub mod paths;
mod place;
mod value;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use crate::settings::Settings;
use crate::worker::{Experiment, ModelSource, PhotosSource};

pub use bundled::{BUNDLED, BundledLesson, open_bundled};
pub use expect::Expectation;
pub use fill::fill;
pub use format::{Ending, File, Question, Run, Step, Steps, VERSION, parse};
pub use names::{Control, Named, Recorded, Word};
pub use value::{Value, Values};

/// A lesson, read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Lesson {
    pub title: String,
    pub model: ModelSource,
    pub photos: PhotosSource,
    /// What holds for every step that does not say otherwise.
    pub start: Step,
    pub steps: Vec<Step>,
}

/// Why a lesson cannot be opened: the place first, then the cause.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LessonError {
    #[error("line {line}: {reason}")]
    Line { line: usize, reason: String },
    #[error("{0}")]
    Whole(String),
}

/// A file above this is no lesson.
const MOST_BYTES: u64 = 1 << 20;

/// Reads a lesson file whose texts name values in `names`.
///
/// # Errors
/// With the line where there is one.
pub fn open(path: &Path, names: &[&'static str]) -> Result<Lesson, LessonError> {
    let whole = |error: std::io::Error| {
        LessonError::Whole(match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => error.to_string(),
        })
    };
    // Reading a device or a pipe may never end.
    if !std::fs::metadata(path).map_err(whole)?.is_file() {
        return Err(LessonError::Whole("it is not a file".to_owned()));
    }
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(whole)?;
    file.take(MOST_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(whole)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(LessonError::Whole(
            "it is too large for a lesson".to_owned(),
        ));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    parse(&text, Some(folder), names)
}

/// Where a lesson comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LessonSource {
    /// By its place among the bundled lessons.
    Bundled(usize),
    File(PathBuf),
}

/// A lesson that is open in the window.
#[derive(Clone, Debug)]
pub struct OpenLesson {
    pub lesson: Arc<Lesson>,
    pub source: LessonSource,
    /// Which step, from 0.
    pub step: usize,
    /// The step was left: everything can be changed.
    pub free: bool,
    pub answer: bool,
    /// The step's settings wait until its model and photos are open.
    pub waits: bool,
    /// The runs that the step has started, or found done.
    pub ran: Option<Experiment>,
    /// The person's own settings; they come back with the end of the lesson.
    pub before: Box<Settings>,
}

impl OpenLesson {
    /// The present step.
    pub fn now(&self) -> Option<&Step> {
        self.lesson.steps.get(self.step)
    }

    /// Whether the present step hides a part of the window.
    pub fn hides(&self, control: Control) -> bool {
        !self.free && self.now().is_some_and(|step| step.hide.contains(&control))
    }
}
