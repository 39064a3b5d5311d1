//! The row below the columns: the largest units, the mean of many passes, and what the passes do to
//! the prediction.

use eframe::egui;
use eframe::egui::{Align, Button, Layout, Rect, RichText, Stroke, Ui, WidgetInfo, vec2};

use super::plots;
use super::watch::Watched;
use super::words;
use crate::command::NoiseCommand;
use crate::model::Mode;
use crate::theme::{self, sizes, text};
use crate::views::Show;
use crate::views::parts::Tip as _;
use crate::views::parts::{self, Cut};
use crate::words::common;
use crate::words::number::{measured, percent, thousands};
use modelens_jobs::{DropoutOutcome, DropoutSetting, MonteCarlo};

/// Draws the row; `look` is the mode whose colours the passes have.
pub fn passes_ui(
    ui: &mut Ui,
    show: &mut Show<'_>,
    outcome: &DropoutOutcome,
    labels: &[String],
    look: Mode,
    rect: Rect,
) {
    let palette = theme::palette(ui);
    let count = if rect.width() < sizes::PASSES_LIST {
        2
    } else {
        3
    };
    let tall = parts::stacks(ui, rect.width()) && is_tall(rect.width());
    let step = if tall {
        vec2(0.0, (rect.height() / count as f32).floor())
    } else {
        vec2((rect.width() / count as f32).floor(), 0.0)
    };
    let size = if tall {
        vec2(rect.width(), step.y)
    } else {
        vec2(step.x, rect.height())
    };
    let part = |i: usize| {
        let whole = Rect::from_min_size(rect.min + i as f32 * step, size);
        Cut(whole.shrink2(vec2(sizes::S4, sizes::S2)))
    };
    let line = Stroke::new(sizes::LINE, palette.line);
    for i in 1..count {
        let at = rect.min + i as f32 * step;
        if tall {
            ui.painter().hline(rect.x_range(), at.y, line);
        } else {
            ui.painter().vline(at.x, rect.y_range(), line);
        }
    }
    if count == 2 && parts::is_figure(ui) {
        parts::note_left_out(ui, words::LARGEST_LEFT_OUT);
    }
    let names = [
        words::LARGEST_VALUES,
        words::MEAN_OF_PASSES,
        modelens_jobs::words::MONTE_CARLO_PASSES,
    ];
    for (i, name) in names[3 - count..].iter().enumerate() {
        parts::note_plot(ui, name, part(i).0);
    }
    let watched = Watched::of(show.state, outcome);
    if count == 3 {
        largest_ui(ui, outcome, watched.as_ref(), look, part(0));
    }
    mean_ui(ui, outcome, watched.as_ref(), look, part(count - 2));
    let mut cut = part(count - 1);
    let title = cut.top(sizes::TITLE_ROW);
    parts::row_ui(ui, title, |ui| {
        let title = if title.width() < sizes::PASSES_NARROW {
            words::MONTE_CARLO_SHORT
        } else {
            words::MONTE_CARLO_TITLE
        };
        parts::title_ui(ui, title)
    });
    parts::inside_ui(ui, title, Layout::right_to_left(Align::Center), |ui| {
        passes_choice_ui(ui, show);
    });
    match &outcome.monte_carlo {
        Some(found) => monte_carlo_ui(ui, found, labels, look, cut),
        None => parts::empty_ui(ui, cut.0, words::NO_CLASSIFIER),
    }
}

/// Whether a figure of this width has the passes below each other.
pub fn is_tall(width: f32) -> bool {
    width < 2.0 * sizes::PASSES_NARROW
}

/// How many passes, one small button each.
fn passes_choice_ui(ui: &mut Ui, show: &mut Show<'_>) {
    ui.spacing_mut().item_spacing.x = sizes::LINE;
    ui.spacing_mut().button_padding.x = sizes::S1 + 2.0 * sizes::LINE;
    ui.spacing_mut().interact_size.x = 0.0;
    let chosen = show.state.settings.monte_carlo;
    if parts::is_figure(ui) {
        parts::label_ui(ui, text::strong(chosen.to_string()));
        return;
    }
    for passes in DropoutSetting::PASSES.into_iter().rev() {
        let number = RichText::new(passes.to_string()).font(text::small());
        let button = Button::new(number)
            .small()
            .selected(passes == chosen)
            .frame_when_inactive(passes == chosen);
        let response = ui.add(button);
        response.widget_info(|| {
            let name = words::passes_choice(passes);
            WidgetInfo::selected(egui::Role::RadioButton, true, passes == chosen, name)
        });
        if response.clicked() {
            show.push(NoiseCommand::SetPasses(passes));
        }
    }
}

