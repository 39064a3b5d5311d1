//! Noise layers over many passes, and the dropout view's controls.

use std::sync::Arc;

use candle_core::{Device, Tensor};
use eframe::egui::Key;
use eframe::egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use modelens::app::AppOptions;
use modelens::command::{Action, Command, NoiseCommand};
use modelens::model::graph::{Graph, Input, Layer, LayerKind, Node, Noise};
use modelens::model::layers::WeightMap;
use modelens::model::pass::{PassOptions, run};
use modelens::model::sampler::{Sampler, SamplerOptions};
use modelens::model::{Flags, Mode, Model, ModelDescription, Preprocessing, Semantics};
use modelens::state::View;
use modelens_jobs::{DropoutOutcome, ModelSource, Outcome};

use crate::support::models::lab_mobilenetv2;
use crate::support::numbers::{assert_close, values};
use crate::support::window::{Window, click, command, open, photo, settle, shows, small};

/// A model with an input of 4 x 4 x 8 and one noise layer.
fn model_of(noise: Noise) -> Model {
    let layer = |name: &str, kind: LayerKind| Layer {
        name: name.into(),
        class: String::new(),
        kind,
        parent: None,
        listed: true,
        trainable: true,
        recorded: modelens::model::RecordedArgument::Absent,
        activity_regularizer: None,
        weights: Vec::new(),
    };
    let node = |layer: usize, inputs: Vec<Input>| Node::new(layer, inputs);
    Model {
        description: ModelDescription {
            title: String::new(),
            format: modelens::formats::keras::H5.format,
            framework: String::new(),
            semantics: Semantics::Keras3,
            graph: Graph {
                name: String::new(),
                layers: vec![
                    layer("input", LayerKind::Input),
                    layer("noise", LayerKind::Noise(noise)),
                ],
                nodes: vec![node(0, vec![]), node(1, vec![Input::Node(0)])],
                output: 1,
                root_trainable: true,
                input_hwc: [Some(4), Some(4), Some(8)],
                ..Graph::default()
            },
            preprocessing: Preprocessing::Raw,
            scale_unknown: false,
            labels: Vec::new(),
            labels_from: String::new(),
            recognised: modelens::model::Recognised::default(),
            warnings: Vec::new(),
            assumed: Vec::new(),
        },
        weights: WeightMap::new(),
    }
}

const UNITS: usize = 4 * 4 * 8;

fn input() -> Tensor {
    let x = (1..=UNITS as u16).map(|i| f32::from(i) / 16.0);
    Tensor::from_iter(x, &Device::Cpu)
        .and_then(|x| x.reshape((1, 4, 4, 8)))
        .expect("an input")
}

/// The output and the mask of each pass.
fn passes(noise: Noise, semantics: Semantics, passes: u64) -> (Vec<Vec<f32>>, Vec<Vec<f32>>) {
    let model = model_of(noise);
    let flags = Flags::of_file(&model.graph);
    let options = SamplerOptions {
        outer: Mode::Training.into(),
        semantics,
        flags: &flags,
        seed: 7,
        repeat: 0,
        replaced: None,
    };
    let sampler = Sampler::new(&model, &input(), options, &|| true).expect("a sampler");
    let outputs = sampler.outputs(0..passes, &|| true).expect("outputs");
    let rows = (0..passes as usize).map(|pass| values(&outputs.get(pass).expect("a pass")));
    let masks = (0..passes).filter_map(|pass| {
        let done = sampler.disturbed(1, pass).expect("a pass of the layer")?;
        done.mask.as_ref().map(values)
    });
    (rows.collect(), masks.collect())
}

fn dropout(rate: f64, noise_shape: Option<Vec<Option<usize>>>) -> Noise {
    Noise::Dropout { rate, noise_shape }
}

#[test]
fn a_mask_drops_its_share_and_scales_the_rest() {
    let (outputs, masks) = passes(dropout(0.3, None), Semantics::Keras3, 64);
    let x = values(&input());
    let mut dropped = 0;
    for (output, mask) in outputs.iter().zip(&masks) {
        for ((y, m), x) in output.iter().zip(mask).zip(&x) {
            assert!(*m == 0.0 || (m - 1.0 / 0.7).abs() < 1e-6, "{m}");
            assert_eq!(*y, x * m);
            dropped += usize::from(*m == 0.0);
        }
    }
    let share = dropped as f64 / (64 * UNITS) as f64;
    // Six standard deviations of 8,192 draws.
    assert!((share - 0.3).abs() < 0.031, "{share}");
    assert_ne!(masks[0], masks[1], "each pass draws its own mask");
}

