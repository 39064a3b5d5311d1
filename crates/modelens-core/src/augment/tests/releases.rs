//! How releases of Keras 3 draw (`augment_releases.json`, made by `make_augment_releases.py`): what the sentences on
//! differences claim.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::*;
use super::distributions::distance;
use super::golden::path;
use super::layers::read;

const SIDE: usize = 33;
/// Draws of ours for each layer.
const N: u64 = 3_000;
/// As for the present release; each sample has 1,200 numbers, or 600 if two images share one.
const APART: f64 = 0.07;

#[derive(Deserialize)]
struct Measured {
    class: String,
    config: Map<String, Value>,
    once_per_batch: bool,
    quantities: BTreeMap<String, Vec<f64>>,
    /// For `training=False`: the size, and the places of the first and the last pixel.
    inference: Option<([usize; 2], [f32; 2], [f32; 2])>,
}

/// The numbers of a draw as they are read from pixels.
fn quantity(draw: &Draw, name: &str) -> f64 {
    let found = |name: &str| {
        let quantities = draw.quantities();
        let own = quantities.iter().find(|(own, _)| *own == name);
        own.map(|(_, number)| *number)
    };
    if name == "flipped_both" {
        return found("flipped_left_right").unwrap() * found("flipped_top_bottom").unwrap();
    }
    // The generator reads matrices.
    let matrix = draw.input_from_output(SIDE, SIDE);
    let shift = |of: usize| -matrix.unwrap()[of];
    match name {
        "zoom_y" => matrix.unwrap()[4],
        "zoom_x" => matrix.unwrap()[0],
        "shift_rows" => shift(5),
        "shift_columns" => shift(2),
        _ => found(name).unwrap_or_else(|| panic!("{draw:?} has no {name}")),
    }
}

#[test]
fn up_to_3_5_flips_and_contrast_are_drawn_as_in_keras_2() {
    let text = std::fs::read_to_string(path("augment_releases.json")).unwrap();
    let releases: BTreeMap<String, Vec<Measured>> = serde_json::from_str(&text).unwrap();
    assert!(releases.len() >= 5, "{:?}", releases.keys());
    for (release, layers) in releases {
        let minor: u32 = release.split('.').nth(1).unwrap().parse().unwrap();
        for measured in layers {
            let layer = read(&measured.class, &measured.config);
            let as_keras_2 =
                minor < 6 && ["RandomFlip", "RandomContrast"].contains(&measured.class.as_str());
            let semantics = if as_keras_2 {
                Semantics::Keras2
            } else {
                Semantics::Keras3
            };
            let draws =
                |n: usize, batch: u64| layer.draw_batch(semantics, 7, &[batch], n, SIDE, SIDE);
            let pair = |batch: u64| draws(2, batch);
            let shared = (0..20).all(|batch| pair(batch)[0] == pair(batch)[1]);
            assert_eq!(
                shared, measured.once_per_batch,
                "{release} {}",
                measured.class
            );
            for (name, quantiles) in &measured.quantities {
                let ours: Vec<f64> = (0..N)
                    .map(|batch| quantity(&draws(1, batch)[0], name))
                    .collect();
                // Pixels between two others give no more than four digits.
                let rounded: Vec<f64> = ours.iter().map(|&x| nearest_of(x, quantiles)).collect();
                let apart = distance(&rounded, quantiles);
                assert!(apart < APART, "{release} {} {name}: {apart}", layer.code());
            }
            if let Some((size, first, last)) = measured.inference {
                let image = gradient();
                let made = |semantics| {
                    let made = layer.inference(semantics, &image);
                    let n = made.pixels_hwc.len();
                    let at = |i: usize| [made.pixels_hwc[i], made.pixels_hwc[i + 1]];
                    ([made.height, made.width], at(0), at(n - 3))
                };
                let close = |(s, f, l): ([usize; 2], [f32; 2], [f32; 2])| {
                    let near = |a: [f32; 2], b: [f32; 2]| {
                        a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-3)
                    };
                    s == size && near(f, first) && near(l, last)
                };
                let [two, three] = [Semantics::Keras2, Semantics::Keras3].map(|s| close(made(s)));
                // 3.6 and 3.7 cut a window whose corner is that of Keras 2's.
                assert_eq!((two, three), (minor < 6, minor > 7), "{release}");
            }
        }
    }
}

/// A number whose fifth digit tells it from a quantile is that quantile.
fn nearest_of(x: f64, quantiles: &[f64]) -> f64 {
    let near = |q: &&f64| (**q - x).abs() < 1e-4 * q.abs().max(1e-2);
    quantiles.iter().find(near).copied().unwrap_or(x)
}

/// The generator's image: column, row, and values far from both ends of the range.
fn gradient() -> Image {
    let pixel = |i: usize| {
        let (row, column) = ((i / SIDE) as f32, (i % SIDE) as f32);
        [column, row, 100.0 + column / 4.0]
    };
    Image {
        height: SIDE,
        width: SIDE,
        channels: 3,
        pixels_hwc: (0..SIDE * SIDE).flat_map(pixel).collect(),
    }
}
