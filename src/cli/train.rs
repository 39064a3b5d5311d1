//! `modelens train`: trains on photos and writes one row per optimizer step.

pub mod output;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use self::output::Bar;
use super::outputs::Outputs;
use super::{Failure, Reading, at_path, seed, terminal, trainable};
use crate::dataset::Photos;
use crate::formats::ending_of;
use crate::lesson::{Named, Recorded};
use crate::model::{Mode, Model, Semantics};
use crate::settings::MAX_SEEDS;
use crate::train::network::{Network, TrainError};
use crate::train::optimizer::OptimizerKind;
use crate::train::ranking::{self, Ranking, RunResults};
use crate::train::recipe::{
    BATCH, BaseCall, BaseFlags, EPOCHS, EvalCalls, RATE, Recipe, RunPreset, StageRecipe,
};
use crate::train::rows::{HEADER, row};
use crate::train::summary::Summary;
use crate::train::trainer::Trainer;
use crate::words::common::sentence_case;
use modelens_jobs::fine_tune::{FineTune, HeadChoice, Prepared};
use modelens_jobs::{
    ModelSource, PhotosSource, Replace, can_save_network, is_same_file, save_network, write_whole,
};

/// Trains a base on photos and writes one row per optimizer step.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
#[derive(Debug, clap::Args)]
pub struct TrainArgs {
    /// A Keras .h5 or .keras file, a .safetensors file, or the name of a bundled base.
    model: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    /// A folder or archive with one folder of photos per class, or `bundled`.
    #[arg(long, value_name = "DIR")]
    photos: PathBuf,
    /// The head of the file, or a new one for the classes of the photos.
    #[arg(long, default_value = "new")]
    head: CliHead,
    /// The dropout rate of a new head.
    #[arg(long, value_name = "RATE", default_value_t = 0.2, allow_negative_numbers = true, value_parser = fraction)]
    dropout: f64,
    /// For two classes: one output with a sigmoid instead of two outputs with a softmax.
    #[arg(long)]
    sigmoid: bool,
    #[arg(long, default_value = "adam", value_parser = super::word::parser::<OptimizerKind>())]
    optimizer: Named<OptimizerKind>,
    /// The momentum of sgd.
    #[arg(long, default_value_t = 0.9, allow_negative_numbers = true, value_parser = fraction)]
    momentum: f64,
    /// The learning rate.
    #[arg(long, default_value_t = RATE, allow_negative_numbers = true, value_parser = rate)]
    rate: f64,
    /// The number of photos in a step.
    #[arg(long, value_name = "N", default_value_t = BATCH as u64, allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..=65_536))]
    batch: u64,
    /// The number of epochs; with --preset, of each stage.
    #[arg(long, value_name = "N", default_value_t = EPOCHS as u64, allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    epochs: u64,
    /// The fraction of the photos to validate on (default 0.2), split as image_dataset_from_directory
    /// splits. Folders such as train and validation are a split of their own.
    #[arg(long, value_name = "PART", allow_negative_numbers = true, value_parser = fraction)]
    validation_split: Option<f64>,
    /// The seed of the split, the new head and every random draw.
    #[arg(long, default_value_t = 7, allow_negative_numbers = true, value_parser = seed)]
    seed: u64,
    /// Run this many seeds, from --seed on; the summary gives the range over them.
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "save", allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..=MAX_SEEDS as u64))]
    seeds: u64,
    /// The framework whose rules hold; auto: the one that wrote the file.
    #[arg(long, value_name = "RULES", default_value = "auto", value_parser = super::word::parser::<Option<Semantics>>())]
    semantics: Named<Option<Semantics>>,
    /// The training= value that the loop passes to the model; fit passes true.
    #[arg(long, value_name = "VALUE", default_value_t = true, action = clap::ArgAction::Set)]
    training: bool,
    /// The training= value recorded at the call of the base; in PyTorch, base.train() or base.eval().
    #[arg(long, value_name = "VALUE", default_value = "file", value_parser = super::word::parser::<Recorded>())]
    recorded: Named<Recorded>,
    /// PyTorch: .eval() and .train() of single modules, from left to right, such as
    /// base.eval,layer4.train. A name is a module's, or base, batchnorm, dropout.
    #[arg(long, value_name = "CALLS", default_value = "")]
    modules: String,
    /// PyTorch: where the loop makes these calls, or base.eval if there are none (default each-epoch).
    /// It calls model.train() at the start of each epoch, which undoes a call before the loop.
    #[arg(long, value_name = "WHERE", value_parser = super::word::parser::<EvalCalls>())]
    eval_calls: Option<Named<EvalCalls>>,
    /// The trainable flags of the base: file, all, none, from:N, -NAME, +NAME. A new head is always
    /// trainable. The default is none with a new head and file with the head of the file.
    #[arg(long, value_name = "FLAGS", allow_hyphen_values = true)]
    trainable: Option<String>,
    /// Sends photos through these layers in training, such as
    /// RandomFlip:horizontal,RandomRotation:0.2.
    #[arg(long, value_name = "LAYERS")]
    augment: Option<String>,
    /// Several runs to compare; they set --trainable and --recorded themselves.
    #[arg(long, conflicts_with_all = ["trainable", "recorded", "modules", "save"], value_parser = super::word::parser::<RunPreset>())]
    preset: Option<Named<RunPreset>>,
    /// The file of the rows.
    #[arg(long, value_name = "RUN.csv")]
    out: PathBuf,
    /// Also write how far each layer moved, one row per layer.
    #[arg(long, value_name = "LAYERS.csv")]
    movement: Option<PathBuf>,
    /// Also write the trained model: .h5 or .keras for a Keras model, .safetensors for a PyTorch model.
    #[arg(long, value_name = "OUT")]
    save: Option<PathBuf>,
    /// Let --save replace an existing model and its class names.
    #[arg(long)]
    force: bool,
    /// Make the folders of the outputs if they do not exist.
    #[arg(long)]
    make_folders: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CliHead {
    Own,
    New,
}

