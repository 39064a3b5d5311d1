//! The two columns: the chosen channel's numbers, its output, and its map.

use eframe::egui::{Align, FontId, Layout, Rect, Response, RichText, Ui, vec2};

use super::map::{self, Map};
use super::words;
use super::{Shown, arithmetic, texts};
use crate::model::Mode;
use crate::theme::{self, sizes, text};
use crate::views::parts::Tip as _;
use crate::views::parts::{self, Cut};
use crate::views::plots::{self, Histogram};
use crate::views::{Show, waiting_ui};
use crate::words::call as call_words;
use crate::words::common;
use crate::words::number::measured;

/// Training left, inference right.
pub fn columns_ui(ui: &mut Ui, show: &mut Show<'_>, shown: Option<&Shown<'_>>, room: Cut) {
    let semantics = show.state.semantics();
    for (mode, rect) in Mode::BOTH.into_iter().zip(parts::columns(ui, &room)) {
        let outer = match mode {
            Mode::Training => shown.map_or(show.state.settings.call, |shown| shown.pass.call),
            Mode::Inference => mode.into(),
        };
        let title = call_words::label(outer, semantics);
        let note = shown.map_or("", |shown| {
            words::heading(shown.side(mode), mode, shown.trainable)
        });
        let look = parts::column_mode(outer, semantics);
        let room = parts::column_ui(ui, rect, look, title, note);
        match shown {
            Some(shown) => side_ui(ui, shown, mode, look, room),
            None => waiting_ui(ui, show, room, mode),
        }
    }
}

/// One side; `look` is the mode whose colours it has.
fn side_ui(ui: &mut Ui, shown: &Shown<'_>, mode: Mode, look: Mode, room: Rect) {
    let palette = theme::palette(ui);
    let mut cut = Cut(room.shrink2(vec2(sizes::S4, sizes::S1)));
    used_ui(ui, shown, [mode, look], cut.top(sizes::KEY_ROW));
    for (label, written) in next_rows(shown, mode) {
        let row = cut.top(sizes::CARD_ROW);
        formula_ui(ui, row, label, &written, text::semibold());
    }
    let written = [
        arithmetic::output(shown, mode),
        arithmetic::short_output(shown, mode),
    ];
    let row = cut.top(sizes::CARD_ROW);
    let formula = formula_ui(ui, row, words::OUTPUT, &written, text::small());
    formula.tip(words::OUTPUT_FORMULA);
    cut.top(sizes::S1);
    let maps = Mode::BOTH.map(|mode| Map::of(shown, mode));
    let alone = parts::only_part(ui).is_some();
    let captions = texts::output_captions(shown, mode, maps[0].is_some(), alone);
    parts::row_ui(ui, cut.top(sizes::CAPTION), |ui| {
        parts::fitting_line_ui(ui, &captions, palette)
    });
    let [caption, ..] = captions;
    let mut room = cut.0;
    if let [Some(left), Some(right)] = &maps {
        let scale = Map::scale(&[left, right]);
        let map = if mode == Mode::Training { left } else { right };
        let name = texts::map_name(shown, mode);
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

/// The moving mean and variance that follow: with the arithmetic, and in short.
fn next_rows(shown: &Shown<'_>, mode: Mode) -> [(&'static str, [String; 2]); 2] {
    let side = shown.side(mode);
    let labelled = |[mean, variance]: [[String; 2]; 2]| {
        [(words::NEXT_MEAN, mean), (words::NEXT_VARIANCE, variance)]
    };
    let once = |values: [String; 2]| values.map(|value| [value.clone(), value]);
    if mode == Mode::Training && side.effective.updates_statistics {
        return match arithmetic::updates(shown) {
            Some(updates) => labelled(updates.map(|update| [update.text(), update.short()])),
            // For several calls only the result is shown.
            None => labelled(once(shown.next().map(measured))),
        };
    }
    let moving = &shown.outcome.moving;
    let values = [&moving.mean, &moving.variance];
    let unchanged = values.map(|values| words::unchanged(&measured(shown.at(values))));
    labelled(once(unchanged))
}

/// A muted label and a formula, which is set smaller, or in its short form, if it doesn't fit.
fn formula_ui(
    ui: &mut Ui,
    row: Rect,
    label: &str,
    written: &[String; 2],
    font: FontId,
) -> Response {
    let [whole, short] = written;
    let palette = theme::palette(ui);
    let (left, right) = row.split_left_right_at_x(row.left() + sizes::FIELD_LABEL);
    parts::row_ui(ui, left, |ui| {
        parts::line_ui(ui, text::note(label, palette))
    });
    let fits = |words: &str, font: &FontId| {
        let words = words.to_owned();
        let laid_out = ui
            .painter()
            .layout_no_wrap(words, font.clone(), palette.ink);
        laid_out.size().x <= right.width()
    };
    let fonts = [font, text::small(), text::tiny()];
    let fitting = |words: &str| fonts.iter().find(|font| fits(words, font));
    let (words, font) = match fitting(whole) {
        Some(font) => (whole, font),
        None => (short, fitting(short).unwrap_or(&fonts[2])),
    };
    let value = RichText::new(words).font(font.clone());
    let response = parts::row_ui(ui, right, |ui| parts::value_ui(ui, value));
    if words == whole {
        response
    } else {
        response.tip(whole)
    }
}

fn histogram_ui(ui: &mut Ui, shown: &Shown<'_>, [mode, look]: [Mode; 2], room: Rect, name: String) {
    let outcome = shown.outcome;
    let counts = |mode| shown.side(mode).histogram.get(shown.channel);
    let (Some(own), Some(&axis)) = (counts(mode), outcome.histogram_axis.get(shown.channel)) else {
        return;
    };
    let both = Mode::BOTH.map(counts);
    let top = both
        .into_iter()
        .flatten()
        .flatten()
        .copied()
        .max()
        .unwrap_or(1);
    let id = ui.scope_id().with(("histogram", mode));
    let color = theme::palette(ui).mode(look).bar;
    let histogram = Histogram {
        id,
        name,
        counts: own,
        axis,
        top,
        color,
    };
    plots::histogram_ui(ui, room, histogram);
}
