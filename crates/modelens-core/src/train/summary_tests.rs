use super::*;

fn score(accuracy: f64) -> Score {
    Score {
        loss: 1.0,
        accuracy,
    }
}

fn summary() -> Summary {
    Summary {
        semantics: Semantics::Keras3,
        base_call: Some(false),
        base_learns: false,
        base_weights: 0.0,
        head_weights: 0.1,
        batch_norms: 52,
        statistics_moved: 0,
        base_statistics: 0.0,
        steps: 9,
        training: score(0.5),
        validation: Some([score(0.5), score(0.5)]),
        validation_photos: 18,
    }
}

fn text(summary: &Summary) -> String {
    summary.sentences().join(" ")
}

#[test]
fn a_base_that_stayed_is_said_to_have_stayed() {
    let said = text(&summary());
    assert!(said.contains("stayed exactly as it was"), "{said}");
    assert!(said.contains("trainable=False that protected"), "{said}");
    assert!(said.contains("as many with training=True"), "{said}");
    let bare = Summary {
        batch_norms: 0,
        ..summary()
    };
    assert!(!text(&bare).contains("statistic"), "{}", text(&bare));
}

#[test]
fn statistics_that_moved_are_never_said_to_be_protected() {
    for semantics in Semantics::ALL {
        for base_learns in [false, true] {
            for base_call in [None, Some(false), Some(true)] {
                for base_weights in [0.0, 0.02] {
                    let moved = Summary {
                        semantics,
                        base_learns,
                        base_call,
                        base_weights,
                        statistics_moved: 17,
                        base_statistics: 0.3,
                        ..summary()
                    };
                    let said = text(&moved);
                    assert!(!said.contains("stayed exactly"), "{said}");
                    assert!(!said.contains("no moving statistic"), "{said}");
                    assert!(!said.contains("protected the statistics"), "{said}");
                    assert!(
                        said.contains("17 of its 52") && said.contains("30%"),
                        "{said}"
                    );
                    let overridden = said.contains("did not protect");
                    let keras3 = semantics == Semantics::Keras3 && base_call == Some(false);
                    assert_eq!(overridden, keras3, "{said}");
                }
            }
        }
    }
}

#[test]
fn each_framework_names_what_protected() {
    let by = |semantics| {
        text(&Summary {
            semantics,
            base_learns: true,
            base_weights: 0.0123,
            ..summary()
        })
    };
    assert!(by(Semantics::Keras2).contains("it binds"));
    assert!(by(Semantics::PyTorch).contains("base.eval()"));
    // Trainable, and nothing moved: neither switch can claim it in Keras 3.
    assert!(!by(Semantics::Keras3).contains("protected"));
    assert!(by(Semantics::Keras2).contains("1.2%"));
}

#[test]
fn the_gap_is_counted_in_photos_on_the_right_side() {
    let with = |training, inference| {
        text(&Summary {
            validation: Some([score(training), score(inference)]),
            ..summary()
        })
    };
    let lower = with(9.0 / 18.0, 17.0 / 18.0);
    assert!(lower.contains("17 right in inference, but 9"), "{lower}");
    assert!(lower.contains("8 fewer"), "{lower}");
    let higher = with(1.0, 4.0 / 18.0);
    assert!(
        higher.contains("18 right with training=True, but only 4"),
        "{higher}"
    );
    let none = Summary {
        validation: None,
        ..summary()
    };
    assert!(!text(&none).contains("photos"));
}

#[test]
fn percentages_never_round_to_nothing() {
    assert_eq!(percent(0.25), "25%");
    assert_eq!(percent(0.012), "1.2%");
    assert_eq!(percent(0.0012), "0.12%");
    assert_eq!(percent(1e-7), "less than 0.001%");
    assert_eq!(percent(f64::NAN), "no finite amount");
}
