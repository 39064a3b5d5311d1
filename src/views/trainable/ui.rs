//! The row above the cards, and cards and table below each other.

use eframe::egui::{self, Align, Button, Layout, Rect, ScrollArea, Ui, vec2};

use super::{cards, diagram, is_changed, outcome, table, words};
use crate::command::{Action, Command};
use crate::model::Semantics;
use crate::state::{Part, State};
use crate::theme::{self, sizes, text};
use crate::views::Show;
use crate::views::parts::Tip as _;
use crate::views::parts::{self, Cut};
use crate::words::common;
use crate::words::number::fixed;
use modelens_jobs::TrainableLook;

/// What was measured, and at the right whether `compile()` is due.
pub fn controls_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    let room = ui.max_rect();
    let layout = Layout::right_to_left(Align::Center);
    let end = parts::inside_ui(ui, room, layout, |ui| {
        let mut only = show.state.settings.only_layers;
        let tip = words::ONLY_LAYERS_TIP;
        let check = parts::check_ui(ui, words::ONLY_LAYERS, &mut only);
        if check.tip(tip).changed() {
            show.push(Command::OnlyLayers(only));
        }
        if is_changed(show.state) {
            badge_ui(ui, show);
        }
        ui.min_rect().left()
    });
    let what = match outcome(show.state) {
        Some(outcome) => {
            let photos = common::photos(outcome.photos);
            let most = if show.state.settings.batch > TrainableLook::MAX_PHOTOS {
                words::MOST_PHOTOS
            } else {
                ""
            };
            let rate = fixed(outcome.rate, 2);
            words::measured_by(&rate, &photos, most)
        }
        None => String::new(),
    };
    parts::row_ui(ui, room.with_max_x(end - sizes::S2), |ui| {
        parts::line_ui(ui, text::note(what, palette))
    });
}

/// "Changed since compile()", and the button that makes it untrue.
fn badge_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    let semantics = show.state.semantics();
    let label = match semantics {
        Semantics::PyTorch => words::NEW_OPTIMIZER,
        Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => Action::Compile.info().label,
    };
    if parts::with_tooltip(ui.add(Button::new(label)), Action::Compile).clicked() {
        show.push(Action::Compile);
    }
    let colors = &palette.training;
    let words = text::strong(common::sentence_case(words::badge(semantics))).color(colors.ink);
    egui::Frame::new()
        .fill(colors.band)
        .corner_radius(sizes::PILL_RADIUS)
        .inner_margin(egui::Margin::symmetric(sizes::S3 as i8, sizes::S1 as i8))
        .show(ui, |ui| ui.label(words))
        .response
        .tip(words::changed(semantics));
}

/// The height of a figure at this width: that of the picture and of the cards as their words need it, or
/// that of the table in the place of the cards.
pub fn figure_height(ui: &Ui, state: &State, width: f32) -> f32 {
    let picture = picture_height(width);
    if state.settings.only_layers {
        return picture + table::height(rows(state).len());
    }
    let width = width - sizes::SCROLL_BAR;
    picture + cards::height(ui, outcome(state), width, false)
}

/// The least height of a figure: its cards are low. A side alone keeps its cards whole.
pub fn least_figure_height(ui: &Ui, state: &State, width: f32) -> f32 {
    let is_whole = parts::only_part(ui).is_none();
    if state.settings.only_layers || width < sizes::FIGURE_LEAST || !is_whole {
        return figure_height(ui, state, width);
    }
    picture_height(width) + cards::low_height()
}

/// The height of the picture with the gap below it. A narrow figure has no room for its blocks.
fn picture_height(width: f32) -> f32 {
    if width < sizes::FIGURE_LEAST {
        0.0
    } else {
        diagram::height() + sizes::S3
    }
}

/// The height of the picture, of low cards, and of two rows of the table.
pub fn wanted_height(state: &State) -> f32 {
    let cards = if state.settings.only_layers {
        0.0
    } else {
        cards::low_height() + sizes::S3
    };
    diagram::height() + sizes::S3 + cards + table::height(2)
}

/// The rows of the table.
fn rows(state: &State) -> Vec<table::Row> {
    let settings = &state.settings;
    let rows = state
        .opened
        .base
        .as_ref()
        .map(|base| table::rows(base, settings.call, state.semantics(), settings.layer_sort));
    rows.unwrap_or_default()
}

/// The picture of the network, the cards, and below them the table; all scroll together.
pub fn body_ui(ui: &mut Ui, show: &mut Show<'_>, cut: Cut) {
    let rows = rows(show.state);
    let width = cut.0.width() - sizes::SCROLL_BAR;
    let only_layers = show.state.settings.only_layers;
    let is_figure = parts::is_figure(ui);
    let picture = if is_figure {
        picture_height(cut.0.width())
    } else {
        diagram::height() + sizes::S3
    };
    if picture == 0.0 {
        parts::note_left_out(ui, words::PICTURE_LEFT_OUT);
    }
    let whole = cards::height(ui, outcome(show.state), width, false) + sizes::S3;
    // Low cards leave room for the table, which a figure has only if there is room.
    let least = if is_figure {
        -sizes::S3 - sizes::LINE
    } else {
        table::height(sizes::TABLE_LEAST_ROWS.min(rows.len()))
    };
    let alone = parts::only_part(ui).is_some();
    let low = !alone && picture + whole + least > cut.0.height();
    let cards = if only_layers {
        0.0
    } else {
        cards::height(ui, outcome(show.state), width, low) + sizes::S3
    };
    let height = picture + cards + table::height(rows.len());
    // A figure cannot be scrolled: it shows all rows or no table.
    let has_table = !is_figure
        || height <= cut.0.height()
        || parts::only_part(ui) == Some(Part::Plot(words::LAYERS));
    // Low cards of a figure without a table have the rest of it for their sentences.
    let rest = cut.0.height() - picture + sizes::S3;
    let cards = if low && is_figure && !has_table {
        cards.max(rest)
    } else {
        cards
    };
    parts::inside_ui(ui, cut.0, Layout::default(), |ui| {
        let area = ScrollArea::vertical()
            .id_salt("cards and layers")
            .auto_shrink(false);
        area.show_viewport(ui, |ui, _| {
            let size = vec2(ui.available_width(), height);
            let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
            let mut cut = Cut(rect.with_max_x(rect.left() + width));
            if picture > 0.0 {
                let room = cut.top(picture - sizes::S3);
                parts::note_plot(ui, words::PICTURE, room);
                diagram::diagram_ui(ui, show, room);
                cut.top(sizes::S3);
            }
            if !only_layers {
                let room = cut.top(cards - sizes::S3);
                cards::cards_ui(ui, show, outcome(show.state), room, low);
                cut.top(sizes::S3);
            }
            parts::note_plot(ui, words::LAYERS, cut.0);
            if has_table {
                table::table_ui(ui, show, &rows, cut.0);
            }
        });
    });
}

/// A column's share of a rectangle.
pub fn between(rect: Rect, left: f32, right: f32) -> Rect {
    Rect::from_x_y_ranges(left..=right, rect.y_range())
}
