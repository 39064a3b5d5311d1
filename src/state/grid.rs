//! State of the Augmentation view that is not saved.

use std::collections::BTreeMap;

use crate::model::Mode;

/// One cell of the grids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CellPlace {
    pub mode: Mode,
    pub index: usize,
}

/// State of the Augmentation view that is not saved.
#[derive(Debug)]
pub struct GridState {
    /// How often "draw this one again" was pressed, by cell.
    pub cell_redraws: BTreeMap<usize, u64>,
    /// The cell that is shown large.
    pub open: Option<CellPlace>,
    /// The cell that was shown large last: the focus returns to it.
    pub last_open: Option<CellPlace>,
    /// Position of the line between before and after, 0 to 1.
    pub divider: f32,
    /// Tints what the fill mode painted.
    pub show_fill: bool,
    /// Whether the steps of the pipeline can be edited.
    pub editing: bool,
    /// The step whose parameters are shown.
    pub expanded: Option<usize>,
    /// Why the last change of a step was refused.
    pub refused: Option<(usize, String)>,
    /// Why the pasted code was refused.
    pub code_refused: Option<String>,
}

impl Default for GridState {
    fn default() -> Self {
        Self {
            cell_redraws: BTreeMap::new(),
            open: None,
            last_open: None,
            divider: 0.5,
            show_fill: false,
            editing: false,
            expanded: None,
            refused: None,
            code_refused: None,
        }
    }
}

impl GridState {
    /// Shows a cell large, or none.
    pub fn show(&mut self, open: Option<CellPlace>) {
        self.open = open;
        if open.is_some() {
            self.last_open = open;
            self.editing = false;
        }
    }

    /// Goes `step` cells on, around the end of `cells`.
    pub fn step(&mut self, step: isize, cells: usize) {
        if let Some(open) = self.open
            && cells > 0
        {
            let index = (open.index as isize + step).rem_euclid(cells as isize);
            self.show(Some(CellPlace {
                index: index as usize,
                ..open
            }));
        }
    }

    /// Forgets what belonged to the steps of the pipeline before it changed.
    pub fn steps_changed(&mut self) {
        self.cell_redraws.clear();
        self.refused = None;
    }
}
