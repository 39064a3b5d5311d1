//! All layers at a glance, the two columns, and below them the scatter plots and the walk.

use eframe::egui::{Rect, Ui, vec2};

use super::{Shown, batches, columns, mechanism, scatters, strip, words};
use crate::theme::{self, sizes};
use crate::views::Show;
use crate::views::parts::{self, Cut};

/// All layers at a glance; both columns; below them the scatter plots and the walk.
pub fn body_ui(ui: &mut Ui, show: &mut Show<'_>, mut cut: Cut) {
    let state = show.state;
    let shown = Shown::of(state);
    let strip = cut.top(sizes::STRIP);
    strip::strip_ui(ui, show, shown.as_ref(), strip);
    cut.top(sizes::S2);
    let height = cut.0.height();
    let columns = (height * sizes::BATCH_NORM_COLUMNS_SHARE)
        .min(height - sizes::SCATTER_ROW_MIN - sizes::S2)
        .max(sizes::BATCH_NORM_COLUMNS_MIN)
        .floor();
    let columns = Cut(cut.top(columns));
    cut.top(sizes::S2);
    columns::columns_ui(ui, show, shown.as_ref(), columns);
    let card = cut.0;
    parts::card(ui.painter(), card, theme::palette(ui));
    if let Some(shown) = &shown {
        below_ui(ui, show, shown, card);
    }
}

/// This batch against the file, and further batches.
fn below_ui(ui: &mut Ui, show: &mut Show<'_>, shown: &Shown<'_>, card: Rect) {
    let inner = card.shrink2(vec2(sizes::S4, sizes::S2));
    if show.state.walk.watches {
        parts::note_plot(ui, words::FURTHER_BATCHES, inner);
        mechanism::mechanism_ui(ui, show, shown, inner);
        return;
    }
    let left = (inner.width() * sizes::SCATTER_SHARE)
        .min(2.0 * inner.height() * sizes::SCATTER_ASPECT)
        .floor();
    let (scatters, batches) = inner.split_left_right_at_x(inner.left() + left);
    let mut scatters = Cut(scatters);
    if !parts::is_figure(ui) {
        let row = scatters.top(sizes::INPUT_ROW);
        let switch = row.with_max_x(row.left() + sizes::WATCH_SWITCH);
        mechanism::switch_ui(ui, show, switch);
        scatters.top(sizes::S1);
    }
    scatters::scatters_ui(ui, show, shown, scatters.0);
    let batches = batches.with_min_x(batches.left() + sizes::S4);
    parts::note_plot(ui, words::FURTHER_BATCHES, batches);
    batches::batches_ui(ui, show, shown, batches);
}
