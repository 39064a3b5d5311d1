//! The fine-tune view, driven by role and label.

use std::path::Path;

use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use modelens::app::AppOptions;
use modelens::command::{Action, Command, LessonCommand, LessonSource, TrainCommand};
use modelens::model::Semantics;
use modelens::state::{Status, View};
use modelens::train::recipe::RunPreset;
use modelens_jobs::{ModelSource, PhotosSource};

use crate::support::files::{drawn, fixture};
use crate::support::window::{Window, click, command, open, settle, shows};

fn window(folder: &Path) -> Window {
    drawn(folder, &[5, 5]);
    let model = fixture("alpaca_plain_open_keras3/model.h5");
    let mut window = open(AppOptions {
        model: ModelSource::File(model),
        photos: PhotosSource::Folder(folder.to_owned()),
        ..AppOptions::default()
    });
    window.key_press_modifiers(Modifiers::NONE, Key::Num5);
    window.run_steps(3);
    assert_eq!(window.state().state().settings.view, View::FineTune);
    command(&mut window, TrainCommand::SetEpochs(1));
    command(&mut window, TrainCommand::SetBatch(4));
    window
}

#[test]
fn each_press_takes_one_step_of_every_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = window(folder.path());
    command(&mut window, TrainCommand::SetEpochs(5));
    for presses in 1..=3 {
        command(&mut window, Action::StepRuns);
        let training = &window.state().state().training;
        assert_eq!(training.status, Status::Paused);
        let steps: Vec<usize> = training.runs.iter().map(|r| r.steps.len()).collect();
        assert_eq!(steps, [presses; 4]);
    }
}

#[test]
fn runs_start_by_key_and_describe_their_result() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = window(folder.path());
    for label in ["Start", "Step"] {
        window.get_by_role_and_label(Role::Button, label);
    }
    command(
        &mut window,
        TrainCommand::SetPreset(RunPreset::ForgotTrainable),
    );
    assert!(
        shows(&window, "base.trainable = False is forgotten"),
        "the preset names the mistake"
    );
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
fn the_other_views_can_use_the_trained_model() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = window(folder.path());
    command(&mut window, Command::SetSemantics(Some(Semantics::Keras2)));
    command(&mut window, TrainCommand::SetPreset(RunPreset::CourseLab));
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
    assert!(!before.title.contains("fine-tuned"), "unchanged until then");
    assert_eq!(window.state().state().training.runs.len(), 3);
    command(&mut window, TrainCommand::Use(0));
    let base = window.state().state().opened.base.as_ref().expect("a base");
    assert!(base.model.title.ends_with("fine-tuned"));
    assert_eq!(base.model.labels, ["class0", "class1"]);
}

#[test]
fn head_and_split_can_be_chosen() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = window(folder.path());
    command(&mut window, TrainCommand::SetPreset(RunPreset::HeadOnly));
    click(&mut window, "head new, validation, augmentation");
    for shown in ["class0", "validation split", "dropout rate"] {
        assert!(shows(&window, shown), "{shown}");
    }
    click(&mut window, "One output with sigmoid");
    let train = window.state().state().settings.train;
    assert!(train.sigmoid && !train.own_head);
    click(&mut window, "The file's own head");
    assert!(window.state().state().settings.train.own_head);
    click(&mut window, "New head");
    command(&mut window, TrainCommand::SetValidation(0.0));
    window.key_press_modifiers(Modifiers::NONE, Key::Escape);
    window.run_steps(3);
    click(&mut window, "Start");
    let training = &window.state().state().training;
    assert!(training.is_complete(), "{:?}", training.failure);
    assert_eq!(training.photos, [10, 0]);
    let classes: Vec<_> = training.classes.iter().map(|(_, n)| *n).collect();
    assert_eq!(classes, [[5, 0], [5, 0]]);
    let network = training.network.as_ref().expect("a network");
    assert_eq!(network.labels, ["class0", "class1"]);
    assert!(shows(&window, "with none left to validate"));
}

#[test]
fn a_run_that_fails_says_so_on_its_card() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = window(folder.path());
    command(
        &mut window,
        TrainCommand::SetPreset(RunPreset::UnfrozeSmallBatch),
    );
    command(&mut window, TrainCommand::SetRate(1e30));
    command(&mut window, TrainCommand::SetEpochs(8));
    window.key_press_modifiers(Modifiers::NONE, Key::S);
    settle(&mut window);
    let training = &window.state().state().training;
    assert_eq!(training.status, Status::Ended);
    assert_eq!(training.failure, None, "each run has its own failure");
    let broken = training.runs.iter().filter(|r| r.failure.is_some()).count();
    assert!(broken > 0);
    assert!(!training.is_complete());
    assert!(shows(&window, "The run stopped: "));
}

