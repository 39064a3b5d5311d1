//! The cells of one side.

use eframe::egui;
use eframe::egui::{
    CornerRadius, Id, Layout, Rect, Role, Sense, Stroke, StrokeKind, TextureId, Ui, Vec2,
    WidgetInfo, pos2, vec2,
};

use super::Shown;
use super::words;
use crate::augment::Pipeline;
use crate::command::PipelineCommand;
use crate::model::Mode;
use crate::state::CellPlace;
use crate::theme::{self, sizes, text};
use crate::views::{Show, parts};
use crate::words::modes;
use crate::words::number::{fixed, measured};
use modelens_jobs::{AugmentationLook, Grid, GridCell};

/// The identity of a cell, for the keyboard focus.
pub fn cell_id(place: CellPlace) -> Id {
    Id::unique(("augmentation cell", place.mode, place.index))
}

/// The layout of the cells.
struct Arrangement {
    columns: usize,
    origin: egui::Pos2,
    cell: Vec2,
    pitch: Vec2,
    /// Above each row.
    label: f32,
    captions: bool,
}

impl Arrangement {
    fn new(look: &AugmentationLook, cells: usize, room: Rect) -> Self {
        let epochs = look.grid == Grid::ThreeEpochs;
        let [columns, rows] = if epochs {
            [cells.div_ceil(3), 3]
        } else {
            [3, 3]
        };
        let (gap, label, caption) = if epochs {
            (sizes::S1, sizes::CAPTION, 0.0)
        } else {
            (sizes::CELL_GAP, 0.0, sizes::CAPTION)
        };
        let between = if epochs { sizes::S4 } else { sizes::S1 };
        let beside = label + caption + between;
        let aspect = look.width as f32 / look.height.max(1) as f32;
        let [across, down] = [columns.max(1) as f32, rows as f32];
        let width = (room.width() - gap * (across - 1.0)) / across;
        let height = (room.height() + between) / down - beside;
        let height = height.min(width / aspect).clamp(1.0, sizes::CELL_MAX);
        let cell = vec2((height * aspect).floor(), height.floor());
        // Small cells move apart for their captions, as far as there is room.
        let wanted = match look.grid {
            Grid::OnePhoto => sizes::CAPTION_WIDTH,
            Grid::NinePhotos => sizes::CAPTION_WIDTH_NAMED,
            Grid::ThreeEpochs => 0.0,
        };
        let most = ((room.width() - across * cell.x) / across).floor();
        let gap = (wanted - cell.x).min(most).max(gap);
        let pitch = cell + vec2(gap, beside);
        let grid = vec2(across * pitch.x - gap, down * pitch.y - between);
        let origin = (room.min + ((room.size() - grid) / 2.0).max(Vec2::ZERO)).round();
        Self {
            columns: columns.max(1),
            origin,
            cell,
            pitch,
            label,
            captions: !epochs && pitch.x >= sizes::CAPTION_WIDTH_MIN,
        }
    }

    fn rect(&self, index: usize) -> Rect {
        let [row, column] = [index / self.columns, index % self.columns];
        let at = vec2(
            column as f32 * self.pitch.x,
            row as f32 * self.pitch.y + self.label,
        );
        Rect::from_min_size(self.origin + at, self.cell)
    }
}

/// Draws the cells into their column.
pub fn cells_ui(ui: &mut Ui, show: &mut Show<'_>, shown: &Shown<'_>, mode: Mode, room: Rect) {
    let textures = match mode {
        Mode::Training => &shown.textures.training,
        Mode::Inference => &shown.textures.inference,
    };
    let cells = shown.outcome.side(mode);
    let arrangement = Arrangement::new(
        shown.look,
        cells.len(),
        room.shrink2(vec2(sizes::S4, sizes::S3)),
    );
    for (index, (cell, texture)) in cells.iter().zip(textures).enumerate() {
        let place = CellPlace { mode, index };
        let rect = arrangement.rect(index);
        if arrangement.label > 0.0 && index % arrangement.columns == 0 {
            let row = index / arrangement.columns;
            let size = vec2(room.right() - rect.left(), arrangement.label);
            let line = Rect::from_min_size(rect.left_top() - vec2(0.0, arrangement.label), size);
            let palette = theme::palette(ui);
            parts::row_ui(ui, line, |ui| {
                parts::label_ui(ui, text::note(words::epoch(row + 1), palette))
            });
        }
        if index % arrangement.columns == 0 {
            note_row(ui, &arrangement, mode, index, room);
        }
        cell_ui(ui, show, shown, cell, texture.id(), place, rect);
        if arrangement.captions {
            let beside = arrangement.pitch.x - arrangement.cell.x;
            caption_ui(
                ui,
                shown,
                cell,
                rect.expand2(vec2(beside / 2.0 - sizes::S1, 0.0)),
            );
        }
    }
}

/// A figure can show a row of cells alone.
fn note_row(ui: &Ui, arrangement: &Arrangement, mode: Mode, first: usize, room: Rect) {
    const ROWS: [[&str; 2]; 3] = [
        [words::LEFT_ROW_1, words::RIGHT_ROW_1],
        [words::LEFT_ROW_2, words::RIGHT_ROW_2],
        [words::LEFT_ROW_3, words::RIGHT_ROW_3],
    ];
    let Some(names) = ROWS.get(first / arrangement.columns) else {
        return;
    };
    let top = arrangement.rect(first).top();
    let height = arrangement.rect(first + arrangement.columns).top() - top;
    let row = Rect::from_x_y_ranges(room.x_range(), top..=(top + height).min(room.bottom()));
    parts::note_plot_of(ui, mode, *names, row);
}

