//! What a lecturer needs: the next step computed ahead, a blank screen, notes, a statement, the photo.

use std::time::{Duration, Instant};

use eframe::egui::{Key, pos2};
use egui_kittest::kittest::Queryable as _;
use modelens::command::Action;
use modelens::state::{Lecture, State, View};
use modelens_jobs::Job;

use crate::support::window::{
    ORDINARY, Window, command, lesson_beside_its_model, press, settle, shows, sized, small,
};

const LESSON: &str = r#"
lesson = 1
title = "Small"
model = "model.h5"
batch = 2

[[step]]
title = "One"
view = "batchnorm"
statement = "A statement about {channels} channels"
text = "Words of the step."
notes = "Say it slowly."

[[step]]
title = "Two"
view = "trainable"
text = "Here **the bold words are said**, large."
"#;

fn state(window: &Window) -> &State {
    window.state().state()
}

fn lecture(window: &Window) -> Lecture {
    state(window).shell.lecture.expect("a lecture")
}

#[test]
fn a_lecture_has_a_statement_notes_a_photo_and_a_blank_screen() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = sized(ORDINARY, small());
    command(&mut window, lesson_beside_its_model(folder.path(), LESSON));
    // Asked for before the lecture, the notes are not projected by themselves.
    press(&mut window, Key::N);
    assert!(shows(&window, "SPEAKER NOTES") && shows(&window, "Say it slowly."));
    press(&mut window, Key::F5);
    assert!(!shows(&window, "Say it slowly."));
    press(&mut window, Key::N);
    assert!(shows(&window, "Say it slowly."));
    press(&mut window, Key::N);
    let statement = |window: &Window| shows(window, "A statement about 8 channels");
    let found = window
        .query_all_by_label_contains("A statement about")
        .count();
    assert_eq!(found, 1, "{}", statement(&window));
    assert!(shows(&window, "fish/fish9"), "the photo");
    // Both keys of presenters' remotes; any key returns and does nothing else.
    for (key, back) in [(Key::B, Key::PageDown), (Key::Period, Key::F5)] {
        press(&mut window, key);
        assert!(lecture(&window).blank && shows(&window, "The screen is blank"));
        assert!(!shows(&window, "A statement about"));
        press(&mut window, back);
        assert!(!lecture(&window).blank && shows(&window, "A statement about"));
    }
    assert_eq!(
        state(&window).lesson.as_ref().map(|open| open.step),
        Some(0)
    );
    // The pointer hides with the keys and comes back with the mouse.
    assert!(lecture(&window).pointer_hidden);
    window.hover_at(pos2(200.0, 300.0));
    window.run_steps(1);
    assert!(!lecture(&window).pointer_hidden);
    press(&mut window, Key::PageDown);
    assert!(shows(&window, "The bold words are said"));
    assert!(lecture(&window).pointer_hidden);
    press(&mut window, Key::Escape);
    press(&mut window, Key::B);
    assert!(
        state(&window).shell.lecture.is_none(),
        "B blanks a lecture alone"
    );
}

#[test]
fn the_next_step_is_computed_ahead_and_not_shown_early() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = sized(ORDINARY, small());
    command(&mut window, lesson_beside_its_model(folder.path(), LESSON));
    assert!(!window.state().next_is_ready(), "only in a lecture");
    command(&mut window, Action::Lecture);
    let start = Instant::now();
    while !window.state().next_is_ready() {
        assert!(
            start.elapsed() < Duration::from_mins(1),
            "it is never computed"
        );
        std::thread::sleep(Duration::from_millis(5));
        window.run_steps(1);
    }
    assert_eq!(state(&window).settings.view, View::BatchNorm);
    assert!(
        state(&window).computed.result(View::Trainable).is_none(),
        "not shown early"
    );
    assert!(shows(&window, "Words of the step."));
    window.key_press(Key::PageDown);
    window.run_steps(1);
    // The result is there in the same frame: nothing is being computed.
    let computed = &state(&window).computed;
    assert_eq!(state(&window).settings.view, View::Trainable);
    assert!(computed.result(View::Trainable).is_some());
    assert!(computed.running(Job::Look).is_none());
}

#[test]
fn a_step_that_waits_for_its_look_ahead_is_shown_whatever_comes_between() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = sized(ORDINARY, small());
    command(&mut window, lesson_beside_its_model(folder.path(), LESSON));
    // The preview of a figure gives the look ahead up.
    for action in [Action::Lecture, Action::NextStep, Action::Export] {
        let ctx = window.ctx.clone();
        window.state_mut().command(&ctx, action.into());
        window.run_steps(1);
    }
    settle(&mut window);
    assert_eq!(state(&window).settings.view, View::Trainable);
    assert!(state(&window).computed.result(View::Trainable).is_some());
}
