//! The colours of both themes.

use eframe::egui::{Color32, Shadow};

use crate::model::Mode;

/// The colours of one theme.
#[derive(Debug)]
pub struct Palette {
    pub dark: bool,
    pub background: Color32,
    pub panel: Color32,
    pub line: Color32,
    /// Outlines of controls that must be found, such as empty checkboxes.
    pub strong_line: Color32,
    pub ink: Color32,
    pub muted: Color32,
    /// Lines and marks that may be hard to see; no text.
    pub faint: Color32,
    /// Behind a control under the pointer.
    pub hover: Color32,
    /// Text on a surface in the colour of the ink.
    pub on_ink: Color32,
    pub error: Color32,
    /// The ends of the scale of a feature map.
    pub map_low: Color32,
    pub map_high: Color32,
    /// What is advised.
    pub advice: Color32,
    pub training: ModeColors,
    pub inference: ModeColors,
    shadow: Color32,
}

/// The colours of one mode.
#[derive(Debug)]
pub struct ModeColors {
    /// Text and marks.
    pub ink: Color32,
    /// Behind a heading.
    pub band: Color32,
    /// Bars of a histogram.
    pub bar: Color32,
    /// A unit whose value is zero.
    pub pale: Color32,
}

/// A screen that shows nothing.
pub const BLANK: Color32 = Color32::BLACK;

impl Palette {
    pub const LIGHT: Self = Self {
        dark: false,
        background: Color32::from_rgb(0xf7, 0xf7, 0xf5),
        panel: Color32::from_rgb(0xff, 0xff, 0xff),
        line: Color32::from_rgb(0xe3, 0xe3, 0xde),
        strong_line: Color32::from_rgb(0xa5, 0xa9, 0xb0),
        ink: Color32::from_rgb(0x1c, 0x1e, 0x21),
        muted: Color32::from_rgb(0x66, 0x6a, 0x71),
        faint: Color32::from_rgb(0xa5, 0xa9, 0xb0),
        hover: Color32::from_rgb(0xf0, 0xf0, 0xec),
        on_ink: Color32::from_rgb(0xff, 0xff, 0xff),
        error: Color32::from_rgb(0xb4, 0x23, 0x18),
        map_low: Color32::from_rgb(0xee, 0xee, 0xea),
        map_high: Color32::from_rgb(0x1c, 0x1e, 0x21),
        advice: Color32::from_rgb(0x19, 0x7b, 0x35),
        training: ModeColors {
            ink: Color32::from_rgb(0xb6, 0x4a, 0x09),
            band: Color32::from_rgb(0xfd, 0xf1, 0xe7),
            bar: Color32::from_rgb(0xd0, 0x72, 0x3a),
            pale: Color32::from_rgb(0xfc, 0xec, 0xe2),
        },
        inference: ModeColors {
            ink: Color32::from_rgb(0x0a, 0x66, 0xa8),
            band: Color32::from_rgb(0xe9, 0xf3, 0xfa),
            bar: Color32::from_rgb(0x3b, 0x85, 0xba),
            pale: Color32::from_rgb(0xe3, 0xee, 0xf6),
        },
        shadow: Color32::from_black_alpha(0x18),
    };

    pub const DARK: Self = Self {
        dark: true,
        background: Color32::from_rgb(0x16, 0x18, 0x1b),
        panel: Color32::from_rgb(0x1e, 0x21, 0x25),
        line: Color32::from_rgb(0x31, 0x35, 0x3b),
        strong_line: Color32::from_rgb(0x66, 0x6c, 0x75),
        ink: Color32::from_rgb(0xe8, 0xe9, 0xeb),
        muted: Color32::from_rgb(0x9a, 0xa0, 0xa8),
        faint: Color32::from_rgb(0x66, 0x6c, 0x75),
        hover: Color32::from_rgb(0x2a, 0x2e, 0x33),
        on_ink: Color32::from_rgb(0x16, 0x18, 0x1b),
        error: Color32::from_rgb(0xff, 0x8a, 0x80),
        map_low: Color32::from_rgb(0x2a, 0x2e, 0x33),
        map_high: Color32::from_rgb(0xe8, 0xe9, 0xeb),
        advice: Color32::from_rgb(0x4f, 0xc0, 0x6b),
        training: ModeColors {
            ink: Color32::from_rgb(0xff, 0x92, 0x48),
            band: Color32::from_rgb(0x33, 0x25, 0x1a),
            bar: Color32::from_rgb(0xd9, 0x7c, 0x3f),
            pale: Color32::from_rgb(0x35, 0x29, 0x21),
        },
        inference: ModeColors {
            ink: Color32::from_rgb(0x5d, 0xb4, 0xf0),
            band: Color32::from_rgb(0x18, 0x2a, 0x38),
            bar: Color32::from_rgb(0x4c, 0x97, 0xca),
            pale: Color32::from_rgb(0x20, 0x2f, 0x3b),
        },
        shadow: Color32::from_black_alpha(0x60),
    };

    /// The colours of one mode.
    pub fn mode(&self, mode: Mode) -> &ModeColors {
        match mode {
            Mode::Training => &self.training,
            Mode::Inference => &self.inference,
        }
    }

    /// Under menus and messages.
    pub fn shadow(&self) -> Shadow {
        Shadow {
            offset: [0, 4],
            blur: 16,
            spread: 0,
            color: self.shadow,
        }
    }

    /// Over the window while a file is dragged onto it.
    pub fn veil(&self) -> Color32 {
        self.background.gamma_multiply(0.9)
    }

    /// A point of a scatter plot; overlapping points grow darker.
    pub fn point(&self) -> Color32 {
        self.ink.gamma_multiply(0.35)
    }
}

impl ModeColors {
    /// Over parts of a photo.
    pub fn tint(&self) -> Color32 {
        self.ink.gamma_multiply(0.55)
    }

    /// The colour of a unit, `strength` between 0 (pale) and 1 (full).
    pub fn unit(&self, strength: f32) -> Color32 {
        self.pale.lerp_to_gamma(self.ink, strength.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The least contrast of text, from WCAG 2.2, success criterion 1.4.3.
    const LEAST: f64 = 4.5;

    /// Relative luminance, as WCAG 2.2 defines it.
    fn luminance(color: Color32) -> f64 {
        let linear = [color.r(), color.g(), color.b()].map(|byte| {
            let c = f64::from(byte) / 255.0;
            if c <= 0.04045 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let [a, b] = [luminance(a), luminance(b)];
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_text_can_be_read_on_every_ground() {
        assert!((contrast(Color32::BLACK, Color32::WHITE) - 21.0).abs() < 1e-9);
        for palette in [Palette::LIGHT, Palette::DARK] {
            let grounds = [
                palette.background,
                palette.panel,
                palette.hover,
                palette.training.band,
                palette.inference.band,
            ];
            let texts = [
                palette.ink,
                palette.muted,
                palette.error,
                palette.advice,
                palette.training.ink,
                palette.inference.ink,
            ];
            for text in texts {
                for ground in grounds {
                    let found = contrast(text, ground);
                    assert!(found >= LEAST, "{text:?} on {ground:?}: {found:.2}");
                }
            }
            assert!(contrast(palette.on_ink, palette.ink) >= LEAST);
        }
    }
}