/// Units, the largest first: their value in inference, in one training pass, in the mean.
fn largest_ui(
    ui: &mut Ui,
    outcome: &DropoutOutcome,
    watched: Option<&Watched<'_>>,
    look: Mode,
    mut cut: Cut,
) {
    let palette = theme::palette(ui);
    parts::row_ui(ui, cut.top(sizes::TITLE_ROW), |ui| {
        parts::title_ui(ui, words::LARGEST_TITLE)
    });
    let most = match watched {
        Some(watched) => Some(watched.number + 1),
        None => outcome.mean.points.last().map(|point| point.passes),
    };
    let (pass, means) = match watched {
        Some(watched) => (&watched.side, &watched.pass.means),
        None => (&outcome.training, &outcome.mean.largest),
    };
    let heads = [
        (words::UNIT, None),
        (common::INFERENCE, Some(Mode::Inference)),
        (words::ONE_PASS, Some(look)),
        (common::MEAN, Some(look)),
    ];
    let row = cut.top(sizes::UNIT_ROW);
    for (i, (head, mode)) in heads.into_iter().enumerate() {
        let cell = column(row, i);
        parts::inside_ui(ui, cell, Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = sizes::S1;
            let mut note = text::note(head, palette);
            if row.width() < sizes::PASSES_NARROW {
                note = note.font(text::tiny());
            }
            let label = parts::label_ui(ui, note);
            if let (Some(most), common::MEAN) = (most, head) {
                label.tip(words::mean_of(&thousands(most)));
            }
            if let Some(mode) = mode {
                let size = egui::Vec2::splat(sizes::SMALL_MARK);
                let (mark, _) = ui.allocate_exact_size(size, egui::Sense::hover());
                parts::mark(
                    ui.painter(),
                    mark.center(),
                    sizes::SMALL_MARK,
                    mode,
                    palette,
                );
            }
        });
    }
    let at = |values: &[f32], i: usize| values.get(i).map_or(0.0, |&x| f64::from(x));
    for (place, &unit) in outcome.largest.iter().enumerate() {
        if cut.0.height() < sizes::UNIT_ROW {
            break;
        }
        let row = cut.top(sizes::UNIT_ROW);
        let dropped = words::is_dropped(pass, unit);
        let value = match pass.output.get(unit) {
            Some(&value) => measured(f64::from(value)),
            // Of a large layer, only the first units of a watched pass are kept.
            None => String::new(),
        };
        let value = if dropped {
            format!("× {value}")
        } else {
            value
        };
        let mean = match most {
            Some(_) => measured(at(means, place)),
            None => String::new(),
        };
        let values = [
            text::note(thousands(unit + 1), palette),
            RichText::new(measured(at(&outcome.inference.output, unit)))
                .color(palette.inference.ink),
            RichText::new(value).color(if dropped {
                palette.muted
            } else {
                palette.mode(look).ink
            }),
            RichText::new(mean).color(palette.mode(look).ink),
        ];
        for (i, value) in values.into_iter().enumerate() {
            let layout = Layout::right_to_left(Align::Center);
            let value = value.font(text::small());
            parts::inside_ui(ui, column(row, i), layout, |ui| parts::value_ui(ui, value));
        }
    }
}

/// Column `i` of a row. The first one is narrow; the others share the rest.
fn column(row: Rect, i: usize) -> Rect {
    let first = (row.width() * sizes::UNIT_COLUMN_SHARE).floor();
    let other = ((row.width() - first) / 3.0).floor();
    let right = row.left() + first + i as f32 * other;
    let width = if i == 0 { first } else { other };
    Rect::from_x_y_ranges(right - width..=right, row.y_range())
}

fn mean_ui(
    ui: &mut Ui,
    outcome: &DropoutOutcome,
    watched: Option<&Watched<'_>>,
    look: Mode,
    mut cut: Cut,
) {
    let palette = theme::palette(ui);
    parts::row_ui(ui, cut.top(sizes::TITLE_ROW), |ui| {
        parts::title_ui(ui, words::MEAN_TITLE)
    });
    if outcome.mean.points.is_empty() {
        parts::empty_ui(ui, cut.0, words::ALL_UNITS_ZERO);
        return;
    }
    parts::row_ui(ui, cut.top(sizes::UNIT_ROW), |ui| {
        let line = match watched {
            Some(watched) => {
                let [before, after] = watched.distances(outcome);
                let taken = watched.meaned > 0.0 || watched.number == 0;
                let (passes, distance) = if taken {
                    (watched.number + 1, after)
                } else {
                    (watched.number, before)
                };
                let line = words::mean_so_far(&common::passes(passes), &percent(distance));
                text::strong(line).font(text::small())
            }
            None => text::note(words::MEAN_CAPTION, palette),
        };
        parts::line_ui(ui, line).tip(words::DISTANCE);
    });
    plots::mean_ui(
        ui,
        cut.0,
        &outcome.mean,
        watched.map(|w| (w.number, w.meaned)),
        look,
    );
}

fn monte_carlo_ui(ui: &mut Ui, found: &MonteCarlo, labels: &[String], look: Mode, mut cut: Cut) {
    let palette = theme::palette(ui);
    let label = words::class(found.top, labels);
    parts::row_ui(ui, cut.top(sizes::UNIT_ROW), |ui| {
        let words = words::probability_of(&label);
        parts::line_ui(ui, text::note(words, palette)).tip(&label);
    });
    let line = cut.bottom(sizes::UNIT_ROW);
    plots::monte_carlo_ui(ui, cut.0, found, &label, look);
    parts::row_ui(ui, line, |ui| {
        parts::line_ui(ui, text::note(words::spread(found), palette))
    });
}
