//! What the BatchNorm view measures behind its look: further batches and the walk over them, every
//! layer's distance, and the controls of all this.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use candle_core::{Device, Tensor};
use eframe::egui::Key;
use eframe::egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;
use modelens::app::AppOptions;
use modelens::command::{Action, Command, WalkCommand};
use modelens::dataset::folder::bundled;
use modelens::model::graph::{BatchNorm, Input, Node, Pooling, Weight};
use modelens::model::layers::GlobalPool2d;
use modelens::model::layers::batch_norm::{Moments, moments};
use modelens::model::{
    Flags, Graph, Layer, LayerId, LayerKind, Mode, Model, Preprocessing, Semantics,
};
use modelens::state::{SPREAD, View};
use modelens::worker::look::{Context, LookError, compute, measure};
use modelens::worker::{
    BatchNormEvent, BatchNormJob, BatchNormOutcome, Look, MeasuredBatch, Outcome, PassLook,
    PhotoCache, Same, mean_distance, walked,
};

use crate::support::{assert_close, dog_breeds, ops, read_npz, values};
use crate::window::{Window, click, command, open, settle, shows};

/// `walked` over the batches of the fixture of four calls, in three frameworks.
#[test]
fn the_walk_is_the_one_of_the_framework() {
    let cases = [
        (
            "batch_norm_keras2.npz",
            Semantics::Keras2,
            "x_nhwc",
            "moving_mean",
            "moving_variance",
        ),
        (
            "batch_norm_keras3.npz",
            Semantics::Keras3,
            "x_nhwc",
            "moving_mean",
            "moving_variance",
        ),
        (
            "pytorch_batch_norm.npz",
            Semantics::PyTorch,
            "x_nchw",
            "running_mean",
            "running_var",
        ),
    ];
    for (file, semantics, x, mean, variance) in cases {
        let io = read_npz(&ops(file));
        let channels = io["gamma"].elem_count();
        let start = Moments {
            mean: vec![0.0; channels],
            variance: vec![1.0; channels],
        };
        let batch = |step: usize| {
            let x = io[x].get(step).expect("a step");
            let x = if semantics == Semantics::PyTorch {
                x.permute((0, 2, 3, 1)).and_then(|x| x.contiguous())
            } else {
                x.contiguous()
            };
            let x: Tensor = x.expect("a tensor");
            MeasuredBatch {
                photos: x.dims()[0],
                n: x.elem_count() / channels,
                rank: 4,
                moments: moments(&x, semantics).expect("moments"),
                updates: true,
            }
        };
        let mut batches: Vec<MeasuredBatch> = (0..4).map(batch).collect();
        let walk = walked(&start, &batches, 0.9, semantics);
        for (step, now) in walk.iter().enumerate() {
            let expected = |key: &str| values(&io[&format!("{key}/{step}")]);
            assert_close(&now.mean, &expected(mean), &format!("{file} {mean}/{step}"));
            assert_close(
                &now.variance,
                &expected(variance),
                &format!("{file} {variance}/{step}"),
            );
        }
        for batch in &mut batches {
            batch.updates = false;
        }
        let still = walked(&start, &batches, 0.9, semantics);
        assert!(
            still.iter().all(|now| *now == start),
            "frozen: nothing walks"
        );
    }
}

fn pass(semantics: Semantics, batch: usize, frozen: bool) -> PassLook {
    let model = dog_breeds();
    let mut flags = Flags::of_file(&model.graph);
    if frozen {
        flags.set_all(false);
    }
    PassLook {
        model: Same(model),
        photos: Same(Arc::new(bundled())),
        photo: 24,
        batch,
        seed: 7,
        redraws: 0,
        random: true,
        preprocessing: Preprocessing::MinusOneToOne,
        flags,
        augment: None,
        semantics,
        call: Mode::Training.into(),
    }
}

fn layer(name: &str) -> LayerId {
    let graph = &dog_breeds().graph;
    let found = graph.layers.iter().position(|layer| layer.name == name);
    found.expect("a layer")
}

fn looked(pass: &PassLook, layer: LayerId) -> BatchNormOutcome {
    let look = Look::BatchNorm {
        pass: pass.clone(),
        layer,
    };
    let context = free_context();
    match compute(look, &context, &mut PhotoCache::default())
        .expect("a result")
        .outcome
    {
        Outcome::BatchNorm(outcome) => *outcome,
        _ => panic!("a BatchNorm outcome"),
    }
}

