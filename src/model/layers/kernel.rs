//! What the kernels share: f32 slices in and out of candle, and a matrix product.

use candle_core::{CpuStorage, Error, Layout, Result};

/// The values behind a contiguous f32 tensor.
///
/// # Errors
/// Another type, or strides: every kernel here works on rows in order.
pub fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let all = storage.as_slice::<f32>()?;
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&all[start..end]),
        None => Err(Error::Msg("the kernel needs a contiguous tensor".into())),
    }
}

/// `out[m, n] = a[m, k] * b[k, n]`, all in rows, on the calling thread.
///
/// candle's own product starts threads for each call, which costs more than the small products of
/// one photo take; here the caller splits the batch over threads instead.
///
/// # Panics
/// Where a slice does not have the length that `m`, `k` and `n` say.
#[allow(
    unsafe_code,
    reason = "gemm's only entry takes pointers; the argument stands at the call"
)]
pub fn matrix_product(a: &[f32], b: &[f32], out: &mut [f32], [m, k, n]: [usize; 3]) {
    assert_eq!(a.len(), m * k, "left factor");
    assert_eq!(b.len(), k * n, "right factor");
    assert_eq!(out.len(), m * n, "product");
    let [row_a, row_b, row_out] = [k as isize, n as isize, n as isize];
    // SAFETY: the three slices hold exactly m * k, k * n and m * n values (asserted above), the
    // strides walk them row by row, and `out` is borrowed mutably, so it overlaps neither factor.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            row_out,
            false,
            a.as_ptr(),
            1,
            row_a,
            b.as_ptr(),
            1,
            row_b,
            0.0_f32,
            1.0_f32,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
