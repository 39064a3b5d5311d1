//! The trainable view: the four measured cards, and the window around them.

use std::cell::RefCell;

use eframe::egui::Key;
use modelens::app::AppOptions;
use modelens::command::{Action, Command};
use modelens::model::{Mode, Semantics};
use modelens::state::{LayerColumn, ThemeChoice, View};
use modelens_jobs::look::{Context, compute};
use modelens_jobs::{
    Look, ModelSource, Outcome, PassLook, PhotoCache, TrainableLook, TrainableOutcome,
};

use crate::support::looks::Opened;
use crate::support::models::bits;
use crate::support::window::{Window, click, command, open, settle, shows, sized, small};

/// Measures the bundled base on four photos and checks what holds under all rules.
fn measured(semantics: Semantics) -> TrainableOutcome {
    let opened = Opened::bundled();
    let model = &opened.model;
    let pass = PassLook {
        semantics,
        ..opened.pass_look()
    };
    let before = bits(model);
    let look = Look::Trainable(TrainableLook::new(pass, &model.graph));
    let parts = RefCell::new(Vec::new());
    let context = Context {
        early: &|_, part| parts.borrow_mut().push(part),
        ..opened.context()
    };
    let looked = compute(look, &context, &mut PhotoCache::default()).expect("a result");
    let Outcome::Trainable(outcome) = looked.outcome else {
        panic!("a trainable outcome");
    };
    for (done, part) in parts.into_inner().into_iter().enumerate() {
        let Outcome::FirstSteps(first) = part else {
            panic!("the first steps");
        };
        assert_eq!((first.photos, first.cards.len()), (4, done + 1));
        for card in &first.cards {
            assert_eq!(card, outcome.card(card.trainable, card.mode));
            assert_eq!(first.card(card.trainable, card.mode), Some(card));
        }
        // What the start view shows of a model with a frozen base.
        assert!(first.card(false, Mode::Training).is_some());
    }
    assert_eq!(bits(model), before, "the steps are made on copies");
    assert_eq!(outcome.photos, 4);
    for (i, card) in outcome.cards.iter().enumerate() {
        let what = format!("{semantics:?} card {i}: {card:?}");
        assert_eq!(card.trainable, i < 2, "{what}");
        assert_eq!(card.mode == Mode::Training, i % 2 == 0, "{what}");
        // 52 BatchNorm layers, 4 classes; the head keeps its flags.
        assert_eq!(card.base.batch_norms, 52, "{what}");
        assert_eq!(card.head.learns, 5_124, "{what}");
        assert!(card.head.weight_change > 0.0, "{what}");
        assert!(card.loss.is_finite() && card.loss > 0.0, "{what}");
        assert_eq!(card.noises_active, usize::from(i % 2 == 0), "{what}");
        if card.trainable {
            assert_eq!(card.base.learns, 2_223_872, "{what}");
            assert!(card.base.weight_change > 0.0, "{what}");
        } else {
            assert_eq!(card.base.learns, 0, "{what}");
            assert_eq!(card.base.weight_change, 0.0, "{what}");
        }
        if card.mode == Mode::Inference {
            assert_eq!(card.output_difference, 0.0, "{what}");
        }
        let moved = card.base.statistics_moved;
        assert_eq!(moved == 0, card.base.statistics_change == 0.0, "{what}");
        assert_eq!(moved, card.base.on_batch, "{what}");
    }
    *outcome
}

fn moved(outcome: &TrainableOutcome) -> [usize; 4] {
    [0, 1, 2, 3].map(|i| outcome.cards[i].base.statistics_moved)
}

#[test]
fn keras_3_moves_statistics_only_with_both_switches_on() {
    let outcome = measured(Semantics::Keras3);
    assert_eq!(moved(&outcome), [52, 0, 0, 0]);
    assert!(outcome.cards[0].output_difference > 0.0);
    assert_eq!(outcome.cards[2].output_difference, 0.0);
    assert!(outcome.cards[0].reaches_base);
}

#[test]
fn pytorch_moves_statistics_of_a_frozen_base() {
    let outcome = measured(Semantics::PyTorch);
    assert_eq!(moved(&outcome), [52, 0, 52, 0]);
    assert!(outcome.cards[2].output_difference > 0.0);
}

