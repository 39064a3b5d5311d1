//! Text with **bold**, *italics*, `code`, lists and paragraphs.

use eframe::egui::text::{LayoutJob, TextFormat};
use eframe::egui::{Label, Ui};

use crate::theme::{self, Palette, sizes, text};
use crate::words::markup::{Marks, Span, spans};

/// A paragraph, or an entry of a list with its bullet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub bullet: Option<String>,
    pub text: String,
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
                    ui.label(job(&[Span::plain(bullet)], palette));
                });
            }
            ui.vertical(|ui| {
                let words = job(&spans(&block.text, Marks::All), palette);
                ui.add(Label::new(words).wrap().selectable(true));
            });
        });
    }
}

fn job(spans: &[Span], palette: &Palette) -> LayoutJob {
    let mut job = LayoutJob::default();
    for span in spans {
        let font_id = match (span.code, span.bold) {
            (true, _) => text::code(),
            (false, true) => text::semibold(),
            (false, false) => text::body(),
        };
        let format = TextFormat {
            font_id,
            color: palette.ink,
            italics: span.italic,
            background: if span.code {
                palette.hover
            } else {
                eframe::egui::Color32::TRANSPARENT
            },
            line_height: Some(sizes::PROSE_LINE),
            ..Default::default()
        };
        job.append(&span.text, 0.0, format);
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

#[cfg(test)]
mod tests {
    use super::*;

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
