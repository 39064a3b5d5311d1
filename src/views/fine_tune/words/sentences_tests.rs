use super::*;
use crate::train::trainer::{Score, TrainingStep};

fn run(name: &str, loss: f64, kept: bool) -> RunState {
    let step = TrainingStep {
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

fn text_of(runs: Vec<RunState>) -> String {
    let training = TrainingState {
        status: Status::Running,
        runs,
        photos: [75, 18],
        ..TrainingState::default()
    };
    explanation(&training, RunPreset::FourWay, Semantics::Keras3)
}

#[test]
fn only_runs_that_are_the_same_are_called_the_same() {
    let same = text_of(vec![run("a", 1.0, false), run("b", 1.0, false)]);
    assert!(
        same.contains("a and b give exactly the same numbers"),
        "{same}"
    );
    let other = text_of(vec![run("a", 1.0, false), run("b", 1.1, false)]);
    assert!(!other.contains("exactly the same"), "{other}");
}

#[test]
fn features_are_said_to_be_kept_only_where_they_are() {
    assert!(!text_of(vec![run("a", 1.0, false)]).contains("computed once"));
    let one = text_of(vec![run("a", 1.0, false), run("b", 2.0, true)]);
    assert!(one.contains("In 1 run no layer"), "{one}");
    let all = text_of(vec![run("a", 1.0, true), run("b", 2.0, true)]);
    assert!(all.contains("No layer of the base learns"), "{all}");
}

#[test]
fn the_lines_of_a_card_never_call_movement_zero() {
    let summary = |weights, moved| Summary {
        semantics: Semantics::Keras3,
        base_call: Some(false),
        lost_evals: None,
        base_learns: true,
        base_weights: weights,
        head_weights: 0.1,
        batch_norms: 52,
        statistics_moved: moved,
        base_statistics: 0.1,
        steps: 3,
        training: Score {
            loss: 1.0,
            accuracy: 0.5,
        },
        validation: Some([0.5, 1.0].map(|accuracy| Score {
            loss: 1.0,
            accuracy,
        })),
        validation_photos: 18,
    };
    let text_of = |summary: &Summary| {
        facts(Some(summary))
            .into_iter()
            .map(|f| f.value)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        text_of(&summary(0.0, 0)),
        ["exactly 0", "exactly 0", "18 of 18", "9 of 18"]
    );
    assert_eq!(
        text_of(&summary(1e-9, 1)),
        ["less than 0.001%", "1 of 52", "18 of 18", "9 of 18"]
    );
    let none = Summary {
        validation: None,
        batch_norms: 0,
        ..summary(0.0, 0)
    };
    assert_eq!(
        text_of(&none),
        ["exactly 0", "no BatchNorm", "\u{2013}", "\u{2013}"]
    );
    assert_eq!(facts(None).len(), facts(Some(&none)).len());
    let modes: Vec<_> = facts(None).iter().map(|f| f.mode).collect();
    assert_eq!(modes[2..], [Some(Mode::Inference), Some(Mode::Training)]);
}

#[test]
fn a_run_that_broke_off_says_why() {
    let mut broken = run("a", 1.0, false);
    broken.failure = Some("the loss is not a number at step 2".to_owned());
    let text = of_run(&broken);
    assert!(text.starts_with("The run stopped: the loss"), "{text}");
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
