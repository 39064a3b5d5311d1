//! Convolution of `[N, H, W, C]` as a matrix product over patches, which are read where they lie in the image.

use std::cell::RefCell;

use candle_core::{Error, Result};
use rayon::prelude::*;

use crate::affine_relu::AffineRelu;
use crate::matmul::{Patch, ROWS, matmul, matmul_patches, plain};
use crate::scratch::aligned;
use crate::window::{Steps, Window, Window2d};

/// Values that one task reads or writes: they fit into the L2 cache.
const TASK_VALUES: usize = 64 * 1024;

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

    /// True if every channel has one filter of its own.
    pub fn is_depthwise(&self) -> bool {
        self.groups == self.channels && self.out == self.channels
    }

    /// Values under one output pixel, in one group.
    pub fn patch(&self) -> usize {
        self.window.rows.size * self.window.cols.size * (self.channels / self.groups)
    }

    /// Output pixels in one task.
    fn block(&self) -> usize {
        let strides = self.window.rows.stride * self.window.cols.stride;
        let widest = (self.channels * strides).max(self.out).max(1);
        (TASK_VALUES / widest).max(16)
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
        ..
    } = conv;
    let image = window.inputs() * channels;
    if y.is_empty() || image == 0 {
        return;
    }
    let block = conv.block();
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
            prologue.apply_to_copy(x, channels, |x| pixels(x, kernel, y, conv, epilogue));
        });
        return;
    }
    assert!(
        prologue.is_identity(),
        "only a pointwise convolution takes a prologue"
    );
    let block = block.min(window.outputs());
    let images = y
        .par_chunks_mut(window.outputs() * out)
        .zip(x.par_chunks(image));
    images.for_each(|(y, x)| {
        let blocks = y.par_chunks_mut(block * out).enumerate();
        blocks.for_each(|(b, y)| patches((x, 0), kernel, b * block, y, conv, epilogue));
    });
}

/// A pointwise convolution of some pixels, on the calling thread.
pub(crate) fn pixels(
    x: &[f32],
    kernel: &[f32],
    y: &mut [f32],
    conv: ConvShape,
    epilogue: &AffineRelu,
) {
    let shape = [y.len() / conv.out, conv.channels, conv.out];
    matmul(plain(x), plain(kernel), y, shape, false, epilogue);
}

thread_local! {
    /// Patches at the border of the image, with its zeros, and the columns of one group.
    static SCRATCH: RefCell<[Vec<f32>; 2]> = const { RefCell::new([const { Vec::new() }; 2]) };
}

/// Computes the output pixels from `start` on, on the calling thread; the rows in `x` start at `top`.
pub(crate) fn patches(
    (x, top): (&[f32], usize),
    kernel: &[f32],
    start: usize,
    y: &mut [f32],
    conv: ConvShape,
    epilogue: &AffineRelu,
) {
    let (block, patch) = (conv.block(), conv.patch());
    let ConvShape { out, groups, .. } = conv;
    let width = out / groups;
    SCRATCH.with_borrow_mut(|[border, part]| {
        for (b, y) in y.chunks_mut(block * out).enumerate() {
            let (first, count) = (start + b * block, y.len() / out);
            for group in 0..groups {
                let under = Under {
                    conv,
                    group,
                    x,
                    top,
                };
                let (rows, piece) = under.patches(first, count, border);
                if groups == 1 {
                    let sizes = [patch, out];
                    matmul_patches(&rows, piece, plain(kernel), y, sizes, epilogue);
                    continue;
                }
                let columns = columns(kernel, out, group * width, width);
                let (part, nothing) = (aligned(part, count * width), AffineRelu::default());
                let sizes = [patch, width];
                matmul_patches(&rows, piece, plain(&columns), part, sizes, &nothing);
                for (y, part) in y.chunks_mut(out).zip(part.chunks(width)) {
                    y[group * width..][..width].copy_from_slice(part);
                }
            }
            if groups > 1 {
                epilogue.apply(y, out);
            }
        }
    });
}

/// What one group of a convolution reads.
struct Under<'a> {
    conv: ConvShape,
    group: usize,
    /// The rows of an image from `top` on.
    x: &'a [f32],
    top: usize,
}

impl Under<'_> {
    /// The patches under `count` output pixels from `first` on, and the length of their pieces. Those inside the
    /// image are read where they are, row by row of the kernel; those at its border are copied.
    fn patches<'a>(
        &'a self,
        first: usize,
        count: usize,
        border: &'a mut Vec<f32>,
    ) -> (Vec<Patch<'a>>, usize) {
        let ConvShape {
            window,
            channels,
            groups,
            ..
        } = self.conv;
        let Window2d { rows, cols } = window;
        let (depth, patch) = (channels / groups, self.conv.patch());
        let mut patches = Vec::with_capacity(count);
        if count == 0 {
            return (patches, cols.size * depth);
        }
        let is_whole = cols.dilation == 1 && groups == 1;
        let inside = if is_whole { cols.interior() } else { (0, 0) };
        let lines = rows.interior();
        let [top, start] = window.output(first);
        let [bottom, last] = window.output(first + count - 1);
        // The columns of an output row that are computed here, those before and after the ones that lie inside.
        let columns = |row: usize| {
            let from = if row == top { start } else { 0 };
            let to = if row == bottom { last + 1 } else { cols.output };
            let (low, high) = if (lines.0..lines.1).contains(&row) {
                inside
            } else {
                (0, 0)
            };
            let low = low.clamp(from, to);
            (from..low, low..high.clamp(low, to), high.clamp(low, to)..to)
        };
        let copied = (top..=bottom).map(columns);
        let copied: usize = copied.map(|(a, _, b)| a.len() + b.len()).sum();
        let border = aligned(border, copied * patch);
        let part = [channels, self.group * depth, depth];
        let mut free = border.chunks_mut(patch);
        let (piece, line) = (cols.size * depth, cols.input * channels);
        for row in top..=bottom {
            let (before, within, after) = columns(row);
            let mut copy = |col: usize, patches: &mut Vec<Patch<'a>>| {
                let Some(values) = free.next() else { return };
                gather((self.x, self.top), values, [row, col], window, part);
                let step = piece;
                patches.push(Patch { values, step });
            };
            before.for_each(|col| copy(col, &mut patches));
            if !within.is_empty() {
                let x = &self.x[(row * rows.stride - rows.before - self.top) * line..];
                let mut at = (within.start * cols.stride - cols.before) * channels;
                for _ in within {
                    let (values, step) = (&x[at..], rows.dilation * line);
                    patches.push(Patch { values, step });
                    at += cols.stride * channels;
                }
            }
            after.for_each(|col| copy(col, &mut patches));
        }
        (patches, piece)
    }
}

/// `width` columns, starting at `first`, of a matrix with rows of `length`.
pub(crate) fn columns(matrix: &[f32], length: usize, first: usize, width: usize) -> Vec<f32> {
    matrix
        .chunks(length)
        .flat_map(|row| &row[first..][..width])
        .copied()
        .collect()
}

/// Copies the patch under one output pixel into a row `[kh, kw, depth]`, with zeros outside the image. The rows in
/// `x` start at `top`.
pub(crate) fn gather(
    (x, top): (&[f32], usize),
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
        let x = &x[(r - top) * cols.input * channels..][..cols.input * channels];
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
