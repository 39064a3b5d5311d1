//! Which head learns, and which photos it learns from.

use eframe::egui::{DragValue, Grid, Label, Popup, PopupCloseBehavior, Role, Ui, WidgetInfo};

use super::words;
use crate::command::{Command, TrainCommand};
use crate::state::{MAX_BATCH, MAX_PART, State};
use crate::theme::{self, sizes, text};
use crate::train::split::split_photos;
use crate::views::{Show, menu, parts};

/// The button that opens the choices.
pub fn setup_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let own = show.state.settings.train.own_head;
    let value = if own { words::FILES_HEAD } else { words::NEW };
    let button = parts::drop_button_ui(ui, words::HEAD, value, true);
    let spoken = words::head_name(value);
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &spoken));
    Popup::menu(&button)
        .width(sizes::MENU_WIDTH)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| choices_ui(ui, show));
}

fn choices_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let train = show.state.settings.train;
    let classes = show.state.photos().map_or(0, |set| set.classes.len());
    let heads = [
        (false, words::NEW_HEAD, words::NEW_HEAD_TIP),
        (true, words::OWN_HEAD, words::OWN_HEAD_TIP),
    ];
    for (own, name, below) in heads {
        let entry = menu::Entry {
            name,
            below,
            chosen: own == train.own_head,
            ..menu::Entry::default()
        };
        if menu::entry_ui(ui, entry).clicked() {
            show.push(TrainCommand::OwnHead(own));
        }
    }
    if !train.own_head {
        let mut rate = train.dropout;
        if number_ui(ui, words::DROPOUT_RATE, &mut rate) {
            show.push(TrainCommand::SetDropout(rate));
        }
        if classes == 2 {
            for (sigmoid, name) in [(false, words::TWO_OUTPUTS), (true, words::ONE_OUTPUT)] {
                let entry = menu::Entry {
                    name,
                    chosen: sigmoid == train.sigmoid,
                    ..menu::Entry::default()
                };
                if menu::entry_ui(ui, entry).clicked() {
                    show.push(TrainCommand::Sigmoid(sigmoid));
                }
            }
        }
    }
    ui.separator();
    let has_own_split = show
        .state
        .photos()
        .is_some_and(|set| set.own_split().is_some());
    let mut part = train.validation;
    if !has_own_split && number_ui(ui, words::VALIDATION_SPLIT, &mut part) {
        show.push(TrainCommand::SetValidation(part));
    }
    let label = |ui: &mut Ui| parts::label_ui(ui, text::muted(words::BATCH, theme::palette(ui)));
    ui.horizontal(|ui| {
        ui.add_space(sizes::S2);
        let label = label(ui);
        let semantics = show.state.semantics();
        let mut batch = train.step_photos(semantics);
        let own = train.preset(semantics).batch().is_none();
        let drag = parts::whole(&mut batch).range(1..=MAX_BATCH);
        let response = ui
            .add_enabled_ui(own, |ui| parts::field_ui(ui, drag))
            .inner
            .labelled_by(label.id);
        if response.changed() {
            show.push(TrainCommand::SetBatch(batch));
        }
    });
    let mut augment = show.state.settings.augment_batch;
    if parts::check_ui(ui, words::AUGMENT, &mut augment).changed() {
        show.push(Command::AugmentBatch(augment));
    }
    ui.separator();
    classes_ui(ui, show.state);
}

/// A number from 0 up, with its name; whether it changed.
fn number_ui(ui: &mut Ui, name: &str, value: &mut f64) -> bool {
    let palette = theme::palette(ui);
    ui.horizontal(|ui| {
        ui.add_space(sizes::S2);
        let label = parts::label_ui(ui, text::muted(name, palette));
        let drag = DragValue::new(value).range(0.0..=MAX_PART).speed(0.01);
        parts::field_ui(ui, drag.max_decimals(2))
            .labelled_by(label.id)
            .changed()
    })
    .inner
}

/// Photos of each class, as the split by this seed has them.
fn classes_ui(ui: &mut Ui, state: &State) {
    let palette = theme::palette(ui);
    let Some(set) = state.photos() else {
        return;
    };
    let settings = &state.settings;
    let seed = settings.seed;
    let parts = split_photos(set, settings.train.validation, seed);
    let sides = [&parts.training, &parts.validation];
    let count = |photos: &[usize], class: usize| {
        let of_class = photos.iter().filter(|&&p| set.photos[p].class == class);
        of_class.count()
    };
    let note = match set.own_split() {
        Some(_) => words::SPLIT_BY_FOLDERS.to_owned(),
        None => words::split_by(seed),
    };
    parts::line_ui(ui, text::note(note, palette));
    Grid::new("classes of the split")
        .num_columns(3)
        .min_row_height(sizes::CAPTION)
        .spacing([sizes::S4, sizes::S1])
        .show(ui, |ui| {
            for head in [
                crate::words::common::CLASS,
                words::TO_LEARN_FROM,
                words::TO_VALIDATE,
            ] {
                parts::label_ui(ui, text::note(head, palette));
            }
            ui.end_row();
            // More would not fit a menu.
            for (class, name) in set.classes.iter().enumerate().take(MOST) {
                ui.add(Label::new(short(name)).extend());
                for photos in sides {
                    ui.label(count(photos, class).to_string());
                }
                ui.end_row();
            }
            parts::label_ui(ui, text::strong(words::ALL));
            for photos in sides {
                parts::label_ui(ui, text::strong(photos.len().to_string()));
            }
            ui.end_row();
        });
    if set.classes.len() > MOST {
        let more = words::more_classes(set.classes.len() - MOST);
        parts::label_ui(ui, text::note(more, palette));
    }
}

/// The beginning of a long name.
fn short(name: &str) -> String {
    let mut letters = name.chars();
    let mut start: String = letters.by_ref().take(MOST_LETTERS).collect();
    if letters.next().is_some() {
        start.push('\u{2026}');
    }
    start
}

/// Letters of a name that are shown.
const MOST_LETTERS: usize = 18;
/// Classes that are listed.
const MOST: usize = 12;
