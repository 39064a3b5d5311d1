//! The list of layers.

pub fn title(flag: &str) -> String {
    format!("LAYERS · {flag}")
}

pub const SEARCH: &str = "Search layers";
pub const FROM_LAYER: &str = "layer";
pub const FINE_TUNE_FROM: &str = "Fine-tune from layer";

pub fn of_last(last: usize) -> String {
    format!("of {last}")
}

pub const NO_BASE: &str = "No base is open";

pub fn search_hint(layers: Option<usize>) -> String {
    match layers {
        Some(n) => format!("search {n} layers"),
        None => "search layers".to_owned(),
    }
}
