//! The two plots of many passes.

use eframe::egui::{Color32, Rangef, Rect, Role, Stroke, Ui, UiBuilder, WidgetInfo};
use egui_plot::{
    AxisHints, Bar, BarChart, GridMark, HLine, Line, LineStyle, MarkerShape, PlotPoints, PlotUi,
    Points, VLine,
};

use super::words;
use crate::model::Mode;
use crate::theme::{self, sizes, text};
use crate::views::parts::Tip as _;
use crate::views::plots::{self, base_plot, ticks};
use crate::words::common;
use crate::words::number::{percent, thousands};
use modelens_jobs::{MeanOfPasses, MonteCarlo};

/// Bins of the histogram of a probability.
const BINS: usize = 40;

/// The distance of the mean from inference against the number of passes, on a logarithmic axis;
/// `watched`: the pass that is shown, and how far the mean has taken it in.
pub fn mean_ui(
    ui: &mut Ui,
    rect: Rect,
    mean: &MeanOfPasses,
    watched: Option<(usize, f32)>,
    look: Mode,
) {
    let palette = theme::palette(ui);
    let x = |passes: usize| (passes as f64).log2();
    let points = &mean.points;
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return;
    };
    let largest = points.iter().map(|p| p.distance.max(p.expected));
    let top = largest.fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    // If every distance is 0, the line is at the bottom.
    let top = if top < 1e-9 { 1.0 } else { top * 1.1 };
    let margin = (x(last.passes) * 0.04).max(0.2);
    let axis = |hint: AxisHints<'static>| hint.tick_label_font(text::tiny());
    let x_hint = axis(AxisHints::new_x())
        .label_spacing(Rangef::new(1.0, 2.0))
        .formatter(|mark, _| thousands(mark.value.exp2().round() as usize));
    let y_hint = axis(AxisHints::new_y())
        .label_spacing(Rangef::new(1.0, 2.0))
        .formatter(|mark, _| percent(mark.value));
    let highest = x(last.passes);
    let plot = base_plot(ui.scope_id().with("mean"), rect)
        .show_axes(true)
        .custom_x_axes(vec![x_hint])
        .custom_y_axes(vec![y_hint])
        .x_grid_spacer(move |_| {
            // A tick for every fourth power of two keeps the labels apart.
            let marks = (0..).step_by(2).map(f64::from);
            let marks = marks.take_while(|&value| value <= highest);
            marks
                .map(|value| GridMark {
                    value,
                    step_size: 2.0,
                })
                .collect()
        })
        .y_grid_spacer(move |_| few_ticks(top))
        .label_formatter(|_| None);
    let mut child = ui.new_child(UiBuilder::new().max_rect(rect));
    child.visuals_mut().override_text_color = Some(palette.muted);
    let response = plot.show(&mut child, |plot| {
        plot.set_plot_bounds_x(-margin..=highest + margin);
        plot.set_plot_bounds_y(0.0..=top);
        let ground = HLine::new("", 0.0).color(palette.inference.ink);
        plot.hline(ground.width(sizes::FOCUS_STROKE).allow_hover(false));
        let line = |value: fn(&modelens_jobs::MeanPoint) -> f64| {
            PlotPoints::new(points.iter().map(|p| [x(p.passes), value(p)]).collect())
        };
        let style = LineStyle::Dashed {
            length: sizes::DASH,
        };
        let expected = Line::new("", line(|p| p.expected)).color(palette.muted);
        plot.line(expected.style(style).width(sizes::LINE).allow_hover(false));
        let ink = palette.mode(look).ink;
        if let Some(watched) = watched {
            watched_way(plot, mean, watched, ink, look);
            return;
        }
        let found = Line::new("", line(|p| p.distance)).color(ink);
        plot.line(found.width(sizes::FOCUS_STROKE).allow_hover(false));
        let dots = Points::new("", line(|p| p.distance))
            .shape(MarkerShape::Circle)
            .filled(look == Mode::Training)
            .radius(sizes::POINT * 1.4)
            .color(palette.mode(look).ink);
        plot.points(dots.allow_hover(false));
    });
    let name = words::distance_of_mean(
        &percent(first.distance),
        &common::passes(first.passes),
        &percent(last.distance),
        &common::passes(last.passes),
    );
    let response_of_plot = response.response;
    response_of_plot.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
    if let Some(pointer) = response_of_plot.hover_pos() {
        let at = response.transform.value_from_position(pointer).x;
        let near = points.iter().min_by(|a, b| {
            let distance = |passes: usize| (x(passes) - at).abs();
            distance(a.passes).total_cmp(&distance(b.passes))
        });
        if let Some(point) = near {
            response_of_plot.tip_at_pointer(words::mean_at(
                &common::passes(point.passes),
                &percent(point.distance),
                &percent(point.expected),
            ));
        }
    }
}

