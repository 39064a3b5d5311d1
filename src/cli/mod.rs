//! The command line: one file or folder per command. Every command runs the same jobs as the window.

pub mod arrays;
mod augment;
mod bench;
mod bundled;
mod completions;
pub mod figure;
mod handout;
mod inspect;
mod link;
mod manual;
mod outputs;
mod run;
pub mod terminal;
mod train;
pub mod trainable;
mod word;

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};

use crate::dataset::PhotoSet;
use crate::formats;
use crate::lesson::Named;
use crate::model::{Model, Preprocessing};
use modelens_jobs::PhotosSource;
use modelens_jobs::{ModelSource, OpenFailed};

/// What the help says of an argument that names a model.
fn model_help() -> String {
    format!(
        "A model file ({}), or the name of a bundled base",
        formats::supported()
    )
}

/// Shows side by side what training=True and training=False do inside a pretrained network.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<CliCommand>,
    #[arg(help = format!(
        "{} (lab_mobilenetv2, efficientnet_lite0). The default is lab_mobilenetv2. \
         A .toml file is opened as a lesson",
        model_help()
    ))]
    pub model: Option<PathBuf>,
    /// The network of a file that does not tell it. Of Keras weights: a function of keras.applications
    /// and the side of its photos in pixels, such as MobileNetV2:160. Of a PyTorch state dict: the name
    /// in torchvision or timm and options for what shapes do not tell, such as tf_efficientnet_b0 or
    /// resnet18:cifar (also imagenet, stride1-pool, stride2-nopool, os16, os8). Or the file of a Keras
    /// model's configuration, such as model.json.
    #[arg(long, value_name = "NAME[:OPTION]")]
    pub architecture: Option<String>,
    /// Which of several sets of weights in a PyTorch file to take: ema (the moving average, the
    /// default), raw, or the key under which they are.
    #[arg(long, value_name = "SET")]
    pub weights: Option<String>,
    /// Which of several outputs of the network to show. The default is the first.
    #[arg(long, value_name = "OUTPUT")]
    pub output: Option<String>,
    /// The address of a page with this program: Copy link writes its links with it.
    #[arg(long, value_name = "ADDRESS")]
    pub page: Option<String>,
    /// A folder with one folder of photos per class. The default is the bundled photos.
    pub photos: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum CliCommand {
    /// Lists what a model file holds.
    Inspect(inspect::InspectArgs),
    /// Runs photos or an array through a model in one mode and writes the results.
    Run(run::RunArgs),
    /// Draws a view as SVG, PNG or PDF, or its animation.
    Figure(Box<figure::FigureArgs>),
    /// Writes a whole lesson with its figures as HTML or PDF.
    Handout(handout::HandoutArgs),
    /// Trains a base on photos and writes what every step did.
    Train(train::TrainArgs),
    /// Times the program's own work on this machine.
    Bench(bench::BenchArgs),
    /// Checks a link to a state.
    Link(link::LinkArgs),
    /// Writes a bundled network to a file.
    Bundled(bundled::BundledArgs),
    /// Prints what a shell needs to complete commands and options.
    Completions(completions::CompletionsArgs),
    /// Writes the manual pages.
    Manual(manual::ManualArgs),
}

/// Why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// Unusable arguments: exit status 2.
    Usage(String),
    /// A file that cannot be read or written: exit status 1.
    File(String),
}

impl Failure {
    /// The exit status.
    pub fn status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::File(_) => 1,
        }
    }

    /// The message on one line, without its exit status.
    pub fn line(&self) -> String {
        let (Self::Usage(text) | Self::File(text)) = self;
        let parts: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .collect();
        terminal::printable(&parts.join(" "))
    }
}

/// The failure of a file: the cause first, the path last.
pub fn at_path(cause: &dyn std::fmt::Display, path: &Path) -> Failure {
    Failure::File(format!("{cause}: {}", path.display()))
}

impl From<OpenFailed> for Failure {
    fn from(error: OpenFailed) -> Self {
        Self::File(error.to_string())
    }
}

impl CliCommand {
    /// Runs the command; what it reports goes to standard output.
    pub fn run(&self) -> Result<(), Failure> {
        match self {
            Self::Inspect(command) => command.run(),
            Self::Run(command) => command.run(),
            Self::Figure(command) => command.run(),
            Self::Handout(command) => command.run(),
            Self::Train(command) => command.run(),
            Self::Bench(command) => command.run(),
            Self::Link(command) => command.run(),
            Self::Bundled(command) => command.run(),
            Self::Completions(command) => command.run(),
            Self::Manual(command) => command.run(),
        }
    }
}

