//! The animations of the BatchNorm and the Dropout view, and why a batch mean is another one than before.

use eframe::egui::Key;
use egui_kittest::kittest::Queryable as _;
use modelens::app::AppOptions;
use modelens::command::{Action, Command, PlayCommand, WalkCommand};
use modelens::model::{LayerId, Semantics};
use modelens::state::View;
use modelens::words::number::{measured, percent, told_apart};
use modelens_jobs::{BatchNormOutcome, Look, ModelSource, Outcome, PassLook, walked};

use crate::support::files::fixture;
use crate::support::window::{Window, click, command, open, press, settle, shows};

/// Two BatchNorm layers, the second after the first, and dropout.
fn small_window(view: View) -> Window {
    let mut window = open(AppOptions {
        model: ModelSource::File(fixture("bnnet_keras3/model.keras")),
        ..AppOptions::default()
    });
    command(&mut window, Action::Show(view));
    window
}

fn layer(window: &Window, name: &str) -> LayerId {
    let base = window.state().state().opened.base.as_ref().expect("a base");
    base.model.graph.find(name).expect("a layer")
}

fn looked(window: &Window) -> (PassLook, LayerId, BatchNormOutcome) {
    let result = window.state().state().computed.result(View::BatchNorm);
    let result = result.expect("a result");
    match (&result.look, &result.outcome) {
        (Look::BatchNorm { pass, layer }, Outcome::BatchNorm(outcome)) => {
            (pass.clone(), *layer, (**outcome).clone())
        }
        other => panic!("a BatchNorm result: {:?}", other.0),
    }
}

fn channel(window: &Window) -> usize {
    let base = window.state().state().opened.base.as_ref().expect("a base");
    base.channel.expect("a channel")
}

fn taken(window: &Window) -> usize {
    window.state().state().walk.walked()
}

/// The stored mean before and after a batch, as the lane must tell it.
fn lane(window: &Window, batch: usize, momentum: f64) -> String {
    let (pass, id, outcome) = looked(window);
    let walk = &window.state().state().walk;
    let batches = walk.batches(&pass, id);
    let steps = walked(&outcome.moving, batches, momentum, outcome.semantics);
    let channel = channel(window);
    let at = |values: &[f32]| f64::from(values[channel]);
    let before = if batch == 0 {
        at(&outcome.moving.mean)
    } else {
        at(&steps[batch - 1].mean)
    };
    let [from, to] = told_apart([before, at(&steps[batch].mean)]);
    let mean = measured(at(&batches[batch].moments.mean));
    format!(
        "training=True: batch {} has mean {mean}; the stored mean moves from {from} to {to}",
        batch + 1
    )
}

