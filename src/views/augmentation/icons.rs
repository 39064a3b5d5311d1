//! The small buttons beside steps.

use eframe::egui;
use eframe::egui::{Rect, Response, Role, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo, pos2};

use crate::theme::{self, sizes};
use crate::views::parts::{self, Tip as _};

/// What a button without a text shows.
#[derive(Clone, Copy)]
pub enum Icon {
    Up,
    Down,
    Right,
    Remove,
}

/// A button with an icon.
pub fn icon_ui(ui: &mut Ui, kind: Icon, name: &str, enabled: bool) -> Response {
    let palette = theme::palette(ui);
    let sense = if enabled {
        Sense::click()
    } else {
        Sense::hover()
    };
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(sizes::INPUT_ROW), sense);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, name));
    if response.hovered() && enabled {
        ui.painter()
            .rect_filled(rect, sizes::CONTROL_RADIUS, palette.hover);
    }
    parts::focus_ring(ui, &response, rect);
    let color = if enabled { palette.ink } else { palette.line };
    icon(
        ui,
        kind,
        Rect::from_center_size(rect.center(), Vec2::splat(sizes::TRIANGLE)),
        color,
    );
    response.tip(name)
}

/// Draws an icon.
pub fn icon(ui: &Ui, kind: Icon, rect: Rect, color: egui::Color32) {
    let stroke = Stroke::new(sizes::FOCUS_STROKE, color);
    let at = |x: f32, y: f32| {
        pos2(
            rect.left() + x * rect.width(),
            rect.top() + y * rect.height(),
        )
    };
    let line = |points: Vec<egui::Pos2>| ui.painter().add(Shape::line(points, stroke));
    match kind {
        Icon::Up => line(vec![at(0.0, 0.75), at(0.5, 0.25), at(1.0, 0.75)]),
        Icon::Down => line(vec![at(0.0, 0.25), at(0.5, 0.75), at(1.0, 0.25)]),
        Icon::Right => line(vec![at(0.25, 0.0), at(0.75, 0.5), at(0.25, 1.0)]),
        Icon::Remove => {
            line(vec![at(0.0, 0.0), at(1.0, 1.0)]);
            line(vec![at(0.0, 1.0), at(1.0, 0.0)])
        }
    };
}
