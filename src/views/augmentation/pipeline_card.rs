//! The list of steps: order, on and off, parameters, adding and removing.

use eframe::egui;
use eframe::egui::{
    Align, Button, DragAndDrop, Id, Layout, Rect, Response, Role, ScrollArea, Sense, Stroke,
    TextEdit, Ui, UiBuilder, Vec2, WidgetInfo, vec2,
};

use super::icons::{Icon, icon, icon_ui};
use super::{add_menu, parameters, words};
use crate::augment::{Framework, MOST_CODE_BYTES, PipelineStep};
use crate::command::PipelineCommand;
use crate::theme::{self, sizes, text};
use crate::views::parts::Cut;
use crate::views::parts::Tip as _;
use crate::views::{Show, parts};
use crate::words::common;

/// Lines of the field for code.
const CODE_ROWS: usize = 3;

/// The step that is being dragged.
#[derive(Clone, Copy)]
struct Dragged(usize);

/// Draws the card.
pub fn pipeline_card_ui(ui: &mut Ui, show: &mut Show<'_>, rect: Rect) {
    let palette = theme::palette(ui);
    parts::card(ui.painter(), rect, palette);
    let mut cut = Cut(rect.shrink2(vec2(sizes::S3, sizes::S2)));
    let head = cut.top(sizes::CONTROL_HEIGHT);
    parts::row_ui(ui, head, |ui| parts::title_ui(ui, words::STEPS_TITLE));
    let to_left = Layout::right_to_left(Align::Center);
    parts::inside_ui(ui, head, to_left, |ui| {
        if ui.button(common::CLOSE).tip(words::HIDE_STEPS).clicked() {
            show.push(PipelineCommand::Edit(false));
        }
        add_ui(ui, show);
    });
    cut.top(sizes::S1);
    parts::inside_ui(ui, cut.0, Layout::default(), |ui| {
        let area = ScrollArea::vertical()
            .id_salt("pipeline steps")
            .auto_shrink(false);
        area.show(ui, |ui| {
            steps_ui(ui, show);
            code_ui(ui, show);
        });
    });
}

fn add_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let button = ui.button(words::ADD).tip(words::ADD_TIP);
    if let Some(layer) = add_menu::menu_ui(&button, add_menu::size(show.state), &Framework::ALL) {
        show.push(PipelineCommand::Add(layer));
    }
}

fn steps_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    let steps = &show.state.settings.pipeline.steps;
    ui.spacing_mut().item_spacing.y = sizes::S1;
    if steps.is_empty() {
        parts::label_ui(ui, text::muted(words::NO_STEPS, palette));
    }
    let n = steps.len();
    for (index, step) in steps.iter().enumerate() {
        let size = vec2(ui.available_width(), sizes::CONTROL_HEIGHT);
        let (rect, row) = ui.allocate_exact_size(size, Sense::hover());
        step_ui(ui, show, step, index, n, rect);
        drop_ui(ui, show, &row, rect, index);
        if show.state.grid.expanded == Some(index) {
            ui.push_id(("parameters", index), |ui| {
                parameters::parameters_ui(ui, show, index, step);
            });
        } else if let Some(difference) = super::step_difference(show.state, index) {
            let line = words::obeys(&step.layer, show.state.semantics(), difference);
            ui.indent(("obeys", index), |ui| {
                parts::wrapped_ui(ui, text::note(line, palette));
            });
        }
        if let Some((_, reason)) = show
            .state
            .grid
            .refused
            .as_ref()
            .filter(|(i, _)| *i == index)
        {
            parts::wrapped_ui(
                ui,
                text::note(reason.as_str(), palette).color(palette.error),
            );
        }
    }
}

/// A field for code whose layers are to be taken.
fn code_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    ui.add_space(sizes::S2);
    parts::title_ui(ui, words::CODE_TITLE);
    let id = Id::unique("code of a pipeline");
    let mut code = ui
        .data(|data| data.get_temp::<String>(id))
        .unwrap_or_default();
    let field = TextEdit::multiline(&mut code)
        .id(id)
        .code_editor()
        .hint_text(words::CODE_HINT)
        .char_limit(MOST_CODE_BYTES)
        .desired_rows(CODE_ROWS)
        .desired_width(f32::INFINITY);
    let response = ui.add(field);
    parts::named(ui, &response, words::CODE_FIELD);
    let button = ui.add_enabled(!code.trim().is_empty(), Button::new(words::USE_CODE));
    if button.clicked() {
        show.push(PipelineCommand::ReadCode(code.clone()));
    }
    if let Some(why) = &show.state.grid.code_refused {
        let why = text::note(why.as_str(), palette).color(palette.error);
        parts::wrapped_ui(ui, why);
    }
    ui.data_mut(|data| data.insert_temp(id, code));
}