fn free_context() -> Context<'static> {
    Context {
        proceed: &|| true,
        progress: &|_, _, _| {},
        unreadable: &|_, _, _| {},
        early: &|_, _| {},
        clock: Instant::elapsed,
    }
}

fn events(job: &BatchNormJob) -> Vec<BatchNormEvent> {
    let said = RefCell::new(Vec::new());
    let say = |event| said.borrow_mut().push(event);
    measure(job, &free_context(), &mut PhotoCache::default(), &say).expect("measured");
    said.into_inner()
}

fn measured(pass: &PassLook, layer: LayerId, from: usize, to: usize) -> Vec<MeasuredBatch> {
    let job = BatchNormJob::Batches {
        pass: pass.clone(),
        layer,
        from,
        to,
    };
    let batches = events(&job).into_iter().filter_map(|event| match event {
        BatchNormEvent::Batch { batch, .. } => Some(batch),
        BatchNormEvent::Distances { .. } | BatchNormEvent::Done(_) => None,
    });
    batches.collect()
}

#[test]
fn the_first_batch_is_the_one_shown_and_the_others_differ() {
    let id = layer("block_13_project_BN");
    for (semantics, frozen) in [
        (Semantics::Keras3, false),
        (Semantics::Keras3, true),
        (Semantics::PyTorch, true),
    ] {
        let pass = pass(semantics, 4, frozen);
        let outcome = looked(&pass, id);
        let batches = measured(&pass, id, 0, 3);
        assert_eq!(batches[0].moments, outcome.training.batch);
        assert_eq!((batches[0].n, batches[0].rank), (outcome.n, 4));
        assert_ne!(batches[1].moments, batches[0].moments);
        assert_ne!(batches[1].moments, batches[2].moments);
        // One step of the walk is what the pass itself says would follow.
        let walk = walked(&outcome.moving, &batches[..1], outcome.momentum, semantics);
        assert_eq!(walk[0], outcome.training.next);
        let moves = !frozen || semantics == Semantics::PyTorch;
        assert_eq!(batches[1].updates, moves);
        // The same again, whatever was measured before.
        assert_eq!(measured(&pass, id, 2, 3), batches[2..]);
    }
}

#[test]
fn a_cancelled_measurement_says_so() {
    let id = layer("block_13_project_BN");
    let job = BatchNormJob::Batches {
        pass: pass(Semantics::Keras3, 2, false),
        layer: id,
        from: 0,
        to: 3,
    };
    let context = Context {
        proceed: &|| false,
        ..free_context()
    };
    let said = RefCell::new(0);
    let say = |_| *said.borrow_mut() += 1;
    let result = measure(&job, &context, &mut PhotoCache::default(), &say);
    assert!(matches!(result, Err(LookError::Cancelled)));
    assert_eq!(said.into_inner(), 0);
}

/// Frozen layers have no batch statistics in the pass; measured apart, each is what a look at that
/// layer alone says.
#[test]
fn every_layer_has_a_distance() {
    let pass = pass(Semantics::Keras3, 2, false);
    let outcome = looked(&pass, layer("block_13_project_BN"));
    assert_eq!(outcome.layers.len(), 52);
    let (known, unknown): (Vec<_>, Vec<_>) = outcome
        .layers
        .iter()
        .copied()
        .partition(|l| l.distance.is_some());
    assert!(known.iter().all(|l| l.uses_batch) && unknown.iter().all(|l| !l.uses_batch));
    assert!(!known.is_empty() && !unknown.is_empty());
    let job = BatchNormJob::Distances {
        pass: pass.clone(),
        layers: unknown.clone(),
    };
    let Some(BatchNormEvent::Distances { distances, .. }) = events(&job).into_iter().next() else {
        panic!("distances");
    };
    assert_eq!(distances.len(), unknown.len());
    for name in ["bn_Conv1", "block_6_depthwise_BN", "block_15_project_BN"] {
        let id = layer(name);
        let own = looked(&pass, id);
        let expected = mean_distance(&own.training.batch, &own.moving, own.epsilon);
        let found = distances.iter().find(|(l, _)| *l == id).map(|(_, d)| *d);
        let found = found.or_else(|| known.iter().find(|l| l.layer == id)?.distance);
        assert_eq!(found, Some(expected), "{name}");
    }
}

