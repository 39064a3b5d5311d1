//! Compute kernels on f32 slices. Values are `[N, H, W, C]` or `[N, C]`: the channels of a pixel are
//! contiguous, and kernels vectorise over them.

pub mod affine_relu;
pub mod batch_norm_backward;
pub mod convolution;
pub mod convolution_backward;
pub mod depthwise;
pub mod depthwise_backward;
pub(super) mod elementwise;
pub mod matmul;
#[cfg(test)]
mod matmul_tests;
pub mod row_sums;
pub mod simd;
pub mod slices;
pub(super) mod standardise;
pub mod window;
