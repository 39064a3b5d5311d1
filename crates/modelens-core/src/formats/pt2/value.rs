//! Values of the program: nodes of the graph here, weights, and numbers.

use candle_core::Tensor;

use super::stored::Stored;
use crate::model::NodeId;

/// A value that depends on the photo.
#[derive(Clone, Debug)]
pub struct Value {
    pub node: NodeId,
    /// The length of each axis of the node's value, if known. The first is the batch axis and has none.
    pub dims: Vec<Option<usize>>,
    /// For each axis in the program the axes here that it consists of, the outermost first. An empty list
    /// is an axis of length 1. Axes here that are in no list have length 1.
    pub axes: Vec<Vec<usize>>,
}

impl Value {
    pub fn rank(&self) -> usize {
        self.axes.len()
    }

    /// The length of an axis of the program for one photo, and whether it counts the photos as well.
    pub fn length(&self, axis: usize) -> Length {
        let inner = self.axes[axis].iter().filter(|&&a| a != 0);
        let count = inner
            .map(|&a| self.dims[a])
            .try_fold(1_usize, |n, d| n.checked_mul(d?));
        Length {
            count,
            of_batch: self.axes[axis].contains(&0),
        }
    }
}

/// The length of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// `None` where only a photo will tell.
    pub count: Option<usize>,
    /// Whether the number of photos is a factor of it.
    pub of_batch: bool,
}

/// A value that does not depend on the photo.
#[derive(Clone, Debug)]
pub struct Constant {
    pub tensor: Tensor,
    /// The weight whose values it has.
    pub from: Option<Stored>,
    /// The axis that is repeated for every photo.
    pub batch: Option<usize>,
    /// For each value its place in the weight, or in the memory that it is a view of: whole numbers in the
    /// tensor's shape. `None` where these are `0, 1, 2, ...`.
    pub places: Option<Tensor>,
    /// True if it is in the memory of its name ([`super::live::Flow::root`]), so that writing there
    /// changes it.
    pub is_view: bool,
}

impl Constant {
    /// Values of their own.
    pub fn new(tensor: Tensor) -> Self {
        Self {
            tensor,
            from: None,
            batch: None,
            places: None,
            is_view: true,
        }
    }
}

/// How the program counts the photos of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batch {
    /// It takes any number.
    Any,
    /// It was exported for one photo. An axis of length 1 may be the batch axis.
    One,
    /// It was exported for this many photos, two at least.
    Fixed(usize),
}

/// What a name in the program refers to.
#[derive(Clone, Debug)]
pub enum Known {
    Value(Value),
    Stored(Stored),
    Constant(Constant),
    Length(Length),
    /// Memory without values, for the draws of stochastic depth.
    Empty(Vec<Length>),
    /// Draws: 1 with the probability `keep`, else 0, divided by `keep` if `is_scaled`.
    Draws {
        shape: Vec<Length>,
        keep: f64,
        is_scaled: bool,
    },
}