fn fraction(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..1.0).contains(&value) {
        Ok(value)
    } else {
        Err("must be within [0, 1)".to_owned())
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if value > 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err("must be above 0".to_owned())
    }
}

impl TrainArgs {
    /// Trains and writes the files.
    ///
    /// # Errors
    /// Unusable arguments, and files that cannot be read or written.
    pub fn run(&self) -> Result<(), Failure> {
        let source = self.reading.source(self.model.as_deref());
        let photos = self.photos_source();
        self.check_outputs(&source, &photos)?;
        let mut model = self.reading.open(self.model.as_deref())?;
        terminal::introduce(&model);
        if let Some(path) = &self.save {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            ending_of(model.format, &name)
                .map_err(|error| Failure::Usage(format!("--save: {error}: {}", path.display())))?;
        }
        let photos: Photos = Arc::new(photos.open().map_err(|e| Failure::File(e.to_string()))?);
        terminal::introduce_photos(&photos);
        self.reading.choose_scale(&mut model, &photos);
        if self.validation_split.is_some() && photos.own_split().is_some() {
            terminal::warn("--validation-split is not used: the folders of the photos are a split");
        }
        let setup = self.setup(&model)?;
        let network = Arc::new(setup.network(&model, &photos).map_err(failed)?);
        if let Some(path) = &self.save {
            can_save_network(&source, &network, path)
                .map_err(|error| Failure::File(format!("--save: {error}: {}", path.display())))?;
        }
        let recipes = self.recipes(&network, setup.semantics)?;
        let mut written = Written {
            rows: String::from(HEADER),
            moved: String::from("run,layer,weights_moved,statistics_moved\n"),
            results: vec![Vec::new(); recipes.len()],
        };
        let mut bar = None;
        for number in 0..usize::try_from(self.seeds).unwrap_or(MAX_SEEDS) {
            let setup = setup.with_seed(number);
            // A new head begins with other weights.
            let network = if number == 0 {
                Arc::clone(&network)
            } else {
                Arc::new(setup.network(&model, &photos).map_err(failed)?)
            };
            let prepared = setup.prepare(network, &photos, &|_, _| (), &|| true);
            let mut prepared = prepared.map_err(failed)?;
            for note in prepared.notes.iter().filter(|_| number == 0) {
                terminal::warn(note);
            }
            let bar = bar.get_or_insert_with(|| {
                let plans = recipes
                    .iter()
                    .map(|r| r.plan(&prepared.network, &prepared.common));
                let steps: usize = plans.map(|plan| plan.steps()).sum();
                Bar::new(steps * usize::try_from(self.seeds).unwrap_or(MAX_SEEDS))
            });
            for (run, recipe) in recipes.iter().enumerate() {
                let done = self.one(&source, recipe, &mut prepared, bar, &mut written);
                // The rows so far are written even if the run failed.
                write_text(&self.out, &written.rows)?;
                written.results[run].extend(done?);
            }
        }
        if let Some(bar) = &bar {
            bar.end();
        }
        if let Some(path) = &self.movement {
            write_text(path, &written.moved)?;
        }
        terminal::print(&written.told(&recipes, setup.batch).join("\n"))
    }

