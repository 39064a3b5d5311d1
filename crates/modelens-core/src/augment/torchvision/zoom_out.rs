//! `RandomZoomOut`: puts the image on a larger canvas.

use serde::{Deserialize, Serialize};

use super::frame::{PaddingMode, pad};
use super::{
    Behaviour, Draw, Drawn, Draws, FILL, Image, ListLimits, Parameter, PixelType, Semantics,
    happens, pair,
};

/// Factors of the size.
const SIDES: ListLimits = ListLimits::of(&[2], [1.0, 16.0], [1.0, 4.0]);

/// Puts the image on a canvas whose sides are U(side_range) times as long, at a drawn place, with the
/// probability `p`. Source: torchvision 0.29 `v2/_geometry.py`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomZoomOut {
    pub fill: Vec<f64>,
    pub side_range: Vec<f64>,
    pub p: f64,
}

/// The canvas of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoomOutDraw {
    /// Pixels on each side, `[left, top, right, bottom]`; `None` leaves the image as it is.
    pub padding: Option<[usize; 4]>,
}

impl Default for RandomZoomOut {
    fn default() -> Self {
        Self {
            fill: vec![0.0],
            side_range: vec![1.0, 4.0],
            p: 0.5,
        }
    }
}

impl Behaviour for RandomZoomOut {
    fn example(_: usize, _: usize) -> Self {
        Self::default()
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![
            Parameter::list("fill", &mut self.fill, FILL),
            Parameter::list("side_range", &mut self.side_range, SIDES),
            Parameter::probability(&mut self.p),
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, height: usize, width: usize) -> Draw {
        if !happens(self.p, draws) {
            return Draw::V2ZoomOut(ZoomOutDraw { padding: None });
        }
        let [least, most] = pair(&self.side_range).unwrap_or([1.0; 2]);
        let factor = draws.uniform(least, most);
        let mut place = |len: usize| {
            let missing = (len as f64 * factor) as usize - len;
            let before = (missing as f64 * draws.unit()) as usize;
            [before, missing - before]
        };
        let [left, right] = place(width);
        let [top, bottom] = place(height);
        Draw::V2ZoomOut(ZoomOutDraw {
            padding: Some([left, top, right, bottom]),
        })
    }

    applies!(|own, draw, image, pixels| {
        let Draw::V2ZoomOut(ZoomOutDraw {
            padding: Some(padding),
        }) = *draw
        else {
            return image.clone();
        };
        let whole = pixels == PixelType::Uint8;
        pad(image, padding, PaddingMode::Constant, &own.fill, whole)
    });

    fn draws_size(&self) -> [bool; 2] {
        [true; 2]
    }
}

impl Drawn for ZoomOutDraw {
    fn words(&self) -> String {
        let Some([left, top, right, bottom]) = self.padding else {
            return String::new();
        };
        format!("canvas +{} × +{}", top + bottom, left + right)
    }

    fn meaning(&self) -> Option<String> {
        let [left, top, ..] = self.padding?;
        Some(format!(
            "pixels of height and width; the photo starts at row {top}, column {left}"
        ))
    }

    fn size(&self, height: usize, width: usize) -> Option<[usize; 2]> {
        let [left, top, right, bottom] = self.padding?;
        Some([height + top + bottom, width + left + right])
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        let [left, top, right, bottom] = self.padding.unwrap_or_default().map(|side| side as f64);
        vec![
            ("padded", f64::from(u8::from(self.padding.is_some()))),
            ("padded_left", left),
            ("padded_top", top),
            ("padded_right", right),
            ("padded_bottom", bottom),
        ]
    }
}
