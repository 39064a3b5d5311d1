use std::sync::Arc;

use super::*;
use crate::augment::{
    Factor, FlipMode, RandomContrast, RandomCrop, RandomFlip, Rescaling, RotationDraw, Transform,
};
use crate::dataset::Image;

fn cell(draws: Vec<Draw>, difference: Option<f32>) -> GridCell {
    let image = Arc::new(Image {
        height: 1,
        width: 1,
        channels: 1,
        pixels_hwc: vec![0],
    });
    GridCell {
        photo: 0,
        original: Arc::clone(&image),
        image,
        words: Pipeline::words(&draws),
        draws,
        target: Vec::new(),
        largest_difference: difference,
        step_differences: Vec::new(),
    }
}

fn outcome(draws: Vec<Vec<Draw>>, inference: Option<f32>) -> AugmentationOutcome {
    let right = draws.iter().map(|_| cell(Vec::new(), inference)).collect();
    let left = draws
        .into_iter()
        .map(|draws| cell(draws, Some(20.0)))
        .collect();
    AugmentationOutcome {
        training: left,
        inference: right,
        step_differences: Vec::new(),
    }
}

fn flip(left_right: bool) -> Draw {
    Draw::Flip(FlipDraw {
        left_right,
        top_bottom: false,
    })
}

fn text(outcome: &AugmentationOutcome, pipeline: &Pipeline, semantics: Semantics) -> String {
    sentences(&Seen {
        outcome,
        pipeline,
        grid: Grid::OnePhoto,
        semantics,
        photos: None,
        own: None,
    })
}

fn of(transforms: Vec<Transform>) -> Pipeline {
    transforms.into_iter().map(AugmentLayer::from).collect()
}

#[test]
fn flips_and_angles_are_counted_and_measured() {
    let outcome = outcome(
        vec![
            vec![flip(true), Draw::Rotation(RotationDraw { turns: 0.1 })],
            vec![flip(false), Draw::Rotation(RotationDraw { turns: -0.1 })],
        ],
        Some(0.0),
    );
    let keras = text(&outcome, &Pipeline::course(), Semantics::Keras3);
    assert!(
        keras.contains("1 of 2 are flipped, angles run from −36.0° to +36.0°"),
        "{keras}"
    );
    assert!(keras.contains("largest difference 0"), "{keras}");
    assert!(keras.contains("default is True"), "{keras}");
    assert!(
        !keras.contains("upside down"),
        "0.2 turns are 72 degrees: {keras}"
    );
    let torch = text(&outcome, &Pipeline::course(), Semantics::PyTorch);
    assert!(torch.contains("data loader"), "{torch}");
    assert!(!torch.contains("largest difference 0"), "{torch}");
    assert!(!torch.contains("default is True"), "{torch}");
}

#[test]
fn it_never_claims_identity_against_the_numbers() {
    let drawn = vec![vec![flip(true)], vec![flip(false)]];
    for (difference, expected) in [(Some(3.0), "by up to 3"), (None, "changes its size")] {
        let outcome = outcome(drawn.clone(), difference);
        let text = text(&outcome, &Pipeline::course(), Semantics::Keras3);
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("largest difference 0"), "{text}");
        assert!(!text.contains("in your notebook"), "{text}");
    }
}

#[test]
fn three_epochs_count_what_is_drawn_anew() {
    let turned = |turns| vec![Draw::Rotation(RotationDraw { turns })];
    // Two photos: the first is drawn anew every epoch, the second only once.
    let draws = [0.1, 0.0, 0.2, 0.1, 0.3, 0.1].map(turned).to_vec();
    let outcome = outcome(draws, Some(0.0));
    let pipeline = Pipeline::course();
    let seen = Seen {
        outcome: &outcome,
        pipeline: &pipeline,
        grid: Grid::ThreeEpochs,
        semantics: Semantics::Keras3,
        photos: None,
        own: Some("data_augmentation"),
    };
    let text = sentences(&seen);
    assert!(text.contains("does not grow"), "{text}");
    assert!(
        text.contains("same 2 photos, and 1 of 2 are drawn differently"),
        "{text}"
    );
    assert!(
        text.contains("This pipeline comes from the file: data_augmentation."),
        "{text}"
    );
    assert!(!text.contains("copies"), "{text}");
}

