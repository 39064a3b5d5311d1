//! Numbers in SVG.

use std::fmt;

/// A coordinate with at most two decimals: a hundredth of a point is invisible, and the rounded
/// number does not depend on the last bits of a computation.
#[derive(Clone, Copy, Debug)]
pub struct Num(pub f32);

impl fmt::Display for Num {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimals(f, f64::from(self.0), 2)
    }
}

/// A factor with at most five decimals: in a transform it is multiplied by a size.
#[derive(Clone, Copy, Debug)]
pub struct Factor(pub f32);

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimals(f, f64::from(self.0), 5)
    }
}

fn decimals(f: &mut fmt::Formatter<'_>, value: f64, places: i32) -> fmt::Result {
    let unit = 10_f64.powi(places);
    let rounded = (value * unit).round() / unit;
    if rounded.is_finite() && rounded != 0.0 {
        write!(f, "{rounded}")
    } else {
        f.write_str("0")
    }
}
