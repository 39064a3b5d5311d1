//! The normalisations that may be in a BatchNorm's place, as PyTorch and torchvision compute them
//! (`tests/fixtures/generators/make_norms.py`), and on the input of a layer.

use eframe::egui::Context;
use egui_svg::Images;
use modelens::app::{App, AppOptions};
use modelens::command::{Action, Command};
use modelens::figure::{What, draw};
use modelens::lesson::{Value, Values as _};
use modelens::model::layers::batch_norm::{Moments, next_moving};
use modelens::model::norms::{
    ChannelMoments, DrawnBatches, Norm, NormSetting, Reads, batch_error, photo_moments,
};
use modelens::model::{Flags, Mode, Semantics};
use modelens::state::View;
use modelens_jobs::{Look, NormsLook, NormsOutcome, Outcome, PassLook};

use crate::figure_parts::texts;
use crate::support::files::{Arrays, fixture, ops, read_npz};
use crate::support::looks::Opened;
use crate::support::numbers::{assert_close, values};
use crate::support::program::{modelens, succeeds, text};
use crate::support::window::in_context;

const MODES: [(Mode, &str); 2] = [(Mode::Training, "train"), (Mode::Inference, "eval")];

/// A BatchNorm of MobileNetV2 with 160 channels.
const LAYER: &str = "block_13_project_BN";

/// The largest difference of numbers that were computed in f32 and summed in another order.
const CLOSE: f64 = 1e-5;

/// The fixture's weights and its input.
struct Fixture {
    io: Arrays,
    stored: ChannelMoments,
    gamma: Vec<f32>,
    beta: Vec<f32>,
}

impl Fixture {
    fn read() -> Self {
        let io = read_npz(&ops("norms.npz"));
        let vector = |name: &str| values(&io[name]);
        let stored = ChannelMoments::from(&Moments {
            mean: vector("mean"),
            variance: vector("variance"),
        });
        let [gamma, beta] = ["gamma", "beta"].map(vector);
        Self {
            io,
            stored,
            gamma,
            beta,
        }
    }

    fn number(&self, name: &str) -> f64 {
        f64::from(values(&self.io[name])[0])
    }

    fn setting(&self, positions: usize) -> NormSetting<'_> {
        NormSetting {
            stored: &self.stored,
            epsilon: self.number("epsilon"),
            groups: self.number("groups") as usize,
            positions,
            semantics: Semantics::PyTorch,
        }
    }

    /// The output of a norm for all photos of `x`, whose last axis is that of the channels.
    fn output(&self, x: &str, positions: usize, norm: Norm, mode: Mode) -> Vec<f32> {
        let photos = photo_moments(&self.io[x]).expect("moments");
        let all: Vec<&ChannelMoments> = photos.iter().collect();
        let setting = self.setting(positions);
        let used = setting.used(norm, mode, &all);
        let channels = self.gamma.len();
        let x = values(&self.io[x]);
        let rows = x.chunks(channels).enumerate();
        let outputs = rows.flat_map(|(row, x)| {
            let used = &used[row / positions];
            (0..channels).map(move |c| {
                let inverse = 1.0 / (used.variance[c] + setting.epsilon).sqrt();
                let normalised = (f64::from(x[c]) - used.mean[c]) * inverse;
                (f64::from(self.gamma[c]) * normalised + f64::from(self.beta[c])) as f32
            })
        });
        outputs.collect()
    }
}

#[test]
fn every_norm_reads_and_gives_what_pytorch_says() {
    let fixture = Fixture::read();
    let mut flat = 0;
    for norm in Norm::ALL {
        for (mode, name) in MODES {
            let what = format!("{}/{name}", norm.id());
            let found = fixture.output("x", 12, norm, mode);
            assert_close(&found, &values(&fixture.io[&format!("{what}/y")]), &what);
            // FrozenBatchNorm2d takes no input without positions.
            if let Some(expected) = fixture.io.get(&format!("flat/{what}/y")) {
                let found = fixture.output("flat/x", 1, norm, mode);
                assert_close(&found, &values(expected), &format!("flat/{what}"));
                flat += 1;
            }
        }
    }
    assert_eq!(flat, 8);
}

