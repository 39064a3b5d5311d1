use super::*;
use crate::model::{Outer, effective};

#[test]
fn the_lamp_says_what_the_effective_mode_is() {
    let outers = [
        Outer::Given(Mode::Training),
        Outer::Given(Mode::Inference),
        Outer::NotGiven,
    ];
    for semantics in Semantics::ALL {
        for outer in outers {
            for recorded in [None, Some(true), Some(false)] {
                for trainable in [true, false] {
                    let role = Role::BatchNorm;
                    let e = effective(role, trainable, true, outer, recorded, semantics);
                    let call = Call::alone(outer, recorded, semantics);
                    let text = lamp(role, trainable, e, &call);
                    let batch = e.statistics == Some(Statistics::Batch);
                    assert_eq!(text.contains("normalises with the batch"), batch, "{text}");
                    let frozen = text.starts_with("Frozen: ");
                    assert_eq!(frozen, e.training && !batch, "{text}");
                }
            }
        }
    }
}

#[test]
fn the_reason_names_the_value_that_holds() {
    let outers = [
        Outer::Given(Mode::Training),
        Outer::Given(Mode::Inference),
        Outer::NotGiven,
    ];
    for semantics in Semantics::ALL {
        for outer in outers {
            for recorded in [None, Some(true), Some(false)] {
                let e = effective(Role::Noise, true, true, outer, recorded, semantics);
                let why = Call::alone(outer, recorded, semantics).why();
                let value = if e.training { "True" } else { "False" };
                let named = match semantics {
                    Semantics::PyTorch => match outer {
                        Outer::Given(Mode::Training) => why.contains("model.train() was"),
                        Outer::Given(Mode::Inference) => why.contains("model.eval() was"),
                        Outer::NotGiven => why.contains("made in training mode"),
                    },
                    _ => {
                        why.contains("default")
                            || why.contains(&format!("training={value}"))
                            || why.contains(&format!("recorded {value}"))
                    }
                };
                assert!(named, "{semantics:?} {outer:?} {recorded:?}: {why}");
                let binding = [Semantics::Keras2, Semantics::Keras316];
                let binds = binding.contains(&semantics) && recorded.is_some();
                assert_eq!(why.contains("binds"), binds, "{why}");
                let overrides = semantics == Semantics::Keras3
                    && matches!(outer, Outer::Given(m) if recorded == Some(!m.training()));
                assert_eq!(why.contains("overrides"), overrides, "{why}");
            }
        }
    }
}

#[test]
fn an_augmented_batch_is_named_only_where_a_step_is_on() {
    let mut pipeline = Pipeline::course();
    let text = augmented_batch(Some(&pipeline));
    assert!(text.contains("RandomFlip, RandomRotation"), "{text}");
    assert!(text.contains("same pixels"), "{text}");
    for step in &mut pipeline.steps {
        step.on = false;
    }
    assert_eq!(augmented_batch(Some(&pipeline)), "");
    assert_eq!(augmented_batch(None), "");
    let layers = ["RandomFlip", "RandomRotation"];
    let said = own_augmentation(&layers, [true, false]);
    assert!(
        said.contains(
            "In the left column the network's own augmentation (RandomFlip, RandomRotation)"
        ),
        "{said}"
    );
    assert_eq!(own_augmentation(&layers, [false, false]), "");
}
