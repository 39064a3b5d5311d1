//! The size of animations.

use crate::words::export as words;

/// Pixels per inch of an animation, which is shown on a screen.
pub const SCREEN_DPI: f64 = 96.0;

/// The most pixels of all frames together: what keeps the file small enough for a slide, and for the memory of a
/// page.
const MOST_PIXELS: f64 = if cfg!(target_family = "wasm") {
    50e6
} else {
    120e6
};

/// Refuses an animation of pixels that is too large for a slide.
///
/// # Errors
/// A sentence with the sizes.
pub fn animation_fits(
    width: u32,
    [points_wide, points_high]: [f32; 2],
    frames: usize,
) -> Result<(), String> {
    let height = f64::from(width) * f64::from(points_high / points_wide);
    if f64::from(width) * height * frames as f64 <= MOST_PIXELS {
        return Ok(());
    }
    Err(words::too_many_pixels(frames, width, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_animation_is_bounded() {
        assert!(animation_fits(1280, [980.0, 600.0], 33).is_ok());
        let why = animation_fits(4000, [980.0, 600.0], 33);
        assert!(why.is_err_and(|why| why.starts_with("33 frames of 4000 x 2449 pixels")));
    }
}
