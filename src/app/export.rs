//! The work of the export dialog: drawing the figure and sending it to a file or the clipboard.

mod frames;

use std::sync::Arc;
use std::time::Duration;

use eframe::egui::Context;

use super::App;
use super::textures::load_smooth;
use crate::command::ExportCommand;
use crate::figure::{
    DrawError, Drawn, OnPaper, PageSize, SCREEN_DPI, What, animation_fits, draw, on_paper,
    with_both_themes,
};
use crate::state::{
    Background, Export, ExportChoice, FigureFormat, FigureTheme, Laid, POINTS_PER_MM, Part,
    Settings,
};
use crate::theme::text::BODY;
use crate::theme::{self, sizes};
use crate::words::export as words;
use egui_svg::png::{self, Raster};
use egui_svg::{Width, outlined, smallest_text};
use modelens_jobs::{Figure, FigureKind, FigureTo, Job, LookResult, Request, Stage};

/// What a drawing was made from. When it changes, the figure is drawn again.
#[derive(Clone, PartialEq)]
pub struct DrawnFrom {
    choice: ExportChoice,
    settings: Settings,
    channel: Option<usize>,
    /// Results are never changed in place.
    looked: Option<*const LookResult>,
    size: [f32; 2],
    /// The number of partial results that had arrived.
    heard: u64,
}

/// How often, in seconds, a figure of growing data is drawn again.
const REDRAW_SECS: f64 = 1.0;

impl App {
    pub(super) fn apply_export(&mut self, ctx: &Context, command: ExportCommand) {
        let export = &mut self.state.export;
        export.message = None;
        export.animation = None;
        match command {
            ExportCommand::Show(true) => {
                export.choice = Some(ExportChoice {
                    part: Part::View,
                    format: FigureFormat::Png,
                    width: Width::Scale(ExportChoice::SCALES[1]),
                    page: None,
                    text: None,
                    outline: false,
                    frame_pages: false,
                    theme: match ctx.theme() {
                        eframe::egui::Theme::Light => FigureTheme::Light,
                        eframe::egui::Theme::Dark => FigureTheme::Dark,
                    },
                    background: Background::Theme,
                    caption: true,
                    numbers: false,
                });
            }
            ExportCommand::Show(false) => self.close_export(),
            ExportCommand::Choose(choice) => export.choice = Some(choice),
            ExportCommand::Save => {
                if export.choice.is_some_and(|choice| choice.moves()) {
                    self.begin_animation(ctx);
                } else if let Some(figure) = export.drawn.clone() {
                    self.dialogs.save_figure(ctx, figure);
                }
            }
            ExportCommand::Copy => {
                let Some(figure) = export.drawn.clone() else {
                    return;
                };
                let svg = match figure.kind {
                    FigureKind::Png { .. } => {
                        self.send_figure(figure, FigureTo::Clipboard);
                        return;
                    }
                    FigureKind::Svg { outline: true } => {
                        outlined(figure.svg(), &theme::fonts::FOR_FIGURES)
                            .map_err(|error| error.to_string())
                    }
                    FigureKind::Svg { outline: false } => Ok(figure.svg().to_owned()),
                    // The dialog offers no copy of these.
                    FigureKind::Pdf | FigureKind::Gif { .. } | FigureKind::Apng { .. } => return,
                };
                export.message = Some(match svg {
                    Ok(svg) => {
                        ctx.copy_text(svg);
                        words::SVG_COPIED.to_owned()
                    }
                    Err(why) => why,
                });
            }
        }
    }

    fn close_export(&mut self) {
        self.state.export = Export::default();
        self.drawn_from = None;
    }

    /// Sends a figure to be written, copied or previewed.
    pub(super) fn send_figure(&mut self, figure: Arc<Figure>, to: FigureTo) {
        if to == FigureTo::Preview {
            self.state.export.waits = true;
        } else {
            self.state.computed.start(Job::SaveFigure, Stage::Saving);
        }
        self.send(Request::Figure { figure, to });
    }

