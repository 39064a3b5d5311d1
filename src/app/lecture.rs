//! Lecture mode: type as large as an audience needs it.

use eframe::egui::{Context, Vec2, ViewportCommand, vec2};

use super::App;
use crate::state::Lecture;
use crate::theme::sizes;

impl App {
    /// Turns lecture mode on or off.
    pub(super) fn set_lecture(&mut self, ctx: &Context, on: bool) {
        let shell = &mut self.state.shell;
        match (on, shell.lecture.take()) {
            (true, None) => {
                shell.lecture = Some(Lecture {
                    zoom_before: ctx.zoom_factor(),
                    fitted: None,
                    blank: false,
                    pointer_hidden: false,
                });
                // Notes are projected only if they are asked for again.
                shell.notes = false;
                self.state.grid.open = None;
                ctx.send_viewport_cmd(ViewportCommand::Fullscreen(true));
            }
            (true, lecture) => shell.lecture = lecture,
            (false, Some(lecture)) => {
                ctx.set_zoom_factor(lecture.zoom_before);
                ctx.send_viewport_cmd(ViewportCommand::Fullscreen(false));
            }
            (false, None) => {}
        }
    }

    /// Makes the type as large as the window allows whenever its size changes. Until then, the user's
    /// Ctrl + and Ctrl - apply.
    pub(super) fn fit_lecture(&mut self, ctx: &Context) {
        let Some(lecture) = &mut self.state.shell.lecture else {
            return;
        };
        let size = ctx.content_rect().size() * ctx.zoom_factor();
        let changed = lecture
            .fitted
            .is_none_or(|fitted| (fitted - size).abs().max_elem() > sizes::S1);
        if changed {
            lecture.fitted = Some(size);
            ctx.set_zoom_factor(zoom(size));
        }
    }
}

/// The zoom for a window of this size in points of the system.
fn zoom(size: Vec2) -> f32 {
    let fits = size / vec2(sizes::LECTURE[0], sizes::LECTURE[1]);
    fits.min_elem().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::text;

    #[test]
    fn the_smallest_type_has_20_points_on_a_projector() {
        let zoom = zoom(vec2(1920.0, 1080.0));
        assert!(text::tiny().size * zoom >= 20.0);
        assert_eq!(
            super::zoom(vec2(800.0, 600.0)),
            1.0,
            "never smaller than usual"
        );
    }
}
