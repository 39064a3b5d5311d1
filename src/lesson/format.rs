//! The format of a lesson file.

use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::names::{Control, Named, Recorded};
use super::place::{Lines, Places, line_of};
use super::runs::LessonRuns;
use super::{Expectation, Lesson, LessonError, Prediction, fill, paths};
use crate::augment::{self, CodeError, Pipeline, PipelinePreset};
use crate::model::{Outer, Preprocessing, Semantics};
use crate::settings::{LayerSort, MAX_BATCH, View};
use crate::words::markup;
use modelens_jobs::{DropoutSetting, Grid, PredictLook};

/// The version of the format.
pub const VERSION: u32 = 1;
/// The most passes of the dropout view's histogram.
const MOST_MASK_PASSES: usize = DropoutSetting::PASSES[DropoutSetting::PASSES.len() - 1];
/// The most cells of a grid.
const MOST_CELLS: usize = 27;

/// The whole file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LessonFile {
    /// The version of the format.
    pub lesson: Spanned<u32>,
    pub title: String,
    #[serde(default = "lab_mobilenetv2")]
    pub model: Spanned<String>,
    #[serde(default = "bundled")]
    pub photos: Spanned<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub semantics: Option<Named<Option<Semantics>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<usize>,
    #[serde(rename = "step")]
    pub steps: Vec<Spanned<LessonStep>>,
}

fn lab_mobilenetv2() -> Spanned<String> {
    Spanned::new(0..0, "lab_mobilenetv2".to_owned())
}

fn bundled() -> Spanned<String> {
    Spanned::new(0..0, paths::BUNDLED_PHOTOS.to_owned())
}

/// One step: a view, its settings, a text. What a step leaves out comes from the lesson, or else from
/// the defaults of the program; the flags come from the model file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LessonStep {
    pub title: String,
    pub view: Named<View>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub semantics: Option<Named<Option<Semantics>>>,
    /// The value that the outer call of the left column passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Named<Outer>>,
    /// The value recorded at the call of the base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Named<Recorded>>,
    /// Leave out the values that only the saver recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebuilt: Option<bool>,
    /// PyTorch: `.eval()` and `.train()` of single modules after the outer call, such as `base.eval`,
    /// separated by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modules: Option<String>,
    /// `file`, `all`, `none`, `from:N`, `-NAME`, `+NAME`, separated by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trainable: Option<String>,
    /// The flags at the last `compile()`, if they differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compiled: Option<String>,
    /// The layer of the view.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// Counted from 1, as in the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<usize>,
    /// The view batchnorm compares the norms that may be in the layer's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_norms: Option<bool>,
    /// Replaces the rate of the dropout layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Its name in the folder, or the start of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The number of times that the random draws are repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redraws: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<usize>,
    /// True if the batch goes through the pipeline first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augment_batch: Option<bool>,
    /// How photos are scaled for the first layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Named<Preprocessing>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grid: Option<Named<Grid>>,
    /// Cells that were drawn anew, counted from 1, and how often.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redrawn_cells: Vec<[u64; 2]>,
    /// False: dropout and noise of a batch act as in inference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random: Option<bool>,
    /// The passes of the view predict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passes: Option<usize>,
    /// The passes of the dropout view's histogram.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask_passes: Option<usize>,
    /// Replaces the momentum of the BatchNorm layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f64>,
    /// Channels by their distance from the moving statistics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort_channels: Option<bool>,
    /// The order of the layer table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort_layers: Option<Named<LayerSort>>,
    /// The view trainable shows the table without the cards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_layers: Option<bool>,
    /// The layer that the button "Fine-tune from" starts at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fine_tune_from: Option<usize>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hide: Vec<Control>,
    /// What the text relies on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<Expectation>,
    /// One sentence in large type for an audience; without it the first bold words of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// Markdown; `{name}` is replaced by the measured value.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// What the lecturer wants to say; shown on request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<LessonPipeline>,
    /// The runs of the view Fine-tune.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<LessonRuns>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keras2: Option<FrameworkText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keras3: Option<FrameworkText>,
    /// Text for Keras 3.16.
    #[serde(default, rename = "keras3.16", skip_serializing_if = "Option::is_none")]
    pub keras316: Option<FrameworkText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pytorch: Option<FrameworkText>,
    /// Asked before the numbers appear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predict: Option<Prediction>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
    /// The lines of its keys in the file.
    #[serde(skip)]
    pub lines: Lines,
}

