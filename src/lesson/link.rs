//! A state as one line: `#v1;view=batchnorm;channel=7`. It is a lesson with one step in a compact form, safe
//! in an address and in a chat. This module touches no file: a link names bundled models and photos alone.
//!
//! After the version come pairs of a key and a value, separated by `;`. The keys are those of a lesson and
//! of its step. A value is a word or what TOML writes, with `%XX` for bytes that an address cannot hold.

use std::fmt::Write as _;

use toml::{Table, Value};

use super::format::{LessonStep, VERSION, parse};
use super::place::Lines;
use super::{Lesson, LessonError, paths};
use modelens_jobs::{ModelSource, PhotosSource};

/// The start of a link.
const START: &str = "#v1";
/// The most bytes of a link.
pub const MOST_BYTES: usize = 16 << 10;
/// The keys that belong to the lesson; all others belong to its step.
const OF_LESSON: [&str; 3] = ["lesson", "model", "photos"];
/// What a step is called that has no title.
const UNTITLED: &str = "Shared state";

/// The link in a text that may have an address before it; `None` if there is none.
pub fn find(text: &str) -> Option<&str> {
    let text = text.trim();
    let at = text.rfind("#v").filter(|&at| {
        let version = text[at + 2..].split(';').next().unwrap_or_default();
        !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit())
    });
    at.map(|at| &text[at..])
}

/// True if a link can name both: nothing but what is bundled.
pub fn can_name(model: &ModelSource, photos: &PhotosSource) -> bool {
    let mut bundled = paths::BUNDLED_MODELS.into_iter();
    *photos == PhotosSource::Bundled && bundled.any(|(_, known)| known == *model)
}

/// Writes a step as a link.
///
/// # Errors
/// A sentence: the model or the photos are files, or the link would be too long.
pub fn write(
    model: &ModelSource,
    photos: &PhotosSource,
    step: &LessonStep,
) -> Result<String, String> {
    let model = paths::BUNDLED_MODELS
        .into_iter()
        .find(|(_, known)| known == model);
    let Some((model, _)) = model.filter(|_| *photos == PhotosSource::Bundled) else {
        return Err(
            "a link cannot hold a file: open a bundled model and the bundled photos, or save a \
             lesson instead"
                .to_owned(),
        );
    };
    let mut pairs = Table::try_from(step).map_err(|error| error.to_string())?;
    pairs.insert("model".to_owned(), Value::String(model.to_owned()));
    let mut link = START.to_owned();
    // The view first: it says most.
    let view = pairs.remove("view").map(|view| ("view".to_owned(), view));
    for (key, value) in view.into_iter().chain(pairs) {
        let _ = write!(link, ";{}={}", escaped(&key), escaped(&written(&value)));
    }
    if link.len() > MOST_BYTES {
        return Err(format!(
            "the link would be longer than {MOST_BYTES} bytes: save a lesson instead"
        ));
    }
    Ok(link)
}

/// Reads a link whose texts name values in `names`.
///
/// # Errors
/// What is wrong, in a sentence.
pub fn read(link: &str, names: &[&'static str]) -> Result<Lesson, LessonError> {
    let whole = LessonError::Whole;
    if link.len() > MOST_BYTES {
        return Err(whole(format!("a link has at most {MOST_BYTES} bytes")));
    }
    let found = find(link).ok_or_else(|| whole(format!("a link begins with `{START};`")))?;
    let mut parts = found.split(';');
    let version = parts.next().unwrap_or_default();
    if version != START {
        return Err(whole(format!(
            "the link is of version {}, and this program knows version 1",
            version.trim_start_matches("#v")
        )));
    }
    let (mut lesson, mut step) = (Table::new(), Table::new());
    lesson.insert("lesson".to_owned(), Value::Integer(VERSION.into()));
    for part in parts.filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').ok_or_else(|| {
            whole(format!(
                "`{}` is not a key and a value, such as `view=batchnorm`",
                cut(part)
            ))
        })?;
        let key = unescaped(key).map_err(whole)?;
        let value = value_of(&unescaped(value).map_err(whole)?);
        let table = if OF_LESSON.contains(&key.as_str()) {
            &mut lesson
        } else {
            &mut step
        };
        if key == "lesson" || key == "step" || table.insert(key.clone(), value).is_some() {
            return Err(whole(format!(
                "`{}` is there twice or has no place in a link",
                cut(&key)
            )));
        }
    }
    let title = step
        .entry("title")
        .or_insert_with(|| Value::String(UNTITLED.to_owned()));
    lesson.insert("title".to_owned(), title.clone());
    lesson.insert("step".to_owned(), Value::Array(vec![Value::Table(step)]));
    let text = toml::to_string(&lesson).map_err(|error| whole(error.to_string()))?;
    let read = parse(&text, None, names);
    let mut lesson = read.map_err(|error| match error {
        // The lines are those of no file.
        LessonError::Line { reason, .. } | LessonError::Whole(reason) => whole(reason),
    })?;
    lesson.start.lines = Lines::new();
    for step in &mut lesson.steps {
        step.lines = Lines::new();
    }
    Ok(lesson)
}