#[test]
fn the_noise_shape_decides_which_units_share_a_draw() {
    let spatial = Noise::SpatialDropout2d { rate: 0.5 };
    let shaped = dropout(0.5, Some(vec![None, Some(1), Some(1), None]));
    for noise in [spatial, shaped] {
        let (_, masks) = passes(noise, Semantics::Keras3, 4);
        for mask in masks {
            let first = &mask[..8];
            assert!(mask.chunks(8).all(|position| position == first));
            assert!(first.contains(&0.0) || first.iter().all(|&m| m == 2.0));
        }
    }
    let rows = dropout(0.5, Some(vec![None, None, Some(1), Some(1)]));
    let (_, masks) = passes(rows, Semantics::Keras3, 4);
    for mask in masks {
        assert!(mask.chunks(32).all(|row| row.iter().all(|m| *m == row[0])));
    }
    for whole in [
        Noise::DropConnect { rate: 0.5 },
        dropout(0.5, Some(vec![None, Some(1), Some(1), Some(1)])),
    ] {
        let (_, masks) = passes(whole, Semantics::Keras3, 32);
        let kept = masks.iter().filter(|mask| mask[0] != 0.0).count();
        assert!(masks.iter().all(|mask| mask.iter().all(|m| *m == mask[0])));
        assert!((1..32).contains(&kept), "{kept}");
    }
}

#[test]
fn alpha_dropout_replaces_values_and_applies_its_affine_map() {
    let rate = 0.3_f64;
    let (outputs, masks) = passes(Noise::AlphaDropout { rate }, Semantics::Keras3, 8);
    let alpha = -1.758_099_340_847_376_6_f64;
    let a = 1.0 / ((1.0 - rate) * (1.0 + rate * alpha * alpha)).sqrt();
    let b = -a * alpha * rate;
    for (output, mask) in outputs.iter().zip(&masks) {
        let units = output.iter().zip(mask).zip(values(&input()));
        for ((y, kept), x) in units {
            let value = if *kept == 1.0 { f64::from(x) } else { alpha };
            assert!((f64::from(*y) - (a * value + b)).abs() < 1e-5);
        }
    }
}

#[test]
fn rates_0_and_1_act_as_in_each_framework() {
    let x = values(&input());
    for semantics in Semantics::ALL {
        let (outputs, _) = passes(dropout(0.0, None), semantics, 2);
        assert!(outputs.iter().all(|output| *output == x));
        let (outputs, _) = passes(dropout(1.0, None), semantics, 2);
        assert!(outputs.iter().flatten().all(|&y| y == 0.0));
    }
    let alpha = Noise::AlphaDropout { rate: 1.0 };
    let (outputs, _) = passes(alpha.clone(), Semantics::Keras2, 1);
    assert_eq!(outputs[0], x);
    let (outputs, _) = passes(alpha.clone(), Semantics::PyTorch, 1);
    assert!(outputs[0].iter().all(|&y| y == 0.0));
    let model = model_of(alpha);
    let flags = Flags::of_file(&model.graph);
    let options = SamplerOptions {
        outer: Mode::Training.into(),
        semantics: Semantics::Keras3,
        flags: &flags,
        seed: 7,
        repeat: 0,
        replaced: None,
    };
    let refused = Sampler::new(&model, &input(), options, &|| true);
    let reason = refused.err().expect("Keras 3 refuses it").to_string();
    assert!(reason.contains("ZeroDivisionError"), "{reason}");
}

#[test]
fn more_passes_start_with_the_same_passes() {
    let few = passes(dropout(0.3, None), Semantics::Keras3, 3);
    let many = passes(dropout(0.3, None), Semantics::Keras3, 40);
    assert_eq!(few.0[..], many.0[..3]);
}

