//! One binary for all tests that need more than one module. Run with `cargo test`.

mod bad_input;
mod bundled;
mod cli;
mod effective;
mod flags;
mod golden;
mod support;
mod unchanged;
mod window;
