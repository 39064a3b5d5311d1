//! What a view consists of.

use eframe::egui::{Rect, Ui, UiBuilder, Vec2, vec2};

use super::Show;
use super::parts::{self, Cut};
use crate::command::Action;
use crate::lesson::Value;
use crate::model::{LayerId, Mode, Role, unknown};
use crate::state::{Base, Gallery, State, View};
use crate::theme::sizes;
use crate::words::call as call_words;
use crate::words::export as export_words;
use crate::words::titles::{model_title, photos_title};
use crate::words::window as words;
use modelens_jobs::{Job, Look, LookResult, PassLook};

/// Sentences and code of a view.
#[derive(Default)]
pub struct Explanation {
    /// First the conclusion in one sentence, between `**`, then what it rests on.
    pub text: String,
    pub code: String,
}

/// What lecture mode shows of a view in one line: what is set, and what the lecturer can press.
#[derive(Debug, Default)]
pub struct Lecture {
    pub about: Vec<String>,
    pub actions: Vec<Action>,
}

/// What the export dialog calls the two columns.
pub const COLUMNS: [&str; 2] = [export_words::LEFT_COLUMN, export_words::RIGHT_COLUMN];

/// One view: what it asks the jobs for, draws and says, and the numbers it hands out.
pub trait Page: Sync {
    /// The name on the tab.
    fn label(&self) -> &'static str;

    /// The tooltip of the tab.
    fn tooltip(&self) -> &'static str;

    /// The role of the layers that this view shows one of.
    fn role(&self) -> Option<Role> {
        None
    }

    /// The layer that is shown.
    fn layer(&self, base: &Base) -> Option<LayerId> {
        base.chosen(self.role()?)
    }

    /// What to compute under the present settings; `None` while something is missing, and always
    /// for a view that shows runs.
    fn wanted(&self, state: &State) -> Option<Look>;

    /// Why an open base has nothing to show here.
    fn missing(&self, _base: &Base) -> Option<String> {
        None
    }

    /// What to look at where an open base has nothing to show here, and the label of its button.
    fn instead(&self, _base: &Base) -> Option<(Action, &'static str)> {
        None
    }

    /// The sentences and the code below the view.
    fn explanation(&self, state: &State) -> Explanation;

