//! All tests that need more than one module, in one binary. Run with `cargo test`.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails if it cannot go on"
)]

mod access;
mod animations;
mod augmentation;
mod bad_input;
mod batch_norm;
mod bombs;
mod bundled;
mod call;
mod cli;
mod dropout;
mod edges;
mod effective;
mod explanations;
mod export_dialog;
mod figure;
mod figure_faults;
mod figure_parts;
mod fine_tune;
mod fine_tune_view;
mod flags;
mod golden;
mod grey_photos;
mod handouts;
mod hostile;
mod icon;
mod inspect_schema;
mod jpeg;
mod keras_files;
mod kernels;
mod keyboard;
mod labels;
mod lecture_kit;
mod lesson_figures;
mod lessons;
mod many_passes;
mod mechanism;
mod model_card;
mod modules;
mod mutations;
mod names;
mod network_picture;
mod norms;
mod numbers;
mod onnx;
mod onnx_operators;
mod open_file;
mod optimizer;
mod outputs;
mod photo_arrays;
mod photo_folders;
mod pictures;
mod pipeline_editor;
mod predict;
mod predictions;
mod preprocessing;
mod print_figures;
mod processors;
mod profiles;
mod pt2;
mod pytorch;
mod pytorch_families;
mod recorded;
mod recording;
mod review;
mod save;
mod saved_model;
mod scale;
mod shell;
mod small_windows;
mod snapshots;
mod start_view;
mod support;
mod terms;
mod texts;
mod train_step;
mod trainable;
mod unchanged;
mod walk;
mod weights_only;
mod window;
