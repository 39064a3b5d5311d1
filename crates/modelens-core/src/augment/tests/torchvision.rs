//! What each transform makes of pinned draws, and how its draws are distributed, compared with torchvision
//! (`augment_torchvision.npz`, made by `make_augment_torchvision.py`). Every transform is read from its code.

use std::collections::BTreeMap;
use std::fs::File;

use npyz::NpyFile;
use serde::Deserialize;
use zip::ZipArchive;

use super::super::*;
use super::distributions::distance;
use super::golden::{fixture, path};

/// On the 0 to 255 scale, where floats are compared.
const TOLERANCE: f32 = 0.01;
/// How far two distribution functions may be apart; see [`super::distributions`].
const APART: f64 = 0.06;
/// Draws of ours for each transform.
const N: u64 = 3_000;

#[derive(Deserialize)]
struct Case {
    key: String,
    code: String,
    /// The name of the input.
    image: String,
    /// One for each step.
    draws: Vec<Draw>,
    /// True for 8-bit images, where nothing may differ.
    exact: bool,
}

#[derive(Deserialize)]
struct Distribution {
    code: String,
    size: [usize; 2],
    /// 21 quantiles, from the smallest to the largest number, by the name of the quantity.
    quantities: BTreeMap<String, Vec<f64>>,
    /// The share of images that changed.
    applied: f64,
}

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
    distributions: Vec<Distribution>,
}

fn read_fixture() -> (Fixture, ZipArchive<File>) {
    let text = std::fs::read_to_string(path("augment_torchvision.json")).unwrap();
    let archive = fixture("augment_torchvision.npz");
    (serde_json::from_str(&text).unwrap(), archive)
}

/// The shape and the values of an array, of bytes or of floats.
fn array(archive: &mut ZipArchive<File>, key: &str) -> (Vec<usize>, Vec<f32>) {
    let entry = archive.by_name(&format!("{key}.npy")).unwrap();
    let array = NpyFile::new(entry).unwrap();
    let shape = array.shape().iter().map(|&side| side as usize).collect();
    let values = match array.try_data::<f32>() {
        Ok(floats) => floats.map(Result::unwrap).collect(),
        Err(array) => {
            let bytes = array.into_vec::<u8>().unwrap();
            bytes.into_iter().map(f32::from).collect()
        }
    };
    (shape, values)
}

fn image(archive: &mut ZipArchive<File>, key: &str) -> Image {
    let (shape, pixels_hwc) = array(archive, key);
    let [height, width, channels] = shape[..] else {
        panic!("{key} has shape {shape:?}");
    };
    Image {
        height,
        width,
        channels,
        pixels_hwc,
    }
}

/// The pipeline of a case with its draws; "float" images become floats first.
fn pipeline(case: &Case) -> (Pipeline, Vec<Draw>) {
    let mut pipeline =
        Pipeline::from_code(&case.code).unwrap_or_else(|why| panic!("{}: {why}", case.code));
    let mut draws = case.draws.clone();
    if case.image == "float" {
        let to_floats = Pipeline::from_code("v2.ToDtype(torch.float32, scale=True)").unwrap();
        pipeline.steps.splice(0..0, to_floats.steps);
        draws.insert(0, Draw::Nothing);
    }
    (pipeline, draws)
}

fn input(archive: &mut ZipArchive<File>, name: &str) -> Image {
    image(archive, if name == "float" { "noise" } else { name })
}

/// The largest difference on the 0 to 255 scale.
fn worst(case: &Case, ours: &Image, theirs: &Image) -> f32 {
    let size = |image: &Image| [image.height, image.width, image.channels];
    assert_eq!(size(ours), size(theirs), "{}", case.code);
    let pairs = ours.pixels_hwc.iter().zip(&theirs.pixels_hwc);
    let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    if case.image == "float" {
        255.0 * worst
    } else {
        worst
    }
}