/// The caption below a cell; `rect` is the cell with half of the gap on each side.
fn caption_ui(ui: &mut Ui, shown: &Shown<'_>, cell: &GridCell, rect: Rect) {
    let palette = theme::palette(ui);
    let min = rect.left_bottom() + vec2(0.0, 2.0);
    let size = vec2(rect.width(), sizes::CAPTION);
    let layout = Layout::centered_and_justified(egui::Direction::TopDown);
    let caption = shown.caption(cell);
    // A new label says more than the name of the photo, and there is not room for both.
    let words = if shown.look.grid == Grid::OnePhoto || cell.target.len() > 1 {
        caption
    } else {
        format!("{}: {caption}", shown.stem(cell.photo))
    };
    parts::inside_ui(ui, Rect::from_min_size(min, size), layout, |ui| {
        parts::line_ui(ui, text::note(words, palette))
    });
}

fn cell_ui(
    ui: &mut Ui,
    show: &mut Show<'_>,
    shown: &Shown<'_>,
    cell: &GridCell,
    texture: TextureId,
    place: CellPlace,
    rect: Rect,
) {
    let palette = theme::palette(ui);
    let response = ui.interact(rect, cell_id(place), Sense::click());
    let side = modes::mode_label(place.mode, shown.look.semantics);
    let name = words::cell_name(side, place.index + 1, &shown.caption(cell));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    image_ui(ui, texture, fitted(rect, cell), sizes::IMAGE_RADIUS);
    if response.has_focus() || response.hovered() {
        let stroke = Stroke::new(sizes::CELL_RING, palette.mode(place.mode).ink);
        let ring = rect.expand(sizes::CELL_RING);
        ui.painter()
            .rect_stroke(ring, sizes::CONTROL_RADIUS, stroke, StrokeKind::Inside);
    }
    if response.clicked() {
        show.push(PipelineCommand::Open(Some(place)));
    }
    if parts::tips::is_reached(&response) {
        response.on_hover_ui(|ui| tooltip_ui(ui, shown, cell));
    }
}

/// A picture with round corners.
pub fn image_ui(ui: &Ui, texture: TextureId, rect: Rect, radius: u8) {
    let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    let corners = CornerRadius::same(radius);
    let shape = egui::epaint::RectShape::filled(rect, corners, theme::UNTINTED);
    ui.painter().add(shape.with_texture(texture, uv));
}

/// The place of an image in the rectangle of its original; a crop has another shape.
pub fn fitted(rect: Rect, cell: &GridCell) -> Rect {
    let size = vec2(cell.image.width as f32, cell.image.height as f32).max(Vec2::splat(1.0));
    let scale = (rect.width() / size.x).min(rect.height() / size.y);
    Rect::from_center_size(rect.center(), size * scale)
}

/// Class, words and their meaning of each step that is on.
pub fn steps(pipeline: &Pipeline, cell: &GridCell) -> Vec<(&'static str, String)> {
    let on = pipeline.steps.iter().filter(|step| step.on);
    let step = |(i, step): (usize, &crate::augment::PipelineStep)| {
        let class = step.layer.class();
        let Some(draw) = cell.draws.get(i) else {
            let unchanged = if step.layer.is_training_only() {
                words::RETURNS_INPUT
            } else {
                words::ACTS_IN_BOTH
            };
            return (class, unchanged.to_owned());
        };
        let words = draw.words();
        let words = match draw.meaning() {
            _ if words.is_empty() && !step.layer.is_random() => {
                let both = !step.layer.is_training_only();
                if both {
                    words::ACTS_IN_BOTH
                } else {
                    words::TRAINING_ONLY
                }
                .to_owned()
            }
            _ if words.is_empty() => words::UNCHANGED.to_owned(),
            Some(meaning) => format!("{words} ({meaning})"),
            None => words,
        };
        (class, words)
    };
    on.enumerate().map(step).collect()
}

/// The rows of a matrix, with numbers below each other.
pub fn matrix_lines(matrix: &[f64]) -> Vec<String> {
    let row = |row: &[f64]| {
        let numbers: Vec<String> = row.iter().map(|&x| format!("{:>9}", fixed(x, 4))).collect();
        numbers.concat()
    };
    matrix.chunks(3).map(row).collect()
}

fn tooltip_ui(ui: &mut Ui, shown: &Shown<'_>, cell: &GridCell) {
    let palette = theme::palette(ui);
    let look = shown.look;
    parts::label_ui(ui, text::strong(shown.stem(cell.photo)));
    for (class, words) in steps(&look.pipeline, cell) {
        ui.label(format!("{class}: {words}"));
    }
    let [height, width] = [cell.original.height, cell.original.width];
    let matrix = look.pipeline.input_from_output(&cell.draws, height, width);
    if let Some(matrix) = matrix.filter(|_| !cell.draws.is_empty()) {
        // A perspective needs the third row.
        let (title, shown) = if matrix[6..] == [0.0, 0.0, 1.0] {
            (words::MATRIX_2_3, &matrix[..6])
        } else {
            (words::MATRIX_3_3, &matrix[..])
        };
        parts::label_ui(ui, text::note(title, palette));
        let source = matrix_lines(shown).join("\n");
        ui.label(text::code_job(&source, f32::INFINITY, palette));
    }
    let difference = match cell.largest_difference {
        Some(difference) => words::largest_difference_short(&measured(f64::from(difference))),
        None => words::pixels(cell.image.height, cell.image.width),
    };
    parts::label_ui(ui, text::note(difference, palette));
    parts::label_ui(ui, text::note(words::OPENS_LARGE, palette));
}
