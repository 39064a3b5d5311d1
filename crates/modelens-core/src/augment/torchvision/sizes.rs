//! `RandomResize`, `RandomShortestSize` and `ScaleJitter`: resize to a drawn size.

use serde::{Deserialize, Serialize};

use super::resample::{Resampler, size_of_shorter};
use super::resize::OPTIONAL_SIDE;
use super::{
    Behaviour, Draw, Drawn, Draws, Image, ListLimits, Parameter, ParameterValue, PixelType,
    Semantics, Value, pair,
};

/// One side in pixels.
const SIDE: ListLimits = ListLimits::whole(&[1], 1.0);
/// Sides of which one is drawn.
const SIDES: ListLimits = ListLimits::whole(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 1.0);
/// Height and width in pixels.
const TARGET: ListLimits = ListLimits::whole(&[2], 1.0);
/// Factors of the size.
const SCALE: ListLimits = ListLimits::of(&[2], [1e-3, 100.0], [0.1, 2.0]);

/// Resizes the shorter side to a whole number from `min_size` to below `max_size`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RandomResize {
    pub min_size: Vec<f64>,
    pub max_size: Vec<f64>,
    pub resampler: Resampler,
}

/// Resizes the shorter side to one of several numbers; the longer one becomes `max_size` at most.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RandomShortestSize {
    pub min_size: Vec<f64>,
    /// Empty: any.
    pub max_size: Vec<f64>,
    pub resampler: Resampler,
}

/// Resizes to U(scale_range) times the size that fits into `target_size`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleJitter {
    /// Height and width.
    pub target_size: Vec<f64>,
    pub scale_range: Vec<f64>,
    pub resampler: Resampler,
}

/// The size of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeDraw {
    pub height: usize,
    pub width: usize,
}

impl Default for ScaleJitter {
    fn default() -> Self {
        Self {
            target_size: Vec::new(),
            scale_range: vec![0.1, 2.0],
            resampler: Resampler::default(),
        }
    }
}

impl Draw {
    /// Resizes to the drawn size.
    fn resized<T: Value>(
        &self,
        image: &Image<T>,
        resampler: Resampler,
        pixels: PixelType,
    ) -> Image<T> {
        let Self::V2Size(SizeDraw { height, width }) = *self else {
            return image.clone();
        };
        resampler.resize(image, [height, width], pixels)
    }
}

impl Drawn for SizeDraw {
    fn words(&self) -> String {
        format!("{} × {}", self.height, self.width)
    }

    fn meaning(&self) -> Option<String> {
        Some("height × width in pixels".to_owned())
    }

    fn size(&self, _: usize, _: usize) -> Option<[usize; 2]> {
        Some([self.height, self.width])
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![("height", self.height as f64), ("width", self.width as f64)]
    }
}

/// The only number of a list.
fn only(numbers: &[f64]) -> usize {
    numbers.first().map_or(1, |&number| number as usize)
}

/// `int(side r)` of both sides, at least 1.
fn scaled([height, width]: [usize; 2], factor: f64) -> [usize; 2] {
    [height, width].map(|side| ((side as f64 * factor) as usize).max(1))
}

impl Behaviour for RandomResize {
    fn example(height: usize, width: usize) -> Self {
        let side = height.min(width).max(2) as f64;
        Self {
            min_size: vec![(side / 2.0).floor()],
            max_size: vec![side + 1.0],
            ..Self::default()
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let [interpolation, antialias] = self.resampler.parameters();
        vec![
            Parameter::required("min_size", ParameterValue::List(&mut self.min_size, SIDE)),
            Parameter::required("max_size", ParameterValue::List(&mut self.max_size, SIDE)),
            interpolation,
            antialias,
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, height: usize, width: usize) -> Draw {
        let [least, end] = [only(&self.min_size), only(&self.max_size)];
        let shorter = least + draws.below(end.saturating_sub(least));
        let [height, width] = size_of_shorter([height, width], shorter, None);
        Draw::V2Size(SizeDraw { height, width })
    }

    applies!(|own, draw, image, pixels| draw.resized(image, own.resampler, pixels));

    fn draws_size(&self) -> [bool; 2] {
        [true; 2]
    }
}

impl Behaviour for RandomShortestSize {
    fn example(height: usize, width: usize) -> Self {
        let side = height.min(width).max(2) as f64;
        Self {
            min_size: vec![(side / 2.0).floor(), (side * 0.75).ceil(), side],
            ..Self::default()
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let [interpolation, antialias] = self.resampler.parameters();
        vec![
            Parameter::required("min_size", ParameterValue::List(&mut self.min_size, SIDES)),
            Parameter::list("max_size", &mut self.max_size, OPTIONAL_SIDE),
            interpolation,
            antialias,
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, height: usize, width: usize) -> Draw {
        let chosen = self.min_size.get(draws.below(self.min_size.len()));
        let shorter = chosen.copied().unwrap_or(1.0);
        let mut factor = shorter / height.min(width) as f64;
        if let Some(longest) = self.max_size.first() {
            factor = factor.min(longest / height.max(width) as f64);
        }
        let [height, width] = scaled([height, width], factor);
        Draw::V2Size(SizeDraw { height, width })
    }

    applies!(|own, draw, image, pixels| draw.resized(image, own.resampler, pixels));

    fn draws_size(&self) -> [bool; 2] {
        [true; 2]
    }
}

impl Behaviour for ScaleJitter {
    fn example(height: usize, width: usize) -> Self {
        Self {
            target_size: vec![height.max(1) as f64, width.max(1) as f64],
            scale_range: vec![0.5, 1.5],
            ..Self::default()
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let target = ParameterValue::List(&mut self.target_size, TARGET);
        let [interpolation, antialias] = self.resampler.parameters();
        vec![
            Parameter::required("target_size", target),
            Parameter::list("scale_range", &mut self.scale_range, SCALE),
            interpolation,
            antialias,
        ]
    }

    /// torchvision takes the width of the target with the image's height, and its height with the width.
    fn draw(&self, _: Semantics, draws: &mut Draws, height: usize, width: usize) -> Draw {
        let [least, most] = pair(&self.scale_range).unwrap_or([1.0; 2]);
        let [target_height, target_width] = pair(&self.target_size).unwrap_or([1.0; 2]);
        let scale = draws.uniform(least, most);
        let fitting = (target_width / height as f64).min(target_height / width as f64);
        let [height, width] = scaled([height, width], fitting * scale);
        Draw::V2Size(SizeDraw { height, width })
    }

    applies!(|own, draw, image, pixels| draw.resized(image, own.resampler, pixels));

    fn draws_size(&self) -> [bool; 2] {
        [true; 2]
    }
}
