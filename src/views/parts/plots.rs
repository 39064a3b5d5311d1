//! Histograms and scatter plots.

use eframe::egui;
use eframe::egui::{
    Color32, Id, Rangef, Rect, Role, Sense, Stroke, Ui, UiBuilder, Vec2, WidgetInfo, pos2, vec2,
};
use egui_plot::{
    AxisHints, Bar, BarChart, GridMark, HLine, Line, LineStyle, Plot, PlotPoint, PlotPoints,
    Points, VLine,
};

use crate::theme::{self, sizes, text};
use crate::views::parts::Tip as _;
use crate::words::number::{fixed, measured};
use crate::words::plots as words;
use modelens_jobs::HISTOGRAM_BINS;

/// One histogram: counts over an axis, both common to the two sides.
pub struct Histogram<'a> {
    pub id: Id,
    /// What it shows, in words.
    pub name: String,
    /// In [`HISTOGRAM_BINS`] bins.
    pub counts: &'a [u32],
    pub axis: [f32; 2],
    /// Count at the upper edge.
    pub top: u32,
    pub color: Color32,
}

/// On an axis of any length.
pub const MOST_TICKS: f32 = 12.0;

/// Draws a histogram that fills `rect`.
pub fn histogram_ui(ui: &mut Ui, rect: Rect, histogram: Histogram<'_>) {
    let palette = theme::palette(ui);
    let [low, high] = histogram.axis.map(f64::from);
    let width = (high - low) / HISTOGRAM_BINS as f64;
    if !width.is_finite() || width <= 0.0 {
        return;
    }
    let bars: Vec<Bar> = (0_u32..)
        .zip(histogram.counts)
        .map(|(i, &count)| {
            let center = low + width * (f64::from(i) + 0.5);
            Bar::new(center, f64::from(count))
                .width(width * 0.92)
                .fill(histogram.color)
        })
        .collect();
    let top = f64::from(histogram.top.max(1)) * 1.05;
    let hint = AxisHints::new_x()
        .tick_label_font(text::tiny())
        .label_spacing(Rangef::new(1.0, 2.0))
        .formatter(|mark, _| tick(mark.value, mark.step_size));
    let most = (rect.width() / sizes::TICK_ROOM).clamp(2.0, MOST_TICKS);
    let plot = base_plot(histogram.id, rect)
        .show_axes([true, false])
        .custom_x_axes(vec![hint])
        .x_grid_spacer(move |input| ticks(input.bounds.0, input.bounds.1, most))
        .label_formatter(move |_| None);
    let mut child = ui.new_child(UiBuilder::new().max_rect(rect));
    child.visuals_mut().override_text_color = Some(palette.muted);
    let response = plot.show(&mut child, |plot| {
        plot.set_plot_bounds_x(low..=high);
        plot.set_plot_bounds_y(0.0..=top);
        let ground = HLine::new("", 0.0).color(palette.line);
        plot.hline(ground.width(sizes::LINE).allow_hover(false));
        let zero = VLine::new("", 0.0)
            .color(palette.faint)
            .style(LineStyle::dashed_dense());
        plot.vline(zero.width(sizes::LINE).allow_hover(false));
        plot.bar_chart(BarChart::new("", bars).allow_hover(false));
    });
    let name = histogram.name;
    response
        .response
        .widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
    if let Some(pointer) = response.response.hover_pos() {
        let value = response.transform.value_from_position(pointer).x;
        let bin = ((value - low) / width) as usize;
        if let Some(count) = histogram.counts.get(bin) {
            let from = low + width * bin as f64;
            let range = words::histogram_bin(&measured(from), &measured(from + width), *count);
            response.response.tip_at_pointer(range);
        }
    }
}

/// One scatter plot: batch against moving statistics, one point a channel.
pub struct Scatter<'a> {
    pub id: Id,
    pub x: &'a [f32],
    pub y: &'a [f32],
    pub x_label: &'a str,
    pub y_label: &'a str,
    pub chosen: usize,
    pub ring: Color32,
}

