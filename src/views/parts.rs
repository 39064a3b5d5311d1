//! Small pieces that several panels share.

use eframe::egui;
use eframe::egui::accesskit;
use eframe::egui::emath::{GuiRounding as _, Numeric};
use eframe::egui::{
    Align, Atom, AtomExt as _, Button, Color32, Context, CornerRadius, DragValue, Id, IdSalt,
    IntoAtoms as _, KeyboardShortcut, Label, Layout, Painter, Pos2, Rect, Response, RichText, Role,
    Sense, Shape, Stroke, StrokeKind, TextStyle, TextWrapMode, Ui, UiBuilder, Vec2, WidgetInfo,
    WidgetText, pos2, vec2,
};

use super::terms;
use crate::command::Action;
use crate::figure::Part;
use crate::model::Mode;
use crate::theme::{self, Palette, sizes, text};

/// A part of a panel, cut off its rectangle from the edges.
#[derive(Clone, Copy, Debug)]
pub struct Cut(pub Rect);

impl Cut {
    /// Cuts `height` off the top.
    pub fn top(&mut self, height: f32) -> Rect {
        let bottom = (self.0.top() + height).min(self.0.bottom());
        let (part, rest) = self.0.split_top_bottom_at_y(bottom);
        self.0 = rest;
        part
    }

    /// Cuts `height` off the bottom.
    pub fn bottom(&mut self, height: f32) -> Rect {
        let top = (self.0.bottom() - height).max(self.0.top());
        let (rest, part) = self.0.split_top_bottom_at_y(top);
        self.0 = rest;
        part
    }

    /// Two halves with a gap between, whole pixels wide.
    pub fn halves(&self, gap: f32) -> [Rect; 2] {
        let width = ((self.0.width() - gap) / 2.0).floor();
        let left = Rect::from_min_size(self.0.min, vec2(width, self.0.height()));
        let right = Rect::from_min_max(pos2(self.0.right() - width, self.0.top()), self.0.max);
        [left, right]
    }
}

/// Where the left and the right part of a view's controls go: into one row, or below each other
/// where the view was given two.
pub fn control_rows(room: Rect) -> [Rect; 2] {
    if room.height() < 2.0 * sizes::CONTROL_HEIGHT {
        return [room; 2];
    }
    let mut cut = Cut(room);
    let first = cut.top(sizes::CONTROL_HEIGHT);
    [first, cut.bottom(sizes::CONTROL_HEIGHT)]
}

/// Draws inside a rectangle, from the left, centred vertically.
pub fn row_ui<R>(ui: &mut Ui, rect: Rect, add: impl FnOnce(&mut Ui) -> R) -> R {
    inside_ui(ui, rect, Layout::left_to_right(Align::Center), add)
}

/// Draws inside a rectangle with a layout of one's own.
pub fn inside_ui<R>(ui: &mut Ui, rect: Rect, layout: Layout, add: impl FnOnce(&mut Ui) -> R) -> R {
    let mut child = ui.new_child(UiBuilder::new().max_rect(rect).layout(layout));
    add(&mut child)
}

/// A label; where it begins with a term, the term's sentence is its tooltip.
pub fn label_ui(ui: &mut Ui, label: RichText) -> Response {
    let words = label.text().to_owned();
    terms::hinted(ui.label(label), &words)
}

/// A quiet line: the first of these texts that the row has room for, else the last, cut off.
pub fn fitting_line_ui(ui: &mut Ui, texts: &[String], palette: &Palette) -> Response {
    let room = ui.available_width();
    let fits = |words: &&String| {
        let words = (*words).clone();
        let laid_out = ui
            .painter()
            .layout_no_wrap(words, text::small(), palette.muted);
        laid_out.size().x <= room
    };
    let words = texts.iter().find(fits).or(texts.last());
    let words = words.map_or("", String::as_str);
    let response = line_ui(ui, text::note(words, palette));
    match texts.first() {
        Some(whole) if whole != words => response.on_hover_text(whole),
        _ => response,
    }
}

/// One line of text that ends in an ellipsis where there is no room; a term has its tooltip.
pub fn line_ui(ui: &mut Ui, line: RichText) -> Response {
    let words = line.text().to_owned();
    let label = Label::new(line).wrap_mode(TextWrapMode::Truncate);
    terms::hinted(ui.add(label), &words)
}

/// Selectable text.
pub fn value_ui(ui: &mut Ui, value: RichText) -> Response {
    let words = value.text().to_owned();
    let label = Label::new(value).selectable(true);
    terms::hinted(ui.add(label.wrap_mode(TextWrapMode::Truncate)), &words)
}

/// A card: panel colour, line around, round corners.
pub fn card(painter: &Painter, rect: Rect, palette: &Palette) {
    let stroke = Stroke::new(sizes::LINE, palette.line);
    painter.rect(
        rect,
        sizes::PANEL_RADIUS,
        palette.panel,
        stroke,
        StrokeKind::Inside,
    );
}

