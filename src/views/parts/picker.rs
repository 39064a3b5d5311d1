//! A button with a list to choose from. A long list has a search field.

use eframe::egui::{Margin, Popup, PopupCloseBehavior, ScrollArea, Stroke, TextEdit, Ui};

use crate::theme::{self, sizes, text};
use crate::views::{menu, parts};
use crate::words::common as words;

/// Lists longer than this get a search field.
const SEARCH_FROM: usize = 12;

/// One entry of the list.
pub struct Entry {
    pub name: String,
    /// Shown at the right end.
    pub note: String,
    pub chosen: bool,
}

/// Shows the button; returns the index of the entry that was clicked.
pub fn picker_ui(
    ui: &mut Ui,
    label: &str,
    value: &str,
    entries: impl FnOnce() -> Vec<Entry>,
) -> Option<usize> {
    let button = parts::drop_button_ui(ui, label, value, true);
    let search_id = button.id.with("search");
    let mut clicked = None;
    let popup = Popup::menu(&button)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .width(sizes::PICKER_WIDTH);
    let shown = popup.show(|ui| {
        let entries = entries();
        let kept = ui.data(|d| d.get_temp::<String>(search_id));
        let just_opened = kept.is_none();
        let mut search = kept.unwrap_or_default();
        if entries.len() > SEARCH_FROM {
            // A menu's fields have no frame; this one must be seen to be typed in.
            let line = Stroke::new(sizes::LINE, theme::palette(ui).strong_line);
            ui.visuals_mut().widgets.inactive.bg_stroke = line;
            let edit = TextEdit::singleline(&mut search)
                .hint_text(words::SEARCH)
                .margin(Margin::symmetric(sizes::S2 as i8, sizes::S1 as i8));
            let edit = ui.add(edit.desired_width(f32::INFINITY));
            parts::named(ui, &edit, &words::search(&label.to_lowercase()));
            if just_opened {
                edit.request_focus();
            }
        }
        clicked = list_ui(ui, &entries, &search.to_lowercase(), just_opened);
        ui.data_mut(|d| d.insert_temp(search_id, search));
        if clicked.is_some() {
            ui.close();
        }
    });
    if shown.is_none() {
        // The next time the list opens, it is whole.
        ui.data_mut(|d| d.remove::<String>(search_id));
    }
    clicked
}

/// The entries that hold the search text; scrolled to the chosen one when just opened.
fn list_ui(ui: &mut Ui, entries: &[Entry], search: &str, just_opened: bool) -> Option<usize> {
    let palette = theme::palette(ui);
    let found: Vec<usize> = entries
        .iter()
        .enumerate()
        .filter(|(_, e)| e.name.to_lowercase().contains(search))
        .map(|(i, _)| i)
        .collect();
    if found.is_empty() {
        ui.label(text::muted(words::NOTHING_FOUND, palette));
    }
    let mut clicked = None;
    ui.spacing_mut().item_spacing.y = 0.0;
    let mut area = ScrollArea::vertical().max_height(sizes::PICKER_HEIGHT);
    if just_opened && let Some(row) = found.iter().position(|&i| entries[i].chosen) {
        let offset = row as f32 * sizes::CONTROL_HEIGHT - sizes::PICKER_HEIGHT / 2.0;
        area = area.vertical_scroll_offset(offset.max(0.0));
    }
    area.show_rows(ui, sizes::CONTROL_HEIGHT, found.len(), |ui, rows| {
        ui.set_width(ui.available_width());
        for &index in found.get(rows).unwrap_or_default() {
            let Entry { name, note, chosen } = &entries[index];
            let entry = menu::Entry {
                name,
                right: note,
                below: "",
                chosen: *chosen,
                one_line: true,
            };
            if menu::entry_ui(ui, entry).clicked() {
                clicked = Some(index);
            }
        }
    });
    clicked
}
