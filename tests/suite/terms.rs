//! Terms of the field: every heading or label that starts with one has its explanation as tooltip.

use std::collections::BTreeSet;

use eframe::egui::accesskit::Role;
use eframe::egui::{Pos2, Rect};
use egui_kittest::kittest::NodeT as _;
use modelens::command::{Action, Command, PipelineCommand};
use modelens::model::Semantics;
use modelens::state::View;
use modelens::words::terms::{TERMS, beginning};

use crate::support::window::{Window, command, reproducible_with, small};

/// The longest label in characters; longer ones are sentences.
const LONGEST: usize = 130;
/// Frames until a tooltip appears.
const FRAMES: usize = 4;

/// Visible labels and buttons: text and place.
fn labels(window: &Window) -> Vec<(String, Rect)> {
    let screen = window.ctx.content_rect();
    let nodes = window.root().children_recursive();
    let read = nodes.filter_map(|node| {
        let data = node.accesskit_node().data();
        let words = data.label().or(data.value())?.to_owned();
        let known = matches!(
            data.role(),
            Role::Label | Role::Heading | Role::Button | Role::Tab
        );
        let rect = node.rect();
        let seen = rect.is_positive() && screen.contains(rect.center());
        (known && seen && words.chars().count() <= LONGEST).then_some((words, rect))
    });
    read.collect()
}

/// The explanations of terms that are shown while the pointer is at `place`.
fn told(window: &mut Window, place: Pos2) -> Vec<&'static str> {
    window.hover_at(place);
    window.run_steps(FRAMES);
    let shown: BTreeSet<String> = window
        .root()
        .children_recursive()
        .filter_map(|node| {
            let data = node.accesskit_node().data();
            data.label().or(data.value()).map(str::to_owned)
        })
        .collect();
    let told = TERMS.iter().map(|(_, sentence)| *sentence);
    told.filter(|sentence| shown.contains(*sentence)).collect()
}

/// Points at every label that starts with a term; adds the terms that it met.
fn walk(window: &mut Window, what: &str, met: &mut BTreeSet<&'static str>) {
    let base = window.state().state().opened.base.as_ref();
    let layers = &base.expect("an open base").model.graph.layers;
    let names: BTreeSet<String> = layers.iter().map(|l| l.name.clone()).collect();
    for (words, rect) in labels(window) {
        // A layer can have the name of a term, and calls are code.
        let is_name = names.iter().any(|name| words.starts_with(name.as_str()));
        let is_call = words
            .split('(')
            .rev()
            .skip(1)
            .any(|before| before.ends_with(char::is_alphanumeric));
        let is_code = is_call && words != "compile()";
        // Its tooltip shows what was drawn.
        let is_cell = words.contains(", image ");
        let term = beginning(&words).filter(|_| !is_name && !is_code && !is_cell);
        // Short for a recorded value.
        let call = words == "recorded";
        if term.is_none() && !call {
            continue;
        }
        let told = told(window, rect.center());
        if let Some((term, sentence)) = term {
            assert!(
                told.contains(sentence),
                "{what}: {words:?} at {rect:?} does not tell what {term:?} means: {told:?}"
            );
        }
        met.extend(told);
    }
    window.remove_cursor();
    window.run_steps(2);
}

#[test]
fn every_term_is_explained_by_a_tooltip() {
    // High enough for every row of the table of releases.
    let mut window = reproducible_with([1280.0, 900.0], small());
    let mut met = BTreeSet::new();
    for view in View::ALL {
        command(&mut window, Action::Show(view));
        walk(&mut window, &format!("{view:?}"), &mut met);
    }
    // These appear only after a change.
    command(&mut window, Action::FreezeAll);
    command(&mut window, Action::Show(View::Trainable));
    walk(&mut window, "changed flags", &mut met);
    command(&mut window, Command::OnlyLayers(true));
    walk(&mut window, "the table", &mut met);
    command(&mut window, Action::Show(View::Augmentation));
    command(&mut window, PipelineCommand::Edit(true));
    walk(&mut window, "the pipeline", &mut met);
    command(&mut window, Command::SetSemantics(Some(Semantics::PyTorch)));
    for view in [View::BatchNorm, View::Trainable] {
        command(&mut window, Action::Show(view));
        walk(&mut window, &format!("{view:?} in PyTorch"), &mut met);
    }
    for (term, sentence) in TERMS {
        assert!(met.contains(sentence), "{term:?} is nowhere in the window");
    }
}