    fn photos_source(&self) -> PhotosSource {
        if self.photos.as_os_str() == "bundled" && !self.photos.exists() {
            PhotosSource::Bundled
        } else {
            PhotosSource::Folder(self.photos.clone())
        }
    }

    /// Refuses files that cannot be written, before anything is read or computed.
    fn check_outputs(&self, source: &ModelSource, photos: &PhotosSource) -> Result<(), Failure> {
        let mut outputs = Outputs::new(self.make_folders);
        outputs.writes("--out", &self.out, &["csv"])?;
        if let Some(path) = &self.movement {
            outputs.writes("--movement", path, &["csv"])?;
        }
        if let Some(path) = &self.save {
            self.may_save(source, path)?;
            // With --force they may replace even the model that is read.
            outputs.replaces("--save", path);
            let labels = path.with_extension("labels.txt");
            outputs.replaces("the class names of --save", &labels);
        }
        outputs.reads_model(source);
        outputs.reads_photos(photos);
        outputs.check()
    }

    fn setup(&self, model: &Model) -> Result<FineTune, Failure> {
        let augment = self.augment.as_deref().map(super::augment::pipeline);
        let preset = self.preset.map(|preset| preset.0);
        Ok(FineTune {
            preprocessing: model.preprocessing,
            head: match self.head {
                CliHead::Own => HeadChoice::Own,
                CliHead::New => HeadChoice::New {
                    dropout: self.dropout,
                    sigmoid: self.sigmoid,
                },
            },
            optimizer: match self.optimizer.0 {
                OptimizerKind::Sgd { .. } => OptimizerKind::Sgd {
                    momentum: self.momentum as f32,
                },
                kind @ (OptimizerKind::RmsProp | OptimizerKind::Adam | OptimizerKind::AdamW) => {
                    kind
                }
            },
            batch: preset
                .and_then(RunPreset::batch)
                .unwrap_or(usize::try_from(self.batch).unwrap_or(usize::MAX)),
            validation: self.validation_split.unwrap_or(0.2),
            seed: self.seed,
            semantics: self.semantics.0.unwrap_or(model.semantics),
            augment: augment.transpose()?,
        })
    }

    fn recipes(&self, network: &Network, semantics: Semantics) -> Result<Vec<Recipe>, Failure> {
        let epochs = usize::try_from(self.epochs).unwrap_or(usize::MAX);
        let evals = self.eval_calls.map(|evals| evals.0);
        if evals.is_some() && semantics != Semantics::PyTorch {
            let why = "--eval-calls: Keras has no .eval(); use --recorded, or --semantics pytorch";
            return Err(Failure::Usage(why.to_owned()));
        }
        if let Some(Named(preset)) = self.preset {
            if !preset.suits(semantics) {
                let why = format!(
                    "--preset {}: its runs differ in PyTorch only; use --semantics pytorch",
                    preset.id()
                );
                return Err(Failure::Usage(why));
            }
            return Ok(preset.recipes(epochs, self.rate, evals.unwrap_or_default()));
        }
        let absent = match self.head {
            CliHead::New => "none",
            CliHead::Own => "file",
        };
        let spec = self.trainable.as_deref().unwrap_or(absent);
        let mut flags = trainable::flags(&network.model, spec, semantics)?;
        let says_where = evals.is_some() && self.recorded.0 == Recorded::File;
        let calls = match (self.modules.as_str(), says_where) {
            ("", true) => "base.eval",
            (calls, _) => calls,
        };
        flags.modules = trainable::modules(&network.model, calls, semantics)?;
        let mode = if self.training {
            Mode::Training
        } else {
            Mode::Inference
        };
        Ok(vec![Recipe {
            name: "run".to_owned(),
            stages: vec![StageRecipe {
                epochs,
                rate: self.rate,
                base: BaseFlags::Given(flags),
                call: match self.recorded.0 {
                    Recorded::File => BaseCall::AsFile,
                    Recorded::Value(value) => BaseCall::Given(value),
                },
            }],
            outer: mode.into(),
            evals: evals.unwrap_or_default(),
        }])
    }

