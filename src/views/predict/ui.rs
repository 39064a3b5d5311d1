//! The row of controls, and the two columns: classes, repeated passes, other batches.

use eframe::egui::{Align, Layout, Rect, Ui, vec2};

use super::words::{self, Names};
use super::{marks, missing, names, outcome};
use crate::command::Command;
use crate::model::Mode;
use crate::state::{Part, State};
use crate::theme::{self, sizes, text};
use crate::views::parts::Tip as _;
use crate::views::parts::{self, Cut};
use crate::views::{Show, waiting_ui};
use crate::words::common;
use crate::words::modes;
use modelens_jobs::{ClassInPass, PredictLook, PredictOutcome};

/// How many passes, what the numbers are, and "new draws" at the right.
pub fn controls_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    let room = ui.max_rect();
    let layout = Layout::right_to_left(Align::Center);
    let end = parts::inside_ui(ui, room, layout, |ui| {
        parts::redraw_ui(ui, show, words::NEW_DRAWS);
        ui.min_rect().left()
    });
    parts::row_ui(ui, room.with_max_x(end - sizes::S2), |ui| {
        let mut passes = show.state.settings.passes;
        parts::label_ui(ui, text::muted(words::PASSES, palette));
        let [fewest, most] = PredictLook::PASSES_RANGE;
        let drag = parts::whole(&mut passes).range(fewest..=most);
        let tip = words::PASSES_TIP;
        let response = ui.name_inputs(words::PASSES, |ui| parts::field_ui(ui, drag));
        if response.tip(tip).changed() {
            show.push(Command::SetPasses(passes));
        }
        if let Some(outcome) = outcome(show.state) {
            ui.add_space(sizes::S2);
            parts::line_ui(ui, text::note(words::reading(outcome), palette));
        }
    });
}

/// The two columns: the same classes in the same rows.
pub fn body_ui(ui: &mut Ui, show: &mut Show<'_>, cut: Cut) {
    let state = show.state;
    let semantics = state.semantics();
    let found = outcome(state);
    let found = found.and_then(|o| Some((o, names(state, o.outputs)?)));
    for (mode, rect) in Mode::BOTH.into_iter().zip(parts::columns(ui, &cut)) {
        let title = modes::mode_label(mode, semantics);
        let Some((outcome, names)) = &found else {
            let room = parts::column_ui(ui, rect, mode, title, "");
            waiting_ui(ui, show, room, mode);
            continue;
        };
        let note = words::heading(outcome.side(mode));
        let room = parts::column_ui(ui, rect, mode, title, &note);
        side_ui(ui, state, outcome, names, mode, room);
    }
}

