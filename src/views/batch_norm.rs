//! One BatchNorm layer: what each side normalises with, and what comes out.

use eframe::egui;
use eframe::egui::{Align, Layout, Rect, RichText, Ui, pos2, vec2};

mod controls;

pub use controls::controls_ui;

use super::explain::Explanation;
use super::number::{count, measured, thousands};
use super::parts::{self, Cut};
use super::plots::{self, Histogram, Scatter};
use super::{Show, centre, code, number, text as sentences};
use crate::command::Command;
use crate::model::{Mode, Outer};
use crate::state::{Base, State, View};
use crate::theme::{self, sizes, text};
use crate::worker::{BatchNormOutcome, BatchNormSide, Outcome};

/// The latest outcome, up to date or not.
fn outcome(state: &State) -> Option<&BatchNormOutcome> {
    match &state.computed.result(View::BatchNorm)?.outcome {
        Outcome::BatchNorm(outcome) => Some(outcome),
        Outcome::Augmentation(_) | Outcome::Dropout(_) | Outcome::Trainable(_) => None,
    }
}

/// The chosen channel, else the one that differs most.
fn chosen_channel(base: &Base, outcome: &BatchNormOutcome) -> usize {
    let channels = outcome.moving.mean.len();
    base.channel
        .filter(|&channel| channel < channels)
        .or_else(|| sentences::most_different(outcome).first().copied())
        .unwrap_or(0)
}

/// Sentences and code.
pub fn explanation(state: &State) -> Explanation {
    let semantics = state.semantics();
    let Some((base, layer)) = state
        .opened
        .base
        .as_ref()
        .and_then(|b| Some((b, b.batch_norm?)))
    else {
        return Explanation {
            text: String::new(),
            code: String::new(),
        };
    };
    let trainable = base.flags.get(layer);
    let training = Outer::Given(Mode::Training);
    let effective = base
        .flags
        .effective(&base.model, layer, training, semantics);
    let text = outcome(state).map(|outcome| {
        let first = sentences::augmented_batch(state.augmented_by(View::BatchNorm));
        let channel = chosen_channel(base, outcome);
        first + &sentences::batch_norm(outcome, channel, trainable, semantics)
    });
    let own = &base.model.graph.layers[layer];
    let nested = own.parent.is_some();
    Explanation {
        text: text.unwrap_or_default(),
        code: code::batch_norm(&own.name, nested, Some(effective), trainable, semantics),
    }
}

/// Two columns of numbers and histograms, and below them the scatter plots.
pub fn body_ui(ui: &mut Ui, show: &mut Show<'_>, mut cut: Cut) {
    let state = show.state;
    let Some(base) = &state.opened.base else {
        return;
    };
    let height = cut.0.height();
    let columns = (height * sizes::BATCH_NORM_COLUMNS_SHARE)
        .min(height - sizes::SCATTER_ROW_MIN - sizes::S3)
        .max(sizes::BATCH_NORM_COLUMNS_MIN)
        .floor();
    let columns = Cut(cut.top(columns));
    cut.top(sizes::S3);
    let semantics = state.semantics();
    let trainable = base.batch_norm.is_some_and(|id| base.flags.get(id));
    let found = outcome(state);
    for (mode, rect) in Mode::BOTH
        .into_iter()
        .zip(columns.halves(sizes::COLUMN_GAP))
    {
        let title = sentences::mode_label(mode, semantics);
        let note = found.map_or("", |outcome| {
            sentences::batch_norm_heading(side(outcome, mode), mode, trainable)
        });
        let room = parts::column_ui(ui, rect, mode, title, note);
        match found {
            Some(outcome) => {
                let channel = chosen_channel(base, outcome);
                side_ui(ui, outcome, mode, channel, room);
            }
            None => centre::waiting_ui(ui, show, room, mode),
        }
    }
    parts::card(ui.painter(), cut.0, theme::palette(ui));
    if let Some(outcome) = found {
        let channel = chosen_channel(base, outcome);
        scatter_row_ui(ui, show, outcome, channel, cut.0);
    }
}

fn side(outcome: &BatchNormOutcome, mode: Mode) -> &BatchNormSide {
    match mode {
        Mode::Training => &outcome.training,
        Mode::Inference => &outcome.inference,
    }
}

