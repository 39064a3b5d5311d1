//! `RandomRotation`: turns the image about its centre.

use serde::{Deserialize, Serialize};

use super::grid::{GridInterpolation, Reading};
use super::{
    Behaviour, Draw, Drawn, Draws, EndLimits, FILL, Image, ListLimits, Parameter, ParameterValue,
    PixelType, Semantics, ends, matrix, pair, uniform,
};
use crate::augment::layers::signed;

/// The degrees of a turn: one number d means U(-d, d).
pub(super) const DEGREES: ListLimits = ListLimits {
    lengths: &[1, 2],
    each: EndLimits {
        accepted: [-3600.0, 3600.0],
        slider: [-180.0, 180.0],
    },
    whole: false,
    tuple: false,
};
/// A fixed point in pixels, x and y.
pub(super) const CENTER: ListLimits = ListLimits::of(&[0, 2], [-1e6, 1e6], [0.0, 512.0]);

/// Turns the image by an angle from U(low, high) degrees; positive is counter-clockwise on the screen.
/// What lies outside of the image has the fill value. With `expand`, the output holds the whole image.
/// Source: torchvision 0.29 `v2/_geometry.py`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomRotation {
    /// One number or a pair.
    pub degrees: Vec<f64>,
    pub interpolation: GridInterpolation,
    pub expand: bool,
    /// The fixed point `(x, y)` in pixels; empty: the middle.
    pub center: Vec<f64>,
    /// One number, or one for each channel.
    pub fill: Vec<f64>,
}

/// The angle of one image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RotationDraw {
    /// Positive is counter-clockwise on the screen.
    pub degrees: f64,
    pub expand: bool,
    pub center: Option<[f64; 2]>,
}

impl Default for RandomRotation {
    fn default() -> Self {
        Self {
            degrees: vec![0.0],
            interpolation: GridInterpolation::Nearest,
            expand: false,
            center: Vec::new(),
            fill: vec![0.0],
        }
    }
}

impl Behaviour for RandomRotation {
    fn example(_: usize, _: usize) -> Self {
        Self {
            degrees: vec![30.0],
            ..Self::default()
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let degrees = ParameterValue::List(&mut self.degrees, DEGREES);
        let interpolation = ParameterValue::Choice(&mut self.interpolation);
        vec![
            Parameter::required("degrees", degrees),
            Parameter::keyword("interpolation", interpolation),
            Parameter::keyword("expand", ParameterValue::Flag(&mut self.expand)),
            Parameter::list("center", &mut self.center, CENTER),
            Parameter::list("fill", &mut self.fill, FILL),
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        Draw::V2Rotation(RotationDraw {
            degrees: uniform(ends(&self.degrees), draws),
            expand: self.expand,
            center: pair(&self.center),
        })
    }

    applies!(|own, draw, image, pixels| {
        let Draw::V2Rotation(RotationDraw {
            degrees,
            expand,
            center,
        }) = *draw
        else {
            return image.clone();
        };
        let reading = Reading {
            interpolation: own.interpolation,
            fill: Some(&own.fill),
            pixels,
        };
        matrix::rotate(image, degrees, expand, center, reading)
    });

    fn draws_size(&self) -> [bool; 2] {
        [self.expand; 2]
    }

    fn can_turn_upside_down(&self) -> bool {
        ends(&self.degrees).into_iter().any(|end| end.abs() > 90.0)
    }
}

impl Drawn for RotationDraw {
    fn words(&self) -> String {
        format!("{}°", signed(self.degrees, 1))
    }

    fn meaning(&self) -> Option<String> {
        let direction = if self.degrees > 0.0 {
            "counter-clockwise"
        } else {
            "clockwise"
        };
        Some(direction.to_owned())
    }

    fn size(&self, height: usize, width: usize) -> Option<[usize; 2]> {
        let size = [height, width];
        self.expand
            .then(|| matrix::rotated_size(self.degrees, true, self.center, size))
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![("rotation_degrees", self.degrees)]
    }

    fn input_from_output(&self, height: usize, width: usize) -> Option<[f32; 8]> {
        let motion = matrix::rotation(self.degrees, self.center);
        Some(motion.input_from_output(height, width))
    }

    fn is_upside_down(&self) -> bool {
        let degrees = self.degrees.rem_euclid(360.0);
        degrees.min(360.0 - degrees) > 90.0
    }
}