#[test]
fn passes_without_noise_equal_inference() {
    let model: Arc<Model> = lab_mobilenetv2();
    let flags = Flags::all(&model.graph, true);
    let side = 160 * 160 * 3;
    let x = (0..side).map(|i| (i % 251) as f32 / 125.0 - 1.0);
    let x = Tensor::from_iter(x, &Device::Cpu)
        .and_then(|x| x.reshape((1, 160, 160, 3)))
        .expect("a photo");
    let options = PassOptions {
        outer: Mode::Inference.into(),
        semantics: Semantics::Keras3,
        flags: &flags,
        random: true,
        seed: 7,
        repeat: 0,
        taps: &[],
        moments: &[],
        weights: None,
    };
    let pass = run(&model, &x, &options, &|_, _| true).expect("a pass");
    let dropout = model.graph.find("dropout").expect("the layer");
    let off = Noise::Dropout {
        rate: 0.0,
        noise_shape: None,
    };
    let options = SamplerOptions {
        outer: Mode::Training.into(),
        semantics: Semantics::Keras3,
        flags: &flags,
        seed: 7,
        repeat: 0,
        replaced: Some((dropout, off)),
    };
    let sampler = Sampler::new(&model, &x, options.clone(), &|| true).expect("a sampler");
    let own = values(sampler.inference().expect("an output"));
    assert_close(&own, &values(&pass.output), "inference");
    assert!(!sampler.output_varies());
    let outputs = sampler.outputs(0..3, &|| true).expect("passes");
    assert_eq!(values(&outputs.get(2).expect("a pass")), own);
    let drawing = SamplerOptions {
        replaced: None,
        ..options
    };
    let sampler = Sampler::new(&model, &x, drawing, &|| true).expect("a sampler");
    assert_eq!(sampler.drawing(), 1);
    let outputs = sampler.outputs(0..2, &|| true).expect("passes");
    assert_ne!(values(&outputs.get(0).expect("a pass")), own);
    assert!(
        sampler.outputs(0..2, &|| false).is_err(),
        "a cancelled computation ends"
    );
}

fn outcome(window: &Window) -> DropoutOutcome {
    let result = window.state().state().computed.result(View::Dropout);
    match &result.expect("a result").outcome {
        Outcome::Dropout(outcome) => (**outcome).clone(),
        _ => panic!("a dropout outcome"),
    }
}

fn dropout_view() -> Window {
    let mut window = open(small());
    command(&mut window, Action::Show(View::Dropout));
    window
}

#[test]
fn the_mean_of_many_passes_approaches_inference() {
    let mut window = dropout_view();
    let found = outcome(&window);
    assert_eq!(
        found.training.input, found.inference.input,
        "only the mode differs"
    );
    let points = &found.mean.points;
    let passes: Vec<usize> = points.iter().map(|p| p.passes).collect();
    assert_eq!(passes, (0..=10).map(|i| 1 << i).collect::<Vec<_>>());
    let (first, last) = (&points[0], &points[10]);
    assert!(
        (first.expected / last.expected - 32.0).abs() < 1e-9,
        "1/sqrt(k)"
    );
    assert!(last.distance < first.distance / 10.0);
    for point in points {
        let part = point.distance / point.expected;
        assert!((0.5..2.0).contains(&part), "{point:?}");
    }
    for (&unit, mean) in found.largest.iter().zip(&found.mean.largest) {
        let x = found.inference.output[unit];
        assert!(
            (mean - x).abs() < 0.12 * x.abs(),
            "unit {unit}: {mean} for {x}"
        );
    }
    // The seed determines the result.
    command(&mut window, Command::SetSeed(8));
    assert_ne!(outcome(&window), found);
    command(&mut window, Command::SetSeed(7));
    assert_eq!(outcome(&window), found);
    assert!(shows(&window, "mean of 1,024 passes is"));
}

#[test]
fn the_rate_slider_has_a_name_and_keys_and_a_reset() {
    let mut window = dropout_view();
    let file = outcome(&window).noise.strength();
    assert_eq!(file, 0.2);
    assert!(window.query_by_label("Back to 0.2").is_none());
    window.get_by_role_and_label(Role::Slider, "Rate").focus();
    window.run_steps(2);
    window.key_press(Key::ArrowRight);
    settle(&mut window);
    let rate = outcome(&window).noise.strength();
    assert!((rate - 0.21).abs() < 1e-9, "{rate}");
    assert_eq!(outcome(&window).file_rate, 0.2);
    let before = photo(&window);
    window.key_press(Key::ArrowRight);
    settle(&mut window);
    assert_eq!(photo(&window), before, "the key belongs to the slider");
    assert!(shows(&window, "get_layer(\"dropout\").rate = 0.22"));
    click(&mut window, "Back to 0.2");
    assert_eq!(outcome(&window).noise.strength(), 0.2);
}

