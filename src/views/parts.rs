//! Pieces that several views and panels share.

use eframe::egui::accesskit;
use eframe::egui::{
    Align, Context, CornerRadius, KeyboardShortcut, Label, Layout, Painter, Pos2, Rect, Response,
    RichText, Stroke, StrokeKind, TextStyle, TextWrapMode, Ui, UiBuilder, Vec2, WidgetText, pos2,
    vec2,
};

mod buttons;
pub(crate) mod code;
mod layers;
pub(crate) mod markdown;
pub(crate) mod menu;
mod padlock;
pub(crate) mod picker;
mod places;
mod player;
pub(crate) mod plots;
pub(crate) mod terms;
pub(crate) mod tips;

pub use buttons::{
    Segment, check_ui, checkbox_ui, chevron_ui, code_drop_button_ui, drop_button_ui, field_ui,
    focus_ring, redraw_ui, segments_ui, sensing_checkbox_ui, small_drop_button_ui, whole,
};
pub use layers::{has_modes, mode_switch_ui, name_ui, sensing_mode_switch_ui};
pub use padlock::padlock;
pub use places::{
    Places, is_figure, is_still, note_column, note_heading, note_left_out, note_plot, note_plot_of,
    note_still, only_part,
};

pub use player::player_ui;
pub use tips::Tip;

use crate::command::Action;
use crate::model::{Mode, Outer, Semantics};
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

    /// An upper and a lower half with a gap between, whole pixels high.
    pub fn stacked(&self, gap: f32) -> [Rect; 2] {
        let height = ((self.0.height() - gap) / 2.0).floor();
        let upper = Rect::from_min_size(self.0.min, vec2(self.0.width(), height));
        let lower = Rect::from_min_max(pos2(self.0.left(), self.0.bottom() - height), self.0.max);
        [upper, lower]
    }

    /// Two halves with a gap between, whole pixels wide.
    pub fn halves(&self, gap: f32) -> [Rect; 2] {
        let width = ((self.0.width() - gap) / 2.0).floor();
        let left = Rect::from_min_size(self.0.min, vec2(width, self.0.height()));
        let right = Rect::from_min_max(pos2(self.0.right() - width, self.0.top()), self.0.max);
        [left, right]
    }
}

/// Whether a figure of this width has one column above the other.
pub fn stacks(ui: &Ui, width: f32) -> bool {
    is_figure(ui) && width < sizes::FIGURE_LEAST
}

/// The places of the two columns: side by side, or one above the other in a narrow figure.
pub fn columns(ui: &Ui, cut: &Cut) -> [Rect; 2] {
    if stacks(ui, cut.0.width()) {
        cut.stacked(sizes::COLUMN_GAP)
    } else {
        cut.halves(sizes::COLUMN_GAP)
    }
}

/// The mode whose colour and mark a column with this outer call has.
pub fn column_mode(outer: Outer, semantics: Semantics) -> Mode {
    match outer {
        Outer::Given(mode) => mode,
        Outer::NotGiven if semantics == Semantics::PyTorch => Mode::Training,
        Outer::NotGiven => Mode::Inference,
    }
}

/// The rectangles of the left and the right controls of a view: one row, or one each if there are two.
pub fn control_rows(room: Rect) -> [Rect; 2] {
    let rows = rows(room);
    [rows[0], rows[rows.len() - 1]]
}

/// The rows of controls that are as high as the room.
pub fn rows(room: Rect) -> Vec<Rect> {
    let pitch = sizes::CONTROL_HEIGHT + sizes::S2;
    let count = ((room.height() + sizes::S2) / pitch).round().max(1.0) as usize;
    if count == 1 {
        return vec![room];
    }
    let mut cut = Cut(room);
    let row = |_| {
        let row = cut.top(sizes::CONTROL_HEIGHT);
        cut.top(sizes::S2);
        row
    };
    (0..count).map(row).collect()
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

/// A label; if it begins with a term, the term's sentence is its tooltip.
pub fn label_ui(ui: &mut Ui, label: RichText) -> Response {
    let words = label.text().to_owned();
    terms::hinted(ui.label(label), &words)
}

/// The title of a section in small capitals: a heading for assistive technology.
pub fn title_ui(ui: &mut Ui, title: &str) -> Response {
    let response = label_ui(ui, text::title(title, theme::palette(ui)));
    as_heading(&response, title);
    response
}

/// Makes a label a heading, which a screen reader can jump to.
fn as_heading(response: &Response, title: &str) {
    let (ctx, id) = (&response.ctx, response.id);
    ctx.accesskit_node_builder(id, |node: &mut accesskit::Node| {
        node.set_role(accesskit::Role::Heading);
        node.set_label(title);
        node.clear_value();
    });
}

/// A muted line: the first of these texts that fits the row, or else the last one, truncated.
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
        Some(whole) if whole != words => response.tip(whole),
        _ => response,
    }
}