/// The way of the mean over the passes that were watched, with a mark at its end.
fn watched_way(
    plot: &mut PlotUi<'_>,
    mean: &MeanOfPasses,
    (number, share): (usize, f32),
    ink: Color32,
    look: Mode,
) {
    let place = |pass: usize| {
        let distance = mean.watched.get(pass).map_or(0.0, |pass| pass.distance);
        [((pass + 1) as f64).log2(), distance]
    };
    let mut way: Vec<[f64; 2]> = (0..number).map(place).collect();
    let next = place(number);
    let end = match way.last() {
        Some(&from) => [0, 1].map(|axis| from[axis] + f64::from(share) * (next[axis] - from[axis])),
        None => next,
    };
    way.push(end);
    let line = Line::new("", PlotPoints::new(way)).color(ink);
    plot.line(line.width(sizes::FOCUS_STROKE).allow_hover(false));
    let mark = Points::new("", PlotPoints::new(vec![end]))
        .shape(MarkerShape::Circle)
        .filled(look == Mode::Training)
        .radius(sizes::LAMP / 2.0)
        .color(ink);
    plot.points(mark.allow_hover(false));
}

/// Three or four round numbers from 0 up.
fn few_ticks(top: f64) -> Vec<GridMark> {
    let mut marks = ticks(0.0, top, plots::MOST_TICKS);
    let last = marks.len().saturating_sub(1);
    let every = last.div_ceil(3).max(1);
    let mut place = 0;
    marks.retain(|_| {
        place += 1;
        (place - 1) % every == 0
    });
    // egui_plot hides labels that are closer than a line of text.
    for mark in &mut marks {
        mark.step_size *= every as f64;
    }
    marks
}

/// How the probability of one class spreads over passes, with inference as a line.
pub fn monte_carlo_ui(ui: &mut Ui, rect: Rect, found: &MonteCarlo, label: &str, look: Mode) {
    let palette = theme::palette(ui);
    let counts = bins(&found.probabilities);
    let width = 1.0 / BINS as f64;
    let bars: Vec<Bar> = counts
        .iter()
        .enumerate()
        .map(|(i, &count)| {
            Bar::new(width * (i as f64 + 0.5), f64::from(count))
                .width(width * 0.92)
                .fill(palette.mode(look).bar)
        })
        .collect();
    let top = f64::from(counts.iter().copied().max().unwrap_or(1).max(1)) * 1.1;
    let hint = AxisHints::new_x()
        .tick_label_font(text::tiny())
        .label_spacing(Rangef::new(1.0, 2.0))
        .formatter(|mark, _| percent(mark.value));
    let plot = base_plot(ui.scope_id().with("monte carlo"), rect)
        .show_axes([true, false])
        .custom_x_axes(vec![hint])
        .x_grid_spacer(|_| {
            let quarters = (0..=4).map(|i| GridMark {
                value: f64::from(i) / 4.0,
                step_size: 0.25,
            });
            quarters.collect()
        })
        .label_formatter(|_| None);
    let mut child = ui.new_child(UiBuilder::new().max_rect(rect));
    child.visuals_mut().override_text_color = Some(palette.muted);
    let response = plot.show(&mut child, |plot| {
        plot.set_plot_bounds_x(-0.03..=1.03);
        plot.set_plot_bounds_y(0.0..=top);
        let ground = HLine::new("", 0.0).stroke(Stroke::new(sizes::LINE, palette.line));
        plot.hline(ground.allow_hover(false));
        plot.bar_chart(BarChart::new("", bars).allow_hover(false));
        let inference = VLine::new("", found.inference).color(palette.inference.ink);
        plot.vline(inference.width(sizes::ADVICE_STROKE).allow_hover(false));
    });
    let [low, high] = found.range().map(f64::from);
    let name = words::probability_spread(
        label,
        &common::passes(found.probabilities.len()),
        &percent(low),
        &percent(high),
        &percent(found.inference),
    );
    let response_of_plot = response.response;
    response_of_plot.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
    if let Some(pointer) = response_of_plot.hover_pos() {
        let value = response.transform.value_from_position(pointer).x;
        let bin = (value / width).floor();
        if let Some(&passes) = counts.get(bin as usize).filter(|_| bin >= 0.0) {
            response_of_plot.tip_at_pointer(words::bin(
                &percent(bin * width),
                &percent((bin + 1.0) * width),
                &common::passes(passes as usize),
            ));
        }
    }
}

/// Counts the probabilities in each bin. 1 is in the last bin, NaN in none.
fn bins(probabilities: &[f32]) -> [u32; BINS] {
    let mut counts = [0; BINS];
    for &p in probabilities.iter().filter(|p| p.is_finite()) {
        let bin = (f64::from(p) * BINS as f64).max(0.0) as usize;
        counts[bin.min(BINS - 1)] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pass_is_in_one_bin() {
        let counts = bins(&[0.0, 0.024, 0.025, 0.5, 1.0, f32::NAN]);
        assert_eq!(counts.iter().sum::<u32>(), 5);
        assert_eq!([counts[0], counts[1], counts[20], counts[39]], [2, 1, 1, 1]);
    }

    #[test]
    fn the_ticks_of_the_distance_are_few_and_begin_at_zero() {
        for top in [0.004, 0.07, 0.66, 1.1, 3.0, 25.0] {
            let marks = few_ticks(top);
            assert!((2..=5).contains(&marks.len()), "{top}: {}", marks.len());
            assert!(marks[0].value.abs() < 1e-12);
        }
    }
}
