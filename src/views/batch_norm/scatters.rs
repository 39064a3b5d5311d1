//! This batch against the file, one point a channel.

use eframe::egui::{Rect, Ui, pos2};

use super::Shown;
use super::words;
use crate::command::Command;
use crate::theme::{self, sizes};
use crate::views::plots::{self, Scatter};
use crate::views::{Show, parts};
use crate::words::common;

/// Two scatter plots, of the means and of the variances; a click on a point chooses its channel.
pub fn scatters_ui(ui: &mut Ui, show: &mut Show<'_>, shown: &Shown<'_>, room: Rect) {
    let outcome = shown.outcome;
    let batch = &outcome.training.batch;
    let width = ((room.width() - sizes::S3) / 2.0).floor();
    let place = |i: usize| {
        let left = room.left() + i as f32 * (width + sizes::S3);
        Rect::from_min_max(pos2(left, room.top()), pos2(left + width, room.bottom()))
    };
    let plots = [
        (common::MEAN, &outcome.moving.mean, &batch.mean),
        (common::VARIANCE, &outcome.moving.variance, &batch.variance),
    ];
    for (i, (what, moving, batch)) in plots.into_iter().enumerate() {
        let scatter = Scatter {
            id: ui.scope_id().with(("scatter", what)),
            x: moving,
            y: batch,
            x_label: &words::moving(what),
            y_label: &words::of_batch(what),
            chosen: shown.channel,
            ring: theme::palette(ui).training.ink,
        };
        parts::note_plot(ui, [words::MEANS, words::VARIANCES][i], place(i));
        if let Some(channel) = plots::scatter_ui(ui, place(i), &scatter) {
            show.push(Command::SetChannel(channel));
        }
    }
}
