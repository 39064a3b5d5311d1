//! What the kernels share: f32 slices in and out of candle, and a matrix product.

use candle_core::{CpuStorage, Device, Error, Layout, Result, Shape, Storage, Tensor};

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

/// Calls `f` with the values of a tensor, without copying them.
pub fn with_values<T>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => f(values(storage, layout)?),
        _ => Err(Error::Msg("the tensor is not in main memory".into())),
    }
}

/// A tensor of these values.
pub fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> Result<Tensor> {
    Tensor::from_vec(values, shape, &Device::Cpu)
}

/// One factor of a matrix product.
#[derive(Clone, Copy, Debug)]
pub struct Factor<'a> {
    values: &'a [f32],
    /// The rows of `values` are the columns of the factor.
    transposed: bool,
}

/// The matrix as it lies in memory, row by row.
pub fn plain(values: &[f32]) -> Factor<'_> {
    Factor {
        values,
        transposed: false,
    }
}

/// The transposed matrix: its columns lie in memory one after another.
pub fn transposed(values: &[f32]) -> Factor<'_> {
    Factor {
        values,
        transposed: true,
    }
}

/// `out[m, n] = a[m, k] * b[k, n]`, or `out += ...` with `add`, on the calling thread.
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
pub fn matrix_product(
    a: Factor<'_>,
    b: Factor<'_>,
    out: &mut [f32],
    [m, k, n]: [usize; 3],
    add: bool,
) {
    assert_eq!(a.values.len(), m * k, "left factor");
    assert_eq!(b.values.len(), k * n, "right factor");
    assert_eq!(out.len(), m * n, "product");
    // Distances in memory between neighbours in a row and in a column.
    let strides = |factor: Factor<'_>, rows: usize, cols: usize| {
        if factor.transposed {
            (rows as isize, 1)
        } else {
            (1, cols as isize)
        }
    };
    let ((a_col, a_row), (b_col, b_row)) = (strides(a, m, k), strides(b, k, n));
    // SAFETY: the three slices hold exactly m * k, k * n and m * n values (asserted above), the
    // strides walk them row by row or column by column and reach each value once, and `out` is
    // borrowed mutably, so it overlaps neither factor.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            add,
            a.values.as_ptr(),
            a_col,
            a_row,
            b.values.as_ptr(),
            b_col,
            b_row,
            1.0_f32,
            1.0_f32,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
