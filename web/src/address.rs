//! Tells the page what the window shows, so that the address and the history follow it.

use std::time::Duration;

use eframe::egui::Context;
use modelens::app::App;
use modelens::app::address::Place;
use modelens::lesson::link;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The window shows what this link says. `shareable`: so it does elsewhere. `another`: it is another place for
    /// the history, and not the same one adjusted.
    #[wasm_bindgen(js_name = "modelensMoved")]
    fn moved(link: &str, shareable: bool, another: bool);
}

/// The least time between two changes of the address, in seconds: browsers allow 100 changes in 30 seconds.
const EVERY_SECS: f64 = 0.4;

/// The address as the page has it.
#[derive(Debug, Default)]
pub struct Address {
    told: Option<Place>,
    looked_secs: f64,
    /// The window goes to a link, which is in the history already.
    arrives: bool,
}

impl Address {
    /// Notes that the window goes to a link of the address.
    pub fn arrive(&mut self) {
        self.arrives = true;
    }

    /// Tells the page if the window shows something else, but not in the middle of a gesture. False if it is too
    /// soon to look.
    pub fn follow(&mut self, ctx: &Context, app: &App) -> bool {
        let (now, gesture) = ctx.input(|i| (i.time, i.pointer.any_down()));
        let left = self.looked_secs + EVERY_SECS - now;
        if left > 0.0 || gesture {
            // A gesture ends with a frame of its own.
            if left > 0.0 {
                ctx.request_repaint_after(Duration::from_secs_f64(left));
            }
            return false;
        }
        self.looked_secs = now;
        let Some(place) = app.place() else {
            return true;
        };
        let arrived = std::mem::take(&mut self.arrives);
        if self.told.as_ref() == Some(&place) && !arrived {
            return true;
        }
        let before = self.told.as_ref().filter(|_| !arrived);
        let another = before.is_some_and(|b| link::is_another_place(&b.link, &place.link));
        moved(&place.link, place.shareable, another);
        self.told = Some(place);
        true
    }
}
