//! The operations that policies choose from, and their strengths. Source: torchvision 0.29
//! `v2/_auto_augment.py`.

use super::operation::TensorOperation;
use super::{Draws, happens};

/// A kind of operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Identity,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
    Rotate,
    Brightness,
    Color,
    Contrast,
    Sharpness,
    Posterize,
    Solarize,
    AutoContrast,
    Equalize,
    Invert,
}

impl Kind {
    /// What `RandAugment` and `TrivialAugmentWide` choose from.
    pub const ALL_BUT_INVERT: [Self; 14] = [
        Self::Identity,
        Self::ShearX,
        Self::ShearY,
        Self::TranslateX,
        Self::TranslateY,
        Self::Rotate,
        Self::Brightness,
        Self::Color,
        Self::Contrast,
        Self::Sharpness,
        Self::Posterize,
        Self::Solarize,
        Self::AutoContrast,
        Self::Equalize,
    ];

    /// True if a coin decides the direction.
    fn has_sign(self) -> bool {
        match self {
            Self::ShearX
            | Self::ShearY
            | Self::TranslateX
            | Self::TranslateY
            | Self::Rotate
            | Self::Brightness
            | Self::Color
            | Self::Contrast
            | Self::Sharpness => true,
            Self::Identity
            | Self::Posterize
            | Self::Solarize
            | Self::AutoContrast
            | Self::Equalize
            | Self::Invert => false,
        }
    }
}

/// How far an image is shifted at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shift {
    /// This share of its side.
    Share(f64),
    /// As many pixels.
    Pixels(f64),
}

/// The strengths of the operations: each from weak to strong in equal steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Space {
    /// The strongest shear.
    pub shear: f64,
    pub shift: Shift,
    /// Degrees.
    pub rotation: f64,
    /// The largest distance of a factor from 1.
    pub factor: f64,
    /// Bits that are left at the weakest step, and bits that are lost more at the strongest.
    pub bits: [f64; 2],
    /// Number of steps.
    pub steps: usize,
}

impl Space {
    /// Of `AutoAugment` and `RandAugment`.
    pub fn usual(steps: usize) -> Self {
        Self {
            shear: 0.3,
            shift: Shift::Share(150.0 / 331.0),
            rotation: 30.0,
            factor: 0.9,
            bits: [8.0, 4.0],
            steps,
        }
    }

    /// The operation at a step, for an image of `[height, width]` pixels; a coin decides the direction.
    pub fn draw(
        &self,
        kind: Kind,
        step: usize,
        size: [usize; 2],
        draws: &mut Draws,
    ) -> TensorOperation {
        let size = size.map(|side| side as f64);
        let negative = kind.has_sign() && happens(0.5, draws);
        let at = |from: f64, to: f64| {
            let strength = f64::from(self.at(from, to, step));
            if negative { -strength } else { strength }
        };
        let pixels = |side: f64| {
            let most = match self.shift {
                Shift::Share(share) => share * side,
                Shift::Pixels(pixels) => pixels,
            };
            at(0.0, most) as i32
        };
        match kind {
            Kind::Identity => TensorOperation::Identity,
            Kind::ShearX => TensorOperation::ShearX(at(0.0, self.shear)),
            Kind::ShearY => TensorOperation::ShearY(at(0.0, self.shear)),
            Kind::TranslateX => TensorOperation::TranslateX(pixels(size[1])),
            Kind::TranslateY => TensorOperation::TranslateY(pixels(size[0])),
            Kind::Rotate => TensorOperation::Rotate(at(0.0, self.rotation)),
            Kind::Brightness => TensorOperation::Brightness(1.0 + at(0.0, self.factor)),
            Kind::Color => TensorOperation::Saturation(1.0 + at(0.0, self.factor)),
            Kind::Contrast => TensorOperation::Contrast(1.0 + at(0.0, self.factor)),
            Kind::Sharpness => TensorOperation::Sharpness(1.0 + at(0.0, self.factor)),
            Kind::Posterize => {
                let [most, lost] = self.bits;
                let last = self.steps.saturating_sub(1).max(1);
                let lost = step as f32 / (last as f64 / lost) as f32;
                TensorOperation::Posterize((most as f32 - lost).round_ties_even() as u32)
            }
            Kind::Solarize => TensorOperation::SolarizeShare(at(1.0, 0.0)),
            Kind::AutoContrast => TensorOperation::AutoContrast,
            Kind::Equalize => TensorOperation::Equalize,
            Kind::Invert => TensorOperation::Invert,
        }
    }

    /// The number at `step` of `steps` from `from` to `to`, as `torch.linspace` computes it: from the
    /// nearer end, rounded once.
    fn at(&self, from: f64, to: f64, step: usize) -> f32 {
        let last = self.steps.saturating_sub(1);
        let step = step.min(last);
        let (from, to) = (from as f32, to as f32);
        let width = f64::from((to - from) / last.max(1) as f32);
        if step < self.steps / 2 {
            (f64::from(from) + width * step as f64) as f32
        } else {
            (f64::from(to) - width * (last - step) as f64) as f32
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strengths_are_those_of_torch_linspace() {
        // torch.linspace(0.0, 150.0 / 331.0 * 160, 31)[9], of 0.3 and 10 steps [7], from 1 to 0.
        let space = Space::usual(31);
        assert_eq!(space.at(0.0, 150.0 / 331.0 * 160.0, 9), 21.752_266);
        assert_eq!(Space::usual(10).at(0.0, 0.3, 7), 0.233_333_35);
        assert_eq!(space.at(1.0, 0.0, 30), 0.0);
        assert_eq!(space.at(1.0, 0.0, 9), 0.7);
        let mut draws = Draws::new(1, &[]);
        for (step, bits) in [(0, 8), (9, 7), (15, 6), (30, 4)] {
            let drawn = space.draw(Kind::Posterize, step, [8, 8], &mut draws);
            assert_eq!(drawn, TensorOperation::Posterize(bits));
        }
    }
}
