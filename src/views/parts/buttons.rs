//! Buttons, boxes and fields that egui does not have as we need them.

use eframe::egui;
use eframe::egui::emath::{GuiRounding as _, Numeric};
use eframe::egui::{
    Atom, AtomExt as _, Button, Color32, DragValue, Id, IdSalt, IntoAtoms as _, Painter, Rect,
    Response, RichText, Role, Sense, Shape, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use super::{mark, with_tooltip};
use crate::command::Action;
use crate::model::Mode;
use crate::theme::{self, sizes, text};
use crate::views::{Show, terms};

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

/// A small button that opens a menu.
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

/// A small button that opens a menu of calls; `code` is the chosen one, whole.
pub fn code_drop_button_ui(ui: &mut Ui, code: &str) -> Response {
    let code = RichText::new(code)
        .font(text::code())
        .color(theme::palette(ui).ink);
    menu_button_ui(ui, code.into_atoms(), sizes::CONTROL_RADIUS)
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

/// A field for a whole number. egui's own speed for those is below 1: the arrow keys would round
/// back to where they were.
pub fn whole<N: Numeric>(value: &mut N) -> DragValue<'_> {
    DragValue::new(value).speed(1.0)
}

/// Draws a field for a number so that it does not look like a button: sunken, with square corners.
pub fn field_ui(ui: &mut Ui, field: DragValue<'_>) -> Response {
    let palette = theme::palette(ui);
    let field = |ui: &mut Ui| {
        let widgets = &mut ui.visuals_mut().widgets;
        widgets.inactive.weak_bg_fill = palette.background;
        widgets.inactive.bg_stroke = Stroke::new(sizes::LINE, palette.strong_line);
        for state in [
            &mut widgets.inactive,
            &mut widgets.hovered,
            &mut widgets.active,
        ] {
            state.corner_radius = sizes::CHECKBOX_RADIUS.into();
        }
        ui.add(field)
    };
    ui.scope(field).inner
}

/// A checkbox with a clickable label.
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
    sensing_checkbox_ui(ui, rect, id, name, checked, Sense::click())
}

/// The same, which may be out of Tab's way.
pub fn sensing_checkbox_ui(
    ui: &Ui,
    rect: Rect,
    id: Id,
    name: &str,
    checked: bool,
    sense: Sense,
) -> Response {
    let response = ui.interact(rect.expand(sizes::S1), id, sense);
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

/// The redraw button, with its key.
pub fn redraw_ui(ui: &mut Ui, show: &mut Show<'_>, label: &str) {
    let palette = theme::palette(ui);
    let key = text::muted("R", palette);
    let button = Button::new((label, key)).corner_radius(sizes::PILL_RADIUS);
    let response = with_tooltip(ui.add(button), Action::Redraw);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, label));
    if response.clicked() {
        show.push(Action::Redraw);
    }
}

/// One value of a large switch.
#[derive(Clone, Copy, Debug)]
pub struct Segment<T> {
    pub value: T,
    pub label: &'static str,
    /// The mode whose mark and colour the value has.
    pub mode: Option<Mode>,
}

/// A large switch that fills a rectangle: one button a value. Returns the value that was clicked.
pub fn segments_ui<T: Copy + PartialEq>(
    ui: &mut Ui,
    rect: Rect,
    name: &str,
    segments: &[Segment<T>],
    chosen: Option<T>,
) -> Option<T> {
    let palette = theme::palette(ui);
    let width = rect.width() / segments.len().max(1) as f32;
    let mut clicked = None;
    for (i, segment) in segments.iter().enumerate() {
        let left = rect.left() + i as f32 * width;
        let place = Rect::from_x_y_ranges(left..=left + width, rect.y_range());
        let place = place.shrink2(Vec2::new(sizes::LINE, 0.0));
        let is_chosen = chosen == Some(segment.value);
        let id = ui.scope_id().with((name, i));
        let response = ui.interact(place, id, Sense::click());
        let label = format!("{name} {}", segment.label);
        let enabled = ui.is_enabled() && chosen.is_some();
        response
            .widget_info(|| WidgetInfo::selected(Role::RadioButton, enabled, is_chosen, &label));
        let colors = segment.mode.map(|mode| palette.mode(mode));
        let [fill, ink] = match (is_chosen, colors) {
            (true, Some(colors)) => [colors.band, colors.ink],
            (true, None) => [palette.ink, palette.on_ink],
            (false, _) if response.hovered() => [palette.hover, palette.ink],
            (false, _) => [palette.panel, palette.muted],
        };
        let line = if is_chosen { ink } else { palette.strong_line };
        let stroke = Stroke::new(sizes::LINE, line);
        let painter = ui.painter();
        painter.rect(
            place,
            sizes::CONTROL_RADIUS,
            fill,
            stroke,
            StrokeKind::Inside,
        );
        focus_ring(ui, &response, place);
        let words = painter.layout_no_wrap(segment.label.to_owned(), text::semibold(), ink);
        // A narrow switch has no room for the mark.
        let fits = sizes::MARK + sizes::S2 + words.size().x + 2.0 * sizes::S2 <= place.width();
        let marked = segment.mode.filter(|_| is_chosen && fits);
        let beside = marked.map_or(0.0, |_| sizes::MARK + sizes::S2);
        let width = beside + words.size().x;
        let left = place.center().x - width / 2.0;
        if let Some(mode) = marked {
            let center = pos2(left + sizes::MARK / 2.0, place.center().y);
            mark(painter, center, sizes::MARK, mode, palette);
        }
        let at = pos2(left + beside, place.center().y - words.size().y / 2.0);
        painter.with_clip_rect(place).galley(at, words, ink);
        if response.clicked() && enabled {
            clicked = Some(segment.value);
        }
    }
    clicked
}
