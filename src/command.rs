//! Everything a person can do. Panels push commands; [`crate::app::App`] carries them out.

mod choices;
mod desk;

use std::path::PathBuf;

use eframe::egui::{Key, KeyboardShortcut, Modifiers};

use crate::augment::{AugmentLayer, Preset};
use crate::model::{LayerId, Outer, Preprocessing, Semantics};
use crate::state::{CellPlace, ExportChoice, LayerColumn, ThemeChoice, View};
use crate::worker::{Grid, ModelSource, PhotosSource};

pub use choices::{Choice, choices};
pub use desk::{DeskCommand, LessonCommand, LessonSource};

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Do(Action),
    Training(TrainCommand),
    OpenModel(ModelSource),
    OpenPhotos(PhotosSource),
    /// Opens the folder around a photo, and chooses the photo.
    OpenPhoto(PathBuf),
    Pipeline(PipelineCommand),
    Export(ExportCommand),
    Walk(WalkCommand),
    Desk(DeskCommand),
    Lesson(LessonCommand),
    SetSemantics(Option<Semantics>),
    /// What the outer call of the training column says.
    SetCall(Outer),
    /// Records a `training=` value at the call of the base.
    Record(Option<bool>),
    SetPreprocessing(Option<Preprocessing>),
    SetTheme(ThemeChoice),
    SetPhoto(usize),
    SetBatch(usize),
    SetSeed(u64),
    LockSeed(bool),
    /// Whether the photos of a batch go through the augmentation pipeline first.
    AugmentBatch(bool),
    SetSearch(String),
    SetTrainable(LayerId, bool),
    SetFineTuneFrom(usize),
    /// How often the predict view runs the same batch.
    SetPasses(usize),
    /// Chooses a BatchNorm or noise layer and goes to its view.
    ShowLayer(LayerId),
    SetChannel(usize),
    Noise(NoiseCommand),
    SortChannels(bool),
    /// Orders the layer table by a column, or from its other end.
    SortLayers(LayerColumn),
    /// Shows the layer table without the four cards.
    OnlyLayers(bool),
    ShowUnreadable(bool),
    DismissNotice(u64),
}

/// One thing to do with the chosen noise layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NoiseCommand {
    /// A rate instead of the file's; refused where the framework would refuse it.
    SetRate(f64),
    /// Goes back to the file's rate.
    ResetRate,
    /// Passes of the Monte Carlo histogram.
    SetPasses(usize),
}

impl From<NoiseCommand> for Command {
    fn from(command: NoiseCommand) -> Self {
        Self::Noise(command)
    }
}

/// One thing to set or to do in the fine-tune view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TrainCommand {
    SetPreset(crate::train::recipe::Preset),
    SetOptimizer(crate::train::optimizer::Kind),
    SetRate(f64),
    SetEpochs(usize),
    /// Trains the file's own head instead of a new one.
    OwnHead(bool),
    /// The rate of dropout in a new head.
    SetDropout(f64),
    /// A new head for two classes ends in one output.
    Sigmoid(bool),
    /// The part of the photos that validates.
    SetValidation(f64),
    /// Opens the model of this run in the place of the present one.
    Use(usize),
    /// Asks where the model of this run is to be saved.
    Save(usize),
}

impl From<TrainCommand> for Command {
    fn from(command: TrainCommand) -> Self {
        Self::Training(command)
    }
}

/// One thing to do with the augmentation pipeline or its grid.
#[derive(Clone, Debug, PartialEq)]
pub enum PipelineCommand {
    SetPreset(Preset),
    /// Takes the layers of the open file.
    UseOwn,
    /// Turns one step on or off.
    SetStep(usize, bool),
    /// Changes the parameters of a step; refused where Keras would refuse them.
    SetLayer(usize, AugmentLayer),
    Add(AugmentLayer),
    Remove(usize),
    Move {
        from: usize,
        to: usize,
    },
    /// Shows the parameters of one step.
    Expand(Option<usize>),
    /// Shows or hides the list of steps.
    Edit(bool),
    SetGrid(Grid),
    /// Shows one cell large, or the grid again.
    Open(Option<CellPlace>),
    /// Another cell, so many further, while one is shown large.
    StepCell(isize),
    /// New draws for one cell.
    RedrawCell(usize),
    SetDivider(f32),
    ShowFill(bool),
}

/// One thing to do with the export dialog.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ExportCommand {
    /// Opens or closes it.
    Show(bool),
    Choose(ExportChoice),
    /// Asks for a file.
    Save,
    /// To the clipboard.
    Copy,
}

impl From<ExportCommand> for Command {
    fn from(command: ExportCommand) -> Self {
        Self::Export(command)
    }
}

impl From<PipelineCommand> for Command {
    fn from(command: PipelineCommand) -> Self {
        Self::Pipeline(command)
    }
}

