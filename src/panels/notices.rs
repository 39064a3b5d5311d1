//! Messages above the panels, the list of unreadable files, and the hint while dragging.

use eframe::egui;
use eframe::egui::accesskit::Live;
use eframe::egui::{Align, Align2, Area, Frame, Id, Layout, Margin, Order, Ui, vec2};

use super::modal::modal_ui;
use crate::command::Command;
use crate::theme::{self, sizes, text};
use crate::views::{Show, parts};
use crate::words::common;
use crate::words::notices as words;

/// Messages at the bottom right; they stay until they are dismissed.
pub fn notices_ui(ui: &mut Ui, show: &mut Show<'_>) {
    if show.state.computed.notices.is_empty() {
        return;
    }
    let offset = vec2(-sizes::S4, -(sizes::STATUS_BAR + sizes::S3));
    Area::new(Id::unique("notices"))
        .order(Order::Foreground)
        .anchor(Align2::RIGHT_BOTTOM, offset)
        .show(ui.ctx(), |ui| {
            ui.set_width(sizes::NOTICE_WIDTH);
            for notice in &show.state.computed.notices {
                notice_ui(ui, notice, show.commands);
            }
        });
}

fn notice_ui(ui: &mut Ui, notice: &crate::state::Notice, commands: &mut Vec<Command>) {
    let palette = theme::palette(ui);
    Frame::new()
        .fill(palette.panel)
        .stroke(egui::Stroke::new(sizes::LINE, palette.error))
        .corner_radius(sizes::PANEL_RADIUS)
        .shadow(palette.shadow())
        .inner_margin(Margin::same(sizes::S3 as i8))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal(|ui| {
                ui.label(text::strong(notice.title).color(palette.error));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if ui.small_button(words::DISMISS).clicked() {
                        commands.push(Command::DismissNotice(notice.id));
                    }
                });
            });
            let told = ui.add(
                egui::Label::new(common::sentence_case(&notice.text))
                    .selectable(true)
                    .wrap(),
            );
            parts::announce(ui, &told, Live::Assertive);
        });
}

/// The files that could not be read, and the model's warnings, with reasons.
pub fn unreadable_ui(ui: &mut Ui, show: &mut Show<'_>) {
    if !show.state.computed.show_unreadable {
        return;
    }
    let palette = theme::palette(ui);
    let title = text::strong(words::WARNINGS);
    let closed = modal_ui(ui, "warnings", title, |ui| {
        for warning in show.state.notes() {
            let line = common::sentence_case(&warning.replace('`', ""));
            ui.add(egui::Label::new(line).selectable(true).wrap());
        }
        super::sheets::assumptions_ui(ui, show);
        let opened = &show.state.opened;
        let Some(gallery) = &opened.gallery else {
            return;
        };
        for (&photo, reason) in &gallery.unreadable {
            let name = gallery
                .photos
                .photos
                .get(photo)
                .map_or("", |p| p.name.as_str());
            parts::value_ui(ui, text::strong(name));
            let reason = text::note(common::sentence_case(reason), palette);
            ui.add(egui::Label::new(reason).selectable(true).wrap());
        }
    });
    if closed {
        show.push(Command::ShowUnreadable(false));
    }
}

/// Says what a dragged file may be.
pub fn drop_hint_ui(ui: &mut Ui) {
    if ui.input(|i| i.raw.hovered_files.is_empty()) {
        return;
    }
    let palette = theme::palette(ui);
    let rect = ui.ctx().content_rect();
    let layer = egui::LayerId::new(Order::Foreground, Id::unique("drop hint"));
    let painter = ui.ctx().layer_painter(layer);
    painter.rect_filled(rect, 0.0, palette.veil());
    let hint = words::DROP;
    painter.text(
        rect.center(),
        Align2::CENTER_CENTER,
        hint,
        text::semibold(),
        palette.ink,
    );
}
