//! All layers at a glance, the two columns, and below them the scatter plots and the walk.

use eframe::egui::{Rect, Ui, vec2};

use super::{Shown, batches, columns, mechanism, scatters, strip, words};
use crate::theme::{self, sizes};
use crate::views::Show;
use crate::views::parts::{self, Cut};

/// The height of a figure whose columns and plots are one above the other. `watches`: with the
/// mechanism in the place of the plots.
pub fn stacked_height(watches: bool) -> f32 {
    let columns = 2.0 * sizes::BATCH_NORM_COLUMNS_MIN + sizes::COLUMN_GAP;
    let below = if watches { 1.0 } else { 2.0 } * sizes::BELOW_TALL;
    sizes::STRIP + columns + below + 2.0 * sizes::S2
}

/// The height of a low figure: without the plots below the columns, or without all but the mechanism.
pub fn low_height(watches: bool) -> f32 {
    if watches {
        return sizes::PASSES_ROW_MAX;
    }
    sizes::STRIP + sizes::S2 + sizes::BATCH_NORM_COLUMNS_MIN
}

/// All layers at a glance; both columns; below them the scatter plots and the walk.
pub fn body_ui(ui: &mut Ui, show: &mut Show<'_>, mut cut: Cut) {
    let state = show.state;
    let shown = Shown::of(state);
    let strip = cut.top(sizes::STRIP);
    strip::strip_ui(ui, show, shown.as_ref(), strip);
    cut.top(sizes::S2);
    let height = cut.0.height();
    let is_tall = parts::stacks(ui, cut.0.width());
    let least = sizes::BATCH_NORM_COLUMNS_MIN + sizes::S2 + sizes::SCATTER_ROW_MIN;
    if parts::is_figure(ui) && !is_tall && height < least {
        if state.walk.watches {
            parts::note_left_out(ui, words::COLUMNS_LEFT_OUT);
            below_ui(ui, show, shown.as_ref(), cut.0);
        } else {
            parts::note_left_out(ui, words::PLOTS_LEFT_OUT);
            columns::columns_ui(ui, show, shown.as_ref(), cut);
        }
        return;
    }
    let columns = if is_tall {
        2.0 * sizes::BATCH_NORM_COLUMNS_MIN + sizes::COLUMN_GAP
    } else {
        (height * sizes::BATCH_NORM_COLUMNS_SHARE)
            .min(height - sizes::SCATTER_ROW_MIN - sizes::S2)
            .max(sizes::BATCH_NORM_COLUMNS_MIN)
            .floor()
    };
    let columns = Cut(cut.top(columns));
    cut.top(sizes::S2);
    columns::columns_ui(ui, show, shown.as_ref(), columns);
    below_ui(ui, show, shown.as_ref(), cut.0);
}

/// This batch against the file, and further batches.
fn below_ui(ui: &mut Ui, show: &mut Show<'_>, shown: Option<&Shown<'_>>, card: Rect) {
    parts::card(ui.painter(), card, theme::palette(ui));
    let Some(shown) = shown else { return };
    let inner = card.shrink2(vec2(sizes::S4, sizes::S2));
    if show.state.walk.watches {
        parts::note_plot(ui, words::FURTHER_BATCHES, inner);
        let mut cut = Cut(inner);
        // On a slide there is room for what the batches have come to.
        if parts::is_figure(ui) && inner.height() >= sizes::MECHANISM_AND_WALK {
            let scene = cut.top((inner.height() * sizes::MECHANISM_SHARE).floor());
            cut.top(sizes::S3);
            batches::batches_ui(ui, show, shown, cut.0);
            cut = Cut(scene);
        }
        mechanism::mechanism_ui(ui, show, shown, cut.0);
        return;
    }
    let (scatters, batches) = if parts::stacks(ui, card.width()) {
        let [upper, lower] = Cut(inner).stacked(sizes::S3);
        (upper, lower)
    } else {
        let left = (inner.width() * sizes::SCATTER_SHARE)
            .min(2.0 * inner.height() * sizes::SCATTER_ASPECT)
            .floor();
        let (scatters, batches) = inner.split_left_right_at_x(inner.left() + left);
        (scatters, batches.with_min_x(batches.left() + sizes::S4))
    };
    let mut scatters = Cut(scatters);
    if !parts::is_figure(ui) {
        let row = scatters.top(sizes::INPUT_ROW);
        let switch = row.with_max_x(row.left() + sizes::WATCH_SWITCH);
        mechanism::switch_ui(ui, show, switch);
        scatters.top(sizes::S1);
    }
    scatters::scatters_ui(ui, show, shown, scatters.0);
    parts::note_plot(ui, words::FURTHER_BATCHES, batches);
    batches::batches_ui(ui, show, shown, batches);
}