/// One thing to do with the walk of the moving statistics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WalkCommand {
    /// Batches of one press of "run".
    SetSteps(usize),
    /// `None`: the layer's own.
    SetMomentum(Option<f64>),
    Run,
    Stop,
    Reset,
}

impl From<WalkCommand> for Command {
    fn from(command: WalkCommand) -> Self {
        Self::Walk(command)
    }
}

/// A command without a value: it has a label, a tooltip and perhaps a shortcut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Show(View),
    Redraw,
    PreviousPhoto,
    NextPhoto,
    OpenBase,
    OpenPhotos,
    Export,
    NewSeed,
    FreezeAll,
    UnfreezeAll,
    FineTuneFrom,
    ResetFlags,
    /// Takes the flags as they are now for training.
    Compile,
    Cancel,
    Retry,
    Undo,
    Redo,
    FindCommand,
    Lecture,
    ShowKeys,
    ShowTerms,
    /// What the open model is.
    ShowCard,
    ShowHint,
    ResetSettings,
    OpenLesson,
    SaveLesson,
    NextStep,
    PreviousStep,
    FreePlay,
    CloseLesson,
    StartRuns,
    PauseRuns,
    ResumeRuns,
    StepRuns,
    StopRuns,
    ResetRuns,
}

/// How an action looks to a person.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    pub label: &'static str,
    pub tooltip: &'static str,
    pub shortcut: Option<KeyboardShortcut>,
}

impl Action {
    /// Whether a key that is held down does it again and again.
    pub fn repeats(self) -> bool {
        matches!(
            self,
            Self::Redraw
                | Self::NewSeed
                | Self::PreviousPhoto
                | Self::NextPhoto
                | Self::Undo
                | Self::Redo
        )
    }

    /// Every action, in the order of the command palette. With Shift first: Ctrl+O would swallow
    /// Ctrl+Shift+O.
    pub const ALL: &[Self] = &[
        Self::Show(View::Augmentation),
        Self::Show(View::Dropout),
        Self::Show(View::BatchNorm),
        Self::Show(View::Trainable),
        Self::Show(View::FineTune),
        Self::Show(View::Predict),
        Self::StartRuns,
        Self::PauseRuns,
        Self::ResumeRuns,
        Self::StepRuns,
        Self::StopRuns,
        Self::ResetRuns,
        Self::Redraw,
        Self::PreviousPhoto,
        Self::NextPhoto,
        Self::NewSeed,
        Self::FreezeAll,
        Self::UnfreezeAll,
        Self::FineTuneFrom,
        Self::ResetFlags,
        Self::Compile,
        Self::Redo,
        Self::Undo,
        Self::OpenPhotos,
        Self::OpenBase,
        Self::Export,
        Self::Lecture,
        Self::OpenLesson,
        Self::NextStep,
        Self::PreviousStep,
        Self::FreePlay,
        Self::CloseLesson,
        Self::SaveLesson,
        Self::FindCommand,
        Self::ShowKeys,
        Self::ShowTerms,
        Self::ShowCard,
        Self::ShowHint,
        Self::ResetSettings,
        Self::Cancel,
        Self::Retry,
    ];

    /// Drives the runs of the view Fine-tune; its keys belong to that view.
    pub fn is_of_runs(self) -> bool {
        matches!(
            self,
            Self::StartRuns
                | Self::PauseRuns
                | Self::ResumeRuns
                | Self::StepRuns
                | Self::StopRuns
                | Self::ResetRuns
        )
    }

    /// A second shortcut, where people are used to two.
    pub fn second_shortcut(self) -> Option<KeyboardShortcut> {
        let redo = KeyboardShortcut::new(Modifiers::COMMAND, Key::Y);
        (self == Self::Redo).then_some(redo)
    }

