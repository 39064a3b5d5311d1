//! Values of the file: nodes of the graph, or constants.

use super::constant::Constant;
use crate::model::NodeId;

/// The axes of `[N, C, H, W]` as indices into `[N, H, W, C]`.
pub const IMAGE: [usize; 4] = [0, 3, 1, 2];

/// A value that depends on the photo.
#[derive(Clone, Debug)]
pub struct Value {
    pub node: NodeId,
    /// For each axis in the file its index here. The batch axis is the first in both.
    pub axes: Vec<usize>,
    /// The length of each axis here, if known; the batch axis has none.
    pub dims: Vec<Option<usize>>,
}

impl Value {
    /// A value with the axes of the file.
    pub fn plain(node: NodeId, dims: Vec<Option<usize>>) -> Self {
        let axes = (0..dims.len()).collect();
        Self { node, axes, dims }
    }

    /// An image `[N, H, W, C]` that is `[N, C, H, W]` in the file.
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
    /// This value with all axes flattened into one, the batch axis included.
    Line(Value),
    Constant(Constant<'a>),
}
