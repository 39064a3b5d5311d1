//! Entries of menus: a name, perhaps a shortcut or a note at the right, perhaps a sentence below.

use eframe::egui;
use eframe::egui::{CornerRadius, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::command::Action;
use crate::theme::{self, sizes, text};
use crate::views::parts::Tip as _;
use crate::views::{Show, parts};
use crate::words::commands as words;

/// What an entry shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entry<'a> {
    pub name: &'a str,
    /// At the right end.
    pub right: &'a str,
    /// Below the name.
    pub below: &'a str,
    pub chosen: bool,
    /// In a list of rows of one height: a long name is cut. Elsewhere it wraps.
    pub one_line: bool,
}

/// Draws an entry as wide as the menu.
pub fn entry_ui(ui: &mut Ui, entry: Entry<'_>) -> Response {
    let palette = theme::palette(ui);
    let width = ui.available_width();
    let inner = width - 2.0 * sizes::S2;
    let painter = ui.painter();
    let right = painter.layout_no_wrap(entry.right.to_owned(), text::small(), palette.muted);
    let font = if entry.chosen {
        text::semibold()
    } else {
        text::body()
    };
    let room = inner - right.size().x - sizes::S2;
    let mut job = egui::text::LayoutJob::simple(entry.name.to_owned(), font, palette.ink, room);
    if entry.one_line {
        job.wrap = egui::text::TextWrapping::truncate_at_width(room);
    }
    let name = painter.layout_job(job);
    let below = (!entry.below.is_empty())
        .then(|| painter.layout(entry.below.to_owned(), text::small(), palette.muted, inner));
    let below_height = below
        .as_ref()
        .map_or(0.0, |galley| galley.size().y + sizes::S1);
    let padding = sizes::CONTROL_HEIGHT - name.rows.first().map_or(0.0, |row| row.height());
    let line = sizes::CONTROL_HEIGHT.max(name.size().y + padding);
    let height = line + below_height;
    let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::click());
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::selected(Role::Button, enabled, entry.chosen, entry.name));
    if !entry.below.is_empty() {
        parts::describe(ui, &response, entry.below);
    }
    let fill = if entry.chosen {
        Some(palette.inference.band)
    } else {
        None
    };
    if let Some(fill) = fill.or(response.hovered().then_some(palette.hover)) {
        ui.painter()
            .rect_filled(rect, CornerRadius::same(sizes::CONTROL_RADIUS), fill);
    }
    parts::focus_ring(ui, &response, rect.shrink(1.0));
    let [left, middle] = [rect.left() + sizes::S2, rect.top() + line / 2.0];
    let name_at = pos2(left, middle - name.size().y / 2.0);
    let right_left = rect.right() - sizes::S2 - right.size().x;
    let first = rect.top() + sizes::CONTROL_HEIGHT / 2.0;
    let right_at = pos2(right_left, first - right.size().y / 2.0);
    ui.painter().galley(name_at, name, palette.ink);
    ui.painter().galley(right_at, right, palette.muted);
    if let Some(below) = below {
        let at = pos2(left, rect.top() + line - sizes::S1);
        ui.painter().galley(at, below, palette.muted);
    }
    response
}

/// An entry for an action, with its shortcut, and below it what it does.
pub fn action_ui(ui: &mut Ui, show: &mut Show<'_>, action: Action) {
    described_ui(ui, show, action, action.info().tooltip);
}

/// An entry in one line, with the description as its tooltip.
pub fn short_action_ui(ui: &mut Ui, show: &mut Show<'_>, action: Action) {
    let response = described_ui(ui, show, action, "");
    response.tip(action.info().tooltip);
}

fn described_ui(ui: &mut Ui, show: &mut Show<'_>, action: Action, below: &str) -> Response {
    let info = action.info();
    let shortcut = info
        .shortcut
        .map(|shortcut| parts::keys(ui.ctx(), shortcut));
    let why_not = action.why_not(show.state);
    let not_now = why_not.map(words::not_now);
    let entry = Entry {
        name: info.label,
        right: &shortcut.unwrap_or_default(),
        below: not_now.as_deref().unwrap_or(below),
        ..Entry::default()
    };
    let enabled = why_not.is_none();
    let response = ui.add_enabled_ui(enabled, |ui| entry_ui(ui, entry)).inner;
    if response.clicked() {
        show.push(action);
    }
    response
}
