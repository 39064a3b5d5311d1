//! A state as one line: `#v1;view=batchnorm;channel=7`. It is a lesson with one step in a compact form, safe
//! in an address and in a chat. This module touches no file: a link names bundled models and photos, and
//! addresses, which only a page fetches.
//!
//! After the version come pairs of a key and a value, separated by `;`. The keys are those of a lesson and
//! of its step. A value is a word or what TOML writes, with `%XX` for bytes that an address cannot hold.
//! `#v1;lesson=ID;step=N` is a step of a whole lesson instead.

use std::fmt::Write as _;

use toml::{Table, Value};

use super::format::{LessonStep, VERSION, parse};
use super::place::Lines;
use super::{BUNDLED, Lesson, LessonError, LessonSource, paths};
use modelens_jobs::{ModelSource, PhotosSource, is_address, is_announced};

/// The start of a link.
const START: &str = "#v1";
/// The most bytes of a link.
pub const MOST_BYTES: usize = 16 << 10;
/// The keys that belong to the lesson; all others belong to its step.
const OF_LESSON: [&str; 3] = ["lesson", "model", "photos"];
/// The keys whose change is another place in the history of a page; the others only adjust one.
const OF_PLACE: [&str; 5] = ["view", "lesson", "step", "model", "photos"];
/// What a step is called that has no title.
pub const UNTITLED: &str = "Shared state";

/// What a link opens.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A step of a whole lesson, by its index from 0.
    Step(LessonSource, usize),
    /// A state, to be shown as it is.
    State(Box<Lesson>),
    /// A state with a title or a text, to be read as a lesson.
    Lesson(Box<Lesson>),
}

/// The link in a text that may have an address before it; `None` if there is none.
pub fn find(text: &str) -> Option<&str> {
    let text = text.trim();
    let at = text.rfind("#v").filter(|&at| {
        let version = text[at + 2..].split(';').next().unwrap_or_default();
        !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit())
    });
    at.map(|at| &text[at..])
}

/// True if a link can name both: what is bundled, and addresses.
pub fn can_name(model: &ModelSource, photos: &PhotosSource) -> bool {
    let model = match model {
        ModelSource::Lab | ModelSource::EfficientNetLite0 => true,
        ModelSource::File(path) => is_address(path),
        ModelSource::Weights { .. } => false,
    };
    model && photos.path().is_none_or(is_address)
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
    if !can_name(model, photos) {
        return Err(
            "a link cannot hold a file: open a bundled model and the bundled photos, or save a \
             lesson instead"
                .to_owned(),
        );
    }
    line(model, photos, step)
}

/// Writes a step as a link that may name files: it can be opened where they were given.
///
/// # Errors
/// A sentence: the model is a file of weights without its network, a name is not Unicode, or the link
/// would be too long.
pub fn line(
    model: &ModelSource,
    photos: &PhotosSource,
    step: &LessonStep,
) -> Result<String, String> {
    let not_unicode = || "the name of the file is not Unicode".to_owned();
    let mut pairs = Table::try_from(step).map_err(|error| error.to_string())?;
    if step.title == UNTITLED {
        pairs.remove("title");
    }
    let mut bundled = paths::BUNDLED_MODELS.into_iter();
    let model = match (bundled.find(|(_, known)| known == model), model) {
        (Some((word, _)), _) => word,
        (None, ModelSource::File(path)) => path.to_str().ok_or_else(not_unicode)?,
        (None, _) => return Err("the file does not tell its network".to_owned()),
    };
    pairs.insert("model".to_owned(), Value::String(model.to_owned()));
    if let Some(photos) = photos.path() {
        let photos = photos.to_str().ok_or_else(not_unicode)?;
        pairs.insert("photos".to_owned(), Value::String(photos.to_owned()));
    }
    let mut link = START.to_owned();
    // The view first: it says most.
    let view = pairs.remove("view").map(|view| ("view".to_owned(), view));
    for (key, value) in view.into_iter().chain(pairs) {
        push(&mut link, &key, &value);
    }
    if link.len() > MOST_BYTES {
        return Err(format!(
            "the link would be longer than {MOST_BYTES} bytes: save a lesson instead"
        ));
    }
    Ok(link)
}

/// The link to a step, counted from 0, of a lesson that has a name; `None` for a recording.
pub fn of_step(source: &LessonSource, step: usize) -> Option<String> {
    let lesson = match source {
        LessonSource::Bundled(number) => BUNDLED.get(*number)?.id,
        LessonSource::File(path) => path.to_str()?,
        LessonSource::Link(link) => return Some(find(link)?.to_owned()),
        LessonSource::Draft => return None,
    };
    let mut link = START.to_owned();
    push(&mut link, "lesson", &Value::String(lesson.to_owned()));
    push(&mut link, "step", &Value::Integer(step as i64 + 1));
    Some(link)
}

/// True if two links are different places for a page's history, and not one that was adjusted.
pub fn is_another_place(one: &str, other: &str) -> bool {
    let places = [one, other].map(|link| {
        let mut pairs: Vec<&str> = link.split(';').collect();
        pairs.retain(|pair| OF_PLACE.contains(&pair.split('=').next().unwrap_or_default()));
        pairs
    });
    places[0] != places[1]
}

