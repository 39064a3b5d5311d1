//! `RandomPerspective`: moves three corners.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawn, Since};
use crate::augment::affine;
use crate::augment::parameter::{EndLimits, FactorLimits, Parameter, ParameterValue};
use crate::augment::values::{Factor, FillMode, Interpolation, Sampling};
use crate::dataset::Image;
use crate::number::trimmed;
use crate::random::Draws;
use crate::rules::Semantics;

/// Moves each corner (x, y) to `(x (1 + u), y (1 + v))` with u, v ~ U(-scale/2, scale/2), with a
/// probability that is itself drawn from U(low, high). The top left corner is (0, 0) and never moves.
/// Source: keras 3.15 `random_perspective.py`, `compute_homography_matrix` of its TensorFlow backend.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomPerspective {
    /// Within [0, 1]. A number f means (0, f), so 1 changes every second image.
    pub factor: Factor,
    /// Within [0, 1].
    pub scale: f64,
    pub interpolation: Interpolation,
    /// The value outside the image.
    pub fill_value: f64,
}

/// How the corners of one image move: top left, top right, bottom left, bottom right.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerspectiveDraw {
    /// False leaves the image as it is.
    pub moved: bool,
    /// `[u, v]` of each corner.
    pub corners: [[f64; 2]; 4],
}

impl Default for RandomPerspective {
    fn default() -> Self {
        Self {
            factor: Factor::Scalar(1.0),
            scale: 1.0,
            interpolation: Interpolation::Bilinear,
            fill_value: 0.0,
        }
    }
}

impl Behaviour for RandomPerspective {
    fn example(_: usize, _: usize) -> Self {
        Self {
            scale: 0.5,
            ..Self::default()
        }
    }

    fn since(&self) -> Since {
        Since::Keras3(9)
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let factor = ParameterValue::Factor(&mut self.factor, FactorLimits::UNIT);
        let scale = ParameterValue::Number(&mut self.scale, EndLimits::all([0.0, 1.0]));
        let interpolation = ParameterValue::Choice(&mut self.interpolation);
        vec![
            Parameter::optional("factor", factor),
            Parameter::keyword("scale", scale),
            Parameter::keyword("interpolation", interpolation),
            Parameter::keyword("fill_value", ParameterValue::Offset(&mut self.fill_value)),
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        let moved = self.factor.happens(draws);
        let mut share = || draws.uniform(-0.5 * self.scale, 0.5 * self.scale);
        let corners = std::array::from_fn(|_| [share(), share()]);
        Draw::Perspective(PerspectiveDraw { moved, corners })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let sampling = Sampling {
            fill_mode: FillMode::Constant,
            interpolation: self.interpolation,
            fill_value: self.fill_value as f32,
        };
        affine::apply(draw, image, sampling)
    }

    fn torchvision(&self) -> Option<String> {
        let (scale, p) = (trimmed(self.scale / 2.0), self.factor.mean_from_zero());
        Some(format!("v2.RandomPerspective({scale}, p={p})"))
    }

    fn differences(&self, semantics: Semantics) -> Option<String> {
        let probability = super::drawn_probability("RandomPerspective", self.factor, semantics)?;
        Some(format!("{probability} The top left corner never moves."))
    }
}

impl Drawn for PerspectiveDraw {
    fn words(&self) -> String {
        if !self.moved {
            return String::new();
        }
        let largest = self.corners.as_flattened().iter().skip(2);
        let largest = largest.fold(0.0_f64, |most, share| most.max(share.abs()));
        format!("perspective {largest:.2}")
    }

    fn meaning(&self) -> Option<String> {
        Some("the largest move of a corner, as a share of the side".to_owned())
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        let [_, right, bottom, both] = self.corners;
        vec![
            ("perspective", f64::from(u8::from(self.moved))),
            ("top_right_x", right[0]),
            ("bottom_left_y", bottom[1]),
            ("bottom_right_x", both[0]),
            ("bottom_right_y", both[1]),
        ]
    }

    /// The eight numbers that map the moved corners to the corners: with start (x, y) and end (p, q) the
    /// rows `[p q 1 0 0 0 -xp -xq] = x`, `[0 0 0 p q 1 -yp -yq] = y`.
    fn input_from_output(&self, height: usize, width: usize) -> Option<[f32; 8]> {
        if !self.moved {
            return None;
        }
        let (right, bottom) = (width as f64 - 1.0, height as f64 - 1.0);
        let starts = [[0.0, 0.0], [right, 0.0], [0.0, bottom], [right, bottom]];
        let mut rows = [[0.0; 9]; 8];
        for (i, ([x, y], [u, v])) in starts.into_iter().zip(self.corners).enumerate() {
            let (p, q) = (x * (1.0 + u), y * (1.0 + v));
            rows[2 * i] = [p, q, 1.0, 0.0, 0.0, 0.0, -x * p, -x * q, x];
            rows[2 * i + 1] = [0.0, 0.0, 0.0, p, q, 1.0, -y * p, -y * q, y];
        }
        solve(rows)
    }
}

/// Solves eight equations, each with its right side last, by elimination with the largest pivot; `None`
/// if they have no single solution.
pub(in crate::augment) fn solve(mut rows: [[f64; 9]; 8]) -> Option<[f32; 8]> {
    for column in 0..8 {
        let pivot = (column..8).max_by(|&a, &b| {
            let [a, b] = [a, b].map(|row: usize| rows[row][column].abs());
            a.total_cmp(&b)
        })?;
        rows.swap(column, pivot);
        let lead = rows[column];
        if lead[column].abs() < 1e-12 {
            return None;
        }
        for (index, row) in rows.iter_mut().enumerate() {
            if index != column {
                let share = row[column] / lead[column];
                for (value, lead) in row.iter_mut().zip(lead) {
                    *value -= share * lead;
                }
            }
        }
    }
    Some(std::array::from_fn(|i| (rows[i][8] / rows[i][i]) as f32))
}
