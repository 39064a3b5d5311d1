//! Names and explanations of the commands, and the list of them.

use crate::command::Action;
use crate::state::View;

/// An action's label and tooltip.
#[allow(clippy::too_many_lines, reason = "one table")]
pub fn action(action: Action) -> [&'static str; 2] {
    match action {
        Action::Show(View::Augmentation) => [
            "Augmentation",
            "One photo nine times through random flips and rotations",
        ],
        Action::Show(View::Dropout) => ["Dropout", "Which units a dropout layer drops"],
        Action::Show(View::BatchNorm) => [
            "BatchNorm",
            "Which mean and variance a BatchNorm layer normalises with",
        ],
        Action::Show(View::Trainable) => [
            "Trainable",
            "What trainable and training each protect, measured by one optimizer step",
        ],
        Action::Show(View::FineTune) => [
            "Fine-tune",
            "Real training steps on these photos, with the switches set in different ways",
        ],
        Action::Show(View::Predict) => [
            "Predict",
            "The photo's top five in both modes, pass by pass and among other batch-mates",
        ],
        Action::Redraw => ["Redraw", "Draw anew, on the same photos"],
        Action::PreviousPhoto => ["Previous photo", "Previous photo"],
        Action::NextPhoto => ["Next photo", "Next photo"],
        Action::OpenBase => [
            "Open file...",
            "A Keras .h5 or .keras file, a PyTorch state dict (.safetensors, .pth, .pt), or an .onnx file",
        ],
        Action::OpenPhotos => [
            "Open folder...",
            "A folder with one folder of photos for each class",
        ],
        Action::Export => [
            "Export...",
            "Save the view or the window as SVG or PNG, or copy it",
        ],
        Action::NewSeed => ["New seed", "Another batch of photos and other draws"],
        Action::FreezeAll => ["Freeze all", "Set trainable to False on every layer"],
        Action::UnfreezeAll => ["Unfreeze all", "Set trainable to True on every layer"],
        Action::FineTuneFrom => [
            "Fine-tune from",
            "Make the base trainable, then freeze its layers before this one",
        ],
        Action::ResetFlags => ["Reset to file", "The flags as they are in the file"],
        Action::Compile => ["compile()", "Train with the flags as they are now"],
        Action::Cancel => ["Cancel", "Stop what runs"],
        Action::Retry => ["Run again", "Compute this view"],
        Action::Undo => ["Undo", "Take the last change back"],
        Action::Redo => ["Redo", "Do again what was taken back"],
        Action::FindCommand => [
            "Find a command...",
            "Every action and choice, found by its name",
        ],
        Action::Lecture => [
            "Lecture mode",
            "Large type and nothing but the two columns, for an audience; Esc leaves it",
        ],
        Action::SidePanel => ["Side panel", "Show or hide the input and the layers"],
        Action::ShowKeys => ["Keys", "All keys in one list"],
        Action::ShowTerms => ["Words", "What each term means, in one sentence"],
        Action::ShowCard => [
            "Model card",
            "What the file holds: network, format, parameters, frozen layers, classes",
        ],
        Action::ShowHint => ["Where to start", "Point at the three things to click"],
        Action::ResetSettings => [
            "Reset settings",
            "Every setting as at the first start; runs end, the files stay open",
        ],
        Action::OpenLesson => ["Open lesson...", "A lesson file (.toml)"],
        Action::SaveLesson => [
            "Save as lesson...",
            "Write what is shown now as a lesson of one step",
        ],
        Action::NextStep => ["Next step", "The next step of the lesson"],
        Action::PreviousStep => ["Previous step", "The step before this one"],
        Action::FreePlay => [
            "Free play",
            "Leave the step and change anything; Back to the step sets everything again",
        ],
        Action::CloseLesson => [
            "Close lesson",
            "End the lesson; your own settings come back",
        ],
        Action::StartRuns => ["Start", "Train the open model on the open photos"],
        Action::PauseRuns => ["Pause", "Stop after this step, to go on later"],
        Action::ResumeRuns => ["Resume", "Go on"],
        Action::StepRuns => ["Step", "One optimizer step of every run"],
        Action::StopRuns => ["Stop", "End the runs; what they did stays"],
        Action::ResetRuns => [
            "Reset",
            "Forget the runs: the next ones begin at the open model's weights",
        ],
    }
}

