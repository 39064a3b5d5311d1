//! Titles and filters of the file dialogs.

pub const OPEN_BASE: &str = "Open a base";
pub const MODELS: &str = "Models";
pub const ALL_FILES: &str = "All files";
#[cfg(not(target_family = "wasm"))]
pub const OPEN_PHOTOS: &str = "Open a folder of photos";
pub const OPEN_LESSON: &str = "Open a lesson";
pub const LESSONS: &str = "Lessons";
pub const SAVE_LESSON: &str = "Save as a lesson";
pub const SAVE_HANDOUT: &str = "Save the handout";
pub const HTML: &str = "HTML in one file";
pub const PDF: &str = "PDF";
pub const SAVE_FIGURE: &str = "Save the figure";
pub const SAVE_MODEL: &str = "Save the trained model";
pub const MODEL: &str = "Model";
pub const OPEN_PHOTO_FILE: &str = "Open an archive or a file of photos";

// Where the path is typed.
pub const NO_DIALOG: &str = "This system offers no file dialog (a desktop portal, or zenity). Type the path; ~ is your \
     home folder.";
pub const PATH: &str = "Path";
pub const OPEN: &str = "Open";
pub const SAVE: &str = "Save";
pub const REPLACE: &str = "Replace";
pub const NO_PATH: &str = "Type a path first";

/// Why dropped or chosen files are not read: all of them, and the most a page takes, in bytes.
#[cfg(target_family = "wasm")]
pub fn too_large(names: &str, bytes: f64, most: f64) -> String {
    let [bytes, most] = [bytes, most].map(|bytes| (bytes / 1e6).round());
    format!(
        "{bytes} MB ({names}) are more than the {most} MB that a page has memory for. Nothing was read; the program opens \
         larger files."
    )
}
#[cfg(target_family = "wasm")]
pub const TOO_LARGE: &str = "Too large for the page";

pub fn no_file(path: &str) -> String {
    format!("There is no such file or folder: {path}")
}

pub fn no_folder(path: &str) -> String {
    format!("There is no such folder: {path}")
}

pub fn is_folder(path: &str) -> String {
    format!("This is a folder. Add a file name: {path}")
}

pub fn would_replace(path: &str) -> String {
    format!("This file exists. Press Replace to overwrite it: {path}")
}

#[cfg(not(target_family = "wasm"))]
pub const UNOPENED: &str = "The file dialog could not be opened";
pub const PHOTOS: &str = "Photos";
