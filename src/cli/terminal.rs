//! Text for the terminal. Names come from files that anybody may have made, so nothing of them
//! reaches a terminal that it would obey.

use crate::dataset::PhotoList;
use crate::model::{Assumption, ModelDescription};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use serde::Serialize;

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

/// The value as JSON on several lines. Characters that a terminal obeys and that JSON allows as they
/// are (`serde_json` escapes only those of ASCII) are escaped in its strings.
///
/// # Errors
/// A value that is no JSON.
pub fn json(value: &impl Serialize) -> serde_json::Result<String> {
    let text = serde_json::to_string_pretty(value)?;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // JSON's own line breaks stay; outside its strings it is ASCII.
        if c >= '\u{7f}' && is_obeyed(c) {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Ok(out)
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

/// Writes to standard error. If that is closed or full, there is nowhere left to say so: the command
/// goes on, and its exit status tells whether it succeeded.
pub fn tell(text: std::fmt::Arguments<'_>) {
    let _ = std::io::stderr().write_fmt(text);
}

/// Writes the help or the version that was asked for, or what is wrong with the arguments.
pub fn answer(answer: &clap::Error) -> ExitCode {
    let printed = answer.print().and_then(|()| std::io::stdout().flush());
    if let Err(error) = printed
        && !answer.use_stderr()
    {
        tell(format_args!(
            "modelens: the output was not written: {error}\n"
        ));
        return ExitCode::FAILURE;
    }
    ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(2))
}

/// Warns on standard error.
pub fn warn(text: impl AsRef<str>) {
    tell(format_args!("warning: {}\n", printable(text.as_ref())));
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
pub fn note(text: impl AsRef<str>) {
    tell(format_args!("note: {}\n", printable(text.as_ref())));
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

    #[test]
    fn names_in_json_cannot_steer_the_terminal() {
        let name = "a\u{1b}[31m\u{9b}2J\u{202e}\u{7f}größe";
        let text = json(&[name]).unwrap();
        assert!(text.chars().all(|c| c == '\n' || !is_obeyed(c)), "{text}");
        assert_eq!(serde_json::from_str::<[String; 1]>(&text).unwrap(), [name]);
    }
}
