//! Every text of the window is in `src/words` or in the `words` of a view: nothing that draws or acts
//! holds one.

use std::path::{Path, PathBuf};

/// Where texts would be found otherwise.
const PLACES: [&str; 8] = [
    "views", "panels", "figure", "app", "state", "settings", "command", "theme",
];

/// Files whose literals are no texts, or errors that say where in a lesson they are.
const NO_TEXTS: [&str; 5] = [
    "app/lesson/apply.rs",
    "app/lesson/save.rs",
    "app/system_fonts.rs",
    "theme/fonts.rs",
    "views/csv.rs",
];

/// Parts of a view whose literals are texts, or no texts: its words, the code it offers, the names of
/// its values and of the quantities in its CSV.
const OF_A_VIEW: [&str; 4] = ["words", "code", "values", "numbers"];

/// Calls whose words nobody sees: identities, names of threads and textures, panics, keys of JSON.
const UNSEEN: [&str; 19] = [
    "bottom",
    "custom",
    "expect",
    "from_id_salt",
    "get",
    "id_salt",
    "indent",
    "left",
    "load_smooth",
    "load_texture",
    "name",
    "new",
    "position",
    "push_id",
    "right",
    "texture",
    "top",
    "unique",
    "with",
];

/// Of those, calls that do show their words when they are called on these.
const SEEN_ALL_THE_SAME: [&str; 6] = [
    "Button::new",
    "Choice::new",
    "Label::new",
    "RichText::new",
    "Window::new",
    "String::new",
];

/// Calls that show even a single word in lower case.
const SHOWN: [&str; 22] = [
    "add_filter",
    "button",
    "check_ui",
    "chevron_ui",
    "drop_button_ui",
    "heading",
    "hint_text",
    "label",
    "labelled_ui",
    "muted",
    "name_inputs",
    "named",
    "note",
    "notify",
    "on_hover_text",
    "picker_ui",
    "radio",
    "set_title",
    "small_button",
    "strong",
    "suffix",
    "title",
];

/// What looks like a text and is a name: of formats, of Keras' arguments and classes, of code.
const NAMES: [&str; 9] = [
    "PDF",
    "PNG",
    "SVG",
    "Random",
    "model",
    "model(x, training=",
    "base(x, training=",
    "crop_to_aspect_ratio",
    "fill_value",
];

/// A string literal, with the code before it.
#[derive(Debug)]
struct Literal {
    line: usize,
    text: String,
    /// The innermost call that it is an argument of, with the path before the last `::`.
    call: String,
}

/// The string literals of a source: without comments, attributes and tests.
fn literals(source: &str) -> Vec<Literal> {
    let source = without_tests(source);
    let bytes = source.as_bytes();
    let (mut found, mut code, mut at) = (Vec::new(), String::new(), 0);
    while at < bytes.len() {
        let rest = &source[at..];
        let past = |end: &str| rest.find(end).map_or(rest.len(), |i| i + end.len());
        if rest.starts_with("//") {
            at += past("\n");
            code.push('\n');
        } else if rest.starts_with("#[") {
            // Attributes of this project end at the first bracket that ends a line.
            let length = past("]\n");
            code.extend(rest[..length].chars().filter(|&c| c == '\n'));
            at += length;
        } else if let Some(bytes) = rest.strip_prefix("b\"") {
            at += 2 + string(bytes);
        } else if let Some(inside) = rest.strip_prefix('"') {
            let length = string(inside);
            let line = 1 + source[..at].matches('\n').count();
            found.push(Literal {
                line,
                text: unescaped(&inside[..length - 1]),
                call: call(&code),
            });
            code.push_str("\"\"");
            at += 1 + length;
        } else if let Some(length) = character(rest) {
            at += length;
        } else {
            let letter = rest.chars().next().unwrap_or_default();
            code.push(letter);
            at += letter.len_utf8();
        }
    }
    found
}

/// The length of a string after its first quote, with the last one.
fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (i, letter) in rest.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return i + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a character literal; `None` for anything else, lifetimes among it.
fn character(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('\'')?;
    if inner.starts_with('\\') {
        return Some(3 + inner[2..].find('\'')?);
    }
    let letter = inner.chars().next()?;
    let end = letter.len_utf8();
    inner[end..].starts_with('\'').then_some(end + 2)
}

/// Escapes and places for values become what cannot be taken for a word.
fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('u') => letters.by_ref().take_while(|&c| c != '}').for_each(drop),
                _ => plain.push(' '),
            },
            '{' => {
                letters.by_ref().take_while(|&c| c != '}').for_each(drop);
                plain.push('\u{1}');
            }
            _ => plain.push(letter),
        }
    }
    plain
}