#[test]
fn a_map_is_the_photos_own_output() {
    let pass = pass(Semantics::Keras3, 2, false);
    let outcome = looked(&pass, layer("block_13_project_BN"));
    for side in [&outcome.training, &outcome.inference] {
        assert_eq!(side.map.len(), 5 * 5 * 160);
    }
    assert_ne!(outcome.training.map, outcome.inference.map);
}

/// Global average pooling and a BatchNorm of three channels: an input without positions.
fn flat_model() -> Model {
    let layer = |name: &str, kind: LayerKind, weights| Layer {
        name: name.into(),
        class: "Layer".into(),
        kind,
        parent: None,
        listed: true,
        trainable: true,
        recorded_training: None,
        weights,
    };
    let weight = |name, values: [f32; 3], learnable| Weight {
        name,
        tensor: Tensor::new(&values, &Device::Cpu).expect("a tensor"),
        learnable,
    };
    let weights = vec![
        weight("gamma", [1.0, 2.0, 3.0], true),
        weight("beta", BETA, true),
        weight("moving_mean", [0.0; 3], false),
        weight("moving_variance", [1.0; 3], false),
    ];
    let batch_norm = LayerKind::BatchNorm(BatchNorm {
        momentum: 0.99,
        epsilon: 1e-3,
    });
    let pool = LayerKind::GlobalPool2d(GlobalPool2d {
        pooling: Pooling::Average,
        keep_dims: false,
    });
    let node = |layer, inputs| Node {
        layer,
        inputs,
        recorded: None,
    };
    Model {
        title: "flat".into(),
        format: modelens::formats::keras::ZIP.format,
        framework: "Keras 3".into(),
        semantics: Semantics::Keras3,
        graph: Graph {
            layers: vec![
                layer("image", LayerKind::Input, Vec::new()),
                layer("pool", pool, Vec::new()),
                layer("bn", batch_norm, weights),
            ],
            nodes: vec![
                node(0, Vec::new()),
                node(1, vec![Input::Node(0)]),
                node(2, vec![Input::Node(1)]),
            ],
            output: 2,
            root_trainable: true,
            input_hwc: [Some(8), Some(8), Some(3)],
            ..Graph::default()
        },
        preprocessing: Preprocessing::MinusOneToOne,
        labels: Vec::new(),
        labels_from: String::new(),
        recognised: modelens::model::Recognised::default(),
        warnings: Vec::new(),
    }
}

const BETA: [f32; 3] = [0.5, -0.25, 4.0];

#[test]
fn one_value_a_channel_gives_beta_in_keras_and_an_error_in_pytorch() {
    let model = Arc::new(flat_model());
    for semantics in Semantics::ALL {
        let pass = PassLook {
            flags: Flags::of_file(&model.graph),
            model: Same(Arc::clone(&model)),
            ..pass(semantics, 1, false)
        };
        let look = Look::BatchNorm {
            pass: pass.clone(),
            layer: 2,
        };
        let result = compute(look, &free_context(), &mut PhotoCache::default());
        if semantics == Semantics::PyTorch {
            let error = result.err().map(|e| e.to_string()).unwrap_or_default();
            assert!(error.contains("a single value a channel"), "{error}");
            continue;
        }
        let Ok(Outcome::BatchNorm(outcome)) = result.map(|looked| looked.outcome) else {
            panic!("a BatchNorm outcome");
        };
        assert_eq!((outcome.n, outcome.shape.as_slice()), (1, &[1, 3][..]));
        assert_eq!(outcome.training.batch.variance, [0.0; 3]);
        assert_eq!(outcome.training.map, BETA);
        // 2-D inputs take the biased variance in Keras 2, too: 0.99 * 1 + 0.01 * 0.
        assert_eq!(outcome.training.next.variance, [0.99; 3]);
        let batches = measured(&pass, 2, 0, 3);
        assert!(batches.iter().all(|b| (b.n, b.rank) == (1, 2)));
    }
}

fn batch_norm_window() -> Window {
    let mut window = open(AppOptions::default());
    command(&mut window, Action::Show(View::BatchNorm));
    window
}

fn chosen(window: &Window) -> String {
    let base = window.state().state().opened.base.as_ref().expect("a base");
    let id = base.batch_norm.expect("a layer");
    assert!(matches!(
        base.model.graph.layers[id].kind,
        LayerKind::BatchNorm(_)
    ));
    base.model.graph.layers[id].name.clone()
}