#[test]
fn the_statistics_move_where_pytorch_moves_them() {
    let fixture = Fixture::read();
    let photos = photo_moments(&fixture.io["x"]).expect("moments");
    let all: Vec<&ChannelMoments> = photos.iter().collect();
    let narrow = |values: &[f64]| values.iter().map(|&x| x as f32).collect::<Vec<f32>>();
    let moments = |wide: &ChannelMoments| Moments {
        mean: narrow(&wide.mean),
        variance: narrow(&wide.variance),
    };
    let stored = moments(&fixture.stored);
    let momentum = 1.0 - fixture.number("momentum");
    let mut moved = Vec::new();
    for norm in Norm::ALL {
        for (mode, name) in MODES {
            let key = |what: &str| format!("{}/{name}/{what}", norm.id());
            let Some(mean) = fixture.io.get(&key("mean")) else {
                assert_eq!(norm.reads(mode), Reads::Photo, "{norm:?} has no state");
                assert!(!norm.moves(mode));
                continue;
            };
            let expected = if norm.moves(mode) {
                let used = fixture.setting(12).used(norm, mode, &all);
                let batch = moments(&used[0]);
                moved.push((norm, mode));
                next_moving(&stored, &batch, momentum, 72, 4, Semantics::PyTorch)
            } else {
                stored.clone()
            };
            assert_close(&expected.mean, &values(mean), &key("mean"));
            let variance = values(&fixture.io[&key("variance")]);
            assert_close(&expected.variance, &variance, &key("variance"));
        }
    }
    let training = Mode::Training;
    assert_eq!(
        moved,
        [(Norm::Batch, training), (Norm::SyncBatch, training)]
    );
}

#[test]
fn the_error_of_a_batch_is_that_of_pytorch() {
    let fixture = Fixture::read();
    let photos = photo_moments(&fixture.io["x"]).expect("moments");
    let setting = fixture.setting(12);
    let batches: Vec<Vec<usize>> = values(&fixture.io["batches"])
        .chunks(3)
        .map(|batch| batch.iter().map(|&i| i as usize).collect())
        .collect();
    for norm in Norm::ALL {
        for (mode, name) in MODES {
            let expected = values(&fixture.io[&format!("{}/{name}/error", norm.id())]);
            for (batch, expected) in batches.iter().zip(expected) {
                let drawn = DrawnBatches {
                    size: batch.len(),
                    batches: vec![batch.clone()],
                };
                let error = batch_error(norm, mode, &photos, &drawn, &setting);
                let error = error.expect("enough values").mean;
                let expected = f64::from(expected);
                let close = (error - expected).abs() < CLOSE;
                assert!(
                    close,
                    "{norm:?} {name} {batch:?}: {error} instead of {expected}"
                );
                // Not only close to 0.
                assert_eq!(error == 0.0, norm.reads(mode) != Reads::Batch);
            }
        }
    }
}

#[test]
fn one_value_a_channel_is_refused_as_pytorch_does_and_by_nobody_else() {
    let fixture = Fixture::read();
    let said = values(&fixture.io["one_value"]);
    let said: String = said.iter().map(|&byte| char::from(byte as u8)).collect();
    assert_eq!(said, "Expected more than 1 value per channel when training");
    let photos = photo_moments(&fixture.io["flat/x"]).expect("moments");
    let drawn = DrawnBatches {
        size: 1,
        batches: vec![vec![0], vec![1]],
    };
    for norm in Norm::ALL {
        for (mode, _) in MODES {
            let torch = fixture.setting(1);
            let keras = NormSetting {
                semantics: Semantics::Keras3,
                ..torch
            };
            let refused = norm.reads(mode) == Reads::Batch;
            let by_torch = batch_error(norm, mode, &photos, &drawn, &torch);
            assert_eq!(by_torch.is_none(), refused, "{norm:?} {mode:?}");
            let by_keras = batch_error(norm, mode, &photos, &drawn, &keras).expect("an error");
            assert_eq!(by_keras.mean > 0.0, refused);
            // With positions a single photo has several values.
            assert!(!fixture.setting(12).refuses(norm.reads(mode), 1));
        }
    }
}

