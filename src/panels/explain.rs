//! The card at the bottom: "what you see", and the code.

use eframe::egui;
use eframe::egui::text::LayoutJob;
use eframe::egui::{Button, Label, Layout, Rect, RichText, ScrollArea, Stroke, Ui, vec2};

use crate::theme::{self, sizes, text};
use crate::views::Explanation;
use crate::views::parts::Tip as _;
use crate::views::parts::{self, Cut};
use crate::words::common;
use crate::words::window as words;

/// The height the card needs at this width.
pub fn height(ui: &Ui, explanation: &Explanation, width: f32) -> f32 {
    let palette = theme::palette(ui);
    let [left, right] = widths(width);
    let prose = text::prose(&explanation.text, left - 2.0 * sizes::S4, palette);
    let code = code_job(ui, &explanation.code, right - 2.0 * sizes::S4);
    let [prose, code] = [prose, code].map(|job| ui.painter().layout_job(job).size().y);
    (prose.max(code) + sizes::TITLE_ROW + 2.0 * sizes::S3)
        .clamp(sizes::EXPLAIN_MIN, sizes::EXPLAIN_MAX)
        .ceil()
}

/// Draws the card.
pub fn explain_ui(ui: &mut Ui, rect: Rect, explanation: &Explanation) {
    let palette = theme::palette(ui);
    parts::card(ui.painter(), rect, palette);
    let [left, _] = widths(rect.width());
    let (prose, code) = rect.split_left_right_at_x(rect.left() + left);
    let line = Stroke::new(sizes::LINE, palette.line);
    ui.painter().vline(code.left(), rect.y_range(), line);
    let margin = vec2(sizes::S4, sizes::S3);
    let mut prose = Cut(prose.shrink2(margin));
    parts::row_ui(ui, prose.top(sizes::TITLE_ROW), |ui| {
        parts::title_ui(ui, words::WHAT_YOU_SEE)
    });
    scroll_ui(ui, prose.0, |ui| {
        let job = text::prose(&explanation.text, ui.available_width(), palette);
        ui.add(Label::new(job).selectable(true));
    });
    let mut code = Cut(code.shrink2(margin));
    let title = code.top(sizes::TITLE_ROW);
    parts::row_ui(ui, title, |ui| parts::title_ui(ui, words::CODE));
    parts::inside_ui(
        ui,
        title,
        Layout::right_to_left(egui::Align::Center),
        |ui| {
            let copy = Button::new(RichText::new(common::COPY).font(text::small())).small();
            if ui.add(copy).tip(words::COPY_CODE).clicked() {
                ui.ctx().copy_text(explanation.code.clone());
            }
        },
    );
    scroll_ui(ui, code.0, |ui| {
        let job = code_job(ui, &explanation.code, ui.available_width());
        ui.add(Label::new(job).selectable(true));
    });
}

/// The code for a card of this width.
fn code_job(ui: &Ui, source: &str, width: f32) -> LayoutJob {
    let palette = theme::palette(ui);
    let letter = ui
        .painter()
        .layout_no_wrap("0".into(), text::code(), palette.ink);
    let columns = (width / letter.size().x).floor().max(1.0) as usize;
    text::code_job(&narrow(source, columns), width, palette)
}

/// Wraps comments to at most `columns` columns. A comment that is too long for its line moves above
/// it, so that what is shown and copied is valid code.
fn narrow(source: &str, columns: usize) -> String {
    let mut lines = Vec::new();
    for line in source.lines() {
        let comment = line.match_indices('#').find(|(at, _)| {
            // Not within a name.
            line[..*at].matches('"').count().is_multiple_of(2)
        });
        let Some((at, _)) = comment.filter(|_| line.chars().count() > columns) else {
            lines.extend(broken(line, columns));
            continue;
        };
        let (code, comment) = line.split_at(at);
        let indent = &line[..line.len() - line.trim_start().len()];
        let mut now = format!("{indent}#");
        for word in comment.trim_start_matches('#').split_whitespace() {
            let is_begun = now.len() > indent.len() + 1;
            if is_begun && now.chars().count() + 1 + word.chars().count() > columns {
                lines.push(std::mem::replace(&mut now, format!("{indent}#")));
            }
            now.push(' ');
            now.push_str(word);
        }
        lines.push(now);
        if !code.trim().is_empty() {
            lines.extend(broken(code.trim_end(), columns));
        }
    }
    lines.join("\n")
}

