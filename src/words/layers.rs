//! The list of layers.

use super::call::python;
use crate::model::Mode;
use crate::model::modules::method;

pub fn title(flag: &str) -> String {
    format!("LAYERS · {flag}")
}

pub const SEARCH: &str = "Search layers";
pub const FROM_LAYER: &str = "layer";
pub const FINE_TUNE_FROM: &str = "Fine-tune from layer";

pub fn of_last(last: usize) -> String {
    format!("of {last}")
}

/// The switch of a module's mode, for a screen reader.
pub fn training_mode(module: &str) -> String {
    format!("{module} in training mode")
}

/// What the switch shows, and what a click calls.
pub fn mode_tip(module: &str, mode: Mode) -> String {
    let other = match mode {
        Mode::Training => Mode::Inference,
        Mode::Inference => Mode::Training,
    };
    format!(
        "{module}.training is {}. Click: {module}.{}()",
        python(mode.training()),
        method(other)
    )
}

/// A container, and the number of layers in it.
pub fn container(path: &str, layers: usize) -> String {
    format!("{path} · {layers} layers")
}

pub const NO_BASE: &str = "No base is open";

pub fn search_hint(layers: Option<usize>) -> String {
    match layers {
        Some(n) => format!("search {n} layers"),
        None => "search layers".to_owned(),
    }
}
