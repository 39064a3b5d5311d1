//! What assistive technology finds in a small window, and does with it.

use eframe::egui::Event;
use eframe::egui::accesskit::{Action as Asked, ActionRequest, Role, TreeId};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use modelens::command::Action;
use modelens::state::View;

use crate::support::window::{Window, command, open, settle, small};

/// Asks a control for something, as a screen reader does.
fn ask(window: &mut Window, role: Role, label: &str, action: Asked) {
    let node = window.get_by_role_and_label(role, label);
    let (target_node, _) = node.accesskit_node().locate();
    window.event(Event::AccessKitActionRequest(ActionRequest {
        action,
        target_tree: TreeId::ROOT,
        target_node,
        data: None,
    }));
    settle(window);
}

/// The value of the slider with this label.
fn value(window: &Window, label: &str) -> Option<f64> {
    let node = window.get_by_role_and_label(Role::Slider, label);
    node.accesskit_node().numeric_value()
}

#[test]
fn controls_that_draw_themselves_have_roles_and_can_be_operated() {
    let mut window = open(small());
    command(&mut window, Action::Show(View::BatchNorm));
    assert_eq!(window.query_all_by_role(Role::TabList).count(), 1);
    let heading = window.get_by_role_and_label(Role::Heading, "WHAT YOU SEE");
    assert!(heading.rect().is_positive());

    let strip = "BatchNorm layer, by distance from the file";
    let first = value(&window, strip).expect("a value");
    ask(&mut window, Role::Slider, strip, Asked::Increment);
    assert_eq!(value(&window, strip), Some(first + 1.0));
    ask(&mut window, Role::Slider, strip, Asked::Decrement);
    assert_eq!(value(&window, strip), Some(first));
    command(&mut window, Action::Show(View::Trainable));
    let boundary = value(&window, "Freeze boundary").expect("a value");
    ask(
        &mut window,
        Role::Slider,
        "Freeze boundary",
        Asked::Decrement,
    );
    let moved = value(&window, "Freeze boundary").expect("a value");
    assert!(moved < boundary, "from {boundary} to {moved}");
}