    /// Draws the row above the columns.
    fn controls_ui(&self, ui: &mut Ui, show: &mut Show<'_>);

    /// Draws everything below the controls into `cut`.
    fn body_ui(&self, ui: &mut Ui, show: &mut Show<'_>, cut: Cut);

    /// Number of rows that the controls need at this width.
    fn control_rows(&self, _width: f32) -> usize {
        1
    }

    /// True if the body takes the room of the explanation too.
    fn covers_explanation(&self, _state: &State) -> bool {
        false
    }

    /// The least height of the body in the window; below it the centre scrolls.
    fn least_height(&self, _state: &State) -> f32 {
        sizes::BODY_MIN
    }

    /// The height that the body gets before sentences get more than their least height.
    fn wanted_height(&self, state: &State) -> f32 {
        self.least_height(state)
    }

    /// The height of the body in a figure of this width that may be as high as it likes.
    fn figure_height(&self, _ui: &Ui, _state: &State, _width: f32) -> f32 {
        sizes::FIGURE_BODY
    }

    /// The least size of the body in a figure of this width. A figure can't scroll, so all of the
    /// body must fit. A figure narrower than [`sizes::FIGURE_LEAST`] has one column above the other.
    fn least_size(&self, ui: &Ui, state: &State, width: f32) -> Vec2 {
        let height = if width < sizes::FIGURE_LEAST {
            self.figure_height(ui, state, width)
        } else {
            self.least_height(state)
        };
        vec2(sizes::FIGURE_NARROW, height)
    }

    /// What the export dialog calls the left and the right side; `None` if there are no sides.
    fn sides(&self, _state: &State) -> Option<[&'static str; 2]> {
        Some(COLUMNS)
    }

    /// The shown channel, counted from 1.
    fn channel(&self, _state: &State) -> Option<usize> {
        None
    }

    /// The photos that the numbers come from, for the caption of a figure.
    fn sample(&self, state: &State, view: View) -> Option<String> {
        let looked = state.computed.result(view)?;
        Some(export_words::batch_of(looked.batch.len()))
    }

    /// How long a result took, and how much was computed, for the status bar.
    fn took(&self, looked: &LookResult) -> String;

    /// Names and meanings of the values that this view measures, for lessons.
    fn value_names(&self) -> Vec<(&'static str, &'static str)>;

    /// A measured value; `None` for other names and while it isn't computed.
    fn value(&self, state: &State, name: &str) -> Option<Value>;

    /// The numbers of the view as CSV; `None` while there are none.
    fn numbers(&self, state: &State) -> Option<String>;

    /// What lecture mode shows beside the view's name and layer.
    fn lecture(&self, state: &State) -> Lecture {
        let call = state.opened.base.as_ref().map(|_| {
            let label = call_words::label(state.settings.call, state.semantics());
            label.to_owned()
        });
        let photo = state.opened.gallery.as_ref().and_then(Gallery::chosen);
        let photo = photo.map(|photo| photo.name.clone());
        Lecture {
            about: call.into_iter().chain(photo).collect(),
            actions: [Action::Redraw, Action::PlayPause]
                .into_iter()
                .filter(|action| action.why_not(state).is_none())
                .collect(),
        }
    }

    /// What this view adds to the sidecar of a figure.
    fn sidecar(&self, _state: &State) -> Vec<(&'static str, serde_json::Value)> {
        Vec::new()
    }
}

/// The result of a view, if it belongs to the present settings.
pub fn current(state: &State, view: View) -> Option<&LookResult> {
    let looked = state.computed.result(view)?;
    let is_current = view.page().wanted(state).as_ref() == Some(&looked.look);
    is_current.then_some(looked)
}

/// The passes through the model that the present settings ask for; `None` without a model or a
/// readable photo.
pub fn pass(state: &State) -> Option<PassLook> {
    let base = state.opened.base.as_ref()?;
    let gallery = state.opened.gallery.as_ref()?;
    gallery.chosen()?;
    let settings = &state.settings;
    Some(PassLook {
        model: base.id,
        photos: gallery.id,
        photo: gallery.photo,
        batch: settings.batch.min(gallery.photos.photos.len()),
        seed: settings.seed,
        // A BatchNorm layer before any noise wouldn't change. The jobs may find that out; here
        // equal looks must have equal results.
        redraws: settings.redraws,
        random: settings.random,
        preprocessing: state.preprocessing(),
        flags: base.flags.clone(),
        augment: settings.augment_batch.then(|| settings.pipeline.clone()),
        semantics: state.semantics(),
        call: settings.call,
    })
}

/// The sentences and the code below a view: its own, and what the model leaves out.
pub fn explanation(state: &State, view: View) -> Explanation {
    let mut own = view.page().explanation(state);
    if let Some(left_out) = left_out(state) {
        own.text = format!("{}\n{left_out}", own.text.trim_end());
    }
    own
}

/// What every result of the open model leaves out, in a sentence; `None` if nothing.
pub fn left_out(state: &State) -> Option<String> {
    let base = state.opened.base.as_ref()?;
    let sentence = unknown::sentence(&base.model.graph)?;
    Some(words::left_out(&sentence.replace('`', "")))
}

/// Why a view can't be drawn yet; `None` if it can.
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
    // Results of the photo before would pass for those of this one.
    let fails = !view.shows_runs() && current(state, view).is_none();
    if let Some(why) = gallery.chosen_unreadable().filter(|_| fails) {
        return Some(why);
    }
    view.page().missing(base)
}

/// Draws the body of a view, dimmed while its result belongs to earlier settings.
pub fn body_ui(ui: &mut Ui, show: &mut Show<'_>, view: View, cut: Cut) {
    let mut body = ui.new_child(UiBuilder::new().max_rect(cut.0));
    if is_stale(ui, show.state, view) {
        body.multiply_opacity(sizes::STALE_OPACITY);
    }
    view.page().body_ui(&mut body, show, cut);
}

/// True if the shown result has belonged to earlier settings for long enough to say so.
fn is_stale(ui: &Ui, state: &State, view: View) -> bool {
    let computed = &state.computed;
    if computed.result(view).is_none() || current(state, view).is_some() {
        return false;
    }
    let waited = ui.input(|i| i.time) - computed.sent_secs;
    computed.running(Job::Look).is_none() || waited > sizes::STALE_AFTER_SECS
}

/// Fills a column that has no result yet: why, or a button to compute it.
pub fn waiting_ui(ui: &mut Ui, show: &mut Show<'_>, room: Rect, mode: Mode) {
    if show.state.computed.running(Job::Look).is_some() {
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
