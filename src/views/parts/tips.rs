//! Tooltips: at most one at a time, with everything there is to say of a widget, and only where the pointer has come
//! to the widget. Content that appears below a resting pointer opens none.

use eframe::egui::{Context, Event, Id, Response, Tooltip, TouchPhase};

/// The widget under the pointer, and what there is to say of it.
#[derive(Clone)]
struct Noted {
    response: Response,
    texts: Vec<String>,
    at_pointer: bool,
}

/// Gives a widget a tooltip. Several texts of one widget are lines of one tooltip.
#[allow(
    clippy::return_self_not_must_use,
    reason = "a tooltip is often the last thing that a widget gets"
)]
pub trait Tip: Sized {
    /// While the widget is enabled.
    fn tip(self, text: impl Into<String>) -> Self;

    /// Beside the pointer, where the text depends on its place.
    fn tip_at_pointer(self, text: impl Into<String>) -> Self;

    /// While the widget is disabled.
    fn tip_if_disabled(self, text: impl Into<String>) -> Self;
}

impl Tip for Response {
    fn tip(self, text: impl Into<String>) -> Self {
        if self.enabled() && self.hovered() {
            note(&self, text.into(), false);
        }
        self
    }

    fn tip_at_pointer(self, text: impl Into<String>) -> Self {
        if self.enabled() && self.hovered() {
            note(&self, text.into(), true);
        }
        self
    }

    fn tip_if_disabled(self, text: impl Into<String>) -> Self {
        if !self.enabled() && self.contains_pointer() {
            note(&self, text.into(), false);
        }
        self
    }
}

/// True if the pointer came to this widget and rests on it: for a tooltip that is more than text.
pub fn is_reached(response: &Response) -> bool {
    if !response.hovered() {
        return false;
    }
    note(response, String::new(), false);
    let came_to = response
        .ctx
        .data(|data| data.get_temp::<Option<Id>>(came_to_id()));
    came_to.flatten() == Some(response.id)
}

fn noted_id() -> Id {
    Id::unique("the widget under the pointer")
}

/// Where the pointer came to rest.
fn came_to_id() -> Id {
    Id::unique("the widget that the pointer came to")
}

fn note(response: &Response, text: String, at_pointer: bool) {
    response.ctx.data_mut(|data| {
        let known = data.get_temp::<Option<Noted>>(noted_id()).flatten();
        let noted = match known {
            Some(mut noted) if noted.response.id == response.id => {
                if !noted.texts.contains(&text) {
                    noted.texts.push(text);
                }
                noted.at_pointer |= at_pointer;
                noted
            }
            // What is inside of another widget says more.
            Some(noted) if noted.response.rect.area() < response.rect.area() => noted,
            _ => Noted {
                response: response.clone(),
                texts: vec![text],
                at_pointer,
            },
        };
        data.insert_temp(noted_id(), Some(noted));
    });
}

/// Shows the tooltip of this frame, if there is one; call it after everything else is drawn.
pub fn tooltip_ui(ctx: &Context) {
    let noted = ctx.data_mut(|data| data.remove_temp::<Option<Noted>>(noted_id()));
    let noted = noted.flatten();
    let has_moved = ctx.input(|i| {
        let mut events = i.events.iter();
        // A finger comes to a widget without moving there.
        events.any(|event| {
            let lands = matches!(event, Event::Touch { phase, .. } if *phase == TouchPhase::Start);
            lands || matches!(event, Event::PointerMoved(_))
        })
    });
    let here = noted.as_ref().map(|noted| noted.response.id);
    if has_moved {
        ctx.data_mut(|data| data.insert_temp(came_to_id(), here));
    }
    let came_to = ctx.data(|data| data.get_temp::<Option<Id>>(came_to_id()));
    let Some(mut noted) = noted.filter(|_| came_to.flatten() == here) else {
        return;
    };
    noted.texts.retain(|text| !text.is_empty());
    if noted.texts.is_empty() {
        return;
    }
    let response = &noted.response;
    let mut tooltip = if response.enabled() {
        Tooltip::for_enabled(response)
    } else {
        Tooltip::for_disabled(response)
    };
    if noted.at_pointer {
        tooltip = tooltip.at_pointer();
    }
    tooltip.show(|ui| {
        for text in &noted.texts {
            ui.label(text);
        }
    });
}
