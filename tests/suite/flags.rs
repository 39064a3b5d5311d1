//! Setting flags, and the counts that follow. Expected counts: Keras 3.15.1 and tf_keras 2.21.0 on
//! MobileNetV2 160x160 without top, plus the 5,124 values of this file's dense layer.

use modelens::model::counts::counts;
use modelens::model::graph::{BatchNorm, Graph, Layer};
use modelens::model::{Flags, LayerKind, Mode, Outer, Semantics};

use crate::support::models::lab_mobilenetv2;

const DENSE: usize = 1280 * 4 + 4;

#[test]
fn counts_follow_the_settings_of_the_course() {
    let model = lab_mobilenetv2();
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
    let model = lab_mobilenetv2();
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
    let model = lab_mobilenetv2();
    let graph = &model.graph;
    let base = graph.find("mobilenetv2_1.00_160").expect("the base");
    let mut lab = Flags::of_file(graph);
    lab.fine_tune_from(graph, 120);
    assert!(
        lab.get(base),
        "the base is trainable, its lower layers are not"
    );
    let mut flags = lab.clone();
    flags.set(graph, base, true, Semantics::Keras3);
    assert_eq!(flags, lab, "Keras 3");
    flags.set(graph, base, true, Semantics::Keras2);
    assert_ne!(flags, lab, "Keras 2 passes it on");
    assert_eq!(
        counts(&model, &flags, Semantics::Keras2).trainable,
        2_223_872 + DENSE
    );
}

/// Three nested models with one BatchNorm in the innermost.
fn nested() -> Graph {
    let layer = |name: &str, kind: LayerKind, parent| Layer {
        name: name.into(),
        class: "Functional".into(),
        kind,
        parent,
        listed: true,
        trainable: true,
        recorded: modelens::model::RecordedArgument::Absent,
        activity_regularizer: None,
        weights: Vec::new(),
    };
    let batch_norm = LayerKind::BatchNorm(BatchNorm {
        momentum: 0.9,
        epsilon: 1e-3,
    });
    Graph {
        layers: vec![
            layer("outer", LayerKind::Model, None),
            layer("middle", LayerKind::Model, Some(0)),
            layer("bn", batch_norm, Some(1)),
        ],
        root_trainable: true,
        ..Graph::default()
    }
}

#[test]
fn keras_3_stops_at_a_model_that_already_has_the_value() {
    let graph = nested();
    let mut flags = Flags::of_file(&graph);
    for (layer, value) in [(1, false), (2, true), (0, false)] {
        flags.set(&graph, layer, value, Semantics::Keras3);
    }
    assert!(
        flags.get(2),
        "`middle` was frozen already, so the assignment does not reach `bn`"
    );
    flags.set(&graph, 0, true, Semantics::Keras2);
    flags.set(&graph, 0, false, Semantics::Keras2);
    assert!(!flags.get(2), "Keras 2 passes every assignment on");
}

#[test]
fn a_value_recorded_at_the_base_reaches_only_its_layers() {
    let model = lab_mobilenetv2();
    let graph = &model.graph;
    let inside = graph.find("Conv_1_bn").expect("a BatchNorm of the base");
    let outside = graph
        .layers
        .iter()
        .position(|l| matches!(l.kind, LayerKind::Noise(_)) && l.parent.is_none())
        .expect("the head's dropout");
    let given = Outer::Given(Mode::Training);
    let reached = |flags: &Flags, layer, outer, semantics| {
        flags.effective(&model, layer, outer, semantics).training
    };
    let (keras2, keras3) = (Semantics::Keras2, Semantics::Keras3);
    // Where nobody says `training=`, the True that is the default of the augmentation layers before the base
    // reaches it in Keras 3 (measured: `tests/fixtures/golden/recorded`).
    for (value, k2, k2_absent, k3_absent) in [
        (Some(false), false, false, false),
        (Some(true), true, true, true),
        (None, true, false, true),
    ] {
        let mut flags = Flags::all(graph, true);
        flags.record(graph, value);
        assert_eq!(flags.recorded(graph), value);
        assert_eq!(reached(&flags, inside, given, keras2), k2, "{value:?}");
        assert!(reached(&flags, inside, given, keras3), "{value:?}");
        let absent = Outer::NotGiven;
        assert_eq!(reached(&flags, inside, absent, keras3), k3_absent);
        assert_eq!(reached(&flags, inside, absent, keras2), k2_absent);
        assert!(reached(&flags, outside, given, keras2));
        assert!(!reached(&flags, outside, absent, keras2));
        assert!(flags.same_trainable(&Flags::all(graph, true)));
    }
}
