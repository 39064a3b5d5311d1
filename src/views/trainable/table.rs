//! Every layer under the present flags: what is set, what follows, what would move.

use std::cmp::Ordering;

use eframe::egui::{
    self, Align2, CornerRadius, FontId, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};

use super::ui::between;
use super::words;
use crate::command::Command;
use crate::model::counts::layer_params;
use crate::model::modules::method;
use crate::model::{
    CallModes, Effective, LayerId, Mode, Outer, Role as LayerRole, Semantics, effective_when,
};
use crate::state::{Base, LayerColumn, LayerSort, ListRow, ModuleRow};
use crate::theme::{self, Palette, sizes, text};
use crate::views::parts::Tip as _;
use crate::views::parts::{has_modes, mode_switch_ui, name_ui};
use crate::views::{Show, parts, terms};
use crate::words::call;
use crate::words::common;
use crate::words::modes;
use crate::words::number::thousands;

/// One layer, or in PyTorch one container.
#[derive(Clone, Debug)]
pub struct Row {
    /// The layer, or the first layer of the container.
    pub id: LayerId,
    pub place: ListRow,
    pub role: LayerRole,
    pub flag: bool,
    /// Whether a model around it has its flag off.
    pub inherited: bool,
    pub effective: Effective,
    /// Whether it has weights of its own.
    pub weights: bool,
    pub params: usize,
}

/// The layers that the search finds, in order.
pub fn rows(base: &Base, outer: Outer, semantics: Semantics, sort: LayerSort) -> Vec<Row> {
    let graph = &base.model.graph;
    let modes = CallModes::of(graph, &base.flags, outer, semantics);
    let row = |row: ListRow| match row.of {
        ModuleRow::Layer(id) => {
            let layer = &graph.layers[id];
            Row {
                id,
                place: row,
                role: layer.kind.role(),
                flag: base.flags.get(id),
                inherited: !base.flags.ancestors(graph, id),
                effective: modes.effective(graph, &base.flags, id),
                weights: layer.weights.iter().any(|w| w.learnable),
                params: layer_params(layer, semantics),
            }
        }
        ModuleRow::Container(place) => {
            let id = base.containers[place].layers.first().copied();
            let id = id.unwrap_or_default();
            let training = base.module_mode(row.of, outer).training();
            let flag = base.module_flag(row.of);
            Row {
                id,
                place: row,
                role: LayerRole::Plain,
                flag,
                inherited: false,
                effective: effective_when(LayerRole::Plain, flag, true, Some(training), semantics),
                weights: false,
                params: 0,
            }
        }
    };
    // Containers stand before what they hold, so that another order has no place for them.
    let in_order = sort == LayerSort::default();
    let found = base.list(semantics).into_iter();
    let found = found.filter(|row| in_order || matches!(row.of, ModuleRow::Layer(_)));
    let mut rows: Vec<Row> = found.map(row).collect();
    if in_order {
        return rows;
    }
    rows.sort_by(|a, b| {
        let order = compare(a, b, sort.column);
        if sort.descending {
            order.reverse()
        } else {
            order
        }
    });
    rows
}

/// What there is to see comes first: set flags, what moves, the most parameters.
fn compare(a: &Row, b: &Row, column: LayerColumn) -> Ordering {
    match column {
        LayerColumn::Layer => a.id.cmp(&b.id),
        LayerColumn::Flag => b.flag.cmp(&a.flag),
        LayerColumn::Inherited => b.inherited.cmp(&a.inherited),
        LayerColumn::Training => b.effective.training.cmp(&a.effective.training),
        LayerColumn::Mode => words::mode(b.role, b.effective).cmp(words::mode(a.role, a.effective)),
        LayerColumn::Moves => moved(b).cmp(&moved(a)),
        LayerColumn::Params => b.params.cmp(&a.params),
    }
}

/// Weights, statistics.
fn moved(row: &Row) -> [bool; 2] {
    let learns = row.effective.learns && row.weights;
    [learns, row.effective.updates_statistics]
}

/// The height of the heading and `rows` rows.
pub fn height(rows: usize) -> f32 {
    sizes::HEADER_BAND + rows.max(1) as f32 * sizes::LAYER_ROW + sizes::S2
}

