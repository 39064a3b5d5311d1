#![doc = include_str!("../README.md")]

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
