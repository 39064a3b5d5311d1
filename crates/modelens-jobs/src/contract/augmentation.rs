//! What the augmentation view asks for, and what comes back.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::shared;
use crate::store::PhotosId;
use crate::words;
use modelens_core::augment::{Draw, Pipeline};
use modelens_core::dataset::Image;
use modelens_core::model::{Mode, Semantics};

/// What the cells of the augmentation grid show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Grid {
    /// The chosen photo nine times, as in the course.
    #[default]
    OnePhoto,
    /// The chosen photo and eight others, once each.
    NinePhotos,
    /// The same nine photos in three epochs, one row an epoch: 27 cells.
    ThreeEpochs,
}

impl Grid {
    pub const ALL: [Self; 3] = [Self::OnePhoto, Self::NinePhotos, Self::ThreeEpochs];

    /// The name the window shows.
    pub fn label(self) -> &'static str {
        match self {
            Self::OnePhoto => words::ONE_PHOTO,
            Self::NinePhotos => words::NINE_PHOTOS,
            Self::ThreeEpochs => words::THREE_EPOCHS,
        }
    }

    /// Cells in a row, and rows.
    pub fn columns_and_rows(self) -> [usize; 2] {
        match self {
            Self::OnePhoto | Self::NinePhotos => [3, 3],
            Self::ThreeEpochs => [9, 3],
        }
    }

    /// Cells on each side.
    pub fn cells(self) -> usize {
        let [columns, rows] = self.columns_and_rows();
        columns * rows
    }
}

/// Photos through the pipeline, cell by cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AugmentationLook {
    pub photos: PhotosId,
    /// The chosen photo: the one that is shown nine times, or the first of nine.
    pub photo: usize,
    pub grid: Grid,
    /// How often each cell was redrawn on its own; 0 for cells that are missing.
    pub cell_redraws: BTreeMap<usize, u64>,
    /// The size the model takes, in pixels.
    pub height: usize,
    pub width: usize,
    /// Channels of the photos, as the model takes them.
    pub channels: usize,
    pub pipeline: Pipeline,
    pub semantics: Semantics,
    pub seed: u64,
    /// How often the whole grid was redrawn.
    pub redraws: u64,
}

/// The cells of both sides, row by row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AugmentationOutcome {
    pub training: Vec<GridCell>,
    pub inference: Vec<GridCell>,
    /// For each step of the pipeline that is on, the largest difference it makes to a photo of the grid: in
    /// training and in inference. `None` if it changes the size.
    pub step_differences: Vec<[Option<f32>; 2]>,
}

impl AugmentationOutcome {
    /// The cells of one side.
    pub fn side(&self, mode: Mode) -> &[GridCell] {
        match mode {
            Mode::Training => &self.training,
            Mode::Inference => &self.inference,
        }
    }
}

/// One image of the grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GridCell {
    /// Index of the photo in its set.
    pub photo: usize,
    /// The input of the pipeline as a picture.
    #[serde(with = "shared")]
    pub original: Arc<Image<u8>>,
    /// The output as a picture; steps that rescale the values are undone for it.
    #[serde(with = "shared")]
    pub image: Arc<Image<u8>>,
    /// One for each step of the pipeline that is on; empty in inference.
    pub draws: Vec<Draw>,
    /// The draws in words; `unchanged` where nothing was drawn.
    pub words: String,
    /// Photos whose labels make the new one, each with its share, the largest first; empty where no step
    /// mixes labels.
    pub target: Vec<(usize, f64)>,
    /// Largest absolute difference of the output's values from the original's, steps that rescale undone; `None` if
    /// the sizes differ.
    pub largest_difference: Option<f32>,
    /// The same between the input and the output of each step that is on; empty in inference.
    pub step_differences: Vec<Option<f32>>,
}
