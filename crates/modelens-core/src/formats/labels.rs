//! Class names of a model just opened: from a file beside it, from the bundled base, or ImageNet's.

use super::Beside;
use crate::assets;
use crate::model::Model;
use crate::model::labels::{fits, outputs};

/// Maximum bytes of a file of class names.
const MAX_BYTES: u64 = 1 << 20;
/// Maximum characters of a name, of which the rest is cut: the longest of ImageNet has 121.
const MAX_NAME: usize = 200;

/// File names for class names, whatever the model is called.
const PLAIN: [&str; 2] = ["labels.txt", "classes.txt"];

/// Gives a model just opened its class names: those of a file beside it (one a line, in output
/// order), its `own` where it is bundled, or ImageNet's for a thousand outputs.
pub(super) fn add(model: &mut Model, title: &str, beside: &dyn Beside, own: Option<&str>) {
    let Some(outputs) = outputs(&model.graph) else {
        return;
    };
    let own = own.map(|own| (own, "the base"));
    let imagenet = (
        assets::IMAGENET_LABELS,
        "ImageNet-1k, by the number of outputs",
    );
    let known = || {
        let known = own.into_iter().chain([imagenet]);
        let mut known = known.map(|(text, from)| (lines(text), from.to_owned()));
        known.find(|(labels, _)| fits(labels, outputs))
    };
    if let Some((labels, from)) = from_file(model, title, beside, outputs).or_else(known) {
        (model.labels, model.labels_from) = (labels, from);
    }
}

/// The names in a file beside the model; the file named after the model comes first. A file that
/// cannot be used is worth a warning if it is named after the model, or if no other is used.
fn from_file(
    model: &mut Model,
    title: &str,
    beside: &dyn Beside,
    outputs: usize,
) -> Option<(Vec<String>, String)> {
    let own = format!("{}.labels.txt", stem(title));
    let mut odd = Vec::new();
    for (i, name) in std::iter::once(own.as_str()).chain(PLAIN).enumerate() {
        let why = match text(beside, name) {
            Ok(None) => continue,
            Ok(Some(text)) => {
                let labels = lines(&text);
                if fits(&labels, outputs) {
                    odd.retain(|&(at, _)| at == 0);
                    model.warnings.extend(odd.into_iter().map(|(_, why)| why));
                    return Some((labels, format!("{name} beside the model")));
                }
                let classes = counted(labels.len(), "class", "classes");
                let outputs = counted(outputs, "output", "outputs");
                format!("names {classes}, but the model has {outputs}")
            }
            Err(why) => why,
        };
        odd.push((i, format!("{name} {why}, so it is ignored")));
    }
    model.warnings.extend(odd.into_iter().map(|(_, why)| why));
    None
}

/// A file name without its last ending.
fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    }
}

fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// One name per line. Empty lines at the end do not count; an empty line between others names its
/// class by its number. Where every line begins with its own number, as Teachable Machine writes them
/// (`0 cat`), that number is no part of the name.
fn lines(text: &str) -> Vec<String> {
    let text = text.trim_start_matches('\u{feff}').trim_end();
    let numbered = text
        .lines()
        .enumerate()
        .all(|(i, line)| after_number(i, line).is_some());
    let name = |(i, line): (usize, &str)| {
        let own = if numbered {
            after_number(i, line)
        } else {
            None
        };
        let line = own.unwrap_or(line).trim();
        if line.is_empty() {
            return format!("class {i}");
        }
        let shown = |c: char| if c.is_control() { ' ' } else { c };
        line.chars().take(MAX_NAME).map(shown).collect()
    };
    text.lines().enumerate().map(name).collect()
}

/// The name after the line's own number and a space, colon, comma or tab; `None` for any other line.
fn after_number(number: usize, line: &str) -> Option<&str> {
    let rest = line.trim().strip_prefix(&number.to_string())?;
    let name = rest.strip_prefix([' ', '\t', ':', ',', ';'])?.trim();
    (!name.is_empty()).then_some(name)
}

/// The text of a file; `None` if there is none, and a reason in words if it is of no use.
fn text(beside: &dyn Beside, name: &str) -> Result<Option<String>, String> {
    let Some(bytes) = beside.read(name, MAX_BYTES).map_err(|e| e.to_string())? else {
        return Ok(None);
    };
    if crate::not_downloaded(&bytes).is_some() {
        return Err("was not downloaded (it is a Git LFS pointer or a web page)".to_owned());
    }
    let text = String::from_utf8(bytes).ok().filter(|t| !t.contains('\0'));
    text.map(Some).ok_or_else(|| "is not UTF-8 text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_a_line() {
        assert_eq!(lines("\u{feff}cat\r\n dog \n\n\n"), ["cat", "dog"]);
        assert_eq!(lines("a\n\nb"), ["a", "class 1", "b"]);
        assert_eq!(lines("a\tb\u{1b}[2J"), ["a b [2J"]);
        assert_eq!(lines(&"\u{e9}".repeat(300)), ["\u{e9}".repeat(MAX_NAME)]);
        assert_eq!(
            lines("0 cat\n1 hot dog\n2 9 lives"),
            ["cat", "hot dog", "9 lives"]
        );
        assert_eq!(lines("0: cat\n1: dog\n"), ["cat", "dog"]);
        // Names that begin with numbers which are not their places.
        for text in [
            "1 cat\n2 dog",
            "0 cat\ndog",
            "0\n1",
            "0 cat\n\n2 dog",
            "00 cat\n01 dog",
        ] {
            assert_eq!(lines(text)[0], text.lines().next().unwrap(), "{text:?}");
        }
        assert!(lines("").is_empty() && lines(" \n\n").is_empty());
        let imagenet = assets::IMAGENET_LABELS;
        assert!(lines(imagenet).iter().eq(imagenet.lines()), "none is cut");
    }

    #[test]
    fn stems_are_those_of_paths() {
        for name in ["a.h5", "a.b.h5", "a", ".hidden", "a.", "\u{e9}.keras"] {
            let path = std::path::Path::new(name);
            let expected = path.file_stem().map_or(name, |stem| stem.to_str().unwrap());
            assert_eq!(stem(name), expected);
        }
    }
}
