//! The picture of the network in the Trainable view, and what the Dropout view says without dropout.

use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use modelens::app::AppOptions;
use modelens::command::{Action, Command};
use modelens::model::{LayerId, Semantics};
use modelens::state::View;
use modelens_jobs::{ModelSource, Outcome};

use crate::support::files::fixture;
use crate::support::window::{ORDINARY, Window, click, command, open, settle, shows, sized};

fn small(size: [f32; 2]) -> Window {
    let mut window = sized(
        size,
        AppOptions {
            model: ModelSource::File(fixture("bnnet_keras3/model.keras")),
            ..AppOptions::default()
        },
    );
    command(&mut window, Command::SetBatch(4));
    command(&mut window, Action::Show(View::Trainable));
    window
}

fn flag(window: &Window, name: &str) -> bool {
    let base = window.state().state().opened.base.as_ref().expect("a base");
    let layer: LayerId = base.model.graph.find(name).expect("a layer");
    base.flags.get(layer)
}

fn description(window: &Window, role: Role, label: &str) -> String {
    let node = window.get_by_role_and_label(role, label);
    let node = node.accesskit_node();
    node.data().description().unwrap_or_default().to_owned()
}

const BOUNDARY: &str = "Freeze boundary";

#[test]
fn the_freeze_boundary_moves_by_keys_and_by_the_pointer() {
    let mut window = small(ORDINARY);
    assert_eq!(
        description(&window, Role::Slider, BOUNDARY),
        "0 of 12 layers are frozen"
    );
    window.get_by_role_and_label(Role::Slider, BOUNDARY).focus();
    window.run_steps(2);
    for (modifiers, key, frozen, line) in [
        (
            Modifiers::NONE,
            Key::ArrowRight,
            ["conv_a"].as_slice(),
            "3 of 12",
        ),
        (
            Modifiers::SHIFT,
            Key::ArrowRight,
            &["conv_a", "bn_a"],
            "4 of 12",
        ),
        (Modifiers::NONE, Key::ArrowLeft, &["conv_a"], "3 of 12"),
        (
            Modifiers::NONE,
            Key::End,
            &["conv_a", "bn_a", "conv_b", "bn_b", "probs"],
            "12 of 12",
        ),
        (Modifiers::NONE, Key::Home, &[], "0 of 12"),
    ] {
        window.key_press_modifiers(modifiers, key);
        settle(&mut window);
        for name in ["conv_a", "bn_a", "conv_b", "bn_b", "probs"] {
            assert_eq!(
                !flag(&window, name),
                frozen.contains(&name),
                "{key:?} {name}"
            );
        }
        let found = description(&window, Role::Slider, BOUNDARY);
        assert!(found.starts_with(line), "{key:?}: {found}");
    }
    // A drag is one change, however far.
    let from = window.get_by_role_and_label(Role::Slider, BOUNDARY).rect();
    let to = window
        .get_by_role_and_label(Role::CheckBox, "bn_b frozen")
        .rect();
    window.drag_at(from.center());
    window.run_steps(2);
    for share in [0.3, 0.6, 1.0] {
        let x = from.center().x + share * (to.left() - from.center().x);
        window.hover_at(eframe::egui::pos2(x, from.center().y));
        window.run_steps(2);
    }
    window.drop_at(eframe::egui::pos2(to.left(), from.center().y));
    settle(&mut window);
    assert!(!flag(&window, "conv_b") && flag(&window, "bn_b"));
    assert!(shows(
        &window,
        "base layers 1 to 6 are frozen, 7 to 12 are not"
    ));
    command(&mut window, Action::Undo);
    assert!(flag(&window, "conv_a"));
    window.check_accessibility();
}

#[test]
fn a_padlock_freezes_its_block_and_lamps_follow_the_rules() {
    let mut window = small(ORDINARY);
    click(&mut window, "bn_b frozen");
    assert!(!flag(&window, "bn_b") && flag(&window, "bn_a") && flag(&window, "conv_b"));
    let of = |window: &Window, name: &str| {
        description(window, Role::CheckBox, &format!("{name} frozen"))
    };
    let words = of(&window, "bn_b");
    assert!(
        words.contains("weights learn: 0 of 1 · statistics move: 0 of 1"),
        "{words}"
    );
    let words = of(&window, "bn_a");
    assert!(
        words.contains("weights learn: 1 of 1 · statistics move: 1 of 1"),
        "{words}"
    );
    assert!(shows(&window, "1 of 5 layers with weights are frozen"));
    command(&mut window, Command::SetSemantics(Some(Semantics::PyTorch)));
    let words = of(&window, "bn_b");
    assert!(
        words.contains("weights learn: 0 of 1 · statistics move: 1 of 1"),
        "{words}"
    );
    click(&mut window, "bn_b frozen");
    assert!(flag(&window, "bn_b"));
    window.check_accessibility();
}

/// The picture, the cards and rows of the table share the window.
#[test]
fn rows_of_the_table_are_in_sight_beside_cards_and_picture() {
    for size in [ORDINARY, [1366.0, 768.0]] {
        let window = small(size);
        let end = window.get_by_label("WHAT YOU SEE").rect().top();
        for name in ["image: ", "rescaling: "] {
            let row = window.get_by_label_contains(name).rect();
            assert!(row.bottom() <= end, "{size:?} {name}: {row:?}, {end}");
        }
        assert!(shows(&window, "The course's advice"));
    }
}

#[test]
fn without_dropout_the_view_measures_what_the_mode_changes() {
    let mut window = open(AppOptions {
        model: ModelSource::File(fixture("awkward_nodes_keras3/model.h5")),
        ..AppOptions::default()
    });
    command(&mut window, Action::Show(View::Dropout));
    let result = window.state().state().computed.result(View::Dropout);
    let Some(Outcome::Modes(outcome)) = result.map(|looked| looked.outcome.clone()) else {
        panic!("both modes are measured");
    };
    assert_eq!(
        (outcome.photos, outcome.batch_norms, outcome.on_batch),
        (4, 1, 1)
    );
    assert!(outcome.difference > 0.0);
    assert!(shows(&window, "WHAT TRAINING MODE CHANGES HERE"));
    assert!(shows(&window, "1 of 1 BatchNorm layer uses the batch"));
    assert!(shows(
        &window,
        "Measured on 4 photos: the outputs differ by up to"
    ));
    click(&mut window, "Freeze all");
    assert!(shows(&window, "both columns give the same outputs"));
    click(&mut window, "Open the BatchNorm view");
    assert_eq!(window.state().state().settings.view, View::BatchNorm);
}
