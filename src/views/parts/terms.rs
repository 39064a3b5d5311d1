//! Tooltips that say what a term means.

use crate::views::parts::Tip as _;
use eframe::egui::Response;

pub use crate::words::terms::*;

/// Gives a response whose words are a term, or begin with one, the term's sentence as its tooltip.
pub fn hinted(response: Response, words: &str) -> Response {
    match beginning(words) {
        Some((_, sentence)) => response.tip(*sentence),
        None => response,
    }
}

/// Gives a response the sentence of a term as its tooltip.
pub fn explained(response: Response, term: &str) -> Response {
    match sentence(term) {
        Some(sentence) => response.tip(sentence),
        None => response,
    }
}