/// A text that is added under the rules of one framework.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameworkText {
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<Expectation>,
}

/// A question, and its answer, which is shown on request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    pub text: String,
    pub answer: String,
}

/// The augmentation pipeline: the name of a preset, code of Keras or torchvision, or a list of layers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LessonPipeline {
    Preset(Named<PipelinePreset>),
    Code(PipelineCode),
    Own(Vec<augment::PipelineStep>),
}

impl LessonPipeline {
    /// The layers.
    pub fn pipeline(&self) -> Pipeline {
        match self {
            Self::Preset(preset) => preset.0.pipeline(),
            Self::Code(code) => code.0.clone(),
            Self::Own(steps) => Pipeline {
                steps: steps.clone(),
            },
        }
    }
}

/// A pipeline that is written as code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PipelineCode(Pipeline);

impl TryFrom<String> for PipelineCode {
    type Error = CodeError;

    fn try_from(code: String) -> Result<Self, CodeError> {
        Pipeline::from_code(&code).map(Self)
    }
}

impl From<PipelineCode> for String {
    fn from(code: PipelineCode) -> Self {
        let steps = code.0.steps.iter().map(|step| step.layer.code());
        format!("[{}]", steps.collect::<Vec<String>>().join(", "))
    }
}

impl LessonStep {
    /// A step with nothing but a view.
    pub fn new(title: &str, view: View) -> Self {
        Self {
            title: title.to_owned(),
            view: Named(view),
            semantics: None,
            call: None,
            recorded: None,
            rebuilt: None,
            modules: None,
            trainable: None,
            compiled: None,
            layer: None,
            channel: None,
            compare_norms: None,
            rate: None,
            photo: None,
            seed: None,
            redraws: None,
            batch: None,
            augment_batch: None,
            scale: None,
            grid: None,
            redrawn_cells: Vec::new(),
            random: None,
            passes: None,
            mask_passes: None,
            momentum: None,
            sort_channels: None,
            sort_layers: None,
            only_layers: None,
            fine_tune_from: None,
            hide: Vec::new(),
            expect: Vec::new(),
            statement: None,
            text: String::new(),
            notes: None,
            pipeline: None,
            run: None,
            keras2: None,
            keras3: None,
            keras316: None,
            pytorch: None,
            predict: None,
            question: None,
            lines: Lines::new(),
        }
    }

    /// True if there is something to read in the step.
    pub fn has_words(&self) -> bool {
        let asks = self.predict.is_some() || self.question.is_some();
        asks || self.texts().any(|(_, text)| !text.is_empty())
    }

    /// The text that is added under these rules.
    pub fn ending(&self, semantics: Semantics) -> Option<&FrameworkText> {
        match semantics {
            Semantics::Keras2 => self.keras2.as_ref(),
            Semantics::Keras3 => self.keras3.as_ref(),
            Semantics::Keras316 => self.keras316.as_ref(),
            Semantics::PyTorch => self.pytorch.as_ref(),
        }
    }

    /// The whole text under these rules.
    pub fn text(&self, semantics: Semantics) -> String {
        match self.ending(semantics) {
            Some(ending) => format!("{}\n\n{}", self.text, ending.text),
            None => self.text.clone(),
        }
    }

    /// The sentence for an audience under these rules: what the step says, or else the first bold words
    /// of its text that are more than a number.
    pub fn statement(&self, semantics: Semantics) -> Option<String> {
        let ending = self.ending(semantics);
        let ending = ending.and_then(|ending| ending.statement.clone());
        let written = ending.or_else(|| self.statement.clone());
        written.or_else(|| markup::first_bold(&self.text(semantics)))
    }

    /// Everything that the text relies on under these rules.
    pub fn expectations(&self, semantics: Semantics) -> impl Iterator<Item = &Expectation> {
        let ending = self.ending(semantics).into_iter();
        self.expect.iter().chain(ending.flat_map(|e| &e.expect))
    }

    /// Every expectation of the step with its key, for all rules.
    fn expected(&self) -> impl Iterator<Item = (&'static str, &Expectation)> {
        let endings = [
            ("keras2.expect", &self.keras2),
            ("keras3.expect", &self.keras3),
            ("keras3.16.expect", &self.keras316),
            ("pytorch.expect", &self.pytorch),
        ];
        let endings = endings.into_iter().flat_map(|(key, ending)| {
            let expected = ending.iter().flat_map(|ending| &ending.expect);
            expected.map(move |expectation| (key, expectation))
        });
        let own = self
            .expect
            .iter()
            .map(|expectation| ("expect", expectation));
        let choices = self.predict.iter().flat_map(|p| &p.choices);
        let choices = choices.flat_map(|choice| &choice.expect);
        let choices = choices.map(|expectation| ("predict.choices", expectation));
        own.chain(endings).chain(choices)
    }

