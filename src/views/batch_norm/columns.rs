//! The two columns: the chosen channel's numbers, its output, and its map.

use eframe::egui::{Align, Layout, Rect, RichText, Ui, vec2};

use super::map::{self, Map};
use super::{Shown, arithmetic, said};
use crate::model::Mode;
use crate::theme::{self, sizes, text};
use crate::views::parts::{self, Cut};
use crate::views::plots::{self, Histogram};
use crate::views::{Show, call, centre};
use crate::words::batch_norm as words;
use crate::words::call as call_words;
use crate::words::common;
use crate::words::number::measured;

/// Training left, inference right.
pub fn columns_ui(ui: &mut Ui, show: &mut Show<'_>, shown: Option<&Shown<'_>>, room: Cut) {
    let semantics = show.state.semantics();
    for (mode, rect) in Mode::BOTH.into_iter().zip(room.halves(sizes::COLUMN_GAP)) {
        let outer = match mode {
            Mode::Training => shown.map_or(show.state.settings.call, |shown| shown.pass.call),
            Mode::Inference => mode.into(),
        };
        let title = call_words::label(outer, semantics);
        let note = shown.map_or("", |shown| {
            words::heading(shown.side(mode), mode, shown.trainable)
        });
        let look = call::column_mode(outer, semantics);
        let room = parts::column_ui(ui, rect, look, title, note);
        match shown {
            Some(shown) => side_ui(ui, shown, mode, look, room),
            None => centre::waiting_ui(ui, show, room, mode),
        }
    }
}

/// One side; `look` is the mode whose colours it has.
fn side_ui(ui: &mut Ui, shown: &Shown<'_>, mode: Mode, look: Mode, room: Rect) {
    let palette = theme::palette(ui);
    let mut cut = Cut(room.shrink2(vec2(sizes::S4, sizes::S1)));
    used_ui(ui, shown, [mode, look], cut.top(sizes::KEY_ROW));
    for [label, words] in next_rows(shown, mode) {
        let row = cut.top(sizes::CARD_ROW);
        let words = if row.width() < sizes::FORMULA_NARROW {
            // What is cut off must not be the result.
            let result_first = words
                .split_once(" = ")
                .map(|(sum, next)| format!("{next} = {sum}"));
            text::small_strong(result_first.unwrap_or(words))
        } else {
            text::strong(words)
        };
        labelled_ui(ui, row, label, words);
    }
    let formula = arithmetic::output(shown, mode);
    let row = cut.top(sizes::CARD_ROW);
    let meaning = words::OUTPUT_FORMULA;
    let words = text::small_strong(formula);
    labelled_ui(ui, row, words::OUTPUT, words).on_hover_text(meaning);
    cut.top(sizes::S1);
    let maps = Mode::BOTH.map(|mode| Map::of(shown, mode));
    let caption = said::output_caption(shown, mode, maps[0].is_some());
    parts::row_ui(ui, cut.top(sizes::CAPTION), |ui| {
        parts::line_ui(ui, text::note(&caption, palette))
    });
    let mut room = cut.0;
    if let [Some(left), Some(right)] = &maps {
        let scale = Map::scale(&[left, right]);
        let map = if mode == Mode::Training { left } else { right };
        let name = said::map_name(shown, mode);
        let rest = map::map_ui(ui, room, map, scale, mode, &name);
        let place = room.with_min_x(rest.right());
        parts::note_plot_of(ui, mode, [words::LEFT_MAP, words::RIGHT_MAP], place);
        room = rest;
    }
    parts::note_plot_of(
        ui,
        mode,
        [words::LEFT_HISTOGRAM, words::RIGHT_HISTOGRAM],
        room,
    );
    histogram_ui(ui, shown, [mode, look], room, caption);
}

/// What this side normalises with, large.
fn used_ui(ui: &mut Ui, shown: &Shown<'_>, [mode, look]: [Mode; 2], row: Rect) {
    let palette = theme::palette(ui);
    let side = shown.side(mode);
    let narrow = row.width() < sizes::STAT_NARROW;
    let with = if side.uses_batch() {
        words::WITH_BATCH
    } else {
        words::WITH_STORED
    };
    let verb = if narrow {
        words::USES
    } else {
        words::NORMALISES_WITH
    };
    let values = [
        (common::MEAN, &side.used.mean),
        (common::VARIANCE, &side.used.variance),
    ];
    let layout = Layout::right_to_left(Align::Center);
    let left = parts::inside_ui(ui, row, layout, |ui| {
        ui.spacing_mut().item_spacing.x = sizes::S1;
        for (name, values) in values.into_iter().rev() {
            let value = RichText::new(measured(shown.at(values))).font(text::key());
            parts::value_ui(ui, value.color(palette.mode(look).ink));
            parts::label_ui(ui, text::note(name, palette));
            ui.add_space(sizes::S2);
        }
        ui.min_rect().left()
    });
    if left - row.left() >= sizes::STAT_LABEL {
        parts::row_ui(ui, row.with_max_x(left), |ui| {
            parts::line_ui(ui, text::strong(format!("{verb} {with}")))
        });
    }
}

/// The moving mean and variance that follow, with the arithmetic.
fn next_rows(shown: &Shown<'_>, mode: Mode) -> [[String; 2]; 2] {
    let side = shown.side(mode);
    let names = [words::NEXT_MEAN, words::NEXT_VARIANCE];
    let labelled = |values: [String; 2]| {
        let [mean, variance] = values;
        [[names[0].to_owned(), mean], [names[1].to_owned(), variance]]
    };
    if mode == Mode::Training && side.effective.updates_statistics {
        return match arithmetic::steps(shown) {
            Some(steps) => labelled(steps.map(|step| step.text())),
            // Called several times: only the result is plain to see.
            None => labelled(shown.next().map(measured)),
        };
    }
    let moving = &shown.outcome.moving;
    let values = [&moving.mean, &moving.variance];
    labelled(values.map(|values| words::unchanged(&measured(shown.at(values)))))
}

/// A quiet label in a column of its own, and a value.
fn labelled_ui(
    ui: &mut Ui,
    row: Rect,
    label: impl Into<String>,
    value: RichText,
) -> eframe::egui::Response {
    let palette = theme::palette(ui);
    let (left, right) = row.split_left_right_at_x(row.left() + sizes::FIELD_LABEL);
    parts::row_ui(ui, left, |ui| {
        parts::line_ui(ui, text::note(label, palette))
    });
    parts::row_ui(ui, right, |ui| parts::value_ui(ui, value))
}

fn histogram_ui(ui: &mut Ui, shown: &Shown<'_>, [mode, look]: [Mode; 2], room: Rect, name: String) {
    let outcome = shown.outcome;
    let counts = |mode| shown.side(mode).histogram.get(shown.channel).copied();
    let (Some(own), Some(&axis)) = (counts(mode), outcome.histogram_axis.get(shown.channel)) else {
        return;
    };
    let both = Mode::BOTH.map(counts);
    let top = both.iter().flatten().flatten().copied().max().unwrap_or(1);
    let id = ui.scope_id().with(("histogram", mode));
    let color = theme::palette(ui).mode(look).bar;
    let histogram = Histogram {
        id,
        name,
        counts: &own,
        axis,
        top,
        color,
    };
    plots::histogram_ui(ui, room, histogram);
}
