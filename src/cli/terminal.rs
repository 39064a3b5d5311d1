//! Text for the terminal. Names come from files that anybody may have made, so nothing of them
//! reaches a terminal that it would obey.

use crate::dataset::PhotoList;
use crate::model::{Assumption, ModelDescription};
use std::io::Write as _;

use super::Failure;

/// The text without characters that a terminal obeys: control characters (escape sequences, line
/// breaks) and marks that turn the direction of text are written as `\u{1b}`.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_obeyed(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{2028}' | '\u{2029}'
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Writes lines to standard output, and the end of the last one.
///
/// # Errors
/// A closed or full standard output: what was asked for did not arrive.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    written.map_err(|error| Failure::File(format!("the output was not written: {error}")))
}

/// Warns on standard error.
#[allow(
    clippy::print_stderr,
    reason = "this is the one place that prints warnings"
)]
pub fn warn(text: impl AsRef<str>) {
    eprintln!("warning: {}", printable(text.as_ref()));
}

/// Prints the warnings of a model just opened, and what was assumed of it.
pub fn introduce(model: &ModelDescription) {
    model.warnings.iter().for_each(warn);
    let assumed = model.assumed.iter().map(Assumption::with_choices);
    assumed.for_each(note);
}

/// Says how the photos were found, where that is not plain.
pub fn introduce_photos(photos: &PhotoList) {
    photos.notes.iter().for_each(note);
}

/// Says on standard error what was assumed.
#[allow(
    clippy::print_stderr,
    reason = "this is the one place that prints notes"
)]
pub fn note(text: impl AsRef<str>) {
    eprintln!("note: {}", printable(text.as_ref()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mRED\nb"), "a\\u{1b}[31mRED\\u{a}b");
        assert_eq!(printable("abc\u{202e}gpj.exe"), "abc\\u{202e}gpj.exe");
        assert_eq!(printable("größe 猫 µ\u{9b}2J"), "größe 猫 µ\\u{9b}2J");
    }
}
