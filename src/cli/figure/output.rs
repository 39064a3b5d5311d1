//! Writing a figure, and what stands beside it.

use std::path::{Path, PathBuf};

use super::options::{Figure, Format, LookOptions, Width};
use crate::cli::Failure;
use crate::figure::{Drawn, numbers, outlined, png};
use crate::lesson::Step;
use crate::state::{State, View};
use crate::worker::save;

impl Figure {
    /// The figure's file, and beside it what was asked for.
    pub(super) fn files(
        &self,
        state: &State,
        view: View,
        drawn: &Drawn,
        look: &LookOptions,
        step: Option<&Step>,
        out: &Path,
    ) -> Result<Vec<(PathBuf, Vec<u8>)>, Failure> {
        let bytes = match Format::of(out)? {
            Format::Svg => self.svg(drawn, look)?.into_bytes(),
            Format::Png => self.png(drawn, look)?,
        };
        let sidecar = if self.sidecar {
            Some(self.sidecar(state, view, drawn, step, &bytes)?)
        } else {
            None
        };
        let mut files = vec![(out.to_owned(), bytes)];
        files.extend(sidecar.map(|text| (out.with_extension("json"), text)));
        if let (true, Some(numbers)) = (self.csv, numbers(state, view)) {
            files.push((out.with_extension("csv"), numbers.into_bytes()));
        }
        Ok(files)
    }

    fn svg(&self, drawn: &Drawn, look: &LookOptions) -> Result<String, Failure> {
        let [width, height] = drawn.size;
        let said = format!(" width=\"{width}\" height=\"{height}\" viewBox=");
        let [w, h] = self.svg_size(drawn.size, look.scale);
        let svg = drawn
            .svg
            .replacen(&said, &format!(" width=\"{w}\" height=\"{h}\" viewBox="), 1);
        if self.outline_text {
            return outlined(&svg).map_err(|error| Failure::File(error.to_string()));
        }
        Ok(svg)
    }

    fn png(&self, drawn: &Drawn, look: &LookOptions) -> Result<Vec<u8>, Failure> {
        let width = self.pixels(drawn.size[0], look.scale)?;
        let dpi = matches!(self.width, Some(Width::Millimetres(_))).then_some(self.dpi);
        png::written(&drawn.svg, width, dpi).map_err(|error| match error {
            png::PngError::TooLarge { .. } => Failure::Usage(error.to_string()),
            other => Failure::File(other.to_string()),
        })
    }
}

/// Writes a file whole or not at all.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    save(path, bytes).map_err(|error| {
        Failure::File(format!(
            "the figure was not written ({error:#}): {}",
            path.display()
        ))
    })
}
