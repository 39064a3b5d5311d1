//! Comparison with what Keras 2 and Keras 3 computed (`tests/fixtures`).

use std::fs::File;
use std::path::PathBuf;

use npyz::NpyFile;
use zip::ZipArchive;

use super::super::*;
use super::layer;

/// On the 0 to 255 scale; 32-bit rounding of white noise stays ten times below.
const TOLERANCE: f32 = 0.01;

/// The path of a fixture of operations: from the folder that `MODELENS_GOLDEN` names; where it has none, from the one beside the tests.
pub fn path(name: &str) -> PathBuf {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/golden");
    let chosen = std::env::var_os("MODELENS_GOLDEN").map(PathBuf::from);
    let chosen = chosen
        .map(|root| root.join("ops").join(name))
        .filter(|path| path.exists());
    chosen.unwrap_or_else(|| PathBuf::from(own).join("ops").join(name))
}

pub fn fixture(name: &str) -> ZipArchive<File> {
    let path = path(name);
    let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    ZipArchive::new(file).unwrap()
}

/// The array `[1, H, W, C]` as an image.
fn image(archive: &mut ZipArchive<File>, key: &str) -> Image {
    let entry = archive.by_name(&format!("{key}.npy")).unwrap();
    let array = NpyFile::new(entry).unwrap();
    let shape = array.shape().to_vec();
    let [1, height, width, channels] = shape[..] else {
        panic!("{key} has shape {shape:?}");
    };
    Image {
        height: height as usize,
        width: width as usize,
        channels: channels as usize,
        pixels_hwc: array.into_vec().unwrap(),
    }
}

/// The layer and the pinned draw of a key.
fn case(key: &str) -> Option<(AugmentLayer, Draw)> {
    let parts: Vec<&str> = key.split('/').collect();
    let number = |text: &str| text.parse::<f64>().unwrap();
    let sampling = |fill: &str, interpolation: &str| Sampling {
        fill_mode: FillMode::from_name(fill).unwrap(),
        interpolation: Interpolation::from_name(interpolation).unwrap(),
        fill_value: 0.0,
    };
    let pinned = |value: f64| Factor::Pair(value, value);
    let flip = |left_right: bool| {
        let transform = Transform::Flip(RandomFlip::default());
        let draw = Draw::Flip(FlipDraw {
            left_right,
            top_bottom: !left_right,
        });
        Some((transform, draw))
    };
    let resizing = |size: &str, crop_to_aspect_ratio: bool| {
        let (height, width) = size.split_once('x').unwrap();
        let transform = Transform::Resizing(Resizing {
            height: height.parse().unwrap(),
            width: width.parse().unwrap(),
            interpolation: Interpolation::Bilinear,
            crop_to_aspect_ratio,
        });
        Some((transform, Draw::Nothing))
    };
    let (transform, draw) = match parts[..] {
        ["rotation", turns, fill, interpolation] => Some((
            Transform::Rotation(RandomRotation {
                factor: pinned(number(turns)),
                sampling: sampling(fill, interpolation),
            }),
            Draw::Rotation(RotationDraw {
                turns: number(turns),
            }),
        )),
        ["zoom", y, x, fill, interpolation] => Some((
            Transform::Zoom(RandomZoom {
                height_factor: pinned(number(y)),
                width_factor: Some(pinned(number(x))),
                sampling: sampling(fill, interpolation),
            }),
            Draw::Zoom(ZoomDraw {
                y: 1.0 + number(y),
                x: 1.0 + number(x),
            }),
        )),
        ["translation", y, x, fill, interpolation] => Some((
            Transform::Translation(RandomTranslation {
                height_factor: pinned(number(y)),
                width_factor: pinned(number(x)),
                sampling: sampling(fill, interpolation),
            }),
            Draw::Translation(TranslationDraw {
                y: number(y),
                x: number(x),
            }),
        )),
        ["brightness", delta] => Some((
            Transform::Brightness(RandomBrightness {
                factor: pinned(number(delta)),
                value_range: [0.0, 255.0],
            }),
            Draw::Brightness(BrightnessDraw {
                delta: number(delta) * 255.0,
            }),
        )),
        ["flip_horizontal"] => flip(true),
        ["flip_vertical"] => flip(false),
        ["resize", size] => resizing(size, false),
        ["resize_crop", size] => resizing(size, true),
        _ => None,
    }?;
    Some((layer(transform), draw))
}

fn assert_close(key: &str, ours: &Image, theirs: &Image) {
    assert_eq!(
        [ours.height, ours.width, ours.channels],
        [theirs.height, theirs.width, theirs.channels],
        "{key}"
    );
    let worst = ours
        .pixels_hwc
        .iter()
        .zip(&theirs.pixels_hwc)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    assert!(worst <= TOLERANCE, "{key}: off by {worst}");
}

fn check(name: &str, semantics: Semantics) {
    let mut archive = fixture(name);
    let input = image(&mut archive, "image_nhwc");
    let keys: Vec<String> = archive
        .file_names()
        .map(|entry| entry.unwrap().trim_end_matches(".npy").to_owned())
        .filter(|key| key != "image_nhwc")
        .collect();
    assert!(keys.len() > 50, "{name} has {} cases", keys.len());
    for key in &keys {
        let theirs = image(&mut archive, key);
        let (layer, draw) = case(key).unwrap_or_else(|| panic!("{name}: unknown case {key}"));
        assert_eq!(layer.validate(), Ok(()), "{key}");
        assert_close(key, &layer.apply(&draw, &input), &theirs);
        // Equal ends pin the draw as well, except that of a flip.
        if !key.starts_with("flip") {
            let drawn = layer.draw_batch(semantics, 7, &[], 1, input.height, input.width);
            assert_close(key, &layer.apply(&drawn[0], &input), &theirs);
        }
    }
}

#[test]
fn keras_2() {
    check("augment_keras2.npz", Semantics::Keras2);
}

#[test]
fn keras_3() {
    check("augment_keras3.npz", Semantics::Keras3);
}
