//! `modelens run`: runs one pass in one mode and writes its results as arrays.

use std::path::PathBuf;
use std::sync::Arc;

use candle_core::Tensor;
use clap::ValueEnum;

use super::arrays::NamedArray;
use super::outputs::Outputs;
use super::{Failure, Reading, arrays, at_path as at, seed, terminal, trainable};
use crate::dataset::{Image, PhotoSet, batch};
use crate::lesson::{Named, Recorded};
use crate::model::first_norm::Suspicion;
use crate::model::pass::{self, Pass, PassOptions};
use crate::model::{LayerId, Mode, Model, NodeId, Outer, Preprocessing, Semantics};
use modelens_jobs::look::{augmented, batch_of, check_batch, photo_input, tensor_of};
use modelens_jobs::{PhotosSource, open_folder};

/// Runs photos or an array through a model in one mode and writes the results.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    #[arg(help = super::model_help())]
    model: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    /// A folder, an archive or a file of photos, or an .npy or .npz array `x`: float32 [N, H, W, C] as the
    /// model's input layer takes it (arrays are not preprocessed).
    #[arg(long, value_name = "X")]
    input: PathBuf,
    /// What the outermost call says: training=True, training=False, or nothing, as in model(x).
    #[arg(long)]
    mode: CliMode,
    /// The framework whose rules hold; auto: the one that wrote the file.
    #[arg(long, value_name = "RULES", default_value = "auto", value_parser = super::word::parser::<Option<Semantics>>())]
    semantics: Named<Option<Semantics>>,
    /// The trainable flags, applied from left to right: file, all, none, from:N, -NAME (freezes),
    /// +NAME (unfreezes).
    #[arg(
        long,
        value_name = "FLAGS",
        default_value = "file",
        allow_hyphen_values = true
    )]
    trainable: String,
    /// The training= value recorded at the call of the nested base.
    #[arg(long, value_name = "VALUE", default_value = "file", value_parser = super::word::parser::<Recorded>())]
    recorded: Named<Recorded>,
    /// PyTorch: .eval() and .train() of single modules after the outer call, from left to right, such as
    /// base.eval,layer4.train. A name is a module's, or base, batchnorm, dropout.
    #[arg(long, value_name = "CALLS", default_value = "")]
    modules: String,
    /// Leaves out the training= values that only the saver recorded, as if the model had been built
    /// anew from code and its weights loaded.
    #[arg(long)]
    rebuilt: bool,
    /// Dropout, noise, augmentation and drop-connect act as in inference.
    #[arg(long)]
    no_random: bool,
    /// Sends photos through these layers first, as in training, such as
    /// RandomFlip:horizontal,RandomRotation:0.2. A factor is a number or low:high.
    #[arg(long, value_name = "LAYERS")]
    augment: Option<String>,
    /// The seed of every random draw.
    #[arg(long, default_value_t = 7, allow_negative_numbers = true, value_parser = seed)]
    seed: u64,
    /// The number of photos in the batch, which the seed chooses (default 32), or of rows taken from
    /// the start of an array (default all).
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..=65_536))]
    batch: Option<u64>,
    /// Also write the output of this layer; repeatable.
    #[arg(long, value_name = "LAYER")]
    tap: Vec<String>,
    /// The file to write.
    #[arg(long, value_name = "OUT.npz")]
    out: PathBuf,
    /// Make the folder of the output if it does not exist.
    #[arg(long)]
    make_folders: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CliMode {
    Training,
    Inference,
    /// The argument is left out.
    Absent,
}

impl From<CliMode> for Outer {
    fn from(mode: CliMode) -> Self {
        match mode {
            CliMode::Training => Self::Given(Mode::Training),
            CliMode::Inference => Self::Given(Mode::Inference),
            CliMode::Absent => Self::NotGiven,
        }
    }
}