/// The mark of a mode: filled in training, hollow in inference.
pub fn mark(painter: &Painter, center: Pos2, diameter: f32, mode: Mode, palette: &Palette) {
    let color = palette.mode(mode).ink;
    match mode {
        Mode::Training => painter.circle_filled(center, diameter / 2.0, color),
        Mode::Inference => {
            let stroke = Stroke::new(sizes::HOLLOW_STROKE, color);
            painter.circle_stroke(center, (diameter - sizes::HOLLOW_STROKE) / 2.0, stroke)
        }
    };
}

/// The line above a column: whose it is, and what it does.
#[derive(Clone, Debug, PartialEq)]
pub struct Heading {
    pub mode: Mode,
    pub title: String,
    pub note: String,
}

/// Where the parts of a view lie; kept while a figure asks for it.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// What the figure shows of the view, where that is not all of it.
    pub only: Option<Part>,
    /// Headings, and the columns that are theirs.
    pub headings: Vec<(Rect, Heading)>,
    /// Of the columns, training first.
    pub columns: [Option<Rect>; 2],
    /// Of what a figure can show alone, by name.
    pub plots: Vec<(&'static str, Rect)>,
}

impl Places {
    /// Where a context keeps them.
    pub fn id() -> Id {
        Id::unique("places in the view")
    }

    /// The heading of the column that this lies in.
    pub fn heading(&self, part: Rect) -> Option<&Heading> {
        let mut headings = self.headings.iter();
        let found = headings.find(|(column, _)| column.contains(part.center()));
        found.map(|(_, heading)| heading)
    }
}

/// Says that the whole window is drawn as a figure.
pub fn note_still(ctx: &Context) {
    ctx.data_mut(|data| data.insert_temp(still_id(), true));
}

/// Whether the whole window is drawn as a figure: it tells neither of files nor of times.
pub fn is_still(ctx: &Context) -> bool {
    ctx.data(|data| data.get_temp(still_id()).unwrap_or(false))
}

fn still_id() -> Id {
    Id::unique("the window is a figure")
}

/// What a figure shows of the view, where that is not all of it.
pub fn only_part(ui: &Ui) -> Option<Part> {
    let places = ui.data(|data| data.get_temp::<Places>(Places::id()));
    places.and_then(|places| places.only)
}

/// Whether this is drawn for a figure, which nobody can click.
pub fn is_figure(ui: &Ui) -> bool {
    ui.data(|data| data.get_temp::<Places>(Places::id()).is_some())
}

/// Tells a figure of one side that this belongs to it.
pub fn note_column(ui: &Ui, mode: Mode, rect: Rect) {
    ui.data_mut(|data| {
        if let Some(mut places) = data.get_temp::<Places>(Places::id()) {
            let column = &mut places.columns[mode as usize];
            *column = Some(column.map_or(rect, |known| known.union(rect)));
            data.insert_temp(Places::id(), places);
        }
    });
}

/// Tells a figure what stands above this column.
pub fn note_heading(ui: &Ui, column: Rect, mode: Mode, title: &str, note: &str) {
    ui.data_mut(|data| {
        if let Some(mut places) = data.get_temp::<Places>(Places::id()) {
            let [title, note] = [title, note].map(str::to_owned);
            places
                .headings
                .push((column, Heading { mode, title, note }));
            data.insert_temp(Places::id(), places);
        }
    });
}

/// Tells a figure that this can be shown alone, under this name.
pub fn note_plot(ui: &Ui, name: &'static str, rect: Rect) {
    ui.data_mut(|data| {
        if let Some(mut places) = data.get_temp::<Places>(Places::id()) {
            places.plots.push((name, rect));
            data.insert_temp(Places::id(), places);
        }
    });
}

