//! Everything the user can do. Views and panels push commands; the app carries them out.

mod record;
mod shell;

use std::path::PathBuf;

use crate::augment::{AugmentLayer, PipelinePreset};
use crate::model::{LayerId, Mode, Outer, Preprocessing, Semantics};
use crate::state::{CellPlace, ExportChoice, LayerColumn, ThemeChoice, View};
use modelens_jobs::{Grid, ModelSource, PhotosSource};

pub use crate::lesson::LessonSource;
pub use record::RecordCommand;
pub use shell::{LessonCommand, ShellCommand};

/// A command.
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
    Shell(ShellCommand),
    Lesson(LessonCommand),
    Recording(RecordCommand),
    SetSemantics(Option<Semantics>),
    /// What the outer call of the training column says.
    SetCall(Outer),
    /// Records a `training=` value at the call of the base.
    Record(Option<bool>),
    /// `.train()` or `.eval()` of a module, by its name.
    CallModule(String, Mode),
    /// `requires_grad_()` of a container, by its path.
    SetContainerTrainable(String, bool),
    /// Leaves out the values that only the saver recorded, or takes them back in.
    SetRebuilt(bool),
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
    /// Makes the base trainable and freezes this many of its first layers.
    FreezeBefore(usize),
    /// Sets the flags of some layers.
    SetLayersTrainable(Vec<LayerId>, bool),
    /// How often the predict view runs the same batch.
    SetPasses(usize),
    /// Chooses a BatchNorm or noise layer and goes to its view.
    ShowLayer(LayerId),
    SetChannel(usize),
    Noise(NoiseCommand),
    SortChannels(bool),
    CompareNorms(bool),
    Play(PlayCommand),
    /// Lets animations advance in whole steps only.
    ReduceMotion(bool),
    /// Orders the layer table by a column, or from its other end.
    SortLayers(LayerColumn),
    /// Shows the layer table without the four cards.
    OnlyLayers(bool),
    ShowUnreadable(bool),
    DismissNotice(u64),
}

/// A command for the chosen noise layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NoiseCommand {
    /// Replaces the file's rate; refused if the framework would refuse it.
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

/// A command of the Fine-tune view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TrainCommand {
    SetPreset(crate::train::recipe::RunPreset),
    /// Where a PyTorch loop calls `base.eval()`.
    SetEvals(crate::train::recipe::EvalCalls),
    SetOptimizer(crate::train::optimizer::OptimizerKind),
    SetRate(f64),
    SetEpochs(usize),
    /// The number of photos in a step.
    SetBatch(usize),
    /// The number of seeds.
    SetSeeds(usize),
    /// Sets the controls to what the shown runs were started with.
    TakeShown,
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
    /// Asks where to save the model of this run.
    Save(usize),
}

impl From<TrainCommand> for Command {
    fn from(command: TrainCommand) -> Self {
        Self::Training(command)
    }
}

/// A command for the augmentation pipeline or its grid.
#[derive(Clone, Debug, PartialEq)]
pub enum PipelineCommand {
    SetPreset(PipelinePreset),
    /// Takes the layers of the open file.
    UseOwn,
    /// Takes the layers that Python code calls.
    ReadCode(String),
    /// Turns one step on or off.
    SetStep(usize, bool),
    /// Changes the parameters of a step; refused if Keras would refuse them.
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
    /// Moves the enlarged cell by this many cells.
    StepCell(isize),
    /// New draws for one cell.
    RedrawCell(usize),
    SetDivider(f32),
    ShowFill(bool),
}

/// A command of the export dialog.
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

/// A command for the walk of the moving statistics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WalkCommand {
    /// Batches of one press of "run".
    SetSteps(usize),
    /// `None`: the layer's own.
    SetMomentum(Option<f64>),
    Run,
    Stop,
    Reset,
    /// Shows the mechanism in the place of the plots, or the plots again.
    Watch(bool),
}

/// A command for the animation of the shown view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlayCommand {
    Play,
    Pause,
    Step,
    /// Back to the beginning.
    Restart,
}

