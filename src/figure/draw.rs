//! Drawing a view, one of its columns or the whole window in a context of its own.

use eframe::egui::{
    self, CentralPanel, Color32, Context, FullOutput, Pos2, RawInput, Rect, Ui, Vec2, pos2, vec2,
};
use egui_svg::{Document, Images};
use thiserror::Error;

use super::caption;
use crate::panels::panels_ui;
use crate::state::{Background, Part, State, View};
use crate::theme::{self, sizes};
use crate::views::parts::{self, Cut, Places};
use crate::views::{self, Show};
use crate::words::export as words;
use crate::words::markup::plain;

/// What to draw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct What {
    pub view: View,
    pub part: Part,
    pub size: PageSize,
    /// Around the view, in points.
    pub margin: f32,
    /// The sentences below the view, and what they were measured on.
    pub caption: bool,
    pub dark: bool,
    pub background: Background,
}

impl What {
    /// A whole view as large as it likes, in the light theme.
    pub fn of(view: View) -> Self {
        Self {
            view,
            part: Part::View,
            size: PageSize::Natural,
            margin: sizes::S4,
            caption: false,
            dark: false,
            background: Background::Theme,
        }
    }
}

/// The size of a figure, in points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PageSize {
    /// What the view needs.
    Natural,
    /// This width, and the height that the view needs.
    Width(f32),
    /// Width and height.
    Exact([f32; 2]),
}

/// A figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    pub svg: String,
    /// In points.
    pub size: [f32; 2],
    /// What of the view can be shown alone.
    pub plots: Vec<&'static str>,
    /// What the figure has no room for, in words.
    pub left_out: Vec<&'static str>,
}

