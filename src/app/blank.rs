//! What a lecture does with the screen and the pointer: a black screen, and no pointer while keys are
//! used.

use eframe::egui::{
    CentralPanel, Context, CursorIcon, Event, Frame, Id, Role, Sense, Ui, WidgetInfo,
};

use super::App;
use crate::theme;
use crate::words::lesson as words;

impl App {
    /// Draws the black screen, if it was asked for; any key or click ends it and does nothing else.
    pub(super) fn blank_ui(&mut self, ui: &mut Ui) -> bool {
        let Some(lecture) = &mut self.state.shell.lecture else {
            return false;
        };
        if !lecture.blank {
            return false;
        }
        let ends = |event: &Event| match event {
            Event::Key {
                pressed, repeat, ..
            } => *pressed && !repeat,
            Event::PointerButton { pressed, .. } => *pressed,
            _ => false,
        };
        if ui.input(|i| i.events.iter().any(ends)) {
            lecture.blank = false;
            ui.ctx().request_repaint();
        }
        ui.input_mut(|i| i.events.clear());
        let frame = Frame::new().fill(theme::BLANK);
        CentralPanel::no_frame().frame(frame).show(ui, |ui| {
            let id = Id::unique("blank screen");
            let response = ui.interact(ui.max_rect(), id, Sense::hover());
            response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words::BLANK));
        });
        ui.ctx().set_cursor_icon(CursorIcon::None);
        true
    }

    /// Notes whether the lecturer uses keys or the mouse.
    pub(super) fn follow_pointer(&mut self, ctx: &Context) {
        let Some(lecture) = &mut self.state.shell.lecture else {
            return;
        };
        ctx.input(|i| {
            for event in &i.events {
                match event {
                    Event::Key { pressed: true, .. } => lecture.pointer_hidden = true,
                    Event::PointerMoved(_)
                    | Event::PointerButton { .. }
                    | Event::MouseWheel { .. }
                    | Event::Touch { .. } => lecture.pointer_hidden = false,
                    _ => {}
                }
            }
        });
    }

    /// Hides the pointer, whatever it is over.
    pub(super) fn hide_pointer(&self, ctx: &Context) {
        if self.state.shell.lecture.is_some_and(|l| l.pointer_hidden) {
            ctx.set_cursor_icon(CursorIcon::None);
        }
    }
}