impl RunArgs {
    /// Runs the pass and writes its arrays.
    ///
    /// # Errors
    /// Unusable arguments, and files that cannot be read or written.
    pub fn run(&self) -> Result<(), Failure> {
        let mut outputs = Outputs::new(self.make_folders);
        outputs.writes("--out", &self.out, &["npz"])?;
        outputs.reads_model(&self.reading.source(self.model.as_deref()));
        if self.input.is_dir() {
            outputs.reads_photos(&PhotosSource::Folder(self.input.clone()));
        } else {
            outputs.reads("the input", &self.input);
        }
        outputs.check()?;
        let mut model = self.reading.open(self.model.as_deref())?;
        terminal::introduce(&model);
        let semantics = self.semantics.0.unwrap_or(model.semantics);
        let mut flags = trainable::flags(&model, &self.trainable, semantics)?;
        trainable::record(self.recorded.0, &model, &mut flags);
        flags.set_rebuilt(self.rebuilt);
        flags.modules = trainable::modules(&model, &self.modules, semantics)?;
        let taps = self.taps(&model)?;
        let ids: Vec<LayerId> = taps.iter().map(|(_, id)| *id).collect();
        let set = self.photos()?;
        if let Some(set) = &set {
            terminal::introduce_photos(set);
            self.reading.choose_scale(&mut model, set);
        }
        let Batch {
            x,
            photos,
            left_out,
        } = self.input(&model, set.as_ref(), semantics)?;
        for reason in left_out {
            terminal::warn(format!("left out of the batch: {reason}"));
        }
        self.warn_of_scale(&model, set.as_ref(), semantics, &x);
        let options = PassOptions {
            outer: self.mode.into(),
            semantics,
            flags: &flags,
            random: !self.no_random,
            seed: self.seed,
            repeat: 0,
            taps: &ids,
            moments: &[],
            weights: None,
        };
        let pass = pass::run(&model, &x, &options, &|_, _| true)
            .map_err(|error| at(&error, &self.input))?;
        warn_of_odd_numbers(&pass.output)
            .map_err(|error| at(&format!("the output cannot be read: {error}"), &self.input))?;
        let mut arrays = arrays_of(&model, &pass, &taps).map_err(|error| {
            at(
                &format!("the result of the pass cannot be read: {error}"),
                &self.out,
            )
        })?;
        if let Some(names) = photos {
            arrays.push(("photos".to_owned(), NamedArray::Texts(names)));
        }
        arrays::write_npz(&self.out, &arrays)
            .map_err(|error| at(&format!("the result was not written ({error})"), &self.out))
    }

    /// The tapped layers. For a nested model, it is the inner layer that gives its output.
    fn taps(&self, model: &Model) -> Result<Vec<(String, LayerId)>, Failure> {
        let taps = self.tap.iter().map(|name| {
            let found = model.graph.find(name).map_err(|error| error.to_string());
            let called = found.and_then(|id| {
                let called = model.graph.output_of(id);
                called.ok_or_else(|| format!("nothing in the model calls layer `{name}`"))
            });
            let called = called.map(|id| (name.clone(), id));
            called.map_err(|why| Failure::Usage(format!("--tap: {why}")))
        });
        taps.collect()
    }

    /// Warns if the photos seem to be scaled wrongly. Arrays are not checked: their scale is up to the
    /// user.
    fn warn_of_scale(
        &self,
        model: &Model,
        set: Option<&PhotoSet>,
        semantics: Semantics,
        x: &Tensor,
    ) {
        if set.is_none_or(|set| set.as_given) {
            return;
        }
        let as_if = |how: Preprocessing| {
            if how == model.preprocessing {
                return Some(x.clone());
            }
            let mut model = model.clone();
            model.preprocessing = how;
            self.input(&model, set, semantics).ok().map(|batch| batch.x)
        };
        if let Some(found) = Suspicion::of(model, model.preprocessing, &as_if) {
            terminal::warn(format!(
                "{}; set it with --preprocess",
                found.sentence(&model.graph)
            ));
        }
    }

    /// The photos that the input names; `None` for an array.
    fn photos(&self) -> Result<Option<PhotoSet>, Failure> {
        if arrays::is_array(&self.input) {
            return Ok(None);
        }
        let set = open_folder(&self.input).map_err(|e| Failure::File(e.to_string()))?;
        Ok(Some(set))
    }

    /// The input of the pass: a batch of the photos, or the array.
    fn input(
        &self,
        model: &Model,
        set: Option<&PhotoSet>,
        semantics: Semantics,
    ) -> Result<Batch, Failure> {
        let pipeline = self
            .augment
            .as_deref()
            .map(super::augment::pipeline)
            .transpose()?;
        let Some(set) = set else {
            if pipeline.is_some() {
                let why = "--augment is for photos: arrays are not augmented";
                return Err(Failure::Usage(why.into()));
            }
            let x = arrays::read_input(&self.input).map_err(|e| at(&one_line(&e), &self.input))?;
            let x = self
                .rows(model, x)
                .map_err(|error| at(&error, &self.input))?;
            return Ok(Batch {
                x,
                photos: None,
                left_out: Vec::new(),
            });
        };
        let count = self
            .batch
            .map_or(32, |n| usize::try_from(n).unwrap_or(usize::MAX));
        let indices = batch_of(set, None, count, self.seed);
        let input = photo_input(&model.graph, semantics);
        input.check(set).map_err(|error| at(&error, &self.input))?;
        check_batch(indices.len(), &input).map_err(|error| at(&error, &self.input))?;
        let mut images: Vec<Arc<Image>> = Vec::new();
        let (mut photos, mut left_out) = (Vec::new(), Vec::new());
        for (index, image) in batch::load(set, &indices, &input, &|_| true) {
            match image {
                Ok(image) => {
                    images.push(Arc::new(image));
                    photos.push(set.photos[index].name.clone());
                }
                Err(error) => left_out.push(error.to_string()),
            }
        }
        if images.is_empty() {
            return Err(at(&"none of the photos can be read", &self.input));
        }
        let input_hwc = model.graph.input_hwc;
        let images = augmented(
            images,
            pipeline.as_ref(),
            input_hwc,
            semantics,
            [self.seed, 0],
        )
        .map_err(|error| at(&error, &self.input))?;
        let x = tensor_of(&images, model.preprocessing).map_err(|error| at(&error, &self.input))?;
        Ok(Batch {
            x,
            photos: Some(photos),
            left_out,
        })
    }