    /// Label, tooltip and shortcut.
    #[allow(clippy::too_many_lines, reason = "one table")]
    pub fn info(self) -> Info {
        let ctrl = Modifiers::COMMAND;
        let (label, tooltip, shortcut) = match self {
            Self::Show(View::Augmentation) => (
                "Augmentation",
                "One photo nine times through random flips and rotations",
                Some((Modifiers::NONE, Key::Num1)),
            ),
            Self::Show(View::Dropout) => (
                "Dropout",
                "Which units a dropout layer drops",
                Some((Modifiers::NONE, Key::Num2)),
            ),
            Self::Show(View::BatchNorm) => (
                "BatchNorm",
                "Which mean and variance a BatchNorm layer normalises with",
                Some((Modifiers::NONE, Key::Num3)),
            ),
            Self::Show(View::Trainable) => (
                "Trainable",
                "What trainable and training each protect, measured by one optimizer step",
                Some((Modifiers::NONE, Key::Num4)),
            ),
            Self::Show(View::FineTune) => (
                "Fine-tune",
                "Real training steps on these photos, with the switches set in different ways",
                Some((Modifiers::NONE, Key::Num5)),
            ),
            Self::Show(View::Predict) => (
                "Predict",
                "The photo's top five in both modes, pass by pass and among other batch-mates",
                Some((Modifiers::NONE, Key::Num6)),
            ),
            Self::Redraw => (
                "Redraw",
                "Draw anew, on the same photos",
                Some((Modifiers::NONE, Key::R)),
            ),
            Self::PreviousPhoto => (
                "Previous photo",
                "Previous photo",
                Some((Modifiers::NONE, Key::ArrowLeft)),
            ),
            Self::NextPhoto => (
                "Next photo",
                "Next photo",
                Some((Modifiers::NONE, Key::ArrowRight)),
            ),
            Self::OpenBase => (
                "Open file...",
                "A Keras .h5 or .keras file, a PyTorch state dict (.safetensors, .pth, .pt), or an .onnx file",
                Some((ctrl, Key::O)),
            ),
            Self::OpenPhotos => (
                "Open folder...",
                "A folder with one folder of photos for each class",
                Some((ctrl.plus(Modifiers::SHIFT), Key::O)),
            ),
            Self::Export => (
                "Export...",
                "Save the view or the window as SVG or PNG, or copy it",
                Some((ctrl, Key::E)),
            ),
            Self::NewSeed => ("New seed", "Another batch of photos and other draws", None),
            Self::FreezeAll => ("Freeze all", "Set trainable to False on every layer", None),
            Self::UnfreezeAll => ("Unfreeze all", "Set trainable to True on every layer", None),
            Self::FineTuneFrom => (
                "Fine-tune from",
                "Make the base trainable, then freeze its layers before this one",
                None,
            ),
            Self::ResetFlags => ("Reset to file", "The flags as they are in the file", None),
            Self::Compile => ("compile()", "Train with the flags as they are now", None),
            Self::Cancel => ("Cancel", "Stop what runs", None),
            Self::Retry => ("Run again", "Compute this view", None),
            Self::Undo => ("Undo", "Take the last change back", Some((ctrl, Key::Z))),
            Self::Redo => (
                "Redo",
                "Do again what was taken back",
                Some((ctrl.plus(Modifiers::SHIFT), Key::Z)),
            ),
            Self::FindCommand => (
                "Find a command...",
                "Every action and choice, found by its name",
                Some((ctrl, Key::P)),
            ),
            Self::Lecture => (
                "Lecture mode",
                "Large type and nothing but the two columns, for an audience; Esc leaves it",
                Some((Modifiers::NONE, Key::F5)),
            ),
            Self::ShowKeys => (
                "Keys",
                "All keys in one list",
                Some((Modifiers::NONE, Key::Questionmark)),
            ),
            Self::ShowTerms => ("Words", "What each term means, in one sentence", None),
            Self::ShowCard => (
                "Model card",
                "What the file holds: network, format, parameters, frozen layers, classes",
                None,
            ),
            Self::ShowHint => ("Where to start", "Point at the three things to click", None),
            Self::ResetSettings => (
                "Reset settings",
                "Every setting as at the first start; the files stay open",
                None,
            ),
            Self::OpenLesson => ("Open lesson...", "A lesson file (.toml)", None),
            Self::SaveLesson => (
                "Save as lesson...",
                "Write what is shown now as a lesson of one step",
                None,
            ),
            Self::NextStep => (
                "Next step",
                "The next step of the lesson",
                Some((Modifiers::NONE, Key::PageDown)),
            ),
            Self::PreviousStep => (
                "Previous step",
                "The step before this one",
                Some((Modifiers::NONE, Key::PageUp)),
            ),
            Self::FreePlay => (
                "Free play",
                "Leave the step and change anything; Back to the step sets everything again",
                None,
            ),
            Self::CloseLesson => (
                "Close lesson",
                "End the lesson; your own settings come back",
                None,
            ),
            Self::StartRuns => (
                "Start",
                "Train the open model on the open photos",
                Some((Modifiers::NONE, Key::S)),
            ),
            Self::PauseRuns => (
                "Pause",
                "Stop after this step, to go on later",
                Some((Modifiers::NONE, Key::P)),
            ),
            Self::ResumeRuns => ("Resume", "Go on", Some((Modifiers::NONE, Key::G))),
            Self::StepRuns => (
                "Step",
                "One optimizer step of every run",
                Some((Modifiers::NONE, Key::N)),
            ),
            Self::StopRuns => ("Stop", "End the runs; what they did stays", None),
            Self::ResetRuns => (
                "Reset",
                "Forget the runs: the next ones begin at the open model's weights",
                None,
            ),
        };
        let shortcut = shortcut.map(|(modifiers, key)| KeyboardShortcut::new(modifiers, key));
        Info {
            label,
            tooltip,
            shortcut,
        }
    }
}

impl From<Action> for Command {
    fn from(action: Action) -> Self {
        Self::Do(action)
    }
}

impl Command {
    /// Goes through the history instead of adding to it.
    pub fn is_history(&self) -> bool {
        matches!(self, Self::Do(Action::Undo | Action::Redo))
    }
}
