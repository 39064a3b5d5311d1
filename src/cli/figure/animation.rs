//! A view's animation: as GIF, APNG, PDF with a page for each frame, or numbered files.

use std::path::{Path, PathBuf};

use eframe::egui::Context;
use egui_svg::animation::{self, AnimationError, Frame};
use egui_svg::{Images, png};

use super::options::{FigureArgs, Format, LookOptions};
use super::output::{LaidOut, pdf_of, png as png_of, sized, unusable as unusable_size};
use super::{Written, unusable};
use crate::app::App;
use crate::cli::Failure;
use crate::figure::{PageSize, What, animation_fits, draw};
use crate::state::{Moment, View};
use crate::theme::fonts::FOR_FIGURES;

impl FigureArgs {
    /// The files of the shown view's animation.
    pub(super) fn animated(
        &self,
        app: &mut App,
        ctx: &Context,
        view: View,
        look: &LookOptions,
        out: &Path,
    ) -> Result<Vec<Written>, Failure> {
        let moments = app.moments(ctx, self.frames);
        let Some(&last) = moments.last() else {
            let view = view.id();
            return Err(Failure::Usage(format!(
                "--animate: the view {view} does not move; augmentation, dropout, batchnorm and \
                 finetune do"
            )));
        };
        let format = self.format_of(out)?;
        // The last moment has the most words; its size is that of all frames.
        app.show_moment(ctx, last);
        let laid_out = self.laid_out(app.state(), ctx, view, look)?;
        let (size, width) = (laid_out.drawn.size, laid_out.width);
        let pixels = width.pixels(size[0]).map_err(|e| unusable_size(&e))?;
        match format {
            Format::Svg | Format::Pdf => {}
            Format::Png | Format::Gif | Format::Apng => {
                animation_fits(pixels, size, moments.len()).map_err(|why| {
                    Failure::Usage(format!("{why}: take a smaller --width or fewer --frames"))
                })?;
            }
        }
        let mut frames = Vec::with_capacity(moments.len());
        for moment in &moments {
            app.show_moment(ctx, *moment);
            let what = What {
                size: PageSize::Exact(size),
                ..look.what_of(view)
            };
            let images = Images::without_window(ctx);
            let drawn = draw(app.state(), &images, &what).map_err(|e| unusable(&e))?;
            frames.push(LaidOut { drawn, width });
        }
        let mut files = match format {
            Format::Svg => numbered(out, &frames, |frame| Ok(sized(frame)?.into_bytes()))?,
            Format::Png => numbered(out, &frames, png_of)?,
            Format::Pdf => {
                let svgs: Result<Vec<String>, Failure> = frames.iter().map(sized).collect();
                vec![(out.to_owned(), pdf_of(&svgs?)?)]
            }
            Format::Gif => vec![(out.to_owned(), moving(&frames, &moments, animation::gif)?)],
            Format::Apng => vec![(out.to_owned(), moving(&frames, &moments, animation::apng)?)],
        };
        files.extend(self.beside(app.state(), view, look, out)?);
        Ok(files)
    }
}

/// The names of the numbered frames: `a-001.svg`, `a-002.svg` of `a.svg`.
fn numbered_name(out: &Path, number: usize) -> PathBuf {
    let stem = out.file_stem().unwrap_or_default().to_string_lossy();
    let ending = out.extension().unwrap_or_default().to_string_lossy();
    out.with_file_name(format!("{stem}-{number:03}.{ending}"))
}

fn numbered(
    out: &Path,
    frames: &[LaidOut],
    bytes: impl Fn(&LaidOut) -> Result<Vec<u8>, Failure>,
) -> Result<Vec<Written>, Failure> {
    let frames = frames.iter().enumerate();
    frames
        .map(|(i, frame)| Ok((numbered_name(out, i + 1), bytes(frame)?)))
        .collect()
}

/// The frames in one file.
fn moving(
    frames: &[LaidOut],
    moments: &[Moment],
    write: impl Fn(&[Frame]) -> Result<Vec<u8>, AnimationError>,
) -> Result<Vec<u8>, Failure> {
    let mut pictures = Vec::with_capacity(frames.len());
    for (LaidOut { drawn, width }, moment) in frames.iter().zip(moments) {
        let pixels = width.pixels(drawn.size[0]).map_err(|e| unusable_size(&e))?;
        let raster =
            png::raster(&drawn.svg, pixels, &FOR_FIGURES).map_err(|e| unusable_size(&e))?;
        pictures.push(Frame {
            raster,
            milliseconds: moment.milliseconds,
        });
    }
    write(&pictures).map_err(|error| Failure::File(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_numbered() {
        let name = numbered_name(Path::new("a/b.svg"), 7);
        assert_eq!(name, Path::new("a/b-007.svg"));
    }
}
