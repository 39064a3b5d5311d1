//! Lessons: text files that open a model and photos and lead through steps. A step is a view with its
//! settings and a text.

mod bundled;
mod expect;
mod fill;
mod format;
pub mod link;
mod names;
pub mod paths;
mod place;
mod predict;
mod runs;
mod value;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::settings::Settings;
use modelens_jobs::{Experiment, ModelSource, PhotosSource};

pub use bundled::{BUNDLED, BundledLesson, open_bundled};
pub use expect::Expectation;
pub use fill::fill;
pub use format::{FrameworkText, LessonFile, LessonPipeline, LessonStep, Question, VERSION, parse};
pub use names::{Control, Named, Recorded, Word};
pub use predict::{Choice, Prediction, Right};
pub use runs::LessonRuns;
pub use value::{Value, Values};

/// A lesson that was read and checked. It crosses to the worker of a page as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lesson {
    pub title: String,
    pub model: ModelSource,
    pub photos: PhotosSource,
    /// The settings of every step that does not set them itself.
    pub start: LessonStep,
    pub steps: Vec<LessonStep>,
}

/// Why a lesson cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LessonError {
    #[error("line {line}: {reason}")]
    Line { line: usize, reason: String },
    #[error("{0}")]
    Whole(String),
}

/// The most bytes of a lesson file.
const MOST_BYTES: u64 = 1 << 20;

/// Reads a lesson file whose texts name values in `names`.
///
/// # Errors
/// The file cannot be read, or is not a valid lesson; with the line, if there is one.
pub fn open(path: &Path, names: &[&'static str]) -> Result<Lesson, LessonError> {
    let whole = |error: std::io::Error| {
        LessonError::Whole(match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => error.to_string(),
        })
    };
    // Reading a device or a pipe might never end.
    if modelens_jobs::file_size(path).map_err(whole)?.is_none() {
        return Err(LessonError::Whole("it is not a file".to_owned()));
    }
    let mut text = String::new();
    let file = modelens_jobs::open_file(path).map_err(whole)?;
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

/// Checks a lesson that was not read from a file, whose texts name values in `names`.
///
/// # Errors
/// What is wrong, with the number of the step.
pub fn open_draft(lesson: Lesson, names: &[&'static str]) -> Result<Lesson, LessonError> {
    for (i, step) in lesson.steps.iter().enumerate() {
        let checked = step.checked(names);
        checked.map_err(|reason| LessonError::Whole(format!("step {}: {reason}", i + 1)))?;
    }
    Ok(lesson)
}

/// Where a lesson comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LessonSource {
    /// By its place among the bundled lessons.
    Bundled(usize),
    File(PathBuf),
    /// A state in one line, see [`link`].
    Link(String),
    /// The lesson that is being recorded.
    Draft,
}

/// The lesson that is open in the window.
#[derive(Clone, Debug)]
pub struct OpenLesson {
    pub lesson: Arc<Lesson>,
    pub source: LessonSource,
    /// The index of the step, from 0.
    pub step: usize,
    /// True in free play: everything can be changed.
    pub free: bool,
    /// True if the answer is shown.
    pub answer: bool,
    /// The steps whose prediction was answered, and the choice; `None`: the answer was shown instead.
    pub chosen: BTreeMap<usize, Option<usize>>,
    /// True until the model and the photos are open and the step's settings are applied.
    pub waits: bool,
    /// The runs that the step has started or found complete.
    pub ran: Option<Experiment>,
    /// The user's own settings, which are restored when the lesson is closed.
    pub before: Box<Settings>,
}

impl OpenLesson {
    /// The current step.
    pub fn now(&self) -> Option<&LessonStep> {
        self.lesson.steps.get(self.step)
    }

    /// True if the current step hides this part of the window. A prediction covers what would answer it.
    pub fn hides(&self, control: Control) -> bool {
        let answers = match control {
            Control::Layers | Control::Controls | Control::Explanation => self.is_veiled(),
            Control::SidePanel | Control::Input | Control::Tabs | Control::Rules => false,
        };
        let hidden = || self.now().is_some_and(|step| step.hide.contains(&control));
        answers || !self.free && hidden()
    }

    /// True while the current step waits for an answer and its results are covered.
    pub fn is_veiled(&self) -> bool {
        let asks = || self.now().is_some_and(|step| step.predict.is_some());
        !self.free && !self.chosen.contains_key(&self.step) && asks()
    }

    /// Answers the current step, or shows its answer if nothing is chosen. The first answer counts.
    pub fn choose(&mut self, choice: Option<usize>) {
        let predict = self.now().and_then(|step| step.predict.as_ref());
        let choices = predict.map_or(0, |predict| predict.choices.len());
        if self.is_veiled() && choice.is_none_or(|choice| choice < choices) {
            self.chosen.insert(self.step, choice);
        }
    }
}
