//! Writes a figure and the files beside it.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use egui_svg::pdf;
use egui_svg::png::{self, PngError};
use egui_svg::{Width, missing_glyphs, outlined};

use super::Written;
use super::options::{FigureArgs, Format, LookOptions, is_stdout};
use crate::cli::Failure;
use crate::figure::Drawn;
use crate::lesson::LessonStep;
use crate::state::{State, View};
use crate::theme::fonts::FOR_FIGURES;
use modelens_jobs::WholeFile;

/// A figure and its width on paper or on a screen.
pub(super) struct LaidOut {
    pub drawn: Drawn,
    pub width: Width,
}

impl FigureArgs {
    /// The figure, and the sidecar, numbers and captions if they were asked for.
    pub(super) fn files(
        &self,
        state: &State,
        view: View,
        laid_out: &LaidOut,
        look: &LookOptions,
        step: Option<&LessonStep>,
        out: &Path,
    ) -> Result<Vec<Written>, Failure> {
        let drawn = &laid_out.drawn;
        let format = self.format_of(out)?;
        if format != Format::Svg || self.outline_text {
            look.boxes
                .borrow_mut()
                .extend(missing_glyphs(&drawn.svg, &FOR_FIGURES));
        }
        let bytes = match format {
            Format::Png => png(laid_out)?,
            Format::Pdf => pdf_of(&[sized(laid_out)?])?,
            // The others hold animations.
            Format::Svg | Format::Gif | Format::Apng => self.svg(laid_out)?.into_bytes(),
        };
        let sidecar = if self.sidecar {
            Some(self.sidecar(state, view, laid_out, step, &bytes)?)
        } else {
            None
        };
        let mut files = vec![(out.to_owned(), bytes)];
        files.extend(sidecar.map(|text| (sidecar_of(out), text)));
        files.extend(self.beside(state, view, look, out)?);
        Ok(files)
    }

    /// The numbers and the captions of a figure.
    pub(super) fn beside(
        &self,
        state: &State,
        view: View,
        look: &LookOptions,
        out: &Path,
    ) -> Result<Vec<Written>, Failure> {
        let mut files = Vec::new();
        if self.csv {
            let Some(numbers) = view.page().numbers(state) else {
                let why = format!("--csv: the figure has no numbers: {}", out.display());
                return Err(Failure::File(why));
            };
            files.push((out.with_extension("csv"), numbers.into_bytes()));
        }
        files.extend(self.captions(state, view, look, out));
        Ok(files)
    }

    /// The format of a figure that is written under this name.
    pub(super) fn format_of(&self, out: &Path) -> Result<Format, Failure> {
        if is_stdout(out) {
            self.written_format()
        } else {
            Format::of(out)
        }
    }

    fn svg(&self, laid_out: &LaidOut) -> Result<String, Failure> {
        let svg = sized(laid_out)?;
        if self.outline_text {
            return outlined(&svg, &FOR_FIGURES).map_err(|error| Failure::File(error.to_string()));
        }
        Ok(svg)
    }
}

/// The SVG with its width. An SVG has the same limits of size as a PNG.
pub(super) fn sized(LaidOut { drawn, width }: &LaidOut) -> Result<String, Failure> {
    width
        .pixels(drawn.size[0])
        .map_err(|error| unusable(&error))?;
    Ok(width.svg(&drawn.svg, drawn.size))
}

/// The sidecar of a figure: `a.svg.json` of `a.svg`, so that `a.png` has its own.
pub(super) fn sidecar_of(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".json");
    out.with_file_name(name)
}

pub(super) fn png(LaidOut { drawn, width }: &LaidOut) -> Result<Vec<u8>, Failure> {
    let pixels = width
        .pixels(drawn.size[0])
        .map_err(|error| unusable(&error))?;
    png::from_svg(&drawn.svg, pixels, &FOR_FIGURES, width.dpi()).map_err(|error| unusable(&error))
}

/// A PDF with a page for each SVG.
pub(super) fn pdf_of(svgs: &[String]) -> Result<Vec<u8>, Failure> {
    pdf::from_svgs(svgs, &FOR_FIGURES).map_err(|error| Failure::File(error.to_string()))
}

pub(super) fn unusable(error: &PngError) -> Failure {
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
        if is_stdout(path) {
            let mut out = std::io::stdout().lock();
            let written = out.write_all(bytes).and_then(|()| out.flush());
            return written.map_err(|e| {
                Failure::File(format!(
                    "the figure was not written to standard output: {e}"
                ))
            });
        }
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
