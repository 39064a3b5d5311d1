//! Setting flags, and the counts that follow. Expected counts: Keras 3.15.1 and tf_keras 2.21.0 on
//! MobileNetV2 160x160 without top, plus the 24,339 values of this file's dense layer.

use modelens::model::counts::counts;
use modelens::model::{Flags, LayerKind, Semantics};

use crate::support::dog_breeds;

const DENSE: usize = 1280 * 19 + 19;

#[test]
fn counts_follow_the_course_s_settings() {
    let model = dog_breeds();
    let graph = &model.graph;
    let base = graph.find("mobilenetv2_1.00_160").expect("the base");
    let trainable = |flags: &Flags| counts(&model, flags, Semantics::Keras3).trainable - DENSE;
    assert_eq!(trainable(&Flags::all(graph, true)), 2_223_872);
    let mut flags = Flags::all(graph, true);
    flags.set(graph, base, false, Semantics::Keras3);
    assert_eq!(trainable(&flags), 0, "base frozen");
    for (from, expected) in [(120, 1_624_896), (119, 1_624_896), (100, 1_861_440)] {
        flags.fine_tune_from(graph, from);
        assert_eq!(trainable(&flags), expected, "from {from}");
    }
    let mut flags = Flags::all(graph, true);
    for (id, layer) in graph.layers.iter().enumerate() {
        if matches!(layer.kind, LayerKind::BatchNorm(_)) {
            flags.set(graph, id, false, Semantics::Keras3);
        }
    }
    assert_eq!(trainable(&flags), 2_189_760, "only BatchNorm frozen");
}

#[test]
fn a_trainable_child_of_a_frozen_model_counts_in_keras_3_only() {
    let model = dog_breeds();
    let graph = &model.graph;
    let base = graph.find("mobilenetv2_1.00_160").expect("the base");
    let child = graph.find("Conv_1").expect("a layer of the base");
    let mut flags = Flags::all(graph, true);
    flags.set(graph, base, false, Semantics::Keras2);
    flags.set(graph, child, true, Semantics::Keras2);
    assert_eq!(counts(&model, &flags, Semantics::Keras2).trainable, DENSE);
    assert_eq!(
        counts(&model, &flags, Semantics::Keras3).trainable,
        DENSE + 320 * 1280
    );
}

#[test]
fn keras_3_ignores_an_assignment_that_changes_nothing() {
    let model = dog_breeds();
    let graph = &model.graph;
    let base = graph.find("mobilenetv2_1.00_160").expect("the base");
    let file = Flags::of_file(graph);
    assert!(
        file.get(base),
        "the base is trainable, its lower layers are not"
    );
    let mut flags = file.clone();
    flags.set(graph, base, true, Semantics::Keras3);
    assert_eq!(flags, file, "Keras 3");
    flags.set(graph, base, true, Semantics::Keras2);
    assert_ne!(flags, file, "Keras 2 passes it on");
    assert_eq!(
        counts(&model, &flags, Semantics::Keras2).trainable,
        2_223_872 + DENSE
    );
}