// The list of commands.
pub const TYPE_PART_OF_NAME: &str = "type a part of a name";
pub const FIND_NAME: &str = "Find a command";

pub fn place(at: usize, all: usize, name: &str) -> String {
    format!("{at} of {all}: {name}")
}

pub const NOTHING_FOUND: &str = "No command has this in its name";
pub const NOW: &str = "now";

pub fn not_now(why_not: &str) -> String {
    format!("Not now: {why_not}")
}

// Choices in the list, and why one cannot be made now.
pub fn photo(name: &str) -> String {
    format!("Photo: {name}")
}

pub fn view(label: &str) -> String {
    format!("View: {label}")
}

pub fn from_layer(label: &str, layer: usize) -> String {
    format!("{label} layer {layer}")
}

pub fn fine_tune(label: &str) -> String {
    format!("Fine-tune: {label}")
}

pub const NO_BASE: &str = "no base is open";
pub const NO_OTHER_PHOTO: &str = "there is no other photo";
pub const SEED_LOCKED: &str = "the seed is locked";
pub const NOTHING_CHANGED: &str = "nothing was changed";
pub const NOTHING_TAKEN_BACK: &str = "nothing was taken back";
pub const NOTHING_RUNS: &str = "nothing runs";
pub const NO_LESSON: &str = "no lesson is open";
pub const LAST_STEP: &str = "this is the last step";
pub const FIRST_STEP: &str = "this is the first step";
pub const NOTHING_OPEN: &str = "no base and no photos are open";
pub const RUNS_UNDER_WAY: &str = "the runs are under way";
pub const RUNS_PAUSED: &str = "the runs are paused: resume or reset them";
pub const NOTHING_PAUSED: &str = "nothing is paused";
pub const NOTHING_HAS_RUN: &str = "nothing has run";

pub fn fine_tune_with(optimizer: &str) -> String {
    format!("Fine-tune with {optimizer}")
}

pub const NEW_HEAD: &str = "a new head";
pub const OWN_HEAD: &str = "the file's own head";

pub fn fine_tune_head(label: &str) -> String {
    format!("Fine-tune {label}")
}

pub const BY_FILE: &str = "by the file";

pub fn rules(label: &str) -> String {
    format!("Rules of: {label}")
}

pub fn pipeline(label: &str) -> String {
    format!("Augmentation pipeline: {label}")
}

pub const OWN_PIPELINE: &str = "Augmentation pipeline: the model's own";
pub const NO_OWN_PIPELINE: &str = "the base has no augmentation layers";

pub fn grid(label: &str) -> String {
    format!("Grid: {label}")
}

pub fn theme(label: &str) -> String {
    format!("Theme: {label}")
}

pub fn scale(label: &str) -> String {
    format!("Scale: {label}")
}

pub const AUGMENT_ON: &str = "Batch goes through augmentation: on";
pub const AUGMENT_OFF: &str = "Batch goes through augmentation: off";
pub const LOCK_SEED: &str = "Lock the seed";
pub const UNLOCK_SEED: &str = "Unlock the seed";

pub fn batch_of(batch: usize) -> String {
    format!("Batch of {batch}")
}

pub fn base(title: &str) -> String {
    format!("Base: {title}")
}

pub fn photos(title: &str) -> String {
    format!("Photos: {title}")
}

pub const FORGET_RECENT: &str = "Forget recent files";
pub const NO_RECENT: &str = "there are none";

pub fn lesson(title: &str) -> String {
    format!("Lesson: {title}")
}

pub fn layer(name: &str) -> String {
    format!("Layer: {name}")
}

pub const FREEZE: &str = "Freeze";
pub const UNFREEZE: &str = "Unfreeze";

/// Keys that egui writes otherwise than keyboards do: its name, theirs.
pub const KEYS: [(&str, &str); 3] = [
    ("Questionmark", "?"),
    ("PageDown", "Page Down"),
    ("PageUp", "Page Up"),
];