/// Why a figure can't be drawn.
#[derive(Debug, Error)]
pub enum DrawError {
    /// The view has nothing to show.
    #[error("{0}")]
    Missing(String),
    #[error("{} x {} points cannot hold this figure: it needs {} x {}", asked[0], asked[1], least[0], least[1])]
    Size { asked: [f32; 2], least: [f32; 2] },
    #[error("{} x {} points: a figure has at most {LARGEST} a side", asked[0], asked[1])]
    Large { asked: [f32; 2] },
    #[error("a picture cannot be written: {0}")]
    Picture(#[from] ::png::EncodingError),
}

/// Frames until a layout is stable: the first ones measure.
const FRAMES: usize = 4;
/// The seconds every figure is drawn at.
const TIME: f64 = 100.0;
/// The most points of a side: above what any view needs, below what a picture may have.
pub const LARGEST: f32 = 16_000.0;

/// Draws a part of the window as it is in `state`. `images` are those of the context the state's
/// textures belong to.
///
/// # Errors
/// See [`DrawError`].
pub fn draw(state: &State, images: &Images, what: &What) -> Result<Drawn, DrawError> {
    let asked = match what.size {
        PageSize::Natural => [0.0; 2],
        PageSize::Width(width) => [width, 0.0],
        PageSize::Exact(size) => size,
    };
    if asked.iter().any(|side| *side > LARGEST) {
        return Err(DrawError::Large { asked });
    }
    if what.part != Part::Window
        && let Some(reason) = views::missing(state, what.view)
    {
        return Err(DrawError::Missing(reason));
    }
    if what.part != Part::Window && what.view.shows_runs() && state.training.runs.is_empty() {
        return Err(DrawError::Missing(words::NOTHING_HAS_RUN.to_owned()));
    }
    let ctx = Context::default();
    theme::install(&ctx);
    Images::install(&ctx);
    images.keep_apart(&ctx);
    ctx.set_theme(if what.dark {
        egui::Theme::Dark
    } else {
        egui::Theme::Light
    });
    let (page, output) = match what.part {
        Part::Window => window(&ctx, state, what),
        Part::View | Part::Side(_) | Part::Plot(_) => view(&ctx, state, what)?,
    };
    let places = ctx.data(|data| data.get_temp::<Places>(Places::id()));
    let places = places.unwrap_or_default();
    let mut left_out = places.left_out;
    left_out.dedup();
    let plots = places.plots;
    let plots = plots.into_iter().map(|(name, _)| name).collect();
    let images = Images::of(&ctx).and(images);
    let mut document = Document::new(page, &images, theme::fonts::TYPOGRAPHY);
    document.add(&output.shapes);
    let size = [page.width(), page.height()].map(f32::round);
    let [width, height] = size.map(|n| n.to_string());
    let description = plain(&caption::description(state, what, None));
    let palette = if what.dark {
        &theme::Palette::DARK
    } else {
        &theme::Palette::LIGHT
    };
    let title = caption::title(state, what.view);
    // A plot has the background of its card.
    let background = match (what.background, what.part) {
        (Background::None, _) => Color32::TRANSPARENT,
        (Background::White, _) => theme::PAPER,
        (Background::Theme, Part::Plot(_)) => palette.panel,
        (Background::Theme, Part::View | Part::Side(_) | Part::Window) => palette.background,
    };
    let svg = document.finish([&width, &height], &title, &description, background)?;
    Ok(Drawn {
        svg,
        size,
        plots,
        left_out,
    })
}

/// One frame.
fn frame(ctx: &Context, size: Vec2, number: usize, mut add: impl FnMut(&mut Ui)) -> FullOutput {
    let input = RawInput {
        screen_rect: Some(Rect::from_min_size(Pos2::ZERO, size)),
        time: Some(TIME + number as f64),
        ..Default::default()
    };
    let mut output = ctx.run_ui(input, |ui| add(ui));
    // Text is written as text; what the view made pictures of is remembered already.
    output.textures_delta.clear();
    output
}

fn window(ctx: &Context, state: &State, what: &What) -> (Rect, FullOutput) {
    let size = match what.size {
        PageSize::Exact(size) => size,
        PageSize::Natural | PageSize::Width(_) => sizes::WINDOW,
    };
    let size = size.into();
    parts::note_still(ctx);
    let mut output = FullOutput::default();
    for number in 0..FRAMES {
        output = frame(ctx, size, number, |ui| {
            let mut commands = Vec::new();
            let mut show = Show {
                state,
                commands: &mut commands,
            };
            panels_ui(ui, &mut show);
        });
    }
    (Rect::from_min_size(Pos2::ZERO, size), output)
}

/// The place of a view on its page, found by drawing it until the layout is stable.
struct Layout {
    /// The view's body.
    body: Rect,
    /// The column or plot, if only one is shown.
    part: Option<Rect>,
    page: Rect,
}

/// How a view is laid out: filling a page, at its natural size, or as small as is readable.
#[derive(Clone, Copy, PartialEq)]
enum Fit {
    Page([f32; 2]),
    Natural,
    Width(f32),
    Least { width: f32 },
}

fn view(ctx: &Context, state: &State, what: &What) -> Result<(Rect, FullOutput), DrawError> {
    let (fit, given) = match what.size {
        PageSize::Natural => (Fit::Natural, None),
        PageSize::Width(width) => (Fit::Width(width), Some([width, f32::INFINITY])),
        PageSize::Exact(size) => (Fit::Page(size), Some(size)),
    };
    let (layout, least, output) = settled(ctx, state, what, fit);
    let missing = match what.part {
        Part::Side(_) => words::NO_SIDES.to_owned(),
        Part::Plot(name) => words::no_plot(name),
        Part::View | Part::Window => String::new(),
    };
    if !missing.is_empty() && layout.part.is_none() {
        return Err(DrawError::Missing(missing));
    }
    let mut small = least;
    // Half a point is the rounding of what was measured.
    let mut asked = layout.body.size() + Vec2::splat(0.5);
    if let (Part::Side(_), Some([width, _])) = (what.part, given) {
        // A column alone is drawn beside the other one.
        small.x = small.x.max(sizes::FIGURE_LEAST);
        asked.x = 2.0 * (width - 2.0 * what.margin) + sizes::COLUMN_GAP + 0.5;
    }
    let is_low = small.y > asked.y && !matches!(what.size, PageSize::Width(_));
    let Some([width, height]) = given.filter(|_| small.x > asked.x || is_low) else {
        // To the point what was asked for.
        let page = layout.page.size();
        let size = match what.size {
            PageSize::Natural => page,
            PageSize::Width(width) => vec2(width, page.y),
            PageSize::Exact(size) => size.into(),
        };
        return Ok((Rect::from_min_size(layout.page.min, size), output));
    };
    let margins = 2.0 * what.margin;
    let least_width = match what.part {
        Part::Side(_) => ((small.x - sizes::COLUMN_GAP) / 2.0).ceil() + margins,
        Part::View | Part::Plot(_) | Part::Window => small.x + margins,
    };
    let needed = least_width.max(width);
    let (layout, _, _) = settled(ctx, state, what, Fit::Least { width: needed });
    let height = if height.is_finite() {
        height
    } else {
        layout.page.height().ceil()
    };
    Err(DrawError::Size {
        asked: [width, height],
        least: [needed, layout.page.height().ceil()],
    })
}

/// Draws the view until its layout is stable. Also returns the least size of its body at that width.
fn settled(ctx: &Context, state: &State, what: &What, fit: Fit) -> (Layout, Vec2, FullOutput) {
    let page = what.view.page();
    let margin = what.margin;
    let side = match what.part {
        Part::Side(mode) => Some(mode),
        Part::View | Part::Plot(_) | Part::Window => None,
    };
    let whole = match fit {
        Fit::Page([width, _]) | Fit::Width(width) | Fit::Least { width } => width,
        Fit::Natural => sizes::FIGURE_WIDTH,
    } - 2.0 * margin;
    // A single column is as wide as it would be beside the other.
    let wanted = match (side, fit) {
        (Some(_), Fit::Natural) => ((whole - sizes::COLUMN_GAP) / 2.0).floor(),
        _ => whole,
    };
    let mut width = match side {
        Some(_) => (2.0 * wanted + sizes::COLUMN_GAP).max(sizes::FIGURE_LEAST),
        None => wanted,
    };
    let mut height = None;
    let mut layout = Layout {
        body: Rect::ZERO,
        part: None,
        page: Rect::ZERO,
    };
    let mut least = Vec2::ZERO;
    let mut output = FullOutput::default();
    for number in 0..FRAMES * 6 {
        let before = [layout.body, layout.page];
        let screen = vec2(width + 2.0 * margin, LARGEST);
        output = frame(ctx, screen, number, |ui| {
            ui.data_mut(|data| {
                let places = Places {
                    only: (what.part != Part::View).then_some(what.part),
                    ..Places::default()
                };
                data.insert_temp(Places::id(), places);
            });
            least = page.least_size(ui, state, width);
            let height = height.unwrap_or_else(|| match fit {
                Fit::Least { .. } => least.y,
                Fit::Page(_) | Fit::Natural | Fit::Width(_) => page.figure_height(ui, state, width),
            });
            let size = vec2(width, height);
            layout = page_ui(
                ui,
                state,
                what,
                Rect::from_min_size(Pos2::ZERO + Vec2::splat(margin), size),
                layout.part,
            );
        });
        // A plot is as wide as it is in its view.
        let column = layout.part.filter(|_| side.is_some());
        let shown = column.unwrap_or(layout.body);
        width += match side {
            Some(_) => 2.0 * (wanted - shown.width()),
            None => wanted - shown.width(),
        };
        if side.is_some() {
            width = width.max(sizes::FIGURE_LEAST);
        }
        if let Fit::Page([_, whole]) = fit {
            let rest = layout.body.height() + whole - layout.page.height();
            // Below the least it is not drawn at all.
            height = Some(rest.clamp(least.y - 1.0, LARGEST));
        }
        if number >= FRAMES && before == [layout.body, layout.page] {
            break;
        }
    }
    (layout, least, output)
}

/// Draws the view, or one column or plot of it, and the caption below.
fn page_ui(ui: &mut Ui, state: &State, what: &What, body: Rect, part: Option<Rect>) -> Layout {
    let mut commands = Vec::new();
    let mut show = Show {
        state,
        commands: &mut commands,
    };
    CentralPanel::no_frame().show(ui, |ui| {
        if let Some(part) = part {
            ui.set_clip_rect(part);
        }
        views::body_ui(ui, &mut show, what.view, Cut(body));
    });
    let places = ui.data(|data| data.get_temp::<Places>(Places::id()));
    let places = places.unwrap_or_default();
    let part = match what.part {
        Part::Side(mode) => places.columns[mode as usize],
        Part::Plot(name) => {
            let found = places.plots.iter().find(|(known, _)| *known == name);
            found.map(|(_, rect)| *rect)
        }
        Part::View | Part::Window => None,
    };
    let mut shown = part.unwrap_or(body);
    let heading = part.and_then(|part| places.heading(part));
    let mut bottom = shown.bottom();
    if what.caption {
        let below = pos2(shown.left(), bottom + sizes::S3);
        let room = Rect::from_min_size(below, vec2(shown.width(), LARGEST));
        let side = heading.map(|heading| heading.title.as_str());
        bottom = caption::caption_ui(ui, state, what, side, room);
    }
    if let (Some(heading), Part::Plot(_)) = (heading, what.part) {
        shown.min.y -= sizes::HEADER_BAND;
        let line = shown.with_max_y(shown.top() + sizes::HEADER_BAND);
        parts::inside_ui(ui, line, egui::Layout::default(), |ui| {
            ui.set_clip_rect(line);
            parts::heading_ui(ui, line, heading.mode, &heading.title, &heading.note);
        });
    }
    let margin = Vec2::splat(what.margin);
    let page = Rect::from_min_max(
        shown.min - margin,
        pos2(shown.right(), bottom.ceil()) + margin,
    );
    Layout { body, part, page }
}
