//! Convolution of `[N, H, W, C]` as a matrix product over patches (im2col).

use candle_core::{Error, Result};
use rayon::prelude::*;

use crate::affine_relu::AffineRelu;
use crate::matmul::{ROWS, matmul, plain};
use crate::window::{Steps, Window, Window2d};

/// Values in one patch matrix, or in the rows one task computes: they fit into the L2 cache.
const PATCH_VALUES: usize = 64 * 1024;

/// What a convolution is computed from: window, channels and groups.
#[derive(Clone, Copy, Debug)]
pub struct ConvShape {
    pub window: Window2d,
    /// Channels of the input.
    pub channels: usize,
    /// Channels of the output.
    pub out: usize,
    pub groups: usize,
}

impl ConvShape {
    /// The convolution of `[N, H, W, C]` with a kernel `[kh, kw, C / groups, out]`.
    ///
    /// # Errors
    /// A kernel for another number of channels, or larger than an unpadded image.
    pub fn new(x: &[usize], kernel: &[usize], steps: Steps, groups: usize) -> Result<Self> {
        let (&[_, h, w, channels], &[kh, kw, depth, out]) = (x, kernel) else {
            return Err(Error::Msg(format!(
                "a kernel of {kernel:?} cannot take {x:?}"
            )));
        };
        let window = Window2d::new([h, w], [kh, kw], steps)?;
        Self::with_window(window, channels, [depth, out], groups)
    }

    /// A convolution of an image with `channels` channels by a kernel `[kh, kw, depth, out]`.
    ///
    /// # Errors
    /// A kernel for another number of channels.
    pub fn with_window(
        window: Window2d,
        channels: usize,
        [depth, out]: [usize; 2],
        groups: usize,
    ) -> Result<Self> {
        if groups == 0 || depth * groups != channels || out % groups != 0 {
            return Err(Error::Msg(format!(
                "a kernel for {depth} channels in {groups} groups cannot take {channels} channels"
            )));
        }
        Ok(Self {
            window,
            channels,
            out,
            groups,
        })
    }

    /// True if every output pixel depends on the input pixel at the same position only.
    pub fn is_pointwise(&self) -> bool {
        let is_one =
            |w: Window| w.size == 1 && w.stride == 1 && w.before == 0 && w.input == w.output;
        is_one(self.window.rows) && is_one(self.window.cols) && self.groups == 1
    }

    /// Values under one output pixel, in one group.
    pub fn patch(&self) -> usize {
        self.window.rows.size * self.window.cols.size * (self.channels / self.groups)
    }

    /// Rows of the patch matrix in one task.
    fn block(&self) -> usize {
        let widest = self.patch().max(self.out).max(1);
        (PATCH_VALUES / widest).max(16)
    }
}

/// Applies `prologue` to every input pixel, convolves, then applies `epilogue` to every output pixel.
///
/// # Panics
/// If there is a prologue and the convolution is not pointwise.
pub fn forward(
    x: &[f32],
    kernel: &[f32],
    y: &mut [f32],
    conv: ConvShape,
    [prologue, epilogue]: [&AffineRelu; 2],
) {
    let ConvShape {
        window,
        channels,
        out,
        groups,
    } = conv;
    let (image, pixels) = (window.inputs() * channels, window.outputs());
    if y.is_empty() || image == 0 {
        return;
    }
    let (block, patch) = (conv.block(), conv.patch());
    if conv.is_pointwise() {
        // Small batches are cut into smaller tasks, so that every core is busy; whole tiles are the fastest.
        let share = match rayon::current_num_threads() {
            1 => y.len() / out,
            _ => (y.len() / out).div_ceil(8),
        };
        let block = block.min(share).max(16).next_multiple_of(ROWS);
        let tasks = y
            .par_chunks_mut(block * out)
            .zip(x.par_chunks(block * channels));
        tasks.for_each(|(y, x)| {
            let shape = [y.len() / out, channels, out];
            prologue.apply_to_copy(x, channels, |x| {
                matmul(plain(x), plain(kernel), y, shape, false, epilogue);
            });
        });
        return;
    }
    assert!(
        prologue.is_identity(),
        "only a pointwise convolution takes a prologue"
    );
    let block = block.min(pixels);
    let depth = channels / groups;
    let images = y.par_chunks_mut(pixels * out).zip(x.par_chunks(image));
    images.for_each(|(y, x)| {
        let blocks = y.par_chunks_mut(block * out).enumerate();
        blocks.for_each_init(
            || (vec![0.0; block * patch], Vec::new()),
            |(patches, part), (b, y)| {
                let count = y.len() / out;
                for group in 0..groups {
                    let patches = &mut patches[..count * patch];
                    for (i, patch) in patches.chunks_mut(patch).enumerate() {
                        let at = b * block + i;
                        let at = [at / window.cols.output, at % window.cols.output];
                        gather(x, patch, at, window, [channels, group * depth, depth]);
                    }
                    if groups == 1 {
                        let shape = [count, patch, out];
                        matmul(plain(patches), plain(kernel), y, shape, false, epilogue);
                        return;
                    }
                    let width = out / groups;
                    let columns = columns(kernel, out, group * width, width);
                    part.resize(count * width, 0.0);
                    let shape = [count, patch, width];
                    matmul(
                        plain(patches),
                        plain(&columns),
                        part,
                        shape,
                        false,
                        &AffineRelu::default(),
                    );
                    for (y, part) in y.chunks_mut(out).zip(part.chunks(width)) {
                        y[group * width..][..width].copy_from_slice(part);
                    }
                }
                epilogue.apply(y, out);
            },
        );
    });
}

/// `width` columns, starting at `first`, of a matrix with rows of `length`.
pub(crate) fn columns(matrix: &[f32], length: usize, first: usize, width: usize) -> Vec<f32> {
    matrix
        .chunks(length)
        .flat_map(|row| &row[first..][..width])
        .copied()
        .collect()
}

/// Copies the patch under one output pixel into a row `[kh, kw, depth]`, with zeros outside the image.
pub(crate) fn gather(
    x: &[f32],
    patch: &mut [f32],
    [row, col]: [usize; 2],
    Window2d { rows, cols }: Window2d,
    [channels, first, depth]: [usize; 3],
) {
    let (low, high) = cols.interior();
    // If all taps along a row lie inside the image, they are contiguous in memory.
    let whole = cols.dilation == 1 && depth == channels && (low..high).contains(&col);
    for (r, patch) in patch.chunks_mut(cols.size * depth).enumerate() {
        let Some(r) = rows.position(row, r) else {
            patch.fill(0.0);
            continue;
        };
        let x = &x[r * cols.input * channels..][..cols.input * channels];
        if whole {
            let start = (col * cols.stride - cols.before) * channels;
            patch.copy_from_slice(&x[start..][..patch.len()]);
            continue;
        }
        for (c, patch) in patch.chunks_mut(depth).enumerate() {
            match cols.position(col, c) {
                Some(c) => patch.copy_from_slice(&x[c * channels + first..][..depth]),
                None => patch.fill(0.0),
            }
        }
    }
}
