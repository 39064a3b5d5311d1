//! The arguments of `modelens figure`.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, ValueEnum};

use crate::cli::word::parser;
use crate::cli::{Failure, Reading, seed};
use crate::figure::{LARGEST, What};
use crate::lesson::{Named, Recorded};
use crate::model::{Mode, Semantics};
use crate::state::{MAX_BATCH, MAX_EPOCHS, MAX_SEEDS, Part, View};
use crate::train::recipe::{EvalCalls, RunPreset};
use egui_svg::{Width, png};

/// The options that the steps of a lesson set.
const OF_STEPS: [&str; 20] = [
    "view",
    "model",
    "input",
    "trainable",
    "recorded",
    "rebuilt",
    "modules",
    "augment",
    "no_random",
    "seed",
    "batch",
    "layer",
    "channel",
    "compare_norms",
    "photo",
    "preset",
    "eval_calls",
    "epochs",
    "seeds",
    "rate",
];

/// Draws a view as SVG or PNG, without a window or a GPU. The same command writes the same bytes.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("many").args(["all", "from"])))]
pub struct FigureArgs {
    #[arg(help = format!("The view: {}. With --all, the model", View::ALL.map(View::id).join(", ")))]
    pub view: Option<String>,
    #[arg(help = crate::cli::model_help())]
    pub model: Option<PathBuf>,
    #[command(flatten)]
    pub reading: Reading,
    /// The file to write, ending in .svg or .png. With --from, the folder.
    #[arg(long, value_name = "FIG.svg|FIG.png|DIR")]
    pub out: Option<PathBuf>,
    /// Draw every view except finetune into this folder.
    #[arg(long, value_name = "DIR")]
    pub all: Option<PathBuf>,
    /// Draw every step of a lesson into the folder --out: a .toml file, or the name of a bundled
    /// lesson, such as why-specify-twice. The steps decide what is shown; --semantics shows them
    /// under other rules.
    #[arg(long, value_name = "LESSON", conflicts_with_all = OF_STEPS)]
    pub from: Option<PathBuf>,
    /// The format of the files of --all and --from.
    #[arg(long, value_name = "FORMAT", requires = "many")]
    pub format: Option<Format>,
    /// A folder or file of photos. The default is the bundled photos.
    #[arg(long, value_name = "X")]
    pub input: Option<PathBuf>,
    /// The framework whose rules hold; auto: the one that wrote the file.
    #[arg(long, value_name = "RULES", default_value = "auto", value_parser = parser::<Option<Semantics>>())]
    pub semantics: Named<Option<Semantics>>,
    /// The trainable flags, applied from left to right: file, all, none, from:N, -NAME (freezes),
    /// +NAME (unfreezes).
    #[arg(
        long,
        value_name = "FLAGS",
        default_value = "file",
        allow_hyphen_values = true
    )]
    pub trainable: String,
    /// The training= value recorded at the call of the nested base.
    #[arg(long, value_name = "VALUE", default_value = "file", value_parser = parser::<Recorded>())]
    pub recorded: Named<Recorded>,
    /// PyTorch: .eval() and .train() of single modules after the outer call, from left to right, such as
    /// base.eval,layer4.train. A name is a module's, or base, batchnorm, dropout.
    #[arg(long, value_name = "CALLS", default_value = "")]
    pub modules: String,
    /// Leaves out the training= values that only the saver recorded, as if the model had been built
    /// anew from code and its weights loaded.
    #[arg(long)]
    pub rebuilt: bool,
    /// The augmentation layers, such as RandomFlip:horizontal,RandomRotation:0.2. The batches of the
    /// other views go through them too.
    #[arg(long, value_name = "LAYERS")]
    pub augment: Option<String>,
    /// For the view batchnorm: dropout, noise, augmentation and drop-connect act as in inference.
    #[arg(long)]
    pub no_random: bool,
    /// The seed of every random draw.
    #[arg(long, default_value_t = 7, allow_negative_numbers = true, value_parser = seed)]
    pub seed: u64,
    /// The number of photos in the batch, which the seed chooses (default 32; in a step of finetune 8).
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = batch)]
    pub batch: Option<usize>,
    /// The dropout or BatchNorm layer to show.
    #[arg(long, value_name = "LAYER")]
    pub layer: Option<String>,
    /// The BatchNorm channel to show, counted from 1.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = channel)]
    pub channel: Option<usize>,
    /// For the view batchnorm: show what GroupNorm, LayerNorm and the other norms would do in the layer's place,
    /// and the error on batches of 1 to 64 photos.
    #[arg(long, conflicts_with = "side")]
    pub compare_norms: bool,
    /// The runs of the view finetune (default four-way).
    #[arg(long, value_parser = parser::<RunPreset>())]
    pub preset: Option<Named<RunPreset>>,
    /// PyTorch: where the runs call base.eval() (default each-epoch).
    #[arg(long, value_name = "WHERE", value_parser = parser::<EvalCalls>())]
    pub eval_calls: Option<Named<EvalCalls>>,
    /// The epochs of each stage of the runs (default 4).
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = epochs)]
    pub epochs: Option<usize>,
    /// The learning rate of the runs (default 0.001).
    #[arg(long, value_name = "RATE", allow_negative_numbers = true, value_parser = positive)]
    pub rate: Option<f64>,
    /// How many seeds to run, from --seed on (default 1).
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = seeds)]
    pub seeds: Option<usize>,
    /// The photo to show, by its name or the start of it, such as fish/fish9. The first match counts.
    #[arg(long, value_name = "NAME")]
    pub photo: Option<String>,
    /// Width and height in points. The default is what the view needs.
    #[arg(long, value_name = "WxH", allow_negative_numbers = true, value_parser = size)]
    pub size: Option<[f32; 2]>,
    /// Pixels per point (default 1).
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = positive, conflicts_with = "width")]
    pub scale: Option<f64>,
    /// The width on screen or paper, such as 1600px or 160mm, instead of --scale.
    #[arg(long, value_name = "W", allow_negative_numbers = true, value_parser = width)]
    pub width: Option<GivenWidth>,
    /// Pixels per inch of a --width in mm (default 300).
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = positive)]
    pub dpi: Option<f64>,
    #[arg(long, value_name = "THEME", default_value = "light")]
    pub theme: Theme,
    /// Draw both columns or one.
    #[arg(long, value_name = "SIDE", default_value = "both")]
    pub side: Side,
    /// Add the sentences below the view.
    #[arg(long, value_name = "ON", num_args = 0..=1, default_value = "off", default_missing_value = "on")]
    pub caption: Switch,
    /// Write letters as outlines into the SVG, for readers that lack the fonts.
    #[arg(long)]
    pub outline_text: bool,
    /// Also write FIG.svg.json or FIG.png.json: the command, the settings, and the hashes of model and photos.
    #[arg(long)]
    pub sidecar: bool,
    /// Also write FIG.csv: the numbers of the figure.
    #[arg(long)]
    pub csv: bool,
    /// Make the folder of --out if it does not exist.
    #[arg(long)]
    pub make_folders: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Svg,
    Png,
}

