//! How actions look to the user, and when they can be done.

mod words;

use eframe::egui::{Key, KeyboardShortcut, Modifiers};

use super::dropout;
use super::fine_tune::experiment;
use crate::command::Action;
use crate::lesson::{OpenLesson, link};
use crate::model::Semantics;
use crate::state::{State, Status, View};
use crate::words::commands as reasons;

/// Label, tooltip and shortcut of an action.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    pub label: &'static str,
    pub tooltip: &'static str,
    pub shortcut: Option<KeyboardShortcut>,
}

/// The keys of the views, in the order of their tabs; there may be fewer views.
const VIEW_KEYS: [Key; 10] = [
    Key::Num0,
    Key::Num1,
    Key::Num2,
    Key::Num3,
    Key::Num4,
    Key::Num5,
    Key::Num6,
    Key::Num7,
    Key::Num8,
    Key::Num9,
];
/// The key of presenters' remotes for the start of a lecture.
#[cfg(not(target_family = "wasm"))]
const LECTURE_KEY: Key = Key::F5;
/// A browser keeps F5 for itself: it loads the page again.
#[cfg(target_family = "wasm")]
const LECTURE_KEY: Key = Key::F8;

// Every view has a key.
const _: () = assert!(View::COUNT <= VIEW_KEYS.len());

impl Action {
    /// Label, tooltip and shortcut.
    pub fn info(self) -> Info {
        let [label, tooltip] = words::action(self);
        Info {
            label,
            tooltip,
            shortcut: self.shortcut(),
        }
    }

    fn shortcut(self) -> Option<KeyboardShortcut> {
        let plain = Modifiers::NONE;
        let ctrl = Modifiers::COMMAND;
        let (modifiers, key) = match self {
            Self::Show(view) => (plain, VIEW_KEYS[view as usize]),
            Self::Redraw => (plain, Key::R),
            Self::PlayPause => (plain, Key::Space),
            Self::PreviousPhoto => (plain, Key::ArrowLeft),
            Self::NextPhoto => (plain, Key::ArrowRight),
            Self::OpenBase => (ctrl, Key::O),
            Self::OpenPhotos => (ctrl.plus(Modifiers::SHIFT), Key::O),
            Self::Export => (ctrl, Key::E),
            Self::Undo => (ctrl, Key::Z),
            Self::Redo => (ctrl.plus(Modifiers::SHIFT), Key::Z),
            Self::FindCommand => (ctrl, Key::P),
            Self::Lecture => (plain, LECTURE_KEY),
            Self::BlankScreen => (plain, Key::B),
            Self::SidePanel => (ctrl, Key::B),
            Self::ShowKeys => (plain, Key::Questionmark),
            Self::NextStep => (plain, Key::PageDown),
            Self::PreviousStep => (plain, Key::PageUp),
            Self::StartRuns => (plain, Key::S),
            Self::PauseRuns => (plain, Key::P),
            Self::ResumeRuns => (plain, Key::G),
            // In Fine-tune the key takes a step.
            Self::StepRuns | Self::ShowNotes => (plain, Key::N),
            Self::OpenPhotoFile
            | Self::ShowHidden
            | Self::NewSeed
            | Self::FreezeBase
            | Self::UnfreezeBase
            | Self::FreezeAll
            | Self::UnfreezeAll
            | Self::FineTuneFrom
            | Self::ResetFlags
            | Self::TrainModel
            | Self::EvalBase
            | Self::EvalBatchNorms
            | Self::Compile
            | Self::Cancel
            | Self::Retry
            | Self::ShowTerms
            | Self::ShowCard
            | Self::ResetSettings
            | Self::OpenLesson
            | Self::SaveLesson
            | Self::RecordLesson
            | Self::CopyLink
            | Self::PasteLink
            | Self::SaveHandout
            | Self::FreePlay
            | Self::CloseLesson
            | Self::StopRuns
            | Self::ResetRuns => return None,
        };
        Some(KeyboardShortcut::new(modifiers, key))
    }

    /// A second shortcut, for actions that other programs put on either of two keys.
    pub fn second_shortcut(self) -> Option<KeyboardShortcut> {
        let (modifiers, key) = match self {
            Self::Redo => (Modifiers::COMMAND, Key::Y),
            // A browser may open its own help.
            Self::Show(View::Start) if !cfg!(target_family = "wasm") => (Modifiers::NONE, Key::F1),
            // Presenters' remotes send either of the two.
            Self::BlankScreen => (Modifiers::NONE, Key::Period),
            _ => return None,
        };
        Some(KeyboardShortcut::new(modifiers, key))
    }

