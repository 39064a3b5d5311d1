use super::*;

fn size(photos: usize, positions: usize, rank: usize) -> Size {
    Size {
        photos,
        n: photos * positions * positions,
        rank,
        positions: if rank == 4 {
            format!(" × {positions} × {positions}")
        } else {
            String::new()
        },
    }
}

fn scatter(batches: &[[f64; 2]]) -> Scatter<'_> {
    Scatter {
        batches,
        all_photos: 93,
        uses_batch: true,
        beta: -0.25,
        frozen: false,
        why: "The outer call says training=True.".to_owned(),
        calls: 1,
        trainable: true,
    }
}

const TWO: [[f64; 2]; 2] = [[1.0, 2.0], [3.0, 2.5]];

#[test]
fn the_size_and_the_scatter_are_the_measured_ones() {
    for semantics in Semantics::ALL {
        let words = size(32, 5, 4).words(&scatter(&TWO), semantics);
        assert!(
            words.starts_with("**n = 800** (32 photos × 5 × 5)"),
            "{words}"
        );
        // sqrt(((1-2)^2 + (3-2)^2) / 1)
        assert!(
            words.contains("the mean has a standard deviation of 1.4142"),
            "{words}"
        );
        assert!(words.contains("the variance one of 0.3536"), "{words}");
        assert!(!words.contains("No statistic moves"), "{words}");
    }
}

#[test]
fn one_batch_does_not_scatter_and_equal_ones_are_the_same() {
    let one = size(32, 5, 4).words(&scatter(&TWO[..1]), Semantics::Keras3);
    assert!(!one.contains("standard deviation"), "{one}");
    let same = [[1.0, 2.0]; 8];
    let all = size(93, 5, 4).words(&scatter(&same), Semantics::Keras3);
    assert!(
        all.contains("All 8 batches are the same: each holds every photo"),
        "{all}"
    );
    let few = size(4, 5, 4).words(&scatter(&same), Semantics::Keras3);
    assert!(!few.contains("every photo"), "{few}");
}

#[test]
fn one_photo_with_positions_is_not_undefined() {
    let words = size(1, 5, 4).words(&scatter(&TWO), Semantics::PyTorch);
    assert!(words.contains("**n = 25** (1 photo × 5 × 5)"), "{words}");
    assert!(!words.contains("refuses"), "{words}");
    assert!(!words.contains("beta"), "{words}");
}

#[test]
fn a_single_value_is_told_by_each_framework_as_it_does() {
    let same = [[1.0, 0.0]; 2];
    let of = |rank, semantics| size(1, 1, rank).words(&scatter(&same), semantics);
    for semantics in [Semantics::Keras2, Semantics::Keras3] {
        let words = of(2, semantics);
        assert!(words.contains("every output is beta (−0.2500)"), "{words}");
        assert!(words.contains("PyTorch refuses"), "{words}");
        assert!(
            !words.contains("divide by 0"),
            "a 2-D input is not fused: {words}"
        );
    }
    assert!(of(4, Semantics::Keras2).contains("would divide by 0"));
    assert!(!of(4, Semantics::Keras3).contains("would divide by 0"));
    let torch = of(2, Semantics::PyTorch);
    assert!(torch.contains(PYTORCH_REFUSES), "{torch}");
    assert!(!torch.contains("every output is beta"), "{torch}");
}

#[test]
fn a_single_value_is_enough_for_stored_statistics() {
    let same = [[1.0, 0.0]; 2];
    for semantics in Semantics::ALL {
        let frozen = Scatter {
            uses_batch: false,
            ..scatter(&same)
        };
        let words = size(1, 1, 2).words(&frozen, semantics);
        assert!(words.contains("one value is enough"), "{words}");
        assert!(!words.contains("refuses"), "{words}");
    }
}

#[test]
fn what_does_not_walk_says_why() {
    let frozen = Scatter {
        uses_batch: false,
        frozen: true,
        trainable: false,
        ..scatter(&TWO)
    };
    let words = size(32, 5, 4).words(&frozen, Semantics::Keras3);
    assert!(
        words.contains("**No statistic moves**: the layer is frozen"),
        "{words}"
    );
    let recorded = Scatter {
        uses_batch: false,
        why: "The outer call says training=False.".to_owned(),
        ..scatter(&TWO)
    };
    let words = size(32, 5, 4).words(&recorded, Semantics::Keras2);
    assert!(
        words.contains("**No statistic moves.** The outer call says training=False"),
        "{words}"
    );
    let torch = Scatter {
        trainable: false,
        ..scatter(&TWO)
    };
    let words = size(32, 5, 4).words(&torch, Semantics::PyTorch);
    assert!(
        words.contains("move although the layer is frozen"),
        "{words}"
    );
    assert!(!words.contains("No statistic moves"), "{words}");
}

#[test]
fn the_scatter_of_values_is_their_standard_deviation() {
    assert_eq!(deviation([2.0, 4.0, 6.0].into_iter()), 2.0);
    assert_eq!(deviation([1.5; 4].into_iter()), 0.0);
}

#[test]
fn a_flat_input_is_warned_of_batches_of_one() {
    let words = size(32, 1, 2).words(&scatter(&TWO), Semantics::Keras3);
    assert!(words.contains("**n = 32** (32 photos)"), "{words}");
    assert!(words.contains("would have n = 1"), "{words}");
    let image = size(32, 5, 4).words(&scatter(&TWO), Semantics::Keras3);
    assert!(!image.contains("n = 1 and"), "{image}");
}