/// Where a dragged step would go; it goes there when it is dropped.
fn drop_ui(ui: &Ui, show: &mut Show<'_>, row: &Response, rect: Rect, index: usize) {
    if row.dnd_hover_payload::<Dragged>().is_none() {
        return;
    }
    let Some(pointer) = ui.input(|i| i.pointer.interact_pos()) else {
        return;
    };
    let below = pointer.y > rect.center().y;
    let y = if below { rect.bottom() } else { rect.top() };
    let color = theme::palette(ui).inference.ink;
    ui.painter()
        .hline(rect.x_range(), y, Stroke::new(sizes::CELL_RING, color));
    if let Some(dragged) = row.dnd_release_payload::<Dragged>() {
        let gap = index + usize::from(below);
        let from = dragged.0;
        let to = if from < gap { gap - 1 } else { gap };
        if from != to {
            show.push(PipelineCommand::Move { from, to });
        }
    }
}

fn step_ui(
    ui: &mut Ui,
    show: &mut Show<'_>,
    step: &PipelineStep,
    index: usize,
    n: usize,
    rect: Rect,
) {
    let palette = theme::palette(ui);
    let class = step.layer.class();
    let number = index + 1;
    if DragAndDrop::payload::<Dragged>(ui.ctx()).is_some_and(|dragged| dragged.0 == index) {
        ui.painter()
            .rect_filled(rect, sizes::CONTROL_RADIUS, palette.hover);
    }
    let mut child = ui.new_child(
        UiBuilder::new()
            .id_salt(("step", index))
            .max_rect(rect)
            .layout(Layout::left_to_right(Align::Center)),
    );
    let ui = &mut child;
    ui.spacing_mut().item_spacing.x = sizes::S1;
    handle_ui(ui, index, &words::drag(class, number));
    ui.add_space(sizes::S1);
    let (space, _) = ui.allocate_exact_size(Vec2::splat(sizes::CHECKBOX), Sense::hover());
    let id = ui.scope_id().with("on");
    let name = words::on(class, number);
    if parts::checkbox_ui(ui, space, id, &name, step.on).clicked() {
        show.push(PipelineCommand::SetStep(index, !step.on));
    }
    ui.add_space(sizes::S1);
    let left = ui.next_widget_position().x;
    let expanded = show.state.grid.expanded == Some(index);
    let room = rect.with_min_x(left);
    let buttons_left = parts::inside_ui(ui, room, Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let remove = icon_ui(ui, Icon::Remove, &words::remove(class, number), true);
        if remove.clicked() {
            show.push(PipelineCommand::Remove(index));
        }
        let down = icon_ui(ui, Icon::Down, &words::move_down(class, number), number < n);
        if down.clicked() {
            show.push(PipelineCommand::Move {
                from: index,
                to: index + 1,
            });
        }
        let up = icon_ui(ui, Icon::Up, &words::move_up(class, number), index > 0);
        if up.clicked() {
            show.push(PipelineCommand::Move {
                from: index,
                to: index - 1,
            });
        }
        ui.min_rect().left()
    });
    let title = room.with_max_x(buttons_left);
    let response = ui.interact(title, ui.scope_id().with("title"), Sense::click());
    let info = words::parameters_of(class, number);
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, expanded, &info));
    if response.clicked() {
        show.push(PipelineCommand::Expand((!expanded).then_some(index)));
    }
    parts::focus_ring(ui, &response, title.shrink(sizes::LINE));
    let ink = if step.on { palette.ink } else { palette.muted };
    parts::row_ui(ui, title, |ui| {
        ui.spacing_mut().item_spacing.x = sizes::S1;
        let (arrow, _) = ui.allocate_exact_size(Vec2::splat(sizes::TRIANGLE), Sense::hover());
        icon(
            ui,
            if expanded { Icon::Down } else { Icon::Right },
            arrow,
            palette.muted,
        );
        let words = if expanded {
            text::strong(class)
        } else {
            egui::RichText::new(class)
        };
        parts::label_ui(ui, words.color(ink));
        let call = step.layer.code();
        let arguments = call.strip_prefix(class).unwrap_or_default();
        parts::line_ui(ui, text::note(arguments, palette));
    });
    response.tip(step.layer.code());
}

/// Three lines to take the step by.
fn handle_ui(ui: &mut Ui, index: usize, name: &str) {
    let palette = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(sizes::S3, sizes::CHEVRON), Sense::drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    let stroke = Stroke::new(sizes::LINE, palette.muted);
    for line in [-1.0, 0.0, 1.0] {
        let y = rect.center().y + line * sizes::S1;
        ui.painter().hline(rect.x_range(), y, stroke);
    }
    response.dnd_set_drag_payload(Dragged(index));
    response.tip(words::DRAG_TIP);
}