    /// Runs one recipe to its end and prints its summary.
    fn one(
        &self,
        source: &ModelSource,
        recipe: &Recipe,
        prepared: &mut Prepared,
        bar: &mut Bar,
        written: &mut Written,
    ) -> Result<Option<Summary>, Failure> {
        let plan = recipe.plan(&prepared.network, &prepared.common);
        let trainer = Trainer::new(Arc::clone(&prepared.network), plan);
        let mut trainer = trainer.map_err(failed)?;
        let mut steps = Vec::new();
        let mut saved = Instant::now();
        while let Some(step) = trainer
            .advance(&mut prepared.photos, &|| true)
            .map_err(failed)?
        {
            row(
                &mut written.rows,
                &recipe.name,
                prepared.common.seed,
                &step,
                &prepared.network.in_head,
            );
            bar.tell(&step);
            // A run that is interrupted keeps the rows and the weights of a recent epoch.
            if step.end.is_some() && (trainer.is_done() || saved.elapsed() > SAVE_EVERY) {
                write_text(&self.out, &written.rows)?;
                self.save(source, &trainer)?;
                saved = Instant::now();
            }
            steps.push(step);
        }
        let last = steps.iter().rev().find_map(|s| s.end.as_ref());
        // The movement of the layers is that of the first seed.
        let last = last.filter(|_| prepared.common.seed == self.seed);
        for movement in last.iter().flat_map(|end| &end.movement) {
            let layer = prepared.network.model.graph.unique_name(movement.layer);
            let name = &recipe.name;
            let number = |n: Option<f64>| n.map_or_else(String::new, |n| format!("{}", n as f32));
            let (weights, statistics) = (number(movement.weights), number(movement.statistics));
            // Writing to a string cannot fail.
            let _ = writeln!(
                written.moved,
                "\"{name}\",\"{layer}\",{weights},{statistics}"
            );
        }
        Ok(Summary::of(&trainer, &steps))
    }

    fn save(&self, source: &ModelSource, trainer: &Trainer) -> Result<(), Failure> {
        let Some(path) = &self.save else {
            return Ok(());
        };
        save_network(
            source,
            trainer.network(),
            trainer.weights(),
            path,
            if self.force {
                Replace::Everything
            } else {
                Replace::Model
            },
        )
        .map_err(|error| {
            Failure::File(format!(
                "the model was not saved: {error}: {}",
                path.display()
            ))
        })
    }

    /// Checks that --save replaces nothing that the user did not agree to lose.
    fn may_save(&self, source: &ModelSource, path: &Path) -> Result<(), Failure> {
        if self.force {
            return Ok(());
        }
        if source.path().is_some_and(|model| is_same_file(path, model)) {
            let why = "--save would replace the file that the model comes from; --force allows it";
            return Err(Failure::Usage(why.into()));
        }
        // The class names of the new head are written beside the model.
        for path in [path.to_owned(), path.with_extension("labels.txt")] {
            if path.exists() {
                let path = path.display();
                let why = format!("--save: the file exists; --force replaces it: {path}");
                return Err(Failure::Usage(why));
            }
        }
        Ok(())
    }
}

/// The shortest time between two saves before the end.
const SAVE_EVERY: Duration = Duration::from_secs(10);

/// The text of the files, as far as the runs have got.
struct Written {
    rows: String,
    moved: String,
    /// What each run came to, for each seed.
    results: Vec<Vec<Summary>>,
}

impl Written {
    /// A line for each run, and below them which is best and why, for standard output.
    fn told(&self, recipes: &[Recipe], batch: usize) -> Vec<String> {
        let runs = recipes.iter().zip(&self.results);
        let mut lines: Vec<String> = runs
            .clone()
            .filter_map(|(recipe, seeds)| {
                let sentences = seeds.first()?.sentences().join(" ");
                let spread = ranking::spread(seeds).map_or(String::new(), |s| format!(" {s}"));
                Some(format!("{}: {sentences}{spread}", recipe.name))
            })
            .collect();
        let results: Vec<RunResults<'_>> = runs
            .map(|(recipe, seeds)| RunResults {
                name: &recipe.name,
                seeds: seeds.iter().collect(),
            })
            .collect();
        if let Some(ranking) = Ranking::of(&results, batch) {
            lines.push(ranking.in_words());
            lines.push(format!("{}.", sentence_case(&ranking.verdict())));
        }
        lines.iter().map(|line| terminal::printable(line)).collect()
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn failed(error: TrainError) -> Failure {
    Failure::File(error.to_string())
}

fn write_text(path: &Path, text: &str) -> Result<(), Failure> {
    write_whole(path, text.as_bytes())
        .map_err(|error| at_path(&format!("the result was not written ({error})"), path))
}
