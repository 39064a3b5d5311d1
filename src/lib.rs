//! modelens shows, side by side and on the same pixels, what augmentation, dropout and
//! BatchNorm do with `training=True` and with `training=False`.
//!
//! Data flows one way: file or photo -> [`model`] and [`dataset`] -> [`worker`] -> [`views`] or [`cli`].

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
