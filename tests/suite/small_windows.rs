//! Small windows: the rows above the columns are neither cut off nor covered.

use eframe::egui::accesskit::Role;
use eframe::egui::text::TextFormat;
use eframe::egui::{FontFamily, Key, Modifiers, Rect, Shape};
use egui_kittest::Node;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use modelens::command::{Action, Command, NoiseCommand};
use modelens::model::Semantics;
use modelens::state::View;

use crate::support::window::{Window, command, reproducible_with, settle, shows, small};

/// Everything that can be read or clicked: role, text, place.
fn leaves(window: &Window) -> Vec<(Role, String, Rect)> {
    let read = |node: Node<'_>| {
        let data = node.accesskit_node().data();
        let role = data.role();
        let words = data.label().or(data.value()).unwrap_or_default().to_owned();
        let known = matches!(
            role,
            Role::Label
                | Role::Heading
                | Role::Button
                | Role::Tab
                | Role::CheckBox
                | Role::RadioButton
                | Role::SpinButton
                | Role::Slider
        );
        (known && !words.is_empty()).then(|| (role, words, node.rect()))
    };
    let all = window.root().children_recursive();
    all.filter_map(read).collect()
}

/// The bottom of the column headings, whatever the rules call them.
fn end_of_headings(leaves: &[(Role, String, Rect)], what: &str) -> f32 {
    // The last is the row below the question of the view Start, which has no columns.
    let headings = [
        "training=False",
        "model.eval()",
        "base.eval()",
        "eval()",
        "What does your notebook use?",
    ];
    let found = leaves.iter().filter(|(role, words, _)| {
        matches!(role, Role::Label | Role::Heading) && headings.contains(&words.as_str())
    });
    let ends = found.map(|(_, _, rect)| rect.bottom());
    let end = ends.reduce(f32::min);
    end.unwrap_or_else(|| panic!("{what}: no heading among {leaves:?}"))
}

/// Checks that all items above the columns are inside the window and do not overlap.
fn assert_rows(window: &Window, what: &str) {
    let leaves = leaves(window);
    let end = end_of_headings(&leaves, what);
    let screen = window.ctx.content_rect().expand(0.5);
    let rows: Vec<_> = leaves
        .into_iter()
        .filter(|(_, _, rect)| rect.center().y <= end && rect.area() > 0.0)
        .collect();
    assert!(rows.len() > 4, "{what}: {rows:?}");
    for (i, (_, words, rect)) in rows.iter().enumerate() {
        assert!(
            screen.contains_rect(*rect),
            "{what}: {words:?} is cut: {rect:?}"
        );
        for (_, other, place) in &rows[i + 1..] {
            let common = rect.shrink(0.5).intersect(*place);
            assert!(
                !common.is_positive(),
                "{what}: {words:?} {rect:?} lies over {other:?} {place:?}"
            );
        }
    }
}

/// Checks that all code in the window is whole: no text in the code's face is cut or ends in the middle of a call.
fn assert_code(window: &Window, what: &str) -> usize {
    let mut found = 0;
    for clipped in &window.output().shapes {
        let Shape::Text(text) = &clipped.shape else {
            continue;
        };
        let job = &text.galley.job;
        let is_code = |format: &TextFormat| format.font_id.family == FontFamily::Monospace;
        if !job.sections.iter().all(|section| is_code(&section.format)) {
            continue;
        }
        let code = job.text.trim_end();
        found += usize::from(!code.is_empty());
        assert!(!text.galley.elided, "{what}: {code} is cut");
        assert!(!code.ends_with(['=', '(', ',']), "{what}: {code} goes on");
    }
    found
}

/// One window takes every size in turn: what a view computes does not depend on its size.
#[test]
fn rows_above_the_columns_fit_small_windows() {
    let sizes = [[800.0, 600.0], [1024.0, 768.0], [1280.0, 800.0]];
    let mut window = reproducible_with(sizes[2], small());
    command(&mut window, NoiseCommand::SetRate(0.5));
    command(&mut window, Action::FreezeAll);
    let mut found = 0;
    for semantics in Semantics::ALL {
        command(&mut window, Command::SetSemantics(Some(semantics)));
        for view in View::ALL {
            command(&mut window, Action::Show(view));
            for lecture in [false, true] {
                for size in sizes {
                    window.set_size(size.into());
                    settle(&mut window);
                    let what = format!("{view:?}, {semantics:?}, {size:?}, lecture: {lecture}");
                    assert_rows(&window, &what);
                    if !lecture {
                        found += assert_code(&window, &what);
                    }
                }
                window.key_press_modifiers(Modifiers::NONE, Key::F5);
                settle(&mut window);
            }
        }
    }
    assert!(found > 100, "{found}");
}

#[test]
fn the_side_panel_can_be_shown_and_hidden() {
    let mut window = reproducible_with([800.0, 600.0], small());
    assert!(!shows(&window, "Search layers"), "no room");
    window
        .get_by_role_and_label(Role::Button, "Side panel")
        .click();
    settle(&mut window);
    assert!(shows(&window, "Search layers"));
    window.key_press_modifiers(Modifiers::COMMAND, Key::B);
    settle(&mut window);
    assert!(!shows(&window, "Search layers"));
    let mut window = reproducible_with([1280.0, 800.0], small());
    assert!(shows(&window, "Search layers"));
    assert!(
        window
            .query_by_role_and_label(Role::Button, "Side panel")
            .is_none()
    );
    window.key_press_modifiers(Modifiers::COMMAND, Key::B);
    settle(&mut window);
    assert!(!shows(&window, "Search layers"));
    assert!(
        window
            .query_by_role_and_label(Role::Button, "Side panel")
            .is_some(),
        "a way back"
    );
}
