//! modelens in a browser. One `.wasm` with two entries: the page calls `page::start`, which draws the
//! window; its Web Worker makes a `worker::Side`, which computes. Requests and events cross as bytes.

#![forbid(unsafe_code)]

#[cfg(target_family = "wasm")]
mod address;
#[cfg(target_family = "wasm")]
mod handout;
#[cfg(target_family = "wasm")]
mod message;
#[cfg(target_family = "wasm")]
pub mod mirror;
#[cfg(target_family = "wasm")]
mod outside;
#[cfg(target_family = "wasm")]
pub mod page;
#[cfg(target_family = "wasm")]
pub mod worker;
