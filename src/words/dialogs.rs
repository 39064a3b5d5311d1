//! Titles and filters of the file dialogs.

pub const OPEN_BASE: &str = "Open a base";
pub const MODELS: &str = "Models";
pub const ALL_FILES: &str = "All files";
pub const OPEN_PHOTOS: &str = "Open a folder of photos";
pub const OPEN_LESSON: &str = "Open a lesson";
pub const LESSONS: &str = "Lessons";
pub const SAVE_LESSON: &str = "Save as a lesson";
pub const SAVE_FIGURE: &str = "Save the figure";
pub const SAVE_MODEL: &str = "Save the trained model";
pub const MODEL: &str = "Model";
#[cfg(not(target_family = "wasm"))]
pub const NO_DIALOG: &str = "The system offers no file dialog (a desktop portal, or zenity). \
     Drop files onto the window, or name them on the command line.";
#[cfg(not(target_family = "wasm"))]
pub const UNOPENED: &str = "The file dialog could not be opened";
pub const PHOTOS: &str = "Photos";
