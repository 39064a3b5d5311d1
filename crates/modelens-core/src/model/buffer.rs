//! The memory of large values.

use candle_core::Result;

/// f32 values of one array.
///
/// Large ones are mapped from the system, each on its own, and go back to it when they are dropped. The allocator
/// would cut them out of its heap, and would keep the heap as long as anything behind them is in use.
#[derive(Debug)]
pub enum Buffer {
    Heap(Vec<f32>),
    #[cfg(not(target_family = "wasm"))]
    Mapped(memmap2::MmapMut),
}

impl Buffer {
    /// Zeros from the allocator.
    pub fn small(length: usize) -> Self {
        Self::Heap(vec![0.0; length])
    }

    /// Zeros from the system.
    ///
    /// # Errors
    /// The system has no memory left.
    #[cfg(not(target_family = "wasm"))]
    pub fn large(length: usize) -> Result<Self> {
        let failed = |error: std::io::Error| candle_core::Error::Msg(format!("no memory: {error}"));
        let bytes = length.saturating_mul(size_of::<f32>());
        let map = memmap2::MmapMut::map_anon(bytes).map_err(failed)?;
        // Fewer and larger pages: a fault for every 4 kB takes longer than computing most layers. It is only advice.
        #[cfg(target_os = "linux")]
        drop(map.advise(memmap2::Advice::HugePage));
        Ok(Self::Mapped(map))
    }

    /// Zeros: a page cannot give memory back.
    #[cfg(target_family = "wasm")]
    #[allow(clippy::unnecessary_wraps, reason = "elsewhere it fails")]
    pub fn large(length: usize) -> Result<Self> {
        Ok(Self::small(length))
    }

    pub fn values(&self) -> &[f32] {
        match self {
            Self::Heap(values) => values,
            #[cfg(not(target_family = "wasm"))]
            Self::Mapped(map) => bytemuck::cast_slice(map),
        }
    }

    pub fn values_mut(&mut self) -> &mut [f32] {
        match self {
            Self::Heap(values) => values,
            #[cfg(not(target_family = "wasm"))]
            Self::Mapped(map) => bytemuck::cast_slice_mut(map),
        }
    }
}

impl Default for Buffer {
    fn default() -> Self {
        Self::Heap(Vec::new())
    }
}
