//! What the tests share.

pub mod files;
pub mod looks;
pub mod memory;
pub mod models;
pub mod numbers;
pub mod program;
pub mod protobuf;
pub mod renderer;
pub mod window;