/// Draws a scatter plot into `rect`; returns the channel that was clicked.
pub fn scatter_ui(ui: &mut Ui, rect: Rect, scatter: &Scatter<'_>) -> Option<usize> {
    let palette = theme::palette(ui);
    let [low, high] = bounds(scatter.x.iter().chain(scatter.y));
    let points: Vec<[f64; 2]> = scatter
        .x
        .iter()
        .zip(scatter.y)
        .map(|(&x, &y)| [f64::from(x), f64::from(y)])
        .collect();
    let ring: Vec<[f64; 2]> = points.get(scatter.chosen).copied().into_iter().collect();
    let frame = Rect::from_min_max(
        rect.min + vec2(sizes::AXIS_LABEL, 0.0),
        rect.max - vec2(0.0, sizes::AXIS_LABEL),
    );
    ui.painter().rect_stroke(
        frame,
        0.0,
        Stroke::new(sizes::LINE, palette.line),
        egui::StrokeKind::Inside,
    );
    axis_labels(ui, rect, frame, scatter);
    let mut child = ui.new_child(UiBuilder::new().max_rect(frame));
    let plot = base_plot(scatter.id, frame)
        .show_axes(false)
        .sense(Sense::click());
    let response = plot.label_formatter(|_| None).show(&mut child, |plot| {
        plot.set_plot_bounds_x(low..=high);
        plot.set_plot_bounds_y(low..=high);
        let identity = PlotPoints::new(vec![[low, low], [high, high]]);
        let style = LineStyle::Dashed {
            length: sizes::DASH,
        };
        let line = Line::new("", identity).color(palette.faint).style(style);
        plot.line(line.width(sizes::LINE).allow_hover(false));
        let dots = Points::new("", points.clone())
            .radius(sizes::POINT)
            .color(palette.point());
        plot.points(dots.allow_hover(false));
    });
    for point in &ring {
        let at = response
            .transform
            .position_from_point(&PlotPoint::new(point[0], point[1]));
        let stroke = Stroke::new(sizes::CELL_RING, scatter.ring);
        ui.painter()
            .with_clip_rect(frame.expand(sizes::RING))
            .circle_stroke(at, sizes::RING, stroke);
    }
    let name = words::scatter(scatter.y_label, scatter.x_label);
    response
        .response
        .widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
    let pointer = response.response.hover_pos()?;
    let nearest = nearest(&points, pointer, |p| {
        response
            .transform
            .position_from_point(&PlotPoint::new(p[0], p[1]))
    })?;
    let [x, y] = points[nearest];
    let clicked = response.response.clicked();
    response.response.tip_at_pointer(words::channel(
        nearest + 1,
        scatter.y_label,
        &measured(y),
        scatter.x_label,
        &measured(x),
    ));
    clicked.then_some(nearest)
}

fn axis_labels(ui: &Ui, rect: Rect, frame: Rect, scatter: &Scatter<'_>) {
    let palette = theme::palette(ui);
    let painter = ui.painter();
    let below = pos2(frame.center().x, rect.bottom());
    painter.text(
        below,
        egui::Align2::CENTER_BOTTOM,
        scatter.x_label,
        text::small(),
        palette.muted,
    );
    let galley = painter.layout_no_wrap(scatter.y_label.to_owned(), text::small(), palette.muted);
    let size = galley.size();
    let at = pos2(rect.left(), frame.center().y + size.x / 2.0);
    let shape = egui::epaint::TextShape::new(at, galley, palette.muted)
        .with_angle(-std::f32::consts::FRAC_PI_2);
    painter.add(shape);
}

/// A plot that cannot be moved or zoomed: both sides must keep the same axes.
pub fn base_plot<'a>(id: Id, rect: Rect) -> Plot<'a> {
    Plot::new("plot")
        .id(id)
        .width(rect.width())
        .height(rect.height())
        .allow_zoom(false)
        .allow_drag(false)
        .allow_scroll(false)
        .allow_axis_zoom_drag(false)
        .allow_boxed_zoom(false)
        .allow_double_click_reset(false)
        .show_grid(false)
        .show_crosshair(false)
        .show_background(false)
        .set_margin_fraction(Vec2::ZERO)
        .sense(Sense::hover())
}

