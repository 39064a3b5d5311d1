//! Recording a lesson.

pub const UNTITLED: &str = "My lesson";
pub const RECORDING: &str = "RECORDING A LESSON";
pub const LESSON_TITLE: &str = "Title of the lesson";
pub const HOW: &str = "**Set the window up as your step should show it**, then add the step. \
     Every setting is kept with it.";
pub const ADD: &str = "Add step";
pub const ADD_TIP: &str = "Keep the present state as a step, after the chosen one";
pub const REPLACE: &str = "Replace";
pub const REPLACE_TIP: &str = "Take the present state for the chosen step and keep its texts";
pub const TRY: &str = "Try";
pub const TRY_TIP: &str = "Show the lesson from its first step. Closing it comes back here";
pub const SAVE: &str = "Save...";
pub const UP: &str = "Up";
pub const UP_TIP: &str = "Move this step up";
pub const DOWN: &str = "Down";
pub const DOWN_TIP: &str = "Move this step down";
pub const DELETE: &str = "Delete";
pub const DELETE_TIP: &str = "Delete this step. Undo brings it back";
pub const TITLE: &str = "Title";
pub const STATEMENT: &str = "Statement for an audience";
pub const STATEMENT_HINT: &str = "the first bold words of the text";
pub const TEXT: &str = "Text";
pub const TEXT_HINT: &str = "**bold**, `code`, - lists, {rules}";
pub const NOTES: &str = "Speaker notes";
pub const ASKS: &str = "Ask for a prediction first";
pub const QUESTION: &str = "Question";
pub const CHOICES: &str = "Choices, one per line";
pub const RIGHT: &str = "Right";
pub const ANSWER: &str = "Why it is right";
pub const FIRST_CHOICES: [&str; 2] = ["Yes", "No"];
pub const FIRST_QUESTION: &str = "What will you see?";
pub const FIRST_ANSWER: &str = "Because ...";
pub const UNSAVED: &str = "not saved";

pub fn row(number: usize, title: &str) -> String {
    format!("{number}. {title}")
}

pub const OTHER_FILES: &str = "a lesson has one model and one set of photos: open those of the \
     first step";

pub fn too_many(most: usize) -> String {
    format!("a lesson has at most {most} steps")
}

// Before a recording is lost.
pub const SAVE_FIRST: &str = "Save the recorded lesson?";
pub const WOULD_BE_LOST: &str = "Its last changes are not saved.";
pub const DISCARD: &str = "Don't save";
pub const STAY: &str = "Keep recording";

// Pasting a state.
pub const PASTE: &str = "PASTE A STATE";
pub const PASTE_HOW: &str = "Paste a link that **Copy link** made, and press Enter.";
pub const PASTE_FIELD: &str = "Link to a state";
pub const OPEN: &str = "Open";
