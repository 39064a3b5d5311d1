//! `RandomPerspective`: moves the four corners inwards.

use serde::{Deserialize, Serialize};

use super::grid::{GridInterpolation, Reading, sample};
use super::{
    Behaviour, Draw, Drawn, Draws, EndLimits, FILL, Image, Parameter, ParameterValue, PixelType,
    Semantics, happens,
};

/// Moves each corner inwards by a whole number of pixels below half of each side times the distortion, with
/// the probability `p`. Source: torchvision 0.29 `v2/_geometry.py`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomPerspective {
    /// Within [0, 1].
    pub distortion_scale: f64,
    pub p: f64,
    pub interpolation: GridInterpolation,
    pub fill: Vec<f64>,
}

/// Where the corners of one image go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct V2PerspectiveDraw {
    /// `[x, y]` in pixels of the corners, clockwise from the top left; `None` leaves the image as it is.
    pub corners: Option<[[i64; 2]; 4]>,
}

impl Default for RandomPerspective {
    fn default() -> Self {
        Self {
            distortion_scale: 0.5,
            p: 0.5,
            interpolation: GridInterpolation::Bilinear,
            fill: vec![0.0],
        }
    }
}

impl Behaviour for RandomPerspective {
    fn example(_: usize, _: usize) -> Self {
        Self::default()
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let unit = EndLimits::all([0.0, 1.0]);
        let distortion = ParameterValue::Number(&mut self.distortion_scale, unit);
        let interpolation = ParameterValue::Choice(&mut self.interpolation);
        vec![
            Parameter::keyword("distortion_scale", distortion),
            Parameter::probability(&mut self.p),
            Parameter::keyword("interpolation", interpolation),
            Parameter::list("fill", &mut self.fill, FILL),
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, height: usize, width: usize) -> Draw {
        if !happens(self.p, draws) {
            return Draw::V2Perspective(V2PerspectiveDraw { corners: None });
        }
        let bound = |len: usize| (self.distortion_scale * (len / 2) as f64) as usize + 1;
        let [bound_x, bound_y] = [bound(width), bound(height)];
        // In torchvision's order: for each corner first x, then y.
        let mut near = |bound: usize| draws.below(bound) as i64;
        let mut corner = |right: bool, below: bool| {
            let [x, y] = [near(bound_x), near(bound_y)];
            let far = |len: usize, bound: usize, at: i64| (len - bound.min(len)) as i64 + at;
            [
                if right { far(width, bound_x, x) } else { x },
                if below { far(height, bound_y, y) } else { y },
            ]
        };
        let corners = [
            corner(false, false),
            corner(true, false),
            corner(true, true),
            corner(false, true),
        ];
        Draw::V2Perspective(V2PerspectiveDraw {
            corners: Some(corners),
        })
    }

    applies!(|own, draw, image, pixels| {
        let Draw::V2Perspective(V2PerspectiveDraw {
            corners: Some(corners),
        }) = *draw
        else {
            return image.clone();
        };
        let size = [image.height, image.width];
        let Some(coefficients) = coefficients(corners, size) else {
            return image.clone();
        };
        let [a, b, c, d, e, f, g, h] = coefficients.map(|value| value as f32);
        let [half_height, half_width] = size.map(|len| 0.5 * len as f32);
        let [a, b, c] = [a, b, c].map(|value| value / half_width);
        let [d, e, f] = [d, e, f].map(|value| value / half_height);
        let reading = Reading {
            interpolation: own.interpolation,
            fill: Some(&own.fill),
            pixels,
        };
        sample(
            image,
            size,
            reading,
            #[inline(always)]
            move |x, y| {
                let [x, y] = [x as i32 as f32 + 0.5, y as i32 as f32 + 0.5];
                let k = x * g + y * h + 1.0;
                [(x * a + y * b + c) / k - 1.0, (x * d + y * e + f) / k - 1.0]
            },
        )
    });
}

/// `[a, b, c, d, e, f, g, h]`: the output pixel (x, y) shows `((a x + b y + c) / k, (d x + e y + f) / k)` of
/// the image, `k = g x + h y + 1`, so that its corners stand at `corners`. `None` if three of them lie on a
/// line. Source: torchvision 0.29 `_get_perspective_coeffs`.
fn coefficients(corners: [[i64; 2]; 4], [height, width]: [usize; 2]) -> Option<[f64; 8]> {
    let [right, bottom] = [width as f64 - 1.0, height as f64 - 1.0];
    let starts = [[0.0, 0.0], [right, 0.0], [right, bottom], [0.0, bottom]];
    let mut rows = [[0.0_f64; 9]; 8];
    for (i, (end, start)) in corners.into_iter().zip(starts).enumerate() {
        let [x, y] = end.map(|at| at as f64);
        let [u, v] = start;
        rows[2 * i] = [x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u];
        rows[2 * i + 1] = [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v];
    }
    solve(rows)
}

/// Solves eight equations by elimination, with the largest pivot of each column.
fn solve(mut rows: [[f64; 9]; 8]) -> Option<[f64; 8]> {
    for column in 0..8 {
        let size = |row: &usize| rows[*row][column].abs();
        let pivot = (column..8).max_by(|a, b| size(a).total_cmp(&size(b)))?;
        if size(&pivot) < 1e-12 {
            return None;
        }
        rows.swap(column, pivot);
        let own = rows[column];
        for (_, row) in rows.iter_mut().enumerate().filter(|(i, _)| *i != column) {
            let factor = row[column] / own[column];
            for (value, own) in row.iter_mut().zip(own) {
                *value -= factor * own;
            }
        }
    }
    Some(std::array::from_fn(|i| rows[i][8] / rows[i][i]))
}

impl Drawn for V2PerspectiveDraw {
    fn words(&self) -> String {
        let moved = self.corners.map_or("", |_| "corners moved");
        moved.to_owned()
    }

    fn meaning(&self) -> Option<String> {
        let corners = self.corners?;
        let corners = corners.map(|[x, y]| format!("({x}, {y})"));
        Some(format!(
            "corners, clockwise from the top left, at {}",
            corners.join(", ")
        ))
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        let [top_left, top_right, bottom_right, bottom_left] = self
            .corners
            .unwrap_or_default()
            .map(|corner| corner.map(|at| at as f64));
        vec![
            ("perspective", f64::from(u8::from(self.corners.is_some()))),
            ("top_left_x", top_left[0]),
            ("top_left_y", top_left[1]),
            ("top_right_x", top_right[0]),
            ("top_right_y", top_right[1]),
            ("bottom_right_x", bottom_right[0]),
            ("bottom_right_y", bottom_right[1]),
            ("bottom_left_x", bottom_left[0]),
            ("bottom_left_y", bottom_left[1]),
        ]
    }

    /// In places of pixel centres: the matrix counts from the pixels' corners.
    fn input_from_output(&self, height: usize, width: usize) -> Option<[f32; 8]> {
        let [a, b, c, d, e, f, g, h] = coefficients(self.corners?, [height, width])?;
        // (x + 1/2, y + 1/2) goes in, and 1/2 comes off.
        let k = 1.0 + 0.5 * (g + h);
        let row =
            |x: f64, y: f64, one: f64| [x - 0.5 * g, y - 0.5 * h, one + 0.5 * (x + y) - 0.5 * k];
        let [[a, b, c], [d, e, f]] = [row(a, b, c), row(d, e, f)];
        Some([a, b, c, d, e, f, g, h].map(|value| (value / k) as f32))
    }
}
