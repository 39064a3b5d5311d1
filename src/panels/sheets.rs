//! Lists that cover the window until they are closed: keys, terms, the model card, networks.

use eframe::egui::{self, Id, Key, Memory, Modifiers, RichText, Stroke, TextEdit, Ui};

use super::modal::modal_ui;
use crate::command::{Action, Command, LessonCommand, LessonSource, ShellCommand};
use crate::formats::keras::architectures;
use crate::lesson::link;
use crate::model::Card;
use crate::state::Sheet;
use crate::theme::{self, sizes, text};
use crate::views::parts::Tip as _;
use crate::views::{Show, markdown, parts};
use crate::words::common;
use crate::words::dialogs;
use crate::words::record;
use crate::words::sheets as words;
use modelens_jobs::ModelSource;

/// The list that is open, if one is.
pub fn sheet_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let Some(sheet) = show.state.shell.sheet else {
        return;
    };
    let title = match sheet {
        Sheet::Paste => record::PASTE.to_owned(),
        Sheet::Keys => words::KEYS.to_owned(),
        Sheet::Terms => words::WORDS.to_owned(),
        Sheet::Card => words::MODEL.to_owned(),
        Sheet::Network => words::NETWORK.to_owned(),
        Sheet::Path => show
            .state
            .shell
            .typed
            .as_ref()
            .map_or_else(String::new, |typed| typed.title.to_uppercase()),
    };
    let title = text::title(&title, theme::palette(ui));
    let closed = modal_ui(ui, "sheet", title, |ui| match sheet {
        Sheet::Keys => keys_ui(ui),
        Sheet::Terms => terms_ui(ui),
        Sheet::Card => card_ui(ui, show),
        Sheet::Network => network_ui(ui, show),
        Sheet::Paste => paste_ui(ui, show),
        Sheet::Path => path_ui(ui, show),
    });
    if closed {
        show.push(ShellCommand::Sheet(None));
    }
}

/// A field for a link to a state.
fn paste_ui(ui: &mut Ui, show: &mut Show<'_>) {
    markdown::markdown_ui(ui, record::PASTE_HOW);
    let id = Id::unique("link to a state");
    let mut link = ui
        .data(|data| data.get_temp::<String>(id))
        .unwrap_or_default();
    let field = TextEdit::singleline(&mut link)
        .id(id)
        .char_limit(link::MOST_BYTES)
        .desired_width(f32::INFINITY);
    let response = ui.add(field);
    parts::named(ui, &response, record::PASTE_FIELD);
    let entered = response.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
    if !entered && !response.has_focus() {
        response.request_focus();
    }
    let opened = ui.button(record::OPEN).clicked() || entered;
    if opened && !link.trim().is_empty() {
        show.push(ShellCommand::Sheet(None));
        show.push(LessonCommand::Open(LessonSource::Link(
            link.trim().to_owned(),
        )));
        link.clear();
    }
    ui.data_mut(|data| data.insert_temp(id, link));
}

/// What was found out about the open model, a line each.
fn card_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    let Some(base) = &show.state.opened.base else {
        ui.label(text::muted(words::NO_MODEL, palette));
        return;
    };
    ui.label(text::strong(base.model.title.as_str()));
    ui.add_space(sizes::S2);
    for (word, line) in Card::of(&base.model).lines() {
        // Names are set off for a terminal; here they are plain.
        let line = line.replace('`', "");
        ui.horizontal_top(|ui| {
            ui.scope(|ui| {
                ui.set_width(sizes::SHEET_KEYS);
                ui.label(text::muted(word, palette));
            });
            parts::wrapped_ui(ui, RichText::new(line));
        });
    }
    assumptions_ui(ui, show);
    let Some(base) = &show.state.opened.base else {
        return;
    };
    for warning in &base.model.warnings {
        parts::wrapped_ui(
            ui,
            RichText::new(common::sentence_case(warning)).color(palette.training.ink),
        );
    }
}

/// What could be chosen in place of what was assumed of the open model, as buttons.
pub fn assumptions_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let Some(base) = &show.state.opened.base else {
        return;
    };
    let Some(path) = base.source.path().map(std::path::Path::to_owned) else {
        return;
    };
    let choices = base.model.assumed.iter().flat_map(|a| &a.choices);
    let choices: Vec<String> = choices.cloned().collect();
    if choices.is_empty() {
        return;
    }
    let palette = theme::palette(ui);
    ui.add_space(sizes::S2);
    ui.label(text::muted(words::OTHERWISE, palette));
    ui.horizontal_wrapped(|ui| {
        for architecture in choices {
            let button = ui.button(architecture.as_str());
            if button.tip(words::OTHERWISE_TIP).clicked() {
                let path = path.clone();
                show.push(ShellCommand::Sheet(None));
                show.push(Command::ShowUnreadable(false));
                show.push(Command::OpenModel(ModelSource::Weights {
                    path,
                    architecture,
                }));
            }
        }
    });
}

