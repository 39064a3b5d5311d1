//! Rows of the published tables of inverted residuals.

/// Blocks of one kind, as a published table lists them.
#[allow(clippy::struct_excessive_bools, reason = "four independent options")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// How often the block repeats in the network of depth 1.
    pub repeats: usize,
    /// Side of the depthwise kernel.
    pub kernel: usize,
    /// Stride of the first block of the row.
    pub stride: usize,
    /// Channels of the depthwise convolution as a multiple of the block's input; `None` for a
    /// depthwise-separable block, which does not expand.
    pub expansion: Option<f64>,
    /// Whether the block has squeeze-and-excite.
    pub squeeze: bool,
    /// `ReLU` in place of the network's activation.
    pub relu: bool,
    /// Whether the input is added where the shape stays.
    pub skip: bool,
    /// Whether one full convolution replaces the first two; without an expansion it is the whole
    /// block.
    pub fused: bool,
}

/// Fused inverted residuals: a full convolution that expands, then one that projects.
pub const fn fused(repeats: usize, kernel: usize, stride: usize, expansion: f64) -> Row {
    Row {
        fused: true,
        ..ir(repeats, kernel, stride, expansion)
    }
}

/// Convolution, BatchNorm and activation alone.
pub const fn cn(repeats: usize, kernel: usize, stride: usize) -> Row {
    Row {
        fused: true,
        ..ds(repeats, kernel, stride)
    }
}

/// Inverted residuals: expand, depthwise, project.
pub const fn ir(repeats: usize, kernel: usize, stride: usize, expansion: f64) -> Row {
    Row {
        expansion: Some(expansion),
        ..ds(repeats, kernel, stride)
    }
}

/// Depthwise-separable blocks.
pub const fn ds(repeats: usize, kernel: usize, stride: usize) -> Row {
    Row {
        repeats,
        kernel,
        stride,
        expansion: None,
        squeeze: false,
        relu: false,
        skip: true,
        fused: false,
    }
}

impl Row {
    pub const fn squeeze(self) -> Self {
        Self {
            squeeze: true,
            ..self
        }
    }

    pub const fn relu(self) -> Self {
        Self { relu: true, ..self }
    }

    pub const fn no_skip(self) -> Self {
        Self {
            skip: false,
            ..self
        }
    }
}

/// The row of each block of a stage of `blocks` blocks, as timm scales depth: the last rows are
/// scaled first. `None` if there are fewer blocks than rows.
pub fn distributed(rows: &[Row], blocks: usize) -> Option<Vec<(Row, bool)>> {
    let mut rest: usize = rows.iter().map(|row| row.repeats).sum();
    let mut left = blocks;
    let mut counts = Vec::new();
    for row in rows.iter().rev() {
        let share = row.repeats as f64 / rest as f64 * left as f64;
        // Python rounds halves to even.
        let count = (share.round_ties_even() as usize).max(1);
        counts.push(count);
        rest -= row.repeats;
        left = left.checked_sub(count)?;
    }
    if left > 0 {
        return None;
    }
    counts.reverse();
    let blocks = rows
        .iter()
        .zip(counts)
        .flat_map(|(row, count)| (0..count).map(move |i| (*row, i == 0)));
    Some(blocks.collect())
}

/// The nearest multiple of 8, at least 8 and at least 90% of the value: `make_divisible` of the
/// MobileNets.
pub fn divisible(value: f64) -> usize {
    let rounded = (((value + 4.0) as usize) / 8 * 8).max(8);
    if (rounded as f64) < 0.9 * value {
        rounded + 8
    } else {
        rounded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_scaled_from_the_end() {
        let rows = [ir(1, 3, 2, 6.0), ir(1, 3, 1, 2.5), ir(2, 3, 1, 2.3)];
        let counts = |blocks| {
            let all = distributed(&rows, blocks)?;
            let of = |e: f64| {
                all.iter()
                    .filter(|(row, _)| row.expansion == Some(e))
                    .count()
            };
            Some([of(6.0), of(2.5), of(2.3)])
        };
        assert_eq!(counts(4), Some([1, 1, 2]));
        assert_eq!(counts(5), Some([1, 2, 2]));
        assert_eq!(counts(2), None);
        assert_eq!(distributed(&[ds(1, 3, 1)], 3).map(|all| all.len()), Some(3));
    }

    #[test]
    fn widths_are_multiples_of_eight() {
        assert_eq!(
            [32.0, 4.8, 19.2, 22.4, 10.0].map(divisible),
            [32, 8, 24, 24, 16]
        );
    }
}
