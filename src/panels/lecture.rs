//! What lecture mode adds: the photo, one line that says what is shown, one statement in large type,
//! and a ring around the pointer.

use eframe::egui::{
    self, Align, Id, LayerId, Layout, Order, Rect, Role, Sense, Stroke, Ui, WidgetInfo, vec2,
};

use crate::command::Action;
use crate::lesson::fill;
use crate::state::{Gallery, State};
use crate::theme::{self, sizes, text};
use crate::views::parts::Cut;
use crate::views::{self, Show, parts};
use crate::words::common::sentence_case;
use crate::words::markup;

/// The photo at the left; beside it view, layer, rules and photo, in place of the panels, with what a
/// lecturer presses and the keys at the right; below that the statement.
pub fn caption_ui(ui: &mut Ui, show: &mut Show<'_>, rect: Rect) {
    let mut cut = Cut(rect);
    let left = cut.0.left();
    let photo = photo_ui(ui, show.state, cut.0);
    if photo > 0.0 {
        cut.0.min.x = left + photo + sizes::S3;
    }
    let line = cut.top(sizes::CONTROL_HEIGHT);
    line_ui(ui, show, line);
    statement_ui(ui, show.state, cut.0.with_min_y(cut.0.top() + sizes::S1));
}

/// The chosen photo, as high as the row; returns its width.
fn photo_ui(ui: &Ui, state: &State, room: Rect) -> f32 {
    let gallery = state.opened.gallery.as_ref();
    let chosen = gallery.map(|g| (g.id, g.photo));
    let readable = gallery.is_none_or(|g| Gallery::chosen_unreadable(g).is_none());
    let thumbnail = state.computed.thumbnail.as_ref();
    let Some(shown) = thumbnail.filter(|t| readable && Some((t.photos, t.photo)) == chosen) else {
        return 0.0;
    };
    let size = shown.texture.size_vec2();
    let most = vec2(sizes::LECTURE_PHOTO, room.height());
    let scale = (most / size).min_elem();
    let rect = Rect::from_min_size(room.min, size * scale);
    let photo = egui::Image::new(&shown.texture).corner_radius(sizes::IMAGE_RADIUS);
    photo.paint_at(ui, rect);
    let response = ui.interact(rect, ui.scope_id().with("photo"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &shown.name));
    rect.width()
}

fn line_ui(ui: &mut Ui, show: &mut Show<'_>, rect: Rect) {
    let palette = theme::palette(ui);
    let state = show.state;
    let view = state.settings.view;
    let page = view.page();
    let mut about = vec![state.semantics().label().to_owned()];
    if let Some(base) = &state.opened.base {
        let layer = page.layer(base).map(|id| &base.model.graph.layers[id].name);
        about.extend(layer.cloned());
    }
    let lecture = page.lecture(state);
    about.extend(lecture.about);
    about.retain(|part| !part.is_empty());
    let layout = Layout::right_to_left(Align::Center);
    parts::inside_ui(ui, rect, layout, |ui| {
        show.action_ui(ui, Action::ShowKeys);
        for action in lecture.actions.into_iter().rev() {
            show.action_ui(ui, action);
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            parts::label_ui(ui, text::strong(page.label()));
            parts::line_ui(ui, text::muted(about.join(" · "), palette));
        });
    });
}

/// The statement in the largest type that holds it.
fn statement_ui(ui: &mut Ui, state: &State, room: Rect) {
    let Some(statement) = statement(state) else {
        return;
    };
    let palette = theme::palette(ui);
    let rows = |size: &f32| {
        let job = text::statement(&statement, *size, room.width(), palette);
        ui.painter().layout_job(job).rows.len()
    };
    let fits = text::STATEMENT
        .into_iter()
        .find(|size| rows(size) <= sizes::STATEMENT_ROWS);
    let [.., smallest] = text::STATEMENT;
    let mut job = text::statement(&statement, fits.unwrap_or(smallest), room.width(), palette);
    job.wrap.max_rows = sizes::STATEMENT_ROWS + usize::from(fits.is_none());
    parts::inside_ui(ui, room, Layout::default(), |ui| {
        ui.add(egui::Label::new(job).selectable(false));
    });
}

/// One sentence for the audience: that of the step, or else the first bold words of "What you see".
/// `None` while a question waits for its answer.
pub fn statement(state: &State) -> Option<String> {
    if state.is_veiled() {
        return None;
    }
    let view = state.settings.view;
    if let Some(open) = state
        .lesson
        .as_ref()
        .filter(|open| !open.free && !open.waits)
    {
        let step = open.now()?;
        let said = step.statement(state.semantics());
        let said = said.map(|said| fill(&said, state));
        return Some(sentence_case(&said.unwrap_or_else(|| step.title.clone())));
    }
    views::missing(state, view).is_none().then_some(())?;
    let said = markup::first_bold(&views::explanation(state, view).text)?;
    Some(sentence_case(&said))
}

/// A ring around the pointer, to be seen from the last row.
pub fn pointer_ui(ui: &Ui) {
    let Some(at) = ui.ctx().pointer_latest_pos() else {
        return;
    };
    let palette = theme::palette(ui);
    let layer = LayerId::new(Order::Tooltip, Id::unique("pointer ring"));
    let painter = ui.ctx().layer_painter(layer);
    let stroke = Stroke::new(sizes::CELL_RING, palette.ink);
    painter.circle_stroke(at, sizes::POINTER_RING, stroke);
}
