//! One photo nine times through the pipeline, in both modes.

use eframe::egui;
use eframe::egui::{
    Color32, CornerRadius, Layout, Rect, RichText, Role, Sense, Stroke, StrokeKind, Ui, Vec2,
    WidgetInfo, pos2, vec2,
};

use super::explain::Explanation;
use super::parts::{self, Cut};
use super::picker::{self, Entry};
use super::{Show, centre, code, text as sentences};
use crate::augment::Preset;
use crate::command::{Action, Command};
use crate::model::{Mode, Semantics};
use crate::state::{State, View};
use crate::theme::{self, sizes, text};
use crate::worker::{AugmentationOutcome, Cell, Outcome};

/// Cells of a row and of a column.
const SIDE: usize = 3;

/// The preset and one chip for each step of the pipeline; "redraw" at the right.
pub fn controls_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let pipeline = &show.state.settings.pipeline;
    let named = Preset::ALL
        .into_iter()
        .find(|preset| preset.pipeline() == *pipeline);
    let value = named.map_or("Changed", Preset::label);
    let entries = || {
        let entry = |preset: Preset| Entry {
            name: preset.label().to_owned(),
            note: String::new(),
            chosen: named == Some(preset),
        };
        Preset::ALL.map(entry).into()
    };
    if let Some(i) = picker::picker_ui(ui, "Pipeline", value, entries) {
        show.push(Command::SetPreset(Preset::ALL[i]));
    }
    let right = ui.max_rect();
    let width = sizes::REDRAW_WIDTH.min(right.width());
    let chips = ui
        .available_rect_before_wrap()
        .with_max_x(right.right() - width);
    parts::row_ui(ui, chips, |ui| chips_ui(ui, show));
    parts::inside_ui(
        ui,
        right,
        Layout::right_to_left(egui::Align::Center),
        |ui| {
            redraw_ui(ui, show, "Redraw");
        },
    );
}

fn chips_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    ui.spacing_mut().item_spacing.x = sizes::S1;
    let state = show.state;
    for (i, step) in state.settings.pipeline.steps.iter().enumerate() {
        let call = step.layer.keras_code();
        let class = step.layer.class();
        // Where chips would not fit, they lose their arguments, which stay in the tooltip.
        let steps = state.settings.pipeline.steps.len();
        let arguments = call
            .strip_prefix(class)
            .filter(|_| steps <= 3)
            .unwrap_or_default();
        let name = if steps <= 3 {
            class
        } else {
            class.trim_start_matches("Random")
        };
        let color = if step.on { palette.ink } else { palette.faint };
        let mut first = RichText::new(name).color(color);
        if !step.on {
            first = first.strikethrough();
        }
        let second = RichText::new(arguments).color(if step.on {
            palette.muted
        } else {
            palette.faint
        });
        let chip = egui::Button::new((first, second))
            .corner_radius(sizes::PILL_RADIUS)
            .gap(0.0);
        let on_off = if step.on {
            "A click turns it off"
        } else {
            "Off. A click turns it on"
        };
        let response = ui.add(chip).on_hover_text(format!("{call}\n{on_off}"));
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, step.on, class));
        if response.clicked() {
            show.push(Command::SetStep(i, !step.on));
        }
    }
}

/// The button that draws anew, with its key.
pub fn redraw_ui(ui: &mut Ui, show: &mut Show<'_>, label: &str) {
    let palette = theme::palette(ui);
    let key = text::muted("R", palette);
    let button = egui::Button::new((label, key)).corner_radius(sizes::PILL_RADIUS);
    let response = parts::with_tooltip(ui.add(button), Action::Redraw);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, label));
    if response.clicked() {
        show.push(Action::Redraw);
    }
}

/// The latest outcome, up to date or not.
fn outcome(state: &State) -> Option<&AugmentationOutcome> {
    match &state.computed.result(View::Augmentation)?.outcome {
        Outcome::Augmentation(outcome) => Some(outcome),
        Outcome::Dropout(_) | Outcome::BatchNorm(_) => None,
    }
}

/// Sentences and code.
pub fn explanation(state: &State) -> Explanation {
    let semantics = state.semantics();
    let text = outcome(state).map(|o| sentences::augmentation(o, semantics));
    Explanation {
        text: text.unwrap_or_default(),
        code: code::augmentation(&state.settings.pipeline, semantics),
    }
}

