//! Words that several parts of the window use.

use super::number::count;

/// With a capital letter in front.
pub fn sentence_case(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(characters).collect()
}

/// What a view comes to in one sentence, which stands out, and the sentences after it.
pub fn concluded(conclusion: &str, rest: &str) -> String {
    format!("**{conclusion}**\n{}", rest.trim())
}

/// Sentences with one space between them; empty ones are left out.
pub fn sentences(all: &[&str]) -> String {
    let all = all.iter().map(|sentence| sentence.trim());
    let all: Vec<&str> = all.filter(|sentence| !sentence.is_empty()).collect();
    all.join(" ")
}

pub const MEAN: &str = "mean";
pub const VARIANCE: &str = "variance";
pub const PHOTOS_IN_A_BATCH: &str = "Photos in a batch";
pub const RESET: &str = "Reset";
pub const STOP: &str = "Stop";
pub const PLAY: &str = "Play";
pub const PAUSE: &str = "Pause";
pub const STEP: &str = "Step";
pub const RESTART: &str = "Restart";
pub const FROZEN: &str = "frozen";
pub const CLASS: &str = "class";
pub const LAYER: &str = "Layer";

pub fn of(n: usize, all: &str) -> String {
    format!("{n} of {all}")
}

pub fn deviations(distance: &str) -> String {
    format!("{distance} sd")
}

pub const INFERENCE: &str = "inference";
pub const BEFORE: &str = "before";
pub const AFTER: &str = "after";

pub fn photos(n: usize) -> String {
    count(n, "photo", "photos")
}

pub fn passes(n: usize) -> String {
    count(n, "pass", "passes")
}

pub fn layers(n: usize) -> String {
    count(n, "layer", "layers")
}

pub fn batches(n: usize) -> String {
    count(n, "batch", "batches")
}

pub fn units(n: usize) -> String {
    count(n, "unit", "units")
}

pub fn channels(n: usize) -> String {
    count(n, "channel", "channels")
}

pub fn parameters(n: usize) -> String {
    count(n, "parameter", "parameters")
}

pub fn classes(n: usize) -> String {
    count(n, "class", "classes")
}

pub fn runs(n: usize) -> String {
    count(n, "run", "runs")
}

pub fn epochs(n: usize) -> String {
    count(n, "epoch", "epochs")
}

pub const CLOSE: &str = "Close";
pub const SAVE: &str = "Save...";

pub const COPY: &str = "Copy";
pub const LIGHT: &str = "Light";
pub const DARK: &str = "Dark";
pub const NO_SUCH_LAYER: &str = "No layer has this in its name or class";
pub const SEARCH: &str = "search";

pub fn search(name: &str) -> String {
    format!("Search {name}")
}

pub const NOTHING_FOUND: &str = "Nothing found";
pub const NONE: &str = "none";
