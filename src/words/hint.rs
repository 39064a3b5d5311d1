//! The hint of the first start.

pub const VIEWS: &str =
    "**1. Choose a view.** Left is training=True, right training=False, of the same photos.";
pub const REDRAW: &str = "**2. Draw anew.** What is random on the left changes; the right stays.";
pub const FLAGS: &str = "**3. Freeze layers.** See which of the two switches protects what.";
pub const GOT_IT: &str = "Got it";
pub const LESSONS: &str = "Help holds lessons";
