//! Lists of transforms, the words of torchvision's operations, and Keras' `Pipeline`.

use super::super::torchvision::{MixtureDraw, NestedDraw, OperationsDraw, TensorOperation};
use super::super::*;
use super::{layer, test_image};

fn read(code: &str) -> AugmentLayer {
    let pipeline = Pipeline::from_code(code).unwrap_or_else(|error| panic!("{code}: {error}"));
    pipeline.steps.into_iter().next().unwrap().layer
}

/// The draws of each batch of `n` images.
fn draws(layer: &AugmentLayer, batches: u64, n: usize) -> Vec<Vec<Draw>> {
    let of_batch = |batch| layer.draw_batch(Semantics::PyTorch, 3, &[batch], n, 12, 10);
    (0..batches).map(of_batch).collect()
}

fn places(draw: &Draw) -> Vec<usize> {
    let Draw::Nested(NestedDraw { steps, .. }) = draw else {
        panic!("{draw:?}");
    };
    steps.iter().map(|(place, _)| *place).collect()
}

#[test]
fn words_of_operations() {
    use TensorOperation as Op;
    let minus = '\u{2212}';
    for (operations, words) in [
        (vec![], String::new()),
        (
            vec![Op::Contrast(1.2), Op::Hue(-0.1)],
            format!("contrast ×1.20, hue {minus}36°"),
        ),
        (
            vec![Op::Brightness(0.5), Op::Saturation(0.0)],
            "brightness ×0.50, grey".to_owned(),
        ),
        (
            vec![Op::Channels([2, 0, 1]), Op::Equalize, Op::Invert],
            "channels BRG, equalized, inverted".to_owned(),
        ),
        (
            vec![Op::ShearX(0.09), Op::TranslateY(-14), Op::Rotate(9.0)],
            format!("shear +0.09 x, shift {minus}14 px H, +9.0°"),
        ),
        (
            vec![
                Op::Posterize(1),
                Op::Solarize(128.0),
                Op::SolarizeShare(0.7),
            ],
            "1 bit, inverted from 128, inverted from 70%".to_owned(),
        ),
        (
            vec![Op::Blur([5, 5], 1.234), Op::Sharpness(2.0), Op::Identity],
            "blur 1.23, sharpness ×2.00, identity".to_owned(),
        ),
    ] {
        let draw = Draw::Operations(OperationsDraw { operations });
        assert_eq!(draw.words(), words);
    }
    let mixture = Draw::Mixture(MixtureDraw {
        own: 0.4,
        chains: vec![(0.6, vec![Op::AutoContrast, Op::Rotate(3.0)])],
    });
    assert_eq!(mixture.words(), "40% photo, 60% of 1 chain");
    let meaning = mixture.meaning().unwrap();
    assert_eq!(meaning, "60% auto contrast, +3.0°");
    let upside_down = Draw::Operations(OperationsDraw {
        operations: vec![Op::Rotate(-117.0)],
    });
    assert!(upside_down.is_upside_down());
}

#[test]
fn lists_of_transforms_draw_as_they_say() {
    let n = 3_000;
    let apply = read("v2.RandomApply([v2.RandomInvert(1.0), v2.ColorJitter(0.3)], p=0.3)");
    let both = draws(&apply, n, 1);
    let happened = both.iter().filter(|draws| places(&draws[0]) == [0, 1]);
    let share = happened.count() as f64 / n as f64;
    assert!((share - 0.3).abs() < 0.03, "{share}");

    let choice = read("v2.RandomChoice([v2.RandomInvert(), v2.RandomGrayscale()], p=[1, 3])");
    let first = draws(&choice, n, 1);
    let first = first.iter().filter(|draws| places(&draws[0]) == [0]);
    let share = first.count() as f64 / n as f64;
    assert!((share - 0.25).abs() < 0.03, "{share}");

    let order = read("v2.RandomOrder([v2.RandomInvert(), v2.RandomGrayscale()])");
    let turned = draws(&order, n, 1);
    let turned = turned.iter().filter(|draws| places(&draws[0]) == [1, 0]);
    let share = turned.count() as f64 / n as f64;
    assert!((share - 0.5).abs() < 0.03, "{share}");
}