/// A value as short as it can be read back: a word without quotes.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) if value_of(text) == *value => text.clone(),
        other => other.to_string(),
    }
}

/// What TOML reads in the text, or else the text itself.
fn value_of(text: &str) -> Value {
    let line = format!("v = {text}");
    match line.parse::<Table>().ok() {
        Some(mut table) if table.len() == 1 => table
            .remove("v")
            .unwrap_or_else(|| Value::String(text.to_owned())),
        _ => Value::String(text.to_owned()),
    }
}

/// Keeps what an address may hold and no program breaks a line at.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:,+/@!".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn unescaped(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next(), rest.next()];
        let digit = |d: Option<u8>| d.and_then(|d| char::from(d).to_digit(16));
        let (Some(high), Some(low)) = (digit(digits[0]), digit(digits[1])) else {
            return Err(format!(
                "`{}` has a % without two hexadecimal digits after it",
                cut(text)
            ));
        };
        bytes.push((high * 16 + low) as u8);
    }
    String::from_utf8(bytes).map_err(|_| format!("`{}` is not UTF-8", cut(text)))
}

/// The beginning of a text, for a message.
fn cut(text: &str) -> String {
    let mut cut: String = text.chars().take(40).collect();
    if cut.len() < text.len() {
        cut.push('\u{2026}');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::View;

    #[test]
    fn a_link_is_short_and_is_read_back() {
        let mut step = LessonStep::new("Seven", View::BatchNorm);
        step.channel = Some(107);
        step.layer = Some("block_13_project_BN".to_owned());
        step.trainable = Some("all,-mobilenetv2_1.00_160".to_owned());
        step.photo = Some("7".to_owned());
        step.text = "Two\nlines; and 100 % of \u{e9}".to_owned();
        let link = write(&ModelSource::Lab, &PhotosSource::Bundled, &step).unwrap();
        assert!(link.starts_with("#v1;view=batchnorm;"), "{link}");
        assert!(
            link.contains(";channel=107") && link.contains(";photo=%227%22"),
            "{link}"
        );
        assert!(
            link.bytes().all(|b| b.is_ascii_graphic() && b != b'"'),
            "{link}"
        );
        for around in ["", "https://example.org/modelens/?x=1", " "] {
            let read = read(&format!("{around}{link} "), &[]).unwrap();
            assert_eq!(read.steps, [step.clone()]);
            assert_eq!(read.model, ModelSource::Lab);
        }
        let file = ModelSource::File("a.h5".into());
        let why = write(&file, &PhotosSource::Bundled, &step).unwrap_err();
        assert!(why.contains("cannot hold a file"), "{why}");
    }

    #[test]
    fn a_broken_link_says_what_is_wrong() {
        let long = format!("#v1;title={}", "x".repeat(MOST_BYTES));
        for (link, reason) in [
            ("", "a link begins with `#v1;`"),
            ("view=batchnorm", "a link begins with `#v1;`"),
            (
                "#v2;view=batchnorm",
                "is of version 2, and this program knows version 1",
            ),
            ("#v1", "missing field `view`"),
            ("#v1;view", "`view` is not a key and a value"),
            ("#v1;view=drop", "there is no view `drop`; expected"),
            ("#v1;view=dropout;view=dropout", "`view` is there twice"),
            ("#v1;view=dropout;colour=1", "unknown field `colour`"),
            ("#v1;view=dropout;seed=x", "seed"),
            ("#v1;view=dropout;title=%2", "two hexadecimal digits"),
            ("#v1;view=dropout;title=%FF", "is not UTF-8"),
            (
                "#v1;view=dropout;model=a.h5",
                "nothing with this name is bundled: `a.h5`",
            ),
            (
                "#v1;view=dropout;photos=%2Fetc",
                "nothing with this name is bundled",
            ),
            ("#v1;view=dropout;step=%5B%5D", "has no place in a link"),
            ("#v1;view=dropout;channel=0", "counted from 1"),
            ("#v1;view=dropout;text=%7Bunit%7D", "no value `unit`"),
            (&long, "at most"),
        ] {
            let said = read(link, &["units"]).unwrap_err().to_string();
            assert!(said.contains(reason), "{link}: {said}");
            assert!(!said.contains("line "), "{said}");
        }
    }
}
