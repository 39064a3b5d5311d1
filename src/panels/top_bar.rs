//! The bar at the top: what is open, by which rules, the theme, export.

use eframe::egui::{Align, Button, Layout, Popup, Response, RichText, ScrollArea, Ui};

use super::side_panel;
use crate::command::{Action, Command, LessonCommand, LessonSource};
use crate::lesson::{BUNDLED, Control};
use crate::model::Semantics;
use crate::state::{ThemeChoice, View};
use crate::theme::{self, sizes, text};
use crate::views::menu::{self, Entry};
use crate::views::{Show, parts, terms};
use crate::words::common;
use crate::words::modes;
use crate::words::number::shortened;
use crate::words::titles::{model_title, photos_title};
use crate::words::window as words;
use modelens_jobs::{ModelSource, PhotosSource};

/// The most characters of a title, so that the rest of the bar has room.
const LONGEST: usize = 30;
const LONGEST_NARROW: usize = 20;

/// The whole bar.
pub fn top_bar_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    let wide = ui.available_width() >= sizes::TOP_BAR_WIDE;
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.label(text::wordmark("mode", palette.training.ink));
        ui.label(text::wordmark("lens", palette.inference.ink));
        ui.add_space(sizes::S4);
        ui.spacing_mut().item_spacing.x = sizes::S2;
        side_panel_ui(ui, show);
        base_ui(ui, show, wide);
        photos_ui(ui, show, wide);
        if !show.state.hides(Control::Rules) {
            rules_ui(ui, show, wide);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            export_ui(ui, show);
            if wide {
                theme_ui(ui, show);
            }
            help_ui(ui, show);
        });
    });
}

/// The label of a button, if there is room for it.
fn label_of(label: &'static str, wide: bool) -> &'static str {
    if wide { label } else { "" }
}

/// An entry that is chosen or not, with a sentence below; true when it was clicked.
fn entry_ui(ui: &mut Ui, chosen: bool, name: &str, below: &str) -> bool {
    menu::entry_ui(
        ui,
        Entry {
            name,
            below,
            chosen,
            right: "",
        },
    )
    .clicked()
}

/// A button that has no label in a narrow bar still says what its term means.
fn explained(button: Response, term: &str, wide: bool) -> Response {
    if wide {
        button
    } else {
        terms::explained(button, term)
    }
}

fn base_ui(ui: &mut Ui, show: &mut Show<'_>, wide: bool) {
    let opened = &show.state.opened;
    let value = match (&opened.opening_model, &opened.base) {
        (Some(source), _) => words::opening_small(&model_title(source)),
        (None, Some(base)) => base.model.title.clone(),
        (None, None) => common::NONE.to_owned(),
    };
    let chosen = opened.base.as_ref().map(|b| &b.source);
    let value = shortened(&value, if wide { LONGEST } else { LONGEST_NARROW });
    let button = parts::drop_button_ui(ui, label_of(words::BASE, wide), &value, false);
    let button = explained(button, terms::BASE, wide);
    Popup::menu(&button).width(sizes::MENU_WIDTH).show(|ui| {
        let bundled = [
            (ModelSource::Lab, words::LAB_TIP),
            (ModelSource::EfficientNetLite0, words::EFFICIENTNET_TIP),
        ];
        for (source, note) in bundled {
            if entry_ui(ui, chosen == Some(&source), &model_title(&source), note) {
                show.push(Command::OpenModel(source));
            }
        }
        for path in &show.state.shell.recent.models {
            let source = ModelSource::File(path.clone());
            let below = path.display().to_string();
            if entry_ui(ui, chosen == Some(&source), &model_title(&source), &below) {
                show.push(Command::OpenModel(source));
            }
        }
        cached_ui(ui, show);
        ui.separator();
        for action in [Action::OpenBase, Action::ShowCard] {
            menu::action_ui(ui, show, action);
        }
    });
}

/// The models in the caches of the frameworks.
fn cached_ui(ui: &mut Ui, show: &mut Show<'_>) {
    if show.state.shell.cached.is_empty() {
        return;
    }
    let palette = theme::palette(ui);
    ui.separator();
    ScrollArea::vertical()
        .max_height(sizes::PICKER_HEIGHT)
        .show(ui, |ui| {
            let mut owner = None;
            for cached in &show.state.shell.cached {
                if owner.replace(cached.owner) != Some(cached.owner) {
                    let title = words::cache_of(cached.owner);
                    parts::label_ui(ui, text::title(title, palette));
                }
                let below = cached.path.display().to_string();
                if entry_ui(ui, false, &cached.name, &below) {
                    let source = ModelSource::File(cached.path.clone());
                    show.commands.push(Command::OpenModel(source));
                }
            }
        });
}

/// The button that shows or hides input and layers, if the window has no room for them.
fn side_panel_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let width = ui.ctx().content_rect().width();
    let unasked = width < sizes::SIDE_PANEL + sizes::CENTRE_MIN_WIDTH;
    let asked = show.state.shell.side_panel.is_some();
    if show.state.hides(Control::SidePanel) || !(unasked || asked) {
        return;
    }
    let shown = side_panel::is_shown(show.state, width);
    let button = Button::new(Action::SidePanel.info().label).selected(shown);
    if parts::with_tooltip(ui.add(button), Action::SidePanel).clicked() {
        show.push(Action::SidePanel);
    }
}

