//! `modelens bench`: how long the program's own work takes on this machine.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use candle_core::Tensor;
use serde_json::{Map, Value, json};

use super::Failure;
use crate::augment::Pipeline;
use crate::model::graph::{Input, LayerKind, Node};
use crate::model::open::ModelSource;
use crate::model::pass::{PassOptions, run};
use crate::model::{Flags, Mode, Model};
use crate::train::{loss, sgd_step};
use crate::worker::look::{self, Context, batch_of, photo_size, tensor_of};
use crate::worker::{AugmentationLook, Grid, Look, PhotoCache, PhotosSource, Same};

/// Times the program's own work: opening, passes, optimizer steps, a redraw of the grid.
#[derive(Debug, clap::Args)]
pub struct Bench {
    /// Print JSON: the same keys in every version, times in seconds.
    #[arg(long)]
    json: bool,
    /// How often each is run, within five seconds; the median counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    runs: u64,
}

/// Long work is not run again after this much time in all.
const ENOUGH_SECS: f64 = 5.0;

/// Batch sizes of the passes.
const BATCHES: [usize; 3] = [1, 4, 32];
/// Batch size of the optimizer steps.
const STEP_BATCH: usize = 32;

impl Bench {
    pub fn run(&self) -> Result<(), Failure> {
        let mut times = Map::new();
        let failed = |error: &dyn std::fmt::Display| Failure::File(error.to_string());
        let mut note = |name: String, secs: f64| {
            times.insert(name, json!(secs));
        };
        let open = || ModelSource::DogBreeds.open();
        let model = open()?;
        note(
            "open_base_secs".into(),
            self.median(|_| open().map(drop).map_err(Failure::from))?,
        );
        let list = |_| {
            PhotosSource::Bundled
                .open()
                .map(drop)
                .map_err(|e| failed(&e))
        };
        note("list_93_photos_secs".into(), self.median(list)?);
        let x = batch(&model).map_err(|e| failed(&e))?;
        for (mode, name) in [(Mode::Inference, "inference"), (Mode::Training, "training")] {
            let flags = Flags::all(&model.graph, true);
            for n in BATCHES {
                let x = x.narrow(0, 0, n).map_err(|e| failed(&e))?;
                let options = options(&model, &flags, mode);
                let pass = |_| {
                    let done = run(&model, &x, &options, &|_, _| true);
                    done.map(drop).map_err(|e| failed(&e))
                };
                note(format!("forward_{name}_batch_{n}_secs"), self.median(pass)?);
            }
        }
        for (name, flags) in step_flags(&model) {
            let options = options(&model, &flags, Mode::Training);
            let classes: Vec<u32> = (0..STEP_BATCH as u32).collect();
            let loss = |y: &Tensor| loss::cross_entropy(y, &classes, true);
            let step = |_| {
                let done = sgd_step(&model, &x, &options, 0.01, loss, &|_, _| true);
                done.map(drop).map_err(|e| failed(&e))
            };
            note(
                format!("train_step_{name}_batch_{STEP_BATCH}_secs"),
                self.median(step)?,
            );
        }
        self.base(&x, &mut note)?;
        let mut grid = grid(&model)?;
        note("redraw_nine_secs".into(), self.median(&mut grid)?);
        let text = if self.json {
            let memory = of_status("VmRSS:").map_or(Value::Null, |bytes| json!(bytes));
            times.insert("resident_bytes".into(), memory);
            let memory = of_status("VmHWM:").map_or(Value::Null, |bytes| json!(bytes));
            times.insert("peak_bytes".into(), memory);
            serde_json::to_string_pretty(&times).map_err(|e| failed(&e))?
        } else {
            let line = |(name, secs): (&String, &Value)| {
                let name = name.trim_end_matches("_secs").replace('_', " ");
                format!("{name:34} {:>9.2} ms", secs.as_f64().unwrap_or(0.0) * 1e3)
            };
            times.iter().map(line).collect::<Vec<_>>().join("\n")
        };
        drop(writeln!(std::io::stdout(), "{text}"));
        Ok(())
    }

