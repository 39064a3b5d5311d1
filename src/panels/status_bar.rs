//! The bar at the bottom: what runs, how long the last pass took, warnings, the file's format.

use eframe::egui;
use eframe::egui::accesskit::Live;
use eframe::egui::{Align, Button, Layout, Response, RichText, Spinner, Ui};

use super::side_panel;
use crate::command::{Action, Command};
use crate::model::counts::counts;
use crate::theme::{self, sizes, text};
use crate::views::parts::Tip as _;
use crate::views::{Show, current, parts};
use crate::words::common;
use crate::words::number::thousands;
use crate::words::window as words;
use modelens_jobs::Job;

/// The whole bar.
pub fn status_bar_ui(ui: &mut Ui, show: &mut Show<'_>) {
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = sizes::S3;
        ui.spacing_mut().interact_size.y = sizes::INPUT_ROW;
        ui.spacing_mut().button_padding = egui::vec2(sizes::S2, 0.0);
        if !parts::is_still(ui.ctx()) && !running_ui(ui, show) {
            done_ui(ui, show);
        }
        warnings_ui(ui, show);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            format_ui(ui, show);
            counts_ui(ui, show);
        });
    });
}

fn note_ui(ui: &mut Ui, line: impl Into<String>) -> Response {
    let palette = theme::palette(ui);
    parts::value_ui(ui, text::note(line, palette))
}

/// The running job with a cancel button; true if there is one. Thumbnails are too quick to show.
fn running_ui(ui: &mut Ui, show: &mut Show<'_>) -> bool {
    let jobs = show.state.computed.running.iter();
    let Some(running) = jobs
        .filter(|r| r.job != Job::Thumbnail)
        .max_by_key(|r| r.job == Job::OpenModel)
    else {
        return false;
    };
    let palette = theme::palette(ui);
    ui.add(Spinner::new().size(sizes::S3).color(palette.muted));
    let stage = common::sentence_case(running.stage.words());
    let progress = match (running.done, running.total) {
        (_, 0) => format!("{stage} ..."),
        (done, total) => words::progress(&stage, &thousands(done), &thousands(total)),
    };
    note_ui(ui, progress);
    if !matches!(running.job, Job::SaveFigure | Job::SaveModel) {
        let button = Button::new(RichText::new(Action::Cancel.info().label).font(text::small()));
        if parts::with_tooltip(ui.add(button), Action::Cancel).clicked() {
            show.push(Action::Cancel);
        }
    }
    true
}

/// The last result of this view.
fn done_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let computed = &show.state.computed;
    let view = show.state.settings.view;
    let page = view.page();
    let done = match current(show.state, view) {
        Some(looked) => note_ui(ui, page.took(looked)),
        None if page.wanted(show.state).is_some() => {
            let stale = note_ui(ui, words::NOT_UP_TO_DATE);
            show.action_ui(ui, Action::Retry);
            stale
        }
        None => note_ui(ui, words::READY),
    };
    parts::announce(ui, &done, Live::Polite);
    if let Some(path) = &computed.saved {
        let saved = note_ui(ui, words::saved(&path.display().to_string()));
        parts::announce(ui, &saved, Live::Polite);
    }
}

fn warnings_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    let unreadable = show
        .state
        .opened
        .gallery
        .as_ref()
        .map_or(0, |g| g.unreadable.len());
    let warnings = show.state.notes();
    let mut parts_of_line = Vec::new();
    if unreadable > 0 {
        parts_of_line.push(words::unreadable(unreadable));
    }
    match warnings.as_slice() {
        [] => {}
        [one] => parts_of_line.push(one.clone()),
        [first, rest @ ..] => parts_of_line.push(words::and_more(first, rest.len())),
    }
    if parts_of_line.is_empty() {
        return;
    }
    let line = RichText::new(parts_of_line.join(" · "))
        .font(text::small())
        .color(palette.training.ink);
    let room = ui.available_rect_before_wrap();
    // The format at the right end keeps its room.
    let room = room.with_max_x((room.right() - sizes::STAT_COLUMN * 1.6).max(room.left()));
    parts::row_ui(ui, room, |ui| {
        let link = ui.add(Button::new(line).frame(false).truncate());
        if link.tip(words::SHOW_ALL).clicked() {
            show.push(Command::ShowUnreadable(true));
        }
    });
}

fn format_ui(ui: &mut Ui, show: &Show<'_>) {
    if let Some(base) = &show.state.opened.base {
        let model = &base.model;
        note_ui(
            ui,
            format!("{} · .{}", model.framework, model.format.extension()),
        );
    }
}

/// Number of trainable parameters, if the side panel doesn't show it.
fn counts_ui(ui: &mut Ui, show: &Show<'_>) {
    if side_panel::is_shown(show.state, ui.ctx().content_rect().width()) {
        return;
    }
    if let Some(base) = &show.state.opened.base {
        let found = counts(&base.model, &base.flags, show.state.semantics());
        let numbers = [found.trainable, found.total].map(thousands);
        note_ui(ui, words::trainable_of(&numbers[0], &numbers[1]));
    }
}