/// The left and right end of each column.
fn columns(rect: Rect) -> [[f32; 2]; 7] {
    let right = rect.right() - sizes::S4;
    let least: f32 = sizes::TABLE_COLUMNS.iter().sum();
    // In a wide window the columns stay near the names.
    let more = (rect.width() - sizes::TABLE_NAMES - least).max(0.0) * sizes::TABLE_SHARE;
    let widths = sizes::TABLE_COLUMNS.map(|width| width * (1.0 + more / least));
    let mut left = right - widths.iter().sum::<f32>();
    let mut columns = [[rect.left() + sizes::S4, left - sizes::S2]; 7];
    for (column, width) in columns.iter_mut().skip(1).zip(widths) {
        *column = [left, left + width];
        left += width;
    }
    columns
}

/// The heading and the rows in sight.
pub fn table_ui(ui: &mut Ui, show: &mut Show<'_>, rows: &[Row], rect: Rect) {
    let palette = theme::palette(ui);
    let Some(base) = &show.state.opened.base else {
        return;
    };
    parts::card(ui.painter(), rect, palette);
    let mut cut = parts::Cut(rect);
    headings_ui(ui, show, cut.top(sizes::HEADER_BAND));
    if rows.is_empty() {
        let hint = common::NO_SUCH_LAYER;
        parts::empty_ui(ui, cut.0, hint);
        return;
    }
    let seen = ui.clip_rect().intersect(cut.0);
    if !seen.is_positive() {
        return;
    }
    let place = |y: f32| ((y - cut.0.top()) / sizes::LAYER_ROW).max(0.0) as usize;
    let first = place(seen.top());
    let last = (place(seen.bottom()) + 1).min(rows.len());
    for (i, row) in rows.iter().enumerate().take(last).skip(first) {
        let top = cut.0.top() + i as f32 * sizes::LAYER_ROW;
        let size = vec2(rect.width(), sizes::LAYER_ROW);
        row_ui(
            ui,
            show,
            base,
            row,
            Rect::from_min_size(pos2(rect.left(), top), size),
        );
    }
}

fn headings_ui(ui: &mut Ui, show: &mut Show<'_>, rect: Rect) {
    let palette = theme::palette(ui);
    let sort = show.state.settings.layer_sort;
    let semantics = show.state.semantics();
    let line = Stroke::new(sizes::LINE, palette.line);
    ui.painter().hline(rect.x_range(), rect.bottom(), line);
    for (column, [left, right]) in LayerColumn::ALL.into_iter().zip(columns(rect)) {
        let place = between(rect, left, right - sizes::S1);
        let id = ui.scope_id().with(("heading", column as usize));
        let response = ui.interact(place, id, Sense::click());
        let label = words::heading(column, show.state.settings.call, semantics);
        let chosen = sort.column == column;
        let words = common::sentence_case(&words::sort_by(label));
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, &words));
        let color = if chosen || response.hovered() {
            palette.ink
        } else {
            palette.muted
        };
        let arrow = match (chosen, sort.descending) {
            (false, _) => "",
            (true, false) => " ↓",
            (true, true) => " ↑",
        };
        let shown = format!("{label}{arrow}");
        let (at, align) = cell(place, column);
        ui.painter().text(at, align, shown, text::small(), color);
        parts::focus_ring(ui, &response, place.shrink2(vec2(0.0, sizes::S1)));
        if response.clicked() {
            show.push(Command::SortLayers(column));
        }
        terms::hinted(response.tip(words::explains(column)), label);
    }
}

/// The anchor of a cell's text; numbers are aligned right.
fn cell(place: Rect, column: LayerColumn) -> (egui::Pos2, Align2) {
    if column == LayerColumn::Params {
        (place.right_center(), Align2::RIGHT_CENTER)
    } else {
        (place.left_center(), Align2::LEFT_CENTER)
    }
}

