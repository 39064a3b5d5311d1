//! Every text of the window, in plain Rust: a `const` for fixed words, a function where measured
//! numbers go in.
//!
//! One file a view or part of the window; sentences with many cases have a file of their own
//! beneath it. [`common`] has the words that stand in many places, [`number`] writes numbers,
//! [`nearest`] finds what a mistyped name may mean, [`terms`] is the list of terms. `**...**` stands out. A translation is a second module with the
//! same items: nothing else in the program holds a text, and a test in `tests/suite/texts.rs`
//! keeps it so.
//!
//! Not here, and to be left as they are: the errors of `model`, `dataset`, `train`, `lesson` and
//! `worker` (their enums hold the sentences), what `augment`, `model` and `train` call their own
//! things (draws, presets, the lines of the model card), the help of the command line, code in the
//! frameworks' own words (`views/code.rs`, `views/dropout/code.rs`), names such as
//! `training=True`, and the bundled lessons (TOML).

pub mod call;
pub mod commands;
pub mod common;
pub mod dialogs;
pub mod export;
pub mod hint;
pub mod input;
pub mod layers;
pub mod lesson;
pub mod modes;
pub mod notices;
pub mod number;
pub mod plots;
pub mod sheets;
pub mod terms;
pub mod titles;
pub mod window;
