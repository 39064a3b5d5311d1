//! The outer call and the value recorded at the call of the base: the rows that set them, and words
//! for what becomes of them.

use eframe::egui::{Popup, Rect, RichText, Role, Sense, Ui, WidgetInfo, vec2};

use super::menu::{self, Entry};
use super::parts::{self, Cut};
use super::text::mode_label;
use super::{Show, terms};
use crate::command::Command;
use crate::model::{LayerId, Mode, Outer, Semantics, flags};
use crate::state::{Base, State};
use crate::theme::{self, sizes, text};
use crate::worker::PassLook;

/// One call of a layer: what the outermost call says, and what is recorded around the layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Call {
    pub outer: Outer,
    /// The innermost value recorded around the layer.
    pub recorded: Option<bool>,
    pub semantics: Semantics,
}

impl Call {
    /// The call of the training column, as a result was computed.
    pub fn of(look: &PassLook, layer: LayerId) -> Self {
        Self {
            outer: look.call,
            recorded: look.flags.recorded_at(&look.model.0.graph, layer),
            semantics: look.semantics,
        }
    }

    /// The call of the training column, as the settings are now.
    pub fn now(state: &State, base: &Base, layer: LayerId) -> Self {
        Self {
            outer: state.settings.call,
            recorded: base.flags.recorded_at(&base.model.graph, layer),
            semantics: state.semantics(),
        }
    }

    /// What the outer call says, in the framework's own code.
    pub fn label(self) -> &'static str {
        label(self.outer, self.semantics)
    }

    /// Why the value of `training` that reaches the layer is what it is.
    pub fn why(self) -> String {
        let given = match self.outer {
            Outer::Given(mode) => Some(mode.training()),
            Outer::NotGiven => None,
        };
        match (self.semantics, given, self.recorded) {
            (Semantics::PyTorch, Some(_), _) => format!("{} was called.", self.label()),
            (Semantics::PyTorch, None, _) => {
                "Neither train() nor eval() was called, and a module is made in training mode."
                    .to_owned()
            }
            (Semantics::Keras2, _, Some(recorded)) => format!(
                "training={} is recorded at the call around it, and in Keras 2 that binds for ever.",
                python(recorded)
            ),
            (Semantics::Keras3, Some(given), Some(recorded)) if given != recorded => format!(
                "The outer call says training={}, which in Keras 3 overrides the recorded {}.",
                python(given),
                python(recorded)
            ),
            (_, Some(given), _) => format!("The outer call says training={}.", python(given)),
            (_, None, Some(recorded)) => format!(
                "The outer call gives no training=, so the recorded {} holds.",
                python(recorded)
            ),
            (_, None, None) => {
                "No training= is given or recorded, so the layer's default holds.".to_owned()
            }
        }
    }
}

/// What an outer call is called in the framework's own code.
pub fn label(outer: Outer, semantics: Semantics) -> &'static str {
    match outer {
        Outer::Given(mode) => mode_label(mode, semantics),
        Outer::NotGiven if semantics == Semantics::PyTorch => "as constructed",
        Outer::NotGiven => "training= not given",
    }
}

/// The mode whose colour and mark a column with this outer call has.
pub fn column_mode(outer: Outer, semantics: Semantics) -> Mode {
    match outer {
        Outer::Given(mode) => mode,
        Outer::NotGiven if semantics == Semantics::PyTorch => Mode::Training,
        Outer::NotGiven => Mode::Inference,
    }
}

/// The height of both rows.
pub const ROWS: f32 = 2.0 * sizes::INPUT_ROW;

/// `model(x, training=...)` and `base(x, training=...)`, each with a menu of its values.
pub fn call_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let size = vec2(ui.available_width(), ROWS);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let mut cut = Cut(rect);
    outer_ui(ui, show, cut.top(sizes::INPUT_ROW));
    recorded_ui(ui, show, cut.top(sizes::INPUT_ROW));
}

fn row_ui(ui: &mut Ui, rect: Rect, [code, term]: [&str; 2], add: impl FnOnce(&mut Ui)) {
    let palette = theme::palette(ui);
    let (left, right) = rect.split_left_right_at_x(rect.left() + sizes::CALL_CODE);
    parts::row_ui(ui, left, |ui| {
        let code = RichText::new(code).font(text::code()).color(palette.muted);
        terms::explained(parts::line_ui(ui, code), term)
    });
    parts::row_ui(ui, right, |ui| {
        ui.spacing_mut().interact_size.y = sizes::INPUT_ROW - 2.0;
        ui.spacing_mut().button_padding = vec2(sizes::S1, 0.0);
        ui.spacing_mut().item_spacing.x = sizes::S1;
        add(ui);
    });
}

