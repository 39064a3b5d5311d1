//! modelens shows, side by side and on the same pixels, what augmentation, dropout and
//! BatchNorm do with `training=True` and with `training=False`.
//!
//! Data flows one way: file or photo -> [`model`] and [`dataset`] -> [`worker`] -> [`views`] or [`cli`].

pub mod app;
pub mod assets;
pub mod augment;
pub mod cli;
pub mod command;
pub mod dataset;
pub mod figure;
pub mod lesson;
pub mod model;
pub mod random;
pub mod state;
pub mod theme;
pub mod train;
pub mod views;
pub mod words;
pub mod worker;
