//! The layers with their flags.

use eframe::egui;
use eframe::egui::{
    CornerRadius, Rect, Role, ScrollArea, Sense, Stroke, TextEdit, Ui, WidgetInfo, pos2, vec2,
};

use super::list_focus::{ListFocus, RowPart, part_id};
use crate::command::{Action, Command};
use crate::model::counts::layer_params;
use crate::model::{CallModes, Effective, LayerId, Mode, RecordedBy, Role as LayerRole, Semantics};
use crate::state::{Base, ListRow, ModuleRow};
use crate::theme::{self, Palette, sizes, text};
use crate::views::parts::Tip as _;
use crate::views::parts::{has_modes, name_ui, sensing_mode_switch_ui};
use crate::views::{Show, parts, terms};
use crate::words::call as call_words;
use crate::words::common;
use crate::words::layers as words;
use crate::words::modes;
use crate::words::number::thousands;
use crate::words::titles::model_title;
use crate::words::window;

/// The title, the search field and the buttons for many flags at once.
pub fn layer_controls_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    let state = show.state;
    ui.spacing_mut().item_spacing.y = sizes::S2 - 2.0;
    let flag = modes::flag_label(state.semantics()).to_uppercase();
    let title = parts::title_ui(ui, &words::title(&flag));
    terms::explained(title, terms::TRAINABLE);
    let base = state.opened.base.as_ref();
    ui.add_enabled_ui(base.is_some(), |ui| {
        let mut search = base.map(|b| b.search.clone()).unwrap_or_default();
        let hint = words::search_hint(base.map(|b| b.rows.len()));
        let edit = TextEdit::singleline(&mut search)
            .hint_text(hint)
            .margin(egui::Margin::symmetric(sizes::S2 as i8, sizes::S1 as i8))
            .desired_width(f32::INFINITY);
        let edit = ui.add(edit);
        parts::named(ui, &edit, words::SEARCH);
        if edit.changed() {
            show.push(Command::SetSearch(search));
        }
        ui.spacing_mut().button_padding.x = sizes::S2;
        ui.spacing_mut().item_spacing.x = sizes::S2 - 2.0;
        ui.horizontal(|ui| {
            for action in [Action::FreezeBase, Action::UnfreezeBase] {
                show.action_ui(ui, action);
            }
        });
        ui.horizontal(|ui| {
            for action in [Action::FreezeAll, Action::UnfreezeAll, Action::ResetFlags] {
                show.action_ui(ui, action);
            }
        });
        ui.horizontal(|ui| {
            show.action_ui(ui, Action::FineTuneFrom);
            let mut from = state.settings.fine_tune_from;
            let last = base.map_or(0, Base::base_len);
            let most = if base.is_some() { last } else { from };
            parts::label_ui(ui, text::muted(words::FROM_LAYER, palette));
            // Without a base there is no last layer, and the value must keep.
            let drag = parts::whole(&mut from).range(0..=most);
            let response = ui.name_inputs(words::FINE_TUNE_FROM, |ui| parts::field_ui(ui, drag));
            if response.changed() {
                show.push(Command::SetFineTuneFrom(from));
            }
            if base.is_some() {
                parts::label_ui(ui, text::muted(words::of_last(last), palette));
            }
        });
    });
}

/// The rows, of which only those in sight are drawn.
pub fn layer_list_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    let state = show.state;
    let line = Stroke::new(sizes::LINE, palette.line);
    ui.painter()
        .hline(ui.max_rect().x_range(), ui.cursor().top(), line);
    let Some(base) = &state.opened.base else {
        let hint = match &state.opened.opening_model {
            Some(source) => window::opening(&model_title(source)),
            None => words::NO_BASE.to_owned(),
        };
        parts::empty_ui(ui, ui.available_rect_before_wrap(), &hint);
        return;
    };
    let semantics = state.semantics();
    let found = base.list(semantics);
    if found.is_empty() {
        parts::empty_ui(ui, ui.available_rect_before_wrap(), common::NO_SUCH_LAYER);
        return;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    let chosen = state.settings.view.page().layer(base).map(ModuleRow::Layer);
    let modes = CallModes::of(
        &base.model.graph,
        &base.flags,
        state.settings.call,
        semantics,
    );
    let (mut focus, followed) = ListFocus::take(ui, &found, ui.available_height());
    let mut area = ScrollArea::vertical().id_salt("layers").auto_shrink(false);
    if let Some(offset) = offset_to(ui, &found, chosen).or(followed) {
        area = area.vertical_scroll_offset(offset);
    }
    let output = area.show_rows(ui, sizes::LAYER_ROW, found.len(), |ui, rows| {
        let shown = found.get(rows).unwrap_or_default();
        focus.stop_in(shown, chosen);
        for &row in shown {
            match row.of {
                ModuleRow::Layer(id) => {
                    let effective = modes.effective(&base.model.graph, &base.flags, id);
                    let chosen = chosen == Some(row.of);
                    row_ui(
                        ui,
                        show,
                        base,
                        Row {
                            id,
                            place: row,
                            effective,
                            chosen,
                            focus: &focus,
                        },
                    );
                }
                ModuleRow::Container(place) => container_ui(ui, show, base, row, (place, &focus)),
            }
        }
    });
    focus.offset = output.state.clamped_offset().y;
    focus.keep(ui);
}

