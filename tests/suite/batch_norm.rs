//! BatchNorm over four training calls, as Keras 3, tf_keras and PyTorch compute it
//! (`tests/fixtures/generators/make_op_goldens.py`, part 2).

use candle_core::Tensor;
use modelens::model::Semantics;
use modelens::model::layers::batch_norm::{Moments, moments, next_moving, normalise};

use crate::support::files::{Arrays, ops, read_npz};
use crate::support::numbers::{assert_close, values};

/// One framework's names of the arrays.
struct Case {
    file: &'static str,
    semantics: Semantics,
    x: &'static str,
    mean: &'static str,
    variance: &'static str,
    inference: &'static str,
    /// Momentum as Keras defines it.
    momentum: f64,
    epsilon: f64,
}

const CASES: [Case; 3] = [
    Case {
        file: "batch_norm_keras2.npz",
        semantics: Semantics::Keras2,
        x: "x_nhwc",
        mean: "moving_mean",
        variance: "moving_variance",
        inference: "infer_y",
        momentum: 0.9,
        epsilon: 1e-3,
    },
    Case {
        file: "batch_norm_keras3.npz",
        semantics: Semantics::Keras3,
        x: "x_nhwc",
        mean: "moving_mean",
        variance: "moving_variance",
        inference: "infer_y",
        momentum: 0.9,
        epsilon: 1e-3,
    },
    Case {
        file: "pytorch_batch_norm.npz",
        semantics: Semantics::PyTorch,
        x: "x_nchw",
        mean: "running_mean",
        variance: "running_var",
        inference: "eval_y",
        momentum: 0.9,
        epsilon: 1e-5,
    },
];

/// The input with channels last.
fn nhwc(case: &Case, x: &Tensor) -> Tensor {
    match case.semantics {
        Semantics::PyTorch => x.permute((0, 2, 3, 1)).and_then(|x| x.contiguous()),
        _ => x.contiguous(),
    }
    .expect("a tensor")
}

#[test]
fn four_calls_move_the_statistics_as_the_framework_does() {
    for case in &CASES {
        let io: Arrays = read_npz(&ops(case.file));
        let (gamma, beta) = (&io["gamma"], &io["beta"]);
        let channels = gamma.elem_count();
        let mut moving = Moments {
            mean: vec![0.0; channels],
            variance: vec![1.0; channels],
        };
        for step in 0..4 {
            let x = nhwc(case, &io[case.x].get(step).expect("a step"));
            let n = x.elem_count() / channels;
            let what = |key: &str| format!("{} {key}/{step}", case.file);
            let expected = |key: &str| {
                io.get(&format!("{key}/{step}"))
                    .unwrap_or_else(|| panic!("{key}"))
            };
            let y = |used: &Moments, training: bool| {
                normalise(&x, used, Some(gamma), Some(beta), case.epsilon, training)
            };
            let batch = moments(&x, case.semantics).expect("moments");
            let train = y(&batch, true).expect("an output");
            let wanted = values(&nhwc(case, expected("train_y")));
            assert_close(&values(&train), &wanted, &what("train_y"));
            moving = next_moving(&moving, &batch, case.momentum, n, 4, case.semantics);
            assert_close(&moving.mean, &values(expected(case.mean)), &what(case.mean));
            assert_close(
                &moving.variance,
                &values(expected(case.variance)),
                &what(case.variance),
            );
            let inference = y(&moving, false).expect("an output");
            let wanted = values(&nhwc(case, expected(case.inference)));
            assert_close(&values(&inference), &wanted, &what(case.inference));
        }
    }
}
