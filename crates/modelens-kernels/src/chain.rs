//! Convolutions in a row, computed band by band: what lies between them is never written to main memory.
//!
//! In MobileNet's blocks a pointwise convolution widens the image sixfold, a depthwise one filters it, and a
//! pointwise one narrows it again. Written as a whole, the wide images would cost more time than the arithmetic.
//! The values are those of the single convolutions, bit by bit.

use std::cell::RefCell;
use std::ops::Range;

use rayon::prelude::*;

use crate::affine_relu::{AffineRelu, add_in_place};
use crate::convolution::{self, ConvShape};
use crate::depthwise;
use crate::matmul::ROWS;
use crate::scratch::aligned;
use crate::simd::run;

/// Values between the convolutions that one task holds: they fit into the L2 cache beside the weights.
const BAND: usize = 96 * 1024;
/// An image is cut into as few tasks as there are threads if they would have fewer output rows than this.
const SHORT: usize = 16;

/// A convolution of a chain, with what follows it.
#[derive(Clone, Debug)]
pub struct Link<'a> {
    pub conv: ConvShape,
    /// `[kh, kw, C / groups, out]`; a depthwise one has one filter a channel, `[kh, kw, C]`.
    pub kernel: &'a [f32],
    pub epilogue: AffineRelu,
}

impl Link<'_> {
    /// Values in one row of the output.
    fn line(&self) -> usize {
        self.conv.window.cols.output * self.conv.out
    }

    /// Computes the rows from `first` on of each image in `y`; the rows in `x` start at `top`.
    fn rows(&self, images: usize, (x, top): (&[f32], usize), first: usize, y: &mut [f32]) {
        let ConvShape {
            window, channels, ..
        } = self.conv;
        if self.conv.is_pointwise() {
            let line = window.cols.input * channels;
            let count = y.len() / self.line();
            let skipped = (first - top) * line;
            let x = &x[skipped..][..count * line];
            convolution::pixels(x, self.kernel, y, self.conv, &self.epilogue);
            return;
        }
        let sizes = [x.len() / images, y.len() / images];
        for (x, y) in x.chunks_exact(sizes[0]).zip(y.chunks_exact_mut(sizes[1])) {
            if self.conv.is_depthwise() {
                run(depthwise::Rows {
                    x,
                    kernel: self.kernel,
                    first,
                    top,
                    channels,
                    window,
                    epilogue: &self.epilogue,
                    y,
                });
            } else {
                let start = first * window.cols.output;
                convolution::patches((x, top), self.kernel, start, y, self.conv, &self.epilogue);
            }
        }
    }
}