/// Where to scroll when another layer was chosen, so that its row is in sight; `None` otherwise.
fn offset_to(ui: &Ui, found: &[ListRow], chosen: Option<ModuleRow>) -> Option<f32> {
    let key = ui.scope_id().with("last chosen layer");
    let last = ui.data(|d| d.get_temp::<Option<ModuleRow>>(key)).flatten();
    if last == chosen {
        return None;
    }
    ui.data_mut(|d| d.insert_temp(key, chosen));
    let row = found.iter().position(|row| Some(row.of) == chosen)?;
    // A third from the top: what comes before it is in sight too.
    let above = ui.available_height() / 3.0;
    Some((row as f32 * sizes::LAYER_ROW - above).max(0.0))
}

#[derive(Clone, Copy)]
struct Row<'a> {
    id: LayerId,
    place: ListRow,
    effective: Effective,
    chosen: bool,
    focus: &'a ListFocus,
}

/// The checkbox of a row.
fn check_place(rect: Rect, depth: usize) -> Rect {
    let left = rect.left() + sizes::S4 + depth as f32 * sizes::INDENT;
    let center = pos2(left + sizes::CHECKBOX / 2.0, rect.center().y);
    Rect::from_center_size(center, egui::Vec2::splat(sizes::CHECKBOX))
}

/// A container: its flag and its mode, which a click sets for everything in it.
fn container_ui(
    ui: &mut Ui,
    show: &mut Show<'_>,
    base: &Base,
    row: ListRow,
    (place, focus): (usize, &ListFocus),
) {
    let palette = theme::palette(ui);
    let semantics = show.state.semantics();
    let container = &base.containers[place];
    let path = &container.path;
    let size = vec2(ui.available_width(), sizes::LAYER_ROW);
    let (_, rect) = ui.allocate_space(size);
    let id = |part| part_id(row.of, part);
    let response = ui.interact(rect, id(RowPart::Row), focus.sense(row.of, Sense::hover()));
    let check = check_place(rect, row.depth);
    let trainable = base.module_flag(row.of);
    let name = format!("{path} {}", modes::flag_label(semantics));
    let sense = focus.sense(row.of, Sense::click());
    let checkbox =
        parts::sensing_checkbox_ui(ui, check, id(RowPart::Check), &name, trainable, sense);
    if checkbox.clicked() {
        show.push(Command::SetContainerTrainable(path.clone(), !trainable));
    }
    sensing_mode_switch_ui(
        ui,
        show,
        base,
        row.of,
        lamp_place(rect, sizes::MODE_COLUMN),
        (id(RowPart::Mode), sense),
    );
    parts::focus_ring(ui, &response, rect.shrink(sizes::FOCUS_INSET));
    let end = lamp_place(rect, sizes::MODE_COLUMN).x - sizes::S2;
    let place = Rect::from_x_y_ranges(check.right() + sizes::S2..=end, rect.y_range());
    let shown = base.row_name(row, semantics);
    let color = if trainable {
        palette.ink
    } else {
        palette.muted
    };
    name_ui(ui, place, shown, &text::semibold(), color);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, path));
    response.tip(words::container(path, container.layers.len()));
}

