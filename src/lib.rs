#![doc = include_str!("../README.md")]
//!
//! # Modules
//!
//! Each module may use the modules in the items below its own (`tests/suite/edges.rs` checks it):
//! 1. [`cli`]: the command line
//! 2. [`app`]: the window's event loop, which carries out commands
//! 3. [`handout`]: a whole lesson as HTML or PDF
//! 4. [`figure`]: a view without a window, as a file
//! 5. [`panels`]: everything around a view: bars, side panel, lesson, dialogs
//! 6. [`views`]: the views, one folder each, and the pieces they share
//! 7. [`command`]: what the user can ask for
//! 8. [`state`]: what is chosen, what is open, what was computed
//! 9. [`lesson`]: lesson files, read and checked
//! 10. [`settings`]: what the user chooses and the program remembers
//! 11. [`theme`]: colours, sizes, fonts
//! 12. [`words`]: texts and numbers that several modules write

#![forbid(unsafe_code)]

pub mod app;
pub mod cli;
pub mod command;
pub mod figure;
pub mod handout;
pub mod lesson;
pub mod panels;
pub(crate) mod settings;
pub mod state;
pub mod theme;
pub mod views;
pub mod words;

pub use modelens_core::{augment, dataset, formats, model, random, rules, train};
