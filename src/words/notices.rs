//! Messages: what could not be done, and warnings.

// Panels.
pub const DISMISS: &str = "Dismiss";
pub const WARNINGS: &str = "Warnings";
pub const DROP: &str = "Drop a model file, a photo, or a folder of photos";

// Settings.
pub const SETTINGS_UNREAD: &str = "The settings could not be read";
pub const SETTINGS_UNKEPT: &str = "The settings could not be saved";

// Titles of messages.
pub const MODEL_UNOPENED: &str = "The model could not be opened";
pub const LAST_UNOPENED: &str = "What was open last could not be opened";
pub const ADDRESS_UNOPENED: &str = "What the address names could not be opened";
pub const PHOTOS_UNOPENED: &str = "The photos could not be opened";
pub const PHOTO_UNSHOWN: &str = "The photo could not be shown";
pub const VIEW_UNCOMPUTED: &str = "The view could not be computed";
pub const BATCHES_UNMEASURED: &str = "The batches could not be measured";
pub const FIGURE_UNSAVED: &str = "The figure could not be saved";
pub const MODEL_UNSAVED: &str = "The model could not be saved";
pub const RUNS_BROKE_OFF: &str = "The runs stopped";

// Lessons.
pub const LESSON_UNSAVED: &str = "The lesson could not be saved";
pub const LESSON_UNOPENED: &str = "The lesson could not be opened";

pub fn of_step(step: usize, error: &str) -> String {
    format!("step {step}: {error}")
}

/// An expectation of a step that does not hold.
pub fn broken_in_step(step: usize, title: &str, broken: &str) -> String {
    format!("step {step}, {title}: {broken}")
}

pub const PREDICTION_CONTRADICTED: &str =
    "the numbers contradict the answer that is marked as right";
pub const STEP_UNRECORDED: &str = "The step could not be added";
pub const LINK_UNCOPIED: &str = "The link could not be copied";
pub const LINK_COPIED: &str = "Copied";
pub const LINK_UNOPENED: &str = "The link could not be opened as written";
pub const ADDRESS_HOW: &str = "The address opens this state in a browser.";
pub const LINK_HOW: &str = "The link opens this state: Paste a state... in the Help menu, or modelens with the link in \
     quotes.";
#[cfg(target_family = "wasm")]
pub const NO_STORAGE: &str = "this browser keeps nothing for this page (it blocks cookies and site data), so settings \
     last until the page is closed";
pub const HANDOUT_UNSAVED: &str = "The handout could not be saved";

pub fn no_thread(error: &std::io::Error) -> String {
    format!("no thread can be started: {error}")
}

pub const STEP_UNSHOWN: &str = "The step could not be shown as written";

// The file of settings.
pub fn newer_settings(version: u64, path: &str) -> String {
    format!(
        "They were written by a newer modelens (file version {version}). Defaults are used, \
     and the file is left unchanged: {path}"
    )
}

pub fn settings_aside(cause: &str, aside: &str) -> String {
    format!("{cause}. Defaults are used; the file is kept as {aside}")
}

pub fn settings_unwritten(cause: &str, path: &str) -> String {
    format!("{cause}. Defaults are used, and nothing is written: {path}")
}

pub const NOT_A_FILE: &str = "it is not a file";
pub const TOO_LARGE: &str = "it is too large for a settings file";
pub const NO_VERSION: &str = "it has no version";
pub const ZOOM_NO_NUMBER: &str = "its zoom is not a number";
