//! The hint of the first start.

pub const VIEWS: &str =
    "**1. Choose a view.** Left: training=True. Right: training=False, on the same photos.";
pub const REDRAW: &str =
    "**2. Redraw.** Whatever is random changes on the left; the right stays the same.";
pub const FLAGS: &str = "**3. Freeze layers.** See what each of the two switches protects.";
pub const GOT_IT: &str = "Got it";
pub const LESSONS: &str = "Help has lessons";
