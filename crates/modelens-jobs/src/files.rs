//! Writing files: each is complete under another name before it replaces what was there.

use std::path::Path;

use crate::whole_file::{WholeFile, WriteError, is_same_file};
use crate::{Event, Figure, FigureKind, FigureTo, ModelSource, words};
use egui_svg::animation;
use egui_svg::png::{self, PngError};
use egui_svg::{FontFiles, outlined};
use modelens_core::formats::SaveError;
use modelens_core::model::layers::WeightMap;
use modelens_core::train::network::Network;
use modelens_core::train::save::saved;
use thiserror::Error;

/// Writes a figure to its file, or draws its pixels for the preview or the clipboard.
pub fn write_figure(figure: &Figure, to: &FigureTo, fonts: &FontFiles) -> Result<Event, String> {
    let FigureTo::File(path) = to else {
        let width = figure.kind.pixels().unwrap_or(1);
        let raster = png::raster(figure.svg(), width, fonts).map_err(|error| error.to_string())?;
        return Ok(Event::FigureDrawn {
            to: to.clone(),
            raster,
        });
    };
    let bytes = bytes(figure, fonts);
    let saved = bytes.and_then(|bytes| {
        let beside = path.with_extension("csv");
        // The dialog asked only about the figure itself.
        if figure.numbers.is_some() && beside.exists() && !path.exists() {
            let name = beside.file_name().unwrap_or_default().to_string_lossy();
            anyhow::bail!("{}", words::numbers_beside(&name));
        }
        // Both files are complete before either is renamed.
        let mut files = vec![WholeFile::with_bytes(path, &bytes)?];
        if let Some(numbers) = &figure.numbers {
            files.push(WholeFile::with_bytes(&beside, numbers.as_bytes())?);
        }
        for file in files {
            file.finish()?;
        }
        Ok(())
    });
    saved
        .map(|()| Event::Saved(path.clone()))
        .map_err(|cause| words::figure_unsaved(&cause.to_string(), &path.display().to_string()))
}

fn bytes(figure: &Figure, fonts: &FontFiles) -> anyhow::Result<Vec<u8>> {
    let svg = figure.svg();
    Ok(match figure.kind {
        FigureKind::Svg { outline: true } => outlined(svg, fonts)?.into_bytes(),
        FigureKind::Svg { outline: false } => svg.to_owned().into_bytes(),
        FigureKind::Png { width, dpi } => png::from_svg(svg, width, fonts, dpi.map(f64::from))?,
        FigureKind::Pdf => pdf(figure, fonts)?,
        FigureKind::Gif { width } => animation::gif(&rasters(figure, width, fonts)?)?,
        FigureKind::Apng { width } => animation::apng(&rasters(figure, width, fonts)?)?,
    })
}

/// The frames of an animation as pixels.
fn rasters(
    figure: &Figure,
    width: u32,
    fonts: &FontFiles,
) -> Result<Vec<animation::Frame>, PngError> {
    let frames = figure.frames.iter();
    let frames = frames.map(|frame| {
        Ok(animation::Frame {
            raster: png::raster(&frame.svg, width, fonts)?,
            milliseconds: frame.milliseconds,
        })
    });
    frames.collect()
}

#[cfg(not(target_family = "wasm"))]
fn pdf(figure: &Figure, fonts: &FontFiles) -> anyhow::Result<Vec<u8>> {
    let svgs: Vec<String> = figure.frames.iter().map(|f| f.svg.clone()).collect();
    Ok(egui_svg::pdf::from_svgs(&svgs, fonts)?)
}

/// A page has no PDF writer, and its dialog does not offer one.
#[cfg(target_family = "wasm")]
fn pdf(_: &Figure, _: &FontFiles) -> anyhow::Result<Vec<u8>> {
    anyhow::bail!("{}", words::NO_PDF)
}

/// Whether an existing file may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    No,
    /// The model may; a file of class names beside it only if it holds the same names.
    Model,
    /// The model and its file of class names.
    Everything,
}

/// Why a model is not saved; what was there before still holds.
#[derive(Debug, Error)]
pub enum SaveFailed {
    #[error("there is a file of this name already")]
    Exists,
    #[error("this is the file the model came from")]
    Original,
    #[error("{0} beside it holds other class names; choose another name for the model")]
    Labels(String),
    #[error(transparent)]
    Content(#[from] SaveError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Checks before a run that its result can be saved as `path`: builds the file with the weights that
/// the network has now and forgets it.
///
/// # Errors
/// See [`SaveFailed`].
pub fn can_save_network(
    source: &ModelSource,
    network: &Network,
    path: &Path,
) -> Result<(), SaveFailed> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    source
        .with_file(|original| saved(original, network, &WeightMap::new(), &name))
        .map_err(SaveError::Source)??;
    Ok(())
}

/// Writes the network with these weights to `path`, in the format of its ending, and the class names
/// of a new head to a text file beside it.
///
/// Each file is written under another name and renamed when it is complete: if writing fails, `path`
/// holds either what it held before or the whole new model.
///
/// # Errors
/// See [`SaveFailed`].
pub fn save_network(
    source: &ModelSource,
    network: &Network,
    weights: &WeightMap,
    path: &Path,
    replace: Replace,
) -> Result<(), SaveFailed> {
    if replace == Replace::No {
        if source
            .path()
            .is_some_and(|original| is_same_file(original, path))
        {
            return Err(SaveFailed::Original);
        }
        if path.exists() {
            return Err(SaveFailed::Exists);
        }
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let saved = source
        .with_file(|original| saved(original, network, weights, &name))
        .map_err(SaveError::Source)??;
    // Both are complete before either is in its place.
    let mut files = vec![WholeFile::with_bytes(path, &saved.model)?];
    if let Some(labels) = saved.labels {
        let beside = path.with_extension("labels.txt");
        let held = std::fs::read(&beside)
            .ok()
            .filter(|_| replace != Replace::Everything);
        if held.is_some_and(|held| held != labels.as_bytes()) {
            let name = beside.file_name().unwrap_or_default().to_string_lossy();
            return Err(SaveFailed::Labels(name.into_owned()));
        }
        files.push(WholeFile::with_bytes(&beside, labels.as_bytes())?);
    }
    for file in files {
        file.finish()?;
    }
    Ok(())
}