/// Removes `#[cfg(test)]` items, but not their lines.
fn without_tests(source: &str) -> String {
    let mut kept = source.to_owned();
    while let Some(start) = kept.find("#[cfg(test)]\n") {
        let item = &kept[start..];
        let ends = [
            item.find(";\n").map(|i| i + 2),
            item.find("\n}\n").map(|i| i + 3),
        ];
        let length = ends.into_iter().flatten().min().unwrap_or(item.len());
        // A block may hold lines that end in a semicolon: then its own end counts.
        let block = item[..length].contains('{');
        let length = if block {
            ends[1].unwrap_or(item.len())
        } else {
            length
        };
        let lines = "\n".repeat(item[..length].matches('\n').count());
        kept.replace_range(start..start + length, &lines);
    }
    kept
}

/// The innermost call around the end of `code`: `Button::new`, `label`.
fn call(code: &str) -> String {
    let mut depth = 0;
    for (i, letter) in code.char_indices().rev() {
        match letter {
            ')' | ']' | '}' => depth += 1,
            '(' | '[' | '{' if depth > 0 => depth -= 1,
            ';' | '{' if depth == 0 => return String::new(),
            '(' | '[' => {
                let before = &code[..i];
                let name =
                    before.trim_end_matches(|c: char| c.is_alphanumeric() || "_:!".contains(c));
                let name = &before[name.len()..];
                if !name.is_empty() && name != "format!" {
                    return name.trim_start_matches(':').to_owned();
                }
            }
            _ => {}
        }
    }
    String::new()
}

/// Whether a person would read it.
fn is_text(literal: &Literal) -> bool {
    let Literal { text, call, .. } = literal;
    if NAMES.contains(&text.as_str()) {
        return false;
    }
    let last = call.rsplit("::").next().unwrap_or_default();
    let seen = SEEN_ALL_THE_SAME.iter().any(|name| call.ends_with(name));
    if UNSEEN.contains(&last) && !seen {
        return false;
    }
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| word.chars().count() > 1)
        .collect();
    let Some(first) = words.first() else {
        return false;
    };
    let spaced = text.contains(' ');
    let capital = text.starts_with(char::is_uppercase) && !first.is_empty();
    let between = spaced && (words.len() > 1 || text.contains('\u{1}') || text.trim() != text);
    between || capital || seen || SHOWN.contains(&last)
}

/// Rust files of a folder and of those in it; a folder's own file too.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = vec![folder.with_extension("rs")];
    found.retain(|file| file.is_file());
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(
                sources(&path)
                    .into_iter()
                    .filter(|file| file.parent() != Some(folder)),
            );
        } else {
            found.push(path);
        }
    }
    found.retain(|file| file.extension().is_some_and(|e| e == "rs"));
    found
}

#[test]
fn every_text_of_the_window_is_in_the_words() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut faults = Vec::new();
    let mut files = 0;
    for file in PLACES.iter().flat_map(|place| sources(&root.join(place))) {
        let name = file
            .strip_prefix(&root)
            .expect("a source")
            .display()
            .to_string();
        let mut parts = file.components().rev().take(2);
        let is_of_view = name.starts_with("views/")
            && parts.any(|part| {
                let stem = Path::new(part.as_os_str()).file_stem();
                OF_A_VIEW
                    .iter()
                    .any(|f| stem.is_some_and(|stem| stem == *f))
            });
        if name.ends_with("_tests.rs") || is_of_view || NO_TEXTS.iter().any(|f| name == *f) {
            continue;
        }
        files += 1;
        let source = std::fs::read_to_string(&file).expect("a source");
        let texts = literals(&source).into_iter().filter(is_text);
        faults.extend(texts.map(|t| format!("src/{name}:{}: {:?} in {}", t.line, t.text, t.call)));
    }
    assert!(files > 100, "only {files} files were read");
    assert!(
        faults.is_empty(),
        "texts outside of src/words:\n{}",
        faults.join("\n")
    );
}

#[test]
fn a_text_in_drawing_code_is_found() {
    let sample = r#"
        // "A comment is no text"
        #[allow(dead_code, reason = "a reason is none")]
        fn draw_ui(ui: &mut Ui) {
            ui.label("words");
            ui.add(Button::new("Close"));
            let tip = "What a click does";
            let line = format!("{n} photos");
            let id = ui.scope_id().with(("my identity", 1));
            let letter = 'a';
            let key = match x { _ => "momentum" };
            parts::row_ui(ui, text::note(&format!("seed {seed}"), palette));
            slider.suffix(" px");
            let bytes = *b"two words";
            panic.expect("it is there");
        }
        #[cfg(test)]
        mod tests {
            const TEXT: &str = "A test may say so";
        }
    "#;
    let sample = sample.replace("\n        ", "\n");
    let found: Vec<(usize, String)> = literals(&sample)
        .into_iter()
        .filter(is_text)
        .map(|literal| (literal.line, literal.text))
        .collect();
    let lines: Vec<usize> = found.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [5, 6, 7, 8, 12, 13], "{found:?}");
}