fn photos_ui(ui: &mut Ui, show: &mut Show<'_>, wide: bool) {
    let opened = &show.state.opened;
    let value = match (&opened.opening_photos, &opened.gallery) {
        (Some(source), _) => words::opening_small(&photos_title(source)),
        (None, Some(gallery)) => {
            let classes = common::classes(gallery.photos.classes.len());
            words::photos_in(
                &crate::words::number::thousands(gallery.photos.photos.len()),
                &classes,
            )
        }
        (None, None) => common::NONE.to_owned(),
    };
    let chosen = opened.gallery.as_ref().map(|g| &g.source);
    let button = parts::drop_button_ui(ui, label_of(words::PHOTOS, wide), &value, false);
    Popup::menu(&button).width(sizes::MENU_WIDTH).show(|ui| {
        let bundled = PhotosSource::Bundled;
        let note = words::BUNDLED_PHOTOS_TIP;
        if entry_ui(ui, chosen == Some(&bundled), &photos_title(&bundled), note) {
            show.push(Command::OpenPhotos(bundled));
        }
        let recent = show.state.shell.recent.photos.iter();
        let recent: Vec<PhotosSource> = recent.cloned().map(PhotosSource::Folder).collect();
        // The open folder may have been forgotten.
        let open = chosen.filter(|source| source.path().is_some() && !recent.contains(source));
        for source in open.into_iter().chain(&recent) {
            let below = source.path().map(|path| path.display().to_string());
            let below = below.unwrap_or_default();
            if entry_ui(ui, chosen == Some(source), &photos_title(source), &below) {
                show.push(Command::OpenPhotos(source.clone()));
            }
        }
        ui.separator();
        for action in [Action::OpenPhotos, Action::OpenPhotoFile] {
            menu::action_ui(ui, show, action);
        }
    });
}

fn rules_ui(ui: &mut Ui, show: &mut Show<'_>, wide: bool) {
    let chosen = show.state.settings.semantics;
    let by_file = show.state.opened.base.as_ref().map(|b| b.model.semantics);
    let semantics = show.state.semantics();
    let label = if wide {
        semantics.label()
    } else {
        semantics.short_label()
    };
    let button = parts::drop_button_ui(ui, label_of(words::RULES_OF, wide), label, false);
    let button = explained(button, terms::RULES, wide);
    Popup::menu(&button).width(sizes::MENU_WIDTH).show(|ui| {
        let automatic = match by_file {
            Some(semantics) => words::automatic(semantics.label()),
            None => words::AUTOMATIC.to_owned(),
        };
        if entry_ui(ui, chosen.is_none(), &automatic, "") {
            show.push(Command::SetSemantics(None));
        }
        ui.separator();
        for semantics in Semantics::ALL {
            let note = modes::rules_sentence(semantics);
            if entry_ui(ui, chosen == Some(semantics), semantics.label(), note) {
                show.push(Command::SetSemantics(Some(semantics)));
            }
        }
    });
}

fn theme_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let chosen = show.state.settings.theme;
    let button = parts::drop_button_ui(ui, words::THEME, chosen.label(), false);
    Popup::menu(&button)
        .width(sizes::SMALL_MENU_WIDTH)
        .show(|ui| {
            for theme in ThemeChoice::ALL {
                if entry_ui(ui, chosen == theme, theme.label(), "") {
                    show.push(Command::SetTheme(theme));
                }
            }
        });
}

fn help_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let button = parts::drop_button_ui(ui, "", words::HELP, false);
    let popup = Popup::menu(&button).width(sizes::MENU_WIDTH);
    popup.show(|ui| {
        let height = ui.ctx().content_rect().height() - 2.0 * sizes::TOP_BAR;
        let area = ScrollArea::vertical().max_height(height);
        let area = area.min_scrolled_height(height);
        area.show(ui, |ui| help_entries_ui(ui, show));
    });
}

fn help_entries_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    ui.label(text::title(words::LESSONS, palette));
    for (number, lesson) in BUNDLED.iter().enumerate() {
        let source = LessonSource::Bundled(number);
        let chosen = show.state.lesson.as_ref();
        let chosen = chosen.is_some_and(|open| open.source == source);
        if entry_ui(ui, chosen, lesson.title, lesson.about) {
            show.push(LessonCommand::Open(source));
        }
    }
    for action in [Action::OpenLesson, Action::SaveLesson] {
        menu::action_ui(ui, show, action);
    }
    ui.separator();
    for action in [
        Action::Lecture,
        Action::FindCommand,
        Action::ShowKeys,
        Action::ShowTerms,
        Action::Show(View::Start),
        Action::ResetSettings,
    ] {
        menu::short_action_ui(ui, show, action);
    }
    let reduced = show.state.settings.reduce_motion;
    if entry_ui(ui, reduced, words::REDUCE_MOTION, words::REDUCE_MOTION_TIP) {
        show.push(Command::ReduceMotion(!reduced));
    }
}

fn export_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    let label = RichText::new(Action::Export.info().label).color(palette.on_ink);
    let response = ui.add(Button::new(label).fill(palette.ink));
    if parts::with_tooltip(response, Action::Export).clicked() {
        show.push(Action::Export);
    }
}