/// The same for a plot that each column has.
pub fn note_plot_of(ui: &Ui, mode: Mode, names: [&'static str; 2], rect: Rect) {
    note_plot(ui, names[mode as usize], rect);
}

/// One of the two columns: a card with a heading band. Returns the room below the band.
pub fn column_ui(ui: &mut Ui, rect: Rect, mode: Mode, title: &str, note: &str) -> Rect {
    let palette = theme::palette(ui);
    let colors = palette.mode(mode);
    note_column(ui, mode, rect);
    note_heading(ui, rect, mode, title, note);
    card(ui.painter(), rect, palette);
    let mut cut = Cut(rect);
    let band = cut.top(sizes::HEADER_BAND);
    let radius = sizes::PANEL_RADIUS - 1;
    let corners = CornerRadius {
        nw: radius,
        ne: radius,
        sw: 0,
        se: 0,
    };
    let inner = band
        .shrink2(Vec2::splat(sizes::LINE))
        .with_max_y(band.bottom());
    ui.painter().rect_filled(inner, corners, colors.band);
    heading_ui(ui, band.shrink2(vec2(sizes::S4, 0.0)), mode, title, note);
    cut.0
}

/// The mark of a mode, its name in its colour, and what it does.
pub fn heading_ui(ui: &mut Ui, rect: Rect, mode: Mode, title: &str, note: &str) {
    let palette = theme::palette(ui);
    let center = pos2(rect.left() + sizes::MARK / 2.0, rect.center().y);
    mark(ui.painter(), center, sizes::MARK, mode, palette);
    let rest = rect.with_min_x(rect.left() + sizes::MARK + sizes::S2);
    row_ui(ui, rest, |ui| {
        label_ui(ui, text::strong(title).color(palette.mode(mode).ink));
        line_ui(ui, text::note(note, palette));
    });
}

/// A small triangle that points down.
pub fn triangle(painter: &Painter, rect: Rect, color: Color32) {
    let half = sizes::TRIANGLE / 2.0;
    let c = rect.center();
    let top = c.y - half * 0.5;
    let points = vec![
        pos2(c.x - half, top),
        pos2(c.x + half, top),
        pos2(c.x, top + half * 1.2),
    ];
    painter.add(Shape::convex_polygon(points, color, Stroke::NONE));
}

/// A button that opens a menu: a quiet label, the value, a triangle.
pub fn drop_button_ui(ui: &mut Ui, label: &str, value: &str, pill: bool) -> Response {
    let palette = theme::palette(ui);
    let mut atoms = egui::Atoms::default();
    if !label.is_empty() {
        atoms.push_right(text::muted(label, palette));
    }
    atoms.push_right(RichText::new(value).color(palette.ink).atom_shrink(true));
    let radius = if pill {
        sizes::PILL_RADIUS
    } else {
        sizes::CONTROL_RADIUS
    };
    let words = if label.is_empty() { value } else { label };
    terms::hinted(menu_button_ui(ui, atoms, radius), words)
}

/// The same for a narrow place.
pub fn small_drop_button_ui(ui: &mut Ui, value: &str) -> Response {
    let value = RichText::new(value)
        .font(text::small())
        .color(theme::palette(ui).ink);
    menu_button_ui(
        ui,
        value.atom_shrink(true).into_atoms(),
        sizes::CONTROL_RADIUS,
    )
}

fn menu_button_ui(ui: &mut Ui, mut atoms: egui::Atoms<'_>, radius: u8) -> Response {
    let icon = IdSalt::new("triangle");
    atoms.push_right(Atom::custom(icon, Vec2::splat(sizes::TRIANGLE)));
    let drawn = Button::new(atoms)
        .corner_radius(radius)
        .truncate()
        .atom_ui(ui);
    if let Some(rect) = drawn.rect(icon) {
        triangle(ui.painter(), rect, theme::palette(ui).muted);
    }
    drawn.response
}

/// Text that goes on in the next line.
pub fn wrapped_ui(ui: &mut Ui, words: RichText) -> Response {
    ui.add(Label::new(words).wrap())
}

/// A field for a whole number. egui's own speed for those is below 1: the arrow keys would round
/// back to where they were.
pub fn whole<N: Numeric>(value: &mut N) -> DragValue<'_> {
    DragValue::new(value).speed(1.0)
}

/// A checkbox with words beside it, which are clickable too.
pub fn check_ui(ui: &mut Ui, name: &str, checked: &mut bool) -> Response {
    let palette = theme::palette(ui);
    let words = ui
        .painter()
        .layout_no_wrap(name.to_owned(), text::small(), palette.ink);
    let size = vec2(
        sizes::CHECKBOX + sizes::S1 + 2.0 * sizes::LINE + words.size().x,
        sizes::INPUT_ROW,
    );
    let (rect, mut response) = ui.allocate_exact_size(size, Sense::click());
    if response.clicked() {
        *checked = !*checked;
        response.mark_changed();
    }
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, enabled, *checked, name));
    let middle = pos2(rect.left() + sizes::CHECKBOX / 2.0, rect.center().y);
    let square = Rect::from_center_size(middle, Vec2::splat(sizes::CHECKBOX));
    check_box(ui, square, *checked, response.hovered());
    focus_ring(ui, &response, square);
    let at = pos2(
        square.right() + sizes::S1 + 2.0 * sizes::LINE,
        rect.center().y - words.size().y / 2.0,
    );
    ui.painter().galley(at, words, palette.ink);
    response
}