    /// Why the action can't be done now; `None` if it can.
    pub fn why_not(self, state: &State) -> Option<&'static str> {
        let steps = || {
            state
                .lesson
                .as_ref()
                .map(|l| (l.step, l.lesson.steps.len()))
        };
        match self {
            Self::PreviousPhoto | Self::NextPhoto => {
                let photos = state.photos().map_or(0, |photos| photos.photos.len());
                (photos < 2).then_some(reasons::NO_OTHER_PHOTO)
            }
            Self::PlayPause => why_no_animation(state),
            Self::NewSeed if state.settings.seed_locked => Some(reasons::SEED_LOCKED),
            Self::FreezeBase
            | Self::UnfreezeBase
            | Self::FreezeAll
            | Self::UnfreezeAll
            | Self::FineTuneFrom
            | Self::ResetFlags
            | Self::Compile => state.opened.base.is_none().then_some(reasons::NO_BASE),
            Self::TrainModel | Self::EvalBase | Self::EvalBatchNorms
                if state.semantics() != Semantics::PyTorch =>
            {
                Some(reasons::ONLY_IN_PYTORCH)
            }
            Self::EvalBase | Self::EvalBatchNorms => {
                state.opened.base.is_none().then_some(reasons::NO_BASE)
            }
            Self::Undo if !state.shell.can_undo[0] => Some(reasons::NOTHING_CHANGED),
            Self::Redo if !state.shell.can_undo[1] => Some(reasons::NOTHING_TAKEN_BACK),
            Self::Cancel if state.computed.running.is_empty() => Some(reasons::NOTHING_RUNS),
            Self::NextStep | Self::PreviousStep | Self::FreePlay | Self::CloseLesson => {
                match (self, steps()) {
                    (_, None) => Some(reasons::NO_LESSON),
                    (Self::NextStep, Some(_)) if state.is_veiled() => None,
                    (Self::NextStep, Some((step, steps))) if step + 1 >= steps => {
                        Some(reasons::LAST_STEP)
                    }
                    (Self::PreviousStep, Some((0, _))) => Some(reasons::FIRST_STEP),
                    _ => None,
                }
            }
            Self::Export if state.is_veiled() => Some(reasons::ANSWER_FIRST),
            run if run.is_of_runs() => run.why_no_run(state),
            Self::BlankScreen if state.shell.lecture.is_none() => Some(reasons::NO_LECTURE),
            Self::ShowNotes => {
                let step = state.lesson.as_ref().and_then(OpenLesson::now);
                let notes = step.and_then(|step| step.notes.as_ref());
                notes.is_none().then_some(reasons::NO_NOTES)
            }
            Self::ShowHidden => {
                let hidden = state.lesson.is_none() && !state.shell.hidden.is_empty();
                (!hidden).then_some(reasons::NOTHING_HIDDEN)
            }
            Self::SaveHandout if state.lesson.is_none() => Some(reasons::NO_LESSON),
            Self::CopyLink => {
                let opened = &state.opened;
                let files = opened.base.as_ref().zip(opened.gallery.as_ref());
                match files {
                    None => Some(reasons::NOTHING_OPEN),
                    Some((base, gallery)) => (!link::can_name(&base.source, &gallery.source))
                        .then_some(reasons::ONLY_BUNDLED),
                }
            }
            Self::SaveLesson => {
                let open = state.opened.base.is_some() && state.opened.gallery.is_some();
                (!open).then_some(reasons::NOTHING_OPEN)
            }
            _ => None,
        }
    }

    /// [`Self::why_not`] for the actions that drive training runs.
    fn why_no_run(self, state: &State) -> Option<&'static str> {
        use Status::{Ended, Idle, Paused, Preparing, Running};
        if experiment(state).is_none() {
            return Some(reasons::NOTHING_OPEN);
        }
        match (self, state.training.status) {
            (Self::StartRuns | Self::StepRuns, Preparing | Running) => {
                Some(reasons::RUNS_UNDER_WAY)
            }
            (Self::StartRuns, Paused) => Some(reasons::RUNS_PAUSED),
            (Self::PauseRuns, Idle | Ended | Paused) | (Self::StopRuns, Idle | Ended) => {
                Some(reasons::NOTHING_RUNS)
            }
            (Self::ResumeRuns, Idle | Ended | Preparing | Running) => Some(reasons::NOTHING_PAUSED),
            (Self::ResetRuns, _) if state.training.runs.is_empty() => {
                Some(reasons::NOTHING_HAS_RUN)
            }
            _ => None,
        }
    }
}

/// Why the shown view has nothing to play; `None` if it has.
fn why_no_animation(state: &State) -> Option<&'static str> {
    let plays = match state.settings.view {
        View::BatchNorm => !state.settings.compare_norms,
        View::Dropout => dropout::can_play(state),
        View::Start
        | View::Augmentation
        | View::Trainable
        | View::FineTune
        | View::Predict
        | View::Releases => false,
    };
    let result = state.computed.result(state.settings.view);
    (!plays || result.is_none()).then_some(reasons::NO_ANIMATION)
}