#[test]
fn rates_outside_0_to_1_are_refused_with_the_reason() {
    let mut window = dropout_view();
    for rate in [1.2, -0.1, f64::NAN] {
        command(&mut window, NoiseCommand::SetRate(rate));
        assert!(shows(&window, "A rate is a share from 0 to 1"), "{rate}");
        assert_eq!(outcome(&window).noise.strength(), 0.2, "{rate}");
    }
    command(&mut window, NoiseCommand::SetRate(1.0));
    assert!(!shows(&window, "A rate is a share"));
    let found = outcome(&window);
    assert!(found.training.output.iter().all(|&y| y == 0.0));
    assert!(shows(&window, "drops all 1,280 units"));
    command(&mut window, NoiseCommand::SetRate(0.0));
    let found = outcome(&window);
    assert_eq!(found.training.output, found.inference.output);
    assert!(found.mean.points.iter().all(|p| p.distance < 1e-6));
    let spread = found.monte_carlo.expect("a classifier");
    assert_eq!(spread.range(), [spread.inference as f32; 2]);
    assert_eq!([spread.drawing, spread.others()], [0, 0]);
}

#[test]
fn the_number_of_passes_is_chosen_from_radio_buttons() {
    let mut window = dropout_view();
    let spread = |window: &Window| outcome(window).monte_carlo.expect("a classifier");
    assert_eq!(spread(&window).probabilities.len(), 32);
    let chosen = window.get_by_role_and_label(Role::RadioButton, "32 passes");
    assert_eq!(
        chosen.accesskit_node().toggled(),
        Some(eframe::egui::accesskit::Toggled::True)
    );
    let few = spread(&window);
    window
        .get_by_role_and_label(Role::RadioButton, "128 passes")
        .focus();
    window.run_steps(2);
    window.key_press(Key::Enter);
    settle(&mut window);
    let many = spread(&window);
    assert_eq!(many.winners.len(), 128);
    assert_eq!(
        many.probabilities[..32],
        few.probabilities[..],
        "the first passes stay the same"
    );
    let [low, high] = many.range();
    assert!(low < high);
    assert!(shows(&window, "Probability of"), "the histogram has a name");
    assert!(
        shows(&window, "Distance of the mean"),
        "the plot has a name"
    );
}

#[test]
fn every_noise_layer_of_a_base_can_be_chosen() {
    let mut window = open(AppOptions {
        model: ModelSource::EfficientNetLite0,
        ..AppOptions::default()
    });
    command(&mut window, Action::Show(View::Dropout));
    let base = window.state().state().opened.base.as_ref().expect("a base");
    let noises = base.noises.clone();
    assert!(noises.len() > 5, "{}", noises.len());
    let spread = outcome(&window).monte_carlo.expect("a classifier");
    assert_eq!([spread.drawing, spread.noises], [noises.len(); 2]);
    click(&mut window, "Previous noise layer");
    let found = outcome(&window);
    assert!(
        matches!(found.noise, Noise::DropConnect { .. }),
        "{:?}",
        found.noise
    );
    let share = found.training.dropped;
    assert!(share == 0 || share == found.training.output.len());
    assert!(shows(&window, "One draw decides for the whole photo"));
    click(&mut window, "Next noise layer");
    assert!(matches!(outcome(&window).noise, Noise::Dropout { .. }));
}

#[test]
fn a_typed_number_takes_effect_when_it_is_complete() {
    let mut window = dropout_view();
    let field = window.get_by_role_and_label(Role::SpinButton, "Rate");
    field.click();
    window.run_steps(2);
    window.key_press_modifiers(eframe::egui::Modifiers::COMMAND, Key::A);
    for text in ["1", ".", "3"] {
        window.event(eframe::egui::Event::Text(text.to_owned()));
        window.run_steps(1);
    }
    window.key_press(Key::Enter);
    settle(&mut window);
    assert!(shows(&window, "A rate is a share from 0 to 1"));
    assert_eq!(
        outcome(&window).noise.strength(),
        0.2,
        "not the 1 on the way"
    );
}
