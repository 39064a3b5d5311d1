//! One binary for all tests that need more than one module. Run with `cargo test`.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails"
)]

mod augmentation;
mod bad_input;
mod batch_norm;
mod bombs;
mod bundled;
mod call;
mod cli;
mod desk;
mod dropout;
mod effective;
mod export_dialog;
mod figure;
mod figure_faults;
mod figure_parts;
mod fine_tune;
mod fine_tune_view;
mod flags;
mod golden;
mod hostile;
mod labels;
mod lesson_figures;
mod lessons;
mod many_passes;
mod memory;
mod model_card;
mod mutations;
mod names;
mod onnx;
mod open_file;
mod optimizer;
mod pictures;
mod predict;
mod preprocessing;
mod processors;
mod pytorch;
mod renderer;
mod save;
mod small_windows;
mod snapshots;
mod support;
mod terms;
mod texts;
mod train_step;
mod trainable;
mod unchanged;
mod walk;
mod weights_only;
mod window;
