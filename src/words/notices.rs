//! Messages: what could not be done, and warnings.

pub const DISMISS: &str = "Dismiss";
pub const WARNINGS: &str = "Warnings";
pub const DROP: &str = "Drop a model file, a photo, or a folder of photos";
