//! The whole table of `effective`: every role, flag, outer and recorded value under four semantics.

use modelens::model::{Mode, Outer, Role, Semantics, Statistics, effective};

const ROLES: [Role; 5] = [
    Role::Weights,
    Role::BatchNorm,
    Role::Noise,
    Role::Augmentation,
    Role::Plain,
];
const OUTERS: [Outer; 3] = [
    Outer::Given(Mode::Training),
    Outer::Given(Mode::Inference),
    Outer::NotGiven,
];
const RECORDED: [Option<bool>; 3] = [None, Some(true), Some(false)];

/// The value of `training` that reaches the layer, written out case by case:
/// rows are outer (True, False, not given), columns recorded (none, True, False).
fn training_table(semantics: Semantics, role: Role) -> [[bool; 3]; 3] {
    let augmentation = role == Role::Augmentation;
    match semantics {
        // The recorded value binds.
        Semantics::Keras2 | Semantics::Keras316 => [
            [true, true, false],
            [false, true, false],
            [augmentation, true, false],
        ],
        // The outer call overrides it.
        Semantics::Keras3 => [
            [true, true, true],
            [false, false, false],
            [augmentation, true, false],
        ],
        // Nothing is recorded; modules start in training mode.
        Semantics::PyTorch => [[true; 3], [false; 3], [true; 3]],
    }
}

fn every_case(check: impl Fn(Semantics, Role, bool, bool, Outer, Option<bool>, bool)) {
    for semantics in Semantics::ALL {
        for role in ROLES {
            let table = training_table(semantics, role);
            for (outer, row) in OUTERS.into_iter().zip(table) {
                for (recorded, training) in RECORDED.into_iter().zip(row) {
                    for trainable in [true, false] {
                        for ancestors in [true, false] {
                            check(
                                semantics, role, trainable, ancestors, outer, recorded, training,
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn the_value_of_training_follows_the_table() {
    every_case(
        |semantics, role, trainable, ancestors, outer, recorded, training| {
            let found = effective(role, trainable, ancestors, outer, recorded, semantics);
            assert_eq!(
                found.training, training,
                "{semantics:?} {role:?} {outer:?} {recorded:?}"
            );
        },
    );
}

#[test]
fn batch_norm_uses_and_moves_its_statistics_by_the_rule() {
    every_case(
        |semantics, role, trainable, ancestors, outer, recorded, training| {
            let found = effective(role, trainable, ancestors, outer, recorded, semantics);
            if role != Role::BatchNorm {
                assert_eq!((found.statistics, found.updates_statistics), (None, false));
                return;
            }
            let batch = match semantics {
                Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => {
                    training && trainable
                }
                Semantics::PyTorch => training,
            };
            let expected = if batch {
                Statistics::Batch
            } else {
                Statistics::Moving
            };
            let case = format!("{semantics:?} trainable={trainable} training={training}");
            assert_eq!(found.statistics, Some(expected), "{case}");
            assert_eq!(found.updates_statistics, batch, "{case}");
            assert_eq!(found.active, batch, "{case}");
        },
    );
}

#[test]
fn trainable_has_no_effect_on_noise_and_augmentation() {
    every_case(
        |semantics, role, trainable, ancestors, outer, recorded, training| {
            let found = effective(role, trainable, ancestors, outer, recorded, semantics);
            let expected = match role {
                Role::Noise => training,
                Role::Augmentation => training || semantics == Semantics::PyTorch,
                Role::Weights | Role::Plain => false,
                Role::BatchNorm => return,
            };
            assert_eq!(
                found.active, expected,
                "{semantics:?} {role:?} training={training}"
            );
        },
    );
}

#[test]
fn weights_learn_by_their_flag_and_in_keras_2_also_by_every_ancestors() {
    every_case(
        |semantics, role, trainable, ancestors, outer, recorded, _| {
            let found = effective(role, trainable, ancestors, outer, recorded, semantics);
            let has_weights = matches!(role, Role::Weights | Role::BatchNorm);
            let expected = match semantics {
                Semantics::Keras2 => has_weights && trainable && ancestors,
                Semantics::Keras3 | Semantics::Keras316 | Semantics::PyTorch => {
                    has_weights && trainable
                }
            };
            assert_eq!(found.learns, expected, "{semantics:?} {role:?}");
        },
    );
}
