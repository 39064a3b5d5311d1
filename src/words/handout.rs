//! The handout of a lesson.

pub const PREDICT: &str = "PREDICT";
pub const QUESTION: &str = "QUESTION";
pub const NOTES: &str = "SPEAKER NOTES";
pub const ANSWERS: &str = "Answers";

pub fn numbered(number: usize, title: &str) -> String {
    format!("{number}. {title}")
}

pub fn of_step(number: usize) -> String {
    format!("STEP {number}")
}

/// The letter of a choice, counted from 0.
pub fn letter(number: usize) -> String {
    format!("{}.", char::from(b'A' + (number % 26) as u8))
}

/// A choice with its letter.
pub fn choice(number: usize, text: &str) -> String {
    format!("{} {text}", letter(number))
}

#[cfg(not(target_family = "wasm"))]
pub fn foot(title: &str, page: usize, pages: usize) -> String {
    format!("{title} · page {page} of {pages}")
}