    /// Draws the figure again if its choice or its data changed.
    pub(super) fn keep_export(&mut self, ctx: &Context) {
        let Some(choice) = self.state.export.choice else {
            return;
        };
        if self.state.export.animation.is_some() {
            self.draw_next_frame(ctx);
            return;
        }
        let state = &self.state;
        let view = state.settings.view;
        let whole = ctx.content_rect().size().round();
        let from = DrawnFrom {
            choice,
            settings: state.settings.clone(),
            channel: state.opened.base.as_ref().and_then(|b| b.channel),
            looked: state.computed.result(view).map(Arc::as_ptr),
            size: whole.into(),
            heard: self.heard,
        };
        if state.computed.running(Job::Look).is_some() {
            // Don't export a half-computed result.
            self.state.export.drawn = None;
            self.state.export.preview = None;
            self.drawn_from = None;
            return;
        }
        if self.drawn_from.as_ref() == Some(&from) {
            return;
        }
        if self.grows_only(ctx, &from) {
            return;
        }
        if self.state.export.waits {
            // One preview at a time: an older one must not arrive after a newer one. The choice may be the former
            // one again by then.
            self.state.export.drawn = None;
            self.drawn_from = None;
            return;
        }
        self.drawn_at_secs = ctx.input(|i| i.time);
        self.draw_export(ctx, from);
    }

    /// True if only still-growing data changed and the last drawing is less than [`REDRAW_SECS`] old.
    fn grows_only(&self, ctx: &Context, from: &DrawnFrom) -> bool {
        let running = |job| self.state.computed.running(job).is_some();
        let Some(before) = &self.drawn_from else {
            return false;
        };
        let same = DrawnFrom {
            heard: before.heard,
            ..from.clone()
        };
        let left = self.drawn_at_secs + REDRAW_SECS - ctx.input(|i| i.time);
        if *before != same || left <= 0.0 || !(running(Job::BatchNorm) || running(Job::Train)) {
            return false;
        }
        ctx.request_repaint_after(Duration::from_secs_f64(left));
        true
    }

    fn draw_export(&mut self, ctx: &Context, from: DrawnFrom) {
        let (choice, view) = (from.choice, from.settings.view);
        let drawn = self.figure(ctx, &from);
        let numbers = view.page().numbers(&self.state);
        self.drawn_from = Some(from);
        let moments = self.known_moments(None).len();
        let export = &mut self.state.export;
        export.has_numbers = numbers.is_some();
        export.moments = moments;
        match drawn {
            Ok((drawn, width)) => {
                export.laid = Some(Laid {
                    size: drawn.size,
                    width,
                });
                // A drawing of the whole window does not list its plots.
                if choice.part != Part::Window {
                    export.plots.clone_from(&drawn.plots);
                }
                let shown = width
                    .pixels(drawn.size[0])
                    .map_err(|error| error.to_string());
                match shown.and_then(|pixels| kind(choice, pixels, &drawn, width, moments)) {
                    Ok(kind) => {
                        let svg = sized(&drawn, kind, width);
                        export.drawn = Some(Arc::new(Figure {
                            numbers: numbers.filter(|_| choice.numbers),
                            ..Figure::still(svg, kind)
                        }));
                    }
                    Err(why) => {
                        export.drawn = None;
                        export.message = Some(why);
                    }
                }
                // The longer side, so that a tall figure is no larger than a texture may be.
                let [wide, high] = drawn.size;
                let share = (wide / high).min(1.0);
                let pixels = (sizes::PREVIEW_PIXELS as f32 * share).ceil() as u32;
                let kind = FigureKind::Png {
                    width: pixels.max(1),
                    dpi: None,
                };
                let preview = Figure::still(drawn.svg, kind);
                self.send_figure(Arc::new(preview), FigureTo::Preview);
            }
            // The plot belonged to another view or layer.
            Err(_) if matches!(choice.part, Part::Plot(_)) => {
                let part = Part::View;
                export.choice = Some(ExportChoice { part, ..choice });
                ctx.request_repaint();
            }
            Err(error) => {
                export.drawn = None;
                export.preview = None;
                export.message = Some(error.to_string());
            }
        }
    }

    /// Draws what was chosen, of an animation its last moment, and says how wide it is. Notes text that is hard to
    /// read on paper.
    fn figure(&mut self, ctx: &Context, from: &DrawnFrom) -> Result<(Drawn, Width), DrawError> {
        let last = self.known_moments(None).last().copied();
        let Some(last) = last.filter(|_| from.choice.moves()) else {
            return self.still(ctx, from);
        };
        let before = self.shown();
        self.show_moment(ctx, last);
        let drawn = self.still(ctx, from);
        self.show_again(before);
        drawn
    }

