//! The window by keys alone: dialogs hold the focus, lists follow the arrows, paths can be typed; and what the pointer
//! opens.

use std::path::Path;

use eframe::egui::accesskit::Role;
use eframe::egui::{Event, Key, Modifiers, Pos2, Rect, Vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use modelens::app::AppOptions;
use modelens::command::{Action, Command, ExportCommand, ShellCommand};
use modelens::state::{Sheet, View};
use modelens_jobs::{ModelSource, PhotosSource};

use crate::support::files::{drawn, fixture};
use crate::support::models::small_lab;
use crate::support::window::{Window, click, command, open, press, shows};

/// A small network on two drawn photos.
fn small(folder: &Path) -> Window {
    drawn(&folder.join("photos"), &[2]);
    open(AppOptions {
        model: small_lab(),
        photos: PhotosSource::Folder(folder.join("photos")),
        ..AppOptions::default()
    })
}

/// The place and the name of what has the focus.
fn focused(window: &Window) -> Option<(Rect, String)> {
    let nodes = window.root().children_recursive();
    let mut focused = nodes.filter(|node| node.accesskit_node().is_focused());
    let node = focused.find(|node| node.accesskit_node().role() != Role::Window)?;
    let data = node.accesskit_node();
    let name = data.label().or(data.value()).unwrap_or_default();
    Some((node.rect(), name))
}

fn tab(window: &mut Window, modifiers: Modifiers) {
    window.key_press_modifiers(modifiers, Key::Tab);
    window.run_steps(2);
}

#[test]
fn tab_stays_inside_of_dialogs() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = small(folder.path());
    let dialogs: [Command; 4] = [
        ExportCommand::Show(true).into(),
        Command::ShowUnreadable(true),
        ShellCommand::Sheet(Some(Sheet::Card)).into(),
        Action::SaveLesson.into(),
    ];
    for dialog in dialogs {
        let what = format!("{dialog:?}");
        command(&mut window, dialog);
        let modal = window.get_by_role_and_label(Role::Button, "Close").rect();
        for modifiers in [Modifiers::NONE, Modifiers::SHIFT] {
            let mut stops = Vec::new();
            for _ in 0..24 {
                tab(&mut window, modifiers);
                stops.extend(focused(&window));
            }
            assert!(stops.len() >= 12, "{what}: {stops:?}");
            for (place, name) in stops {
                // No dialog is wider than this, or begins above its button.
                let reach = modal.center().x - place.center().x;
                assert!(
                    (-40.0..1000.0).contains(&reach) && place.top() >= modal.top() - 1.0,
                    "{what}: Tab reached {name:?} at {place:?}, outside of the dialog"
                );
                assert!(
                    !["Side panel", "Search layers", "Export...", "Help"].contains(&&*name),
                    "{what}: Tab reached {name:?}, outside of the dialog"
                );
            }
        }
        press(&mut window, Key::Escape);
        assert!(window.query_by_label("Close").is_none(), "{what} closes");
    }
}

#[test]
fn arrow_keys_reach_every_row_of_the_list_of_layers() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = small(folder.path());
    let rows: Vec<String> = {
        let base = window.state().state().opened.base.as_ref().expect("a base");
        let list = base.list(window.state().state().semantics());
        list.iter()
            .map(|row| base.module_name(row.of).to_owned())
            .collect()
    };
    assert!(rows.len() > 30, "{}", rows.len());
    let first = format!("{} trainable", rows[0]);
    window.get_by_label(&first).focus();
    window.run_steps(2);
    let name = |window: &Window| focused(window).map(|(_, name)| name);
    let flag = |row: &String| Some(format!("{row} trainable"));
    for row in &rows[1..30] {
        press(&mut window, Key::ArrowDown);
        assert_eq!(name(&window), flag(row));
    }
    let list = window.get_by_label("Search layers").rect();
    let (place, _) = focused(&window).expect("a row");
    assert!(
        place.top() > list.bottom() && place.bottom() < 800.0,
        "in sight"
    );
    for (key, row) in [
        (Key::Home, 0),
        (Key::End, rows.len() - 1),
        (Key::ArrowUp, rows.len() - 2),
    ] {
        press(&mut window, key);
        assert_eq!(name(&window), flag(&rows[row]), "{key:?}");
    }
    press(&mut window, Key::PageUp);
    let at = rows.iter().position(|row| name(&window) == flag(row));
    assert!(at.is_some_and(|at| at < rows.len() - 4), "{at:?}");
    // The list is one stop: the flag, the row, and out.
    let before = name(&window);
    tab(&mut window, Modifiers::NONE);
    tab(&mut window, Modifiers::NONE);
    assert!(
        !rows.iter().any(|row| name(&window) == flag(row)),
        "{before:?}"
    );
    tab(&mut window, Modifiers::SHIFT);
    tab(&mut window, Modifiers::SHIFT);
    assert_eq!(name(&window), before, "Tab comes back to the same row");
}