fn compared(pass: PassLook, layer: &str) -> NormsOutcome {
    let graph = &Opened::bundled().model.graph;
    let layer = graph.layers.iter().position(|l| l.name == layer);
    let look = Look::Norms(NormsLook::new(pass, layer.expect("a layer")));
    match Opened::bundled().outcome(look) {
        Outcome::Norms(outcome) => *outcome,
        _ => panic!("an outcome of norms"),
    }
}

#[test]
fn the_error_of_batch_norm_grows_as_the_batch_shrinks_and_no_other_has_one() {
    let opened = Opened::bundled();
    let layer = LAYER;
    let pass = PassLook {
        batch: 8,
        semantics: Semantics::Keras3,
        flags: Flags::all(&opened.model.graph, true),
        ..opened.pass_look()
    };
    let outcome = compared(pass.clone(), layer);
    assert_eq!((outcome.batch, outcome.photos), (8, 93));
    assert_eq!(outcome.sizes, [1, 2, 4, 8, 16, 32, 64]);
    assert_eq!(
        (outcome.channels, outcome.groups, outcome.positions),
        (160, 32, 25)
    );
    assert_eq!(outcome.present, Norm::Batch);
    for row in &outcome.rows {
        for (mode, side) in row.sides() {
            let errors = side.errors.iter().map(|error| error.expect("an error"));
            let errors: Vec<_> = errors.collect();
            if side.reads == Reads::Batch {
                let grows = errors.windows(2).all(|pair| pair[0].mean > pair[1].mean);
                assert!(grows, "{errors:?}");
                // A quarter of the batch has about twice the noise.
                let ratio = errors[3].mean / errors[5].mean;
                assert!((1.7..3.0).contains(&ratio), "{ratio}");
                assert!(errors.iter().all(|e| e.low < e.mean && e.mean < e.high));
            } else {
                let zero = errors.iter().all(|e| [e.low, e.mean, e.high] == [0.0; 3]);
                assert!(zero, "{:?} {mode:?} {errors:?}", row.norm);
            }
        }
        let differs = row.between_modes.expect("measured") > 0.0;
        assert_eq!(
            differs,
            row.training.reads != row.inference.reads,
            "{:?}",
            row.norm
        );
        let from_inference = row.from_inference.expect("measured");
        assert_eq!(from_inference == 0.0, row.inference.reads == Reads::Stored);
    }
    // What BatchNorm takes from the batch does not depend on the row's own name.
    let [batch, sync] = [Norm::Batch, Norm::SyncBatch].map(|norm| outcome.row(norm).expect("it"));
    assert_eq!(batch.training, sync.training);

    // The flag of the layer decides what it is at present; the comparison is the same.
    let frozen = PassLook {
        flags: Flags::all(&opened.model.graph, false),
        ..pass.clone()
    };
    let frozen = compared(frozen, layer);
    assert_eq!(frozen.present, Norm::FrozenBatch);
    assert_eq!(frozen.rows, outcome.rows);
    let torch = PassLook {
        semantics: Semantics::PyTorch,
        flags: Flags::all(&opened.model.graph, false),
        ..pass
    };
    assert_eq!(compared(torch, layer).present, Norm::Batch);
}

/// The bundled model in the BatchNorm view, comparing norms on a small batch.
fn comparing(semantics: Semantics) -> App {
    let ctx = Context::default();
    let mut app = in_context(&ctx, AppOptions::default());
    app.settle(&ctx);
    let base = app.state().opened.base.as_ref().expect("a model");
    let layer = base.model.graph.find(LAYER).expect("a layer");
    for command in [
        Command::SetSemantics(Some(semantics)),
        Action::UnfreezeAll.into(),
        Command::CompareNorms(true),
        Command::ShowLayer(layer),
    ] {
        app.command(&ctx, command);
    }
    app.settle(&ctx);
    app
}

