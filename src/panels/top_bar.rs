//! The bar at the top: what is open, by which rules, the theme, export.

use eframe::egui::{Align, Button, Layout, Popup, Response, RichText, ScrollArea, Ui};

use super::side_panel;
use crate::command::{Action, Command, LessonCommand, LessonSource};
use crate::lesson::{BUNDLED, Control};
use crate::model::Semantics;
use crate::state::{State, ThemeChoice, View};
use crate::theme::{self, sizes, text};
use crate::views::menu::{self, Entry};
use crate::views::parts::Tip as _;
use crate::views::{Show, parts, terms};
use crate::words::common;
use crate::words::modes;
use crate::words::number::{shortened, thousands};
use crate::words::titles::{model_title, photos_title};
use crate::words::window as words;
use modelens_jobs::{ModelSource, PhotosSource};

/// How much the bar says, from the widest window to the narrowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    /// Labels, long titles, and the theme.
    Full,
    /// Values without labels.
    Values,
    /// Short values.
    Short,
    /// Labels without values.
    Labels,
}

impl Detail {
    const ALL: [Self; 4] = [Self::Full, Self::Values, Self::Short, Self::Labels];

    /// The most characters of a title.
    fn longest(self) -> usize {
        match self {
            Self::Full => 30,
            Self::Values => 20,
            Self::Short => 12,
            Self::Labels => 0,
        }
    }

    /// What a button says of a label and its value.
    fn of<'a>(self, label: &'a str, value: &'a str) -> [&'a str; 2] {
        match self {
            Self::Full => [label, value],
            Self::Values | Self::Short => ["", value],
            Self::Labels => ["", label],
        }
    }
}

/// What the buttons at the left are called, and what they show.
struct Titles {
    base: String,
    photos: String,
    rules: &'static str,
}

impl Titles {
    fn of(state: &State, detail: Detail) -> Self {
        let semantics = state.semantics();
        Self {
            base: shortened(&base_value(state), detail.longest().max(1)),
            photos: photos_value(state, detail),
            rules: match detail {
                Detail::Full => semantics.label(),
                Detail::Values | Detail::Short | Detail::Labels => semantics.short_label(),
            },
        }
    }

    fn pairs(&self) -> [(&'static str, &str); 3] {
        [
            (words::BASE, &self.base),
            (words::PHOTOS, &self.photos),
            (words::RULES_OF, self.rules),
        ]
    }
}

/// The whole bar.
pub fn top_bar_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    let has_rules = !show.state.hides(Control::Rules);
    let mut details = Detail::ALL.into_iter();
    let fits = |detail: &Detail| {
        let titles = Titles::of(show.state, *detail);
        left_width(ui, show.state, &titles, *detail) + right_width(ui, show.state, *detail)
            <= ui.available_width()
    };
    let detail = details.find(fits).unwrap_or(Detail::Labels);
    let titles = Titles::of(show.state, detail);
    let mut left = ui.max_rect();
    left.max.x -= right_width(ui, show.state, detail);
    let right = ui.max_rect().with_min_x(left.right());
    parts::row_ui(ui, left, |ui| {
        ui.set_clip_rect(ui.clip_rect().intersect(left));
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.label(text::wordmark("mode", palette.training.ink));
        ui.label(text::wordmark("lens", palette.inference.ink));
        ui.add_space(sizes::S4);
        ui.spacing_mut().item_spacing.x = sizes::S2;
        side_panel_ui(ui, show);
        base_ui(ui, show, &titles, detail);
        photos_ui(ui, show, &titles, detail);
        if has_rules {
            rules_ui(ui, show, &titles, detail);
        }
    });
    parts::inside_ui(ui, right, Layout::right_to_left(Align::Center), |ui| {
        export_ui(ui, show);
        if detail == Detail::Full {
            theme_ui(ui, show);
        }
        help_ui(ui, show);
    });
}

/// Width of a button with these texts, and of the gap after it.
fn button_width(ui: &Ui, texts: &[&str], opens_menu: bool) -> f32 {
    let ink = theme::palette(ui).ink;
    let width = |text: &&str| {
        let galley = ui
            .painter()
            .layout_no_wrap((*text).to_owned(), text::body(), ink);
        galley.size().x
    };
    let texts: Vec<&str> = texts.iter().copied().filter(|t| !t.is_empty()).collect();
    let triangle = if opens_menu { sizes::TRIANGLE } else { 0.0 };
    let gaps = texts.len() as f32 * sizes::S2;
    texts.iter().map(width).sum::<f32>() + gaps + triangle + 2.0 * sizes::S3 + sizes::S2
}

/// Width that the left part takes.
fn left_width(ui: &Ui, state: &State, titles: &Titles, detail: Detail) -> f32 {
    let mut width = sizes::WORDMARK + sizes::S4;
    if side_panel_is_offered(ui, state) {
        width += button_width(ui, &[Action::SidePanel.info().label], false);
    }
    let shown = titles.pairs().into_iter();
    let shown =
        shown.filter(|(label, _)| *label != words::RULES_OF || !state.hides(Control::Rules));
    width
        + shown
            .map(|(label, value)| button_width(ui, &detail.of(label, value), true))
            .sum::<f32>()
}

/// Width that the right part takes.
fn right_width(ui: &Ui, state: &State, detail: Detail) -> f32 {
    let theme = if detail == Detail::Full {
        button_width(ui, &[words::THEME, state.settings.theme.label()], true)
    } else {
        0.0
    };
    let help = button_width(ui, &[words::HELP], true);
    help + theme + button_width(ui, &[Action::Export.info().label], false)
}

