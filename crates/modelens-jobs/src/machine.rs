//! What the core cannot ask of the machine itself: how much memory is free, and which kernels to run.

use std::sync::Once;

use modelens_core::model::array::set_free_memory;
use modelens_core::model::layers::kernels::simd;

/// The environment variable that names the kernels to run, for tests: see [`simd::choose`].
pub const KERNEL_VARIABLE: &str = "MODELENS_SIMD";

/// Tells the core about this machine, once; every model is opened after it.
pub(crate) fn introduce() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        set_free_memory(free_bytes);
        simd::choose(&std::env::var(KERNEL_VARIABLE).unwrap_or_default());
    });
}

/// Bytes of memory that can be had without swapping; `None` where the system does not tell.
fn free_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}
