//! Writes a figure and the files beside it.

use std::path::{Path, PathBuf};

use egui_svg::png::{self, PngError};
use egui_svg::{Width, missing_glyphs, outlined};

use super::Written;
use super::options::{FigureArgs, Format, LookOptions};
use crate::cli::Failure;
use crate::figure::Drawn;
use crate::lesson::LessonStep;
use crate::state::{State, View};
use crate::theme::fonts::FOR_FIGURES;
use modelens_jobs::WholeFile;

impl FigureArgs {
    /// The figure, and the sidecar and numbers if they were asked for.
    pub(super) fn files(
        &self,
        state: &State,
        view: View,
        drawn: &Drawn,
        look: &LookOptions,
        step: Option<&LessonStep>,
        out: &Path,
    ) -> Result<Vec<(PathBuf, Vec<u8>)>, Failure> {
        let format = Format::of(out)?;
        if format == Format::Png || self.outline_text {
            look.boxes
                .borrow_mut()
                .extend(missing_glyphs(&drawn.svg, &FOR_FIGURES));
        }
        let bytes = match format {
            Format::Svg => self.svg(drawn, look)?.into_bytes(),
            Format::Png => png(drawn, look.width)?,
        };
        let sidecar = if self.sidecar {
            Some(self.sidecar(state, view, drawn, step, &bytes)?)
        } else {
            None
        };
        let mut files = vec![(out.to_owned(), bytes)];
        files.extend(sidecar.map(|text| (sidecar_of(out), text)));
        if self.csv {
            let Some(numbers) = view.page().numbers(state) else {
                let why = format!("--csv: the figure has no numbers: {}", out.display());
                return Err(Failure::File(why));
            };
            files.push((out.with_extension("csv"), numbers.into_bytes()));
        }
        Ok(files)
    }

    fn svg(&self, drawn: &Drawn, look: &LookOptions) -> Result<String, Failure> {
        // An SVG has the same limits of size as a PNG.
        look.width
            .pixels(drawn.size[0])
            .map_err(|error| unusable(&error))?;
        let svg = look.width.svg(&drawn.svg, drawn.size);
        if self.outline_text {
            return outlined(&svg, &FOR_FIGURES).map_err(|error| Failure::File(error.to_string()));
        }
        Ok(svg)
    }
}

/// The sidecar of a figure: `a.svg.json` of `a.svg`, so that `a.png` has its own.
pub(super) fn sidecar_of(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".json");
    out.with_file_name(name)
}

fn png(drawn: &Drawn, width: Width) -> Result<Vec<u8>, Failure> {
    let pixels = width
        .pixels(drawn.size[0])
        .map_err(|error| unusable(&error))?;
    png::from_svg(&drawn.svg, pixels, &FOR_FIGURES, width.dpi()).map_err(|error| unusable(&error))
}

fn unusable(error: &PngError) -> Failure {
    match error {
        PngError::TooLarge { .. } | PngError::Width(_) => Failure::Usage(error.to_string()),
        PngError::Svg(_) | PngError::Encoding(_) => Failure::File(error.to_string()),
    }
}

/// Writes all files, or none if one of them cannot be written.
pub(super) fn write_files(files: &[Written]) -> Result<(), Failure> {
    let failed = |cause: &str, path: &Path| {
        Failure::File(format!(
            "the figure was not written ({cause}): {}",
            path.display()
        ))
    };
    let mut complete = Vec::new();
    for (path, bytes) in files {
        let file = WholeFile::with_bytes(path, bytes).map_err(|e| failed(&e.to_string(), path))?;
        complete.push((file, path));
    }
    for (written, (file, path)) in complete.into_iter().enumerate() {
        file.finish().map_err(|error| match written {
            0 => failed(&error.to_string(), path),
            n => Failure::File(format!(
                "only {n} of {} files were written ({error}): {}",
                files.len(),
                path.display()
            )),
        })?;
    }
    Ok(())
}
