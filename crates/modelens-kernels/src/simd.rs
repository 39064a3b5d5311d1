//! Runtime dispatch: every kernel is compiled for AVX-512, AVX2 with FMA, NEON and a portable
//! fallback, and the best one the processor supports runs. All but the fallback fuse multiply-adds
//! and give the same bits.
//!
//! WebAssembly cannot choose at run time: a browser rejects a program with an instruction it does not know. The page
//! is built twice, with and without relaxed SIMD, the extension that can fuse, and the browser takes one. A Cargo
//! feature of this crate adds the instructions to its functions; `web/build.sh` takes out those that LLVM then puts
//! everywhere.

use std::sync::OnceLock;

use pulp::{Arch, Simd, WithSimd};

static CHOSEN: OnceLock<Arch> = OnceLock::new();

/// Overrides the choice of kernels, so that one machine can test every path: `portable`, `avx2`, or
/// anything else for the widest vectors. Has an effect only before the first kernel runs.
pub fn choose(path: &str) {
    // Later calls have no effect.
    let _ = CHOSEN.set(named(path));
}

/// Runs a kernel on the chosen path.
pub fn run<Op: WithSimd>(op: Op) -> Op::Output {
    #[cfg(target_arch = "wasm32")]
    return run_on_page(op);
    #[cfg(not(target_arch = "wasm32"))]
    CHOSEN.get_or_init(|| named(&preferred())).dispatch(op)
}

/// The same on the page, without the code of the paths that its build does not take.
#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code, reason = "a check at run time would keep the other paths")]
fn run_on_page<Op: WithSimd>(op: Op) -> Op::Output {
    #[cfg(feature = "relaxed-simd")]
    use pulp::wasm::RelaxedSimd as Vectors;
    #[cfg(not(feature = "relaxed-simd"))]
    use pulp::wasm::Simd128 as Vectors;
    // SAFETY: a browser without these instructions has not accepted the build.
    Simd::vectorize(unsafe { Vectors::new_unchecked() }, op)
}

/// Runs a closure compiled for the chosen path, so that the compiler vectorises its loops. The closure needs
/// `#[inline(always)]`, and so does all that it calls: what is not inlined here is compiled for the oldest processor.
///
/// [`run`] takes closures too, but through a function of the compiler's own that may not be inlined.
pub fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    struct Work<F>(F);

    impl<R, F: FnOnce() -> R> WithSimd for Work<F> {
        type Output = R;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> R {
            (self.0)()
        }
    }

    run(Work(work))
}

/// The instruction set of the chosen path, for people.
pub fn instruction_set() -> &'static str {
    if cfg!(target_arch = "wasm32") {
        return if IS_RELAXED {
            "relaxed simd128"
        } else {
            "simd128"
        };
    }
    match CHOSEN.get_or_init(|| named(&preferred())) {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        Arch::V3(_) => "AVX2",
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        Arch::V4(_) => "AVX-512",
        #[cfg(target_arch = "aarch64")]
        Arch::Neon(_) => "NEON",
        _ => "portable",
    }
}

/// The default path.
#[cfg(not(test))]
fn preferred() -> String {
    String::new()
}

/// Tests run their own program again with this variable.
#[cfg(test)]
const VARIABLE: &str = "MODELENS_SIMD";

#[cfg(test)]
fn preferred() -> String {
    std::env::var(VARIABLE).unwrap_or_default()
}

/// The path with this name.
fn named(name: &str) -> Arch {
    match name {
        "portable" => Arch::Scalar,
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        "avx2" => pulp::x86::V3::try_new().map_or_else(Arch::new, Arch::V3),
        _ => Arch::new(),
    }
}

/// Loads one vector, or its first `count` values if `FULL` is false.
#[inline(always)]
pub fn load<S: Simd, const FULL: bool>(s: S, x: &[f32], at: usize, count: usize) -> S::f32s {
    if FULL {
        S::as_simd_f32s(&x[at..at + S::F32_LANES]).0[0]
    } else {
        s.partial_load_f32s(&x[at..at + count])
    }
}

/// One vector, without a check: in a loop of nine taps the checks take longer than the sums.
///
/// # Safety
/// `at + S::F32_LANES` values must lie inside `x`.
#[inline(always)]
#[allow(unsafe_code, reason = "the caller has checked the whole range at once")]
pub unsafe fn load_unchecked<S: Simd>(_: S, x: &[f32], at: usize) -> S::f32s {
    debug_assert!(at + S::F32_LANES <= x.len());
    // SAFETY: the range lies inside the slice, and a vector is any `F32_LANES` values.
    unsafe { x.as_ptr().add(at).cast::<S::f32s>().read_unaligned() }
}

/// The reverse of [`load_unchecked`].
///
/// # Safety
/// `at + S::F32_LANES` values must lie inside `y`.
#[inline(always)]
#[allow(unsafe_code, reason = "the caller has checked the whole range at once")]
pub unsafe fn store_unchecked<S: Simd>(_: S, y: &mut [f32], at: usize, value: S::f32s) {
    debug_assert!(at + S::F32_LANES <= y.len());
    // SAFETY: the range lies inside the slice, and a vector is any `F32_LANES` values.
    unsafe {
        y.as_mut_ptr()
            .add(at)
            .cast::<S::f32s>()
            .write_unaligned(value);
    }
}

