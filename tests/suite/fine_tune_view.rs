//! The fine-tune view, driven by role and label.

use std::path::Path;

use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use modelens::app::AppOptions;
use modelens::command::{Command, TrainCommand};
use modelens::model::Semantics;
use modelens::state::{Status, View};
use modelens::train::recipe::Preset;
use modelens::worker::{ModelSource, PhotosSource};

use crate::fine_tune::drawn;
use crate::window::{Window, click, command, open, shows};

fn window(folder: &Path) -> Window {
    drawn(folder, &[5, 5]);
    let case = "tests/fixtures/golden/alpaca_plain_open_keras3/model.h5";
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join(case);
    let mut window = open(AppOptions {
        model: ModelSource::File(model),
        photos: PhotosSource::Folder(folder.to_owned()),
        ..AppOptions::default()
    });
    window.key_press_modifiers(Modifiers::NONE, Key::Num5);
    window.run_steps(3);
    assert_eq!(window.state().state().settings.view, View::FineTune);
    command(&mut window, TrainCommand::SetEpochs(1));
    window
}

#[test]
fn runs_start_from_the_keyboard_grow_and_say_what_happened() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = window(folder.path());
    for label in ["Start", "Step"] {
        window.get_by_role_and_label(Role::Button, label);
    }
    command(
        &mut window,
        TrainCommand::SetPreset(Preset::ForgotTrainable),
    );
    assert!(shows(&window, "is missing"), "what the preset is about");
    click(&mut window, "Step");
    let state = window.state().state();
    assert_eq!(state.training.status, Status::Paused);
    let steps: Vec<usize> = state.training.runs.iter().map(|r| r.steps.len()).collect();
    assert_eq!(steps, [1, 1]);
    click(&mut window, "Resume");
    let state = window.state().state();
    assert_eq!(
        state.training.status,
        Status::Ended,
        "{:?}",
        state.training.failure
    );
    let [forgot, meant] = &state.training.runs[..] else {
        panic!("two runs")
    };
    let (forgot, meant) = (forgot.summary.as_ref(), meant.summary.as_ref());
    assert!(forgot.expect("a summary").base_weights > 0.0);
    assert_eq!(meant.expect("a summary").base_weights, 0.0);
    assert!(shows(&window, "stayed exactly as it was"));
    assert!(shows(&window, "did not protect them"), "Keras 3");
    click(&mut window, "Reset");
    assert!(window.state().state().training.runs.is_empty());
}

#[test]
fn a_trained_model_is_taken_over_by_the_other_views() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = window(folder.path());
    command(&mut window, Command::SetSemantics(Some(Semantics::Keras2)));
    command(&mut window, TrainCommand::SetPreset(Preset::CourseLab));
    click(&mut window, "Start");
    let before = {
        let state = window.state().state();
        assert_eq!(
            state.training.status,
            Status::Ended,
            "{:?}",
            state.training.failure
        );
        state.opened.base.as_ref().expect("a base").model.clone()
    };
    assert!(!before.title.contains("fine-tuned"), "untouched until then");
    click(&mut window, "Use this model");
    let base = window.state().state().opened.base.as_ref().expect("a base");
    assert!(base.model.title.ends_with("fine-tuned"));
    assert_eq!(base.model.labels, ["class0", "class1"]);
}
