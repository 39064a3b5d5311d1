//! The texts of the window that no single view owns, in plain Rust: a `const` for fixed words, a
//! function where measured numbers go in. A view's own texts are in its folder, `views/*/words.rs`.
//!
//! One file for each part of the window. [`common`] has words that several parts use, [`number`]
//! writes numbers, [`markup`] reads the `**` of a text, [`terms`] is the list of terms. A translation
//! would be a second set of these files: nothing else holds a text, which `tests/suite/texts.rs`
//! checks.
//!
//! Not here: the errors of `model`, `dataset`, `train`, `lesson` and the jobs (their enums hold the
//! sentences), the names that `augment`, `model` and `train` give their own things (draws, presets,
//! the lines of the model card), the help of the command line, code in the frameworks' own words
//! (`views/*/code.rs`), names such as `training=True`, and the bundled lessons (TOML).

pub(crate) mod call;
pub(crate) mod commands;
pub(crate) mod common;
pub mod dialogs;
pub(crate) mod export;
pub(crate) mod handout;
pub(crate) mod input;
pub(crate) mod layers;
pub(crate) mod lesson;
pub(crate) mod markup;
pub(crate) mod modes;
pub mod notices;
pub mod number;
pub(crate) mod plots;
pub(crate) mod record;
pub(crate) mod sheets;
pub mod terms;
pub(crate) mod titles;
pub(crate) mod window;
