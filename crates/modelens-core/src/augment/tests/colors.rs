//! What torchvision's colour transforms and policies make of pinned draws, and how their draws are
//! distributed (`augment_colors.npz`, made by `make_augment_colors.py`). Every transform is read from code.

use std::collections::BTreeMap;

use npyz::NpyFile;
use serde::Deserialize;

use super::super::*;
use super::distributions::distance;
use super::golden::{fixture, path};

/// On the 0 to 255 scale, for floats.
const TOLERANCE: f32 = 0.01;
/// Draws of ours for each transform.
const N: u64 = 4_000;
/// How far two distribution functions may be apart, and two shares: see `distributions.rs`.
const APART: f64 = 0.06;

#[derive(Deserialize)]
struct Case {
    key: String,
    code: String,
    /// The name of the input.
    image: String,
    pixels: String,
    draw: Draw,
    /// True where nothing may differ.
    exact: bool,
}

#[derive(Deserialize)]
struct Batch {
    key: String,
    code: String,
    draws: Vec<Draw>,
    /// The shares of the two labels.
    labels: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Quantity {
    /// How often an image gets it.
    count: f64,
    /// 21 numbers from the smallest to the largest.
    quantiles: Vec<f64>,
}

#[derive(Deserialize)]
struct Distribution {
    code: String,
    size: [usize; 2],
    quantities: BTreeMap<String, Quantity>,
}

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
    batches: Vec<Batch>,
    distributions: Vec<Distribution>,
}

fn read() -> Fixture {
    let text = std::fs::read_to_string(path("augment_colors.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The one transform that the code makes.
fn transform(code: &str) -> AugmentLayer {
    let pipeline = Pipeline::from_code(code).unwrap_or_else(|error| panic!("{code}: {error}"));
    assert_eq!(pipeline.steps.len(), 1, "{code}");
    pipeline.steps.into_iter().next().unwrap().layer
}

type Archive = zip::ZipArchive<std::fs::File>;

fn image(archive: &mut Archive, key: &str) -> Image {
    let array = NpyFile::new(archive.by_name(&format!("{key}.npy")).unwrap()).unwrap();
    let [height, width, channels] = [0, 1, 2].map(|axis| array.shape()[axis] as usize);
    Image {
        height,
        width,
        channels,
        pixels_hwc: array.into_vec().unwrap(),
    }
}

/// The image as 8 bits, or as floats from 0 to 1.
fn input(archive: &mut Archive, name: &str, pixels: PixelType) -> Image {
    let mut image = image(archive, name);
    if pixels == PixelType::Float {
        for value in &mut image.pixels_hwc {
            *value *= 1.0 / 255.0;
        }
    }
    image
}

fn pixel_type(name: &str) -> PixelType {
    match name {
        "Uint8" => PixelType::Uint8,
        "Float" => PixelType::Float,
        other => panic!("{other}"),
    }
}

/// The largest difference, on the 0 to 255 scale.
fn worst(ours: &Image, theirs: &Image, pixels: PixelType) -> f32 {
    assert_eq!(
        [ours.height, ours.width, ours.channels],
        [theirs.height, theirs.width, theirs.channels]
    );
    let pairs = ours.pixels_hwc.iter().zip(&theirs.pixels_hwc);
    let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    worst * 255.0 / pixels.bound()
}

#[test]
fn colors_have_torchvisions_pixels() {
    let Fixture { cases, .. } = read();
    let mut archive = fixture("augment_colors.npz");
    let mut wrong = Vec::new();
    for case in &cases {
        let pixels = pixel_type(&case.pixels);
        let input = input(&mut archive, &case.image, pixels);
        let theirs = image(&mut archive, &case.key);
        let ours = transform(&case.code).apply_as(&case.draw, &input, pixels);
        let worst = worst(&ours, &theirs, pixels);
        if worst > if case.exact { 0.0 } else { TOLERANCE } {
            let Case {
                key,
                code,
                image,
                draw,
                ..
            } = case;
            wrong.push(format!("{key} {code} {image} {pixels:?} {draw:?}: {worst}"));
        }
    }
    assert!(cases.len() > 300, "{} cases", cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn batches_are_mixed_as_in_torchvision() {
    let Fixture { batches, .. } = read();
    let mut archive = fixture("augment_colors.npz");
    assert!(!batches.is_empty());
    for Batch {
        key,
        code,
        draws,
        labels,
    } in &batches
    {
        let pixels = PixelType::Float;
        let inputs = ["noise", "smooth"].map(|name| input(&mut archive, name, pixels));
        let drawn: Vec<&Draw> = draws.iter().collect();
        let done = transform(code).apply_batch(&drawn, &inputs.each_ref()[..], pixels);
        for (i, done) in done.iter().enumerate() {
            let theirs = image(&mut archive, &format!("{key}/{i}"));
            let worst = worst(done, &theirs, pixels);
            assert!(worst <= TOLERANCE, "{code}: off by {worst}");
        }
        let draws: Vec<Vec<Draw>> = draws.iter().map(|draw| vec![draw.clone()]).collect();
        for (i, target) in Pipeline::targets(&draws).into_iter().enumerate() {
            for (class, share) in target {
                assert!((share - labels[i][class]).abs() < 1e-6, "{code}: {share}");
            }
        }
    }
}

#[test]
fn noise_is_added_as_torchvision_does() {
    let mut archive = fixture("augment_colors.npz");
    let normal = image(&mut archive, "normal").pixels_hwc;
    for pixels in [PixelType::Uint8, PixelType::Float] {
        for (clip, name) in [(true, "True"), (false, "False")] {
            let theirs = image(&mut archive, &format!("noise/{pixels:?}/{name}"));
            let input = input(&mut archive, "noise", pixels);
            let mut next = normal.iter().copied();
            let noise = || next.next().unwrap();
            let ours = tensors::add_noise(&input, [0.05, 0.2], clip, pixels, noise);
            let worst = worst(&ours, &theirs, pixels);
            let allowed = if pixels == PixelType::Uint8 {
                0.0
            } else {
                TOLERANCE
            };
            assert!(worst <= allowed, "{pixels:?} {clip}: off by {worst}");
        }
    }
}

#[test]
fn colors_are_drawn_as_in_torchvision() {
    let Fixture { distributions, .. } = read();
    assert!(distributions.len() > 15);
    let mut wrong = Vec::new();
    for own in &distributions {
        let layer = transform(&own.code);
        let [height, width] = own.size;
        let mut numbers: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for batch in 0..N {
            let drawn = layer.draw_batch(Semantics::PyTorch, 7, &[batch], 1, height, width);
            for (name, number) in drawn[0].quantities() {
                numbers.entry(name).or_default().push(number);
            }
        }
        for (name, Quantity { count, quantiles }) in &own.quantities {
            let drawn = numbers.get(name.as_str()).map_or(&[][..], |drawn| drawn);
            let ours = drawn.len() as f64 / N as f64;
            if (ours - count).abs() > 0.03 + 0.05 * count {
                wrong.push(format!("{} {name}: {ours} and {count}", own.code));
            }
            let apart = distance(drawn, quantiles);
            // Few numbers are further apart by chance, but not beyond this in 999 of 1,000 cases.
            let chance = 1.95 * (1.0 / drawn.len() as f64 + 1.0 / (count * N as f64)).sqrt();
            if apart > APART.max(chance) {
                wrong.push(format!("{} {name}: {apart:.3} apart", own.code));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
