//! What assistive technology and fingers do with the window, in one small window.

use eframe::egui::accesskit::{Action as Asked, ActionRequest, Role, TreeId};
use eframe::egui::{Event, LayerId, Pos2, TouchDeviceId, TouchId, TouchPhase, pos2};
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

/// Puts fingers on the window, moves them there or lifts them.
fn touch(window: &mut Window, phase: TouchPhase, fingers: &[Pos2]) {
    for (id, &pos) in fingers.iter().enumerate() {
        window.event(Event::Touch {
            device_id: TouchDeviceId(0),
            id: TouchId(id as u64),
            phase,
            pos,
            force: None,
        });
    }
    window.run_steps(1);
}

#[test]
fn controls_that_draw_themselves_are_operated_and_fingers_magnify() {
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

    let scale = |window: &Window| {
        let transform = window.ctx.layer_transform_to_global(LayerId::background());
        transform.map_or(1.0, |transform| transform.scaling)
    };
    let apart = |half: f32| [pos2(640.0 - half, 400.0), pos2(640.0 + half, 400.0)];
    touch(&mut window, TouchPhase::Start, &apart(50.0));
    touch(&mut window, TouchPhase::Move, &apart(100.0));
    assert!((scale(&window) - 2.0).abs() < 0.05, "{}", scale(&window));
    touch(&mut window, TouchPhase::Move, &apart(40.0));
    touch(&mut window, TouchPhase::End, &apart(40.0));
    window.run_steps(1);
    assert!((scale(&window) - 1.0).abs() < f32::EPSILON);
}