fn outer_ui(ui: &mut Ui, show: &mut Show<'_>, rect: Rect) {
    let semantics = show.state.semantics();
    let chosen = show.state.settings.call;
    let torch = semantics == Semantics::PyTorch;
    let code = if torch { "model" } else { "model(x, training=" };
    row_ui(ui, rect, [code, "outer call"], |ui| {
        let button = parts::small_drop_button_ui(ui, value(chosen, semantics));
        let name = format!("Outer call: {}", value(chosen, semantics));
        button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
        let button = button.on_hover_text(
            "The outer call of the left column. fit says True, predict and evaluate say False",
        );
        Popup::menu(&button).width(sizes::MENU_WIDTH).show(|ui| {
            let choices = Mode::BOTH.map(Outer::Given).into_iter();
            for outer in choices.chain([Outer::NotGiven]) {
                let entry = Entry {
                    name: value(outer, semantics),
                    below: who(outer, semantics),
                    chosen: outer == chosen,
                    ..Entry::default()
                };
                if menu::entry_ui(ui, entry).clicked() {
                    show.push(Command::SetCall(outer));
                }
            }
        });
    });
}

fn value(outer: Outer, semantics: Semantics) -> &'static str {
    match (outer, semantics) {
        (Outer::Given(Mode::Training), Semantics::PyTorch) => ".train()",
        (Outer::Given(Mode::Inference), Semantics::PyTorch) => ".eval()",
        (Outer::NotGiven, Semantics::PyTorch) => "as constructed",
        (Outer::Given(mode), _) => python(mode.training()),
        (Outer::NotGiven, _) => "not given",
    }
}

/// Who calls a model like that.
fn who(outer: Outer, semantics: Semantics) -> &'static str {
    match (outer, semantics) {
        (Outer::Given(Mode::Training), Semantics::PyTorch) => "What a training loop calls first",
        (Outer::Given(Mode::Inference), Semantics::PyTorch) => "What one calls before predictions",
        (Outer::NotGiven, Semantics::PyTorch) => "Neither was called: a module starts in training",
        (Outer::Given(Mode::Training), _) => "What fit() and train_on_batch() pass",
        (Outer::Given(Mode::Inference), _) => "What predict() and evaluate() pass",
        (Outer::NotGiven, _) => "model(x) in your own code",
    }
}

/// Why no value can be recorded at the call of the base.
pub fn why_not_recorded(state: &State) -> Option<&'static str> {
    let base = state.opened.base.as_ref();
    if state.semantics() == Semantics::PyTorch {
        Some("PyTorch records no training value: .train() and .eval() set it on the modules")
    } else if base.is_none_or(|b| flags::base_of(&b.model.graph).is_none()) {
        Some("This model calls no nested base, so nothing is recorded")
    } else {
        None
    }
}

fn recorded_ui(ui: &mut Ui, show: &mut Show<'_>, rect: Rect) {
    let base = show.state.opened.base.as_ref();
    let nested = base.and_then(|b| Some((b, flags::base_of(&b.model.graph)?)));
    let why_not = why_not_recorded(show.state);
    let (in_file, chosen) = nested.map_or((None, None), |(b, id)| {
        let graph = &b.model.graph;
        (graph.layers[id].recorded_training, b.flags.recorded(graph))
    });
    row_ui(ui, rect, ["base(x, training=", "recorded value"], |ui| {
        let enabled = why_not.is_none();
        let shown = if enabled {
            recorded(chosen)
        } else {
            "\u{2013}"
        };
        let button = ui
            .add_enabled_ui(enabled, |ui| parts::small_drop_button_ui(ui, shown))
            .inner;
        let name = format!("Recorded at the call of the base: {shown}");
        button.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, &name));
        let button = match why_not {
            Some(why) => button.on_disabled_hover_text(why),
            None => button.on_hover_text(
                "The value recorded where the model calls its base: what the course writes as \
                 base_model(x, training=False)",
            ),
        };
        Popup::menu(&button).width(sizes::MENU_WIDTH).show(|ui| {
            for choice in [Some(true), Some(false), None] {
                let entry = Entry {
                    name: recorded(choice),
                    right: if choice == in_file {
                        "as in the file"
                    } else {
                        ""
                    },
                    chosen: choice == chosen,
                    ..Entry::default()
                };
                if menu::entry_ui(ui, entry).clicked() {
                    show.push(Command::Record(choice));
                }
            }
        });
    });
}

fn recorded(value: Option<bool>) -> &'static str {
    value.map_or("not given", python)
}

fn python(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}