impl Format {
    /// The ending of a file name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
        }
    }

    /// The format that a file name asks for.
    ///
    /// # Errors
    /// Any ending other than `.svg` and `.png`.
    pub fn of(path: &Path) -> Result<Self, Failure> {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("svg") => Ok(Self::Svg),
            Some("png") => Ok(Self::Png),
            _ => Err(Failure::Usage(format!(
                "--out: the name of a figure ends in .svg or .png: {}",
                path.display()
            ))),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Theme {
    Light,
    Dark,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Side {
    Both,
    Training,
    Inference,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

/// The value of `--width`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GivenWidth {
    Pixels(f64),
    Millimetres(f64),
}

/// How the figures of a command look, apart from what they show.
#[derive(Clone, Debug)]
pub struct LookOptions {
    pub what: What,
    pub width: Width,
    /// Characters that the fonts lack, collected from all figures.
    pub boxes: RefCell<BTreeSet<char>>,
    /// Warnings that were printed.
    pub warned: RefCell<BTreeSet<String>>,
}

impl FigureArgs {
    /// How the figures of this command look.
    ///
    /// # Errors
    /// A file name that is neither SVG nor PNG, or options that exclude each other.
    pub fn look(&self) -> Result<LookOptions, Failure> {
        let format = match &self.out {
            Some(out) if self.from.is_none() => Format::of(out)?,
            _ => self.format.unwrap_or(Format::Svg),
        };
        if self.outline_text && format == Format::Png {
            let why = "--outline-text is for SVG: a PNG holds no text";
            return Err(Failure::Usage(why.to_owned()));
        }
        if self.dpi.is_some() && !matches!(self.width, Some(GivenWidth::Millimetres(_))) {
            let why = "--dpi needs a --width in mm, such as 160mm";
            return Err(Failure::Usage(why.to_owned()));
        }
        let part = match self.side {
            Side::Both => Part::View,
            Side::Training => Part::Side(Mode::Training),
            Side::Inference => Part::Side(Mode::Inference),
        };
        let what = What {
            view: View::default(),
            part,
            size: self.size,
            caption: self.caption == Switch::On,
            dark: self.theme == Theme::Dark,
        };
        let width = match self.width {
            None => Width::Scale(self.scale.unwrap_or(1.0)),
            Some(GivenWidth::Pixels(pixels)) => Width::Pixels(pixels),
            Some(GivenWidth::Millimetres(mm)) => Width::Millimetres {
                mm,
                dpi: self.dpi.unwrap_or(png::DPI),
            },
        };
        Ok(LookOptions {
            what,
            width,
            boxes: RefCell::default(),
            warned: RefCell::default(),
        })
    }
}

fn batch(text: &str) -> Result<usize, String> {
    let n = text.parse().ok().filter(|n| (1..=MAX_BATCH).contains(n));
    n.ok_or_else(|| format!("a batch has 1 to {MAX_BATCH} photos"))
}

fn epochs(text: &str) -> Result<usize, String> {
    let n = text.parse().ok().filter(|n| (1..=MAX_EPOCHS).contains(n));
    n.ok_or_else(|| format!("a run has 1 to {MAX_EPOCHS} epochs"))
}

fn seeds(text: &str) -> Result<usize, String> {
    let n = text.parse().ok().filter(|n| (1..=MAX_SEEDS).contains(n));
    n.ok_or_else(|| format!("a run has 1 to {MAX_SEEDS} seeds"))
}

fn channel(text: &str) -> Result<usize, String> {
    let n = text.parse().ok().filter(|n| *n > 0);
    n.ok_or_else(|| "channels are counted from 1".to_owned())
}

fn positive(text: &str) -> Result<f64, String> {
    let n = text
        .parse()
        .ok()
        .filter(|n: &f64| n.is_finite() && *n > 0.0);
    n.ok_or_else(|| "expected a number above 0".to_owned())
}

fn size(text: &str) -> Result<[f32; 2], String> {
    let sides = text.split_once(['x', 'X']);
    let number = |text: &str| text.trim().parse::<u32>().ok().map(|n| n as f32);
    let sides = sides.and_then(|(w, h)| Some([number(w)?, number(h)?]));
    let sides = sides.ok_or("expected WxH in whole points, such as 1000x600")?;
    if sides.iter().any(|&side| side > LARGEST) {
        return Err(format!("a side has at most {LARGEST} points"));
    }
    Ok(sides)
}

fn width(text: &str) -> Result<GivenWidth, String> {
    let number = |text: &str| {
        let needed = "expected a width in px or mm, such as 1600px or 160mm";
        positive(text.trim()).map_err(|_| needed.to_owned())
    };
    match text.strip_suffix("mm") {
        Some(mm) => number(mm).map(GivenWidth::Millimetres),
        None => number(text.strip_suffix("px").unwrap_or(text)).map(GivenWidth::Pixels),
    }
}
