//! Marks in texts: `**bold**`, `*italics*` and `` `code` ``.

/// A part of a text in one style.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub text: String,
    pub bold: bool,
    pub italic: bool,
    pub code: bool,
}

impl Span {
    /// Text without a style.
    pub fn plain(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ..Self::default()
        }
    }
}

/// Which marks count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marks {
    /// `**` alone, for the window's own texts: names of layers and photos may hold the other marks.
    Bold,
    /// All of them, for lessons.
    All,
}

/// The text without its `**`.
pub fn plain(text: &str) -> String {
    let spans = spans(text, Marks::Bold).into_iter();
    spans.map(|span| span.text).collect()
}

/// A paragraph, or an entry of a list with its bullet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub bullet: Option<String>,
    pub text: String,
}

/// Paragraphs end at an empty line, entries of a list at the next one.
pub fn blocks(source: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut goes_on = false;
    for line in source.lines().map(str::trim) {
        let bullet = bullet(line);
        if line.is_empty() {
            goes_on = false;
        } else if let Some((bullet, text)) = bullet {
            blocks.push(Block {
                bullet: Some(bullet),
                text: text.to_owned(),
            });
            goes_on = true;
        } else if let (true, Some(last)) = (goes_on, blocks.last_mut()) {
            last.text.push(' ');
            last.text.push_str(line);
        } else {
            blocks.push(Block {
                bullet: None,
                text: line.to_owned(),
            });
            goes_on = true;
        }
    }
    blocks
}

/// `- entry`, `* entry` or `1. entry`.
fn bullet(line: &str) -> Option<(String, &str)> {
    for sign in ["- ", "* "] {
        if let Some(text) = line.strip_prefix(sign) {
            return Some(("\u{2022}".to_owned(), text));
        }
    }
    let (number, text) = line.split_once(". ")?;
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    (is_number && number.len() < 3).then(|| (format!("{number}."), text))
}

/// The first words between `**` that are more than a number: at least three.
pub fn first_bold(text: &str) -> Option<String> {
    // Between marks is every second part; the last part follows the last mark.
    let parts: Vec<&str> = text.split("**").collect();
    let closed = parts.len().saturating_sub(1);
    let bold = parts[..closed].iter().skip(1).step_by(2);
    let mut bold = bold.map(|part| part.split_whitespace().collect::<Vec<_>>());
    let words = bold.find(|words| words.len() >= 3)?;
    Some(words.join(" "))
}

/// Splits a text at its marks. A mark that is never closed is part of the text.
pub fn spans(text: &str, marks: Marks) -> Vec<Span> {
    let all = marks == Marks::All;
    let mut spans: Vec<Span> = Vec::new();
    let mut now = Span::default();
    let mut rest = text;
    let flush = |now: &mut Span, spans: &mut Vec<Span>| {
        if !now.text.is_empty() {
            spans.push(now.clone());
            now.text.clear();
        }
    };
    while let Some(next) = rest.chars().next() {
        let after = &rest[next.len_utf8()..];
        if all
            && next == '`'
            && let Some((code, after)) = after.split_once('`')
        {
            flush(&mut now, &mut spans);
            spans.push(Span {
                text: code.to_owned(),
                code: true,
                ..now.clone()
            });
            rest = after;
        } else if let Some(after) = rest.strip_prefix("**")
            && (now.bold || after.contains("**"))
        {
            flush(&mut now, &mut spans);
            now.bold = !now.bold;
            rest = after;
        } else if let Some(after) = rest.strip_prefix("**") {
            // Nothing closes it.
            now.text.push_str("**");
            rest = after;
        } else if all && next == '*' && (now.italic || opens_italics(after)) {
            flush(&mut now, &mut spans);
            now.italic = !now.italic;
            rest = after;
        } else {
            now.text.push(next);
            rest = after;
        }
    }
    flush(&mut now, &mut spans);
    spans
}

/// True unless a space follows the star, as in `2 * 3`.
fn opens_italics(after: &str) -> bool {
    !after.starts_with(char::is_whitespace) && after.replace("**", "").contains('*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let signs = |span: Span| {
            let Span {
                text,
                bold,
                italic,
                code,
            } = span;
            let on = |sign, on| if on { sign } else { "" };
            let around = format!("{}{}{}", on("b", bold), on("i", italic), on("c", code));
            format!("[{around}:{text}]")
        };
        spans(text, Marks::All).into_iter().map(signs).collect()
    }

    #[test]
    fn marks_become_spans() {
        assert_eq!(written("a **b** c"), "[:a ][b:b][: c]");
        assert_eq!(written("*i* and `**c**`"), "[i:i][: and ][c:**c**]");
        assert_eq!(written("**b *both* b**"), "[b:b ][bi:both][b: b]");
        assert_eq!(written("2 * 3 ** `open"), "[:2 * 3 ** `open]");
        assert_eq!(written(""), "");
    }

    #[test]
    fn the_windows_own_texts_have_bold_only() {
        let text = "**1 of 2** layers: `conv*1*`";
        assert_eq!(plain(text), "1 of 2 layers: `conv*1*`");
        assert_eq!(spans(text, Marks::Bold).len(), 2);
    }

    #[test]
    fn lines_become_paragraphs_and_lists() {
        let source = "one\nline\n\ntwo\n- a\n  b\n- c\n1. d\n\n3.5 is no list";
        let found = blocks(source);
        let found: Vec<String> = found
            .iter()
            .map(|b| format!("{}|{}", b.bullet.as_deref().unwrap_or(""), b.text))
            .collect();
        let expected = [
            "|one line",
            "|two",
            "•|a b",
            "•|c",
            "1.|d",
            "|3.5 is no list",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn the_first_bold_words_are_a_statement() {
        let text =
            "It is **{mean}**, and **a frozen layer runs\nin inference**. **Later it is not so.**";
        let found = first_bold(text);
        assert_eq!(found.as_deref(), Some("a frozen layer runs in inference"));
        for none in [
            "no bold words",
            "**one** and **two**",
            "**never closed here at all",
        ] {
            assert_eq!(first_bold(none), None, "{none}");
        }
    }
}
