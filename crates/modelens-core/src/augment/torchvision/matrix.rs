//! Affine transforms about the centre of an image: the matrix, and the pixels it moves.

use super::grid::{Reading, sample};
use super::{Draw, Image, Value};

/// `[a, b, c, d, e, f]`: the place `(a x + b y + c, d x + e y + f)` that the output pixel (x, y) shows, in
/// pixels from the centres of both images.
pub(in crate::augment) type InverseAffine = [f64; 6];

/// What an affine transform does, in torchvision's units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::augment) struct Motion {
    /// Clockwise.
    pub degrees: f64,
    /// To the right and down, in pixels.
    pub translate: [f64; 2],
    pub scale: f64,
    /// Degrees along x and along y.
    pub shear: [f64; 2],
    /// The fixed point in pixels from the top left corner; `None` is the middle.
    pub center: Option<[f64; 2]>,
}

impl Motion {
    /// No motion.
    pub const NONE: Self = Self {
        degrees: 0.0,
        translate: [0.0; 2],
        scale: 1.0,
        shear: [0.0; 2],
        center: None,
    };

    /// `C (R S)^-1 C^-1 T^-1` with the centre C, the rotation with scale and shear R S, and the translation T.
    /// Source: torchvision 0.29 `_get_inverse_affine_matrix`.
    pub fn inverse(self, [height, width]: [usize; 2]) -> InverseAffine {
        let angle = self.degrees.to_radians();
        let [shear_x, shear_y] = self.shear.map(f64::to_radians);
        let [x, y] = self.center.map_or([0.0; 2], |[x, y]| {
            [x - 0.5 * width as f64, y - 0.5 * height as f64]
        });
        let [moved_x, moved_y] = [x + self.translate[0], y + self.translate[1]];
        let turned = angle - shear_y;
        let a = turned.cos() / shear_y.cos();
        let b = -(a * shear_x.tan() + angle.sin());
        let c = turned.sin() / shear_y.cos();
        let d = angle.cos() - c * shear_x.tan();
        let [m0, m1, m3, m4] = [d, -b, -c, a].map(|value| value / self.scale);
        [
            m0,
            m1,
            x - m0 * moved_x - m1 * moved_y,
            m3,
            m4,
            y - m3 * moved_x - m4 * moved_y,
        ]
    }

    /// See [`Draw::input_from_output`], for an output of the same size.
    pub fn input_from_output(self, height: usize, width: usize) -> [f32; 8] {
        let [a, b, c, d, e, f] = self.inverse([height, width]);
        let [x, y] = [width, height].map(|len| (len as f64 - 1.0) / 2.0);
        [
            a,
            b,
            c + x - a * x - b * y,
            d,
            e,
            f + y - d * x - e * y,
            0.0,
            0.0,
        ]
        .map(|value| value as f32)
    }
}

/// Moves the pixels of an image into one of `size`.
/// Source: torchvision 0.29 `_affine_grid`.
pub(in crate::augment) fn affine<T: Value>(
    image: &Image<T>,
    matrix: InverseAffine,
    size: [usize; 2],
    reading: Reading<'_>,
) -> Image<T> {
    let [a, b, c, d, e, f] = matrix.map(|value| value as f32);
    let [half_width, half_height] = [image.width, image.height].map(|len| 0.5 * len as f32);
    let [a, b, c] = [a, b, c].map(|value| value / half_width);
    let [d, e, f] = [d, e, f].map(|value| value / half_height);
    let [first_y, first_x] = size.map(|len| (1.0 - len as f32) * 0.5);
    sample(
        image,
        size,
        reading,
        #[inline(always)]
        move |x, y| {
            let [x, y] = [first_x + x as i32 as f32, first_y + y as i32 as f32];
            [x * a + y * b + c, x * d + y * e + f]
        },
    )
}

