//! What each layer makes of pinned draws, compared with the framework (`augment_layers.npz`, made by
//! `make_augment_keras.py`). Every layer is read from the framework's own configuration.

use npyz::NpyFile;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::*;
use super::golden::{fixture, path};

/// On the 0 to 255 scale.
const TOLERANCE: f32 = 0.01;
/// Elimination of eight equations in 32 bits moves a coordinate by about 1e-4 pixels; neighbours of the
/// smooth image differ by up to 15.
const TOLERANCE_PERSPECTIVE: f32 = 0.01;

#[derive(Deserialize)]
struct Case {
    key: String,
    class: String,
    config: Map<String, Value>,
    /// The name of the input.
    image: String,
    /// One for each image of the batch.
    draws: Vec<Draw>,
    /// True for whole numbers, where nothing may differ.
    exact: bool,
    /// The shares of the labels.
    share: Option<Vec<f64>>,
}

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
}

/// A configuration as the framework wrote it; `formats::keras` reads whole files.
struct Config<'a>(&'a Map<String, Value>);

impl Config<'_> {
    fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }
}

impl KerasConfig for Config<'_> {
    type Error = String;

    fn refuse(&self, reason: String) -> String {
        reason
    }

    fn text(&self, key: &str) -> Result<&str, String> {
        Ok(self.get(key).and_then(Value::as_str).unwrap_or_default())
    }

    fn flag(&self, key: &str) -> Result<Option<bool>, String> {
        Ok(self.get(key).and_then(Value::as_bool))
    }

    fn count(&self, key: &str) -> Result<usize, String> {
        let count = self.get(key).and_then(Value::as_u64);
        count
            .map(|count| count as usize)
            .ok_or_else(|| key.to_owned())
    }

    fn number(&self, key: &str) -> Result<Option<f64>, String> {
        Ok(self.get(key).and_then(Value::as_f64))
    }

    fn numbers(&self, key: &str) -> Result<Option<Vec<f64>>, String> {
        Ok(self.get(key).map(|value| match value {
            Value::Array(list) => list.iter().filter_map(Value::as_f64).collect(),
            value => value.as_f64().into_iter().collect(),
        }))
    }

    fn is_list(&self, key: &str) -> bool {
        self.get(key).is_some_and(Value::is_array)
    }

    fn seed(&self) -> Option<u64> {
        self.get("seed")?.as_u64()
    }
}

/// A layer from Keras' configuration.
pub fn read(class: &str, map: &Map<String, Value>) -> AugmentLayer {
    let layer = AugmentLayer::from_keras(class, &Config(map));
    let layer = layer.unwrap_or_else(|error| panic!("{class}: {error}"));
    layer.unwrap_or_else(|| panic!("{class} is not known"))
}

/// The batch `[N, H, W, C]` as images.
fn images(archive: &mut zip::ZipArchive<std::fs::File>, key: &str) -> Option<Vec<Image>> {
    let array = NpyFile::new(archive.by_name(&format!("{key}.npy")).ok()?).unwrap();
    let shape = array.shape().to_vec();
    let [_, height, width, channels] = [0, 1, 2, 3].map(|axis| shape[axis] as usize);
    let values: Vec<f32> = array.into_vec().unwrap();
    let image = |pixels: &[f32]| Image {
        height,
        width,
        channels,
        pixels_hwc: pixels.to_vec(),
    };
    Some(
        values
            .chunks(height * width * channels)
            .map(image)
            .collect(),
    )
}

fn worst(ours: &[Image], theirs: &[Image]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let mut worst = 0.0_f32;
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert_eq!(
            [ours.height, ours.width, ours.channels],
            [theirs.height, theirs.width, theirs.channels]
        );
        for (a, b) in ours.pixels_hwc.iter().zip(&theirs.pixels_hwc) {
            worst = worst.max((a - b).abs());
        }
    }
    worst
}

#[test]
fn every_layer_makes_the_frameworks_pixels() {
    let text = std::fs::read_to_string(path("augment_layers.json")).unwrap();
    let Fixture { cases } = serde_json::from_str(&text).unwrap();
    let mut archive = fixture("augment_layers.npz");
    let mut wrong = Vec::new();
    for case in &cases {
        let own_input = images(&mut archive, &format!("{}_in", case.key));
        let input = own_input
            .or_else(|| images(&mut archive, &case.image))
            .unwrap();
        let theirs = images(&mut archive, &case.key).unwrap();
        let layer = read(&case.class, &case.config);
        let scale = if case.image == "unit" { 255.0 } else { 1.0 };
        let draws: Vec<&Draw> = case.draws.iter().collect();
        let inputs: Vec<&Image> = input.iter().collect();
        let worst = scale
            * worst(
                &layer.apply_batch(&draws, &inputs, PixelType::Uint8),
                &theirs,
            );
        let allowed = match layer.transform {
            _ if case.exact => 0.0,
            Transform::Perspective(_) => TOLERANCE_PERSPECTIVE,
            _ => TOLERANCE,
        };
        if worst > allowed {
            wrong.push(format!("{} {}: off by {worst}", case.key, case.class));
        }
        for (share, draw) in case.share.iter().flatten().zip(&case.draws) {
            let (_, own) = draw.partner().unwrap();
            assert!((own - share).abs() < 1e-6, "{own} and {share}");
        }
    }
    assert!(cases.len() > 40, "{} cases", cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn elastic_bends_as_keras_does() {
    let mut archive = fixture("augment_layers.npz");
    let noise = NpyFile::new(archive.by_name("elastic_noise.npy").unwrap()).unwrap();
    let noise: Vec<f32> = noise.into_vec().unwrap();
    let input = images(&mut archive, "elastic_image").unwrap().remove(0);
    for &fill_mode in FillMode::ALL {
        for &interpolation in Interpolation::ALL {
            let key = format!("elastic/{}/{}", fill_mode.name(), interpolation.name());
            let theirs = images(&mut archive, &key).unwrap();
            let layer = RandomElasticTransform {
                sampling: Sampling {
                    fill_mode,
                    interpolation,
                    fill_value: 9.0,
                },
                ..RandomElasticTransform::default()
            };
            let draw = ElasticDraw {
                bent: true,
                scale: 1.0,
                noise: 0,
            };
            let ours = layer.bend(draw, &input, noise.clone());
            let worst = worst(&[ours], &theirs);
            assert!(worst <= TOLERANCE, "{key}: off by {worst}");
        }
    }
}
