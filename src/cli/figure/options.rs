//! The arguments of `modelens figure`.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, ValueEnum};

use crate::cli::train::CliPreset;
use crate::cli::trainable::Recorded;
use crate::cli::{Failure, Reading, Rules};
use crate::figure::{LARGEST, Part, What};
use crate::model::Mode;
use crate::state::{MAX_BATCH, MAX_EPOCHS, View};
use egui_svg::{Width, png};

/// What the steps of a lesson say themselves.
const OF_STEPS: [&str; 15] = [
    "view",
    "model",
    "input",
    "trainable",
    "recorded",
    "augment",
    "no_random",
    "seed",
    "batch",
    "layer",
    "channel",
    "photo",
    "preset",
    "epochs",
    "rate",
];

/// Draws a view as SVG or PNG: no window, no GPU, the same bytes run after run.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("many").args(["all", "from"])))]
pub struct Figure {
    /// augmentation, dropout, batchnorm, trainable, finetune or predict; with --all, the model.
    pub view: Option<String>,
    /// A Keras .h5 or .keras file, a PyTorch state dict (.safetensors, .pth, .pt), an .onnx file,
    /// or the name of a bundled base.
    pub model: Option<PathBuf>,
    #[command(flatten)]
    pub reading: Reading,
    /// Where the figure goes: its ending says whether SVG or PNG. The folder of --from.
    #[arg(long, value_name = "FIG.svg|FIG.png|DIR")]
    pub out: Option<PathBuf>,
    /// Every view but finetune, into this folder.
    #[arg(long, value_name = "DIR")]
    pub all: Option<PathBuf>,
    /// Every step of a lesson, into the folder --out: a .toml file, or the title of a bundled
    /// lesson (why-specify-twice). The steps say what is shown; --semantics shows them by other
    /// rules.
    #[arg(long, value_name = "LESSON", conflicts_with_all = OF_STEPS)]
    pub from: Option<PathBuf>,
    /// The files of --all and --from.
    #[arg(long, value_name = "FORMAT", requires = "many")]
    pub format: Option<Format>,
    /// A folder or file of photos. Absent: the bundled photos.
    #[arg(long, value_name = "X")]
    pub input: Option<PathBuf>,
    /// The rules to follow.
    #[arg(long, value_name = "RULES", default_value = "auto")]
    pub semantics: Rules,
    /// The flags: file, all, none, from:N, or -NAME,+NAME (freeze, unfreeze), from left to right.
    #[arg(
        long,
        value_name = "FLAGS",
        default_value = "file",
        allow_hyphen_values = true
    )]
    pub trainable: String,
    /// The training= value at the call of the nested base.
    #[arg(long, value_name = "VALUE", default_value = "file")]
    pub recorded: Recorded,
    /// The augmentation layers: RandomFlip:horizontal,RandomRotation:0.2. The batches of the other
    /// views go through them too.
    #[arg(long, value_name = "LAYERS")]
    pub augment: Option<String>,
    /// Dropout, noise, augmentation and drop-connect act as in inference: for the view batchnorm.
    #[arg(long)]
    pub no_random: bool,
    /// The seed of all draws.
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// How many photos make up the batch (32), drawn by the seed.
    #[arg(long, value_name = "N", value_parser = batch)]
    pub batch: Option<usize>,
    /// The dropout or BatchNorm layer to show.
    #[arg(long, value_name = "LAYER")]
    pub layer: Option<String>,
    /// The BatchNorm channel to show, from 1.
    #[arg(long, value_name = "N", value_parser = channel)]
    pub channel: Option<usize>,
    /// The runs of the view finetune (four-way).
    #[arg(long)]
    pub preset: Option<CliPreset>,
    /// Their epochs, of each stage (3).
    #[arg(long, value_name = "N", value_parser = epochs)]
    pub epochs: Option<usize>,
    /// Their learning rate (0.001).
    #[arg(long, value_name = "RATE", value_parser = positive)]
    pub rate: Option<f64>,
    /// The photo to show: fish/fish9, fish9, or the beginning of a name; of several the first.
    #[arg(long, value_name = "NAME")]
    pub photo: Option<String>,
    /// Width and height in points, as the window counts them. Absent: what the view needs.
    #[arg(long, value_name = "WxH", value_parser = size)]
    pub size: Option<[f32; 2]>,
    /// Pixels of a PNG for each point (1); the size an SVG says it has.
    #[arg(long, value_name = "N", value_parser = positive, conflicts_with = "width")]
    pub scale: Option<f64>,
    /// Instead, the width on paper or screen: 1600px, 160mm.
    #[arg(long, value_name = "W", value_parser = width)]
    pub width: Option<GivenWidth>,
    /// Pixels of an inch, for widths in mm (300).
    #[arg(long, value_name = "N", value_parser = positive)]
    pub dpi: Option<f64>,
    #[arg(long, value_name = "THEME", default_value = "light")]
    pub theme: Theme,
    /// Both columns, or one.
    #[arg(long, value_name = "SIDE", default_value = "both")]
    pub side: Side,
    /// The sentences below the view: --caption, or --caption on|off.
    #[arg(long, value_name = "ON", num_args = 0..=1, default_value = "off", default_missing_value = "on")]
    pub caption: Switch,
    /// Writes the outlines of letters into an SVG, for readers without the fonts.
    #[arg(long)]
    pub outline_text: bool,
    /// Also writes FIG.svg.json or FIG.png.json: hashes of model and photos, the settings, and the command.
    #[arg(long)]
    pub sidecar: bool,
    /// Also writes FIG.csv: the numbers of the figure.
    #[arg(long)]
    pub csv: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Svg,
    Png,
}