    /// The base without its head: forward in both modes, and forward with backward of the mean
    /// square. The scripts in `benches/peers` time the same.
    fn base(&self, x: &Tensor, note: &mut impl FnMut(String, f64)) -> Result<(), Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::File(error.to_string());
        let mut model = ModelSource::DogBreeds.open()?;
        cut_head(&mut model);
        let open = Flags::all(&model.graph, true);
        for (mode, name) in [(Mode::Inference, "inference"), (Mode::Training, "training")] {
            for n in BATCHES {
                let x = x.narrow(0, 0, n).map_err(|e| failed(&e))?;
                let options = options(&model, &open, mode);
                let (secs, cpu) = self.median_and_cpu(|_| {
                    let done = run(&model, &x, &options, &|_, _| true);
                    done.map(drop).map_err(|e| failed(&e))
                })?;
                note(format!("base_forward_{name}_batch_{n}_secs"), secs);
                note(format!("base_forward_{name}_batch_{n}_cpu_secs"), cpu);
            }
        }
        for (name, flags) in step_flags(&model).into_iter().take(2) {
            let options = options(&model, &flags, Mode::Training);
            let (secs, cpu) = self.median_and_cpu(|_| {
                let done = sgd_step(&model, x, &options, 0.0, loss::mean_square, &|_, _| true);
                done.map(drop).map_err(|e| failed(&e))
            })?;
            let key = format!("base_backward_{name}_batch_{STEP_BATCH}");
            note(format!("{key}_secs"), secs);
            note(format!("{key}_cpu_secs"), cpu);
        }
        Ok(())
    }

    /// The median time of `work`, after one run that does not count.
    fn median(&self, work: impl FnMut(u64) -> Result<(), Failure>) -> Result<f64, Failure> {
        Ok(self.median_and_cpu(work)?.0)
    }

    /// [`Self::median`], and the mean time of all cores together: it says more than the clock where
    /// other programs run at the same time.
    fn median_and_cpu(
        &self,
        mut work: impl FnMut(u64) -> Result<(), Failure>,
    ) -> Result<(f64, f64), Failure> {
        work(0)?;
        let mut secs: Vec<f64> = Vec::new();
        let cpu = cpu_secs();
        for i in 1..=self.runs {
            let start = Instant::now();
            work(i)?;
            secs.push(start.elapsed().as_secs_f64());
            if secs.iter().sum::<f64>() > ENOUGH_SECS {
                break;
            }
        }
        let cpu = (cpu_secs() - cpu) / secs.len() as f64;
        secs.sort_by(f64::total_cmp);
        Ok((secs[secs.len() / 2], cpu))
    }
}

/// Time that the cores spent on this process so far, on clocks of 10 ms; 0 where the system does
/// not tell.
fn cpu_secs() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The program's name, in brackets, may hold anything.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks.filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// The first photos of the bundled set as the model takes them.
fn batch(model: &Model) -> anyhow::Result<Tensor> {
    let set = PhotosSource::Bundled.open()?;
    let [height, width] = photo_size(model.graph.input_hwc);
    let indices = batch_of(&set, None, STEP_BATCH, 7);
    let loaded = crate::dataset::batch::load(&set, &indices, height, width, &|_| true);
    let images = loaded
        .into_iter()
        .map(|(_, image)| image)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(tensor_of(&images, model.preprocessing)?)
}

fn options<'a>(model: &Model, flags: &'a Flags, mode: Mode) -> PassOptions<'a> {
    PassOptions {
        outer: mode.into(),
        semantics: model.semantics,
        flags,
        random: true,
        seed: 7,
        repeat: 0,
        taps: &[],
        weights: None,
    }
}

/// Takes away what stands behind the base: the first pooling over all positions and everything
/// after it.
fn cut_head(model: &mut Model) {
    let graph = &mut model.graph;
    let is_head = |node: &Node| {
        matches!(
            graph.layers[node.layer].kind,
            LayerKind::GlobalPool2d { .. }
        )
    };
    if let Some(head) = graph.nodes.iter().position(is_head)
        && let Some(&Input::Node(output)) = graph.nodes[head].inputs.first()
    {
        graph.nodes.truncate(output + 1);
        graph.output = output;
    }
}

/// The course's three settings: everything learns, the base from layer 120, the head alone.
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

/// Redraws the course's grid, as often as it is called.
fn grid(model: &Model) -> Result<impl FnMut(u64) -> Result<(), Failure>, Failure> {
    let set = PhotosSource::Bundled
        .open()
        .map_err(|e| Failure::File(e.to_string()))?;
    let photo = set
        .photos
        .iter()
        .position(|p| p.name.starts_with("fish/fish9."))
        .unwrap_or(0);
    let photos = Same(Arc::new(set));
    let [height, width] = photo_size(model.graph.input_hwc);
    let semantics = model.semantics;
    let mut cache = PhotoCache::default();
    Ok(move |redraws| {
        let look = AugmentationLook {
            photos: photos.clone(),
            photo,
            grid: Grid::OnePhoto,
            cell_redraws: std::collections::BTreeMap::new(),
            height,
            width,
            pipeline: Pipeline::course(),
            semantics,
            seed: 7,
            redraws,
        };
        let context = Context {
            proceed: &|| true,
            progress: &|_, _, _| {},
            unreadable: &|_, _, _| {},
        };
        let done = look::compute(Look::Augmentation(look), &context, &mut cache);
        done.map(drop).map_err(|e| Failure::File(e.to_string()))
    })
}

/// A size that the system keeps of this process, in bytes; where it does not tell, nothing.
fn of_status(key: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix(key))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}
