//! One statistic over further batches: a dot a batch, and the moving value's way.

use eframe::egui::{
    Id, Pos2, Rangef, Rect, Role, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use super::words;
use crate::model::Mode;
use crate::theme::{self, sizes, text};
use crate::views::parts::Tip as _;
use crate::views::parts::{self, Cut};
use crate::views::plots;
use crate::words::number::{measured, told_apart};

/// What to draw.
pub struct WalkPlot<'a> {
    pub id: Id,
    /// `mean` or `variance`.
    pub what: &'a str,
    /// One a batch.
    pub batches: &'a [f64],
    /// The file's, then one after each batch taken in.
    pub moving: &'a [f64],
    /// Batches the axis has room for.
    pub total: usize,
}

impl WalkPlot<'_> {
    /// In words, for the heading and for screen readers.
    fn words(&self) -> String {
        let first = self.moving.first().copied().unwrap_or(0.0);
        let last = self.moving.last().copied().unwrap_or(0.0);
        let what = self.what;
        match self.moving.len() {
            0 | 1 => words::moving_value(what, &measured(first)),
            _ => words::moving_walk(what, &measured(first), &told_apart([first, last])[1]),
        }
    }
}

/// Draws the plot: dots are batches (filled: taken in), the line is the moving value.
pub fn walk_plot_ui(ui: &mut Ui, rect: Rect, plot: &WalkPlot<'_>) {
    let palette = theme::palette(ui);
    let mut cut = Cut(rect);
    let heading = cut.top(sizes::CAPTION);
    let words = plot.words();
    parts::row_ui(ui, heading, |ui| {
        parts::line_ui(ui, text::note(&words, palette))
    });
    let all = plot.batches.iter().chain(plot.moving);
    let [low, high] = plots::range(all.copied());
    let painter = ui.painter().with_clip_rect(rect);
    let ends = [high, low].map(|end| {
        let label = plots::short(end, high - low);
        painter.layout_no_wrap(label, text::tiny(), palette.muted)
    });
    // A number whose minus sign is cut off is another number.
    let widest = ends.iter().map(|label| label.size().x);
    let axis = widest.fold(sizes::WALK_AXIS - sizes::S1, f32::max) + sizes::S1;
    let frame = cut.0.with_min_x(cut.0.left() + axis.ceil());
    let line = Stroke::new(sizes::LINE, palette.line);
    painter.rect_stroke(frame, 0.0, line, StrokeKind::Inside);
    let inner = frame.shrink2(vec2(sizes::S2, sizes::S2));
    let at = |step: usize, value: f64| {
        let x = step as f32 / plot.total.max(1) as f32;
        let y = ((value - low) / (high - low)) as f32;
        pos2(
            inner.left() + x * inner.width(),
            inner.bottom() - y * inner.height(),
        )
    };
    let tops = [frame.top(), frame.bottom() - ends[1].size().y];
    // One value alone has no scale.
    for (label, top) in ends
        .into_iter()
        .zip(tops)
        .filter(|_| !plot.batches.is_empty())
    {
        let left = frame.left() - sizes::S1 - label.size().x;
        painter.galley(pos2(left, top), label, palette.muted);
    }
    if let Some(&file) = plot.moving.first() {
        let y = at(0, file).y;
        let dash = [pos2(frame.left(), y), pos2(frame.right(), y)];
        let stroke = Stroke::new(sizes::LINE, palette.inference.ink);
        let gap = sizes::DASH;
        painter.extend(Shape::dashed_line(&dash, stroke, sizes::DASH, gap));
    }
    let walked = plot.moving.len().saturating_sub(1);
    let colors = palette.mode(Mode::Training);
    for (i, &value) in plot.batches.iter().enumerate() {
        let center = at(i + 1, value);
        if i < walked {
            painter.circle_filled(center, sizes::WALK_DOT, colors.ink);
        } else {
            painter.circle_filled(center, sizes::WALK_DOT, colors.unit(0.4));
        }
    }
    let way: Vec<Pos2> = plot
        .moving
        .iter()
        .enumerate()
        .map(|(step, &value)| at(step, value))
        .collect();
    if let Some(&end) = way.last() {
        parts::mark(&painter, end, sizes::LAMP, Mode::Inference, palette);
    }
    let stroke = Stroke::new(sizes::CELL_RING, palette.inference.ink);
    painter.add(Shape::line(way, stroke));
    let response = ui.interact(frame, plot.id, Sense::hover());
    let name = words::walk_dots(&words, plot.what, plot.batches.len());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
    let Some(pointer) = response.hover_pos() else {
        return;
    };
    let share = Rangef::new(inner.left(), inner.right());
    let share = (pointer.x - share.min) / share.span();
    let step = (share * plot.total as f32).round().max(0.0) as usize;
    let mut lines = Vec::new();
    if let Some(&batch) = step.checked_sub(1).and_then(|i| plot.batches.get(i)) {
        lines.push(words::batch_value(step, plot.what, &measured(batch)));
    }
    if let Some(&moving) = plot.moving.get(step) {
        let when = if step == 0 {
            words::IN_THE_FILE
        } else {
            words::AFTER_IT
        };
        lines.push(words::moving_when(plot.what, when, &measured(moving)));
    }
    if !lines.is_empty() {
        response.tip_at_pointer(lines.join("\n"));
    }
}
