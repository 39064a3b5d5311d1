//! Text with **bold**, *italics*, `code`, lists and paragraphs.

use eframe::egui::text::{LayoutJob, TextFormat};
use eframe::egui::{Label, Ui};

use crate::theme::{self, Palette, sizes, text};
use crate::words::markup::{Marks, Span, blocks, spans};

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