#[test]
fn every_transform_makes_torchvisions_pixels() {
    let (Fixture { cases, .. }, mut archive) = read_fixture();
    let mut wrong = Vec::new();
    for case in cases.iter().filter(|case| !case.draws.is_empty()) {
        let input = input(&mut archive, &case.image);
        let theirs = image(&mut archive, &case.key);
        let (pipeline, draws) = pipeline(case);
        let ours = pipeline.apply(&draws, &input);
        // Step by step, images are floats, as they always are on a page.
        let by_steps = draws
            .iter()
            .enumerate()
            .fold(AnyImage::from(input.clone()), |image, (step, draw)| {
                pipeline.apply_step(step, &[draw], &[image]).remove(0)
            });
        let by_steps = by_steps.into_floats();
        assert!(ours == by_steps, "{} of bytes and of floats", case.code);
        let worst = worst(case, &ours, &theirs);
        let allowed = if case.exact { 0.0 } else { TOLERANCE };
        if worst > allowed {
            let image = &case.image;
            wrong.push(format!(
                "{} of {image} {:?}: off by {worst}",
                case.code, case.draws
            ));
        }
        let [height, width] =
            pipeline.drawn_size(Semantics::PyTorch, &draws, input.height, input.width);
        assert_eq!(
            [height, width],
            [theirs.height, theirs.width],
            "{}",
            case.code
        );
    }
    assert!(cases.len() > 200, "{} cases", cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_elastic_transform_bends_as_torchvisions_does() {
    let (Fixture { cases, .. }, mut archive) = read_fixture();
    let (shape, noise) = array(&mut archive, "elastic_noise");
    let size = [shape[1], shape[2]];
    let noise: Vec<f32> = noise.into_iter().map(|unit| unit * 2.0 - 1.0).collect();
    let (x, y) = noise.split_at(size[0] * size[1]);
    let elastic = |case: &&Case| case.key.starts_with("elastic");
    assert_eq!(cases.iter().filter(elastic).count(), 3);
    for case in cases.iter().filter(elastic) {
        let (pipeline, _) = pipeline(case);
        let layer = &pipeline.steps.last().unwrap().layer;
        let Transform::V2Elastic(layer) = &layer.transform else {
            panic!("{layer:?}");
        };
        let displacement = layer.displacement(size, [x.to_vec(), y.to_vec()]);
        let (_, theirs) = array(&mut archive, &case.key);
        for (place, pair) in theirs.chunks(2).enumerate() {
            let ours = [displacement[0][place], displacement[1][place]];
            let apart = (ours[0] - pair[0]).abs().max((ours[1] - pair[1]).abs());
            assert!(apart < 1e-5, "{}: {ours:?} and {pair:?}", case.code);
        }
        let mut input = input(&mut archive, &case.image);
        let mut pixels = PixelType::Uint8;
        if case.image == "float" {
            pixels = PixelType::Float;
            input
                .pixels_hwc
                .iter_mut()
                .for_each(|value| *value /= 255.0);
        }
        let theirs = image(&mut archive, &format!("{}_out", case.key));
        let worst = worst(case, &layer.bend(&input, &displacement, pixels), &theirs);
        assert!(worst <= TOLERANCE, "{}: off by {worst}", case.code);
    }
}

#[test]
fn every_transform_draws_as_torchvision_does() {
    let (Fixture { distributions, .. }, _) = read_fixture();
    let mut wrong = Vec::new();
    for own in &distributions {
        let pipeline = Pipeline::from_code(&own.code).unwrap();
        let [height, width] = own.size;
        let draws = |batch: u64| {
            let drawn = pipeline.draw_batch(Semantics::PyTorch, 7, &[batch], 1, height, width);
            drawn.into_iter().next().unwrap().remove(0)
        };
        let draws: Vec<Draw> = (0..N).map(draws).collect();
        let acting = draws.iter().filter(|draw| !draw.words().is_empty());
        let applied = acting.clone().count() as f64 / N as f64;
        if (applied - own.applied).abs() > 0.03 {
            wrong.push(format!("{}: {applied} of {}", own.code, own.applied));
        }
        let quantities = own.quantities.iter();
        for (name, quantiles) in quantities.filter(|(name, _)| !name.starts_with("displacement")) {
            let drawn = acting.clone().filter_map(|draw| {
                let quantities = draw.quantities();
                let own = quantities.iter().find(|(own, _)| own == name);
                own.map(|(_, number)| *number)
            });
            let drawn: Vec<f64> = drawn.collect();
            assert!(drawn.len() > 900, "{} has no `{name}`", own.code);
            let apart = distance(&drawn, quantiles);
            if apart > APART {
                wrong.push(format!("{} {name}: {apart:.3} apart", own.code));
            }
        }
    }
    assert!(distributions.len() > 15);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn elastic_noise_has_torchvisions_spread() {
    let (Fixture { distributions, .. }, _) = read_fixture();
    let own = distributions
        .iter()
        .find(|own| own.code.contains("Elastic"));
    let own = own.unwrap();
    let Pipeline { steps } = Pipeline::from_code(&own.code).unwrap();
    let Transform::V2Elastic(layer) = &steps[0].layer.transform else {
        panic!("{steps:?}");
    };
    let [height, width] = own.size;
    let place = 5 * width + 6;
    let noise = torchvision::ElasticTransform::noise;
    let mut found = [Vec::new(), Vec::new()];
    for seed in 0..1_500 {
        let displacement = layer.displacement(own.size, noise(seed, height * width));
        for (found, values) in found.iter_mut().zip(&displacement) {
            found.push(f64::from(values[place]));
        }
    }
    for (name, found) in ["displacement_x", "displacement_y"].into_iter().zip(&found) {
        let apart = distance(found, &own.quantities[name]);
        assert!(apart < APART, "{name}: {apart}");
    }
}

#[test]
fn a_pipeline_of_torchvision_is_never_off_and_counts_its_values() {
    let flip = Pipeline::from_code("v2.RandomHorizontalFlip()").unwrap();
    let resize = Pipeline::from_code("v2.Resize(9)").unwrap();
    for semantics in Semantics::ALL {
        assert!(flip.is_never_off(semantics));
        assert!(!resize.is_never_off(semantics), "it does not draw");
    }
    let code = "v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), \
                v2.Normalize([0.5], [0.5])])";
    let range = Pipeline::from_code(code).unwrap().value_range(0);
    assert_eq!(range, [-1.0, 1.0]);
    let pipeline = Pipeline::from_code(code).unwrap();
    let image = super::test_image(4, 5, 3);
    let back = pipeline.in_photo_range(pipeline.inference(Semantics::PyTorch, &image));
    for (own, back) in image.pixels_hwc.iter().zip(&back.pixels_hwc) {
        assert!((own - back).abs() < 1e-3, "{own} and {back}");
    }
    // An image of floats becomes an 8-bit one before the first transform, and stays floats after ToDtype.
    let grey = Image {
        height: 1,
        width: 1,
        channels: 1,
        pixels_hwc: vec![100.4],
    };
    let of = |code: &str| {
        let pipeline = Pipeline::from_code(code).unwrap();
        pipeline.inference(Semantics::PyTorch, &grey).pixels_hwc[0]
    };
    assert_eq!(of("v2.ToImage()"), 100.0);
    assert_eq!(of("v2.Compose([v2.ToTensor()])"), 100.0 / 255.0);
    assert_eq!(of("layers.Rescaling(2.0), v2.ToImage()"), 201.0);
}

#[test]
fn images_of_drawn_sizes_are_drawn_for_in_their_own_size() {
    let code = "v2.RandomZoomOut(side_range=(2, 4), p=0.5), v2.RandomResizedCrop(8)";
    let pipeline = Pipeline::from_code(code).unwrap();
    let batch = pipeline.draw_batch(Semantics::PyTorch, 7, &[], 40, 20, 30);
    let image = Image {
        height: 20,
        width: 30,
        channels: 1,
        pixels_hwc: vec![7.0; 600],
    };
    let mut beyond = 0;
    for draws in &batch {
        let done = pipeline.apply(draws, &image);
        assert_eq!([done.height, done.width], [8, 8]);
        let Draw::V2ResizedCrop(draw) = draws[1] else {
            panic!("{draws:?}");
        };
        beyond += usize::from(draw.cut.height > 20);
    }
    assert!(beyond > 5, "{beyond} boxes are larger than the photo");
}

#[test]
fn the_page_of_layers_lists_every_transform() {
    let page = include_str!("../../../../../docs/layers.md");
    let (_, rest) = page.split_once("## Transforms of torchvision").unwrap();
    let listed = rest.split("\n## ").next().unwrap();
    for transform in Transform::all(1, 1) {
        if transform.framework() == Framework::Torchvision {
            let class = transform.class().trim_start_matches("v2.");
            assert!(listed.contains(&format!("`{class}`")), "{class}");
        }
    }
}

#[test]
fn images_of_any_size_have_the_announced_one_afterwards() {
    for [height, width, channels] in [[1, 1, 1], [1, 7, 3], [5, 1, 3], [9, 12, 1], [16, 16, 3]] {
        let image = super::test_image(height, width, channels);
        let all = Transform::all(height, width).into_iter();
        for transform in all.filter(|own| own.framework() == Framework::Torchvision) {
            let class = transform.class();
            let floats = "v2.ToDtype(torch.float32, scale=True)";
            let own = AugmentLayer::from(transform);
            for floats_first in [false, true] {
                let before = floats_first
                    .then(|| Pipeline::from_code(floats).unwrap().steps.remove(0).layer);
                let pipeline: Pipeline = before.into_iter().chain([own.clone()]).collect();
                assert_eq!(pipeline.validate(), Ok(()), "{class}");
                for draws in pipeline.draw_batch(Semantics::PyTorch, 3, &[], 6, height, width) {
                    let made = pipeline.apply(&draws, &image);
                    let size = pipeline.drawn_size(Semantics::PyTorch, &draws, height, width);
                    assert_eq!([made.height, made.width], size, "{class}");
                    assert_eq!(
                        made.pixels_hwc.len(),
                        size[0] * size[1] * made.channels,
                        "{class}"
                    );
                    let moves = pipeline.input_from_output(&draws, height, width);
                    assert!(
                        moves.is_none_or(|matrix| matrix.iter().all(|v| v.is_finite())),
                        "{class}"
                    );
                }
            }
        }
    }
}

/// The matrix that the window shows is that of the pixels: a rotation of a smooth image is what sampling by
/// the matrix gives.
#[test]
fn the_shown_matrix_says_where_the_pixels_come_from() {
    let [height, width] = [24, 32];
    let pixels_hwc = (0..height * width)
        .map(|i| (5 * (i / width) + 3 * (i % width)) as f32)
        .collect();
    let image = Image {
        height,
        width,
        channels: 1,
        pixels_hwc,
    };
    for code in [
        "v2.RandomRotation((20, 30), interpolation=InterpolationMode.BILINEAR)",
        "v2.RandomAffine((-20, -10), (0.1, 0.1), (0.8, 0.9), (3, 9), InterpolationMode.BILINEAR)",
        "v2.RandomPerspective(0.3, p=1)",
    ] {
        let pipeline = Pipeline::from_code(code).unwrap();
        let draws = pipeline
            .draw_batch(Semantics::PyTorch, 5, &[], 1, height, width)
            .remove(0);
        let made = pipeline.apply(&draws, &image);
        let matrix = pipeline.input_from_output(&draws, height, width).unwrap();
        let mut seen = 0;
        for y in 0..height {
            for x in 0..width {
                let [from_x, from_y] = geometry::apply(&matrix, [x as f64, y as f64]);
                let inside = from_x > 0.0 && from_y > 0.0;
                if inside && from_x < width as f64 - 1.0 && from_y < height as f64 - 1.0 {
                    let expected = 5.0 * from_y + 3.0 * from_x;
                    let own = f64::from(made.pixels_hwc[y * width + x]);
                    assert!(
                        (own - expected).abs() < 0.51,
                        "{code}: {own} and {expected}"
                    );
                    seen += 1;
                }
            }
        }
        assert!(seen > 200, "{code}: {seen}");
    }
}