#[test]
fn the_strip_goes_to_the_neighbour_by_the_arrow_keys() {
    let mut window = batch_norm_window();
    assert_eq!(chosen(&window), "block_13_project_BN");
    let strip = "BatchNorm layer, by distance from the file";
    window.get_by_role_and_label(Role::Slider, strip).focus();
    window.run_steps(2);
    let photo = window
        .state()
        .state()
        .opened
        .gallery
        .as_ref()
        .map(|g| g.photo);
    for (key, name) in [
        (Key::ArrowRight, "block_14_expand_BN"),
        (Key::ArrowLeft, "block_13_project_BN"),
        (Key::Home, "bn_Conv1"),
        (Key::End, "Conv_1_bn"),
    ] {
        window.key_press(key);
        settle(&mut window);
        assert_eq!(chosen(&window), name);
    }
    let now = window
        .state()
        .state()
        .opened
        .gallery
        .as_ref()
        .map(|g| g.photo);
    assert_eq!(now, photo, "the arrows belong to the strip");
    window.check_accessibility();
}

#[test]
fn a_run_walks_stops_and_resets() {
    let mut window = batch_norm_window();
    let walked = |window: &Window| window.state().state().walk.walked();
    assert!(shows(&window, "Over 8 batches the mean scatters by"));
    assert_eq!((walked(&window), SPREAD), (0, 8));
    command(&mut window, WalkCommand::SetSteps(3));
    click(&mut window, "Run");
    assert_eq!(walked(&window), 3);
    assert!(shows(&window, "After 3 batches"));
    assert!(shows(&window, "for x in batches[:3]:"));
    click(&mut window, "Run");
    assert_eq!(walked(&window), 6);
    // A long run is stopped before its end.
    command_now(&mut window, WalkCommand::SetSteps(200));
    window.get_by_label("Run").click();
    window.run_steps(8);
    window.get_by_label("Stop").click();
    settle(&mut window);
    assert!(walked(&window) < 206, "{}", walked(&window));
    click(&mut window, "Reset");
    assert_eq!(walked(&window), 0);
    assert!(!shows(&window, "After "));
}

fn command_now(window: &mut Window, command: impl Into<Command>) {
    let ctx = window.ctx.clone();
    window.state_mut().command(&ctx, command.into());
    window.run_steps(1);
}

#[test]
fn the_momentum_slider_changes_the_arithmetic_at_once() {
    let mut window = batch_norm_window();
    assert!(shows(&window, "0.999 × "));
    window
        .get_by_role_and_label(Role::Slider, "Momentum")
        .focus();
    window.run_steps(2);
    window.key_press(Key::ArrowLeft);
    settle(&mut window);
    assert!(shows(&window, "0.995 × "));
    assert!(shows(&window, "layer.momentum = 0.995"));
    click(&mut window, "Reset");
    assert!(shows(&window, "0.999 × "));
}

#[test]
fn the_batch_slider_says_what_n_is() {
    let mut window = batch_norm_window();
    assert!(shows(&window, "n = 100 (4 photos × 5 × 5)"));
    let channel = |window: &Window| {
        let base = window.state().state().opened.base.as_ref();
        base.and_then(|b| b.channel)
    };
    let before = channel(&window);
    assert!(before.is_some());
    window
        .get_by_role_and_label(Role::Slider, "Photos in a batch")
        .focus();
    window.run_steps(2);
    for _ in 0..3 {
        window.key_press(Key::ArrowLeft);
        window.run_steps(1);
    }
    settle(&mut window);
    assert_eq!(window.state().state().settings.batch, 1);
    assert_eq!(channel(&window), before, "another batch, the same channel");
    assert!(shows(&window, "n = 25 (1 photo × 5 × 5)"));
}

#[test]
fn frozen_layers_stay_and_say_so() {
    let mut window = batch_norm_window();
    click(&mut window, "Freeze all");
    command(&mut window, WalkCommand::SetSteps(2));
    click(&mut window, "Run");
    assert!(shows(&window, "Nothing walks: the layer is frozen"));
    assert!(shows(
        &window,
        "2 batches went through and the moving mean is still"
    ));
    command(&mut window, Command::SetSemantics(Some(Semantics::PyTorch)));
    click(&mut window, "Run");
    assert!(shows(&window, "It walks though frozen"));
    assert!(shows(&window, "After 2 batches"));
}
