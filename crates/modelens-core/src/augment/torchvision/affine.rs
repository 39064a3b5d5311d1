//! `RandomAffine`: turns, moves, scales and shears the image.

use serde::{Deserialize, Serialize};

use super::grid::{GridInterpolation, Reading};
use super::matrix::{self, Motion};
use super::rotation::{CENTER, DEGREES};
use super::{
    Behaviour, Draw, Drawn, Draws, FILL, Image, ListLimits, Parameter, ParameterValue, PixelType,
    Semantics, ends, pair, uniform,
};
use crate::augment::layers::signed;
use crate::number::fixed;

/// Shares of the width and of the height.
const TRANSLATE: ListLimits = ListLimits::of(&[0, 2], [0.0, 1.0], [0.0, 1.0]);
/// Factors of the size.
const SCALE: ListLimits = ListLimits::of(&[0, 2], [1e-3, 1e3], [0.1, 2.0]);
/// Degrees: `(-s, s)` along x, `(low, high)` along x, or of x and y.
const SHEAR: ListLimits = ListLimits::of(&[0, 1, 2, 4], [-89.0, 89.0], [-45.0, 45.0]);

/// Turns by U(degrees), clockwise, shears, scales and moves by whole pixels; what is `None` does not happen.
/// Source: torchvision 0.29 `v2/_geometry.py`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomAffine {
    /// One number or a pair.
    pub degrees: Vec<f64>,
    /// The largest shares of width and height, or empty.
    pub translate: Vec<f64>,
    pub scale: Vec<f64>,
    pub shear: Vec<f64>,
    pub interpolation: GridInterpolation,
    pub fill: Vec<f64>,
    /// The fixed point `(x, y)` in pixels; empty: the middle.
    pub center: Vec<f64>,
}

/// What one image does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AffineDraw {
    /// Positive is clockwise on the screen.
    pub degrees: f64,
    /// To the right and down, in pixels.
    pub translate: [i64; 2],
    pub scale: f64,
    /// Degrees along x and y.
    pub shear: [f64; 2],
    pub center: Option<[f64; 2]>,
}

impl Default for RandomAffine {
    fn default() -> Self {
        Self {
            degrees: vec![0.0],
            translate: Vec::new(),
            scale: Vec::new(),
            shear: Vec::new(),
            interpolation: GridInterpolation::Nearest,
            fill: vec![0.0],
            center: Vec::new(),
        }
    }
}

impl Behaviour for RandomAffine {
    fn example(_: usize, _: usize) -> Self {
        Self {
            degrees: vec![20.0],
            translate: vec![0.1; 2],
            scale: vec![0.8, 1.2],
            ..Self::default()
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let degrees = ParameterValue::List(&mut self.degrees, DEGREES);
        let interpolation = ParameterValue::Choice(&mut self.interpolation);
        vec![
            Parameter::required("degrees", degrees),
            Parameter::list("translate", &mut self.translate, TRANSLATE),
            Parameter::list("scale", &mut self.scale, SCALE),
            Parameter::list("shear", &mut self.shear, SHEAR),
            Parameter::keyword("interpolation", interpolation),
            Parameter::list("fill", &mut self.fill, FILL),
            Parameter::list("center", &mut self.center, CENTER),
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, height: usize, width: usize) -> Draw {
        let degrees = uniform(ends(&self.degrees), draws);
        let translate = pair(&self.translate).map_or([0; 2], |[x, y]| {
            [x * width as f64, y * height as f64]
                .map(|most| draws.uniform(-most, most).round_ties_even() as i64)
        });
        let scale = pair(&self.scale).map_or(1.0, |scale| uniform(scale, draws));
        let shear = match *self.shear {
            [] => [0.0; 2],
            [x0, x1, y0, y1] => [uniform([x0, x1], draws), uniform([y0, y1], draws)],
            ref along_x => [uniform(ends(along_x), draws), 0.0],
        };
        Draw::V2Affine(AffineDraw {
            degrees,
            translate,
            scale,
            shear,
            center: pair(&self.center),
        })
    }

    applies!(|own, draw, image, pixels| {
        let Draw::V2Affine(draw) = draw else {
            return image.clone();
        };
        let size = [image.height, image.width];
        let reading = Reading {
            interpolation: own.interpolation,
            fill: Some(&own.fill),
            pixels,
        };
        matrix::affine(image, draw.motion().inverse(size), size, reading)
    });

    fn can_turn_upside_down(&self) -> bool {
        ends(&self.degrees).into_iter().any(|end| end.abs() > 90.0)
    }
}

impl AffineDraw {
    fn motion(self) -> Motion {
        Motion {
            degrees: self.degrees,
            translate: self.translate.map(|pixels| pixels as f64),
            scale: self.scale,
            shear: self.shear,
            center: self.center,
        }
    }
}

impl Drawn for AffineDraw {
    fn words(&self) -> String {
        let mut words = Vec::new();
        if self.degrees != 0.0 {
            words.push(format!("{}°", signed(-self.degrees, 1)));
        }
        if self.translate != [0; 2] {
            let [x, y] = self.translate.map(|pixels| signed(pixels as f64, 0));
            words.push(format!("shift {y} down, {x} right"));
        }
        if self.scale != 1.0 {
            words.push(format!("scale {}", fixed(self.scale, 2)));
        }
        if self.shear != [0.0; 2] {
            let [x, y] = self.shear.map(|degrees| signed(degrees, 1));
            words.push(format!("shear {x}° x, {y}° y"));
        }
        words.join(", ")
    }

    fn meaning(&self) -> Option<String> {
        Some("degrees counter-clockwise, pixels, above 1 zooms in".to_owned())
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![
            ("rotation_degrees", -self.degrees),
            ("shift_right", self.translate[0] as f64),
            ("shift_down", self.translate[1] as f64),
            ("scale", self.scale),
            ("shear_x_degrees", self.shear[0]),
            ("shear_y_degrees", self.shear[1]),
        ]
    }

    fn input_from_output(&self, height: usize, width: usize) -> Option<[f32; 8]> {
        Some(self.motion().input_from_output(height, width))
    }

    fn is_upside_down(&self) -> bool {
        let degrees = self.degrees.rem_euclid(360.0);
        degrees.min(360.0 - degrees) > 90.0
    }
}
