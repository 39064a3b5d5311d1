//! The BatchNorm view over several batches: moving statistics, the distance of every layer, controls.

use std::cell::RefCell;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use eframe::egui::Key;
use eframe::egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;
use modelens::command::{Action, Command, WalkCommand};
use modelens::model::graph::{BatchNorm, Input, Node, Pooling};
use modelens::model::layers::batch_norm::{Moments, moments};
use modelens::model::layers::{GlobalPool2d, NewWeight, WeightMap};
use modelens::model::{
    Flags, Graph, Layer, LayerId, LayerKind, Model, ModelDescription, Preprocessing, Semantics,
};
use modelens::state::{SPREAD, View};
use modelens_jobs::look::{Context, LookError, measure};
use modelens_jobs::{
    BatchNormEvent, BatchNormJob, BatchNormOutcome, Look, MeasuredBatch, Outcome, PassLook,
    PhotoCache, bundled_photos, mean_distance, walked,
};

use crate::support::files::{ops, read_npz};
use crate::support::looks::Opened;
use crate::support::models::lab_mobilenetv2;
use crate::support::numbers::{assert_close, values};
use crate::support::window::{Window, click, command, open, photo, settle, shows, small};

/// `walked` over four batches equals four calls in each of three frameworks.
#[test]
fn moving_statistics_follow_each_framework() {
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
            "frozen statistics do not move"
        );
    }
}

/// The place of `block_13_project_BN` in the base: the layers before it are frozen.
const FROM: usize = 124;

fn pass(semantics: Semantics, batch: usize, frozen: bool) -> PassLook {
    let opened = Opened::bundled();
    let mut flags = Flags::of_file(&opened.model.graph);
    flags.fine_tune_from(&opened.model.graph, FROM);
    if frozen {
        flags.set_all(false);
    }
    PassLook {
        batch,
        flags,
        semantics,
        ..opened.pass_look()
    }
}

fn layer(name: &str) -> LayerId {
    let graph = &lab_mobilenetv2().graph;
    let found = graph.layers.iter().position(|layer| layer.name == name);
    found.expect("a layer")
}

fn looked(pass: &PassLook, layer: LayerId) -> BatchNormOutcome {
    let look = Look::BatchNorm {
        pass: pass.clone(),
        layer,
    };
    match Opened::bundled().outcome(look) {
        Outcome::BatchNorm(outcome) => *outcome,
        _ => panic!("a BatchNorm outcome"),
    }
}

fn events(opened: &Opened, job: &BatchNormJob) -> Vec<BatchNormEvent> {
    let said = RefCell::new(Vec::new());
    let say = |event| said.borrow_mut().push(event);
    let context = opened.context();
    measure(job, &context, &mut PhotoCache::default(), &say).expect("measured");
    said.into_inner()
}

fn measured(pass: &PassLook, layer: LayerId, from: usize, to: usize) -> Vec<MeasuredBatch> {
    measured_of(Opened::bundled(), pass, layer, from, to)
}

fn measured_of(
    opened: &Opened,
    pass: &PassLook,
    layer: LayerId,
    from: usize,
    to: usize,
) -> Vec<MeasuredBatch> {
    let job = BatchNormJob::Batches {
        pass: pass.clone(),
        layer,
        from,
        to,
    };
    let batches = events(opened, &job)
        .into_iter()
        .filter_map(|event| match event {
            BatchNormEvent::Batch { batch, .. } => Some(batch),
            BatchNormEvent::Distances { .. } | BatchNormEvent::Done(_) => None,
        });
    batches.collect()
}

#[test]
fn the_first_batch_is_shown_and_the_others_differ() {
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
        // The first step equals the next statistics of the pass itself.
        let walk = walked(&outcome.moving, &batches[..1], outcome.momentum, semantics);
        assert_eq!(walk[0], outcome.training.next);
        let moves = !frozen || semantics == Semantics::PyTorch;
        assert_eq!(batches[1].updates, moves);
        // The result does not depend on earlier measurements.
        assert_eq!(measured(&pass, id, 2, 3), batches[2..]);
    }
}

#[test]
fn a_cancelled_measurement_returns_cancelled() {
    let id = layer("block_13_project_BN");
    let job = BatchNormJob::Batches {
        pass: pass(Semantics::Keras3, 2, false),
        layer: id,
        from: 0,
        to: 3,
    };
    let context = Context {
        proceed: &|| false,
        ..Opened::bundled().context()
    };
    let said = RefCell::new(0);
    let say = |_| *said.borrow_mut() += 1;
    let result = measure(&job, &context, &mut PhotoCache::default(), &say);
    assert!(matches!(result, Err(LookError::Cancelled)));
    assert_eq!(said.into_inner(), 0);
}

