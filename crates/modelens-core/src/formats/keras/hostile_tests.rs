//! Settings that would take memory or time without end, or that mean something else than is computed.

#![allow(
    clippy::needless_pass_by_value,
    reason = "`json!` values read better without `&`"
)]

use serde_json::{Value, json};

use super::tests::{build, functional, layer};
use crate::formats::OpenError;
use crate::model::graph::Graph;
use crate::model::{RecordedArgument, Semantics};

/// One layer on images of this shape.
fn on(shape: Value, class: &str, settings: Value, call: Value) -> Result<Graph, OpenError> {
    let input = json!({"class_name": "InputLayer", "name": "x", "inbound_nodes": [],
                       "config": {"name": "x", "batch_input_shape": shape}});
    let layers = json!([
        input,
        layer(class, "z", settings, json!([[["x", 0, 0, call]]]))
    ]);
    build(
        &functional("m", layers, "x", json!(["z", 0, 0])),
        Semantics::Keras2,
    )
}

/// One layer on images of 8 x 8 pixels.
fn small(class: &str, settings: Value) -> Result<Graph, OpenError> {
    on(json!([null, 8, 8, 3]), class, settings, json!({}))
}

#[track_caller]
fn refused(class: &str, settings: Value, part: &str) {
    let text = small(class, settings).unwrap_err().to_string();
    assert!(text.contains("`z`") && text.contains(part), "{text}");
}

#[test]
fn values_that_need_too_much_memory() {
    refused(
        "ZeroPadding2D",
        json!({"padding": [[30_000_000, 0], [0, 0]]}),
        "makes more than",
    );
    refused(
        "Resizing",
        json!({"height": 20_000, "width": 30_000}),
        "makes more than",
    );
    let separable = json!({"filters": 1, "kernel_size": 1, "depth_multiplier": 1_u64 << 40});
    refused("SeparableConv2D", separable, "pointwise");
    // Where the file leaves the colours open, a photo has three.
    let open = json!([null, null, null, null]);
    let large = json!({"height": 20_000, "width": 20_000});
    assert!(on(open, "Resizing", large, json!({})).is_err());
    assert!(small("Resizing", json!({"height": 2_000, "width": 2_000})).is_ok());
}

#[test]
fn inputs_larger_than_photos_are_resized_to() {
    for shape in [
        json!([null, 2_000_000_000, null, null]),
        json!([null, 8, 4097, 3]),
    ] {
        let error = on(shape, "ReLU", json!({}), json!({})).unwrap_err();
        assert!(matches!(error, OpenError::TooLarge(_)), "{error}");
        assert!(error.to_string().contains("limit is 4096"), "{error}");
    }
    let largest = json!([null, 4096, 4096, 3]);
    assert!(on(largest, "ReLU", json!({}), json!({})).is_ok());
}

#[test]
fn noise_shapes_that_fit_no_batch() {
    let dropout = |shape: Value| json!({"rate": 0.5, "noise_shape": shape});
    refused(
        "Dropout",
        dropout(json!([100_000_000_000_000_u64, 1, 1, 1])),
        "number of images",
    );
    refused("Dropout", dropout(json!([null, 5, 1, 1])), "does not fit");
    for fine in [json!([null, 1, 1, null]), json!([1, 8, 8, 3])] {
        assert!(small("Dropout", dropout(fine)).is_ok());
    }
}

#[test]
fn windows_that_no_image_needs() {
    let huge = u64::MAX - 1;
    for key in ["kernel_size", "strides", "dilation_rate"] {
        let mut conv = json!({"kernel_size": [2, 2], "padding": "same"});
        conv[key] = json!([huge, 1]);
        refused("DepthwiseConv2D", conv, "65536");
    }
    for key in ["pool_size", "strides"] {
        let mut pool = json!({"pool_size": [2, 2], "strides": [1, 1], "padding": "same"});
        pool[key] = json!([1_u64 << 40, 1]);
        refused("MaxPooling2D", pool, "65536");
    }
    let wide = json!({"pool_size": [65_536, 1], "strides": 1, "padding": "same"});
    assert!(small("MaxPooling2D", wide).is_ok());
}

#[test]
fn rates_without_a_meaning() {
    for class in [
        "Dropout",
        "SpatialDropout2D",
        "AlphaDropout",
        "GaussianDropout",
    ] {
        for rate in [-0.1, 1.1, -1e300] {
            refused(class, json!({"rate": rate}), "not between 0 and 1");
        }
    }
    for class in ["AlphaDropout", "GaussianDropout"] {
        refused(class, json!({"rate": 1.0}), "infinite standard deviation");
    }
    refused(
        "GaussianNoise",
        json!({"stddev": -1.0}),
        "negative or not finite",
    );
    // JSON has no word for it, so it is no number to begin with.
    refused("GaussianNoise", json!({"stddev": "NaN"}), "not understood");
    assert!(small("Dropout", json!({"rate": 1.0})).is_ok());
}

#[test]
fn arguments_of_functions() {
    let call = |function: &str, kwargs: Value| {
        let settings = json!({"function": function});
        on(json!([null, 8, 8, 3]), "TFOpLambda", settings, kwargs)
    };
    for (function, kwargs) in [
        ("nn.softmax", json!({"axis": 1})),
        ("nn.silu", json!({"beta": 2.0})),
        ("nn.relu", json!({"alpha": 0.1})),
        ("nn.elu", json!({"mode": "odd"})),
    ] {
        let error = call(function, kwargs).unwrap_err();
        assert!(
            matches!(error, OpenError::UnsupportedSetting { .. }),
            "{error}"
        );
        assert!(error.to_string().contains(function), "{error}");
    }
    for (function, kwargs) in [
        ("nn.softmax", json!({"axis": -1, "name": "probs"})),
        ("nn.softmax", json!({"axis": null})),
        ("nn.silu", json!({"beta": 1.0, "name": null})),
    ] {
        assert!(call(function, kwargs).is_ok());
    }
}

#[test]
fn training_as_a_number_counts() {
    let call = |training: Value| {
        let dropout = json!({"rate": 0.5});
        let shape = json!([null, 8, 8, 3]);
        on(shape, "Dropout", dropout, json!({"training": training}))
    };
    assert_eq!(
        call(json!(0)).unwrap().nodes[1].recorded,
        RecordedArgument::Value(false)
    );
    assert_eq!(
        call(json!(1)).unwrap().nodes[1].recorded,
        RecordedArgument::Value(true)
    );
    assert_eq!(
        call(json!(null)).unwrap().nodes[1].recorded,
        RecordedArgument::Null
    );
}