#[test]
fn a_label_in_danger_is_told_by_what_was_drawn() {
    let pipeline = of(vec![Transform::Flip(RandomFlip {
        mode: FlipMode::Vertical,
    })]);
    let over = Draw::Flip(FlipDraw {
        left_right: false,
        top_bottom: true,
    });
    let drawn = outcome(vec![vec![over], vec![flip(false)]], Some(0.0));
    let some = text(&drawn, &pipeline, Semantics::Keras3);
    assert!(some.contains("1 of 2 are flipped vertically"), "{some}");
    let not_drawn = outcome(vec![vec![flip(false)], vec![flip(false)]], Some(0.0));
    let none = text(&not_drawn, &pipeline, Semantics::Keras3);
    assert!(none.contains("None of these 2"), "{none}");
    assert!(!none.contains("may become wrong"), "{none}");
}

#[test]
fn notes_name_what_the_other_keras_does() {
    let drawn = outcome(vec![vec![flip(false)]], Some(0.0));
    let pipeline = of(vec![
        Transform::Flip(RandomFlip::default()),
        Transform::Contrast(RandomContrast {
            factor: Factor::Scalar(0.3),
            value_range: [0.0, 255.0],
        }),
        Transform::Crop(RandomCrop {
            height: 1,
            width: 1,
        }),
    ]);
    let keras3 = text(&drawn, &pipeline, Semantics::Keras3);
    for expected in [
        "both axes at once",
        "from 1.00 to 1.30",
        "returns the whole photo",
    ] {
        assert!(keras3.contains(expected), "{expected}: {keras3}");
    }
    let keras2 = text(&drawn, &pipeline, Semantics::Keras2);
    for expected in [
        "each axis on its own",
        "from 0.70 to 1.30",
        "return the middle",
    ] {
        assert!(keras2.contains(expected), "{expected}: {keras2}");
    }
    let torch = text(&drawn, &pipeline, Semantics::PyTorch);
    assert!(!torch.contains("Keras 2"), "{torch}");
    let course = text(&drawn, &Pipeline::course(), Semantics::Keras3);
    assert!(!course.contains("Keras 2"), "{course}");
}

#[test]
fn without_a_step_that_draws_both_sides_are_called_the_same() {
    let drawn = outcome(vec![vec![Draw::Nothing]], Some(254.0));
    let pipeline = of(vec![Transform::Rescaling(Rescaling {
        scale: 1.0 / 255.0,
        offset: 0.0,
    })]);
    let rescaled = text(&drawn, &pipeline, Semantics::Keras3);
    assert!(rescaled.contains("No step is random"), "{rescaled}");
    assert!(!rescaled.contains("draws from one photo"), "{rescaled}");
    let none = text(&drawn, &Pipeline::default(), Semantics::Keras3);
    assert!(none.contains("No step is on"), "{none}");
}

#[test]
fn a_pipeline_of_torchvision_is_drawn_in_both_modes_under_any_rules() {
    let drawn = outcome(vec![vec![flip(true)], vec![flip(false)]], Some(254.0));
    let pipeline = Pipeline::from_code("v2.Compose([v2.RandomHorizontalFlip()])").unwrap();
    for semantics in Semantics::ALL {
        let text = text(&drawn, &pipeline, semantics);
        assert!(text.contains("Both sides are drawn anew"), "{text}");
        assert!(text.contains("do not know the mode"), "{text}");
        assert!(!text.contains("default is True"), "{text}");
    }
}