/// The reverse of [`load`].
#[inline(always)]
pub fn store<S: Simd, const FULL: bool>(
    s: S,
    y: &mut [f32],
    at: usize,
    count: usize,
    value: S::f32s,
) {
    if FULL {
        S::as_mut_simd_f32s(&mut y[at..at + S::F32_LANES]).0[0] = value;
    } else {
        s.partial_store_f32s(&mut y[at..at + count], value);
    }
}

/// `a` where the mask is set, else `b`. Equals `select_f32s`, which the compiler does not inline.
#[inline(always)]
pub fn select<S: Simd>(s: S, mask: S::m32s, a: S::f32s, b: S::f32s) -> S::f32s {
    let (a, b) = (s.transmute_u32s_f32s(a), s.transmute_u32s_f32s(b));
    s.transmute_f32s_u32s(s.select_u32s(mask, a, b))
}

/// True if the vectors of the page fuse multiply-adds, where the processor can.
pub const IS_RELAXED: bool = cfg!(all(target_arch = "wasm32", feature = "relaxed-simd"));

/// `a * b + c` as vectors compute it, for values that do not fill one: fused, except in browsers without an
/// instruction for it.
#[inline(always)]
pub fn mul_add(a: f32, b: f32, c: f32) -> f32 {
    #[cfg(all(target_arch = "wasm32", feature = "relaxed-simd"))]
    {
        use core::arch::wasm32::{f32x4_extract_lane, f32x4_relaxed_madd, f32x4_splat};
        let sum = f32x4_relaxed_madd(f32x4_splat(a), f32x4_splat(b), f32x4_splat(c));
        f32x4_extract_lane::<0>(sum)
    }
    #[cfg(not(all(target_arch = "wasm32", feature = "relaxed-simd")))]
    if cfg!(target_arch = "wasm32") {
        a * b + c
    } else {
        a.mul_add(b, c)
    }
}

/// True where the vector instructions for the largest and the smallest of two values return the second one if
/// one of them is NaN.
const ONE_INSTRUCTION: bool = cfg!(any(target_arch = "x86", target_arch = "x86_64"));

/// `max(v, low)`; NaN stays NaN.
#[inline(always)]
pub fn at_least<S: Simd>(s: S, v: S::f32s, low: S::f32s) -> S::f32s {
    // One instruction in browsers, which `max_f32s` is not; it keeps its first operand if one is NaN.
    #[cfg(target_arch = "wasm32")]
    if let Some(v) = vector128::<S>(core::arch::wasm32::f32x4_pmax, v, low) {
        return v;
    }
    if ONE_INSTRUCTION && S::F32_LANES > 1 {
        return s.max_f32s(low, v);
    }
    select(s, s.less_than_f32s(v, low), low, v)
}

/// `min(v, top)`; NaN stays NaN.
#[inline(always)]
pub fn at_most<S: Simd>(s: S, v: S::f32s, top: S::f32s) -> S::f32s {
    #[cfg(target_arch = "wasm32")]
    if let Some(v) = vector128::<S>(core::arch::wasm32::f32x4_pmin, v, top) {
        return v;
    }
    if ONE_INSTRUCTION && S::F32_LANES > 1 {
        return s.min_f32s(top, v);
    }
    select(s, s.greater_than_f32s(v, top), top, v)
}

/// An instruction of WebAssembly for vectors of its size; `None` for other vectors.
#[cfg(target_arch = "wasm32")]
#[inline(always)]
fn vector128<S: Simd>(
    instruction: fn(core::arch::wasm32::v128, core::arch::wasm32::v128) -> core::arch::wasm32::v128,
    a: S::f32s,
    b: S::f32s,
) -> Option<S::f32s> {
    use pulp::bytemuck::try_cast;
    try_cast(instruction(try_cast(a).ok()?, try_cast(b).ok()?)).ok()
}

/// Calls a body for every vector in `channels` values: `$body!(FULL, start, count)`.
macro_rules! for_vectors {
    ($S:ty, $channels:expr, $body:ident) => {
        let channels: usize = $channels;
        let mut at = 0;
        while at + <$S>::F32_LANES <= channels {
            $body!(true, at, <$S>::F32_LANES);
            at += <$S>::F32_LANES;
        }
        if at < channels {
            $body!(false, at, channels - at);
        }
    };
}
pub(crate) use for_vectors;

#[cfg(test)]
mod tests {
    use super::VARIABLE;

    #[test]
    fn products_are_right_on_every_path() {
        let tests = std::env::current_exe().unwrap();
        for path in ["portable", "avx2"] {
            let done = std::process::Command::new(&tests)
                .args(["matmul::tests::", "chain_tests::"])
                .env(VARIABLE, path)
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&done.stdout);
            assert!(done.status.success(), "{text}");
            assert!(!text.contains("running 0 tests"), "{text}");
        }
    }
}