fn row_ui(ui: &mut Ui, show: &mut Show<'_>, base: &Base, row: Row<'_>) {
    let palette = theme::palette(ui);
    let semantics = show.state.semantics();
    let layer = &base.model.graph.layers[row.id];
    let role = layer.kind.role();
    let trainable = base.flags.get(row.id);
    let effective = row.effective;
    let has_view = matches!(role, LayerRole::BatchNorm | LayerRole::Noise);
    let sense = if has_view {
        Sense::click()
    } else {
        Sense::hover()
    };
    let size = vec2(ui.available_width(), sizes::LAYER_ROW);
    let (_, rect) = ui.allocate_space(size);
    let id = |part| part_id(row.place.of, part);
    let response = ui.interact(rect, id(RowPart::Row), row.focus.sense(row.place.of, sense));
    if row.chosen {
        ui.painter()
            .rect_filled(rect, CornerRadius::ZERO, palette.inference.band);
    } else if response.hovered() {
        ui.painter()
            .rect_filled(rect, CornerRadius::ZERO, palette.hover);
    }
    let check = check_place(rect, row.place.depth);
    let name = format!("{} {}", layer.name, modes::flag_label(semantics));
    let sense = row.focus.sense(row.place.of, Sense::click());
    let checkbox =
        parts::sensing_checkbox_ui(ui, check, id(RowPart::Check), &name, trainable, sense);
    if checkbox.clicked() {
        show.push(Command::SetTrainable(row.id, !trainable));
    }
    let reason = modes::lamp(
        role,
        trainable,
        effective,
        &show.state.call_of(base, row.id),
    );
    let is_torch = semantics == Semantics::PyTorch;
    if is_torch {
        let at = lamp_place(rect, sizes::MODE_COLUMN);
        let switch = (id(RowPart::Mode), sense);
        sensing_mode_switch_ui(ui, show, base, row.place.of, at, switch);
    } else {
        lamp_ui(ui, rect, role, effective);
    }
    let params = layer_params(layer, semantics);
    params_ui(ui, rect, params, palette);
    let text_left = check.right() + sizes::S2;
    let end = match (has_modes(role), params) {
        _ if is_torch => sizes::MODE_COLUMN + sizes::S4,
        (true, _) => sizes::LAMP_COLUMN + sizes::S4,
        (false, 0) => sizes::S4,
        (false, _) => sizes::LAMP_COLUMN,
    };
    let mut end = rect.right() - end;
    let recorded = base.flags.argument(row.id, layer.recorded);
    let by = recorded.by(&layer.class, base.model.semantics);
    if let (Some(value), Some(by)) = (recorded.value(), by) {
        let name = base.row_name(row.place, semantics);
        let room = Rect::from_x_y_ranges(text_left..=end, rect.y_range());
        end = tag_ui(ui, room, name, (value, by));
    }
    let font = if base.is_container(row.id) {
        text::semibold()
    } else {
        text::body()
    };
    let color = if trainable {
        palette.ink
    } else {
        palette.muted
    };
    let place = Rect::from_x_y_ranges(text_left..=end, rect.y_range());
    name_ui(ui, place, base.row_name(row.place, semantics), &font, color);
    parts::focus_ring(ui, &response, rect.shrink(sizes::FOCUS_INSET));
    let kind = if has_view { Role::Button } else { Role::Label };
    response.widget_info(|| WidgetInfo::labeled(kind, true, &layer.name));
    parts::describe(ui, &response, &reason);
    if response.clicked() {
        show.push(Command::ShowLayer(row.id));
    }
    let mut tooltip = format!("{} · {}", layer.name, layer.class);
    if let (Some(value), Some(by)) = (recorded.value(), by) {
        tooltip = format!("{tooltip}\n{}", call_words::at_its_call(value, by));
    }
    if !reason.is_empty() {
        tooltip = format!("{tooltip}\n{reason}");
    }
    response.tip(tooltip);
}

/// Draws the recorded value at the right end of the room of a name, in full if the name stays whole; returns where the
/// room then ends.
fn tag_ui(ui: &Ui, room: Rect, name: &str, (value, by): (bool, RecordedBy)) -> f32 {
    let palette = theme::palette(ui);
    let color = if by == RecordedBy::Person {
        palette.ink
    } else {
        palette.muted
    };
    let width = |words: &str, font| {
        let galley = ui.painter().layout_no_wrap(words.to_owned(), font, color);
        galley.size().x
    };
    let [full, short] = call_words::tags(value, by);
    let whole = width(name, text::semibold()) + sizes::S1 + width(&full, text::small());
    let tag = if whole <= room.width() { full } else { short };
    let at = room.right_center();
    let align = egui::Align2::RIGHT_CENTER;
    let place = ui.painter().text(at, align, tag, text::small(), color);
    place.left() - sizes::S1
}

/// Filled: it does in training what it does not do in inference. Hollow: it has two modes, but
/// runs as in inference.
fn lamp_ui(ui: &Ui, rect: Rect, role: LayerRole, effective: Effective) {
    if !has_modes(role) {
        return;
    }
    let mode = if effective.active {
        Mode::Training
    } else {
        Mode::Inference
    };
    let center = lamp_place(rect, sizes::LAMP_COLUMN);
    parts::mark(ui.painter(), center, sizes::LAMP, mode, theme::palette(ui));
}

fn lamp_place(rect: Rect, column: f32) -> egui::Pos2 {
    let left = rect.right() - column - sizes::S1;
    pos2(left, rect.center().y)
}

fn params_ui(ui: &Ui, rect: Rect, params: usize, palette: &Palette) {
    if params == 0 {
        return;
    }
    let place = rect.with_max_x(rect.right() - sizes::S4);
    let at = pos2(place.right(), place.center().y);
    let align = egui::Align2::RIGHT_CENTER;
    ui.painter()
        .text(at, align, thousands(params), text::small(), palette.muted);
}