/// Breaks a line of Python at commas and opening brackets, where a line may end inside of brackets; what has none stays
/// as it is.
fn broken(line: &str, columns: usize) -> Vec<String> {
    const INDENT: &str = "    ";
    let indent = &line[..line.len() - line.trim_start().len()];
    let mut lines = Vec::new();
    let mut rest = line.to_owned();
    while rest.chars().count() > columns {
        let (mut depth, mut in_name) = (lines.len().min(1), false);
        // How deep in brackets the line ends, and where: the shallowest, and then the last.
        let mut end: Option<(usize, usize)> = None;
        for (column, (at, letter)) in rest.char_indices().enumerate() {
            match letter {
                '"' => in_name = !in_name,
                '(' | '[' | '{' if !in_name => depth += 1,
                ')' | ']' | '}' if !in_name => depth = depth.saturating_sub(1),
                _ => {}
            }
            let may_end = !in_name && depth > 0 && matches!(letter, ',' | '(' | '[' | '{');
            let begun = !rest[..at].trim().is_empty() && at + 1 < rest.len();
            let is_better = end.is_none_or(|(least, _)| depth <= least);
            if may_end && begun && column < columns && is_better {
                end = Some((depth, at + 1));
            }
        }
        let Some((_, end)) = end else { break };
        let after = rest[end..].trim_start();
        let after = format!("{indent}{INDENT}{after}");
        if after.len() >= rest.len() {
            break;
        }
        lines.push(rest[..end].to_owned());
        rest = after;
    }
    lines.push(rest);
    lines
}

/// Text that scrolls if it is too long.
fn scroll_ui(ui: &mut Ui, rect: Rect, add: impl FnOnce(&mut Ui)) {
    parts::inside_ui(ui, rect, Layout::default(), |ui| {
        let area = ScrollArea::vertical()
            .id_salt(rect.left() as i64)
            .auto_shrink(false);
        area.show(ui, add);
    });
}

fn widths(width: f32) -> [f32; 2] {
    let right = (width * sizes::CODE_SHARE).floor();
    [width - right, right]
}

#[cfg(test)]
mod tests {
    use super::narrow;

    #[test]
    fn long_comments_stand_above_their_line_and_stay_comments() {
        let code = "for x in batches:\n    model(x, training=True)  # frozen: runs in inference\nx";
        assert_eq!(narrow(code, 60), code);
        let narrowed = "for x in batches:\n    # frozen: runs in\n    # inference\n    \
                        model(x, training=True)\nx";
        assert_eq!(narrow(code, 30), narrowed);
        assert_eq!(narrow("# one two", 5), "# one\n# two");
        let name = "layer = base.get_layer(\"a # b\")";
        assert_eq!(narrow(name, 25), "layer = base.get_layer(\n    \"a # b\")");
    }

    #[test]
    fn long_calls_break_where_python_lets_them() {
        let code = "    model.compile(Adam(0.001), \"sparse, (loss\", metrics=[\"accuracy\"])";
        let narrowed = "    model.compile(Adam(0.001),\n        \"sparse, (loss\",\n        \
                        metrics=[\"accuracy\"])";
        assert_eq!(narrow(code, 34), narrowed);
        let assignment = "a_name_that_is_long = another_name_that_is_long";
        assert_eq!(narrow(assignment, 20), assignment);
    }
}
