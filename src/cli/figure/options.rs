//! The arguments of `modelens figure`.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, ValueEnum};

use crate::cli::word::parser;
use crate::cli::{Failure, Reading, seed};
use crate::figure::{
    Background, LARGEST, POINTS_PER_MM, PageSize, Paper, Preset, SCREEN_DPI, What,
};
use crate::lesson::{Named, Recorded};
use crate::model::{Mode, Semantics};
use crate::state::{MAX_BATCH, MAX_EPOCHS, MAX_SEEDS, Part, View};
use crate::theme::sizes;
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

/// Draws a view as SVG, PNG or PDF, or its animation, without a window or a GPU. The same command writes the same bytes.
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
    /// The file to write, ending in .svg, .png or .pdf; with --animate also .gif or .apng. With --from,
    /// the folder. A hyphen writes to standard output.
    #[arg(long, value_name = "FIG|DIR|-")]
    pub out: Option<PathBuf>,
    /// Draw every view except finetune into this folder.
    #[arg(long, value_name = "DIR")]
    pub all: Option<PathBuf>,
    /// Draw every step of a lesson into the folder --out: a .toml file, or the name of a bundled
    /// lesson, such as why-specify-twice. The steps decide what is shown; --semantics shows them
    /// under other rules.
    #[arg(long, value_name = "LESSON", conflicts_with_all = OF_STEPS)]
    pub from: Option<PathBuf>,
    /// The format of the files of --all and --from, and of --out - (default svg).
    #[arg(long, value_name = "FORMAT")]
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
    /// The width on screen or paper, such as 1600px, 160mm, 16cm, 6.3in or 455pt, instead of --scale.
    #[arg(long, value_name = "W", allow_negative_numbers = true, value_parser = width)]
    pub width: Option<GivenWidth>,
    /// Lay the figure out so that its smallest text has this size on paper, such as 8pt or 3mm. Needs
    /// --width on paper, or --for.
    #[arg(long, value_name = "SIZE", allow_negative_numbers = true, value_parser = length, conflicts_with = "size")]
    pub text_size: Option<f64>,
    /// The page the figure is for: it decides the width, and the least size of text.
    #[arg(long = "for", value_name = "PAGE", conflicts_with_all = ["size", "scale", "width"])]
    pub page: Option<Preset>,
    /// Pixels per inch of a width on paper in a PNG (default 300; of an animation 96).
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = positive)]
    pub dpi: Option<f64>,
    /// The colours. auto: an SVG that follows the light or dark scheme of the page it is on.
    #[arg(long, value_name = "THEME", default_value = "light")]
    pub theme: Theme,
    /// The background: none is transparent, theme is the window's colour
    /// (default; with --for white).
    #[arg(long, value_name = "GROUND")]
    pub background: Option<Background>,
    /// Draw both columns or one.
    #[arg(long, value_name = "SIDE", default_value = "both")]
    pub side: Side,
    /// Add the sentences below the view.
    #[arg(long, value_name = "ON", num_args = 0..=1, default_value = "off", default_missing_value = "on")]
    pub caption: Switch,
    /// Draw the view's animation: the draws of augmentation, passes of dropout, batches of batchnorm or
    /// steps of finetune. As .gif or .apng, as .pdf with a page for each frame, or as numbered files
    /// (.svg, .png).
    #[arg(long, conflicts_with_all = ["many", "side"])]
    pub animate: bool,
    /// The draws, passes, batches or steps of --animate (default 9, 8, 8 and at most 60).
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = frames, requires = "animate")]
    pub frames: Option<usize>,
    /// Also write title and sentences of the figure as FIG.txt or FIG.tex, or both: txt,tex.
    #[arg(long, value_name = "FORMAT", value_delimiter = ',')]
    pub caption_file: Vec<CaptionFormat>,
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
    Pdf,
    Gif,
    Apng,
}

impl Format {
    /// The endings of a figure that does not move.
    pub const STILL: [&str; 3] = ["svg", "png", "pdf"];
    /// The endings of an animation.
    pub const MOVING: [&str; 5] = ["gif", "apng", "pdf", "svg", "png"];

