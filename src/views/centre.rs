//! The middle of the window: tabs, the view's controls, two columns, the explanation.

use eframe::egui;
use eframe::egui::{Button, Rect, ScrollArea, Sense, Ui, vec2};

use super::explain::{self, Explanation};
use super::hint::Target;
use super::parts::{self, Cut};
use super::{
    Show, augmentation, batch_norm, dropout, fine_tune, hint, lecture, predict, trainable,
};
use crate::app::desired;
use crate::command::Action;
use crate::lesson::Control;
use crate::model::{Mode, Reading};
use crate::state::{Gallery, State, View, model_title, photos_title};
use crate::theme::{self, sizes, text};
use crate::words::window as words;
use crate::worker::{Job, Outcome};

/// Tabs and the chosen view; scrolls where the window is too small for it.
pub fn centre_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let view = show.state.settings.view;
    let margin = vec2(sizes::S4, sizes::S2);
    let missing = missing(show.state, view);
    let explanation = if missing.is_some() {
        Explanation::default()
    } else {
        explanation(show.state, view)
    };
    let width = ui.available_width().max(sizes::CENTRE_MIN_WIDTH);
    let lecture = show.state.desk.lecture.is_some();
    let [tabs, controls, explained] = [Control::Tabs, Control::Controls, Control::Explanation]
        .map(|control| !lecture && !show.state.hides(control));
    let card = if explained {
        explain::height(ui, &explanation, width - 2.0 * margin.x) + sizes::S3
    } else {
        0.0
    };
    let body = least_height(show.state, view);
    let row = |shown: bool, height: f32| if shown { height + sizes::S2 } else { 0.0 };
    let tabs = row(tabs, sizes::TAB_HEIGHT);
    let rows = if lecture {
        1
    } else {
        control_rows(view, width - 2.0 * margin.x)
    };
    let controls_height = rows as f32 * (sizes::CONTROL_HEIGHT + sizes::S2) - sizes::S2;
    let controls = row(controls || lecture, controls_height);
    let others = tabs + controls + body + 2.0 * margin.y;
    // Where it is enough that the sentences scroll, the whole does not.
    let left = ui.available_height() - others;
    let card = if left < sizes::EXPLAIN_MIN + sizes::S3 {
        card
    } else {
        card.min(left.floor())
    };
    let height = ui.available_height().max(others + card);
    ScrollArea::both()
        .id_salt(("centre", view))
        .auto_shrink(false)
        .show(ui, |ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
            let mut cut = Cut(rect.shrink2(margin));
            if tabs > 0.0 {
                let tabs = cut.top(tabs).with_max_y(cut.0.top() - sizes::S2);
                parts::row_ui(ui, tabs, |ui| tabs_ui(ui, show));
            }
            let above = cut.top(controls);
            let above = above.with_max_y((above.bottom() - sizes::S2).max(above.top()));
            if lecture {
                lecture::caption_ui(ui, show, above);
            }
            if let Some(hint) = missing {
                parts::card(ui.painter(), cut.0, theme::palette(ui));
                parts::empty_ui(ui, cut.0, &hint);
                return;
            }
            if controls > 0.0 && !lecture {
                parts::row_ui(ui, above, |ui| match view {
                    View::Augmentation => augmentation::controls_ui(ui, show),
                    View::Dropout => dropout::controls_ui(ui, show),
                    View::BatchNorm => batch_norm::controls_ui(ui, show),
                    View::Trainable => trainable::controls_ui(ui, show),
                    View::FineTune => fine_tune::controls_ui(ui, show),
                    View::Predict => predict::controls_ui(ui, show),
                });
            }
            let large = view == View::Augmentation && augmentation::is_open(show.state);
            if explained && !large {
                let card = cut.bottom(card);
                let card = card.with_min_y(card.top() + sizes::S3);
                explain::explain_ui(ui, card, &explanation);
            }
            body_ui(ui, show, view, cut);
        });
}

/// In how many rows the controls of a view fit into this width.
fn control_rows(view: View, width: f32) -> usize {
    let beside = match view {
        View::BatchNorm => sizes::BATCH_NORM_CONTROLS,
        View::FineTune => sizes::FINE_TUNE_CONTROLS,
        View::Augmentation | View::Dropout | View::Trainable | View::Predict => 0.0,
    };
    if width < beside { 2 } else { 1 }
}

/// Sentences and code of a view.
pub fn explanation(state: &State, view: View) -> Explanation {
    match view {
        View::Augmentation => augmentation::explanation(state),
        View::Dropout => dropout::explanation(state),
        View::BatchNorm => batch_norm::explanation(state),
        View::Trainable => trainable::explanation(state),
        View::FineTune => fine_tune::explanation(state),
        View::Predict => predict::explanation(state),
    }
}

/// The channel that a view shows, from 1.
pub fn channel(state: &State, view: View) -> Option<usize> {
    let base = state
        .opened
        .base
        .as_ref()
        .filter(|_| view == View::BatchNorm)?;
    let looked = state.computed.result(view)?;
    match &looked.outcome {
        Outcome::BatchNorm(outcome) => Some(batch_norm::chosen_channel(base, outcome) + 1),
        _ => None,
    }
}

/// The least height of a view's body in the window; below it the centre scrolls.
fn least_height(state: &State, view: View) -> f32 {
    match view {
        View::BatchNorm => {
            sizes::STRIP + sizes::BATCH_NORM_COLUMNS_MIN + sizes::SCATTER_ROW_MIN + 2.0 * sizes::S2
        }
        View::Predict => predict::least_height(state),
        View::Dropout => sizes::DROPOUT_COLUMNS_MIN + sizes::S3 + sizes::PASSES_ROW_MIN,
        View::Augmentation | View::Trainable | View::FineTune => sizes::BODY_MIN,
    }
}

