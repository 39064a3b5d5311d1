//! A question that comes before the numbers: its choices in the middle of the window, and later in the
//! lesson's panel what was chosen and what is right.

use eframe::egui;
use eframe::egui::{
    Id, Layout, Painter, Pos2, Rect, Role, ScrollArea, Sense, Shape, Stroke, StrokeKind, Ui, Vec2,
    WidgetInfo, pos2, vec2,
};

use crate::command::{Action, LessonCommand};
use crate::lesson::{OpenLesson, Prediction, fill};
use crate::state::State;
use crate::theme::{self, Palette, sizes, text};
use crate::views::{Show, markdown, parts};
use crate::words::lesson as words;
use crate::words::markup::{Marks, spans};

/// The identity of a choice, for the keyboard focus.
pub fn choice_id(number: usize) -> Id {
    Id::unique("choice of a prediction").with(number)
}

/// The question of the step and its choices, in place of the step's results.
pub fn choose_ui(ui: &mut Ui, show: &mut Show<'_>, open: &OpenLesson, room: Rect) {
    let Some(predict) = open.now().and_then(|step| step.predict.as_ref()) else {
        return;
    };
    let state = show.state;
    let palette = theme::palette(ui);
    parts::card(ui.painter(), room, palette);
    let width = (room.width() - 2.0 * sizes::S4).min(sizes::QUESTION);
    let size = vec2(width, room.height() - 2.0 * sizes::S4);
    let inner = Rect::from_center_size(room.center(), size);
    parts::inside_ui(ui, inner, Layout::default(), |ui| {
        let area = ScrollArea::vertical().id_salt(("question", open.step));
        area.auto_shrink(false).show(ui, |ui| {
            ui.set_max_width(width - sizes::SCROLL_BAR);
            ui.spacing_mut().item_spacing.y = sizes::S3;
            ui.add_space((size.y * sizes::QUESTION_TOP).floor());
            parts::title_ui(ui, words::CHOOSE_FIRST);
            let question = fill(&predict.text, state);
            let job = text::large_prose(&question, ui.available_width(), palette);
            ui.add(egui::Label::new(job).wrap());
            for (number, choice) in predict.choices.iter().enumerate() {
                if choice_ui(ui, number, &fill(&choice.text, state)) {
                    show.push(LessonCommand::Choose(Some(number)));
                }
            }
            let next = Action::NextStep.info().shortcut;
            let next = next.map_or(String::new(), |key| parts::keys(ui.ctx(), key));
            parts::wrapped_ui(ui, text::note(words::choose_keys(&next), palette));
        });
    });
}

/// A choice as wide as there is room; true if it was clicked.
fn choice_ui(ui: &mut Ui, number: usize, choice: &str) -> bool {
    let palette = theme::palette(ui);
    let words = words::choice(number, choice);
    let width = ui.available_width();
    let job = text::choice(&words, width - 2.0 * sizes::S3, palette);
    let galley = ui.painter().layout_job(job);
    let size = vec2(width, galley.size().y + 2.0 * sizes::S3);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let response = ui.interact(rect, choice_id(number), Sense::click());
    let name: String = spans(&words, Marks::All)
        .into_iter()
        .map(|span| span.text)
        .collect();
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    let fill = if response.hovered() || response.has_focus() {
        palette.hover
    } else {
        palette.background
    };
    let stroke = Stroke::new(sizes::LINE, palette.strong_line);
    let painter = ui.painter();
    painter.rect(
        rect,
        sizes::CONTROL_RADIUS,
        fill,
        stroke,
        StrokeKind::Inside,
    );
    painter.galley(rect.min + Vec2::splat(sizes::S3), galley, palette.ink);
    parts::focus_ring(ui, &response, rect);
    if response.has_focus() {
        ui.scroll_to_rect(rect, None);
    }
    response.clicked()
}

/// The question with the choice and the right answer, and why it is right.
pub fn result_ui(ui: &mut Ui, state: &State, predict: &Prediction, chosen: Option<usize>) {
    let palette = theme::palette(ui);
    let semantics = state.semantics();
    markdown::markdown_ui(ui, &words::question(&fill(&predict.text, state)));
    for (number, choice) in predict.choices.iter().enumerate() {
        let is_right = choice.is_right(semantics);
        let is_chosen = chosen == Some(number);
        let verdict = match (is_chosen, is_right) {
            (true, true) => words::CHOSEN_AND_RIGHT,
            (true, false) => words::CHOSEN_AND_WRONG,
            (false, true) => words::RIGHT,
            (false, false) => "",
        };
        let line = words::choice(number, &fill(&choice.text, state));
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = sizes::S1;
            let size = vec2(sizes::MARK + sizes::S1, sizes::PROSE_LINE);
            let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
            let middle = pos2(rect.left() + sizes::MARK / 2.0, rect.center().y);
            verdict_mark(ui.painter(), middle, is_chosen, is_right, palette);
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                markdown::markdown_ui(ui, &line);
                if !verdict.is_empty() {
                    let color = if is_right {
                        palette.advice
                    } else {
                        palette.error
                    };
                    parts::wrapped_ui(ui, text::strong(verdict).color(color));
                }
            });
        });
    }
    if chosen.is_none() {
        parts::wrapped_ui(ui, text::muted(words::NOTHING_CHOSEN, palette));
    }
    markdown::markdown_ui(ui, &fill(&predict.answer, state));
    if predict.is_contradicted(semantics, state) {
        let line = egui::RichText::new(words::CONTRADICTED).color(palette.error);
        parts::wrapped_ui(ui, line);
    }
}

/// A tick at the right answer, a cross at a wrong choice.
fn verdict_mark(painter: &Painter, at: Pos2, chosen: bool, right: bool, palette: &Palette) {
    let half = sizes::MARK / 2.0;
    if right {
        let stroke = Stroke::new(sizes::CHECK_STROKE, palette.advice);
        let points = [(-1.0, 0.0), (-0.3, 0.7), (1.0, -0.8)];
        let points = points.map(|(x, y)| at + vec2(x * half, y * half));
        painter.add(Shape::line(points.to_vec(), stroke));
    } else if chosen {
        let stroke = Stroke::new(sizes::CHECK_STROKE, palette.error);
        let end = vec2(half, half) * sizes::CROSS_SHARE;
        painter.line_segment([at - end, at + end], stroke);
        let end = vec2(end.x, -end.y);
        painter.line_segment([at - end, at + end], stroke);
    }
}
