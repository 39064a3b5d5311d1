//! The arithmetic under `modelens-core`: compute kernels on f32 slices, which know nothing of networks. Values are `[N, H, W, C]` or `[N, C]`: the channels of a pixel are
//! contiguous, and kernels vectorise over them.
//!
//! They are a crate of their own because they alone are built for speed on the page, where the rest is built
//! for size.

pub mod affine_relu;
pub mod batch_norm_backward;
pub mod chain;
#[cfg(test)]
mod chain_tests;
pub mod convolution;
pub mod convolution_backward;
pub mod depthwise;
pub mod depthwise_backward;
pub mod elementwise;
pub mod matmul;
pub mod pixel_mean;
pub mod row_sums;
pub mod scratch;
pub mod simd;
pub mod slices;
pub mod standardise;
pub mod window;
