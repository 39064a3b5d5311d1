//! The predict view: one photo in both modes, in repeated passes and with other photos in the batch.

use eframe::egui::Key;
use eframe::egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use modelens::app::AppOptions;
use modelens::command::{Action, Command};
use modelens::model::{Flags, Mode, Reading, Semantics};
use modelens::state::{ThemeChoice, View};
use modelens_jobs::look::{Context, LookError, compute};
use modelens_jobs::{
    ClassInPass, Event, JobThread, Jobs as _, Look, ModelSource, Outcome, PassLook, PhotoCache,
    PhotosSource, PredictLook, PredictOutcome, Request, Stage,
};

use crate::support::files::{fixture, folder, rezipped, write};
use crate::support::looks::Opened;
use crate::support::models::{bits, lab_mobilenetv2};
use crate::support::window::{Window, click, command, open, settle, shows, small};

fn look(trainable: bool, semantics: Semantics) -> PredictLook {
    let opened = Opened::bundled();
    let pass = PassLook {
        photo: 27,
        flags: Flags::all(&opened.model.graph, trainable),
        semantics,
        ..opened.pass_look()
    };
    PredictLook::new(pass, 3)
}

fn measured(look: &PredictLook) -> PredictOutcome {
    let Outcome::Predict(outcome) = Opened::bundled().outcome(Look::Predict(look.clone())) else {
        panic!("a predict outcome");
    };
    *outcome
}

fn spread(seen: &[ClassInPass]) -> f32 {
    let values = || seen.iter().map(|s| s.probability);
    values().fold(0.0, f32::max) - values().fold(f32::INFINITY, f32::min)
}

/// Checks what holds under all rules.
fn check(outcome: &PredictOutcome) {
    assert_eq!(outcome.reading, Reading::Logits);
    assert_eq!((outcome.outputs, outcome.batch), (4, 4));
    assert_eq!(outcome.mates_batch, [4, 4]);
    let by_inference = |pair: &[modelens_jobs::PredictRow]| pair[0].inference >= pair[1].inference;
    assert!(outcome.rows.windows(2).all(by_inference));
    assert_eq!(outcome.rows[0].class, outcome.followed);
    assert_eq!(outcome.inference.first, outcome.followed);
    assert_eq!(outcome.rows.len(), 4);
    for mode in Mode::BOTH {
        let side = outcome.side(mode);
        assert_eq!(
            (side.passes.len(), side.mates.len()),
            (3, PredictLook::BATCHES)
        );
        assert_eq!(side.batch_norms, 52);
        let first = &outcome.rows[0];
        assert_eq!(side.passes[0].probability, first.probability(mode));
        let shown = outcome.rows.iter().map(|row| row.probability(mode));
        assert!(shown.fold(0.0, f32::max) <= side.first_probability);
        assert!(side.first_probability > 0.0 && side.first_probability <= 1.0);
    }
    assert_eq!(spread(&outcome.inference.passes), 0.0);
    // The result of a photo does not depend on its batch.
    assert!(spread(&outcome.inference.mates) <= 1e-6);
    let alone = outcome.inference.passes[0].probability;
    let difference = (outcome.inference.mates[0].probability - alone).abs();
    assert!(difference <= 1e-6, "{difference}");
}

#[test]
fn an_open_base_depends_on_draws_and_on_batch_mates() {
    let model = lab_mobilenetv2();
    let before = bits(&model);
    let look = look(true, Semantics::Keras3);
    let outcome = measured(&look);
    check(&outcome);
    assert_eq!(
        (outcome.training.on_batch, outcome.training.random),
        (52, 1)
    );
    assert!(spread(&outcome.training.passes) > 1e-6, "{outcome:?}");
    assert!(spread(&outcome.training.mates) > 1e-4, "{outcome:?}");
    assert_eq!(bits(&model), before, "nothing is stored");
    assert_eq!(measured(&look), outcome, "one seed, one result");
    let mut again = look.clone();
    again.pass.redraws = 1;
    let again = measured(&again);
    assert_ne!(again.training.passes, outcome.training.passes);
    assert_eq!(again.training.mates, outcome.training.mates);
    assert_eq!(again.inference, outcome.inference);
}

