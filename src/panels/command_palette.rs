//! The command palette: everything there is to do, found by typing a part of its name.

mod choices;

use eframe::egui::{
    Align2, Area, Id, Key, Modal, Modifiers, Order, ScrollArea, Stroke, TextEdit, Ui, UiKind, vec2,
};

use crate::command::ShellCommand;
use crate::state::Search;
use crate::theme::{self, sizes, text};
use crate::views::menu::{self, Entry};
use crate::views::{Show, parts};
use crate::words::commands as words;
use choices::Choice;

pub use choices::choices;

/// The palette, while it is open.
pub fn command_palette_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let Some(search) = show.state.shell.search.clone() else {
        return;
    };
    let id = Id::unique("command palette");
    let area = Area::new(id)
        .kind(UiKind::Modal)
        .anchor(Align2::CENTER_TOP, vec2(0.0, sizes::COMMAND_PALETTE_TOP))
        .order(Order::Foreground);
    let response = Modal::new(id).area(area).show(ui.ctx(), |ui| {
        let room = ui.ctx().content_rect().width() - 2.0 * sizes::S4;
        ui.set_width(sizes::COMMAND_PALETTE.min(room));
        inside_ui(ui, show, search);
    });
    if response.should_close() {
        show.push(ShellCommand::Search(None));
    }
}

fn inside_ui(ui: &mut Ui, show: &mut Show<'_>, mut search: Search) {
    let before = search.clone();
    let step = keys(ui);
    let enter = ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Enter));
    let line = Stroke::new(sizes::LINE, theme::palette(ui).strong_line);
    ui.visuals_mut().widgets.inactive.bg_stroke = line;
    let edit = TextEdit::singleline(&mut search.text)
        .hint_text(words::TYPE_PART_OF_NAME)
        .desired_width(f32::INFINITY);
    let edit = ui.add(edit);
    parts::named(ui, &edit, words::FIND_NAME);
    edit.request_focus();
    if search.text != before.text {
        search.row = 0;
    }
    let table = choices(show.state);
    let found = filtered(&table, &search.text);
    let last = found.len().saturating_sub(1);
    search.row = search.row.saturating_add_signed(step).min(last);
    if let Some(choice) = found.get(search.row) {
        // The focus stays in the field, so the chosen row is announced here.
        let place = words::place(search.row + 1, found.len(), &choice.name);
        parts::describe(ui, &edit, &place);
    } else {
        ui.label(text::muted(words::NOTHING_FOUND, theme::palette(ui)));
    }
    let clicked = list_ui(ui, &found, &search, search.row != before.row);
    let taken = clicked.or(enter.then_some(search.row));
    let taken = taken.and_then(|row| found.get(row));
    if let Some(choice) = taken.filter(|choice| choice.why_not.is_none()) {
        show.push(ShellCommand::Search(None));
        show.commands.push(choice.command.clone());
    } else if search != before {
        show.push(ShellCommand::Search(Some(search)));
    }
}

/// Number of rows that the pressed arrow keys move.
fn keys(ui: &Ui) -> isize {
    let keys = [
        (Key::ArrowDown, 1),
        (Key::ArrowUp, -1),
        (Key::PageDown, 10),
        (Key::PageUp, -10),
    ];
    let pressed = |key| ui.input_mut(|i| i.count_and_consume_key(Modifiers::NONE, key)) as isize;
    keys.into_iter()
        .map(|(key, step)| pressed(key) * step)
        .sum()
}

/// The rows, scrolled to the chosen one when it has just changed.
fn list_ui(ui: &mut Ui, found: &[&Choice], search: &Search, moved: bool) -> Option<usize> {
    let mut clicked = None;
    ui.spacing_mut().item_spacing.y = 0.0;
    let height = sizes::COMMAND_PALETTE_ROWS.min(ui.ctx().content_rect().height() * 0.6);
    let row = sizes::CONTROL_HEIGHT;
    let mut area = ScrollArea::vertical()
        .max_height(height)
        // Lets the palette grow again at once when a longer list follows a short one.
        .min_scrolled_height(height)
        .auto_shrink([false, true]);
    let key = ui.scope_id().with("offset");
    let offset = ui.data(|d| d.get_temp::<f32>(key)).unwrap_or(0.0);
    if moved {
        let top = search.row as f32 * row;
        area = area.vertical_scroll_offset(offset.clamp((top + row - height).max(0.0), top));
    }
    let output = area.show_rows(ui, row, found.len(), |ui, rows| {
        ui.set_width(ui.available_width());
        for i in rows {
            let Some(choice) = found.get(i) else { continue };
            let shortcut = choice.shortcut.map(|s| parts::keys(ui.ctx(), s));
            let right = match (choice.why_not, choice.chosen) {
                (Some(why_not), _) => why_not.to_owned(),
                (None, true) => words::NOW.to_owned(),
                (None, false) => shortcut.unwrap_or_default(),
            };
            let entry = Entry {
                name: &choice.name,
                right: &right,
                below: "",
                chosen: i == search.row,
                one_line: true,
            };
            let enabled = choice.why_not.is_none();
            let response = ui
                .scope(|ui| {
                    if !enabled {
                        ui.multiply_opacity(sizes::STALE_OPACITY);
                    }
                    menu::entry_ui(ui, entry)
                })
                .inner;
            if let Some(why_not) = choice.why_not {
                parts::describe(ui, &response, &words::not_now(why_not));
            }
            if response.clicked() {
                clicked = Some(i);
            }
        }
    });
    ui.data_mut(|d| d.insert_temp(key, output.state.clamped_offset().y));
    clicked
}

/// The choices whose names contain every typed word. Names that begin with the text come first, whole
/// words before parts of words, then names with a word that begins with it.
fn filtered<'a>(table: &'a [Choice], typed: &str) -> Vec<&'a Choice> {
    let typed = typed.trim().to_lowercase();
    let words: Vec<&str> = typed.split_whitespace().collect();
    let mut found: Vec<(usize, &Choice)> = table
        .iter()
        .filter_map(|choice| {
            let name = choice.name.to_lowercase();
            if !words.iter().all(|word| name.contains(word)) {
                return None;
            }
            let starts = |text: &str| {
                words
                    .iter()
                    .all(|w| text.split([' ', '_']).any(|t| t.starts_with(w)))
            };
            let rank = match name.strip_prefix(&typed) {
                Some(rest) if rest.is_empty() || rest.starts_with(' ') => 0,
                Some(_) => 1,
                None if starts(&name) => 2,
                None => 3,
            };
            Some((rank, choice))
        })
        .collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, choice)| choice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::State;

    #[test]
    fn what_begins_with_the_text_comes_first() {
        let table = choices(&State::default());
        let names = |typed: &str| -> Vec<String> {
            let found = filtered(&table, typed).into_iter();
            found.map(|choice| choice.name.clone()).collect()
        };
        assert_eq!(names("").len(), table.len());
        assert_eq!(names("un")[0], "Unfreeze the base");
        assert_eq!(names("free")[0], "Free play");
        assert_eq!(names("keras rules")[0], "Rules of: Keras 2");
        assert_eq!(names("theme dark"), ["Theme: Dark"]);
        assert!(names("no such thing").is_empty());
    }

    #[test]
    fn no_two_lines_have_one_name() {
        let table = choices(&State::default());
        let mut names: Vec<&str> = table.iter().map(|choice| choice.name.as_str()).collect();
        names.sort_unstable();
        let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
        assert_eq!(twice, None);
    }
}
