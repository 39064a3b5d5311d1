//! Commands for the window itself and for lessons.

use std::path::PathBuf;

use super::Command;
use crate::lesson::LessonSource;
use crate::state::{Search, Sheet};

/// A command for the window itself and the lists above it.
#[derive(Clone, Debug, PartialEq)]
pub enum ShellCommand {
    /// Shows or closes the command palette.
    Search(Option<Search>),
    Sheet(Option<Sheet>),
    /// Changes the path that is being typed.
    TypePath(String),
    /// Takes the typed path.
    TakePath,
    /// Empties the lists of recent files.
    ForgetRecent,
}

/// One thing to do with a lesson.
#[derive(Clone, Debug, PartialEq)]
pub enum LessonCommand {
    Open(LessonSource),
    Go(usize),
    /// Leaves the steps, with everything as it is; or goes back to the step.
    FreePlay(bool),
    ShowAnswer(bool),
    /// Answers the prediction of the step; `None` shows its answer.
    Choose(Option<usize>),
    /// Writes the present state as a lesson of one step.
    Save(PathBuf),
}

impl From<ShellCommand> for Command {
    fn from(command: ShellCommand) -> Self {
        Self::Shell(command)
    }
}

impl From<LessonCommand> for Command {
    fn from(command: LessonCommand) -> Self {
        Self::Lesson(command)
    }
}
