//! Times passes and optimizer steps of the bundled network.

use candle_core::{Device, Tensor};

use super::{Stopwatch, failed};
use crate::cli::Failure;
use crate::model::graph::{Input, LayerKind, Node};
use crate::model::pass::{PassCache, PassOptions, run};
use crate::model::{Flags, Mode, Model};
use crate::train::{loss, sgd_step};
use modelens_jobs::ModelSource;
use modelens_jobs::PhotosSource;
use modelens_jobs::look::{batch_of, photo_input, tensor_of};

/// Opens the network, and runs passes and optimizer steps with and without its head.
pub fn time(watch: &mut Stopwatch<'_>) -> Result<(), Failure> {
    let open = || ModelSource::Lab.open();
    watch.time("open_base", |_| open().map(drop).map_err(Failure::from))?;
    let mut model = open()?;
    let n = watch.step_batch();
    let x = batch(&model, n).map_err(|e| failed(&e))?;
    forward(watch, "forward", &model, &x)?;
    for (name, flags) in step_flags(&model) {
        let options = options(&model, &flags, Mode::Training);
        let classes: Vec<u32> = (0..n as u32).collect();
        let loss = |y: &Tensor| loss::cross_entropy(y, &classes, true);
        watch.time(&format!("train_step_{name}_batch_{n}"), |_| {
            let mut passes = PassCache::new(&model, &x);
            let done = sgd_step(&mut passes, &options, 0.01, loss, &|_, _| true);
            done.map(drop).map_err(|e| failed(&e))
        })?;
    }
    both_modes_of_one_photo(watch, &model, &x)?;
    // The base without its head, as the scripts in `benches/peers` time it.
    cut_head(&mut model);
    forward(watch, "base_forward", &model, &x)?;
    for (name, flags) in step_flags(&model).into_iter().take(2) {
        backward(watch, &format!("base_backward_{name}"), &model, &flags, &x)?;
    }
    Ok(())
}

/// Runs passes of another network with random pixels, as the scripts in `benches/peers` time it.
pub fn time_model(watch: &mut Stopwatch<'_>, source: &ModelSource) -> Result<(), Failure> {
    let model = source.open()?;
    let input = photo_input(&model.graph, model.semantics);
    let [height, width] = input.size();
    let shape = (watch.step_batch(), height, width, input.channels);
    let x = Tensor::rand(-1_f32, 1_f32, shape, &Device::Cpu).map_err(|e| failed(&e))?;
    forward(watch, "model_forward", &model, &x)?;
    let flags = Flags::all(&model.graph, true);
    backward(watch, "model_backward_open", &model, &flags, &x)
}

/// A forward and a backward pass to every weight that learns, from the mean square of the output.
fn backward(
    watch: &mut Stopwatch<'_>,
    what: &str,
    model: &Model,
    flags: &Flags,
    x: &Tensor,
) -> Result<(), Failure> {
    let options = options(model, flags, Mode::Training);
    watch.time(&format!("{what}_batch_{}", watch.step_batch()), |_| {
        let mut passes = PassCache::new(model, x);
        let done = sgd_step(&mut passes, &options, 0.0, loss::mean_square, &|_, _| true);
        done.map(drop).map_err(|e| failed(&e))
    })
}

/// Forward passes in both modes with each batch size.
fn forward(
    watch: &mut Stopwatch<'_>,
    what: &str,
    model: &Model,
    x: &Tensor,
) -> Result<(), Failure> {
    let flags = Flags::all(&model.graph, true);
    for (mode, name) in [(Mode::Inference, "inference"), (Mode::Training, "training")] {
        for n in watch.batches() {
            let x = x.narrow(0, 0, n).map_err(|e| failed(&e))?;
            let options = options(model, &flags, mode);
            watch.time(&format!("{what}_{name}_batch_{n}"), |_| {
                let done = run(model, &x, &options, &|_, _| true);
                done.map(drop).map_err(|e| failed(&e))
            })?;
        }
    }
    Ok(())
}

/// One photo in both modes: with a tap at the layer that the BatchNorm view opens with, and with a tap
/// at every BatchNorm layer.
fn both_modes_of_one_photo(
    watch: &mut Stopwatch<'_>,
    model: &Model,
    x: &Tensor,
) -> Result<(), Failure> {
    let x = x.narrow(0, 0, 1).map_err(|e| failed(&e))?;
    let flags = Flags::all(&model.graph, true);
    let layers = model.graph.layers.iter().enumerate();
    let taps: Vec<usize> = layers
        .filter(|(_, layer)| matches!(layer.kind, LayerKind::BatchNorm(_)))
        .map(|(id, _)| id)
        .collect();
    let one = &taps[taps.len().saturating_sub(8)..][..1];
    for (name, taps) in [
        ("both_modes_one_photo", one),
        ("both_modes_one_photo_all_taps", &taps),
    ] {
        watch.time(name, |_| {
            for mode in [Mode::Inference, Mode::Training] {
                let options = PassOptions {
                    taps,
                    ..options(model, &flags, mode)
                };
                run(model, &x, &options, &|_, _| true).map_err(|e| failed(&e))?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// A batch of `n` bundled photos, preprocessed for the model: `[n, H, W, C]`.
fn batch(model: &Model, n: usize) -> anyhow::Result<Tensor> {
    let set = PhotosSource::Bundled.open()?;
    let input = photo_input(&model.graph, model.semantics);
    let indices = batch_of(&set, None, n, 7);
    let loaded = crate::dataset::batch::load(&set, &indices, &input, &|_| true);
    let images = loaded
        .into_iter()
        .map(|(_, image)| image)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(tensor_of(&images, model.preprocessing)?)
}

fn options<'a>(model: &Model, flags: &'a Flags, mode: Mode) -> PassOptions<'a> {
    PassOptions {
        random: true,
        seed: 7,
        ..PassOptions::of(model, flags, mode)
    }
}

/// Removes the head: the first global pooling and everything after it.
fn cut_head(model: &mut Model) {
    let graph = &mut model.graph;
    let is_head = |node: &Node| matches!(graph.layers[node.layer].kind, LayerKind::GlobalPool2d(_));
    if let Some(head) = graph.nodes.iter().position(is_head)
        && let Some(&Input::Node(output)) = graph.nodes[head].inputs.first()
    {
        graph.nodes.truncate(output + 1);
        graph.output = output;
    }
}

/// The course's three settings: everything is trainable, the base from layer 120 on, only the head.
fn step_flags(model: &Model) -> [(&'static str, Flags); 3] {
    let graph = &model.graph;
    let mut from = Flags::all(graph, true);
    from.fine_tune_from(graph, 120);
    let mut head = Flags::all(graph, true);
    if let Some(base) = crate::model::flags::base_of(graph) {
        head.set(graph, base, false, model.semantics);
    }
    [
        ("open", Flags::all(graph, true)),
        ("from_120", from),
        ("head", head),
    ]
}
