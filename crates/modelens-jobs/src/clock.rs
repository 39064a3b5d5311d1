//! The clock that computations are timed with.

use std::sync::LazyLock;
use std::time::Duration;

use web_time::Instant;

/// Time since a fixed moment. Tests that compare pictures of the window inject one that always says
/// zero.
pub type Clock = fn() -> Duration;

/// The system's monotonic clock, from its first use in this process on; also in a browser.
pub fn system_clock() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}
