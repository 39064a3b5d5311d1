//! Keeps the window inside its monitor.

use eframe::egui::{Context, Vec2, ViewportCommand, vec2};

use super::App;
use crate::theme::sizes;

impl App {
    /// Bounds the size of the window, and its least size, by the monitor, once that is known.
    pub(super) fn fit_monitor(&mut self, ctx: &Context) {
        let (monitor, inner) = ctx.input(|i| {
            let viewport = i.viewport();
            (viewport.monitor_size, viewport.inner_rect)
        });
        if self.fits_monitor {
            return;
        }
        let (Some(monitor), Some(inner)) = (monitor, inner) else {
            return;
        };
        self.fits_monitor = true;
        let (least, size) = bounded(inner.size(), monitor, ctx.zoom_factor());
        ctx.send_viewport_cmd(ViewportCommand::MinInnerSize(least));
        if let Some(size) = size {
            ctx.send_viewport_cmd(ViewportCommand::InnerSize(size));
        }
    }
}

/// The least size of a window on this monitor, and its size if it has to become smaller; all in points at this zoom.
fn bounded(window: Vec2, monitor: Vec2, zoom: f32) -> (Vec2, Option<Vec2>) {
    let [around_x, around_y] = sizes::AROUND_WINDOW;
    let most = (monitor - vec2(around_x, around_y) / zoom).max(Vec2::splat(1.0));
    let least = (Vec2::from(sizes::SMALLEST_WINDOW) / zoom).min(most);
    let is_larger = window.x > most.x || window.y > most.y;
    (least, is_larger.then(|| window.min(most)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_never_larger_than_its_monitor() {
        let first = Vec2::from(sizes::WINDOW);
        // 1366 x 768 pixels at twice the usual scale.
        for (monitor, zoom) in [
            (vec2(683.0, 384.0), 1.0),
            (vec2(1366.0, 768.0), 1.0),
            (vec2(960.0, 540.0), 2.0),
        ] {
            let (least, size) = bounded(first, monitor, zoom);
            let size = size.expect("a smaller size");
            assert!(size.x < monitor.x && size.y < monitor.y, "{size}");
            assert!(least.x <= size.x && least.y <= size.y, "{least}");
        }
        let (least, size) = bounded(first, vec2(1920.0, 1080.0), 1.0);
        assert_eq!((least, size), (Vec2::from(sizes::SMALLEST_WINDOW), None));
    }
}