    /// Every text of the step with its key, for all rules.
    fn texts(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let statements = [
            ("statement", Some(&self.statement)),
            ("notes", Some(&self.notes)),
            (
                "keras2.statement",
                self.keras2.as_ref().map(|e| &e.statement),
            ),
            (
                "keras3.statement",
                self.keras3.as_ref().map(|e| &e.statement),
            ),
            (
                "keras3.16.statement",
                self.keras316.as_ref().map(|e| &e.statement),
            ),
            (
                "pytorch.statement",
                self.pytorch.as_ref().map(|e| &e.statement),
            ),
        ];
        let statements = statements.into_iter();
        let statements = statements.filter_map(|(key, text)| Some((key, text?.as_ref()?)));
        let endings = [
            ("keras2.text", &self.keras2),
            ("keras3.text", &self.keras3),
            ("keras3.16.text", &self.keras316),
            ("pytorch.text", &self.pytorch),
        ];
        let endings = endings.into_iter();
        let endings = endings.filter_map(|(key, e)| Some((key, &e.as_ref()?.text)));
        let question = self.question.iter();
        let question =
            question.flat_map(|q| [("question.text", &q.text), ("question.answer", &q.answer)]);
        let predict = self.predict.iter().flat_map(|p| {
            let choices = p.choices.iter().map(|c| ("predict.choices", &c.text));
            [("predict.text", &p.text), ("predict.answer", &p.answer)]
                .into_iter()
                .chain(choices)
        });
        let text = std::iter::once(("text", &self.text));
        text.chain(statements)
            .chain(endings)
            .chain(predict)
            .chain(question)
    }

    /// Checks the values.
    ///
    /// # Errors
    /// The key of a wrong value, and why it is wrong.
    fn check(&self) -> Result<(), (&'static str, String)> {
        if self.channel == Some(0) {
            return Err(("channel", "channels are counted from 1".to_owned()));
        }
        if self.batch.is_some_and(|b| b == 0 || b > MAX_BATCH) {
            return Err(("batch", format!("a batch has 1 to {MAX_BATCH} photos")));
        }
        let [fewest, most] = PredictLook::PASSES_RANGE;
        if self.passes.is_some_and(|n| !(fewest..=most).contains(&n)) {
            return Err(("passes", format!("the passes are {fewest} to {most}")));
        }
        if self
            .mask_passes
            .is_some_and(|n| n == 0 || n > MOST_MASK_PASSES)
        {
            let reason = format!("the passes are 1 to {MOST_MASK_PASSES}");
            return Err(("mask-passes", reason));
        }
        if self.momentum.is_some_and(|m| !(0.0..=1.0).contains(&m)) {
            return Err(("momentum", "a momentum is 0 to 1".to_owned()));
        }
        let cells = &self.redrawn_cells;
        if cells.len() > MOST_CELLS
            || cells
                .iter()
                .any(|[cell, _]| !(1..=MOST_CELLS as u64).contains(cell))
        {
            return Err(("redrawn-cells", format!("the cells are 1 to {MOST_CELLS}")));
        }
        if let Some(run) = &self.run {
            run.check().map_err(|reason| ("run", reason))?;
            if !self.view.0.shows_runs() {
                return Err(("run", "`run` belongs to the view finetune".to_owned()));
            }
        }
        if let Some(predict) = &self.predict {
            predict.check().map_err(|reason| ("predict", reason))?;
        }
        if let Some(pipeline) = &self.pipeline {
            let checked = pipeline.pipeline().check_types();
            checked.map_err(|error| ("pipeline", error.to_string()))?;
            for step in &pipeline.pipeline().steps {
                let checked = step.layer.validate();
                checked.map_err(|error| ("pipeline", error.to_string()))?;
            }
        }
        Ok(())
    }