#[test]
fn a_frozen_base_ignores_its_batch_mates_in_keras() {
    for semantics in [Semantics::Keras2, Semantics::Keras3] {
        let outcome = measured(&look(false, semantics));
        check(&outcome);
        assert_eq!(
            (outcome.training.on_batch, outcome.training.frozen),
            (0, 52)
        );
        // Random layers are off, so both modes compute the same.
        assert_eq!(outcome.training.mates, outcome.inference.mates);
        assert!(spread(&outcome.training.mates) <= 1e-6);
        // Freezing has no effect on dropout.
        assert_eq!(outcome.training.random, 1);
        assert!(spread(&outcome.training.passes) > 1e-6);
    }
}

#[test]
fn a_frozen_base_depends_on_its_batch_mates_in_pytorch() {
    let outcome = measured(&look(false, Semantics::PyTorch));
    check(&outcome);
    assert_eq!(outcome.training.on_batch, 52);
    assert_eq!(outcome.training.on_batch_frozen, 52);
    assert!(spread(&outcome.training.mates) > 1e-4);
}

#[test]
fn a_recorded_false_overrides_training_in_keras_2() {
    let outcome = measured(&look(true, Semantics::Keras2));
    check(&outcome);
    assert_eq!(outcome.training.on_batch, 0);
    assert_eq!(outcome.training.unreached, 52);
    assert!(spread(&outcome.training.mates) <= 1e-6);
}

#[test]
fn a_single_photo_has_no_batch_mates() {
    let mut alone = look(true, Semantics::Keras3);
    alone.pass.batch = 1;
    let outcome = measured(&alone);
    assert_eq!(outcome.batch, 1);
    assert!(outcome.training.mates.is_empty() && outcome.inference.mates.is_empty());
    assert_eq!(outcome.mates_batch, [0, 0]);
}

/// Opens the bundled base and photos, and lets the looks refer to them.
fn open_bundled<const N: usize>(jobs: &JobThread, looks: [&mut PredictLook; N]) {
    jobs.send(Request::OpenModel(ModelSource::Lab));
    jobs.send(Request::OpenPhotos(PhotosSource::Bundled));
    let (mut model, mut photos) = (None, None);
    while model.is_none() || photos.is_none() {
        match jobs.poll() {
            Some(Event::ModelOpened(opened)) => model = Some(opened.id),
            Some(Event::PhotosOpened { id, .. }) => photos = Some(id),
            Some(Event::Failed { message, .. }) => panic!("{message}"),
            _ => std::thread::sleep(std::time::Duration::from_millis(1)),
        }
    }
    for look in looks {
        look.pass.model = model.expect("a model");
        look.pass.photos = photos.expect("photos");
    }
}

#[test]
fn a_newer_request_cancels_the_running_one() {
    let jobs = JobThread::start(|| {}).expect("a thread");
    let mut long = look(true, Semantics::Keras3);
    long.pass.batch = 32;
    long.passes = 32;
    let mut short = look(true, Semantics::Keras3);
    short.passes = 2;
    open_bundled(&jobs, [&mut long, &mut short]);
    let ask = |look: &PredictLook| {
        jobs.send(Request::Look(Box::new(Look::Predict(look.clone()))));
    };
    ask(&long);
    let mut told = false;
    loop {
        match jobs.poll() {
            Some(Event::Progress { total: 76, .. }) if !told => {
                told = true;
                ask(&short);
            }
            Some(Event::Look(looked)) if !looked.early => {
                assert!(told, "progress comes first");
                assert_eq!(looked.look, Look::Predict(short));
                return;
            }
            Some(Event::Failed { message, .. }) => panic!("{message}"),
            _ => std::thread::sleep(std::time::Duration::from_millis(1)),
        }
    }
}

