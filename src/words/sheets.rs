//! Lists over the window: keys, terms, the model card, networks.

pub const KEYS: &str = "KEYS";
pub const WORDS: &str = "WORDS";
pub const MODEL: &str = "MODEL";
pub const NETWORK: &str = "WHICH NETWORK DO THESE WEIGHTS BELONG TO?";
pub const NO_MODEL: &str = "No model is open";
pub const NETWORK_TIP: &str =
    "Opens the file as this network if the names and shapes of all weights fit";
pub const OTHERWISE: &str = "The file doesn't say which of these it is. Open it as:";
pub const OTHERWISE_TIP: &str = "Opens the file again as this network";
pub const ZOOM: &str = "Zoom of the whole window: larger, smaller, reset";
pub const TAB_KEYS: &str = "Tab, Space";
pub const TAB: &str = "Move between controls, and use one";
pub const ESCAPE_KEY: &str = "Esc";
pub const ESCAPE: &str = "Close what is on top; leave lecture mode";
