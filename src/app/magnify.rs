//! Two fingers magnify the window where they are, like a picture: plots on both sides keep the same axes.

use eframe::egui::emath::TSTransform;
use eframe::egui::{Context, LayerId, Vec2};

use super::App;

/// The strongest magnification.
const MOST: f32 = 6.0;
/// Fingers that meet again at almost the whole window mean all of it.
const SNAP: f32 = 1.03;

impl App {
    /// Follows two fingers that spread, close or move, and one finger that moves what is magnified.
    pub(super) fn magnify(&mut self, ctx: &Context) {
        let layer = LayerId::background();
        let now = self.magnified;
        let (touch, is_touched, moved) =
            ctx.input(|i| (i.multi_touch(), i.any_touches(), i.pointer.delta()));
        let window = ctx.content_rect();
        let mut next = now;
        if let Some(touch) = touch {
            // What was begun with the first finger was the start of a gesture.
            ctx.stop_dragging();
            let before = now.inverse() * (touch.center_pos - touch.translation_delta);
            next.scaling = (now.scaling * touch.zoom_delta).clamp(1.0, MOST);
            // The point between the fingers stays between them.
            next.translation = touch.center_pos.to_vec2() - before.to_vec2() * next.scaling;
        } else if is_touched && ctx.dragged_id().is_none() {
            next.translation += moved;
        } else if now.scaling < SNAP {
            next = TSTransform::IDENTITY;
        }
        let least = window.max.to_vec2() * (1.0 - next.scaling);
        next.translation = next.translation.clamp(least, Vec2::ZERO);
        if next != now {
            self.magnified = next;
            ctx.set_transform_layer(layer, next);
            ctx.request_repaint();
        }
    }
}