/// The least size of a view's body in a figure of this width: what nobody can scroll must be
/// there.
pub fn least_size(ui: &Ui, state: &State, view: View, width: f32) -> egui::Vec2 {
    match view {
        // Their cards are as high as their words need.
        View::Trainable | View::FineTune => vec2(
            if view == View::FineTune {
                sizes::CENTRE_MIN_WIDTH - 2.0 * sizes::S4
            } else {
                sizes::FIGURE_LEAST
            },
            figure_height(ui, state, view, width),
        ),
        View::Augmentation | View::Dropout | View::BatchNorm | View::Predict => {
            vec2(sizes::FIGURE_LEAST, least_height(state, view))
        }
    }
}

/// The height a figure gives a view's body at this width.
pub fn figure_height(ui: &Ui, state: &State, view: View, width: f32) -> f32 {
    match view {
        View::Trainable => trainable::figure_height(ui, state, width),
        View::Predict => predict::least_height(state).max(sizes::FIGURE_BODY_LOW),
        View::BatchNorm => sizes::STRIP + sizes::FIGURE_BODY,
        View::FineTune => fine_tune::height(ui, state, width),
        View::Augmentation | View::Dropout => sizes::FIGURE_BODY,
    }
}

fn tabs_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    ui.spacing_mut().item_spacing.x = sizes::S1;
    for (i, view) in View::ALL.into_iter().enumerate() {
        let chosen = show.state.settings.view == view;
        let action = Action::Show(view);
        let label = action.info().label;
        let name = if chosen {
            text::strong(label)
        } else {
            text::muted(label, palette)
        };
        let number = egui::RichText::new((i + 1).to_string())
            .font(text::tiny())
            .color(palette.muted);
        let mut tab = Button::new((
            number,
            name.color(if chosen { palette.ink } else { palette.muted }),
        ))
        .min_size(vec2(0.0, sizes::TAB_HEIGHT))
        .frame_when_inactive(chosen);
        if chosen {
            tab = tab.fill(palette.panel);
        }
        let response = parts::with_tooltip(ui.add(tab), action);
        response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Tab, true, chosen, label));
        if response.clicked() {
            show.push(action);
        }
    }
    hint::note(ui, show, Target::Views, ui.min_rect());
}

/// What is not there yet, in words; `None` where the view can be drawn.
pub fn missing(state: &State, view: View) -> Option<String> {
    let opened = &state.opened;
    let Some(base) = &opened.base else {
        return Some(match &opened.opening_model {
            Some(source) => words::opening(&model_title(source)),
            None => words::OPEN_A_BASE.to_owned(),
        });
    };
    let Some(gallery) = &opened.gallery else {
        return Some(match &opened.opening_photos {
            Some(source) => words::opening(&photos_title(source)),
            None => words::OPEN_PHOTOS.to_owned(),
        });
    };
    if gallery.photos.photos.is_empty() {
        return Some(words::no_photos(&gallery.photos.title));
    }
    if view == View::BatchNorm && base.batch_norms.is_empty() {
        let text = base.model.format.without_batch_norm;
        return Some(text.unwrap_or(words::NO_BATCH_NORM).to_owned());
    }
    if view == View::Predict && Reading::of(&base.model.graph).is_none() {
        return Some(crate::words::predict::NO_CLASSES.to_owned());
    }
    None
}

/// The columns, dimmed while they belong to earlier settings.
pub fn body_ui(ui: &mut Ui, show: &mut Show<'_>, view: View, cut: Cut) {
    let builder = egui::UiBuilder::new().max_rect(cut.0);
    let mut body = ui.new_child(builder);
    if is_stale(ui, show, view) {
        body.multiply_opacity(sizes::STALE_OPACITY);
    }
    match view {
        View::Augmentation => augmentation::body_ui(&mut body, show, cut),
        View::Dropout => dropout::body_ui(&mut body, show, cut),
        View::BatchNorm => batch_norm::body_ui(&mut body, show, cut),
        View::Trainable => trainable::body_ui(&mut body, show, cut),
        View::FineTune => fine_tune::body_ui(&mut body, show, cut),
        View::Predict => predict::body_ui(&mut body, show, cut),
    }
}

/// The shown result belongs to earlier settings, for long enough to say so.
fn is_stale(ui: &Ui, show: &Show<'_>, view: View) -> bool {
    let computed = &show.state.computed;
    let Some(result) = computed.result(view) else {
        return false;
    };
    if desired(show.state, view).as_ref() == Some(&result.look) {
        return false;
    }
    let waited = ui.input(|i| i.time) - computed.sent_secs;
    computed.running(Job::Look).is_none() || waited > sizes::STALE_AFTER_SECS
}

/// What stands in a column while there is no result: the reason, and a way on.
pub fn waiting_ui(ui: &mut Ui, show: &mut Show<'_>, room: Rect, mode: Mode) {
    let running = show.state.computed.running(Job::Look).is_some();
    if running {
        parts::empty_ui(ui, room, words::COMPUTING);
        return;
    }
    let gallery = show.state.opened.gallery.as_ref();
    if let Some(reason) = gallery.and_then(Gallery::chosen_unreadable) {
        parts::empty_ui(ui, room, &reason);
    } else if mode == Mode::Training {
        let size = vec2(sizes::STAT_COLUMN, sizes::CONTROL_HEIGHT);
        let rect = Rect::from_center_size(room.center(), size);
        parts::row_ui(ui, rect, |ui| show.action_ui(ui, Action::Retry));
    }
}