/// An entry that is chosen or not, with a sentence below; true when it was clicked.
fn entry_ui(ui: &mut Ui, chosen: bool, name: &str, below: &str) -> bool {
    menu::entry_ui(
        ui,
        Entry {
            name,
            below,
            chosen,
            ..Entry::default()
        },
    )
    .clicked()
}

/// A button of the left part; without its label it still says what its term means, and without its value that.
fn title_ui(ui: &mut Ui, label: &str, value: &str, term: &str, detail: Detail) -> Response {
    let [shown, beside] = detail.of(label, value);
    let button = parts::drop_button_ui(ui, shown, beside, false);
    match detail {
        Detail::Full => button,
        Detail::Values | Detail::Short => terms::explained(button, term),
        Detail::Labels => terms::explained(button.tip(format!("{label}: {value}")), term),
    }
}

fn base_value(state: &State) -> String {
    let opened = &state.opened;
    match (&opened.opening_model, &opened.base) {
        (Some(source), _) => words::opening_small(&model_title(source)),
        (None, Some(base)) => base.model.title.clone(),
        (None, None) => common::NONE.to_owned(),
    }
}

fn photos_value(state: &State, detail: Detail) -> String {
    let opened = &state.opened;
    match (&opened.opening_photos, &opened.gallery) {
        (Some(source), _) => words::opening_small(&photos_title(source)),
        (None, Some(gallery)) => {
            let photos = thousands(gallery.photos.photos.len());
            let classes = gallery.photos.classes.len();
            match detail {
                Detail::Full | Detail::Values | Detail::Labels => {
                    words::photos_in(&photos, &common::classes(classes))
                }
                Detail::Short => words::photos_in(&photos, &thousands(classes)),
            }
        }
        (None, None) => common::NONE.to_owned(),
    }
}

fn base_ui(ui: &mut Ui, show: &mut Show<'_>, titles: &Titles, detail: Detail) {
    let button = title_ui(ui, words::BASE, &titles.base, terms::BASE, detail);
    Popup::menu(&button).width(sizes::MENU_WIDTH).show(|ui| {
        scrolled_ui(ui, |ui| base_entries_ui(ui, show));
    });
}

/// A menu that scrolls if the window is lower.
fn scrolled_ui(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    let height = ui.ctx().content_rect().height() - 2.0 * sizes::TOP_BAR;
    let area = ScrollArea::vertical().max_height(height);
    area.min_scrolled_height(height).show(ui, add);
}

fn base_entries_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let chosen = show.state.opened.base.as_ref().map(|b| &b.source);
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
}

/// The models in the caches of the frameworks.
fn cached_ui(ui: &mut Ui, show: &mut Show<'_>) {
    if show.state.shell.cached.is_empty() {
        return;
    }
    ui.separator();
    ScrollArea::vertical()
        .max_height(sizes::PICKER_HEIGHT)
        .show(ui, |ui| {
            let mut owner = None;
            for cached in &show.state.shell.cached {
                if owner.replace(cached.owner) != Some(cached.owner) {
                    let title = words::cache_of(cached.owner);
                    parts::title_ui(ui, title);
                }
                let below = cached.path.display().to_string();
                if entry_ui(ui, false, &cached.name, &below) {
                    let source = ModelSource::File(cached.path.clone());
                    show.commands.push(Command::OpenModel(source));
                }
            }
        });
}

fn side_panel_is_offered(ui: &Ui, state: &State) -> bool {
    let width = ui.ctx().content_rect().width();
    let unasked = width < sizes::SIDE_PANEL + sizes::CENTRE_MIN_WIDTH;
    let asked = state.shell.side_panel.is_some();
    !state.hides(Control::SidePanel) && (unasked || asked)
}

/// The button that shows or hides input and layers, if the window has no room for them.
fn side_panel_ui(ui: &mut Ui, show: &mut Show<'_>) {
    if !side_panel_is_offered(ui, show.state) {
        return;
    }
    let width = ui.ctx().content_rect().width();
    let shown = side_panel::is_shown(show.state, width);
    let button = Button::new(Action::SidePanel.info().label).selected(shown);
    if parts::with_tooltip(ui.add(button), Action::SidePanel).clicked() {
        show.push(Action::SidePanel);
    }
}

fn photos_ui(ui: &mut Ui, show: &mut Show<'_>, titles: &Titles, detail: Detail) {
    let opened = &show.state.opened;
    let chosen = opened.gallery.as_ref().map(|g| &g.source);
    let button = title_ui(ui, words::PHOTOS, &titles.photos, "", detail);
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

fn rules_ui(ui: &mut Ui, show: &mut Show<'_>, titles: &Titles, detail: Detail) {
    let chosen = show.state.settings.semantics;
    let by_file = show.state.opened.base.as_ref().map(|b| b.model.semantics);
    let button = title_ui(ui, words::RULES_OF, titles.rules, terms::RULES, detail);
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
    popup.show(|ui| scrolled_ui(ui, |ui| help_entries_ui(ui, show)));
}

fn help_entries_ui(ui: &mut Ui, show: &mut Show<'_>) {
    parts::title_ui(ui, words::LESSONS);
    for (number, lesson) in BUNDLED.iter().enumerate() {
        let source = LessonSource::Bundled(number);
        let chosen = show.state.lesson.as_ref();
        let chosen = chosen.is_some_and(|open| open.source == source);
        if entry_ui(ui, chosen, lesson.title, lesson.about) {
            show.push(LessonCommand::Open(source));
        }
    }
    for action in [
        Action::OpenLesson,
        Action::SaveLesson,
        Action::RecordLesson,
        Action::SaveHandout,
        Action::CopyLink,
        Action::PasteLink,
    ] {
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
