//! `RandomErasing`: paints over a box.

use serde::{Deserialize, Serialize};

use super::{
    Behaviour, BoxDraw, BoxShape, Draw, Drawn, Draws, Image, ListLimits, Parameter, ParameterValue,
    PixelType, RATIO, Semantics, Value, happens,
};

/// Shares of the area.
const SCALE: ListLimits = ListLimits::of(&[2], [0.0, 1.0], [0.0, 1.0]);

/// Paints over a box of U(scale) of the area, whose height over width is `exp(U(log ratio))`, with the
/// probability `p`. The box gets a colour, or noise from N(0, 1): on an 8-bit image, noise is a whole number
/// near 0 or, from below 0, near 255. After ten boxes that do not fit, the image stays as it is.
/// Source: torchvision 0.29 `v2/_augment.py`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomErasing {
    pub p: f64,
    pub scale: Vec<f64>,
    pub ratio: Vec<f64>,
    /// The colour; `None` is noise.
    pub value: Option<[f64; 3]>,
}

/// What is erased from one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct V2ErasingDraw {
    /// `None` leaves the image as it is.
    pub erased: Option<BoxDraw>,
    /// The seed of the noise.
    pub noise: u64,
}

impl Default for RandomErasing {
    fn default() -> Self {
        Self {
            p: 0.5,
            scale: vec![0.02, 0.33],
            ratio: vec![0.3, 3.3],
            value: Some([0.0; 3]),
        }
    }
}

impl Behaviour for RandomErasing {
    fn example(_: usize, _: usize) -> Self {
        Self::default()
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![
            Parameter::probability(&mut self.p),
            Parameter::list("scale", &mut self.scale, SCALE),
            Parameter::list("ratio", &mut self.ratio, RATIO),
            Parameter::keyword("value", ParameterValue::Fill(&mut self.value)),
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, height: usize, width: usize) -> Draw {
        let happens = happens(self.p, draws);
        let fits = |h: usize, w: usize| h < height && w < width;
        let shape = BoxShape {
            scale: &self.scale,
            ratio: &self.ratio,
            of_height: true,
        };
        let found = if happens {
            shape.draw([height, width], draws, fits)
        } else {
            None
        };
        Draw::V2Erasing(V2ErasingDraw {
            erased: found,
            noise: draws.below(1 << 30) as u64,
        })
    }

    applies!(|own, draw, image, pixels| {
        let Draw::V2Erasing(V2ErasingDraw {
            erased: Some(erased),
            noise,
        }) = *draw
        else {
            return image.clone();
        };
        let stored = |fill: f64| {
            Value::put(match pixels {
                // What C makes of a float: cut to a whole number, of which the last 8 bits stay.
                PixelType::Uint8 => f32::from((fill as i64).to_le_bytes()[0]),
                PixelType::Float => fill as f32,
            })
        };
        let mut out = image.clone();
        let channels = image.channels;
        let [left, right] = [erased.left, erased.left + erased.width]
            .map(|column| column.min(image.width) * channels);
        let rows = out
            .pixels_hwc
            .chunks_exact_mut((image.width * channels).max(1));
        let rows = rows.skip(erased.top).take(erased.height);
        let rows = rows.map(|row| &mut row[left..right]);
        if let Some(color) = own.value {
            let colors = (0..right - left).map(|i| stored(color[i % channels % 3]));
            let colors: Vec<_> = colors.collect();
            rows.for_each(|row| row.copy_from_slice(&colors));
        } else {
            let mut noise = Draws::new(noise, &[]);
            let mut normal = noise.normals();
            rows.flatten()
                .for_each(|value| *value = stored(normal().into()));
        }
        out
    });
}

impl Drawn for V2ErasingDraw {
    fn words(&self) -> String {
        let erased = self.erased.map(BoxDraw::words);
        erased.map_or_else(String::new, |erased| format!("erased {erased}"))
    }

    fn meaning(&self) -> Option<String> {
        self.erased
            .map(|_| "height × width at row, column".to_owned())
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        let of =
            |number: fn(BoxDraw) -> usize| self.erased.map_or(0.0, |erased| number(erased) as f64);
        vec![
            ("erased", f64::from(u8::from(self.erased.is_some()))),
            ("erased_top", of(|erased| erased.top)),
            ("erased_left", of(|erased| erased.left)),
            ("erased_height", of(|erased| erased.height)),
            ("erased_width", of(|erased| erased.width)),
        ]
    }
}
