//! Bars and dots on one axis from 0 to 1.

use eframe::egui::{
    self, Align2, Rangef, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2,
};

use super::words::{self, Names};
use crate::model::Mode;
use crate::theme::{self, sizes, text};
use crate::views::parts;
use crate::views::parts::Tip as _;
use crate::words::number::measured;
use modelens_jobs::ClassInPass;

/// The columns of names, axis and numbers; the same in every row.
#[derive(Clone, Copy)]
pub struct Columns {
    names: Rangef,
    axis: Rangef,
    values: Rangef,
}

impl Columns {
    /// The columns of a room this wide.
    pub fn of(room: Rect) -> Self {
        let names = (room.width() * sizes::PREDICT_NAMES_SHARE)
            .clamp(sizes::PREDICT_NAMES_MIN, sizes::PREDICT_NAMES_MAX);
        let axis = room.left() + names.floor() + sizes::S2;
        let values = room.right() - sizes::PREDICT_VALUES;
        Self {
            names: Rangef::new(room.left(), axis - sizes::S2),
            axis: Rangef::new(axis, values - sizes::S3),
            values: Rangef::new(values, room.right()),
        }
    }

    /// The place of a probability on the axis; NaN is at 0.
    fn x(self, probability: f32) -> f32 {
        let share = if probability.is_finite() {
            probability.clamp(0.0, 1.0)
        } else {
            0.0
        };
        self.axis.min + self.axis.span() * share
    }
}

/// Lines at the quarters of the axis.
pub fn lines_ui(ui: &Ui, columns: Columns, rows: Rangef) {
    let line = Stroke::new(sizes::LINE, theme::palette(ui).line);
    for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
        ui.painter().vline(columns.x(share), rows, line);
    }
}

/// The numbers below the axis.
pub fn ticks_ui(ui: &Ui, columns: Columns, room: Rect) {
    let muted = theme::palette(ui).muted;
    for (share, label) in [(0.0, "0"), (0.5, "0.5"), (1.0, "1")] {
        let at = pos2(columns.x(share), room.bottom());
        let font = text::tiny();
        ui.painter()
            .text(at, Align2::CENTER_BOTTOM, label, font, muted);
    }
}

/// One class.
pub struct Row {
    pub name: String,
    pub probability: f32,
    /// It is the class of the photo's folder.
    pub own: bool,
    /// The most probable class of this mode.
    pub first: bool,
}

/// A name, a bar and its number.
pub fn bar_ui(ui: &mut Ui, columns: Columns, rect: Rect, mode: Mode, row: &Row) {
    let palette = theme::palette(ui);
    let name = if row.own {
        words::in_its_folder(&row.name)
    } else {
        row.name.clone()
    };
    let line = if row.first || row.own {
        text::strong(&name)
    } else {
        text::muted(&name, palette)
    };
    let part = |range| Rect::from_x_y_ranges(range, rect.y_range());
    parts::row_ui(ui, part(columns.names), |ui| parts::line_ui(ui, line));
    let thickness = (rect.height() * sizes::PREDICT_BAR_SHARE).min(sizes::PREDICT_BAR_MAX);
    let bar = Rect::from_x_y_ranges(
        columns.axis.min..=columns.x(row.probability),
        rect.center().y - thickness / 2.0..=rect.center().y + thickness / 2.0,
    );
    let colors = palette.mode(mode);
    match mode {
        Mode::Training => ui.painter().rect_filled(bar, 0.0, colors.bar),
        Mode::Inference => ui.painter().rect(
            bar,
            0.0,
            colors.pale,
            Stroke::new(sizes::HOLLOW_STROKE, colors.bar),
            egui::StrokeKind::Inside,
        ),
    };
    let number = words::probability(row.probability);
    let id = ui.scope_id().with(("bar", mode, &row.name));
    let response = ui.interact(part(columns.axis), id, Sense::hover());
    let words = format!("{name}: {number}");
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &words));
    response.tip(format!("{name}: {}", measured(f64::from(row.probability))));
    value_ui(ui, part(columns.values), number, mode);
}

/// A number at the right, in the colour of its mode.
fn value_ui(ui: &mut Ui, rect: Rect, number: String, mode: Mode) {
    let color = theme::palette(ui).mode(mode).ink;
    parts::row_ui(ui, rect, |ui| {
        parts::value_ui(ui, text::strong(number).color(color))
    });
}

/// The same photo several times.
pub struct Strip<'a> {
    pub label: &'a str,
    pub note: &'a str,
    pub seen: &'a [ClassInPass],
    /// The first inference pass, as a dashed line.
    pub line: Option<f32>,
    pub followed: usize,
    pub names: &'a Names<'a>,
    /// The message if there are no passes.
    pub empty: &'a str,
}

/// A label, a dot a pass, and the range.
pub fn strip_ui(ui: &mut Ui, columns: Columns, rect: Rect, mode: Mode, strip: &Strip<'_>) {
    let palette = theme::palette(ui);
    let part = |range| Rect::from_x_y_ranges(range, rect.y_range());
    let names = part(columns.names);
    let names = Rect::from_center_size(names.center(), vec2(names.width(), sizes::STRIP_ROW));
    let (label, note) = names.split_top_bottom_at_fraction(0.5);
    parts::row_ui(ui, label, |ui| {
        parts::line_ui(ui, text::strong(strip.label))
    });
    parts::row_ui(ui, note, |ui| {
        parts::line_ui(ui, text::note(strip.note, palette))
    });
    let area = part(columns.axis);
    if strip.seen.is_empty() {
        ui.painter().text(
            area.center(),
            Align2::CENTER_CENTER,
            strip.empty,
            text::small(),
            palette.muted,
        );
        return;
    }
    let y = area.center().y;
    if let Some(line) = strip.line {
        let x = columns.x(line);
        let ends = [pos2(x, area.top() + sizes::S1), pos2(x, area.bottom())];
        let stroke = Stroke::new(sizes::LINE, palette.inference.ink);
        let dash = sizes::DASH / 2.0;
        ui.painter()
            .extend(Shape::dashed_line(&ends, stroke, dash, dash));
    }
    let [low, high] = words::range(strip.seen);
    let colors = palette.mode(mode);
    let span = Rect::from_x_y_ranges(columns.x(low)..=columns.x(high), y - 1.0..=y + 1.0);
    ui.painter().rect_filled(span, 0.0, colors.bar);
    for sighting in strip.seen {
        let at = pos2(columns.x(sighting.probability), y);
        match mode {
            Mode::Training => {
                ui.painter()
                    .circle_filled(at, sizes::DOT / 2.0, colors.tint());
            }
            Mode::Inference => {
                parts::mark(ui.painter(), at, sizes::DOT, mode, palette);
            }
        }
    }
    let range = words::short_range(strip.seen);
    let id = ui.scope_id().with(("strip", mode, strip.label));
    let response = ui.interact(area.expand2(vec2(sizes::S1, 0.0)), id, Sense::hover());
    let words = format!("{}, {}: {range}", strip.label, strip.note);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &words));
    response.tip(every(strip));
    value_ui(ui, part(columns.values), range, mode);
}

/// Each dot in words.
fn every(strip: &Strip<'_>) -> String {
    let lines = strip.seen.iter().enumerate().map(|(i, sighting)| {
        let first = if sighting.first == strip.followed {
            String::new()
        } else {
            words::first_is(&strip.names.of(sighting.first))
        };
        format!(
            "{}: {}{first}",
            i + 1,
            measured(f64::from(sighting.probability))
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}
