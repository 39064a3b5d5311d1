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

// A question before the numbers.
pub const CHOOSE_FIRST: &str = "CHOOSE FIRST";
pub const REVEAL: &str = "Show answer";

/// How to answer with the keyboard.
pub fn choose_keys(next: &str) -> String {
    format!(
        "Click a choice, or press the arrow keys up and down and Enter. {next} shows the answer \
         without a choice."
    )
}

pub const ANSWER_FIRST: &str = "The numbers and the text of this step appear when the question is \
     answered.";

/// A choice with its letter.
pub fn choice(number: usize, text: &str) -> String {
    let letter = char::from(b'A' + (number % 26) as u8);
    format!("{letter}. {text}")
}

pub const CHOSEN_AND_RIGHT: &str = "Your choice: right";
pub const CHOSEN_AND_WRONG: &str = "Your choice: not right";
pub const RIGHT: &str = "The right answer";
pub const NOTHING_CHOSEN: &str = "You made no choice.";
pub const CONTRADICTED: &str =
    "The numbers of this step contradict the answer that the lesson gives.";

pub const NOTES: &str = "SPEAKER NOTES";
pub const BLANK: &str = "The screen is blank. Press any key.";

pub const HIDE_ANSWER: &str = "Hide the answer";
pub const SHOW_ANSWER: &str = "Show the answer";
