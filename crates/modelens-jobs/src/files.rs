//! Writing files: each is complete under another name before it replaces what was there.

use std::io::Write;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::{Event, Figure, FigureTo, ModelSource, words};
use egui_svg::png::{self, PngError};
use egui_svg::{FontFiles, outlined};
use modelens_core::formats::SaveError;
use modelens_core::model::layers::WeightMap;
use modelens_core::train::network::Network;
use modelens_core::train::save::saved;
use thiserror::Error;

/// Writes a file, first under a temporary name beside it, so that a failure leaves no half file.
pub fn save(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    persist(complete(path, bytes)?, path)
}

/// Writes a complete file beside `path`, to be renamed by [`persist`]. Refuses a `path` that may not
/// be replaced.
pub fn complete(path: &Path, bytes: &[u8]) -> anyhow::Result<NamedTempFile> {
    replaceable(path)?;
    let mut file = temporary_beside(path)?;
    file.write_all(bytes)?;
    Ok(file)
}

/// Refuses a read-only target, even if its folder would allow replacing it.
fn replaceable(path: &Path) -> anyhow::Result<()> {
    if path.is_dir() {
        anyhow::bail!("{}", words::IS_FOLDER);
    }
    if std::fs::metadata(path).is_ok_and(|m| m.permissions().readonly()) {
        anyhow::bail!("{}", words::READ_ONLY);
    }
    Ok(())
}

/// An empty file in the folder of `path`, to be renamed once it is complete.
pub fn temporary_beside(path: &Path) -> anyhow::Result<NamedTempFile> {
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if !folder.is_dir() {
        anyhow::bail!("{}", words::NO_FOLDER);
    }
    let mut builder = tempfile::Builder::new();
    // Temporary files are private by default; the result is an ordinary file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    Ok(builder.tempfile_in(folder)?)
}

/// Renames a complete file to `path`, unless `path` may not be replaced.
pub fn persist(file: NamedTempFile, path: &Path) -> anyhow::Result<()> {
    replaceable(path)?;
    file.persist(path)?;
    Ok(())
}

/// Writes a figure to its file, or draws its pixels for the preview or the clipboard.
pub fn write_figure(figure: &Figure, to: &FigureTo, fonts: &FontFiles) -> Result<Event, String> {
    let FigureTo::File(path) = to else {
        let width = figure.png_width.unwrap_or(1);
        let raster = png::raster(&figure.svg, width, fonts).map_err(|error| error.to_string())?;
        return Ok(Event::FigureDrawn {
            to: to.clone(),
            raster,
        });
    };
    let bytes = match figure.png_width {
        None if figure.outline => outlined(&figure.svg, fonts)
            .map(String::into_bytes)
            .map_err(PngError::from),
        None => Ok(figure.svg.clone().into_bytes()),
        Some(width) => png::from_svg(&figure.svg, width, fonts, figure.dpi.map(f64::from)),
    };
    let saved = bytes.map_err(anyhow::Error::from).and_then(|bytes| {
        let beside = path.with_extension("csv");
        // The dialog asked only about the figure itself.
        if figure.numbers.is_some() && beside.exists() && !path.exists() {
            let name = beside.file_name().unwrap_or_default().to_string_lossy();
            anyhow::bail!("{}", words::numbers_beside(&name));
        }
        // Both files are complete before either is renamed.
        let mut complete = vec![(complete(path, &bytes)?, path)];
        if let Some(numbers) = &figure.numbers {
            complete.push((self::complete(&beside, numbers.as_bytes())?, &beside));
        }
        let mut complete = complete.into_iter();
        complete.try_for_each(|(file, path)| persist(file, path))
    });
    saved
        .map(|()| Event::Saved(path.clone()))
        .map_err(|cause| words::figure_unsaved(&cause.to_string(), &path.display().to_string()))
}

/// Whether an existing file may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    No,
    /// The person was asked, or asked for it.
    Yes,
}

/// Why a model is not saved; what was there before still holds.
#[derive(Debug, Error)]
pub enum SaveFailed {
    #[error("there is a file of this name already")]
    Exists,
    #[error("this is the file the model came from")]
    Original,
    #[error(transparent)]
    Content(#[from] SaveError),
    #[error("{0}")]
    Write(String),
}

/// Writes the network with these weights to `path`, in the format of `source`, and the class names
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
            .is_some_and(|original| same_file(original, path))
        {
            return Err(SaveFailed::Original);
        }
        if path.exists() {
            return Err(SaveFailed::Exists);
        }
    }
    let saved = source
        .with_file(|original| saved(original, network, weights))
        .map_err(SaveError::Source)??;
    write(path, &saved.model)?;
    if let Some(labels) = saved.labels {
        write(&path.with_extension("labels.txt"), labels.as_bytes())?;
    }
    Ok(())
}

fn same_file(a: &Path, b: &Path) -> bool {
    match (std::fs::canonicalize(a), std::fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), SaveFailed> {
    let written = || -> anyhow::Result<()> {
        let mut file = temporary_beside(path)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        persist(file, path)
    };
    written().map_err(|error| SaveFailed::Write(error.to_string()))
}