/// The first pass of each mode is shown while the others run.
#[test]
fn the_first_passes_arrive_early_and_survive_cancelling() {
    let mut look = look(true, Semantics::Keras3);
    look.passes = 2;
    let jobs = JobThread::start(|| {}).expect("a thread");
    open_bundled(&jobs, [&mut look]);
    jobs.send(Request::Look(Box::new(Look::Predict(look.clone()))));
    let mut early = None;
    let whole = loop {
        match jobs.poll() {
            Some(Event::Look(looked)) if looked.early => {
                assert!(early.is_none());
                early = Some(looked);
            }
            Some(Event::Look(looked)) => break looked,
            Some(Event::Failed { message, .. }) => panic!("{message}"),
            _ => std::thread::sleep(std::time::Duration::from_millis(1)),
        }
    };
    let early = early.expect("the first passes");
    assert!(!whole.early && early.look == whole.look && early.batch == whole.batch);
    let (Outcome::Predict(early), Outcome::Predict(whole)) = (&early.outcome, &whole.outcome)
    else {
        panic!("predict outcomes");
    };
    assert_eq!(early.rows, whole.rows);
    for mode in Mode::BOTH {
        let [early, whole] = [early, whole].map(|outcome| outcome.side(mode));
        assert_eq!((early.passes.len(), early.mates.len()), (1, 0));
        assert_eq!(early.passes[0], whole.passes[0]);
    }

    let mut window = view(small());
    let ctx = window.ctx.clone();
    window
        .state_mut()
        .command(&ctx, Command::SetPasses(PredictLook::PASSES_RANGE[1]));
    while window
        .state()
        .state()
        .computed
        .result(View::Predict)
        .is_none_or(|looked| !looked.early)
    {
        window.run_steps(1);
    }
    window.run_steps(2);
    assert!(shows(
        &window,
        "Further passes, and batches of other photos, are being computed."
    ));
    assert!(shows(&window, "others being computed"));
    command(&mut window, Action::Cancel);
    settle(&mut window);
    assert_eq!(result(&window).inference.passes.len(), 1);
    assert!(shows(&window, "others not computed"));
    command(&mut window, Action::Retry);
    settle(&mut window);
    assert_eq!(result(&window).inference.passes.len(), 32);
}

fn view(options: AppOptions) -> Window {
    let mut window = open(options);
    command(&mut window, Command::SetPasses(2));
    let place = View::ALL.iter().position(|&view| view == View::Predict);
    let keys = [
        Key::Num0,
        Key::Num1,
        Key::Num2,
        Key::Num3,
        Key::Num4,
        Key::Num5,
        Key::Num6,
    ];
    window.key_press(keys[place.expect("a tab")]);
    settle(&mut window);
    assert_eq!(window.state().state().settings.view, View::Predict);
    window
}

fn result(window: &Window) -> PredictOutcome {
    let result = window.state().state().computed.result(View::Predict);
    match result.map(|looked| looked.outcome.clone()) {
        Some(Outcome::Predict(outcome)) => *outcome,
        _ => panic!("a predict outcome"),
    }
}

#[test]
fn it_shows_controls_and_texts_in_each_semantics_and_theme() {
    let mut window = view(small());
    for semantics in Semantics::ALL {
        command(&mut window, Command::SetSemantics(Some(semantics)));
        for theme in [ThemeChoice::Light, ThemeChoice::Dark] {
            command(&mut window, Command::SetTheme(theme));
            for text in [
                "2 passes",
                "6 batches of 4",
                "4 outputs: softmax of the logits",
                "pass 1, stored statistics",
            ] {
                assert!(shows(&window, text), "{semantics:?}: {text}");
            }
            window.check_accessibility();
        }
    }
    // Every row has a name for screen readers in both columns.
    let model = &lab_mobilenetv2();
    for row in result(&window).rows {
        let name = &model.labels[row.class];
        let told = window.query_all_by_role(Role::Image);
        let of_class = told.filter(|node| {
            let label = node.accesskit_node().label().unwrap_or_default();
            label.starts_with(name.as_str()) && label.contains(": ")
        });
        assert_eq!(of_class.count(), 2, "{name}");
    }
}

#[test]
fn redraws_and_passes_follow_keys_and_controls() {
    let mut window = view(small());
    let before = result(&window);
    window.key_press(Key::R);
    settle(&mut window);
    let drawn = result(&window);
    assert_ne!(drawn.training.passes, before.training.passes);
    click(&mut window, "New draws");
    assert_ne!(result(&window).training.passes, drawn.training.passes);
    let passes = window.get_by_role_and_label(Role::SpinButton, "Passes");
    passes.focus();
    window.run_steps(2);
    window.key_press(Key::ArrowUp);
    settle(&mut window);
    assert_eq!(window.state().state().settings.passes, 3);
    assert_eq!(result(&window).training.passes.len(), 3);
    command(&mut window, Command::SetPasses(1000));
    assert_eq!(
        window.state().state().settings.passes,
        PredictLook::PASSES_RANGE[1]
    );
}