/// Draws frames until none is asked for; a result that arrives late asks for one.
fn rest(window: &mut Window) {
    for _ in 0..200 {
        window.run_steps(1);
        if !window.ctx.has_requested_repaint() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("an idle window asks for frames");
}

#[test]
fn batches_move_the_stored_mean_by_the_rule() {
    let mut window = small_window(View::BatchNorm);
    let mut file = 0.9;
    for name in ["bn_a", "bn_b"] {
        let bn = layer(&window, name);
        command(&mut window, Command::ShowLayer(bn));
        file = looked(&window).2.momentum;
        if file > 0.9 {
            break;
        }
    }
    assert!(
        (file - 0.99).abs() < 1e-9,
        "one of them has another momentum"
    );
    click(&mut window, "Further batches: Watch it move");
    window.run_steps(30);
    assert_eq!(taken(&window), 0, "nothing plays by itself");
    rest(&mut window);
    assert!(shows(
        &window,
        "Press Play: each batch moves the stored mean by 0.01 of the gap"
    ));
    click(&mut window, "Momentum 0.9");
    assert!(shows(&window, "not the file's momentum"));
    assert!(shows(&window, "moves the stored mean by 0.1 of the gap"));
    window.get_by_label("Play").click();
    window.run_steps(4);
    assert_eq!(taken(&window), 0, "the first batch still enters");
    assert!(window.state().state().walk.player.played() > 0.0);
    assert!(shows(&window, "Batch 1: 4 photos give"));
    window.run_steps(12);
    assert!(taken(&window) > 0);
    // Space pauses in the middle of a step and plays on.
    window.key_press(Key::Space);
    window.run_steps(2);
    let [at, played] = [
        taken(&window) as f32,
        window.state().state().walk.player.played(),
    ];
    window.run_steps(20);
    let walk = &window.state().state().walk;
    assert_eq!([walk.walked() as f32, walk.player.played()], [at, played]);
    rest(&mut window);
    window.key_press(Key::Space);
    window.run_steps(20);
    assert!(taken(&window) as f32 > at);
    window.key_press(Key::Space);
    click(&mut window, "Restart");
    assert_eq!(taken(&window), 0);
    // A step plays one batch. The numbers are those of the rule.
    for batch in 0..3 {
        click(&mut window, "Step");
        window.run_steps(14);
        assert_eq!(taken(&window), batch + 1);
        assert!(shows(&window, &lane(&window, batch, 0.9)), "batch {batch}");
    }
    assert!(shows(&window, "After 3 batches"), "the sentences follow");
    assert!(shows(&window, "training=False: the stored mean is"));
    let own = format!("Momentum {file} (file)");
    click(&mut window, &own);
    assert!(!shows(&window, "not the file's momentum"));
    assert!(shows(&window, &lane(&window, 2, file)));
    window.check_accessibility();
}

#[test]
fn freezing_locks_the_stored_mean_except_in_pytorch() {
    let mut window = small_window(View::BatchNorm);
    let bn = layer(&window, "bn_b");
    command(&mut window, Command::ShowLayer(bn));
    command(&mut window, Command::SetTrainable(bn, false));
    command(&mut window, Command::ReduceMotion(true));
    command(&mut window, PlayCommand::Step);
    window.run_steps(2);
    // With reduced motion a step is whole at once.
    assert_eq!(taken(&window), 1);
    assert!(shows(&window, "The layer is frozen: batch 1 went through"));
    assert!(shows(&window, "training=True: the stored mean is"));
    command(&mut window, Command::SetSemantics(Some(Semantics::PyTorch)));
    command(&mut window, PlayCommand::Step);
    window.run_steps(2);
    assert_eq!(taken(&window), 1);
    let moves = "model.train(): batch 1 has mean";
    assert!(shows(&window, moves), "requires_grad=False locks nothing");
    assert!(shows(&window, "model.eval(): the stored mean is"));
    // Played, it advances in whole steps.
    command(&mut window, WalkCommand::SetSteps(2));
    window.get_by_label("Play").click();
    window.run_steps(5);
    assert_eq!(taken(&window), 1);
    assert!(
        !shows(&window, "Batch 2: 4 photos give"),
        "nothing is tweened"
    );
    window.run_steps(20);
    assert_eq!(taken(&window), 3, "it ends after the chosen batches");
    assert!(!window.state().state().walk.player.is_playing());
}

#[test]
fn space_leaves_other_views_alone() {
    let mut window = small_window(View::Predict);
    press(&mut window, Key::Space);
    assert_eq!(taken(&window), 0);
    assert_eq!(window.state().state().settings.view, View::Predict);
}

#[test]
fn a_changed_batch_mean_names_the_earlier_layer() {
    let mut window = small_window(View::BatchNorm);
    let [first, second] = ["bn_a", "bn_b"].map(|name| layer(&window, name));
    command(&mut window, Command::ShowLayer(second));
    command(&mut window, Command::SetTrainable(first, false));
    let channel = channel(&window);
    let mean = |window: &Window| {
        let (_, _, outcome) = looked(window);
        measured(f64::from(outcome.training.batch.mean[channel]))
    };
    let was = mean(&window);
    command(&mut window, Command::SetTrainable(first, true));
    let is = mean(&window);
    assert_ne!(was, is);
    let sentence = format!("This batch mean was {was} and is {is} because bn_a uses the batch now");
    assert!(shows(&window, &sentence), "{sentence}");
    command(&mut window, Action::Undo);
    let back = format!(
        "This batch mean was {is} and is {was} because bn_a uses its stored statistics now"
    );
    assert!(shows(&window, &back));
    // The layer's own flag changes nothing of its batch.
    command(&mut window, Command::SetTrainable(second, false));
    assert_eq!(mean(&window), was);
    assert!(!shows(&window, "This batch mean was"));
    settle(&mut window);
}

#[test]
fn watched_passes_are_real_and_their_mean_closes_in() {
    let mut window = small_window(View::Dropout);
    let outcome = |window: &Window| {
        let result = window.state().state().computed.result(View::Dropout);
        match result.map(|looked| &looked.outcome) {
            Some(Outcome::Dropout(outcome)) => (**outcome).clone(),
            other => panic!("a dropout result: {:?}", other.is_some()),
        }
    };
    let found = outcome(&window);
    let watched = &found.mean.watched;
    // The first pass is the one that the view shows.
    assert_eq!(watched[0].output, found.training.output);
    assert_eq!(watched[0].drops, found.training.dropped);
    for point in found
        .mean
        .points
        .iter()
        .filter(|p| p.passes <= watched.len())
    {
        assert_eq!(watched[point.passes - 1].distance, point.distance);
    }
    let units = found.inference.output.len();
    for (number, pass) in watched.iter().enumerate() {
        assert_eq!(
            pass.dropped.iter().filter(|d| **d).count(),
            pass.drops,
            "{number}"
        );
        assert_eq!(pass.output.len(), units);
    }
    // The running mean of a unit, computed anew.
    let unit = found.largest[0];
    let sum: f64 = watched
        .iter()
        .take(5)
        .map(|p| f64::from(p.output[unit]))
        .sum();
    assert!((sum / 5.0 - f64::from(watched[4].means[0])).abs() < 1e-6);

    let taken = |window: &Window| window.state().state().passes.taken();
    window.run_steps(10);
    assert_eq!(taken(&window), 0, "nothing plays by itself");
    window.key_press(Key::Space);
    window.run_steps(9);
    assert!(taken(&window) > 0);
    window.key_press(Key::Space);
    window.run_steps(8);
    assert!(!window.state().state().passes.player.is_playing());
    rest(&mut window);
    click(&mut window, "Restart");
    command(&mut window, Command::ReduceMotion(true));
    for _ in 0..3 {
        click(&mut window, "Step");
    }
    assert_eq!(taken(&window), 3);
    let distance = percent(watched[2].distance);
    let line = format!("mean of 3 passes: {distance} from inference");
    assert!(shows(&window, &line), "{line}");
    assert!(shows(&window, "pass 3: "));
    // The text is about the pass that is seen.
    let drops = format!("the layer drops {} of {units} units", watched[2].drops);
    assert_ne!(watched[2].drops, found.training.dropped);
    assert!(shows(&window, &drops), "{drops}");
    // Another mask begins anew.
    command(&mut window, Action::Redraw);
    window.run_steps(2);
    assert_eq!(taken(&window), 0);
    window.check_accessibility();
}