impl Format {
    /// The end of a file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
        }
    }

    /// The format a file's name asks for.
    ///
    /// # Errors
    /// Other endings.
    pub fn of(path: &Path) -> Result<Self, Failure> {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("svg") => Ok(Self::Svg),
            Some("png") => Ok(Self::Png),
            _ => Err(Failure::Usage(format!(
                "--out: a figure ends in .svg or .png: {}",
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

/// The width of a figure, as it is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GivenWidth {
    Pixels(f64),
    Millimetres(f64),
}

/// How a figure looks, apart from what it shows.
#[derive(Clone, Debug)]
pub struct LookOptions {
    pub what: What,
    pub width: Width,
    /// Letters that became boxes in the figures drawn so far.
    pub boxes: RefCell<BTreeSet<char>>,
}

impl Figure {
    /// The look of all figures of this command.
    ///
    /// # Errors
    /// A file name that is neither SVG nor PNG, and options that do not go together.
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
            let why = "--dpi is for a --width in mm, like 160mm";
            return Err(Failure::Usage(why.to_owned()));
        }
        let input = self.input.as_deref();
        if input.is_some_and(crate::cli::arrays::is_array) {
            let why = "--input: a figure shows photos, not arrays";
            return Err(Failure::Usage(why.to_owned()));
        }
        let part = match self.side {
            Side::Both => Part::View,
            Side::Training => Part::Side(Mode::Training),
            Side::Inference => Part::Side(Mode::Inference),
        };
        let what = What {
            view: View::Augmentation,
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
        })
    }
}

fn batch(text: &str) -> Result<usize, String> {
    let n = text.parse().ok().filter(|n| (1..=MAX_BATCH).contains(n));
    n.ok_or_else(|| format!("a batch is 1 to {MAX_BATCH} photos"))
}

fn epochs(text: &str) -> Result<usize, String> {
    let n = text.parse().ok().filter(|n| (1..=MAX_EPOCHS).contains(n));
    n.ok_or_else(|| format!("a run has 1 to {MAX_EPOCHS} epochs"))
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
    n.ok_or_else(|| "a number above 0 is needed".to_owned())
}

fn size(text: &str) -> Result<[f32; 2], String> {
    let sides = text.split_once(['x', 'X']);
    let number = |text: &str| text.trim().parse::<u32>().ok().map(|n| n as f32);
    let sides = sides.and_then(|(w, h)| Some([number(w)?, number(h)?]));
    let sides = sides.ok_or("a size is WxH in whole points, like 1000x600")?;
    if sides.iter().any(|&side| side > LARGEST) {
        return Err(format!("a size has at most {LARGEST} points a side"));
    }
    Ok(sides)
}

fn width(text: &str) -> Result<GivenWidth, String> {
    let number = |text: &str| {
        let needed = "a width is a number above 0 in px or mm, like 1600px or 160mm";
        positive(text.trim()).map_err(|_| needed.to_owned())
    };
    match text.strip_suffix("mm") {
        Some(mm) => number(mm).map(GivenWidth::Millimetres),
        None => number(text.strip_suffix("px").unwrap_or(text)).map(GivenWidth::Pixels),
    }
}
