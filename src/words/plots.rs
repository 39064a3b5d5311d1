//! Plots, in words.

pub fn histogram_bin(low: &str, high: &str, count: u32) -> String {
    format!("{low} to {high}: {count} values")
}

pub fn scatter(y: &str, x: &str) -> String {
    format!("{y} against {x}, one point per channel")
}

pub fn channel(n: usize, y_label: &str, y: &str, x_label: &str, x: &str) -> String {
    format!("Channel {n}\n{y_label} {y}\n{x_label} {x}")
}
