//! Drawing a view, one of its columns or the whole window in a context of its own.

use eframe::egui::{
    self, CentralPanel, Color32, Context, FullOutput, Label, Pos2, RawInput, Rect, Ui, Vec2, pos2,
    vec2,
};
use thiserror::Error;

use super::document::Document;
use super::images::Images;
use super::shapes;
use super::write::Num;
use crate::app::panels_ui;
use crate::model::Mode;
use crate::state::{State, View, model_title, photos_title};
use crate::theme::{self, sizes, text};
use crate::views::parts::{self, Cut, Places};
use crate::views::{Show, centre};
use crate::words::export as words;

/// What of the window a figure shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Both columns of the view.
    View,
    /// One column.
    Side(Mode),
    /// One plot of the view, by its name; see [`Drawn::plots`].
    Plot(&'static str),
    /// Everything, with panels and controls.
    Window,
}

/// What to draw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct What {
    pub view: View,
    pub part: Part,
    /// Width and height in points; `None`: what the view needs.
    pub size: Option<[f32; 2]>,
    /// The sentences below the view, and what they were measured on.
    pub caption: bool,
    pub dark: bool,
}

/// A figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    pub svg: String,
    /// In points.
    pub size: [f32; 2],
    /// What of the view can be shown alone.
    pub plots: Vec<&'static str>,
}

