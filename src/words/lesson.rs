//! The panel of a lesson.

pub const BACK_TO_STEP: &str = "Back to the step";
pub const FREE_PLAY: &str = "Free play";

pub fn keys(next: &str, back: &str) -> String {
    format!("{next} and {back} go through the steps.")
}

pub const BACK: &str = "Back";

pub fn step_of(n: usize, all: usize) -> String {
    format!("{n} of {all}")
}

pub const STEP: &str = "Step";
pub const NEXT: &str = "Next";
pub const FREE_PLAY_TEXT: &str = "**Free play.** Change whatever you like. Going back restores \
     the step.";
pub const OPENING: &str = "Opening ...";
pub const NOT_OPENED: &str = "The files of this lesson could not be opened.";

pub fn question(text: &str) -> String {
    format!("**Question.** {text}")
}

pub const HIDE_ANSWER: &str = "Hide the answer";
pub const SHOW_ANSWER: &str = "Show the answer";
