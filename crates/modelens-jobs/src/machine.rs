//! What the core cannot ask of the machine itself: how much memory is free, and which kernels to run.

use std::sync::Once;

use modelens_core::model::array::set_free_memory;
use modelens_kernels::simd;

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

/// The instruction set that passes run on, such as `AVX2`.
pub fn instruction_set() -> &'static str {
    introduce();
    simd::instruction_set()
}

/// Bytes of memory that can be had without swapping: of the machine, of the process's own limit
/// (`ulimit -v`) and of its container. `None` where the system does not tell.
fn free_bytes() -> Option<u64> {
    let machine = kilobytes("/proc/meminfo", "MemAvailable:");
    [machine, free_of_limit(), free_of_container()]
        .into_iter()
        .flatten()
        .min()
}

/// A line such as `VmSize:  1234 kB`, in bytes.
fn kilobytes(file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// What the limit of the address space leaves.
fn free_of_limit() -> Option<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|l| l.strip_prefix("Max address space"))?;
    // "unlimited" is no number.
    let limit: u64 = line.split_whitespace().next()?.parse().ok()?;
    let taken = kilobytes("/proc/self/status", "VmSize:")?;
    Some(limit.saturating_sub(taken))
}

/// What the limit of the container (a control group of version 2) leaves.
fn free_of_container() -> Option<u64> {
    let bytes = |name: &str| -> Option<u64> {
        let text = std::fs::read_to_string(format!("/sys/fs/cgroup/{name}")).ok()?;
        text.trim().parse().ok()
    };
    Some(bytes("memory.max")?.saturating_sub(bytes("memory.current")?))
}