    /// Checks everything that does not depend on a file.
    ///
    /// # Errors
    /// A sentence.
    pub fn checked(&self, names: &[&'static str]) -> Result<(), String> {
        self.check().map_err(|(_, reason)| reason)?;
        for (_, expectation) in self.expected() {
            expectation.check(names).map_err(|(_, reason)| reason)?;
        }
        for (_, text) in self.texts() {
            fill::check(text, names).map_err(|fault| fault.reason)?;
        }
        Ok(())
    }

    /// The reason, after the line of the key if it is known.
    pub fn at(&self, key: &str, reason: &str) -> String {
        match self.lines.get(key) {
            Some(line) => format!("line {line}: {reason}"),
            None => reason.to_owned(),
        }
    }
}

/// Reads the text of a lesson whose file is in `folder` (`None` for a bundled lesson) and whose texts
/// name values in `names`.
pub fn parse(
    text: &str,
    folder: Option<&Path>,
    names: &[&'static str],
) -> Result<Lesson, LessonError> {
    let at = |span: Range<usize>, reason: String| LessonError::Line {
        line: line_of(text, span.start),
        reason,
    };
    let places = Places::of(text);
    // Check the version first: another one may have keys that this one does not know.
    if let Some((version, line)) = places.version().filter(|(v, _)| *v != VERSION.to_string()) {
        let reason =
            format!("the lesson is of version {version}, and this program knows version {VERSION}");
        return Err(LessonError::Line { line, reason });
    }
    let file: LessonFile = toml::from_str(text).map_err(|error| match error.span() {
        Some(span) => {
            let reason = in_words(text, &span, error.message());
            at(span, reason)
        }
        None => LessonError::Whole(error.message().to_owned()),
    })?;
    let model = paths::model(file.model.get_ref(), folder)
        .map_err(|reason| at(file.model.span(), reason))?;
    let photos = paths::photos(file.photos.get_ref(), folder)
        .map_err(|reason| at(file.photos.span(), reason))?;
    let mut start = LessonStep::new("", View::default());
    start.semantics = file.semantics;
    start.seed = file.seed;
    start.batch = file.batch;
    start.photo = file.photo;
    start.lines = places.whole();
    let placed = |lines: &Lines, key: &str, span: Range<usize>, reason: String| {
        let line = lines.get(key).copied();
        let line = line.unwrap_or_else(|| line_of(text, span.start));
        LessonError::Line { line, reason }
    };
    let checked = start.check();
    checked.map_err(|(key, reason)| placed(&start.lines, key, 0..0, reason))?;
    if file.steps.is_empty() {
        return Err(LessonError::Whole(
            "a lesson has at least one step".to_owned(),
        ));
    }
    let mut steps = Vec::with_capacity(file.steps.len());
    for (number, step) in file.steps.into_iter().enumerate() {
        let span = step.span();
        let mut step = step.into_inner();
        step.lines = places.step(number);
        let checked = step.check();
        checked.map_err(|(key, reason)| placed(&step.lines, key, span, reason))?;
        let unknown = |key: &str, at: &str, reason: String| {
            let line = places.within(number, key, at);
            match line.or_else(|| step.lines.get(key).copied()) {
                Some(line) => LessonError::Line { line, reason },
                None => LessonError::Whole(reason),
            }
        };
        for (key, expectation) in step.expected() {
            let checked = expectation.check(names);
            checked.map_err(|(name, reason)| unknown(key, name, reason))?;
        }
        for (key, text) in step.texts() {
            let checked = fill::check(text, names);
            checked.map_err(|fault| unknown(key, &fault.at, fault.reason))?;
        }
        steps.push(step);
    }
    Ok(Lesson {
        title: file.title,
        model,
        photos,
        start,
        steps,
    })
}

/// The message of a parse error, with the key, and with words instead of the name of a Rust type.
fn in_words(text: &str, span: &Range<usize>, message: &str) -> String {
    let types = [
        ("u64", "a whole number from 0 on"),
        ("u32", "a whole number from 0 on"),
        ("usize", "a whole number from 0 on"),
        ("f64", "a number"),
    ];
    let told = types.into_iter().find_map(|(name, words)| {
        let cause = message.strip_suffix(name)?.strip_suffix("expected ")?;
        Some(format!("{cause}expected {words}"))
    });
    let before = text.get(..span.start).unwrap_or("");
    let line = before.rsplit('\n').next().unwrap_or("");
    match (told, line.split_once('=')) {
        (Some(told), Some((key, _))) => format!("`{}`: {told}", key.trim()),
        (Some(told), None) => told,
        (None, _) => message.to_owned(),
    }
}
