//! The outer call and the value recorded at the base, as the window sets them.

use modelens::command::{Action, Command};
use modelens::model::{Mode, Outer, Semantics};
use modelens::state::View;

use crate::support::window::{Window, click, command, open, shows, small};

fn call(window: &Window) -> Outer {
    window.state().state().settings.call
}

#[test]
fn menus_set_the_outer_call_and_the_recorded_value() {
    let mut window = open(small());
    command(&mut window, Action::UnfreezeAll);
    command(&mut window, Action::Show(View::BatchNorm));
    command(&mut window, Command::SetSemantics(Some(Semantics::Keras3)));
    assert_eq!(call(&window), Outer::Given(Mode::Training));
    click(&mut window, "Outer call: True");
    click(&mut window, "not given");
    assert_eq!(call(&window), Outer::NotGiven);
    click(&mut window, "Recorded at the call of the base: False");
    click(&mut window, "True");
    assert!(shows(&window, "Recorded at the call of the base: True"));
    command(&mut window, Action::ResetFlags);
    assert!(shows(&window, "Recorded at the call of the base: False"));
    command(&mut window, Command::SetSemantics(Some(Semantics::PyTorch)));
    click(&mut window, "Outer call: as constructed");
    click(&mut window, ".eval()");
    assert_eq!(call(&window), Outer::Given(Mode::Inference));
}

#[test]
fn recording_another_value_does_not_change_flags() {
    let mut window = open(small());
    command(&mut window, Command::Record(Some(true)));
    command(&mut window, Action::Show(View::Trainable));
    assert!(!shows(&window, "compile()."));
}