#[test]
fn one_of_two_mixtures_is_chosen_for_a_batch() {
    let code = "v2.RandomChoice([v2.CutMix(num_classes=5), v2.MixUp(alpha=0.4, num_classes=5)])";
    let choice = read(code);
    assert!(choice.mixes_labels() && choice.mixes_images());
    let images: Vec<Image> = (1..4).map(|i| flat(40.0 * i as f32)).collect();
    let images: Vec<&Image> = images.iter().collect();
    let mut chosen = [0, 0];
    for drawn in draws(&choice, 60, 3) {
        assert!(drawn.iter().all(|draw| places(draw) == places(&drawn[0])));
        chosen[places(&drawn[0])[0]] += 1;
        let shares = drawn.iter().map(|draw| draw.partner().unwrap().1);
        assert!(
            shares
                .clone()
                .all(|share| Some(share) == shares.clone().next())
        );
        let all: Vec<Vec<Draw>> = drawn.iter().map(|draw| vec![draw.clone()]).collect();
        let drawn: Vec<&Draw> = drawn.iter().collect();
        let mixed = choice.apply_batch(&drawn, &images, PixelType::Float);
        for (i, target) in Pipeline::targets(&all).into_iter().enumerate() {
            // Both mix the mean as they mix the labels.
            let expected = target
                .iter()
                .map(|(from, share)| share * 40.0 * (from + 1) as f64);
            let values = &mixed[i].pixels_hwc;
            let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / values.len() as f64;
            assert!((mean - expected.sum::<f64>()).abs() < 1e-3, "{mean}");
        }
    }
    assert!(chosen.iter().all(|&n| n > 15), "{chosen:?}");
}

/// An image of one value.
fn flat(value: f32) -> Image {
    let mut image = test_image(12, 10, 3);
    image.pixels_hwc.fill(value);
    image
}

#[test]
fn a_list_keeps_its_code_and_refuses_none() {
    for code in [
        "v2.RandomApply([v2.RandomPosterize(3), v2.RandomInvert(p=0.2)], p=0.3)",
        "v2.RandomOrder([v2.RandomChoice([v2.RandomInvert()]), v2.GaussianBlur((5, 3))])",
        "v2.AutoAugment(v2.AutoAugmentPolicy.SVHN)",
    ] {
        let layer = read(code);
        assert_eq!(read(&layer.code()), layer, "{}", layer.code());
    }
    let text = "from torchvision.transforms import RandomApply, GaussianBlur\n\
                RandomApply(torch.nn.ModuleList([GaussianBlur(3)]), p=.1)";
    assert_eq!(
        read(text),
        read("v2.RandomApply([v2.GaussianBlur(3)], p=0.1)")
    );
    for code in [
        "v2.RandomApply([])",
        "v2.RandomApply([v2.RandomInvert(p=2)])",
    ] {
        assert!(Pipeline::from_code(code).is_err(), "{code}");
    }
    let deep = "v2.RandomApply([".repeat(60) + &"])".repeat(60);
    assert!(Pipeline::from_code(&deep).is_err());
}

#[test]
fn keras_pipeline_draws_its_layers_in_order() {
    let flip = RandomFlip {
        mode: FlipMode::Horizontal,
    };
    let rescaling = Rescaling {
        scale: 0.5,
        offset: 1.0,
    };
    let layers = [Transform::from(flip), rescaling.into()].map(layer).into();
    let list = layer(Transform::LayerList(LayerList { layers }));
    assert_eq!(list.class(), "Pipeline");
    let image = test_image(12, 10, 3);
    let halved = |x: &f32| x * 0.5 + 1.0;
    let expected: Vec<f32> = image.pixels_hwc.iter().map(halved).collect();
    assert_eq!(
        list.inference(Semantics::Keras3, &image).pixels_hwc,
        expected
    );
    let mut flipped = 0;
    for drawn in draws(&list, 40, 1) {
        let out = list.apply(&drawn[0], &image);
        if drawn[0].words() == "flipped" {
            flipped += 1;
            assert_eq!(out.pixels_hwc[0], expected[27]);
        } else {
            assert_eq!(out.pixels_hwc, expected);
        }
    }
    assert!((10..30).contains(&flipped), "{flipped}");
}