/// The two grids.
pub fn body_ui(ui: &mut Ui, show: &mut Show<'_>, cut: Cut) {
    let semantics = show.state.semantics();
    for (mode, rect) in Mode::BOTH.into_iter().zip(cut.halves(sizes::COLUMN_GAP)) {
        let note = match (mode, semantics) {
            (_, Semantics::PyTorch) => "the data loader draws anew in both modes",
            (Mode::Training, _) => "each cell draws anew",
            (Mode::Inference, _) => "the layers return their input",
        };
        let title = sentences::mode_label(mode, semantics);
        let room = parts::column_ui(ui, rect, mode, title, note);
        match outcome(show.state) {
            Some(outcome) => grid_ui(ui, show, outcome, mode, room),
            None => centre::waiting_ui(ui, show, room, mode),
        }
    }
}

fn grid_ui(
    ui: &mut Ui,
    show: &mut Show<'_>,
    outcome: &AugmentationOutcome,
    mode: Mode,
    room: Rect,
) {
    let (cells, textures) = match mode {
        Mode::Training => (
            &outcome.training,
            show.state.computed.grid.as_ref().map(|g| &g.training),
        ),
        Mode::Inference => (
            &outcome.inference,
            show.state.computed.grid.as_ref().map(|g| &g.inference),
        ),
    };
    let Some(textures) = textures else { return };
    let room = room.shrink2(vec2(sizes::S4, sizes::S3));
    let aspect = outcome.original.width as f32 / outcome.original.height.max(1) as f32;
    let cell_size = cell_size(room.size(), aspect);
    let pitch = cell_size + vec2(sizes::CELL_GAP, sizes::CAPTION + sizes::S1);
    let grid = pitch * SIDE as f32 - vec2(sizes::CELL_GAP, sizes::S1);
    let origin = (room.min + ((room.size() - grid) / 2.0).max(Vec2::ZERO)).round();
    for (i, (cell, texture)) in cells.iter().zip(textures).enumerate().take(SIDE * SIDE) {
        let [row, column] = [i / SIDE, i % SIDE];
        let min = origin + vec2(column as f32 * pitch.x, row as f32 * pitch.y);
        let rect = Rect::from_min_size(min, cell_size);
        cell_ui(
            ui,
            show,
            cell,
            texture.id(),
            Place {
                index: i,
                mode,
                rect,
            },
        );
    }
}

/// The largest cell of this aspect of which three rows with captions, and three columns, fit.
fn cell_size(room: Vec2, aspect: f32) -> Vec2 {
    let side = SIDE as f32;
    let width = (room.x - sizes::CELL_GAP * (side - 1.0)) / side;
    let height = (room.y + sizes::S1) / side - sizes::CAPTION - sizes::S1;
    let height = height.min(width / aspect).clamp(1.0, sizes::CELL_MAX);
    vec2((height * aspect).floor(), height.floor())
}

#[derive(Clone, Copy)]
struct Place {
    index: usize,
    mode: Mode,
    rect: Rect,
}

fn cell_ui(ui: &mut Ui, show: &mut Show<'_>, cell: &Cell, texture: egui::TextureId, place: Place) {
    let Place { index, mode, rect } = place;
    let palette = theme::palette(ui);
    let id = ui.scope_id().with(("cell", mode, index));
    let response = ui.interact(rect, id, Sense::click());
    let side = sentences::mode_label(mode, show.state.semantics());
    let name = format!("{side}, image {}: {}", index + 1, cell.words);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    let shape = egui::epaint::RectShape::filled(
        rect,
        CornerRadius::same(sizes::IMAGE_RADIUS),
        Color32::WHITE,
    )
    .with_texture(texture, uv);
    ui.painter().add(shape);
    let chosen = show.state.computed.cell == Some(index);
    if chosen || response.has_focus() {
        let stroke = Stroke::new(sizes::CELL_RING, palette.mode(mode).ink);
        let ring = rect.expand(sizes::CELL_RING);
        ui.painter()
            .rect_stroke(ring, sizes::CONTROL_RADIUS, stroke, StrokeKind::Inside);
    }
    if response.clicked() {
        show.push(Command::SetCell((!chosen).then_some(index)));
    }
    let caption = Rect::from_min_size(
        rect.left_bottom() + vec2(-sizes::CELL_GAP / 2.0, 2.0),
        vec2(rect.width() + sizes::CELL_GAP, sizes::CAPTION),
    );
    let layout = Layout::centered_and_justified(egui::Direction::TopDown);
    parts::inside_ui(ui, caption, layout, |ui| {
        let mut words = text::note(cell.words.as_str(), palette);
        if chosen {
            words = words.color(palette.ink);
        }
        parts::line_ui(ui, words)
    });
    if let Some(difference) = cell.largest_difference {
        response.on_hover_text(format!(
            "{}\nLargest difference from the photo: {} of 255",
            cell.words,
            super::number::fixed(f64::from(difference), 0),
        ));
    }
}
