//! Curves of a run and how far its layers moved, on axes that all runs share.

use eframe::egui::{Align2, Color32, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2};

use super::words;
use crate::model::Mode;
use crate::state::RunState;
use crate::theme::{self, Palette, sizes, text};
use crate::train::movement::Movement;
use crate::views::parts;
use crate::views::parts::Tip as _;
use crate::words::number::fixed;

/// Relative movements below this are drawn as the shortest bar.
const LEAST: f64 = 1e-5;

/// The ends of the axes.
#[derive(Clone, Copy, Debug)]
pub struct Axes {
    steps: f64,
    loss: f64,
}

impl Axes {
    /// Wide enough for every run.
    pub fn of(runs: &[RunState]) -> Self {
        let steps = runs.iter().map(|r| r.total.max(r.steps.len())).max();
        let all = || runs.iter().flat_map(|r| &r.steps);
        let validation = all().filter_map(|s| s.end.as_ref()?.validation);
        let losses = all().map(|s| s.batch.loss);
        let losses = losses.chain(validation.flat_map(|v| v.map(|s| s.loss)));
        let loss = losses.filter(|l| l.is_finite()).fold(0.0, f64::max);
        Self {
            steps: steps.unwrap_or(1).max(1) as f64,
            loss: if loss > 0.0 { loss * 1.05 } else { 1.0 },
        }
    }
}

/// Which of the two curves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    Loss,
    Accuracy,
}

/// Both, as they are drawn from left to right.
pub const BOTH: [Curve; 2] = [Curve::Loss, Curve::Accuracy];

/// Each batch as a thin line, the validation photos as marks: filled with training=True, hollow in
/// inference.
pub fn curve_ui(ui: &mut Ui, rect: Rect, run: &RunState, curve: Curve, axes: &Axes) {
    let palette = theme::palette(ui);
    let (name, top) = match curve {
        Curve::Loss => (words::LOSS, axes.loss),
        Curve::Accuracy => (words::ACCURACY, 1.0),
    };
    let (head, plot) = rect.split_top_bottom_at_y(rect.top() + sizes::CAPTION);
    let value = run.steps.last().map(|s| match curve {
        Curve::Loss => s.batch.loss,
        Curve::Accuracy => s.batch.accuracy,
    });
    let value = value.map_or(String::new(), |v| fixed(v, 2));
    let value = if value.is_empty() || rect.width() < sizes::RUN_CAPTION {
        value
    } else {
        words::of_batch(&value)
    };
    caption(ui, head, name, &value);
    let response = ui.interact(plot, ui.scope_id().with((&run.name, name)), Sense::hover());
    let spoken = words::curve_name(name, &run.name, run.steps.len());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &spoken));
    frame(ui, plot, palette);
    let at = |step: usize, value: f64| {
        // Marks at the ends stay inside.
        let room = plot.shrink(sizes::LAMP / 2.0 + sizes::LINE);
        let x = room.left() + (step as f64 / axes.steps) as f32 * room.width();
        let y = room.bottom() - (value / top).clamp(0.0, 1.0) as f32 * room.height();
        pos2(x, y)
    };
    let label = |y: f32, align: Align2, value: String| {
        let place = pos2(plot.left() + sizes::S1, y);
        ui.painter()
            .text(place, align, value, text::tiny(), palette.muted);
    };
    label(
        plot.top(),
        Align2::LEFT_TOP,
        if curve == Curve::Loss {
            fixed(top, 1)
        } else {
            "1".into()
        },
    );
    label(plot.bottom(), Align2::LEFT_BOTTOM, "0".into());
    let painter = ui.painter().with_clip_rect(plot.expand(sizes::S1));
    let line: Vec<_> = run
        .steps
        .iter()
        .map(|s| match curve {
            Curve::Loss => at(s.step, s.batch.loss),
            Curve::Accuracy => at(s.step, s.batch.accuracy),
        })
        .collect();
    let thin = Stroke::new(sizes::LINE, palette.training.bar.gamma_multiply(0.6));
    painter.add(Shape::line(line, thin));
    for (mode, place) in Mode::BOTH.into_iter().zip(0..) {
        let ends = run.steps.iter().filter_map(|s| {
            let score = s.end.as_ref()?.validation?[place];
            Some(match curve {
                Curve::Loss => at(s.step, score.loss),
                Curve::Accuracy => at(s.step, score.accuracy),
            })
        });
        let ends: Vec<_> = ends.collect();
        let stroke = Stroke::new(sizes::HOLLOW_STROKE, palette.mode(mode).ink);
        painter.add(Shape::line(ends.clone(), stroke));
        for end in ends {
            if mode == Mode::Inference {
                painter.circle_filled(end, sizes::LAMP / 2.0, palette.panel);
            }
            parts::mark(&painter, end, sizes::LAMP, mode, palette);
        }
    }
}