/// A small button with a painted chevron.
pub fn chevron_ui(ui: &mut Ui, action_label: &str, left: bool, enabled: bool) -> Response {
    let sense = if enabled {
        Sense::click()
    } else {
        Sense::hover()
    };
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(sizes::CHEVRON), sense);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, action_label));
    let palette = theme::palette(ui);
    if response.hovered() && enabled {
        ui.painter()
            .rect_filled(rect, sizes::CONTROL_RADIUS, palette.hover);
    }
    focus_ring(ui, &response, rect);
    let color = if enabled { palette.ink } else { palette.faint };
    let c = rect.center();
    let d = sizes::CHEVRON / 4.0;
    let (tip, back) = if left {
        (-d / 2.0, d / 2.0)
    } else {
        (d / 2.0, -d / 2.0)
    };
    let points = vec![
        pos2(c.x + back, c.y - d),
        pos2(c.x + tip, c.y),
        pos2(c.x + back, c.y + d),
    ];
    ui.painter()
        .add(Shape::line(points, Stroke::new(sizes::FOCUS_STROKE, color)));
    response
}

/// A ring around a widget that has the keyboard focus.
pub fn focus_ring(ui: &Ui, response: &Response, rect: Rect) {
    if response.has_focus() {
        let stroke = Stroke::new(sizes::FOCUS_STROKE, theme::palette(ui).inference.ink);
        ui.painter()
            .rect_stroke(rect, sizes::CHECKBOX_RADIUS, stroke, StrokeKind::Outside);
    }
}

/// A checkbox without text; `name` is its accessible name.
pub fn checkbox_ui(ui: &Ui, rect: Rect, id: Id, name: &str, checked: bool) -> Response {
    let response = ui.interact(rect.expand(sizes::S1), id, Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, ui.is_enabled(), checked, name));
    let rect = rect.round_to_pixels(ui.pixels_per_point());
    check_box(ui, rect, checked, response.hovered());
    focus_ring(ui, &response, rect);
    response
}

/// The square of a checkbox.
fn check_box(ui: &Ui, rect: Rect, checked: bool, hovered: bool) {
    let palette = theme::palette(ui);
    let rect = rect.round_to_pixels(ui.pixels_per_point());
    let painter = ui.painter();
    if checked {
        painter.rect_filled(rect, sizes::CHECKBOX_RADIUS, palette.ink);
        let at = |x: f32, y: f32| {
            pos2(
                rect.left() + x * rect.width(),
                rect.top() + y * rect.height(),
            )
        };
        let check = vec![at(0.24, 0.52), at(0.43, 0.70), at(0.77, 0.31)];
        painter.add(Shape::line(
            check,
            Stroke::new(sizes::CHECK_STROKE, palette.on_ink),
        ));
    } else {
        let line = if hovered {
            palette.ink
        } else {
            palette.strong_line
        };
        let stroke = Stroke::new(sizes::LINE, line);
        painter.rect(
            rect,
            sizes::CHECKBOX_RADIUS,
            palette.panel,
            stroke,
            StrokeKind::Inside,
        );
    }
}

/// Names a widget that has no words of its own; a text field has only its hint.
pub fn named(ui: &Ui, response: &Response, name: &str) {
    ui.ctx()
        .accesskit_node_builder(response.id, |node: &mut accesskit::Node| {
            node.set_label(name);
        });
}

/// Adds words for assistive technology that the picture says with shapes.
pub fn describe(ui: &Ui, response: &Response, description: &str) {
    ui.ctx()
        .accesskit_node_builder(response.id, |node: &mut accesskit::Node| {
            node.set_description(description);
        });
}

/// Keys as they are written on a keyboard.
pub fn keys(ctx: &Context, shortcut: &KeyboardShortcut) -> String {
    let written = ctx.format_shortcut(shortcut);
    crate::words::commands::KEYS
        .into_iter()
        .fold(written, |keys, (name, key)| keys.replace(name, key))
}

/// Gives a response the tooltip of an action, its shortcut included.
pub fn with_tooltip(response: Response, action: Action) -> Response {
    let info = action.info();
    let tooltip = match info.shortcut {
        Some(shortcut) => format!("{} ({})", info.tooltip, keys(&response.ctx, &shortcut)),
        None => info.tooltip.to_owned(),
    };
    terms::hinted(response.on_hover_text(tooltip), info.label)
}

/// What stands where nothing can be shown yet: in the middle, line by line.
pub fn empty_ui(ui: &mut Ui, rect: Rect, line: &str) {
    let words = text::muted(line, theme::palette(ui));
    let room = rect.shrink(sizes::S4);
    let wrap = Some(TextWrapMode::Wrap);
    let laid_out =
        WidgetText::from(words.clone()).into_galley(ui, wrap, room.width(), TextStyle::Body);
    let place = Rect::from_center_size(room.center(), vec2(room.width(), laid_out.size().y));
    inside_ui(ui, place, Layout::top_down(Align::Center), |ui| {
        ui.label(words)
    });
}