#[test]
fn a_path_is_typed_where_there_is_no_file_dialog() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = small(folder.path());
    let path = folder.path().join("figure");
    let type_path = |window: &mut Window, path: &Path| {
        let path = path.display().to_string();
        command(window, ShellCommand::TypePath(path));
    };
    let exported = folder.path().join("figure.png");
    command(&mut window, Action::Show(View::BatchNorm));
    command(&mut window, ExportCommand::Show(true));
    for say in [false, true] {
        click(&mut window, "Save...");
        assert!(shows(&window, "This system offers no file dialog"));
        type_path(&mut window, &folder.path().join("no folder/figure"));
        click(&mut window, "Save");
        assert!(shows(&window, "There is no such folder: "));
        type_path(&mut window, &path);
        click(&mut window, "Save");
        assert_eq!(shows(&window, "Press Replace to overwrite"), say);
        if say {
            click(&mut window, "Replace");
        }
        assert_eq!(window.state().state().shell.sheet, None);
        assert!(exported.exists());
    }
    command(&mut window, ExportCommand::Show(false));
    command(&mut window, Action::OpenBase);
    type_path(&mut window, &folder.path().join("gone.h5"));
    click(&mut window, "Open");
    assert!(shows(&window, "There is no such file or folder: "));
    let model = fixture("bnnet_keras3/model.h5");
    type_path(&mut window, &model);
    press(&mut window, Key::Enter);
    let base = window.state().state().opened.base.as_ref().expect("a base");
    assert_eq!(base.source, ModelSource::File(model));
}

/// The texts of the tooltips that are open.
fn tooltips(window: &Window) -> Vec<String> {
    let tips = window.query_all_by_role(Role::Tooltip);
    tips.map(|tip| {
        let texts = tip.children_recursive();
        let texts = texts.filter_map(|node| node.accesskit_node().value());
        texts.collect::<Vec<_>>().join("\n")
    })
    .collect()
}

fn rest(window: &mut Window) {
    window.run_steps(60);
}

#[test]
fn a_widget_has_one_tooltip_and_a_resting_pointer_opens_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = small(folder.path());
    command(&mut window, Action::Show(View::FineTune));
    let place = window.get_by_label("Freeze all").rect().center();
    window.hover_at(place - Vec2::splat(3.0));
    window.run_steps(1);
    window.hover_at(place);
    rest(&mut window);
    let tips = tooltips(&window);
    assert_eq!(tips.len(), 1, "{tips:?}");
    assert!(tips[0].contains("the head too"), "{tips:?}");
    // Keys change what is below the pointer.
    let tab = window.get_by_role_and_label(Role::Tab, "Predict").rect();
    command(&mut window, ShellCommand::Sheet(Some(Sheet::Keys)));
    window.hover_at(tab.center());
    rest(&mut window);
    assert!(tooltips(&window).is_empty());
    press(&mut window, Key::Escape);
    rest(&mut window);
    assert!(tooltips(&window).is_empty(), "{:?}", tooltips(&window));
    let beside: Pos2 = tab.center() + Vec2::new(2.0, 0.0);
    window.event(Event::PointerMoved(beside));
    rest(&mut window);
    assert_eq!(tooltips(&window).len(), 1);
}