/// What a link opens, whose texts name values in `names`.
///
/// # Errors
/// What is wrong, in a sentence.
pub fn target(link: &str, names: &[&'static str]) -> Result<Target, LessonError> {
    if let Some(target) = step_of(link)? {
        return Ok(target);
    }
    let lesson = Box::new(read(link, names)?);
    let words = lesson.steps.iter().any(LessonStep::has_words);
    Ok(if words || lesson.title != UNTITLED {
        Target::Lesson(lesson)
    } else {
        Target::State(lesson)
    })
}

/// The step of a whole lesson that a link names; `None` if it holds a state.
fn step_of(link: &str) -> Result<Option<Target>, LessonError> {
    let (mut lesson, mut step) = (None, 1);
    for pair in find(link).unwrap_or_default().split(';') {
        match pair.split_once('=') {
            Some(("lesson", name)) => lesson = Some(unescaped(name).map_err(LessonError::Whole)?),
            Some(("step", number)) => step = number.parse().unwrap_or(0),
            _ => {}
        }
    }
    let Some(name) = lesson else {
        return Ok(None);
    };
    let path = std::path::PathBuf::from(&name);
    let source = match BUNDLED.iter().position(|lesson| lesson.id == name) {
        Some(number) => LessonSource::Bundled(number),
        None if is_announced(&path) => LessonSource::File(path),
        None => {
            let why = format!("there is no lesson `{}`", cut(&name));
            return Err(LessonError::Whole(why));
        }
    };
    match usize::checked_sub(step, 1) {
        Some(step) => Ok(Some(Target::Step(source, step))),
        None => Err(LessonError::Whole("steps are counted from 1".to_owned())),
    }
}

/// Reads a link to a state whose texts name values in `names`.
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

fn push(link: &mut String, key: &str, value: &Value) {
    let _ = write!(link, ";{}={}", escaped(key), escaped(&written(value)));
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
    fn a_link_opens_a_state_a_text_or_a_step_of_a_lesson() {
        let mut step = LessonStep::new(UNTITLED, View::Dropout);
        step.hide.push(crate::lesson::Control::Tabs);
        let link =
            |step: &LessonStep| line(&ModelSource::Lab, &PhotosSource::Bundled, step).unwrap();
        assert!(!link(&step).contains("title"), "{}", link(&step));
        let Ok(Target::State(state)) = target(&link(&step), &[]) else {
            panic!("no state: {}", link(&step));
        };
        assert_eq!(state.steps, [step.clone()]);
        for words in [
            LessonStep {
                title: "Seven".to_owned(),
                ..step.clone()
            },
            LessonStep {
                text: "Look.".to_owned(),
                ..step.clone()
            },
            LessonStep {
                notes: Some("Wait.".to_owned()),
                ..step.clone()
            },
        ] {
            let opened = target(&link(&words), &[]);
            assert!(matches!(opened, Ok(Target::Lesson(_))), "{opened:?}");
        }
        modelens_jobs::announce("/given to this page/own.toml".into());
        for source in [
            LessonSource::Bundled(2),
            LessonSource::File("/given to this page/own.toml".into()),
        ] {
            let link = of_step(&source, 3).unwrap();
            assert!(link.ends_with(";step=4"), "{link}");
            assert_eq!(target(&link, &[]), Ok(Target::Step(source, 3)));
        }
        assert_eq!(of_step(&LessonSource::Draft, 0), None);
    }

    #[test]
    fn a_link_names_files_only_where_they_were_given() {
        let step = LessonStep::new(UNTITLED, View::Dropout);
        let model = ModelSource::File("/given to this page/base.h5".into());
        let photos = PhotosSource::Folder("/given to this page/cats".into());
        let link = line(&model, &photos, &step).unwrap();
        assert!(target(&link, &[]).is_err());
        modelens_jobs::announce("/given to this page/base.h5".into());
        modelens_jobs::announce("/given to this page/cats/one.png".into());
        let read = read(&link, &[]).unwrap();
        assert_eq!((read.model, read.photos), (model.clone(), photos.clone()));
        assert!(!can_name(&model, &photos));
        let fetched = ModelSource::File("https://example.org/base.h5".into());
        assert!(can_name(&fetched, &PhotosSource::Bundled));
    }

    #[test]
    fn a_slider_adjusts_a_place_and_a_view_is_another() {
        let here = "#v1;view=dropout;model=lab_mobilenetv2;seed=7";
        for (there, another) in [
            ("#v1;view=dropout;model=lab_mobilenetv2;seed=8", false),
            ("#v1;view=dropout;batch=4;model=lab_mobilenetv2", false),
            ("#v1;view=predict;model=lab_mobilenetv2;seed=7", true),
            ("#v1;view=dropout;model=efficientnet_lite0;seed=7", true),
            ("#v1;lesson=why-specify-twice;step=1", true),
            ("", true),
        ] {
            assert_eq!(is_another_place(here, there), another, "{there}");
        }
        assert!(is_another_place(
            "#v1;lesson=a;step=1",
            "#v1;lesson=a;step=2"
        ));
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
            ("#v1;lesson=no-such;step=1", "there is no lesson `no-such`"),
            ("#v1;lesson=why-specify-twice;step=0", "counted from 1"),
            ("#v1;lesson=why-specify-twice;step=x", "counted from 1"),
            (
                "#v1;view=dropout;model=https://example.org/a.h5",
                "only the page in a browser fetches files",
            ),
            ("#v1;view=dropout;channel=0", "counted from 1"),
            ("#v1;view=dropout;text=%7Bunit%7D", "no value `unit`"),
            (&long, "at most"),
        ] {
            let said = target(link, &["units"]).unwrap_err().to_string();
            assert!(said.contains(reason), "{link}: {said}");
            assert!(!said.contains("line "), "{said}");
        }
    }
}
