//! Values inside a pass. Large buffers are reused instead of being returned to the system: fresh memory
//! costs a page fault for every page, which takes longer than computing most layers.

use std::cell::Cell;
use std::sync::{Mutex, OnceLock, PoisonError};

use candle_core::{Device, Error, Result, Tensor};

use super::buffer::Buffer;
use modelens_kernels::slices::with_values;

/// f32 values in rows of channels, `[N, H, W, C]` or `[N, C]`.
#[derive(Debug)]
pub struct Array {
    dims: Vec<usize>,
    length: usize,
    /// At least `length` values: a reused buffer keeps its length, because growing it again would fill it
    /// with zeros.
    values: Buffer,
}

impl Array {
    /// An array with unspecified values, left over from an earlier use.
    ///
    /// # Errors
    /// Too little free memory. A failed allocation would end the program, and no caller can catch that.
    pub fn new(dims: &[usize]) -> Result<Self> {
        let length = dims.iter().fold(1_usize, |n, &d| n.saturating_mul(d));
        let values = take(length)?;
        hold(|held| held + length);
        Ok(Self {
            dims: dims.to_vec(),
            length,
            values,
        })
    }

    /// A copy of a tensor.
    ///
    /// # Errors
    /// Another type than f32, and too little memory.
    pub fn of(tensor: &Tensor) -> Result<Self> {
        let mut array = Self::new(tensor.dims())?;
        with_values(tensor, |values| {
            array.values_mut().copy_from_slice(values);
            Ok(())
        })?;
        Ok(array)
    }

    /// A copy of the array.
    ///
    /// # Errors
    /// Too little memory.
    pub fn copy(&self) -> Result<Self> {
        let mut array = Self::new(&self.dims)?;
        array.values_mut().copy_from_slice(self.values());
        Ok(array)
    }

    /// Copies it to a tensor.
    ///
    /// # Errors
    /// None that a caller can cause.
    pub fn tensor(&self) -> Result<Tensor> {
        Tensor::from_slice(self.values(), self.dims.as_slice(), &Device::Cpu)
    }

    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    pub fn values(&self) -> &[f32] {
        &self.values.values()[..self.length]
    }

    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values.values_mut()[..self.length]
    }

    /// The length of the last axis.
    pub fn channels(&self) -> usize {
        self.dims.last().copied().unwrap_or(1)
    }
}

impl Drop for Array {
    fn drop(&mut self) {
        hold(|held| held.saturating_sub(self.length));
        give(std::mem::take(&mut self.values));
    }
}

thread_local! {
    /// The values in arrays of this thread, now and at most.
    static HELD: Cell<[usize; 2]> = const { Cell::new([0; 2]) };
}

fn hold(change: impl FnOnce(usize) -> usize) {
    let [held, most] = HELD.get();
    let held = change(held);
    HELD.set([held, most.max(held)]);
}

/// The result of a call, and the most bytes of arrays that the call held at one time. A pass makes and drops its
/// arrays on the thread that calls it.
pub fn most_bytes<T>(call: impl FnOnce() -> T) -> (T, usize) {
    let [before, earlier] = HELD.get();
    HELD.set([before; 2]);
    let result = call();
    let [held, most] = HELD.get();
    HELD.set([held, most.max(earlier)]);
    (result, (most - before) * size_of::<f32>())
}

/// Shorter buffers go back to the allocator, which keeps them itself.
const LEAST: usize = 1 << 15;

/// A buffer that nothing uses, and the number of passes that ended since its last use.
struct Spare {
    buffer: Buffer,
    passes: u8,
}

static SPARE: Mutex<Vec<Spare>> = Mutex::new(Vec::new());

fn take(length: usize) -> Result<Buffer> {
    if length < LEAST {
        return Ok(Buffer::small(length));
    }
    let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
    // At most half as large again: the rest would be wasted.
    let is_fitting = |s: &Spare| (length..=length / 2 * 3).contains(&s.buffer.values().len());
    let fitting = spare.iter().enumerate().filter(|(_, s)| is_fitting(s));
    let best = fitting.min_by_key(|(_, s)| s.buffer.values().len());
    if let Some((at, _)) = best {
        return Ok(spare.swap_remove(at).buffer);
    }
    drop(spare);
    if let Err(text) = fits(length, free_bytes) {
        // The spare buffers may be the memory that is missing.
        release();
        fits(length, free_bytes).map_err(|_| Error::Msg(text))?;
    }
    Buffer::large(length)
}

fn give(buffer: Buffer) {
    if buffer.values().len() >= LEAST {
        let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        spare.push(Spare { buffer, passes: 0 });
    }
}

/// Frees the buffers that the last two passes did not use.
pub fn end_of_pass() {
    let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
    spare.retain_mut(|s| {
        s.passes += 1;
        s.passes <= 2
    });
}

/// Frees every buffer that nothing uses.
pub fn release() {
    SPARE.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// Bytes left for the rest of the system.
const RESERVE: u64 = 256 << 20;

/// Checks that `bytes` of memory are free, besides [`RESERVE`].
///
/// # Errors
/// The number of free bytes, if they are too few.
pub fn fits_into_memory(bytes: u64) -> std::result::Result<(), u64> {
    match free_bytes() {
        Some(free) if bytes.saturating_add(RESERVE) > free => Err(free),
        _ => Ok(()),
    }
}

/// Checks that `length` values fit into the free memory. Small arrays are not checked.
fn fits(length: usize, free: impl Fn() -> Option<u64>) -> std::result::Result<(), String> {
    /// Smaller arrays are not checked.
    const LITTLE: u64 = 8 << 20;
    let bytes = length as u64 * 4;
    if bytes < LITTLE {
        return Ok(());
    }
    match free() {
        Some(free) if bytes.saturating_add(RESERVE) > free => Err(format!(
            "{:.1} GB of memory are free, and it needs {:.1} GB more; take a smaller batch or \
             smaller photos",
            free as f64 / 1e9,
            bytes as f64 / 1e9
        )),
        _ => Ok(()),
    }
}

/// Returns the free memory; until it is set, every request is granted.
static FREE_BYTES: OnceLock<fn() -> Option<u64>> = OnceLock::new();

/// Sets the function that returns the bytes of memory available without swapping (`None` if the system does
/// not say). Passes that need more are then refused. Only the first call has an effect.
pub fn set_free_memory(free_bytes: fn() -> Option<u64>) {
    // A second call changes nothing.
    let _ = FREE_BYTES.set(free_bytes);
}

fn free_bytes() -> Option<u64> {
    FREE_BYTES.get().and_then(|free_bytes| free_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_larger_than_the_free_memory_is_refused() {
        let free = || Some(1 << 30);
        assert!(fits(1 << 27, free).is_ok());
        let text = fits(1 << 28, free).unwrap_err();
        assert!(text.starts_with("1.1 GB of memory are free"), "{text}");
        assert!(fits(1 << 28, || None).is_ok());
    }

    #[test]
    fn reused_buffers_do_not_change_a_copy() {
        let mut array = Array::new(&[2, 1 << 15]).unwrap();
        array.values_mut().fill(3.0);
        let copy = array.copy().unwrap();
        drop(array);
        let other = Array::new(&[1 << 16]).unwrap();
        assert_eq!(other.values().len(), 1 << 16);
        assert!(copy.values().iter().all(|&v| v == 3.0));
        assert_eq!(copy.tensor().unwrap().dims(), [2, 1 << 15]);
    }
}