/// A bar a layer: weights upwards, moving statistics downwards, on a logarithmic axis.
pub fn movement_ui(ui: &mut Ui, rect: Rect, run: &RunState, names: impl Fn(&Movement) -> String) {
    let palette = theme::palette(ui);
    let (head, plot) = rect.split_top_bottom_at_y(rect.top() + sizes::CAPTION);
    let meaning = if rect.width() < sizes::RUN_CAPTION {
        words::UP_AND_DOWN_SHORT
    } else {
        words::UP_AND_DOWN
    };
    caption(ui, head, words::MOVED, meaning);
    frame(ui, plot, palette);
    let end = run.steps.iter().rev().find_map(|s| s.end.as_ref());
    let layers = end.map_or(&[][..], |end| &end.movement);
    let response = ui.interact(
        plot,
        ui.scope_id().with((&run.name, "moved")),
        Sense::hover(),
    );
    let moved = |of: fn(&Movement) -> Option<f64>| {
        layers
            .iter()
            .filter(|m| of(m).is_some_and(|v| v != 0.0))
            .count()
    };
    let (weights, statistics) = (moved(|m| m.weights), moved(|m| m.statistics));
    let spoken = words::moved_name(&run.name, weights, statistics);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &spoken));
    let middle = plot.center().y;
    let ground = Stroke::new(sizes::LINE, palette.strong_line);
    ui.painter().hline(plot.x_range(), middle, ground);
    let step = plot.width() / layers.len().max(1) as f32;
    let half = plot.height() / 2.0 - sizes::LINE;
    let bar = |i: usize, value: Option<f64>, up: bool, color: Color32| {
        let Some(height) = value.map(strength).filter(|h| *h > 0.0) else {
            return;
        };
        let tip = if up {
            middle - height * half
        } else {
            middle + height * half
        };
        let left = plot.left() + i as f32 * step;
        let width = (step * 0.8).max(sizes::LINE);
        let bar = Rect::from_two_pos(pos2(left, middle), pos2(left + width, tip));
        ui.painter().rect_filled(bar, 0.0, color);
    };
    for (i, layer) in layers.iter().enumerate() {
        bar(i, layer.weights, true, palette.ink);
        bar(i, layer.statistics, false, palette.training.ink);
    }
    if let Some(pointer) = response.hover_pos() {
        let i = ((pointer.x - plot.left()) / step) as usize;
        if let Some(layer) = layers.get(i) {
            response.tip_at_pointer(names(layer));
        }
    }
}

/// From 0 (did not move) to 1 (moved by its own length).
fn strength(value: f64) -> f32 {
    if value == 0.0 {
        return 0.0;
    }
    if !value.is_finite() {
        return 1.0;
    }
    let decades = (value.max(LEAST) / LEAST).log10() / -LEAST.log10();
    (0.08 + 0.92 * decades.min(1.0)) as f32
}

fn frame(ui: &Ui, rect: Rect, palette: &Palette) {
    let line = Stroke::new(sizes::LINE, palette.line);
    let kind = eframe::egui::StrokeKind::Inside;
    ui.painter().rect_stroke(rect, 0.0, line, kind);
}

fn caption(ui: &mut Ui, rect: Rect, name: &str, value: &str) {
    let palette = theme::palette(ui);
    let painter = ui.painter();
    let left = rect.left_center();
    painter.text(left, Align2::LEFT_CENTER, name, text::small(), palette.ink);
    let right = rect.right_center();
    painter.text(
        right,
        Align2::RIGHT_CENTER,
        value,
        text::small(),
        palette.muted,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_drawn_only_for_what_moved() {
        assert_eq!(strength(0.0), 0.0);
        assert!(strength(1e-12) > 0.05);
        assert!(strength(1e-3) < strength(1e-2));
        assert!((strength(1.0) - 1.0).abs() < 1e-6);
        assert!(strength(f64::NAN) <= 1.0);
    }
}