impl From<PlayCommand> for Command {
    fn from(command: PlayCommand) -> Self {
        Self::Play(command)
    }
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
    /// Plays or pauses the animation of the shown view.
    PlayPause,
    PreviousPhoto,
    NextPhoto,
    OpenBase,
    OpenPhotos,
    OpenPhotoFile,
    Export,
    NewSeed,
    /// `base.trainable = False`.
    FreezeBase,
    UnfreezeBase,
    FreezeAll,
    UnfreezeAll,
    FineTuneFrom,
    ResetFlags,
    /// PyTorch: `model.train()`, which sets the mode of every module.
    TrainModel,
    /// PyTorch: `base.eval()`.
    EvalBase,
    /// PyTorch: `.eval()` of every BatchNorm.
    EvalBatchNorms,
    /// Takes the flags as they are now for training.
    Compile,
    Cancel,
    Retry,
    Undo,
    Redo,
    FindCommand,
    Lecture,
    /// In a lecture: a black screen until a key is pressed.
    BlankScreen,
    /// Shows or hides the speaker notes of a step.
    ShowNotes,
    /// Shows or hides input and layers.
    SidePanel,
    /// Shows what a link hides.
    ShowHidden,
    ShowKeys,
    ShowTerms,
    /// What the open model is.
    ShowCard,
    ResetSettings,
    OpenLesson,
    SaveLesson,
    /// Starts or ends the recording of a lesson.
    RecordLesson,
    /// Copies a link to the present state.
    CopyLink,
    /// Opens a link to a state.
    PasteLink,
    /// Saves the open lesson as HTML or PDF.
    SaveHandout,
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

impl Action {
    /// True if holding the key down repeats the action.
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

    /// Every action, in the order of the command palette. Shortcuts with Shift come first: Ctrl+O
    /// would also match Ctrl+Shift+O.
    pub fn all() -> impl Iterator<Item = Self> {
        let views = View::ALL.into_iter().map(Self::Show);
        views.chain(Self::OTHERS.iter().copied())
    }

    /// All but the views.
    const OTHERS: &[Self] = &[
        Self::StartRuns,
        Self::PauseRuns,
        Self::ResumeRuns,
        Self::StepRuns,
        Self::StopRuns,
        Self::ResetRuns,
        Self::Redraw,
        Self::PlayPause,
        Self::PreviousPhoto,
        Self::NextPhoto,
        Self::NewSeed,
        Self::FreezeBase,
        Self::UnfreezeBase,
        Self::FreezeAll,
        Self::UnfreezeAll,
        Self::FineTuneFrom,
        Self::ResetFlags,
        Self::TrainModel,
        Self::EvalBase,
        Self::EvalBatchNorms,
        Self::Compile,
        Self::Redo,
        Self::Undo,
        Self::OpenPhotos,
        Self::OpenPhotoFile,
        Self::OpenBase,
        Self::Export,
        Self::Lecture,
        Self::BlankScreen,
        Self::ShowNotes,
        Self::SidePanel,
        Self::ShowHidden,
        Self::OpenLesson,
        Self::NextStep,
        Self::PreviousStep,
        Self::FreePlay,
        Self::CloseLesson,
        Self::SaveLesson,
        Self::RecordLesson,
        Self::CopyLink,
        Self::PasteLink,
        Self::SaveHandout,
        Self::FindCommand,
        Self::ShowKeys,
        Self::ShowTerms,
        Self::ShowCard,
        Self::ResetSettings,
        Self::Cancel,
        Self::Retry,
    ];

    /// True for the actions that drive training runs; their keys work in the Fine-tune view only.
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
}

impl From<Action> for Command {
    fn from(action: Action) -> Self {
        Self::Do(action)
    }
}

impl Command {
    /// True for undo and redo, which the history does not record.
    pub fn is_history(&self) -> bool {
        matches!(self, Self::Do(Action::Undo | Action::Redo))
    }
}
