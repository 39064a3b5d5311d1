#![doc = include_str!("../README.md")]
//!
//! # Modules
//!
//! Each module may use the modules in the items below its own (`tests/suite/edges.rs` checks it):
//! 1. [`cli`]: the command line
//! 2. [`app`]: the window's event loop, which carries out commands
//! 3. [`views`]: what the window draws
//! 4. [`figure`]: views as files
//! 5. [`lesson`]: lessons, and the values that their texts show
//! 6. [`command`]: what a person can ask for
//! 7. [`words`]: the window's texts
//! 8. [`state`]: what the window knows and what was chosen
//! 9. [`theme`]: colours, sizes, fonts

pub mod app;
pub mod cli;
pub mod command;
pub mod figure;
pub mod lesson;
pub mod state;
pub mod theme;
pub mod views;
pub mod words;

pub use modelens_core::{augment, dataset, formats, model, random, rules, train};
pub use modelens_jobs as worker;
