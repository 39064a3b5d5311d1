use super::*;
use crate::train::trainer::{Score, Step};

fn run(name: &str, loss: f64, kept: bool) -> RunState {
    let step = Step {
        stage: 0,
        epoch: 1,
        step: 1,
        photos: 4,
        rate: 1e-3,
        batch: Score {
            loss,
            accuracy: 0.5,
        },
        end: None,
    };
    RunState {
        name: name.to_owned(),
        steps: vec![step],
        total: 3,
        features_kept: kept,
        ..RunState::default()
    }
}

fn said(runs: Vec<RunState>) -> String {
    let training = TrainingState {
        status: Status::Running,
        runs,
        photos: [75, 18],
        ..TrainingState::default()
    };
    explanation(&training, Preset::FourWay, Semantics::Keras3)
}

#[test]
fn only_runs_that_are_the_same_are_called_the_same() {
    let same = said(vec![run("a", 1.0, false), run("b", 1.0, false)]);
    assert!(same.contains("**a** and **b** are the same run"), "{same}");
    let other = said(vec![run("a", 1.0, false), run("b", 1.1, false)]);
    assert!(!other.contains("same run"), "{other}");
}

#[test]
fn features_are_said_to_be_kept_only_where_they_are() {
    assert!(!said(vec![run("a", 1.0, false)]).contains("computed once"));
    let one = said(vec![run("a", 1.0, false), run("b", 2.0, true)]);
    assert!(one.contains("In 1 run no layer"), "{one}");
    let all = said(vec![run("a", 1.0, true), run("b", 2.0, true)]);
    assert!(all.contains("No layer of the base learns"), "{all}");
}

#[test]
fn a_layer_that_did_not_move_is_exactly_where_it_was() {
    let still = Movement {
        layer: 0,
        weights: Some(0.0),
        statistics: None,
    };
    let words = of_layer("bn", &still);
    assert_eq!(words, "bn\nweights: exactly 0");
    let moved = Movement {
        statistics: Some(0.02),
        ..still
    };
    assert!(of_layer("bn", &moved).contains("statistics: 0.02"));
}