/// Round numbers on the axis, `most` or fewer.
pub fn ticks(low: f64, high: f64, most: f32) -> Vec<GridMark> {
    let rough = (high - low) / f64::from(most);
    if !rough.is_finite() || rough <= 0.0 {
        return Vec::new();
    }
    let power = 10.0_f64.powf(rough.log10().floor());
    let round = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power);
    let step_size = round
        .into_iter()
        .find(|&step| step >= rough)
        .unwrap_or(rough);
    let first = (low / step_size).ceil() as i64;
    let last = (high / step_size).floor() as i64;
    (first..=last)
        .map(|i| GridMark {
            value: i as f64 * step_size,
            step_size,
        })
        .collect()
}

/// A tick label with as many decimals as its step needs.
pub fn tick(value: f64, step: f64) -> String {
    let decimals = (-step.abs().log10().floor()).clamp(0.0, 4.0) as usize;
    fixed(value, decimals)
}

/// A value with just enough digits to distinguish it from others within `span`.
pub fn short(value: f64, span: f64) -> String {
    let decimals = (2.0 - span.abs().max(f64::MIN_POSITIVE).log10().floor()).clamp(0.0, 6.0);
    fixed(value, decimals as usize)
}

/// The range of the values with a small margin.
pub fn range(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let values: Vec<f32> = values.map(|x| x as f32).collect();
    bounds(values.iter())
}

/// A common range for both axes with a small margin.
fn bounds<'a>(values: impl Iterator<Item = &'a f32>) -> [f64; 2] {
    let finite = values.filter(|x| x.is_finite());
    let [low, high] = finite.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], &x| {
        [low.min(f64::from(x)), high.max(f64::from(x))]
    });
    if low > high {
        return [0.0, 1.0];
    }
    let margin = ((high - low) * 0.04).max(f64::from(f32::EPSILON));
    [low - margin, high + margin]
}

/// The point nearest to the pointer, within reach.
fn nearest(
    points: &[[f64; 2]],
    pointer: egui::Pos2,
    screen: impl Fn(&[f64; 2]) -> egui::Pos2,
) -> Option<usize> {
    let distances = points
        .iter()
        .map(|p| screen(p).distance(pointer))
        .enumerate();
    let (index, distance) = distances.min_by(|a, b| a.1.total_cmp(&b.1))?;
    (distance <= sizes::POINT_REACH).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_all_values_and_never_collapse() {
        let [low, high] = bounds([1.0_f32, -2.0, f32::NAN].iter());
        assert!(low < -2.0 && high > 1.0);
        let [low, high] = bounds([3.0_f32].iter());
        assert!(low < high);
        assert_eq!(bounds([].iter()), [0.0, 1.0]);
    }

    #[test]
    fn only_a_near_point_is_chosen() {
        let points = [[0.0, 0.0], [100.0, 0.0]];
        let screen = |p: &[f64; 2]| pos2(p[0] as f32, p[1] as f32);
        assert_eq!(nearest(&points, pos2(95.0, 0.0), screen), Some(1));
        assert_eq!(nearest(&points, pos2(50.0, 0.0), screen), None);
    }

    #[test]
    fn ticks_are_few_and_round() {
        let values: Vec<f64> = ticks(-5.3, 9.1, MOST_TICKS)
            .iter()
            .map(|mark| mark.value)
            .collect();
        assert_eq!(values, [-4.0, -2.0, 0.0, 2.0, 4.0, 6.0, 8.0]);
        let narrow: Vec<f64> = ticks(-5.3, 9.1, 5.0)
            .iter()
            .map(|mark| mark.value)
            .collect();
        assert_eq!(narrow, [-5.0, 0.0, 5.0]);
        assert!(ticks(1.0, 1.0, MOST_TICKS).is_empty());
    }

    #[test]
    fn ticks_have_the_decimals_of_their_step() {
        assert_eq!(tick(-2.0, 1.0), "−2");
        assert_eq!(tick(0.25, 0.05), "0.25");
    }
}