#[test]
fn freezing_changes_the_text_about_the_rest_of_the_batch() {
    let mut window = view(small());
    command(&mut window, Action::UnfreezeAll);
    assert!(shows(
        &window,
        "although the photo is the same: 52 BatchNorm layers"
    ));
    command(&mut window, Action::FreezeAll);
    assert!(shows(&window, "every BatchNorm layer is frozen"));
    assert!(!shows(&window, "nothing about the photo changed"));
    command(&mut window, Command::SetSemantics(Some(Semantics::PyTorch)));
    assert!(shows(&window, "requires_grad=False does not change that"));
    command(&mut window, Command::SetBatch(1));
    assert!(shows(&window, "Other batches"));
    assert!(window.state().state().computed.notices.is_empty());
}

#[test]
fn logits_are_labelled_as_logits() {
    let window = view(AppOptions {
        model: ModelSource::EfficientNetLite0,
        ..AppOptions::default()
    });
    assert!(shows(&window, "1,000 outputs: softmax of the logits"));
    assert_eq!(result(&window).reading, Reading::Logits);
}

#[test]
fn a_single_output_is_shown_as_two_classes() {
    let model = fixture("alpaca_plain_open_keras3/model.h5");
    let window = view(AppOptions {
        model: ModelSource::File(model),
        ..AppOptions::default()
    });
    let outcome = result(&window);
    assert_eq!((outcome.outputs, outcome.rows.len()), (1, 2));
    for mode in Mode::BOTH {
        let sum: f32 = outcome.rows.iter().map(|row| row.probability(mode)).sum();
        assert!((sum - 1.0).abs() < 1e-6, "{outcome:?}");
    }
    for text in [
        "class 0 (1 − p)",
        "class 1 (p)",
        "1 output: sigmoid of the one logit",
    ] {
        assert!(shows(&window, text), "{text}");
    }
}

#[test]
fn a_base_without_classes_suggests_what_to_do() {
    let folder = folder();
    let bytes = rezipped("bnnet_keras3/model.keras", "config.json", |config| {
        let config = String::from_utf8(config).expect("JSON");
        let features = config.replace("\"activation\": \"softmax\"", "\"activation\": \"relu\"");
        assert_ne!(features, config);
        features.into_bytes()
    });
    let model = ModelSource::File(write(&folder, "features.keras", &bytes));
    let window = view(AppOptions {
        model,
        ..AppOptions::default()
    });
    assert!(shows(&window, "This base predicts no classes"));
    assert!(window.state().state().computed.notices.is_empty());
    assert!(
        window
            .state()
            .state()
            .computed
            .result(View::Predict)
            .is_none()
    );
}

/// A look that was given up for another view goes on from the passes that were done, with the same numbers.
#[test]
fn passes_that_are_done_are_not_run_again() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let opened = Opened::bundled();
    let pass = PassLook {
        batch: 2,
        ..opened.pass_look()
    };
    let look = |passes| Look::Predict(PredictLook::new(pass.clone(), passes));
    let mut cache = PhotoCache::default();
    let done = AtomicUsize::new(0);
    let context = Context {
        proceed: &|| done.load(Ordering::Relaxed) < 5,
        progress: &|_, now, _| done.store(now, Ordering::Relaxed),
        ..opened.context()
    };
    let given_up = compute(look(3), &context, &mut cache);
    assert!(matches!(given_up, Err(LookError::Cancelled)));
    let first = AtomicUsize::new(usize::MAX);
    let context = Context {
        progress: &|stage, now, _| {
            if stage == Stage::PassesInBothModes {
                first.fetch_min(now, Ordering::Relaxed);
            }
        },
        ..opened.context()
    };
    let resumed = compute(look(3), &context, &mut cache).expect("a result");
    assert_eq!(first.load(Ordering::Relaxed), 5);
    assert_eq!(resumed.outcome, opened.outcome(look(3)));
    // All six passes and the batches of others are there.
    first.store(usize::MAX, Ordering::Relaxed);
    let more = compute(look(4), &context, &mut cache).expect("a result");
    assert_eq!(first.load(Ordering::Relaxed), 6 + 2 * PredictLook::BATCHES);
    assert_eq!(more.outcome, opened.outcome(look(4)));
}