/// The networks to choose from, and why the last choice did not fit.
fn network_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    let Some(path) = show.state.shell.weights.clone() else {
        return;
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    ui.label(text::strong(name.into_owned()));
    let notices = &show.state.computed.notices;
    if let Some(why) = notices
        .iter()
        .rfind(|n| n.title == crate::words::notices::MODEL_UNOPENED)
    {
        parts::wrapped_ui(
            ui,
            RichText::new(common::sentence_case(&why.text)).color(palette.muted),
        );
    }
    ui.add_space(sizes::S2);
    ui.horizontal_wrapped(|ui| {
        for network in architectures::names() {
            let tip = words::NETWORK_TIP;
            if ui.button(network).tip(tip).clicked() {
                let source = ModelSource::Weights {
                    path: path.clone(),
                    architecture: network.clone(),
                };
                show.push(ShellCommand::Sheet(None));
                show.push(Command::OpenModel(source));
            }
        }
    });
}

/// A field for a path, where the system offers no dialog.
fn path_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    let Some(typed) = &show.state.shell.typed else {
        return;
    };
    parts::wrapped_ui(ui, text::muted(dialogs::NO_DIALOG, palette));
    let mut path = typed.text.clone();
    let line = Stroke::new(sizes::LINE, palette.strong_line);
    ui.visuals_mut().widgets.inactive.bg_stroke = line;
    let id = Id::unique("typed path");
    let focused = ui.memory(Memory::focused);
    let is_typing = focused.is_none_or(|focused| focused == id);
    let entered = is_typing && ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Enter));
    let edit = TextEdit::singleline(&mut path)
        .id(id)
        .desired_width(f32::INFINITY);
    let edit = ui.add(edit);
    parts::named(ui, &edit, dialogs::PATH);
    if focused.is_none() {
        edit.request_focus();
    }
    if edit.changed() {
        show.push(ShellCommand::TypePath(path));
    }
    let label = match (typed.saves, &typed.replaces) {
        (true, Some(_)) => dialogs::REPLACE,
        (true, None) => dialogs::SAVE,
        (false, _) => dialogs::OPEN,
    };
    if ui.button(label).clicked() || entered {
        show.push(ShellCommand::TakePath);
    }
    if let Some(refused) = &typed.refused {
        parts::wrapped_ui(ui, RichText::new(refused).color(palette.error));
    }
}

fn keys_ui(ui: &mut Ui) {
    let palette = theme::palette(ui);
    let actions = Action::all().filter_map(|action| {
        let shown = |shortcut| parts::keys(ui.ctx(), shortcut);
        let keys = [action.info().shortcut, action.second_shortcut()].map(|s| s.map(shown));
        let keys: Vec<String> = keys.into_iter().flatten().collect();
        (!keys.is_empty()).then(|| (keys.join(", "), action.info()))
    });
    let actions: Vec<_> = actions.collect();
    let zoom = format!(
        "{}, -, 0",
        parts::keys(ui.ctx(), egui::gui_zoom::kb_shortcuts::ZOOM_IN)
    );
    let mut row = |key: &str, label: &str, tooltip: &str| {
        ui.horizontal_top(|ui| {
            ui.scope(|ui| {
                ui.set_width(sizes::SHEET_KEYS);
                ui.label(RichText::new(key).font(text::code()).color(palette.ink));
            });
            parts::wrapped_ui(ui, RichText::new(label)).tip(tooltip);
        });
    };
    for (keys, info) in &actions {
        row(keys, info.label, info.tooltip);
    }
    row(&zoom, words::ZOOM, "");
    row(words::TAB_KEYS, words::TAB, "");
    row(words::ESCAPE_KEY, words::ESCAPE, "");
}

fn terms_ui(ui: &mut Ui) {
    let palette = theme::palette(ui);
    for (term, sentence) in crate::words::terms::TERMS {
        ui.label(text::strong(*term));
        parts::wrapped_ui(ui, RichText::new(*sentence).color(palette.muted));
        ui.add_space(sizes::S1);
    }
}