/// The pass has no batch statistics of frozen layers; measured separately, they equal those of a request
/// for that layer.
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
    let Some(BatchNormEvent::Distances { distances, .. }) =
        events(Opened::bundled(), &job).into_iter().next()
    else {
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
fn a_feature_map_is_the_output_for_the_chosen_photo() {
    let pass = pass(Semantics::Keras3, 2, false);
    let outcome = looked(&pass, layer("block_13_project_BN"));
    for side in [&outcome.training, &outcome.inference] {
        assert_eq!(side.map.len(), 5 * 5 * 160);
    }
    assert_ne!(outcome.training.map, outcome.inference.map);
}

/// Global average pooling and a BatchNorm with three channels, whose input has no positions.
fn flat_model() -> Model {
    let layer = |name: &str, kind: LayerKind| Layer {
        name: name.into(),
        class: "Layer".into(),
        kind,
        parent: None,
        listed: true,
        trainable: true,
        recorded: modelens::model::RecordedArgument::Absent,
        activity_regularizer: None,
        weights: Vec::new(),
    };
    let weight = |name, values: [f32; 3], learnable| NewWeight {
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
    let node = |layer, inputs| Node::new(layer, inputs);
    let description = ModelDescription {
        title: "flat".into(),
        format: modelens::formats::keras::ZIP.format,
        framework: "Keras 3".into(),
        semantics: Semantics::Keras3,
        graph: Graph {
            layers: vec![
                layer("image", LayerKind::Input),
                layer("pool", pool),
                layer("bn", batch_norm),
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
        scale_unknown: false,
        labels: Vec::new(),
        labels_from: String::new(),
        recognised: modelens::model::Recognised::default(),
        warnings: Vec::new(),
        assumed: Vec::new(),
    };
    let mut model = Model {
        description,
        weights: WeightMap::new(),
    };
    for weight in weights {
        let layer = &mut model.description.graph.layers[2];
        weight.add_to(layer, 2, &mut model.weights);
    }
    model
}

const BETA: [f32; 3] = [0.5, -0.25, 4.0];

#[test]
fn one_value_per_channel_gives_beta_in_keras_and_an_error_in_pytorch() {
    let model = Arc::new(flat_model());
    let opened = Opened::new(Arc::clone(&model), bundled_photos());
    for semantics in Semantics::ALL {
        let pass = PassLook {
            flags: Flags::of_file(&model.graph),
            model: opened.model_id,
            photos: opened.photos_id,
            ..pass(semantics, 1, false)
        };
        let look = Look::BatchNorm {
            pass: pass.clone(),
            layer: 2,
        };
        let result = opened.compute(look);
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
        // Keras 2, too, uses the biased variance for 2-D inputs: 0.99 * 1 + 0.01 * 0.
        assert_eq!(outcome.training.next.variance, [0.99; 3]);
        let batches = measured_of(&opened, &pass, 2, 0, 3);
        assert!(batches.iter().all(|b| (b.n, b.rank) == (1, 2)));
    }
}

fn batch_norm_window() -> Window {
    let mut window = open(small());
    command(&mut window, Command::SetFineTuneFrom(FROM));
    command(&mut window, Action::FineTuneFrom);
    command(&mut window, Action::Show(View::BatchNorm));
    command(
        &mut window,
        Command::ShowLayer(layer("block_13_project_BN")),
    );
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
fn arrow_keys_move_along_the_strip_of_layers() {
    let mut window = batch_norm_window();
    assert_eq!(chosen(&window), "block_13_project_BN");
    let strip = "BatchNorm layer, by distance from the file";
    window.get_by_role_and_label(Role::Slider, strip).focus();
    window.run_steps(2);
    let before = photo(&window);
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
    assert_eq!(photo(&window), before, "the strip takes the arrow keys");
    window.check_accessibility();
}

#[test]
fn a_run_over_batches_stops_and_resets() {
    let mut window = batch_norm_window();
    let walked = |window: &Window| window.state().state().walk.walked();
    assert!(shows(
        &window,
        "Over 8 batches the mean has a standard deviation of"
    ));
    assert_eq!((walked(&window), SPREAD), (0, 8));
    command(&mut window, WalkCommand::SetSteps(3));
    click(&mut window, "Run");
    assert_eq!(walked(&window), 3);
    assert!(shows(&window, "After 3 batches"));
    assert!(shows(&window, "for x in batches[:3]:"));
    click(&mut window, "Run");
    assert_eq!(walked(&window), 6);
    // Undo brings the batches back with the setting that they ran under.
    let id = layer("block_13_project_BN");
    command(&mut window, Command::SetTrainable(id, false));
    assert_eq!(walked(&window), 0);
    command(&mut window, Action::Undo);
    assert_eq!(walked(&window), 6);
    command(&mut window, WalkCommand::Reset);
    command(&mut window, Action::Undo);
    assert_eq!(walked(&window), 6);
    // A long run can be stopped early.
    command_now(&mut window, WalkCommand::SetSteps(200));
    window.get_by_label("Run").click();
    window.run_steps(8);
    window.get_by_label("Stop").click();
    settle(&mut window);
    assert!(walked(&window) < 206, "{}", walked(&window));
    click(&mut window, "Reset");
    assert_eq!(walked(&window), 0);
    assert!(!shows(&window, "After 6 batches"));
}

fn command_now(window: &mut Window, command: impl Into<Command>) {
    let ctx = window.ctx.clone();
    window.state_mut().command(&ctx, command.into());
    window.run_steps(1);
}

#[test]
fn the_momentum_slider_updates_the_formula_at_once() {
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
fn the_batch_slider_updates_n() {
    let mut window = batch_norm_window();
    assert!(shows(&window, "n = 16 (4 photos × 2 × 2)"));
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
    assert!(shows(&window, "n = 4 (1 photo × 2 × 2)"));
}

#[test]
fn frozen_layers_do_not_move_in_keras_and_do_in_pytorch() {
    let mut window = batch_norm_window();
    click(&mut window, "Freeze all");
    command(&mut window, WalkCommand::SetSteps(2));
    click(&mut window, "Run");
    assert!(shows(&window, "No statistic moves: the layer is frozen"));
    assert!(shows(
        &window,
        "2 batches went through and the moving mean is still"
    ));
    command(&mut window, Command::SetSemantics(Some(Semantics::PyTorch)));
    click(&mut window, "Run");
    assert!(shows(
        &window,
        "The statistics move although the layer is frozen"
    ));
    assert!(shows(&window, "After 2 batches"));
}
