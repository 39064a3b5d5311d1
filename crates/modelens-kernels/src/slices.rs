//! f32 slices in and out of candle tensors.

use candle_core::{CpuStorage, Device, Error, Layout, Result, Shape, Storage, Tensor};

/// The values of a contiguous f32 tensor.
///
/// # Errors
/// Another type, or a tensor that is not contiguous.
pub fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let all = storage.as_slice::<f32>()?;
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&all[start..end]),
        None => Err(Error::Msg("the kernel needs a contiguous tensor".into())),
    }
}

/// Calls `f` with the values of a tensor, without copying them.
pub fn with_values<T>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    with_all_values(&[tensor], |all| f(all[0]))
}

/// Calls `f` with the values of each tensor, without copying them.
pub fn with_all_values<T>(
    tensors: &[&Tensor],
    f: impl FnOnce(&[&[f32]]) -> Result<T>,
) -> Result<T> {
    let tensors: Vec<Tensor> = tensors
        .iter()
        .map(|tensor| tensor.contiguous())
        .collect::<Result<_>>()?;
    let stored: Vec<_> = tensors.iter().map(Tensor::storage_and_layout).collect();
    let all = stored.iter().map(|(storage, layout)| match &**storage {
        Storage::Cpu(storage) => values(storage, layout),
        _ => Err(Error::Msg("the tensor is not in main memory".into())),
    });
    f(&all.collect::<Result<Vec<_>>>()?)
}

/// A tensor with these values.
pub fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> Result<Tensor> {
    Tensor::from_vec(values, shape, &Device::Cpu)
}
