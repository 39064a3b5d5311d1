//! The view Start: two switches, three lamps, the lessons.

use eframe::egui::Key;
use eframe::egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;
use modelens::command::{Action, Command};
use modelens::lesson::BUNDLED;
use modelens::model::Semantics;
use modelens::state::{State, View};

use crate::support::window::{Window, command, open, press, settle, shows, small};

fn state(window: &Window) -> &State {
    window.state().state()
}

fn choose(window: &mut Window, name: &str) {
    window
        .get_by_role_and_label(Role::RadioButton, name)
        .click();
    settle(window);
}

fn opened() -> Window {
    let mut window = open(small());
    press(&mut window, Key::Num0);
    assert_eq!(state(&window).settings.view, View::Start);
    window
}

/// The answers follow from one measured step, and the rules say which they must be.
#[test]
fn lamps_answer_both_switches_by_the_rules_of_each_release() {
    let mut window = opened();
    for (release, semantics) in [
        ("Keras 2", Semantics::Keras2),
        ("Keras 3 to 3.15", Semantics::Keras3),
        ("Keras 3.16 (nightly)", Semantics::Keras316),
        ("PyTorch", Semantics::PyTorch),
    ] {
        choose(&mut window, release);
        assert_eq!(state(&window).semantics(), semantics);
        let (flag, call, values) = match semantics {
            Semantics::PyTorch => (
                "requires_grad of the base",
                "mode of the base after model.train()",
                [
                    ("base.train()", Some(true)),
                    ("base.eval()", Some(false)),
                    ("nothing", None),
                ],
            ),
            Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => (
                "base_model.trainable",
                "training of the call of the base",
                [
                    ("True", Some(true)),
                    ("False", Some(false)),
                    ("left out", None),
                ],
            ),
        };
        for trainable in [true, false] {
            let value = if trainable { "True" } else { "False" };
            choose(&mut window, &format!("{flag} {value}"));
            for (label, given) in values {
                choose(&mut window, &format!("{call} {label}"));
                // `fit` passes True; `model.train()` sets every module.
                let reaches = match semantics {
                    Semantics::Keras3 => true,
                    Semantics::Keras2 | Semantics::Keras316 | Semantics::PyTorch => {
                        given != Some(false)
                    }
                };
                let moves = reaches && (trainable || semantics == Semantics::PyTorch);
                let answer = |yes: bool| if yes { "Yes" } else { "No" };
                for lamp in [
                    format!("Do weights of the base move? {}", answer(trainable)),
                    format!("Do its BatchNorm statistics move? {}", answer(moves)),
                ] {
                    assert!(shows(&window, &lamp), "{release}, {value}, {label}: {lamp}");
                }
            }
        }
    }
}

#[test]
fn keys_and_cards_lead_on_and_back() {
    let mut window = opened();
    window.get_by_label("Go to the views").click();
    settle(&mut window);
    assert_eq!(state(&window).settings.view, View::Augmentation);
    press(&mut window, Key::F1);
    assert_eq!(state(&window).settings.view, View::Start);
    for lesson in BUNDLED {
        assert!(shows(&window, lesson.title), "{}", lesson.title);
    }
    window
        .get_by_role_and_label(Role::Button, BUNDLED[2].title)
        .click();
    settle(&mut window);
    assert!(state(&window).lesson.is_some());
    command(&mut window, Action::CloseLesson);
    assert_eq!(state(&window).settings.view, View::Start);
}

/// The base is frozen as `base.trainable = False` does it: the head still learns.
#[test]
fn freezing_the_base_leaves_the_head() {
    let mut window = opened();
    command(&mut window, Action::UnfreezeAll);
    command(&mut window, Action::FreezeBase);
    let base = state(&window).opened.base.as_ref().expect("an open base");
    let nested = modelens::model::flags::base_of(&base.model.graph).expect("a nested base");
    for (id, layer) in base.model.graph.layers.iter().enumerate() {
        let inside = base.model.graph.subtree(nested).any(|l| l == id);
        assert_eq!(base.flags.get(id), !inside, "{}", layer.name);
    }
}

/// A button that was pressed keeps the focus; the keys of the views must still work. Those that move a widget
/// belong to it.
#[test]
fn keys_of_views_work_whatever_button_has_the_focus() {
    let mut window = opened();
    let name = "base_model.trainable False";
    window
        .get_by_role_and_label(Role::RadioButton, name)
        .focus();
    settle(&mut window);
    let photo = state(&window).opened.gallery.as_ref().map(|g| g.photo);
    press(&mut window, Key::ArrowRight);
    let now = state(&window).opened.gallery.as_ref().map(|g| g.photo);
    assert_eq!(now, photo);
    press(&mut window, Key::Num3);
    assert_eq!(state(&window).settings.view, View::BatchNorm);
}

#[test]
fn escape_closes_the_warnings() {
    let mut window = opened();
    command(&mut window, Command::ShowUnreadable(true));
    press(&mut window, Key::Escape);
    assert!(!state(&window).computed.show_unreadable);
}

/// The lamps show the base as a whole, so a base of which only some layers are frozen is named as such.
#[test]
fn layers_with_other_flags_are_mentioned() {
    let mut window = opened();
    let mixed = "Some layers of the base are frozen.";
    command(&mut window, Action::UnfreezeBase);
    assert!(!shows(&window, mixed));
    command(&mut window, Action::FineTuneFrom);
    assert!(shows(&window, mixed));
}
