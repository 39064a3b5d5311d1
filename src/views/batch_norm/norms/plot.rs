//! The error of each norm on batches of 1 to 64 photos.

use eframe::egui::{Rangef, Rect, Role, Ui, UiBuilder, WidgetInfo, vec2};
use egui_plot::{AxisHints, GridMark, Line, LineStyle, MarkerShape, PlotPoints, Points};

use super::words;
use crate::model::Mode;
use crate::model::norms::{Reads, Spread};
use crate::theme::{self, sizes, text};
use crate::views::parts::Tip as _;
use crate::views::parts::{self, Cut};
use crate::views::plots::{self, base_plot, ticks};
use crate::words::modes::mode_label;
use crate::words::number::thousands;
use modelens_jobs::{NormRow, NormsOutcome};

/// Half the width of the ends of a spread, in powers of two.
const WHISKER: f64 = 0.06;

/// One norm in one mode.
struct Curve {
    name: String,
    mode: Mode,
    /// `[log2 of the batch, error]`.
    points: Vec<(f64, Spread)>,
}

impl Curve {
    fn of(outcome: &NormsOutcome, row: &NormRow, mode: Mode) -> Self {
        let [name, _] = words::name(row.norm, outcome);
        let label = mode_label(mode, outcome.semantics);
        let side = match mode {
            Mode::Training => &row.training,
            Mode::Inference => &row.inference,
        };
        let points = outcome.sizes.iter().zip(&side.errors);
        Self {
            name: format!("{name}, {label}"),
            // The colour says what it reads: the batch, or not.
            mode: if side.reads == Reads::Batch {
                Mode::Training
            } else {
                Mode::Inference
            },
            points: points
                .filter_map(|(&size, error)| Some(((size as f64).log2(), (*error)?)))
                .collect(),
        }
    }

    fn means(&self) -> Vec<[f64; 2]> {
        self.points
            .iter()
            .map(|(x, error)| [*x, error.mean])
            .collect()
    }
}

/// The card: a heading with what the marks mean, and the plot.
pub fn sweep_ui(ui: &mut Ui, outcome: &NormsOutcome, card: Rect) {
    let palette = theme::palette(ui);
    let mut cut = Cut(card.shrink2(vec2(sizes::S4, sizes::S2)));
    let heading = cut.top(sizes::CAPTION);
    let title = text::title(words::SWEEP_TITLE, palette);
    let mut left = parts::row_ui(ui, heading, |ui| {
        parts::label_ui(ui, title).tip(words::SWEEP_TIP);
        ui.min_rect().right()
    });
    let legend = words::legend(outcome);
    for (mode, words) in Mode::BOTH.into_iter().zip(&legend) {
        left += sizes::S4;
        let center = eframe::egui::pos2(left + sizes::LAMP / 2.0, heading.center().y);
        parts::mark(ui.painter(), center, sizes::LAMP, mode, palette);
        let place = heading.with_min_x(left + sizes::LAMP + sizes::S1);
        left = parts::row_ui(ui, place, |ui| {
            parts::fitting_line_ui(ui, words, palette);
            ui.min_rect().right()
        });
    }
    let below = cut.top(sizes::CAPTION);
    let note = words::y_axis(outcome);
    parts::row_ui(ui, below, |ui| parts::fitting_line_ui(ui, &note, palette));
    let axis = cut.bottom(sizes::AXIS_LABEL);
    parts::inside_ui(
        ui,
        axis,
        eframe::egui::Layout::top_down(eframe::egui::Align::Center),
        |ui| parts::line_ui(ui, text::note(words::X_AXIS, palette)),
    );
    curves_ui(ui, outcome, cut.0);
}