#[test]
fn a_recorded_false_protects_statistics_in_keras_2_but_not_in_keras_3() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = window(folder.path());
    for (semantics, said, never) in [
        (Semantics::Keras2, "in Keras 2 it binds", "did not protect"),
        (Semantics::Keras3, "did not protect them", "it binds"),
    ] {
        command(&mut window, Command::SetSemantics(Some(semantics)));
        command(
            &mut window,
            TrainCommand::SetPreset(RunPreset::UnfrozeSmallBatch),
        );
        click(&mut window, "Start");
        let runs = &window.state().state().training.runs;
        let moved = runs[1].summary.as_ref().expect("a summary");
        let keras3 = semantics == Semantics::Keras3;
        assert_eq!(moved.statistics_moved > 0, keras3, "{semantics:?}");
        assert!(shows(&window, said), "{semantics:?}");
        assert!(!shows(&window, never), "{semantics:?}");
    }
}

/// The results of further seeds are those that each seed gives alone.
#[test]
fn further_seeds_are_a_range_on_each_card() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = window(folder.path());
    command(&mut window, TrainCommand::SetPreset(RunPreset::HeadOnly));
    command(&mut window, TrainCommand::SetSeeds(2));
    click(&mut window, "Start");
    let training = &window.state().state().training;
    assert!(training.is_complete(), "{:?}", training.failure);
    assert_eq!(training.steps(), [4, 4]);
    let [Ok(second)] = &training.runs[0].seeds[..] else {
        panic!("{:?}", training.runs[0].seeds);
    };
    let second = second.clone();
    assert!(shows(&window, "over all seeds"));
    let seed = window.state().state().settings.seed;
    command(&mut window, Command::SetSeed(seed + 1));
    command(&mut window, TrainCommand::SetSeeds(1));
    click(&mut window, "Start");
    let training = &window.state().state().training;
    assert_eq!(training.runs[0].summary, Some(second));
    assert!(!shows(&window, "over all seeds"));
}

#[test]
fn runs_that_are_not_those_of_the_controls_say_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = window(folder.path());
    let other = "ot those of the controls: Head only";
    command(&mut window, TrainCommand::SetPreset(RunPreset::HeadOnly));
    click(&mut window, "Start");
    assert!(!shows(&window, other));
    command(&mut window, TrainCommand::SetEpochs(9));
    command(&mut window, TrainCommand::SetPreset(RunPreset::FourWay));
    command(&mut window, Command::SetSemantics(Some(Semantics::Keras2)));
    assert!(shows(&window, other));
    click(&mut window, "Set the controls to these");
    assert!(!shows(&window, other));
    let train = window.state().state().settings.train;
    assert_eq!((train.preset, train.epochs), (RunPreset::HeadOnly, 1));
    assert_eq!(window.state().state().semantics(), Semantics::Keras3);
}

/// A late click on Pause or Stop, after the runs have ended, neither begins runs nor loses results.
#[test]
fn no_button_that_loses_results_takes_the_place_of_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = window(folder.path());
    command(&mut window, TrainCommand::SetPreset(RunPreset::HeadOnly));
    let place = |window: &Window, label: &str| {
        let buttons = window.query_all_by_role(Role::Button);
        let found = buttons.filter(|b| b.accesskit_node().label().as_deref() == Some(label));
        found.map(|b| b.rect()).next().expect("a button")
    };
    let app = window.state_mut();
    app.command(&eframe::egui::Context::default(), Action::StartRuns.into());
    window.run_steps(2);
    let during = ["Pause", "Stop"].map(|label| place(&window, label));
    settle(&mut window);
    let after = ["Start", "Reset"].map(|label| place(&window, label));
    for during in during {
        assert!(!after.iter().any(|after| after.intersects(during)));
    }
}

#[test]
fn the_runs_of_a_lesson_go_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = window(folder.path());
    command(&mut window, TrainCommand::SetPreset(RunPreset::HeadOnly));
    click(&mut window, "Start");
    let own = window.state().state().training.experiment.clone();
    assert!(own.is_some());
    let lesson = folder.path().join("lesson.toml");
    let text = "lesson = 1\ntitle = \"t\"\n[[step]]\ntitle = \"s\"\nview = \"finetune\"\n\
        [step.run]\npreset = \"forgot-training\"\nstart = false\n";
    std::fs::write(&lesson, text).expect("a file");
    command(&mut window, LessonCommand::Open(LessonSource::File(lesson)));
    command(&mut window, Action::ResetRuns);
    command(&mut window, Action::CloseLesson);
    assert_eq!(window.state().state().training.experiment, own);
    let train = window.state().state().settings.train;
    assert_eq!(train.preset, RunPreset::HeadOnly);
    // Their weights are still there.
    command(&mut window, TrainCommand::Use(0));
    let state = window.state().state();
    assert!(state.computed.notices.is_empty());
    let base = state.opened.base.as_ref().expect("a base");
    assert!(base.model.title.ends_with("fine-tuned"));
}

#[test]
fn an_export_before_a_start_says_that_nothing_has_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = window(folder.path());
    window.key_press_modifiers(Modifiers::COMMAND, Key::E);
    settle(&mut window);
    assert!(shows(&window, "Nothing has run yet"));
    let save = window.get_by_role_and_label(Role::Button, "Save...");
    assert!(save.accesskit_node().is_disabled());
}