fn side_ui(ui: &mut Ui, outcome: &BatchNormOutcome, mode: Mode, channel: usize, room: Rect) {
    let palette = theme::palette(ui);
    let side = side(outcome, mode);
    let at = |values: &[f32]| values.get(channel).map_or(0.0, |&x| f64::from(x));
    let mut cut = Cut(room.shrink2(vec2(sizes::S4, sizes::S2)));
    let color = palette.mode(mode).ink;
    let narrow = cut.0.width() - 2.0 * stat_column(cut.0) < sizes::STAT_LABEL_MIN;
    let (normalises, moving) = if narrow {
        ("uses", "moving after")
    } else {
        ("normalises with", "moving value after this batch")
    };
    let heads = ["", "mean", "variance"].map(|head| text::note(head, palette));
    stat_row_ui(ui, cut.top(sizes::STAT_ROW), heads);
    let with = if sentences::uses_batch(side) {
        "the batch"
    } else {
        "the stored"
    };
    stat_row_ui(
        ui,
        cut.top(sizes::KEY_ROW),
        [
            text::strong(format!("{normalises} {with}")),
            RichText::new(measured(at(&side.used.mean)))
                .font(text::key())
                .color(color),
            RichText::new(measured(at(&side.used.variance)))
                .font(text::key())
                .color(color),
        ],
    );
    let next = |after: &[f32], before: &[f32]| {
        if side.effective.updates_statistics {
            measured_change(at(before), at(after))
        } else {
            "unchanged".to_owned()
        }
    };
    stat_row_ui(
        ui,
        cut.top(sizes::STAT_ROW),
        [
            text::muted(moving, palette),
            text::strong(next(&side.next.mean, &outcome.moving.mean)),
            text::strong(next(&side.next.variance, &outcome.moving.variance)),
        ],
    );
    cut.top(sizes::S1);
    let caption = match mode {
        Mode::Training => {
            let shape: Vec<String> = outcome
                .shape
                .iter()
                .skip(1)
                .rev()
                .skip(1)
                .rev()
                .map(ToString::to_string)
                .collect();
            let photos = count(
                outcome.shape.first().copied().unwrap_or(0),
                "photo",
                "photos",
            );
            let positions = if shape.is_empty() {
                String::new()
            } else {
                format!(" × {}", shape.join(" × "))
            };
            let n = thousands(outcome.n);
            format!(
                "Output of channel {} ({n} values = {photos}{positions})",
                channel + 1
            )
        }
        Mode::Inference => format!("Output of channel {}, same photos, same axis", channel + 1),
    };
    parts::row_ui(ui, cut.top(sizes::STAT_ROW), |ui| {
        parts::line_ui(ui, text::note(&caption, palette))
    });
    let counts = |side: &BatchNormSide| side.histogram.get(channel).copied();
    let (Some(own), Some(&axis)) = (counts(side), outcome.histogram_axis.get(channel)) else {
        return;
    };
    let both = [counts(&outcome.training), counts(&outcome.inference)];
    let top = both.iter().flatten().flatten().copied().max().unwrap_or(1);
    let id = ui.scope_id().with(("histogram", mode));
    let color = palette.mode(mode).bar;
    plots::histogram_ui(
        ui,
        cut.0,
        Histogram {
            id,
            name: caption,
            counts: &own,
            axis,
            top,
            color,
        },
    );
}

/// The value after, with enough digits to tell it from the value before.
fn measured_change(before: f64, after: f64) -> String {
    let text = measured(after);
    if text != measured(before) || before == after {
        return text;
    }
    number::fixed(after, 6)
}

/// The width of a column of values.
fn stat_column(rect: Rect) -> f32 {
    let share = rect.width() * sizes::STAT_COLUMN_SHARE;
    share.clamp(sizes::STAT_COLUMN_MIN, sizes::STAT_COLUMN)
}

/// A label and two values in columns that both sides share.
fn stat_row_ui(ui: &mut Ui, rect: Rect, [label, mean, variance]: [RichText; 3]) {
    let column = stat_column(rect);
    let first = rect.right() - 2.0 * column;
    let part = |from: f32, to: f32| Rect::from_x_y_ranges(from..=to, rect.y_range());
    parts::row_ui(ui, part(rect.left(), first - sizes::S1), |ui| {
        parts::line_ui(ui, label)
    });
    for (i, value) in [mean, variance].into_iter().enumerate() {
        let left = first + i as f32 * column;
        parts::row_ui(ui, part(left, left + column), |ui| {
            parts::value_ui(ui, value)
        });
    }
}

fn scatter_row_ui(
    ui: &mut Ui,
    show: &mut Show<'_>,
    outcome: &BatchNormOutcome,
    channel: usize,
    rect: Rect,
) {
    let palette = theme::palette(ui);
    let ring = palette.training.ink;
    let batch = &outcome.training.batch;
    let inner = rect.shrink2(vec2(sizes::S4, sizes::S3));
    let width = ((inner.width() * sizes::SCATTER_SHARE - sizes::S4) / 2.0)
        .min(inner.height() * sizes::SCATTER_ASPECT)
        .floor();
    let place = |i: usize| {
        let left = inner.left() + i as f32 * (width + sizes::S4);
        Rect::from_min_max(pos2(left, inner.top()), pos2(left + width, inner.bottom()))
    };
    let plots = [
        ("mean", &outcome.moving.mean, &batch.mean),
        ("variance", &outcome.moving.variance, &batch.variance),
    ];
    for (i, (what, moving, batch)) in plots.into_iter().enumerate() {
        let scatter = Scatter {
            id: ui.scope_id().with(("scatter", what)),
            x: moving,
            y: batch,
            x_label: &format!("moving {what}"),
            y_label: &format!("batch {what}"),
            chosen: channel,
            ring,
        };
        if let Some(channel) = plots::scatter_ui(ui, place(i), &scatter) {
            show.push(Command::SetChannel(channel));
        }
    }
    let left = place(1).right() + sizes::S4;
    let words = Rect::from_min_max(pos2(left, inner.top()), inner.max);
    let channels = outcome.moving.mean.len();
    let title = format!(
        "{} CHANNELS, THIS BATCH AGAINST THE FILE",
        thousands(channels)
    );
    parts::inside_ui(ui, words, Layout::top_down(Align::Min), |ui| {
        ui.label(text::title(&title, palette));
        let words = sentences::scatter(outcome, channel);
        let words = text::prose(&words, ui.available_width(), palette);
        ui.add(egui::Label::new(words).selectable(true));
        let hint = "A click on a point chooses its channel.";
        if !parts::is_figure(ui) && ui.available_height() > sizes::PROSE_LINE {
            ui.label(text::note(hint, palette));
        }
    });
}