    /// The ending of a file name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
            Self::Pdf => "pdf",
            Self::Gif => "gif",
            Self::Apng => "apng",
        }
    }

    /// True if the format holds an animation and nothing else.
    pub fn moves(self) -> bool {
        match self {
            Self::Gif | Self::Apng => true,
            Self::Svg | Self::Png | Self::Pdf => false,
        }
    }

    /// The format that the ending of a checked name asks for.
    ///
    /// # Errors
    /// An ending that no figure has.
    pub fn of(path: &Path) -> Result<Self, Failure> {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        let format = extension.and_then(|e| Self::from_str(&e, true).ok());
        format.ok_or_else(|| {
            Failure::Usage(format!(
                "--out: the name of a figure ends in .svg, .png or .pdf: {}",
                path.display()
            ))
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CaptionFormat {
    Txt,
    Tex,
}

impl CaptionFormat {
    /// The ending of a file name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Txt => "txt",
            Self::Tex => "tex",
        }
    }
}

/// The name that means standard output.
pub fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Theme {
    Light,
    Dark,
    Auto,
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
    /// On paper, in mm.
    Paper(f64),
}

/// How the figures of a command look, apart from what they show.
#[derive(Clone, Debug)]
pub struct LookOptions {
    pub what: What,
    pub width: Width,
    /// The paper that the layout is for, if its text is to have a size.
    pub paper: Option<Paper>,
    /// The SVG has the colours of both themes.
    pub both_themes: bool,
    /// Characters that the fonts lack, collected from all figures.
    pub boxes: RefCell<BTreeSet<char>>,
    /// Warnings that were printed.
    pub warned: RefCell<BTreeSet<String>>,
}

impl LookOptions {
    /// What to draw of a view.
    pub fn what_of(&self, view: View) -> What {
        What { view, ..self.what }
    }
}

impl FigureArgs {
    /// How the figures of this command look.
    ///
    /// # Errors
    /// A file name that no figure has, or options that exclude each other.
    pub fn look(&self) -> Result<LookOptions, Failure> {
        self.check_format()?;
        let on_paper = self.page.is_some() || matches!(self.width, Some(GivenWidth::Paper(_)));
        if self.dpi.is_some() && !on_paper {
            let why = "--dpi needs a --width on paper, such as 160mm, or --for";
            return Err(Failure::Usage(why.to_owned()));
        }
        if self.text_size.is_some() && !on_paper {
            let why = "--text-size needs a --width on paper, such as 160mm, or --for";
            return Err(Failure::Usage(why.to_owned()));
        }
        let both_themes = self.theme == Theme::Auto;
        if both_themes && self.background == Some(Background::White) {
            let why = "--background white does not follow the scheme of the page: leave it out";
            return Err(Failure::Usage(why.to_owned()));
        }
        let part = match self.side {
            Side::Both => Part::View,
            Side::Training => Part::Side(Mode::Training),
            Side::Inference => Part::Side(Mode::Inference),
        };
        let text = self.text_size.map(|mm| mm as f32 * POINTS_PER_MM);
        let paper = match (self.page, self.width, text) {
            (Some(page), _, text) => {
                let paper = page.paper();
                let text = text.unwrap_or(paper.text);
                Some(Paper { text, ..paper })
            }
            (None, Some(GivenWidth::Paper(mm)), Some(text)) => Some(Paper {
                width: mm as f32 * POINTS_PER_MM,
                height: None,
                text,
            }),
            (None, _, _) => None,
        };
        let is_white = self.page.is_some() && self.theme == Theme::Light;
        let ground = if is_white {
            Background::White
        } else {
            Background::Theme
        };
        let what = What {
            part,
            size: self.size.map_or(PageSize::Natural, PageSize::Exact),
            margin: if paper.is_some() {
                sizes::PRINT_MARGIN
            } else {
                sizes::S4
            },
            caption: self.caption == Switch::On,
            dark: self.theme == Theme::Dark,
            background: self.background.unwrap_or(ground),
            ..What::of(View::default())
        };
        let dpi = if self.animate { SCREEN_DPI } else { png::DPI };
        let dpi = self.dpi.unwrap_or(dpi);
        let width = match (self.width, paper) {
            (Some(GivenWidth::Pixels(pixels)), _) => Width::Pixels(pixels),
            (Some(GivenWidth::Paper(mm)), _) => Width::Millimetres { mm, dpi },
            (None, Some(paper)) => Width::Millimetres {
                mm: f64::from(paper.width / POINTS_PER_MM),
                dpi,
            },
            (None, None) => Width::Scale(self.scale.unwrap_or(1.0)),
        };
        Ok(LookOptions {
            what,
            width,
            paper,
            both_themes,
            boxes: RefCell::default(),
            warned: RefCell::default(),
        })
    }
}

impl FigureArgs {
    /// The format of the figures.
    ///
    /// # Errors
    /// A file name that no figure has.
    pub fn written_format(&self) -> Result<Format, Failure> {
        match &self.out {
            Some(out) if self.from.is_none() && !is_stdout(out) => Format::of(out),
            _ => Ok(self.format.unwrap_or(Format::Svg)),
        }
    }

    /// Refuses what the format of the figures cannot hold.
    fn check_format(&self) -> Result<(), Failure> {
        let usage = |why: &str| Err(Failure::Usage(why.to_owned()));
        let format = self.written_format()?;
        let to_stdout = self.out.as_deref().is_some_and(is_stdout);
        if self.format.is_some() && self.out.is_some() && self.from.is_none() && !to_stdout {
            return usage("--format is for --all, --from and --out -: the ending of --out says it");
        }
        if self.outline_text && format != Format::Svg {
            return usage("--outline-text is for SVG");
        }
        if self.theme == Theme::Auto && (format != Format::Svg || self.animate) {
            return usage(
                "--theme auto is for an SVG that does not move: other formats have one theme",
            );
        }
        if format.moves() && !self.animate {
            return usage("a GIF or APNG is an animation: add --animate");
        }
        if format == Format::Gif && self.background == Some(Background::None) {
            return usage("--background none: a GIF has no smooth edges; take .apng");
        }
        if !to_stdout {
            return Ok(());
        }
        if self.from.is_some() {
            return usage("--out -: the figures of a lesson need a folder");
        }
        if self.sidecar || self.csv || !self.caption_file.is_empty() {
            return usage(
                "--out - writes one figure: leave out --sidecar, --csv and --caption-file",
            );
        }
        if self.animate && matches!(format, Format::Svg | Format::Png) {
            return usage("--out - writes one file: numbered frames need a name");
        }
        Ok(())
    }
}

/// The most draws, passes, batches or steps of an animation.
const MOST_FRAMES: usize = 200;

fn frames(text: &str) -> Result<usize, String> {
    let n = text.parse().ok().filter(|n| (1..=MOST_FRAMES).contains(n));
    n.ok_or_else(|| format!("an animation has 1 to {MOST_FRAMES} of them"))
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
    let needed = "expected a width in px, mm, cm, in or pt, such as 1600px or 160mm";
    let pixels = text.strip_suffix("px").unwrap_or(text).trim();
    match millimetres(text) {
        Some(mm) => Ok(GivenWidth::Paper(mm)),
        None => positive(pixels)
            .map(GivenWidth::Pixels)
            .map_err(|_| needed.to_owned()),
    }
}

/// A length on paper, in mm.
fn length(text: &str) -> Result<f64, String> {
    let needed = "expected a length in pt, mm, cm or in, such as 8pt";
    millimetres(text).ok_or_else(|| needed.to_owned())
}

/// Millimetres of a length with its unit.
fn millimetres(text: &str) -> Option<f64> {
    let units = [("mm", 1.0), ("cm", 10.0), ("in", 25.4), ("pt", 25.4 / 72.0)];
    let (unit, mm) = units.into_iter().find(|(unit, _)| text.ends_with(unit))?;
    let number = text.strip_suffix(unit)?.trim();
    Some(positive(number).ok()? * mm)
}
