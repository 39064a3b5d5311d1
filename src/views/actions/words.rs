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
        Action::Redraw => ["Redraw", "New random draws on the same photos"],
        Action::PlayPause => [
            "Play or pause",
            "Play the animation of this view, or pause it",
        ],
        Action::PreviousPhoto => ["Previous photo", "Previous photo"],
        Action::NextPhoto => ["Next photo", "Next photo"],
        Action::OpenBase => [
            "Open file...",
            "A Keras .h5 or .keras file, a PyTorch state dict (.safetensors, .pth, .pt) or exported program (.pt2), \
             or an .onnx file",
        ],
        Action::OpenPhotos => [
            "Open folder...",
            "A folder with one folder of photos for each class",
        ],
        Action::OpenPhotoFile => [
            "Open archive or file...",
            "Photos in a .zip, .tar or .tgz, arrays in an .npz, or a single photo",
        ],
        Action::Export => [
            "Export...",
            "Save the view or the window as SVG or PNG, or copy it",
        ],
        Action::NewSeed => ["New seed", "New batch and new random draws"],
        Action::FreezeBase => [
            "Freeze the base",
            "base.trainable = False: every layer of the base. The head still learns",
        ],
        Action::UnfreezeBase => [
            "Unfreeze the base",
            "base.trainable = True: every layer of the base",
        ],
        Action::FreezeAll => [
            "Freeze all",
            "Set trainable to False on every layer, the head too: nothing learns",
        ],
        Action::UnfreezeAll => ["Unfreeze all", "Set trainable to True on every layer"],
        Action::FineTuneFrom => [
            "Fine-tune from",
            "Make the base trainable, then freeze its layers before this one",
        ],
        Action::ResetFlags => ["Reset to file", "Back to the flags in the file"],
        Action::TrainModel => [
            "model.train()",
            "Put every module into training mode, as each epoch of a training loop does. A base.eval() \
             before it is lost",
        ],
        Action::EvalBase => [
            "base.eval()",
            "Put everything before the head into evaluation mode",
        ],
        Action::EvalBatchNorms => [
            "BatchNorm.eval()",
            "Put every BatchNorm into evaluation mode: a loop over model.modules()",
        ],
        Action::Compile => ["compile()", "Train with the current flags"],
        Action::Cancel => ["Cancel", "Stop the current computation"],
        Action::Retry => ["Run again", "Compute this view"],
        Action::Undo => ["Undo", "Undo the last change"],
        Action::Redo => ["Redo", "Redo the last undone change"],
        Action::FindCommand => ["Find a command...", "Find any action or choice by its name"],
        Action::Lecture => [
            "Lecture mode",
            "Large type and only the two columns, for an audience. Esc leaves it",
        ],
        Action::BlankScreen => [
            "Blank screen",
            "A black screen until a key is pressed. In lecture mode alone",
        ],
        Action::ShowNotes => [
            "Speaker notes",
            "Show or hide the notes of this step. The audience sees them too",
        ],
        Action::SidePanel => ["Side panel", "Show or hide the input and the layers"],
        Action::ShowHidden => [
            "Show all controls",
            "Show the parts of the window that the link hides",
        ],
        Action::ShowKeys => ["Keys", "All keys in one list"],
        Action::ShowTerms => ["Words", "What each term means, in one sentence"],
        Action::ShowCard => [
            "Model card",
            "What the file holds: network, format, parameters, frozen layers, classes",
        ],
        Action::ResetSettings => [
            "Reset settings",
            "Back to the settings of the first start. Runs end; files stay open",
        ],
        Action::OpenLesson => ["Open lesson...", "A lesson file (.toml)"],
        Action::SaveLesson => [
            "Save as lesson...",
            "Save what is shown now as a lesson with one step",
        ],
        Action::RecordLesson => [
            "Record a lesson",
            "Make a lesson by showing it: add what the window shows as a step, write, try, save",
        ],
        Action::CopyLink => [
            "Copy link",
            "Copy the present state as one line that opens it elsewhere",
        ],
        Action::PasteLink => ["Paste a state...", "Open a link that Copy link made"],
        Action::SaveHandout => [
            "Save handout...",
            "The whole lesson with its figures, questions and answers, as HTML or PDF",
        ],
        Action::NextStep => ["Next step", "The next step of the lesson"],
        Action::PreviousStep => ["Previous step", "The step before this one"],
        Action::FreePlay => [
            "Free play",
            "Leave the step and change anything. Back to the step restores it",
        ],
        Action::CloseLesson => [
            "Close lesson",
            "End the lesson and restore your own settings",
        ],
        Action::StartRuns => ["Start", "Train the open model on the open photos"],
        Action::PauseRuns => ["Pause", "Pause after this step"],
        Action::ResumeRuns => ["Resume", "Continue the runs"],
        Action::StepRuns => ["Step", "One optimizer step of every run"],
        Action::StopRuns => ["Stop", "End the runs and keep their results"],
        Action::ResetRuns => [
            "Reset",
            "Forget the runs. The next ones start from the open model's weights",
        ],
    }
}
