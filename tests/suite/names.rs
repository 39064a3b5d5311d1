//! Names for screen readers: everything that can have the focus has one.

use eframe::egui::Key;
use eframe::egui::accesskit::{Action as Focus, Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use modelens::app::AppOptions;
use modelens::command::{Action, LessonCommand, LessonSource, PipelineCommand, ShellCommand};
use modelens::model::Mode;
use modelens::state::{CellPlace, Search, Sheet, View};

use crate::support::window::{Window, click, command, open, settle, small};

/// Checks the whole tree; returns the number of nodes that can have the focus.
fn named(window: &Window, place: &str) -> usize {
    let mut waiting = vec![window.root().accesskit_node()];
    let mut focusable = 0;
    while let Some(node) = waiting.pop() {
        waiting.extend(node.children());
        if !node.data().supports_action(Focus::Focus) || node.role() == Role::Window {
            continue;
        }
        focusable += 1;
        let name = node.label().or_else(|| node.value()).unwrap_or_default();
        assert!(
            !name.trim().is_empty(),
            "{place}: a {:?} at {:?} has no name",
            node.role(),
            node.bounding_box()
        );
    }
    focusable
}

#[test]
fn everything_that_can_have_the_focus_has_a_name() {
    let mut window = open(AppOptions::default());
    for view in View::ALL {
        command(&mut window, Action::Show(view));
        assert!(named(&window, &format!("{view:?}")) > 30, "{view:?}");
    }
    for menu in [
        "Base MobileNetV2 · course lab",
        "Photos 93 in 4 classes",
        "Help",
    ] {
        click(&mut window, menu);
        named(&window, menu);
        click(&mut window, menu);
    }
    command(&mut window, Action::Show(View::Augmentation));
    command(&mut window, PipelineCommand::Edit(true));
    for step in 0..2 {
        command(&mut window, PipelineCommand::Expand(Some(step)));
        named(&window, "the pipeline");
    }
    command(&mut window, PipelineCommand::Edit(false));
    let place = CellPlace {
        mode: Mode::Training,
        index: 2,
    };
    command(&mut window, PipelineCommand::Open(Some(place)));
    named(&window, "a large cell");
    command(&mut window, PipelineCommand::Open(None));
    for sheet in [Sheet::Keys, Sheet::Terms] {
        command(&mut window, ShellCommand::Sheet(Some(sheet)));
        named(&window, "a sheet");
        command(&mut window, ShellCommand::Sheet(None));
    }
    command(&mut window, ShellCommand::Search(Some(Search::default())));
    named(&window, "the command palette");
    command(&mut window, ShellCommand::Search(None));
    command(&mut window, LessonCommand::Open(LessonSource::Bundled(0)));
    named(&window, "a lesson");
    command(&mut window, Action::Lecture);
    named(&window, "a lecture");
}

/// Names and values of the enabled number fields on screen.
fn fields(window: &Window) -> Vec<(String, Option<f64>)> {
    let all = window.query_all_by_role(Role::SpinButton);
    let open = all.filter(|field| !field.accesskit_node().is_disabled());
    open.map(|field| {
        let node = field.accesskit_node();
        (node.label().unwrap_or_default(), node.numeric_value())
    })
    .collect()
}

#[test]
fn arrow_keys_change_every_number() {
    let mut window = open(small());
    let mut seen = Vec::new();
    for view in View::ALL {
        command(&mut window, Action::Show(view));
        for (name, before) in fields(&window) {
            if seen.contains(&name) {
                continue;
            }
            let value = |window: &Window| {
                let fields = fields(window);
                let found = fields.iter().find(|(known, _)| *known == name);
                found.and_then(|(_, value)| *value)
            };
            for key in [Key::ArrowUp, Key::ArrowDown] {
                window
                    .get_by_role_and_label(Role::SpinButton, &name)
                    .focus();
                window.run_steps(2);
                window.key_press(key);
                window.run_steps(2);
                settle(&mut window);
                // At the end of its range a number moves in one direction only.
                if value(&window) != before {
                    break;
                }
            }
            assert_ne!(value(&window), before, "{view:?}: {name}");
            seen.push(name);
        }
        settle(&mut window);
    }
    assert!(seen.len() >= 6, "{seen:?}");
}