    /// Takes the rows of an array. For a PyTorch model, `[N, C, H, W]` is accepted too.
    fn rows(&self, model: &Model, x: Tensor) -> candle_core::Result<Tensor> {
        let x = match (model.semantics, x.dims(), model.graph.input_hwc[2]) {
            (Semantics::PyTorch, &[_, c, _, last], Some(want)) if c == want && last != want => {
                x.permute((0, 2, 3, 1))?.contiguous()?
            }
            // A network that takes images without an axis for their one channel.
            (_, &[_, _, _], Some(1)) => x.unsqueeze(3)?,
            _ => x,
        };
        match self.batch {
            Some(n) if x.rank() > 0 => {
                let rows = usize::try_from(n).unwrap_or(usize::MAX).min(x.dim(0)?);
                x.narrow(0, 0, rows)?.contiguous()
            }
            _ => Ok(x),
        }
    }
}

/// What goes through the model.
struct Batch {
    /// `[N, H, W, C]`.
    x: Tensor,
    /// The names of the photos, row by row; `None` for an array.
    photos: Option<Vec<String>>,
    /// Why photos of the batch could not be read.
    left_out: Vec<String>,
}

/// The arrays of the output file: channels last for Keras, channels first for PyTorch.
fn arrays_of(
    model: &Model,
    pass: &Pass,
    taps: &[(String, LayerId)],
) -> candle_core::Result<Vec<(String, NamedArray)>> {
    let graph = &model.graph;
    let layout = |tensor: &Tensor, node: NodeId| match graph.layouts.get(&node) {
        Some(axes) if axes.len() == tensor.rank() => tensor.permute(axes.as_slice())?.contiguous(),
        Some(_) | None => match (model.semantics, tensor.rank()) {
            (Semantics::PyTorch, 4) => tensor.permute((0, 3, 1, 2))?.contiguous(),
            _ => tensor.contiguous(),
        },
    };
    let vector = |values: &[f32]| Tensor::new(values, &candle_core::Device::Cpu);
    let mut arrays = vec![("y".to_owned(), layout(&pass.output, graph.output)?)];
    for (name, id) in taps {
        // Of several calls, the last is kept.
        let node = graph.nodes.iter().rposition(|node| node.layer == *id);
        if let (Some(tap), Some(node)) = (pass.taps.get(id), node) {
            arrays.push((format!("tap/{name}"), layout(&tap.output, node)?));
        }
    }
    for (&id, done) in &pass.batch_norm {
        let name = model.graph.unique_name(id);
        let key = |what: &str| format!("bn/{name}/{what}");
        if let Some(batch) = &done.batch {
            arrays.push((key("batch_mean"), vector(&batch.mean)?));
            arrays.push((key("batch_variance"), vector(&batch.variance)?));
        }
        arrays.push((key("mean"), vector(&done.next.mean)?));
        arrays.push((key("variance"), vector(&done.next.variance)?));
    }
    let mut seen = std::collections::BTreeSet::new();
    arrays.retain(|(name, _)| seen.insert(name.clone()));
    let numbers = |(name, tensor)| (name, NamedArray::Numbers(tensor));
    Ok(arrays.into_iter().map(numbers).collect())
}

/// An error with its causes.
fn one_line(error: &anyhow::Error) -> String {
    format!("{error:#}")
}
/// Warns of outputs that are infinite or not a number, which a comparison would take for agreement.
fn warn_of_odd_numbers(output: &Tensor) -> candle_core::Result<()> {
    let values = output.flatten_all()?.to_vec1::<f32>()?;
    let odd = values.iter().filter(|value| !value.is_finite()).count();
    if odd > 0 {
        terminal::warn(format!(
            "{odd} of {} output values are not finite numbers",
            values.len()
        ));
    }
    Ok(())
}
