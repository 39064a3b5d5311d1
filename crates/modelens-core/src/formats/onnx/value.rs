//! What is known of a value of the file: where it is here, or its numbers.

use super::constant::Constant;
use crate::model::NodeId;

/// Where `[N, C, H, W]` is in `[N, H, W, C]`.
pub const IMAGE: [usize; 4] = [0, 3, 1, 2];

/// A value that depends on the photo.
#[derive(Clone, Debug)]
pub struct Value {
    pub node: NodeId,
    /// For each axis in the file, the axis here. The batch axis is the first in both.
    pub axes: Vec<usize>,
    /// The length of each axis here, where it is known; never of the batch axis.
    pub dims: Vec<Option<usize>>,
}

impl Value {
    /// A value whose axes are those of the file.
    pub fn plain(node: NodeId, dims: Vec<Option<usize>>) -> Self {
        let axes = (0..dims.len()).collect();
        Self { node, axes, dims }
    }

    /// An image `[N, H, W, C]` that the file knows as `[N, C, H, W]`.
    pub fn image(node: NodeId, dims: Vec<Option<usize>>) -> Self {
        let axes = IMAGE.to_vec();
        Self { node, axes, dims }
    }

    pub fn rank(&self) -> usize {
        self.dims.len()
    }

    /// The lengths in the file's order.
    pub fn file_dims(&self) -> Vec<Option<usize>> {
        self.axes.iter().map(|&axis| self.dims[axis]).collect()
    }
}

#[derive(Clone, Debug)]
pub enum Known<'a> {
    Value(Value),
    /// This value on one axis, in the file's order: all of a photo's numbers behind those of the one before.
    Line(Value),
    Constant(Constant<'a>),
}
