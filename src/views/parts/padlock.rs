//! A padlock: closed where something is locked.

use eframe::egui::{
    Color32, CornerRadius, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, pos2, vec2,
};

use crate::theme::sizes;

/// Draws a padlock of this height. A closed one is filled; the bow of an open one is lifted and ends
/// in the air, so that neither needs its colour to be told apart.
pub fn padlock(painter: &Painter, center: Pos2, height: f32, closed: bool, color: Color32) {
    let width = height * 0.8;
    let body = Rect::from_min_max(
        pos2(center.x - width / 2.0, center.y - height * 0.02),
        pos2(center.x + width / 2.0, center.y + height / 2.0),
    );
    let stroke = Stroke::new((height * 0.13).max(sizes::LINE), color);
    let radius = width * 0.3;
    let lift = if closed { 0.0 } else { height * 0.12 };
    let top = body.top() - height * 0.16 - lift;
    let arc = (0..=12).map(|i| {
        let angle = std::f32::consts::PI * (1.0 + i as f32 / 12.0);
        pos2(center.x, top) + radius * vec2(angle.cos(), angle.sin())
    });
    let mut bow: Vec<Pos2> = vec![pos2(center.x - radius, body.top())];
    bow.extend(arc);
    if closed {
        bow.push(pos2(center.x + radius, body.top()));
    }
    painter.add(Shape::line(bow, stroke));
    let corners = CornerRadius::same(sizes::CHECKBOX_RADIUS - 1);
    if closed {
        painter.rect_filled(body, corners, color);
    } else {
        painter.rect_stroke(body, corners, stroke, StrokeKind::Inside);
    }
}