/// One line of text that is truncated if there is no room; a term has its tooltip.
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
        let name = label_ui(ui, text::strong(title).color(palette.mode(mode).ink));
        as_heading(&name, title);
        line_ui(ui, text::note(note, palette));
    });
}

/// Text that wraps.
pub fn wrapped_ui(ui: &mut Ui, words: RichText) -> Response {
    ui.add(Label::new(words).wrap())
}

/// Gives a widget without text an accessible name; a text field has only its hint.
pub fn named(ui: &Ui, response: &Response, name: &str) {
    ui.ctx()
        .accesskit_node_builder(response.id, |node: &mut accesskit::Node| {
            node.set_label(name);
        });
}

/// Adds a description for assistive technology.
pub fn describe(ui: &Ui, response: &Response, description: &str) {
    ui.ctx()
        .accesskit_node_builder(response.id, |node: &mut accesskit::Node| {
            node.set_description(description);
        });
}

/// Gives a slider of one's own its range, and returns how many steps up assistive technology asks it to go.
pub fn steps_asked(ui: &Ui, slider: &Response, [least, most]: [f64; 2]) -> i32 {
    use accesskit::Action::{Decrement, Increment};
    ui.ctx()
        .accesskit_node_builder(slider.id, |node: &mut accesskit::Node| {
            node.set_min_numeric_value(least);
            node.set_max_numeric_value(most);
            node.add_action(Increment);
            node.add_action(Decrement);
        });
    let [up, down] = [Increment, Decrement]
        .map(|action| ui.input(|i| i.num_accesskit_action_requests(slider.id, action) as i32));
    up - down
}

/// Has assistive technology say the text of a label when it changes.
pub fn announce(ui: &Ui, response: &Response, how: accesskit::Live) {
    ui.ctx()
        .accesskit_node_builder(response.id, |node: &mut accesskit::Node| {
            node.set_live(how);
        });
}

/// Keys as they are written on a keyboard.
pub fn keys(ctx: &Context, shortcut: KeyboardShortcut) -> String {
    let written = ctx.format_shortcut(&shortcut);
    crate::words::commands::KEYS
        .into_iter()
        .fold(written, |keys, (name, key)| keys.replace(name, key))
}

/// Gives a response the tooltip of an action, its shortcut included.
pub fn with_tooltip(response: Response, action: Action) -> Response {
    let info = action.info();
    let tooltip = match info.shortcut {
        Some(shortcut) => format!("{} ({})", info.tooltip, keys(&response.ctx, shortcut)),
        None => info.tooltip.to_owned(),
    };
    terms::hinted(response.tip(tooltip), info.label)
}

/// A message in the middle of a rectangle that has nothing to show.
pub fn empty_ui(ui: &mut Ui, rect: Rect, line: &str) {
    message_ui(ui, rect, line);
}

/// A message in the middle of a rectangle; returns the room below it.
pub fn message_ui(ui: &mut Ui, rect: Rect, line: &str) -> Rect {
    let words = text::muted(line, theme::palette(ui));
    let room = rect.shrink(sizes::S4);
    let wrap = Some(TextWrapMode::Wrap);
    let laid_out =
        WidgetText::from(words.clone()).into_galley(ui, wrap, room.width(), TextStyle::Body);
    let place = Rect::from_center_size(room.center(), vec2(room.width(), laid_out.size().y));
    inside_ui(ui, place, Layout::top_down(Align::Center), |ui| {
        ui.label(words)
    });
    rect.with_min_y(place.bottom() + sizes::S3)
}
