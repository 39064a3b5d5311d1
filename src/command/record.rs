//! Commands for the lesson that is being recorded.

use std::path::PathBuf;

use super::Command;
use crate::lesson::Prediction;
use crate::state::Leaving;

/// One thing to do with the recorded lesson.
#[derive(Clone, Debug, PartialEq)]
pub enum RecordCommand {
    /// Adds the present state as a step, after the one that is edited.
    Add,
    /// Takes the present state for the step that is edited, and keeps its texts.
    Replace,
    /// Chooses the step to edit.
    Choose(usize),
    /// Moves the step that is edited by this many places.
    Move(isize),
    Delete,
    SetLessonTitle(String),
    SetTitle(String),
    SetStatement(String),
    SetText(String),
    SetNotes(String),
    SetPrediction(Option<Box<Prediction>>),
    /// Shows the recorded lesson from its first step.
    Try,
    /// Asks where to save.
    Save,
    SaveTo(PathBuf),
    /// Ends the recording; asks first if something would be lost.
    Leave(Leaving),
    /// Ends it without saving.
    Discard,
    /// Goes on with the recording.
    Stay,
}

impl From<RecordCommand> for Command {
    fn from(command: RecordCommand) -> Self {
        Self::Recording(command)
    }
}
