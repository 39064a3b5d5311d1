//! Text with **bold**, *italics*, `code`, lists and paragraphs.

use eframe::egui::text::{LayoutJob, TextFormat};
use eframe::egui::{Label, Ui};

use crate::theme::{self, Palette, sizes, text};

/// A paragraph, or an entry of a list with what stands before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub bullet: Option<String>,
    pub text: String,
}

/// A run of text of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Run {
    text: String,
    bold: bool,
    italic: bool,
    code: bool,
}

/// Draws the text as wide as there is room.
pub fn markdown_ui(ui: &mut Ui, source: &str) {
    let palette = theme::palette(ui);
    for block in blocks(source) {
        let indent = if block.bullet.is_some() {
            sizes::BULLET
        } else {
            0.0
        };
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = 0.0;
            if let Some(bullet) = &block.bullet {
                ui.scope(|ui| {
                    ui.set_width(indent.max(sizes::BULLET * bullet.len() as f32 / 2.0));
                    ui.label(job(&[plain(bullet)], palette));
                });
            }
            ui.vertical(|ui| {
                let words = job(&runs(&block.text), palette);
                ui.add(Label::new(words).wrap().selectable(true));
            });
        });
    }
}

fn plain(text: &str) -> Run {
    Run {
        text: text.to_owned(),
        ..Run::default()
    }
}

fn job(runs: &[Run], palette: &Palette) -> LayoutJob {
    let mut job = LayoutJob::default();
    for run in runs {
        let font_id = match (run.code, run.bold) {
            (true, _) => text::code(),
            (false, true) => text::semibold(),
            (false, false) => text::body(),
        };
        let format = TextFormat {
            font_id,
            color: palette.ink,
            italics: run.italic,
            background: if run.code {
                palette.hover
            } else {
                eframe::egui::Color32::TRANSPARENT
            },
            line_height: Some(sizes::PROSE_LINE),
            ..Default::default()
        };
        job.append(&run.text, 0.0, format);
    }
    job
}

/// Paragraphs end at an empty line, entries of a list at the next one.
fn blocks(source: &str) -> Vec<Block> {
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

/// A mark that is never closed stands for itself.
fn runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut now = Run::default();
    let mut rest = text;
    let flush = |now: &mut Run, runs: &mut Vec<Run>| {
        if !now.text.is_empty() {
            runs.push(now.clone());
            now.text.clear();
        }
    };
    while let Some(next) = rest.chars().next() {
        let after = &rest[next.len_utf8()..];
        if next == '`'
            && let Some((code, after)) = after.split_once('`')
        {
            flush(&mut now, &mut runs);
            runs.push(Run {
                text: code.to_owned(),
                code: true,
                ..now.clone()
            });
            rest = after;
        } else if let Some(after) = rest.strip_prefix("**")
            && (now.bold || after.contains("**"))
        {
            flush(&mut now, &mut runs);
            now.bold = !now.bold;
            rest = after;
        } else if let Some(after) = rest.strip_prefix("**") {
            // Nothing closes it.
            now.text.push_str("**");
            rest = after;
        } else if next == '*' && (now.italic || opens_italics(after)) {
            flush(&mut now, &mut runs);
            now.italic = !now.italic;
            rest = after;
        } else {
            now.text.push(next);
            rest = after;
        }
    }
    flush(&mut now, &mut runs);
    runs
}

/// A star before a space is a sign of its own, as in `2 * 3`.
fn opens_italics(after: &str) -> bool {
    !after.starts_with(char::is_whitespace) && after.replace("**", "").contains('*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let signs = |run: Run| {
            let Run {
                text,
                bold,
                italic,
                code,
            } = run;
            let on = |sign, on| if on { sign } else { "" };
            let around = format!("{}{}{}", on("b", bold), on("i", italic), on("c", code));
            format!("[{around}:{text}]")
        };
        runs(text).into_iter().map(signs).collect()
    }

    #[test]
    fn marks_become_runs() {
        assert_eq!(written("a **b** c"), "[:a ][b:b][: c]");
        assert_eq!(written("*i* and `**c**`"), "[i:i][: and ][c:**c**]");
        assert_eq!(written("**b *both* b**"), "[b:b ][bi:both][b: b]");
        assert_eq!(written("2 * 3 ** `open"), "[:2 * 3 ** `open]");
        assert_eq!(written(""), "");
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
}