    fn still(&mut self, ctx: &Context, from: &DrawnFrom) -> Result<(Drawn, Width), DrawError> {
        let choice = from.choice;
        let what = what(from);
        let images = self.pictures(ctx);
        let mut found = match &choice.paper() {
            Some(paper) => {
                let OnPaper { drawn, width, .. } = on_paper(&self.state, &images, &what, paper)?;
                let dpi = match choice.format {
                    FigureFormat::Gif | FigureFormat::Apng => SCREEN_DPI,
                    FigureFormat::Png | FigureFormat::Svg | FigureFormat::Pdf => {
                        choice.width.dpi().unwrap_or(png::DPI)
                    }
                };
                let mm = f64::from(width / POINTS_PER_MM);
                (drawn, Width::Millimetres { mm, dpi })
            }
            None => (draw(&self.state, &images, &what)?, choice.width),
        };
        if choice.theme == FigureTheme::Auto {
            found.0 = with_both_themes(&self.state, &images, &what, found.0)?;
        }
        let (drawn, width) = &found;
        if let Width::Millimetres { mm, .. } = width {
            let scale = *mm as f32 * POINTS_PER_MM / drawn.size[0];
            let text = smallest_text(&drawn.svg, BODY) * scale;
            self.state.export.text = Some(text);
        } else {
            self.state.export.text = None;
        }
        Ok(found)
    }

    /// Takes a figure that arrived as pixels.
    pub(super) fn figure_drawn(&mut self, ctx: &Context, to: &FigureTo, raster: &Raster) {
        let image = raster.to_image();
        match to {
            FigureTo::Clipboard => {
                self.state.computed.finish(Job::SaveFigure);
                let [width, height] = raster.size;
                let message = words::picture_copied(width, height);
                self.state.export.message = Some(message);
                ctx.copy_image(image);
            }
            FigureTo::Preview if self.state.export.choice.is_some() => {
                self.state.export.waits = false;
                self.state.export.preview = Some(load_smooth(ctx, "preview", image));
            }
            FigureTo::Preview | FigureTo::File(_) => {}
        }
    }
}

/// What of the state a choice shows.
fn what(from: &DrawnFrom) -> What {
    let choice = from.choice;
    let whole = What::of(from.settings.view);
    What {
        part: choice.part,
        size: if choice.part == Part::Window {
            PageSize::Exact(from.size)
        } else {
            PageSize::Natural
        },
        margin: if choice.paper().is_some() {
            sizes::PRINT_MARGIN
        } else {
            whole.margin
        },
        caption: choice.caption,
        dark: choice.theme == FigureTheme::Dark,
        background: choice.background,
        ..whole
    }
}

/// What the figure is written as, or why it can't be.
fn kind(
    choice: ExportChoice,
    pixels: u32,
    drawn: &Drawn,
    width: Width,
    moments: usize,
) -> Result<FigureKind, String> {
    if choice.moves() && moments == 0 {
        return Err(words::DOES_NOT_MOVE.to_owned());
    }
    let fits = || {
        let fits = animation_fits(pixels, drawn.size, moments);
        fits.map_err(|why| words::too_large(&why))
    };
    Ok(match choice.format {
        FigureFormat::Png => FigureKind::Png {
            width: pixels,
            dpi: width.dpi().map(|dpi| dpi.round() as u32),
        },
        FigureFormat::Svg => FigureKind::Svg {
            outline: choice.outline,
        },
        FigureFormat::Pdf => FigureKind::Pdf,
        FigureFormat::Gif => fits().map(|()| FigureKind::Gif { width: pixels })?,
        FigureFormat::Apng => fits().map(|()| FigureKind::Apng { width: pixels })?,
    })
}

/// The drawing, with its width noted where it stays vectors.
fn sized(drawn: &Drawn, kind: FigureKind, width: Width) -> String {
    match (kind.pixels(), width) {
        (Some(_), _) | (None, Width::Scale(_)) => drawn.svg.clone(),
        (None, width) => width.svg(&drawn.svg, drawn.size),
    }
}