#[test]
fn a_recorded_value_wins_in_keras_2() {
    let outcome = measured(Semantics::Keras2);
    assert_eq!(outcome.recorded, Some(false));
    assert!(!outcome.cards[0].reaches_base);
    assert_eq!(moved(&outcome), [0; 4]);
}

/// The cards do not depend on the flags of the base, so nothing is computed again.
#[test]
fn flags_of_the_base_cause_no_new_request() {
    let mut window = view();
    let before = window.state().state().computed.sent.clone();
    click(&mut window, "Conv1 trainable");
    assert!(window.state().state().computed.sent == before);
}

fn view() -> Window {
    let mut window = open(small());
    window.key_press(Key::Num4);
    settle(&mut window);
    window
}

#[test]
fn four_cards_in_each_semantics_and_theme() {
    let mut window = view();
    for semantics in Semantics::ALL {
        command(&mut window, Command::SetSemantics(Some(semantics)));
        let state = window.state().state();
        assert_eq!(state.settings.view, View::Trainable);
        assert!(state.computed.result(View::Trainable).is_some());
        assert!(state.computed.notices.is_empty());
        for theme in [ThemeChoice::Light, ThemeChoice::Dark] {
            command(&mut window, Command::SetTheme(theme));
            let third = match semantics {
                Semantics::PyTorch => "Weights stay, statistics move",
                _ => "Nothing in the base moves",
            };
            let titles = [
                "Weights move, statistics stay",
                third,
                "Feature extraction: what the course does",
                "The course's advice",
            ];
            for title in titles {
                assert!(shows(&window, title), "{semantics:?}: {title}");
            }
            let flag = match semantics {
                Semantics::PyTorch => "requires_grad",
                _ => "trainable",
            };
            for value in ["True", "False"] {
                assert!(shows(&window, &format!("{flag}={value}")));
            }
            window.check_accessibility();
        }
    }
}

#[test]
fn a_toggle_shows_the_badge_and_compile_removes_it() {
    let mut window = view();
    let badge = "Changed since compile()";
    assert!(!shows(&window, badge));
    command(
        &mut window,
        Command::SetSearch("block_13_project_BN".into()),
    );
    click(&mut window, "block_13_project_BN trainable");
    assert!(shows(&window, badge));
    assert!(shows(&window, "first step after compile()"));
    click(&mut window, "compile()");
    assert!(!shows(&window, badge));
    click(&mut window, "Reset to file");
    assert!(
        shows(&window, badge),
        "the file's flags are not those compiled"
    );
    click(&mut window, "block_13_project_BN trainable");
    assert!(!shows(&window, badge), "back to the flags compiled");
}

#[test]
fn the_table_follows_the_search_and_sorts() {
    let mut window = sized([1280.0, 1600.0], small());
    command(&mut window, Action::Show(View::Trainable));
    command(&mut window, Action::UnfreezeAll);
    command(&mut window, Command::SetSearch("block_13_project".into()));
    assert!(shows(
        &window,
        "block_13_project_BN: batch statistics in training"
    ));
    assert!(!shows(&window, "block_14_project_BN: "));
    click(&mut window, "trainable of block_13_project_BN");
    assert!(shows(
        &window,
        "block_13_project_BN: stored statistics in training"
    ));
    assert!(shows(&window, "parameters that learn"));
    click(&mut window, "Only layers");
    assert!(!shows(&window, "parameters that learn"));
    click(&mut window, "Sort by params");
    assert_eq!(
        window.state().state().settings.layer_sort.column,
        LayerColumn::Params
    );
    click(
        &mut window,
        "block_13_project_BN: stored statistics in training, moves nothing",
    );
    assert_eq!(window.state().state().settings.view, View::BatchNorm);
}

#[test]
fn a_flat_network_is_its_own_base() {
    let mut window = open(AppOptions {
        model: ModelSource::EfficientNetLite0,
        ..AppOptions::default()
    });
    window.key_press(Key::Num4);
    settle(&mut window);
    assert!(shows(&window, "Weights stay, statistics move"));
    assert!(shows(&window, "puts its own head on top"));
}
