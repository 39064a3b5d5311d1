//! The lesson that is being recorded.

use std::path::PathBuf;

use crate::lesson::{Lesson, LessonStep};
use crate::settings::View;
use modelens_jobs::{ModelSource, PhotosSource};

/// Steps that were recorded, and the one that is edited.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorder {
    pub title: String,
    pub steps: Vec<LessonStep>,
    /// The index of the step that is edited.
    pub chosen: usize,
    /// The model and the photos of all steps, those of the first; `None`: no step is recorded.
    pub files: Option<(ModelSource, PhotosSource)>,
    /// Title and steps as they were saved last, and where.
    pub saved: Option<(String, Vec<LessonStep>)>,
    pub path: Option<PathBuf>,
    /// What waits for the answer whether to save first.
    pub leaving: Option<Leaving>,
}

/// What would lose an unsaved lesson.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// The end of the recording.
    Recording,
    /// The window is closed.
    Window,
}

impl Recorder {
    /// A recording without steps.
    pub fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            steps: Vec::new(),
            chosen: 0,
            files: None,
            saved: None,
            path: None,
            leaving: None,
        }
    }

    /// True if something would be lost.
    pub fn is_unsaved(&self) -> bool {
        let saved = self.saved.as_ref();
        let same = saved.is_some_and(|(title, steps)| *title == self.title && *steps == self.steps);
        !self.steps.is_empty() && !same
    }

    /// The step that is edited.
    pub fn now(&self) -> Option<&LessonStep> {
        self.steps.get(self.chosen)
    }

    /// The lesson as it would be read back; `None` without a step.
    pub fn lesson(&self) -> Option<Lesson> {
        let (model, photos) = self.files.clone()?;
        Some(Lesson {
            title: self.title.clone(),
            model,
            photos,
            start: LessonStep::new("", View::default()),
            steps: self.steps.clone(),
        })
    }
}