/// The model that an argument names. A file takes precedence over a bundled base of the same name.
pub fn model_source(argument: Option<&Path>) -> ModelSource {
    match argument {
        None => ModelSource::Lab,
        Some(path) if path.exists() => ModelSource::File(path.to_owned()),
        Some(path) if path == Path::new("lab_mobilenetv2") => ModelSource::Lab,
        Some(path) if path == Path::new("efficientnet_lite0") => ModelSource::EfficientNetLite0,
        Some(path) => ModelSource::File(path.to_owned()),
    }
}

/// The options of how a command reads its model.
#[derive(Clone, Debug, clap::Args)]
pub struct Reading {
    /// The network of a file that does not tell it. Of Keras weights: a function of keras.applications
    /// and the side of its photos in pixels, such as MobileNetV2:160. Of a PyTorch state dict: the name
    /// in torchvision or timm and options for what shapes do not tell, such as tf_efficientnet_b0 or
    /// resnet18:cifar (also imagenet, stride1-pool, stride2-nopool, os16, os8). Or the file of a Keras
    /// model's configuration, such as model.json.
    #[arg(long, value_name = "NAME[:OPTION]")]
    pub architecture: Option<String>,
    /// Which of several sets of weights in a PyTorch file to take: ema (the moving average, the
    /// default), raw, or the key under which they are.
    #[arg(long, value_name = "SET")]
    pub weights: Option<String>,
    /// Which of several outputs of the network to show. The default is the first.
    #[arg(long, value_name = "OUTPUT")]
    pub output: Option<String>,
    /// How photos (0 to 255) are scaled for the first layer: auto (by the architecture), raw,
    /// minus-one-to-one, lite, zero-to-one, imagenet or bgr-mean.
    #[arg(long, value_name = "SCALE", default_value = "auto", value_parser = word::parser::<Option<Preprocessing>>())]
    pub preprocess: Named<Option<Preprocessing>>,
}

impl Reading {
    /// The model that an argument names.
    pub fn source(&self, argument: Option<&Path>) -> ModelSource {
        chosen(
            model_source(argument),
            self.architecture.as_deref(),
            self.weights.as_deref(),
            self.output.as_deref(),
        )
    }

    /// Opens the model, with the chosen preprocessing.
    ///
    /// # Errors
    /// The model cannot be opened.
    pub fn open(&self, argument: Option<&Path>) -> Result<Model, Failure> {
        let mut model = self.source(argument).open()?;
        if let Some(chosen) = self.preprocess.0 {
            model.preprocessing = chosen;
            model.scale_unknown = false;
        }
        Ok(model)
    }

    /// Takes the scale that the evidence is for, if nothing tells it, and says so.
    pub fn choose_scale(&self, model: &mut Model, photos: &PhotoSet) {
        if photos.as_given && self.preprocess.0.is_none() {
            model.preprocessing = Preprocessing::Raw;
            model.scale_unknown = false;
        }
        if !model.scale_unknown {
            return;
        }
        if let Some(report) = modelens_jobs::try_scales(model, photos) {
            let sentence = report.sentence(model);
            terminal::warn(format!("{sentence}; set it with --preprocess"));
            report
                .predictions(&model.labels)
                .iter()
                .for_each(terminal::note);
            model.preprocessing = report.best;
        }
    }
}

/// Names the network of a file that does not tell it, which of its sets of weights to take, and which of
/// its outputs to show; a bundled base stays as it is.
pub fn chosen(
    source: ModelSource,
    architecture: Option<&str>,
    weights: Option<&str>,
    output: Option<&str>,
) -> ModelSource {
    let options = [("weights", weights), ("output", output)];
    let mut options = options
        .into_iter()
        .filter_map(|(key, value)| Some(format!("{key}={}", value?)))
        .peekable();
    if architecture.is_none() && options.peek().is_none() {
        return source;
    }
    let mut architecture = architecture.unwrap_or("auto").to_owned();
    for option in options {
        let mark = if architecture.contains(':') { ',' } else { ':' };
        architecture.push(mark);
        architecture.push_str(&option);
    }
    match source {
        ModelSource::File(path) => ModelSource::Weights { path, architecture },
        bundled => bundled,
    }
}

/// The value of `--seed`.
fn seed(text: &str) -> Result<u64, String> {
    let whole = "a seed is a whole number from 0 to 18446744073709551615";
    text.parse().map_err(|_| whole.to_owned())
}

/// The photos that an argument names; the bundled ones without it.
pub fn photos_source(argument: Option<&Path>) -> PhotosSource {
    argument.map_or(PhotosSource::Bundled, |path| {
        PhotosSource::Folder(path.to_owned())
    })
}
