//! The middle of the window: tabs, the view's controls, two columns, the explanation.

use eframe::egui;
use eframe::egui::{Align, Button, Layout, Role, ScrollArea, Sense, Ui, UiBuilder, vec2};

use super::{explain, lecture, question};
use crate::command::Action;
use crate::lesson::Control;
use crate::state::View;
use crate::theme::{self, sizes, text};
use crate::views::parts::{self, Cut};
use crate::views::{Explanation, Show, body_ui, explanation, missing};

/// Tabs and the chosen view; scrolls if the window is too small for it.
pub fn centre_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let view = show.state.settings.view;
    let page = view.page();
    let margin = vec2(sizes::S4, sizes::S2);
    let missing = missing(show.state, view);
    let explanation = if missing.is_some() || show.state.is_veiled() {
        Explanation::default()
    } else {
        explanation(show.state, view)
    };
    let width = ui.available_width().max(sizes::CENTRE_MIN_WIDTH);
    let lecture = show.state.shell.lecture.is_some();
    let [tabs, controls, explained] = [Control::Tabs, Control::Controls, Control::Explanation]
        .map(|control| !lecture && !show.state.hides(control));
    let card = if explained {
        explain::height(ui, &explanation, width - 2.0 * margin.x) + sizes::S3
    } else {
        0.0
    };
    let body = page.least_height(show.state);
    let row = |shown: bool, height: f32| if shown { height + sizes::S2 } else { 0.0 };
    let tabs = row(tabs, sizes::TAB_HEIGHT);
    let rows = if lecture {
        1
    } else {
        page.control_rows(width - 2.0 * margin.x)
    };
    let controls_height = if lecture {
        sizes::LECTURE_CAPTION
    } else {
        rows as f32 * (sizes::CONTROL_HEIGHT + sizes::S2) - sizes::S2
    };
    let controls = row(controls || lecture, controls_height);
    let others = tabs + controls + body + 2.0 * margin.y;
    // If it is enough that the sentences scroll, the whole view does not.
    let left = ui.available_height() - others;
    let card = if left < sizes::EXPLAIN_MIN + sizes::S3 {
        card
    } else {
        // A body that wants more than its least height gets it before long sentences do.
        let more = page.wanted_height(show.state) - body;
        let least = sizes::EXPLAIN_MIN + sizes::S3;
        card.min((left - more).max(least).floor())
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
                // The same tabs in every view: the keyboard's focus stays on the one that was pressed.
                let row = UiBuilder::new()
                    .scope_id(egui::Id::unique("view tabs"))
                    .max_rect(tabs)
                    .layout(Layout::left_to_right(Align::Center));
                tabs_ui(&mut ui.new_child(row), show);
            }
            let above = cut.top(controls);
            let above = above.with_max_y((above.bottom() - sizes::S2).max(above.top()));
            if lecture {
                lecture::caption_ui(ui, show, above);
            }
            if let Some(hint) = missing {
                parts::card(ui.painter(), cut.0, theme::palette(ui));
                let below = parts::message_ui(ui, cut.0, &hint);
                let base = show.state.opened.base.as_ref();
                if let Some((action, label)) = base.and_then(|base| page.instead(base)) {
                    let centred = Layout::top_down(Align::Center);
                    let room = UiBuilder::new().max_rect(below).layout(centred);
                    show.button_ui(&mut ui.new_child(room), action, label);
                }
                return;
            }
            if let Some(open) = &show.state.lesson
                && open.is_veiled()
            {
                question::choose_ui(ui, show, open, cut.0);
                return;
            }
            if controls > 0.0 && !lecture {
                parts::row_ui(ui, above, |ui| page.controls_ui(ui, show));
            }
            if explained && !page.covers_explanation(show.state) {
                let card = cut.bottom(card);
                let card = card.with_min_y(card.top() + sizes::S3);
                explain::explain_ui(ui, card, &explanation);
            }
            body_ui(ui, show, view, cut);
        });
}

/// Width of the name of a view on its tab, which stands out while it is chosen.
fn name_width(ui: &Ui, view: View) -> f32 {
    let label = view.page().label().to_owned();
    let ink = theme::palette(ui).ink;
    let galley = ui.painter().layout_no_wrap(label, text::semibold(), ink);
    galley.size().x
}

fn tabs_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    ui.ctx()
        .accesskit_node_builder(ui.unique_id(), |node| node.set_role(Role::TabList));
    ui.spacing_mut().item_spacing.x = sizes::S1;
    // In a narrow window the tooltips alone tell the keys.
    let has_numbers = ui.available_width() >= sizes::TABS_WITH_NUMBERS;
    let names: f32 = View::ALL.into_iter().map(|view| name_width(ui, view)).sum();
    let gaps = (View::COUNT - 1) as f32 * sizes::S1;
    let padding = (ui.available_width() - names - gaps) / (2 * View::COUNT) as f32;
    if !has_numbers {
        ui.spacing_mut().button_padding.x = padding.floor().clamp(0.0, sizes::S3);
    }
    for (i, view) in View::ALL.into_iter().enumerate() {
        let chosen = show.state.settings.view == view;
        let action = Action::Show(view);
        let label = action.info().label;
        let name = if chosen {
            text::strong(label)
        } else {
            text::muted(label, palette)
        };
        let number = egui::RichText::new(i.to_string())
            .font(text::tiny())
            .color(palette.muted);
        let name = name.color(if chosen { palette.ink } else { palette.muted });
        let mut tab = if has_numbers {
            Button::new((number, name))
        } else {
            Button::new(name)
        };
        tab = tab
            .min_size(vec2(0.0, sizes::TAB_HEIGHT))
            .frame_when_inactive(chosen);
        if chosen {
            tab = tab.fill(palette.panel);
        }
        let response = parts::with_tooltip(ui.add(tab), action);
        response.widget_info(|| egui::WidgetInfo::selected(Role::Tab, true, chosen, label));
        if response.clicked() {
            show.push(action);
        }
    }
}