fn side_ui(
    ui: &mut Ui,
    state: &State,
    outcome: &PredictOutcome,
    names: &Names<'_>,
    mode: Mode,
    room: Rect,
) {
    let palette = theme::palette(ui);
    let side = outcome.side(mode);
    let mut cut = Cut(room.shrink2(vec2(sizes::S4, sizes::S2)));
    let columns = marks::Columns::of(cut.0);
    let ticks = cut.bottom(sizes::AXIS_LABEL);
    let classes = outcome.rows.len().max(1) as f32;
    let height = cut.0.height() - sizes::TITLE_ROW;
    // A strip is as high as two classes, within limits; the classes get the rest.
    let strip_height = 2.0 * height / (classes + 4.0);
    let strip_height = strip_height.clamp(sizes::STRIP_ROW, sizes::STRIP_ROW_MAX);
    let pitch = (height - 2.0 * strip_height) / classes;
    let pitch = pitch.clamp(sizes::PREDICT_ROW_MIN, sizes::PREDICT_ROW_MAX);
    let mut rows = Cut(cut.top(pitch * classes));
    // Alone, they have the axis that is otherwise below the strips.
    let names_of_plots = [words::LEFT_CLASSES, words::RIGHT_CLASSES];
    let mut classes = rows.0;
    if parts::only_part(ui) == Some(Part::Plot(names_of_plots[mode as usize])) {
        let axis = cut.top(ticks.height());
        marks::ticks_ui(ui, columns, axis);
        classes.max.y = axis.bottom();
    }
    parts::note_plot_of(ui, mode, names_of_plots, classes);
    marks::lines_ui(ui, columns, rows.0.y_range());
    for row in &outcome.rows {
        let name = names.of(row.class);
        let bar = marks::Row {
            own: is_own(state, &name),
            name,
            probability: row.probability(mode),
            first: row.class == side.first,
        };
        marks::bar_ui(ui, columns, rows.top(pitch), mode, &bar);
    }
    let name = names.of(outcome.followed);
    let title = words::probability_title(&name.to_uppercase());
    parts::row_ui(ui, cut.top(sizes::TITLE_ROW), |ui| {
        parts::title_ui(ui, &title);
        parts::line_ui(ui, text::note(words::DASHED, palette))
    });
    let room = cut.top(2.0 * strip_height);
    let plots = [words::LEFT_PASSES, words::RIGHT_PASSES];
    parts::note_plot_of(
        ui,
        mode,
        plots,
        // With the class they are of, and the axis.
        Rect::from_x_y_ranges(
            room.x_range(),
            room.top() - sizes::TITLE_ROW..=room.bottom() + ticks.height(),
        ),
    );
    marks::lines_ui(ui, columns, room.y_range());
    marks::ticks_ui(
        ui,
        columns,
        ticks.with_max_y(room.bottom() + ticks.height()),
    );
    let mut room = Cut(room);
    let line = outcome.inference.passes.first().map(|s| s.probability);
    let strips = [
        passes_strip(&side.passes, side.random, missing(state)),
        mates_strip(outcome, &side.mates, missing(state)),
    ];
    for (seen, [label, note], empty) in strips {
        let strip = marks::Strip {
            label: &label,
            note: &note,
            seen,
            line,
            followed: outcome.followed,
            names,
            empty,
        };
        marks::strip_ui(ui, columns, room.top(strip_height), mode, &strip);
    }
}

/// Whether this is the class of the photo's folder.
fn is_own(state: &State, label: &str) -> bool {
    let own = state.opened.gallery.as_ref().and_then(|gallery| {
        let class = gallery.chosen()?.class;
        gallery.photos.classes.get(class)
    });
    own.is_some_and(|folder| words::same_class(label, folder))
}

type StripWords<'a> = (&'a [ClassInPass], [String; 2], &'static str);

fn passes_strip<'a>(
    seen: &'a [ClassInPass],
    random: usize,
    missing: Option<&str>,
) -> StripWords<'a> {
    if let Some(missing) = missing {
        let words = [words::PASS_1.to_owned(), words::others(missing)];
        return (seen, words, "");
    }
    let label = common::passes(seen.len());
    let note = match (words::spread(seen) == 0.0, random) {
        (true, _) => words::ALL_THE_SAME.to_owned(),
        (false, 0) => words::SAME_BATCH.to_owned(),
        (false, _) => words::SAME_BATCH_NEW_DRAWS.to_owned(),
    };
    (seen, [label, note], "")
}

fn mates_strip<'a>(
    outcome: &PredictOutcome,
    seen: &'a [ClassInPass],
    missing: Option<&'static str>,
) -> StripWords<'a> {
    if let Some(missing) = missing {
        let words = [words::OTHER_BATCHES.to_owned(), String::new()];
        return (seen, words, missing);
    }
    let [fewest, most] = outcome.mates_batch;
    let size = if fewest == most {
        most.to_string()
    } else {
        words::from_to(fewest, most)
    };
    let label = if seen.is_empty() {
        words::OTHER_BATCHES.to_owned()
    } else {
        words::batches_of(&common::batches(seen.len()), &size)
    };
    let note = if seen.is_empty() {
        String::new()
    } else if words::spread(seen) == 0.0 {
        words::ALL_THE_SAME.to_owned()
    } else {
        words::OTHER_MATES.to_owned()
    };
    (seen, [label, note], words::NO_MATES)
}
