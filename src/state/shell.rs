//! The window itself: lists above it, lecture mode, recent files.

use std::path::PathBuf;

use eframe::egui::Vec2;

use super::Recent;
use crate::lesson::Control;
use modelens_jobs::CachedModel;

/// State of the window that belongs to no view.
#[derive(Debug, Default)]
pub struct Shell {
    pub recent: Recent,
    /// Whether there is something to undo, and to redo.
    pub can_undo: [bool; 2],
    /// The search of the command palette while it is open.
    pub search: Option<Search>,
    /// Whether input and layers are shown; `None`: if there is room for them.
    pub side_panel: Option<bool>,
    /// Parts of the window that a link without a lesson hides.
    pub hidden: Vec<Control>,
    /// The window is part of another page.
    pub embedded: bool,
    /// The address of a page with this program, for links; empty: a link has none before it.
    pub page: String,
    /// Set while the window is shown to an audience.
    pub lecture: Option<Lecture>,
    /// Whether the speaker notes of a lesson are shown.
    pub notes: bool,
    pub sheet: Option<Sheet>,
    /// The path that is being typed into [`Sheet::Path`].
    pub typed: Option<TypedPath>,
    /// The file of weights that a network is to be chosen for.
    pub weights: Option<PathBuf>,
    /// The models in the caches of the frameworks.
    pub cached: Vec<CachedModel>,
}

/// What was typed into the command palette, and which row is chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    pub text: String,
    pub row: usize,
}

/// A list that covers the window until it is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sheet {
    Keys,
    Terms,
    /// What the open model is.
    Card,
    /// Which network a file of weights belongs to.
    Network,
    /// A field for a link to a state.
    Paste,
    /// A path, where the system offers no file dialog.
    Path,
}

/// A path that is typed where the system offers no file dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedPath {
    /// What the path is for.
    pub title: &'static str,
    pub text: String,
    /// A file is written, not opened.
    pub saves: bool,
    /// Why the path was not taken.
    pub refused: Option<String>,
    /// The existing file that is overwritten when the path is taken again.
    pub replaces: Option<PathBuf>,
}

/// How the window was before the lecture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lecture {
    /// The zoom to go back to.
    pub zoom_before: f32,
    /// The size, in the system's points, that the present zoom was made for.
    pub fitted: Option<Vec2>,
    /// Nothing is shown until a key is pressed.
    pub blank: bool,
    /// The pointer is hidden until it moves.
    pub pointer_hidden: bool,
}
