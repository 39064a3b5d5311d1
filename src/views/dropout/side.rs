//! One column: the units as a grid, and their sums.

use eframe::egui;
use eframe::egui::{Align, Layout, Rect, Ui, vec2};

use super::ui::side_of;
use super::unit_grid::{self, Grid, Units};
use super::watch::Watched;
use super::words;
use crate::model::Mode;
use crate::theme::{self, sizes, text};
use crate::views::parts::Tip as _;
use crate::views::parts::{self, Cut};
use crate::words::common;
use crate::words::number::{percent, thousands};
use modelens_jobs::DropoutOutcome;

/// Draws one column; `look` is the mode whose colours it has.
pub fn side_ui(
    ui: &mut Ui,
    outcome: &DropoutOutcome,
    [mode, look]: [Mode; 2],
    full: f32,
    room: Rect,
    watched: Option<&Watched<'_>>,
) {
    let palette = theme::palette(ui);
    let side = watched.map_or_else(|| side_of(outcome, mode), |watched| &watched.side);
    let mut cut = Cut(room.shrink2(vec2(sizes::S4, sizes::S2)));
    let units = side_of(outcome, mode).output.len();
    let footer = cut.bottom(sizes::STAT_ROW);
    cut.bottom(sizes::S1);
    let grid = Grid::fit(units, cut.0.size());
    let area = Rect::from_min_size(
        cut.0.min,
        vec2(cut.0.width(), grid.pitch * grid.rows as f32),
    );
    parts::note_plot_of(ui, mode, [words::LEFT_MASK, words::RIGHT_MASK], area);
    let at = |unit: usize| side.output.get(unit).copied().unwrap_or(0.0);
    let value = |unit: usize| watched.map_or_else(|| at(unit), |watched| watched.value(unit));
    let shown_units = Units {
        count: side.output.len(),
        value: &value,
        is_dropped: &|unit| words::is_dropped(side, unit),
        gone: watched.map_or(1.0, |watched| watched.gone),
    };
    let colors = palette.mode(look);
    let hovered = unit_grid::unit_grid_ui(ui, area, grid, &shown_units, full, colors);
    // A description of the picture, and the unit under the pointer.
    let response = ui.interact(
        area,
        ui.scope_id().with(("units", mode)),
        egui::Sense::hover(),
    );
    let picture = words::picture(
        &thousands(units),
        &thousands(side.dropped),
        &percent(side.dropped as f64 / units.max(1) as f64),
    );
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, &picture));
    if let Some(unit) = hovered {
        response.tip_at_pointer(words::unit(outcome, side, unit));
    }
    // Right below the grid.
    let top = (area.bottom() + sizes::S1).min(footer.top());
    let footer = Rect::from_min_size(egui::pos2(footer.left(), top), footer.size());
    if watched.is_some_and(|watched| !watched.whole) {
        return;
    }
    let [before, after] = words::sums(side);
    let shown = grid.shown(units);
    let (label, what) = if shown < units {
        let sides: Vec<String> = outcome.shape.iter().map(|&side| thousands(side)).collect();
        let label = words::first_of(&thousands(shown), &sides.join(" × "));
        (label, words::SUM_BEFORE)
    } else {
        (words::SUM.to_owned(), common::BEFORE)
    };
    let layout = Layout::right_to_left(Align::Center);
    let left = parts::inside_ui(ui, footer, layout, |ui| {
        ui.spacing_mut().item_spacing.x = sizes::S1;
        parts::value_ui(ui, text::strong(after));
        parts::label_ui(ui, text::muted(common::AFTER, palette));
        ui.add_space(sizes::S2);
        parts::value_ui(ui, text::strong(before));
        parts::label_ui(ui, text::muted(what, palette));
        ui.min_rect().left()
    });
    let rest = footer.with_max_x(left - sizes::S2);
    parts::row_ui(ui, rest, |ui| {
        parts::line_ui(ui, text::muted(label, palette))
    });
}