fn curves_ui(ui: &mut Ui, outcome: &NormsOutcome, rect: Rect) {
    let palette = theme::palette(ui);
    let curves: Vec<Curve> = outcome
        .rows
        .iter()
        .flat_map(|row| Mode::BOTH.map(|mode| Curve::of(outcome, row, mode)))
        .collect();
    let highest = curves.iter().flat_map(|curve| &curve.points);
    let highest = highest.map(|(_, error)| error.high).fold(0.0, f64::max);
    let top = if highest > 0.0 { highest * 1.08 } else { 1.0 };
    let last = outcome
        .sizes
        .last()
        .map_or(0.0, |&size| (size as f64).log2());
    let axis = |hint: AxisHints<'static>| {
        let hint = hint.tick_label_font(text::tiny());
        hint.label_spacing(Rangef::new(1.0, 2.0))
    };
    let x_hint =
        axis(AxisHints::new_x()).formatter(|mark, _| thousands(mark.value.exp2().round() as usize));
    let y_hint =
        axis(AxisHints::new_y()).formatter(|mark, _| plots::tick(mark.value, mark.step_size));
    let most = (rect.height() / sizes::TICK_ROOM).clamp(2.0, plots::MOST_TICKS);
    let plot = base_plot(ui.scope_id().with("norm errors"), rect)
        .show_axes(true)
        .custom_x_axes(vec![x_hint])
        .custom_y_axes(vec![y_hint])
        .x_grid_spacer(move |_| {
            let marks = (0..).map(f64::from).take_while(|&value| value <= last);
            let mark = |value| GridMark {
                value,
                step_size: 1.0,
            };
            marks.map(mark).collect()
        })
        .y_grid_spacer(move |_| ticks(0.0, top, most))
        .label_formatter(|_| None);
    let guide = guide(outcome, &curves);
    let mut child = ui.new_child(UiBuilder::new().max_rect(rect));
    child.visuals_mut().override_text_color = Some(palette.muted);
    let response = plot.show(&mut child, |plot| {
        plot.set_plot_bounds_x(-0.3..=last + 0.3);
        plot.set_plot_bounds_y(-top * 0.06..=top);
        let style = LineStyle::Dashed {
            length: sizes::DASH,
        };
        let guide = Line::new("", PlotPoints::new(guide)).color(palette.faint);
        plot.line(guide.style(style).width(sizes::LINE).allow_hover(false));
        // Those that read the batch last, on top of the others.
        for mode in [Mode::Inference, Mode::Training] {
            let ink = palette.mode(mode).ink;
            for curve in curves.iter().filter(|curve| curve.mode == mode) {
                for (x, error) in curve.points.iter().filter(|(_, e)| e.high > e.low) {
                    let bar = vec![[*x, error.low], [*x, error.high]];
                    let end = |y: f64| vec![[x - WHISKER, y], [x + WHISKER, y]];
                    for part in [bar, end(error.low), end(error.high)] {
                        let line = Line::new("", PlotPoints::new(part)).color(ink);
                        plot.line(line.width(sizes::LINE).allow_hover(false));
                    }
                }
                let line = Line::new("", PlotPoints::new(curve.means())).color(ink);
                plot.line(line.width(sizes::FOCUS_STROKE).allow_hover(false));
                let dots = Points::new("", PlotPoints::new(curve.means()))
                    .shape(MarkerShape::Circle)
                    .filled(mode == Mode::Training)
                    .radius(sizes::POINT * 1.6)
                    .color(ink);
                plot.points(dots.allow_hover(false));
            }
        }
    });
    let name = words::sweep_name(outcome);
    let shown = response.response;
    shown.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
    let Some(pointer) = shown.hover_pos() else {
        return;
    };
    let x = response.transform.value_from_position(pointer).x;
    let near = (0..outcome.sizes.len()).min_by(|&a, &b| {
        let far = |i: usize| ((outcome.sizes[i] as f64).log2() - x).abs();
        far(a).total_cmp(&far(b))
    });
    if let Some(i) = near {
        let lines: Vec<(String, Option<Spread>)> = outcome
            .rows
            .iter()
            .flat_map(|row| Mode::BOTH.map(|mode| (row, mode)))
            .map(|(row, mode)| {
                let curve = Curve::of(outcome, row, mode);
                let side = &row.sides()[mode as usize];
                (curve.name, side.1.errors.get(i).copied().flatten())
            })
            .collect();
        shown.tip_at_pointer(words::at_size(outcome.sizes[i], &lines));
    }
}

/// What the noise of a sample would give: `c sqrt(1 / batch - 1 / photos)`, through the measured error of a
/// batch in the middle. Batches are drawn without replacement, so the error of all photos is 0.
fn guide(outcome: &NormsOutcome, curves: &[Curve]) -> Vec<[f64; 2]> {
    let share = |x: f64| {
        let rest = 1.0 / x.exp2() - 1.0 / outcome.photos.max(1) as f64;
        rest.max(0.0).sqrt()
    };
    let noisy = curves.iter().find(|curve| curve.mode == Mode::Training);
    let Some(points) = noisy.map(|curve| &curve.points) else {
        return Vec::new();
    };
    let middle = points
        .get(points.len() / 2)
        .filter(|(x, _)| share(*x) > 0.0);
    let (Some((x, error)), Some((first, _)), Some((last, _))) =
        (middle, points.first(), points.last())
    else {
        return Vec::new();
    };
    let scale = error.mean / share(*x);
    let steps = (0..=48).map(|i| first + (last - first) * f64::from(i) / 48.0);
    steps.map(|x| [x, scale * share(x)]).collect()
}
