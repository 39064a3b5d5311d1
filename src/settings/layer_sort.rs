//! The order of the layer table.

use serde::{Deserialize, Serialize};

/// A column of the layer table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum LayerColumn {
    /// In the order of the network.
    #[default]
    Layer,
    Flag,
    Inherited,
    Training,
    Mode,
    Moves,
    Params,
}

impl LayerColumn {
    /// From the left.
    pub const ALL: [Self; 7] = [
        Self::Layer,
        Self::Flag,
        Self::Inherited,
        Self::Training,
        Self::Mode,
        Self::Moves,
        Self::Params,
    ];
}

/// By which column, and which end first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LayerSort {
    pub column: LayerColumn,
    pub descending: bool,
}

impl LayerSort {
    /// After a click on a heading: another column from its start, the same one from its other end.
    #[must_use]
    pub fn clicked(self, column: LayerColumn) -> Self {
        Self {
            column,
            descending: self.column == column && !self.descending,
        }
    }
}