/// `[height, width]` that holds the whole image after the transform.
/// Source: torchvision 0.29 `_compute_affine_output_size`.
fn expanded_size(matrix: InverseAffine, [height, width]: [usize; 2]) -> [usize; 2] {
    let [a, b, c, d, e, f] = matrix.map(|value| value as f32);
    let [half_w, half_h] = [width, height].map(|len| 0.5 * len as f32);
    let corners = [
        [-half_w, -half_h],
        [-half_w, half_h],
        [half_w, half_h],
        [half_w, -half_h],
    ];
    let side = |row: [f32; 3], half: f32| {
        let moved = corners.map(|[x, y]| x * row[0] + y * row[1] + row[2] + half);
        let least = moved.into_iter().fold(f32::INFINITY, f32::min);
        let most = moved.into_iter().fold(f32::NEG_INFINITY, f32::max);
        // Cut to four decimals first, so that 160.00001 is not 161.
        let [least, most] = [least, most].map(|end| (end * 1e4).trunc() * 1e-4);
        (most.ceil() - least.floor()).max(1.0) as usize
    };
    [side([d, e, f], half_h), side([a, b, c], half_w)]
}

/// A rotation counter-clockwise, as torchvision carries it out.
#[derive(Clone, Copy)]
enum Turn {
    /// Quarters of a turn, which move pixels without reading between them.
    Quarters(u8),
    /// Any other, into an image of this size.
    Any([usize; 2]),
}

impl Turn {
    /// Quarters are special if the middle is the fixed point and the result fits.
    fn of(degrees: f64, expand: bool, center: Option<[f64; 2]>, size: [usize; 2]) -> Self {
        let quarters = degrees.rem_euclid(360.0) / 90.0;
        let half = quarters % 2.0 == 0.0;
        let fits = half || expand || size[0] == size[1];
        if center.is_none() && fits && quarters.fract() == 0.0 {
            return Self::Quarters(quarters as u8);
        }
        Self::Any(if expand {
            expanded_size(rotation(degrees, center).inverse(size), size)
        } else {
            size
        })
    }
}

/// `[height, width]` of an image of `[height, width]` after [`rotate`].
pub(super) fn rotated_size(
    degrees: f64,
    expand: bool,
    center: Option<[f64; 2]>,
    size: [usize; 2],
) -> [usize; 2] {
    let [height, width] = size;
    match Turn::of(degrees, expand, center, size) {
        Turn::Quarters(1 | 3) => [width, height],
        Turn::Quarters(_) => size,
        Turn::Any(size) => size,
    }
}

/// Turns an image counter-clockwise. With `expand`, the output holds the whole image.
/// Source: torchvision 0.29 `rotate_image`.
pub(in crate::augment) fn rotate<T: Value>(
    image: &Image<T>,
    degrees: f64,
    expand: bool,
    center: Option<[f64; 2]>,
    reading: Reading<'_>,
) -> Image<T> {
    let size = [image.height, image.width];
    match Turn::of(degrees, expand, center, size) {
        Turn::Quarters(0) => image.clone(),
        Turn::Quarters(2) => Draw::half_turn(image),
        Turn::Quarters(quarters) => quarter_turn(image, quarters == 1),
        Turn::Any(output) => {
            let matrix = rotation(degrees, center).inverse(size);
            affine(image, matrix, output, reading)
        }
    }
}

/// The motion of a rotation counter-clockwise.
pub(in crate::augment) fn rotation(degrees: f64, center: Option<[f64; 2]>) -> Motion {
    Motion {
        degrees: -degrees.rem_euclid(360.0),
        center,
        ..Motion::NONE
    }
}

/// Turns an image by 90 degrees.
fn quarter_turn<T: Copy>(image: &Image<T>, counter_clockwise: bool) -> Image<T> {
    let [height, width] = [image.width, image.height];
    let mut pixels_hwc = Vec::with_capacity(image.pixels_hwc.len());
    for y in 0..height {
        for x in 0..width {
            let [from_y, from_x] = if counter_clockwise {
                [x, image.width - 1 - y]
            } else {
                [image.height - 1 - x, y]
            };
            let start = (from_y * image.width + from_x) * image.channels;
            pixels_hwc.extend_from_slice(&image.pixels_hwc[start..start + image.channels]);
        }
    }
    Image {
        height,
        width,
        channels: image.channels,
        pixels_hwc,
    }
}
