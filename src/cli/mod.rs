//! The command line. Every command runs the same jobs as the window.

pub mod arrays;
mod augment;
mod bench;
pub mod figure;
mod inspect;
mod run;
mod train;
pub mod trainable;

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand, ValueEnum};

use crate::lesson::Word as _;
use crate::model::{Model, Preprocessing, Semantics};
use crate::worker::PhotosSource;
use crate::worker::{ModelSource, OpenFailed};

/// Shows side by side what training=True and training=False do inside a pretrained network.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The base to open: a Keras .h5 or .keras file, a PyTorch state dict (.safetensors, .pth, .pt), an
    /// .onnx file, or the name of a bundled base (dog_breeds_mobilenetv2, efficientnet_lite0). Absent:
    /// dog_breeds_mobilenetv2. A .toml file is opened as a lesson.
    pub model: Option<PathBuf>,
    /// The network that a file of weights alone belongs to: NAME or NAME:SIDE, such as
    /// MobileNetV2:160 (the name of a function in keras.applications, and the size of its photos).
    #[arg(long, value_name = "NAME[:SIDE]")]
    pub architecture: Option<String>,
    /// A folder of class folders with photos. Absent: the bundled photos.
    pub photos: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists what a model file holds.
    Inspect(inspect::Inspect),
    /// Runs photos or an array through a model in one mode and writes the results.
    Run(run::Run),
    /// Draws a view as SVG or PNG.
    Figure(Box<figure::Figure>),
    /// Trains a base on photos and writes what every step did.
    Train(train::Train),
    /// Times the program's own work on this machine.
    Bench(bench::Bench),
}

/// Why a command ends without a result.
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

    /// The cause on one line.
    pub fn line(&self) -> String {
        let (Self::Usage(text) | Self::File(text)) = self;
        let parts: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .collect();
        parts.join(" ")
    }
}

impl From<OpenFailed> for Failure {
    fn from(error: OpenFailed) -> Self {
        Self::File(error.to_string())
    }
}

impl Command {
    /// Runs the command; what it reports goes to standard output.
    pub fn run(&self) -> Result<(), Failure> {
        match self {
            Self::Inspect(command) => command.run(),
            Self::Run(command) => command.run(),
            Self::Figure(command) => command.run(),
            Self::Train(command) => command.run(),
            Self::Bench(command) => command.run(),
        }
    }
}

/// The rules to follow, as on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Rules {
    /// By the file.
    Auto,
    Keras2,
    Keras3,
    Pytorch,
}

impl Rules {
    fn semantics(self, of_file: Semantics) -> Semantics {
        match self {
            Self::Auto => of_file,
            Self::Keras2 => Semantics::Keras2,
            Self::Keras3 => Semantics::Keras3,
            Self::Pytorch => Semantics::PyTorch,
        }
    }
}

/// The model an argument names. A file of the same name comes before a bundled base.
pub fn model_source(argument: Option<&Path>) -> ModelSource {
    match argument {
        None => ModelSource::DogBreeds,
        Some(path) if path.exists() => ModelSource::File(path.to_owned()),
        Some(path) if path == Path::new("dog_breeds_mobilenetv2") => ModelSource::DogBreeds,
        Some(path) if path == Path::new("efficientnet_lite0") => ModelSource::EfficientNetLite0,
        Some(path) => ModelSource::File(path.to_owned()),
    }
}

/// How a command reads its model.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Reading {
    /// The network that a file of weights alone belongs to: NAME or NAME:SIDE, such as
    /// MobileNetV2:160 (the name of a function in keras.applications, and the size of its photos).
    #[arg(long, value_name = "NAME[:SIDE]")]
    pub architecture: Option<String>,
    /// What photos (0 to 255) become before the first layer: auto (by the architecture), raw,
    /// minus-one-to-one, lite, zero-to-one, imagenet or bgr-mean.
    #[arg(long, value_name = "SCALE", default_value = "auto", value_parser = scale)]
    pub preprocess: Scale,
}

/// A choice of preprocessing; `None` leaves it to the architecture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scale(pub Option<Preprocessing>);

fn scale(text: &str) -> Result<Scale, String> {
    if text == "auto" {
        return Ok(Scale(None));
    }
    let all = Preprocessing::all();
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    let found = all.iter().find(|(name, _)| name == text);
    let found = found.map(|(_, scale)| Scale(Some(*scale)));
    found.ok_or_else(|| format!("one of auto, {}", names.join(", ")))
}

impl Reading {
    /// The model an argument names.
    pub fn source(&self, argument: Option<&Path>) -> ModelSource {
        with_architecture(model_source(argument), self.architecture.as_deref())
    }

    /// Reads the model, with the preprocessing that was chosen.
    pub fn open(&self, argument: Option<&Path>) -> Result<Model, Failure> {
        let mut model = self.source(argument).open()?;
        model.preprocessing = self.preprocess.0.unwrap_or(model.preprocessing);
        Ok(model)
    }
}

/// A file of weights belongs to this network; bundled bases know theirs.
pub fn with_architecture(source: ModelSource, architecture: Option<&str>) -> ModelSource {
    match (source, architecture) {
        (ModelSource::File(path), Some(name)) => ModelSource::Weights {
            path,
            architecture: name.to_owned(),
        },
        (source, _) => source,
    }
}

/// The photos an argument names.
pub fn photos_source(argument: Option<&Path>) -> PhotosSource {
    argument.map_or(PhotosSource::Bundled, |path| {
        PhotosSource::Folder(path.to_owned())
    })
}
