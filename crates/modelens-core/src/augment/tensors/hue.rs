//! Turns colours round the colour circle, with hue, saturation and value of Pillow.

use super::blocks::{self, Channel, LEN};
use super::{at_least, at_most, floor};
use crate::augment::behaviour::PixelType;
use crate::augment::bytes::Value;
use crate::dataset::Image;

/// `hue' = hue + shift` on a circle of length 1. Source: torchvision `adjust_hue_image`.
pub fn hue<T: Value>(image: &Image<T>, shift: f64, pixels: PixelType) -> Image<T> {
    let shift = shift as f32;
    blocks::map(
        image,
        #[inline(always)]
        |block| match pixels {
            // 255 + 1 - 0.001, so that each whole number gets an equal part of [0, 1].
            PixelType::Uint8 => turn(block, shift, 1.0 / 255.0, |x| floor(x * 255.999)),
            PixelType::Float => turn(block, shift, 1.0, |x| x),
        },
    )
}

/// Turns the colours of a block, whose values times `scale` lie within [0, 1]. Two short loops, each of which
/// is vectorised.
#[inline(always)]
fn turn([r, g, b]: [&mut Channel; 3], shift: f32, scale: f32, store: impl Fn(f32) -> f32) {
    let [mut hues, mut saturations, mut values] = [[0.0; LEN]; 3];
    let hsv = hues.iter_mut().zip(&mut saturations).zip(&mut values);
    let rgb = r.iter().zip(&*g).zip(&*b);
    for (((hue, saturation), value), ((&r, &g), &b)) in hsv.zip(rgb) {
        let [r, g, b] = [r, g, b].map(|x| x * scale);
        let most = at_least(at_least(r, g), b);
        let range = most - at_most(at_most(r, g), b);
        let is_grey = range == 0.0;
        let divisor = if is_grey { 1.0 } else { range };
        let [from_r, from_g, from_b] = [r, g, b].map(|x| (most - x) / divisor);
        // In sixths of the circle, from red.
        let of_green = from_r + 2.0 - from_b;
        let of_blue = from_g + 4.0 - from_r;
        let not_red = if most == g { of_green } else { of_blue };
        let sixths = if most == r { from_b - from_g } else { not_red };
        // Each sum lies within [-1, 2), so one turn at most must be taken off.
        let turns = sixths * (1.0 / 6.0) + 1.0;
        let turns = if turns >= 1.0 { turns - 1.0 } else { turns } + shift;
        let turns = if turns >= 1.0 { turns - 1.0 } else { turns };
        *hue = if turns < 0.0 { turns + 1.0 } else { turns };
        *saturation = range / if is_grey { 1.0 } else { most };
        *value = most;
    }
    let hsv = hues.iter().zip(&saturations).zip(&values);
    let rgb = r.iter_mut().zip(g).zip(b);
    for (((&hue, &saturation), &most), ((r, g), b)) in hsv.zip(rgb) {
        let sixths = hue * 6.0;
        let sector = floor(sixths);
        let part = saturation * (sixths - sector);
        let without = 1.0 - saturation;
        let unit = |x: f32| at_most(at_least(x, 0.0), 1.0);
        let falling = unit((1.0 - part) * most);
        let rising = unit((part + without) * most);
        let low = unit(without * most);
        // Each channel is high for two sectors, falls, is low for two, and rises.
        let sector = if sector == 6.0 { 0.0 } else { sector };
        let pick = |from_high: f32| {
            // Sectors since the first of the two high ones.
            let since = if from_high < 0.0 {
                from_high + 6.0
            } else {
                from_high
            };
            let end = if since == 5.0 { rising } else { low };
            let middle = if since == 2.0 { falling } else { end };
            if since < 2.0 { most } else { middle }
        };
        *r = store(pick(sector - 5.0));
        *g = store(pick(sector - 1.0));
        *b = store(pick(sector - 3.0));
    }
}