fn row_ui(ui: &Ui, show: &mut Show<'_>, base: &Base, row: &Row, rect: Rect) {
    let palette = theme::palette(ui);
    let semantics = show.state.semantics();
    let has_view = matches!(row.role, LayerRole::BatchNorm | LayerRole::Noise);
    let sense = if has_view {
        Sense::click()
    } else {
        Sense::hover()
    };
    let is_container = matches!(row.place.of, ModuleRow::Container(_));
    let id = ui
        .scope_id()
        .with(("table row", row.id, base.module_name(row.place.of)));
    let response = ui.interact(rect, id, sense);
    if response.hovered() {
        let inner = rect.shrink2(vec2(sizes::LINE, 0.0));
        ui.painter()
            .rect_filled(inner, CornerRadius::ZERO, palette.hover);
    }
    let flag = modes::flag_label(semantics);
    let words = words::row(
        base.module_name(row.place.of),
        words::mode(row.role, row.effective),
        words::when(show.state.settings.call),
        words::moves(moved(row)),
    );
    let role = if has_view { Role::Button } else { Role::Label };
    response.widget_info(|| WidgetInfo::labeled(role, true, &words));
    let places = columns(rect);
    let check = pos2(places[1][0] + sizes::CHECKBOX / 2.0, rect.center().y);
    let check = Rect::from_center_size(check, egui::Vec2::splat(sizes::CHECKBOX));
    let name = base.module_name(row.place.of);
    let of = words::flag_of(flag, name);
    if parts::checkbox_ui(ui, check, id.with("flag"), &of, row.flag).clicked() {
        if is_container {
            show.push(Command::SetContainerTrainable(name.to_owned(), !row.flag));
        } else {
            show.push(Command::SetTrainable(row.id, !row.flag));
        }
    }
    if semantics == Semantics::PyTorch {
        let at = pos2(places[3][0] + sizes::LAMP / 2.0, rect.center().y);
        mode_switch_ui(ui, show, base, row.place.of, at, id.with("mode"));
    }
    for (column, [left, right]) in LayerColumn::ALL.into_iter().zip(places) {
        let place = between(rect, left, right - sizes::S1);
        cell_ui(ui, show, base, row, column, place);
    }
    parts::focus_ring(ui, &response, rect.shrink(1.0));
    if response.gained_focus() {
        response.scroll_to_me(None);
    }
    if response.clicked() && !is_container {
        show.push(Command::ShowLayer(row.id));
    }
    let reason = modes::lamp(
        row.role,
        row.flag,
        row.effective,
        &show.state.call_of(base, row.id),
    );
    if has_modes(row.role) {
        response.tip(reason);
    }
}

fn cell_ui(ui: &Ui, show: &Show<'_>, base: &Base, row: &Row, column: LayerColumn, place: Rect) {
    let palette = theme::palette(ui);
    let semantics = show.state.semantics();
    let own = has_modes(row.role) || row.weights;
    let (words, color): (String, _) = match column {
        LayerColumn::Layer => {
            let font = font(base, row);
            let indent = row.place.depth as f32 * sizes::INDENT;
            let place = if semantics == Semantics::PyTorch {
                place.with_min_x(place.left() + indent)
            } else {
                place
            };
            let name = base.row_name(row.place, semantics);
            name_ui(ui, place, name, &font, ink(row.flag, palette));
            return;
        }
        LayerColumn::Flag => return,
        LayerColumn::Inherited => (
            words::inherited(row.inherited, semantics).into(),
            palette.muted,
        ),
        LayerColumn::Training if semantics == Semantics::PyTorch => {
            // Beside the switch.
            let place = place.with_min_x(place.left() + sizes::LAMP + sizes::S2);
            let mode = base.module_mode(row.place.of, show.state.settings.call);
            let (at, align) = cell(place, column);
            let color = ink(has_modes(row.role), palette);
            let words = method(mode);
            ui.painter().text(at, align, words, text::small(), color);
            return;
        }
        LayerColumn::Training => {
            let value = call::python(row.effective.training);
            (value.into(), ink(has_modes(row.role), palette))
        }
        LayerColumn::Mode => {
            let active = row.effective.active;
            let in_mode = if active {
                Mode::Training
            } else {
                Mode::Inference
            };
            (
                words::mode(row.role, row.effective).into(),
                palette.mode(in_mode).ink,
            )
        }
        LayerColumn::Moves if !own => (String::new(), palette.muted),
        LayerColumn::Moves => {
            let any = moved(row).contains(&true);
            (words::moves(moved(row)).into(), ink(any, palette))
        }
        LayerColumn::Params if row.params == 0 => (String::new(), palette.muted),
        LayerColumn::Params => (thousands(row.params), palette.muted),
    };
    let (at, align) = cell(place, column);
    ui.painter().text(at, align, words, text::small(), color);
}

fn ink(stands_out: bool, palette: &Palette) -> egui::Color32 {
    if stands_out {
        palette.ink
    } else {
        palette.muted
    }
}

fn font(base: &Base, row: &Row) -> FontId {
    if matches!(row.place.of, ModuleRow::Container(_)) || base.is_container(row.id) {
        text::semibold()
    } else {
        text::body()
    }
}