#[test]
fn the_view_compares_the_norms_in_the_words_of_the_framework() {
    let page = View::BatchNorm.page();
    for (semantics, names) in [
        (
            Semantics::PyTorch,
            [
                "BatchNorm2d",
                "FrozenBatchNorm2d",
                "GroupNorm(32, 160)",
                "model.train()",
            ],
        ),
        (
            Semantics::Keras3,
            [
                "BatchNormalization",
                "... trainable=False",
                "GroupNormalization(32)",
                "training=True",
            ],
        ),
    ] {
        let app = comparing(semantics);
        let what = What {
            caption: true,
            ..What::of(View::BatchNorm)
        };
        let images = Images::without_window(&Context::default());
        let drawn = draw(app.state(), &images, &what).expect("a figure");
        let texts = texts(&drawn.svg);
        for name in names {
            assert!(texts.iter().any(|found| found == name), "{name}: {texts:?}");
        }
        for size in ["1", "2", "4", "8", "16", "32", "64"] {
            assert!(texts.iter().any(|found| found == size), "{size}");
        }
        assert!(
            page.sides(app.state()).is_none(),
            "a table has no columns to draw alone"
        );
        let said = page.explanation(app.state());
        assert!(
            said.text.contains("exactly 0 at every size"),
            "{}",
            said.text
        );
        let mentions = said.text.contains("torchvision 0.9");
        assert_eq!(mentions, semantics == Semantics::PyTorch);
        let is_torch = said.code.contains("FrozenBatchNorm2d");
        assert_eq!(is_torch, semantics == Semantics::PyTorch, "{}", said.code);
        let numbers = page.numbers(app.state()).expect("numbers");
        assert!(numbers.contains("training,batch_norm,reads,batch\n"));
        assert!(numbers.contains("inference,batch_norm,statistics_move,false\n"));
        assert!(numbers.contains("training,group_norm batch of 1,error,0\n"));
        assert!(!numbers.contains("training,batch_norm batch of 64,error,0\n"));
        let value = |name: &str| app.state().value(name);
        assert_eq!(value("smallest_batch"), Some(Value::Count(1)));
        assert_eq!(value("reference_photos"), Some(Value::Count(93)));
        assert_eq!(value("error_group_norm"), Some(Value::Number(0.0)));
        let at = |name: &str| match value(name) {
            Some(Value::Number(x)) => x,
            other => panic!("{name}: {other:?}"),
        };
        assert!(at("error_smallest") > 4.0 * at("error_largest"));
        assert_eq!(value("batch_mean"), None, "that is of the other page");
    }
}

#[test]
fn inspect_says_what_each_norm_reads() {
    let file = fixture("bnnet_frozen_bn_keras3/model.keras");
    let report = succeeds(&["inspect", text(&file), "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).expect("JSON");
    let layers = report["layers"].as_array().expect("layers");
    let (mut frozen, mut open) = (0, 0);
    for layer in layers {
        let reads = &layer["normalises_with"];
        if layer["class"] == "BatchNormalization" {
            let trainable = layer["trainable"] == true;
            *(if trainable { &mut open } else { &mut frozen }) += 1;
            let training = if trainable { "batch" } else { "stored" };
            assert_eq!(reads["training"], training, "{layer}");
            assert_eq!(reads["inference"], "stored", "{layer}");
        } else {
            assert!(reads.is_null(), "{layer}");
        }
    }
    assert_eq!((open, frozen), (1, 1), "{layers:?}");
    let table = succeeds(&["inspect", text(&file)]);
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    for reads in ["the batch        ", "stored statistics"] {
        let line = format!("BatchNormalization             1  {reads}     stored statistics");
        assert!(table.contains(&line), "{table}");
    }
}

#[test]
fn the_comparison_is_for_the_batch_norm_view_and_has_no_columns() {
    for (arguments, why) in [
        (
            &["figure", "dropout", "--compare-norms", "--out", "a.svg"][..],
            "--compare-norms is for the view batchnorm",
        ),
        (
            &[
                "figure",
                "batchnorm",
                "--compare-norms",
                "--side",
                "training",
                "--out",
                "a.svg",
            ],
            "cannot be used with",
        ),
    ] {
        let done = modelens(arguments);
        assert_eq!(done.status.code(), Some(2));
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(said.contains(why), "{said}");
    }
}
