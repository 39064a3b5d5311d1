//! Labels and tooltips of actions.

use crate::command::Action;

/// An action's label and tooltip.
#[allow(clippy::too_many_lines, reason = "one table")]
pub fn action(action: Action) -> [&'static str; 2] {
    match action {
        Action::Show(view) => {
            let page = view.page();
            [page.label(), page.tooltip()]
        }
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