/// Runs the convolutions one after another on `[N, H, W, C]`; the last one's output, plus `residual`, is written
/// to `y`.
///
/// # Panics
/// If the shapes do not fit each other, or the chain is empty.
pub fn forward(x: &[f32], links: &[Link<'_>], residual: Option<&[f32]>, y: &mut [f32]) {
    let (first, last) = (&links[0], &links[links.len() - 1]);
    let (from, to) = (first.conv, last.conv);
    let (input, output) = (
        from.window.inputs() * from.channels,
        to.window.outputs() * to.out,
    );
    if input == 0 || output == 0 || y.is_empty() {
        return;
    }
    let images = y.len() / output;
    assert!(x.len() == images * input && y.len() == images * output);
    assert!(residual.is_none_or(|r| r.len() == y.len()));
    let height = to.window.rows.output;
    let whole = held(links, height);
    let threads = rayon::current_num_threads();
    let task = |x: &[f32], rows: Range<usize>, residual: Option<&[f32]>, y: &mut [f32]| {
        BUFFERS.with_borrow_mut(|buffers| Task { links, x, residual }.run(rows, y, buffers));
    };
    if images >= 2 * threads || threads == 1 {
        // Small images share a task, so that the weights are read less often.
        let most = if threads == 1 {
            images
        } else {
            images.div_ceil(threads)
        };
        let group = (BAND / whole.max(1)).clamp(1, most.max(1));
        let tasks = y.par_chunks_mut(group * output).enumerate();
        tasks.for_each(|(i, y)| {
            let x = &x[i * group * input..][..y.len() / output * input];
            let residual = residual.map(|r| &r[i * group * output..][..y.len()]);
            task(x, 0..height, residual, y);
        });
        return;
    }
    // Each image is cut, so that every core is busy.
    let share = |tasks: usize| (height * images).div_ceil(tasks).clamp(1, height);
    let rows = match share(2 * threads) {
        // The rows at the edge of a task are computed twice.
        few if few < SHORT => share(threads),
        rows => rows,
    };
    let line = last.line();
    let tasks = y.par_chunks_mut(output).enumerate();
    tasks.for_each(|(image, y)| {
        let x = &x[image * input..][..input];
        y.par_chunks_mut(rows * line)
            .enumerate()
            .for_each(|(i, y)| {
                let first = i * rows;
                let residual = residual.map(|r| &r[image * output + first * line..][..y.len()]);
                task(x, first..first + y.len() / line, residual, y);
            });
    });
}

/// The values of each convolution's output that `count` rows of the last one need, in the middle of an image.
fn needed<'a>(links: &'a [Link<'_>], mut count: usize) -> impl Iterator<Item = usize> + use<'a> {
    let pairs = links.windows(2).rev();
    pairs.map(move |pair| {
        let rows = pair[1].conv.window.rows;
        let reach = (rows.size - 1) * rows.dilation + 1;
        count = ((count.max(1) - 1) * rows.stride + reach).min(rows.input);
        count * pair[0].line()
    })
}

/// The values between the convolutions for `count` rows of the output.
fn held(links: &[Link<'_>], count: usize) -> usize {
    needed(links, count).sum()
}

thread_local! {
    /// One for each convolution but the last.
    static BUFFERS: RefCell<Vec<Buffer>> = const { RefCell::new(Vec::new()) };
}

/// The rows of a convolution's output that the next one reads.
#[derive(Default)]
struct Buffer {
    values: Vec<f32>,
    /// The rows it holds.
    rows: Range<usize>,
}

impl Buffer {
    /// Makes room for `rows` of `line` values, keeps those it has, and returns the first that is missing.
    fn advance(&mut self, rows: &Range<usize>, line: usize) -> usize {
        let kept = rows.start.max(self.rows.start)..self.rows.end.min(rows.end);
        let length = rows.len().max(self.rows.len()) * line;
        let values = aligned(&mut self.values, length);
        let next = if kept.is_empty() || kept.start != rows.start {
            rows.start
        } else {
            let skipped = (kept.start - self.rows.start) * line;
            values.copy_within(skipped..skipped + kept.len() * line, 0);
            kept.end
        };
        self.rows = rows.clone();
        next
    }
}

/// Whole images, or some rows of one.
struct Task<'a> {
    links: &'a [Link<'a>],
    /// All rows of its images.
    x: &'a [f32],
    residual: Option<&'a [f32]>,
}

impl Task<'_> {
    fn run(&self, rows: Range<usize>, y: &mut [f32], buffers: &mut Vec<Buffer>) {
        let links = self.links;
        let last = &links[links.len() - 1];
        let images = y.len() / (rows.len() * last.line());
        buffers.resize_with(buffers.len().max(links.len()), Buffer::default);
        let mut missing = vec![0..0; links.len()];
        let count = if images > 1 {
            rows.len()
        } else {
            self.band(rows.len(), last.conv.window.cols.output)
        };
        let size = images * count * last.line();
        let (between, _) = buffers.split_at_mut(links.len() - 1);
        for (buffer, values) in between.iter_mut().rev().zip(needed(links, count)) {
            // As large as it will be: the rows it holds must not move.
            aligned(&mut buffer.values, images * values);
            buffer.rows = 0..0;
        }
        for (i, y) in y.chunks_mut(size).enumerate() {
            let first = rows.start + i * count;
            let count = y.len() / (images * last.line());
            self.band_rows(images, first..first + count, y, &mut missing, buffers);
            if let Some(residual) = self.residual {
                add_in_place(y, &residual[i * size..][..y.len()]);
            }
        }
    }

    /// The number of output rows computed at once: they fit into the cache, and fill whole tiles of the matrix
    /// product where they can.
    fn band(&self, rows: usize, width: usize) -> usize {
        if held(self.links, rows) <= BAND {
            return rows;
        }
        let fits = |&count: &usize| held(self.links, count) <= BAND;
        let most = (1..=rows).take_while(fits).last().unwrap_or(1);
        let is_whole = |&count: &usize| (count * width).is_multiple_of(ROWS);
        (most / 2 + 1..=most).rev().find(is_whole).unwrap_or(most)
    }

    fn band_rows(
        &self,
        images: usize,
        out: Range<usize>,
        y: &mut [f32],
        missing: &mut [Range<usize>],
        buffers: &mut [Buffer],
    ) {
        let links = self.links;
        missing[links.len() - 1] = out;
        for i in (1..links.len()).rev() {
            let window = links[i].conv.window.rows;
            let needed = if images > 1 {
                0..window.input
            } else {
                window.read(missing[i].start, missing[i].len())
            };
            let line = images * links[i - 1].line();
            missing[i - 1] = buffers[i - 1].advance(&needed, line)..needed.end;
        }
        for (i, link) in links.iter().enumerate() {
            let (before, after) = buffers.split_at_mut(i);
            let (x, top) = match before.last_mut() {
                None => (self.x, 0),
                Some(Buffer { values, rows }) => {
                    let length = images * rows.len() * links[i - 1].line();
                    (&*aligned(values, length), rows.start)
                }
            };
            let new = &missing[i];
            if i + 1 == links.len() {
                link.rows(images, (x, top), new.start, y);
                continue;
            }
            let line = images * link.line();
            let Buffer { values, rows } = &mut after[0];
            let y = &mut aligned(values, rows.len() * line)[(new.start - rows.start) * line..];
            if !y.is_empty() {
                link.rows(images, (x, top), new.start, y);
            }
        }
    }
}