/// Why there is no figure.
#[derive(Debug, Error)]
pub enum DrawError {
    /// The view has nothing to show.
    #[error("{0}")]
    Missing(String),
    #[error("{width} x {height} points cannot hold the view")]
    Size { width: f32, height: f32 },
    #[error("a picture cannot be written: {0}")]
    Picture(#[from] ::png::EncodingError),
}

/// Frames until a layout rests: the first ones measure.
const FRAMES: usize = 4;
/// The seconds every figure is drawn at.
const TIME: f64 = 100.0;
/// A page must hold at least so much.
const SMALLEST: f32 = 100.0;
/// Above what any frame needs, below what a picture may have.
const LARGEST: f32 = 16_000.0;

/// Draws a part of the window as it is in `state`. `images` are those of the context the state's
/// textures belong to.
///
/// # Errors
/// See [`DrawError`].
pub fn draw(state: &State, images: &Images, what: &What) -> Result<Drawn, DrawError> {
    if let Some([width, height]) = what.size
        && ![width, height]
            .iter()
            .all(|side| (SMALLEST..=LARGEST).contains(side))
    {
        return Err(DrawError::Size { width, height });
    }
    if what.part != Part::Window
        && let Some(reason) = centre::missing(state, what.view)
    {
        return Err(DrawError::Missing(reason));
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
    let plots = places.unwrap_or_default().plots;
    let plots = plots.into_iter().map(|(name, _)| name).collect();
    let images = Images::of(&ctx).and(images);
    let mut document = Document::new(page, &images);
    shapes::add(&mut document, &output.shapes);
    let size = [page.width(), page.height()].map(f32::round);
    let [width, height] = size.map(|n| n.to_string());
    let description = if what.part == Part::Window {
        String::new()
    } else {
        centre::explanation(state, what.view).text.replace("**", "")
    };
    let palette = if what.dark {
        &theme::Palette::DARK
    } else {
        &theme::Palette::LIGHT
    };
    let title = title(state, what.view);
    // A plot lies on the card it was taken from.
    let background = match what.part {
        Part::Plot(_) => palette.panel,
        Part::View | Part::Side(_) | Part::Window => palette.background,
    };
    let svg = document.finish([&width, &height], &title, &description, background)?;
    Ok(Drawn { svg, size, plots })
}

/// What a frame of a window of `size` points drew, as SVG. `images` are those of its textures.
///
/// # Errors
/// When a picture cannot be written as PNG.
pub fn frame_svg(
    output: &FullOutput,
    images: &Images,
    size: Vec2,
    background: Color32,
) -> Result<String, ::png::EncodingError> {
    let page = Rect::from_min_size(Pos2::ZERO, size);
    let mut document = Document::new(page, images);
    shapes::add(&mut document, &output.shapes);
    let sides = [size.x, size.y].map(|side| Num(side).to_string());
    document.finish([&sides[0], &sides[1]], "modelens", "", background)
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
    let size = what.size.unwrap_or(sizes::WINDOW).into();
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

/// The room of a view in its page, found by drawing it until it rests.
struct Layout {
    /// Of the view's own part.
    body: Rect,
    /// The column or the plot that is shown, if it is one only.
    part: Option<Rect>,
    page: Rect,
}

fn view(ctx: &Context, state: &State, what: &What) -> Result<(Rect, FullOutput), DrawError> {
    let margin = sizes::S4;
    let side = match what.part {
        Part::Side(mode) => Some(mode),
        Part::View | Part::Plot(_) | Part::Window => None,
    };
    let whole = what.size.map_or(sizes::FIGURE_WIDTH, |[width, _]| width) - 2.0 * margin;
    // Of one column, the page is as wide as the column would be among two.
    let wanted = match (side, what.size) {
        (Some(_), None) => ((whole - sizes::COLUMN_GAP) / 2.0).floor(),
        _ => whole,
    };
    let mut width = match side {
        Some(_) => 2.0 * wanted + sizes::COLUMN_GAP,
        None => wanted,
    };
    let mut height = None;
    let mut layout = Layout {
        body: Rect::ZERO,
        part: None,
        page: Rect::ZERO,
    };
    let mut output = FullOutput::default();
    // Cards are read whole, or not at all; everything else gives way.
    let cards = what.view == View::Trainable && what.part == Part::View;
    let mut least = SMALLEST;
    for number in 0..FRAMES * 2 {
        let screen = vec2(width + 2.0 * margin, LARGEST);
        output = frame(ctx, screen, number, |ui| {
            let natural = centre::figure_height(ui, state, what.view, width);
            if cards {
                least = natural - 1.0;
            }
            let height = height.unwrap_or(natural);
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
        if let Some([_, whole]) = what.size {
            let beside = layout.page.height() - layout.body.height();
            let rest = match layout.part {
                // What lies below the column is cut away with it.
                Some(part) => {
                    whole - (layout.page.height() - part.height()) + layout.body.height()
                        - part.height()
                }
                None => whole - beside,
            };
            height = Some(rest);
        }
        if height.is_some_and(|height| height < SMALLEST) {
            break;
        }
    }
    if height.is_some_and(|height| height < least) {
        let [width, height] = what.size.unwrap_or_default();
        return Err(DrawError::Size { width, height });
    }
    let missing = match what.part {
        Part::Side(_) => "there are no columns here to take one of".to_owned(),
        Part::Plot(name) => format!("there is no {name:?} here to show alone"),
        Part::View | Part::Window => String::new(),
    };
    if !missing.is_empty() && layout.part.is_none() {
        return Err(DrawError::Missing(missing));
    }
    // To the point what was asked for.
    let size = what.size.map_or(layout.page.size(), Vec2::from);
    Ok((Rect::from_min_size(layout.page.min, size), output))
}

/// Draws the view, or one column or plot of it, and the caption below.
fn page_ui(ui: &mut Ui, state: &State, what: &What, body: Rect, part: Option<Rect>) -> Layout {
    ui.data_mut(|data| data.insert_temp(Places::id(), Places::default()));
    let mut commands = Vec::new();
    let mut show = Show {
        state,
        commands: &mut commands,
    };
    CentralPanel::no_frame().show(ui, |ui| {
        if let Some(part) = part {
            ui.set_clip_rect(part);
        }
        centre::body_ui(ui, &mut show, what.view, Cut(body));
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
    let shown = part.unwrap_or(body);
    let mut bottom = shown.bottom();
    if what.caption {
        let below = pos2(shown.left(), bottom + sizes::S3);
        bottom = caption_ui(
            ui,
            state,
            what.view,
            Rect::from_min_size(below, vec2(shown.width(), LARGEST)),
        );
    }
    let margin = Vec2::splat(sizes::S4);
    let page = Rect::from_min_max(
        shown.min - margin,
        pos2(shown.right(), bottom.ceil()) + margin,
    );
    Layout { body, part, page }
}

/// The sentences, and what they were measured on; returns where they end.
fn caption_ui(ui: &mut Ui, state: &State, view: View, room: Rect) -> f32 {
    let palette = theme::palette(ui);
    let explanation = centre::explanation(state, view);
    parts::inside_ui(ui, room, egui::Layout::default(), |ui| {
        ui.set_clip_rect(room.expand(sizes::S4));
        ui.spacing_mut().item_spacing.y = sizes::S1;
        ui.add(Label::new(text::prose(
            &explanation.text,
            room.width(),
            palette,
        )));
        parts::wrapped_ui(ui, text::note(measured_on(state, view), palette));
        ui.min_rect().bottom()
    })
}

/// The name of the figure.
fn title(state: &State, view: View) -> String {
    let view = crate::command::Action::Show(view).info().label;
    match &state.opened.base {
        Some(base) => format!("{view}: {}", model_title(&base.source)),
        None => view.to_owned(),
    }
}

/// What the numbers of a figure were measured on, in one line.
fn measured_on(state: &State, view: View) -> String {
    let mut parts = Vec::new();
    if let Some(base) = &state.opened.base {
        parts.push(model_title(&base.source));
        if let Some(layer) = base.layer(view) {
            parts.push(base.model.graph.layers[layer].name.clone());
        }
    }
    if let Some(gallery) = &state.opened.gallery {
        let photo = gallery.chosen().map(|photo| photo.name.as_str());
        parts.push(format!(
            "{}, {}",
            photos_title(&gallery.source),
            photo.unwrap_or_default()
        ));
    }
    let [learn, validate] = state.training.photos;
    if view == View::FineTune && learn > 0 {
        parts.push(words::learned_from(learn, validate));
    }
    if let Some(looked) = state.computed.result(view)
        && view != View::Augmentation
    {
        parts.push(words::batch_of(looked.batch.len()));
    }
    parts.push(words::seed(state.settings.seed));
    parts.push(state.semantics().label().to_owned());
    parts.join(" · ")
}
