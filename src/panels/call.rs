//! The outer call and the value recorded at the call of the base: the rows that set them, and words
//! for what becomes of them.

use eframe::egui::{Label, Popup, Rect, Role, Sense, Ui, WidgetInfo, vec2};

use crate::command::{Action, Command};
use crate::model::{Mode, Outer, Semantics, flags};
use crate::state::State;
use crate::theme::{self, sizes, text};
use crate::views::menu::{self, Entry};
use crate::views::parts::Tip as _;
use crate::views::parts::{self, Cut};
use crate::views::{Show, terms};
use crate::words::call as words;

/// The height of both rows.
pub const ROWS: f32 = 2.0 * sizes::INPUT_ROW;

/// `model(x, training=...)` and `base(x, training=...)`, each with a menu of its values.
pub fn call_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let size = vec2(ui.available_width(), ROWS);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let mut cut = Cut(rect);
    outer_ui(ui, show, cut.top(sizes::INPUT_ROW));
    let row = cut.top(sizes::INPUT_ROW);
    match show.state.semantics() {
        Semantics::PyTorch => modules_ui(ui, show, row),
        Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => recorded_ui(ui, show, row),
    }
}

fn row_ui(ui: &mut Ui, rect: Rect, [label, term]: [&str; 2], add: impl FnOnce(&mut Ui)) {
    let palette = theme::palette(ui);
    let (left, right) = rect.split_left_right_at_x(rect.left() + sizes::CALL_LABEL);
    parts::row_ui(ui, left, |ui| {
        let label = ui.add(Label::new(text::note(label, palette)));
        terms::explained(label, term)
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
    row_ui(ui, rect, [words::OUTER, terms::OUTER_CALL], |ui| {
        let button = parts::code_drop_button_ui(ui, words::outer_code(chosen, semantics));
        let name = words::outer_call(words::value(chosen, semantics));
        button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
        let button = terms::hinted(button.tip(words::OUTER_CALL_TIP), &name);
        Popup::menu(&button).width(sizes::MENU_WIDTH).show(|ui| {
            let choices = Mode::BOTH.map(Outer::Given).into_iter();
            for outer in choices.chain([Outer::NotGiven]) {
                let entry = Entry {
                    name: words::value(outer, semantics),
                    below: words::who(outer, semantics),
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

/// The calls that follow in a PyTorch loop.
fn modules_ui(ui: &mut Ui, show: &mut Show<'_>, rect: Rect) {
    let palette = theme::palette(ui);
    parts::row_ui(ui, rect, |ui| {
        ui.spacing_mut().interact_size.y = sizes::INPUT_ROW - 2.0;
        ui.spacing_mut().button_padding = vec2(sizes::S2, 0.0);
        ui.spacing_mut().item_spacing.x = sizes::S2;
        parts::label_ui(ui, text::muted(words::THEN, palette));
        for action in [Action::EvalBase, Action::TrainModel] {
            show.action_ui(ui, action);
        }
    });
}

/// Why no value can be recorded at the call of the base.
pub fn why_not_recorded(state: &State) -> Option<&'static str> {
    let base = state.opened.base.as_ref();
    if state.semantics() == Semantics::PyTorch {
        Some(words::NOTHING_RECORDED_TORCH)
    } else if base.is_none_or(|b| flags::base_of(&b.model.graph).is_none()) {
        Some(words::NOTHING_RECORDED)
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
        (graph.layers[id].recorded.value(), b.flags.recorded(graph))
    });
    row_ui(ui, rect, [words::RECORDED, terms::RECORDED_VALUE], |ui| {
        let enabled = why_not.is_none();
        let [shown, code] = if enabled {
            [words::recorded(chosen), words::recorded_code(chosen)]
        } else {
            ["\u{2013}"; 2]
        };
        let button = ui
            .add_enabled_ui(enabled, |ui| parts::code_drop_button_ui(ui, code))
            .inner;
        let name = words::recorded_value(shown);
        button.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, &name));
        let button = match why_not {
            Some(why) => button.tip_if_disabled(why),
            None => button.tip(words::RECORDED_VALUE_TIP),
        };
        Popup::menu(&button).width(sizes::MENU_WIDTH).show(|ui| {
            for choice in [Some(true), Some(false), None] {
                let entry = Entry {
                    name: words::recorded(choice),
                    right: if choice == in_file {
                        words::AS_IN_FILE
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
