//! A small picture of what a view shows, for the card of a lesson.

use eframe::egui::{Painter, Rect, Stroke, StrokeKind, pos2, vec2};

use crate::model::Mode;
use crate::state::View;
use crate::theme::{Palette, sizes};
use crate::views::parts;

/// Draws the picture of a view.
pub fn paint(painter: &Painter, rect: Rect, view: View, palette: &Palette) {
    // A picture that is much higher than wide would be distorted.
    let rect = rect.shrink(sizes::S2);
    let height = rect.height().min(rect.width() * sizes::PICTURE_HEIGHT);
    let rect = Rect::from_center_size(rect.center(), vec2(rect.width(), height));
    match view {
        View::Start | View::Trainable => switches(painter, rect, palette),
        View::Augmentation => grid(painter, rect, palette),
        View::Dropout => units(painter, rect, palette),
        View::BatchNorm => bells(painter, rect, palette),
        View::FineTune => curves(painter, rect, palette),
        View::Predict => bars(painter, rect, palette),
        View::Releases => table(painter, rect, palette),
    }
}

/// The cells of a grid of `columns` by `rows`, from left to right and from top to bottom.
fn cells(rect: Rect, columns: usize, rows: usize) -> impl Iterator<Item = (usize, Rect)> {
    let size = rect.size() / vec2(columns as f32, rows as f32);
    (0..columns * rows).map(move |i| {
        let at = vec2((i % columns) as f32, (i / columns) as f32);
        (i, Rect::from_min_size(rect.min + at * size, size))
    })
}

/// A square in the middle of a rectangle.
fn square(rect: Rect) -> Rect {
    fitted(rect, 1.0)
}

/// The largest rectangle in the middle of another with this width for each unit of height.
fn fitted(rect: Rect, aspect: f32) -> Rect {
    let height = rect.height().min(rect.width() / aspect);
    Rect::from_center_size(rect.center(), vec2(height * aspect, height))
}

/// Four cards: both switches, both ways.
fn switches(painter: &Painter, rect: Rect, palette: &Palette) {
    let room = fitted(rect, 1.6);
    for (i, cell) in cells(room, 2, 2) {
        let mode = if i % 2 == 0 {
            Mode::Training
        } else {
            Mode::Inference
        };
        let cell = cell.shrink(sizes::PICTURE_GAP);
        painter.rect_filled(cell, sizes::PICTURE_RADIUS, palette.mode(mode).band);
        parts::mark(painter, cell.center(), sizes::SMALL_MARK, mode, palette);
    }
}

/// Nine photos, each turned by another angle.
fn grid(painter: &Painter, rect: Rect, palette: &Palette) {
    let angles = [0.0, 0.3, -0.2, 0.5, -0.4, 0.1, -0.6, 0.2, -0.1_f32];
    for ((_, cell), angle) in cells(square(rect), 3, 3).zip(angles) {
        let cell = cell.shrink(sizes::PICTURE_GAP);
        painter.rect_filled(cell, 0, palette.training.band);
        // A triangle, so that the turn can be seen.
        let radius = cell.width() * 0.36;
        let corners = [0.0, 2.3, 4.0_f32].map(|corner| {
            let (sin, cos) = (corner + angle - std::f32::consts::FRAC_PI_2).sin_cos();
            cell.center() + radius * vec2(cos, sin)
        });
        let shape = eframe::egui::Shape::convex_polygon(
            corners.to_vec(),
            palette.training.ink,
            Stroke::NONE,
        );
        painter.add(shape);
    }
}

/// Units, some of which are dropped.
fn units(painter: &Painter, rect: Rect, palette: &Palette) {
    let dropped = [1, 6, 7, 12, 15, 20, 26];
    let room = fitted(rect, 1.75);
    for (i, cell) in cells(room, 7, 4) {
        let cell = cell.shrink(sizes::PICTURE_GAP);
        if dropped.contains(&i) {
            let stroke = Stroke::new(sizes::LINE, palette.strong_line);
            painter.rect_stroke(cell, 0, stroke, StrokeKind::Inside);
        } else {
            let strength = 0.35 + 0.15 * (i % 5) as f32;
            painter.rect_filled(cell, 0, palette.training.unit(strength));
        }
    }
}

/// The distribution in the batch, and the stored one beside it.
fn bells(painter: &Painter, rect: Rect, palette: &Palette) {
    for (mode, center, width) in [(Mode::Training, 0.42, 0.13), (Mode::Inference, 0.62, 0.17)] {
        let points = (0..=40).map(|i| {
            let x = i as f32 / 40.0;
            let z = (x - center) / width;
            let height = (-z * z / 2.0).exp() * 0.13 / width;
            pos2(
                rect.left() + x * rect.width(),
                rect.bottom() - height * rect.height(),
            )
        });
        let stroke = Stroke::new(sizes::HOLLOW_STROKE, palette.mode(mode).ink);
        painter.line(points.collect(), stroke);
    }
    let line = Stroke::new(sizes::LINE, palette.strong_line);
    painter.hline(rect.x_range(), rect.bottom(), line);
}

/// The loss in training, and that of validation in inference.
fn curves(painter: &Painter, rect: Rect, palette: &Palette) {
    for (mode, end) in [(Mode::Training, 0.92), (Mode::Inference, 0.45)] {
        let at = |i: u8| {
            let x = f32::from(i) / 6.0;
            let fall = end * (1.0 - (-3.0 * x).exp());
            pos2(
                rect.left() + x * rect.width(),
                rect.top() + fall * rect.height(),
            )
        };
        let stroke = Stroke::new(sizes::HOLLOW_STROKE, palette.mode(mode).ink);
        painter.line((0..=6).map(at).collect(), stroke);
        for i in [0, 2, 4, 6] {
            parts::mark(painter, at(i), sizes::SMALL_MARK, mode, palette);
        }
    }
}

/// The classes in both modes.
fn bars(painter: &Painter, rect: Rect, palette: &Palette) {
    let lengths = [[0.9, 0.6], [0.4, 0.55], [0.2, 0.15]];
    for ((_, row), pair) in cells(rect, 1, 3).zip(lengths) {
        for ((_, bar), (mode, length)) in
            cells(row.shrink(sizes::PICTURE_GAP), 1, 2).zip(Mode::BOTH.into_iter().zip(pair))
        {
            let bar = bar.with_max_x(bar.left() + bar.width() * length);
            painter.rect_filled(bar, 0, palette.mode(mode).bar);
        }
    }
}

/// A column for each release; some cells differ from those before.
fn table(painter: &Painter, rect: Rect, palette: &Palette) {
    let differs = [2, 6, 10, 11];
    for (i, cell) in cells(rect, 4, 3) {
        let cell = cell.shrink(sizes::PICTURE_GAP);
        let mode = if differs.contains(&i) {
            Mode::Training
        } else {
            Mode::Inference
        };
        painter.rect_filled(cell, 0, palette.mode(mode).band);
        parts::mark(painter, cell.center(), sizes::SMALL_MARK, mode, palette);
    }
}
