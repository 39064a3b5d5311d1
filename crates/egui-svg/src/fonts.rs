//! The fonts of drawings.

use std::collections::BTreeSet;

use skrifa::{FontRef, MetadataProvider as _};

/// Font files for PNG and for outlines. No font of the system is ever used, so that a drawing has
/// the same pixels everywhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct FontFiles {
    /// The bytes of OpenType or TrueType files.
    pub files: &'static [&'static [u8]],
    /// The family for text that names none.
    pub family: &'static str,
}

impl FontFiles {
    /// The letters that none of the fonts has.
    pub fn lacking(&self, letters: impl Iterator<Item = char>) -> BTreeSet<char> {
        let fonts: Vec<FontRef<'_>> = self
            .files
            .iter()
            .filter_map(|bytes| FontRef::new(bytes).ok())
            .collect();
        let has = |c: char| fonts.iter().any(|font| font.charmap().map(c).is_some());
        letters.filter(|&c| !has(c)).collect()
    }
}

/// How text is written in an SVG.
#[cfg(feature = "shapes")]
#[derive(Clone, Copy, Debug)]
pub struct Typography {
    /// The size of ordinary text in points; text of this size names no size of its own.
    pub size: f32,
    /// The attributes of ordinary text, on the root element: ` font-family="..."`.
    pub family: &'static str,
    /// The attributes of text in a family, as they differ from `family`.
    pub attributes: fn(&egui::FontFamily) -> &'static str,
}

#[cfg(feature = "shapes")]
impl Default for Typography {
    fn default() -> Self {
        Self {
            size: 13.0,
            family: " font-family=\"sans-serif\"",
            attributes: |family| match family {
                egui::FontFamily::Monospace => " font-family=\"monospace\"",
                egui::FontFamily::Proportional | egui::FontFamily::Name(_) => "",
            },
        }
    }
}

/// Fonts for the tests of this crate.
#[cfg(test)]
pub mod testing {
    use super::FontFiles;

    const SANS: &[u8] = include_bytes!("../../../assets/fonts/ModelensSans-Regular.otf");
    const SEMIBOLD: &[u8] = include_bytes!("../../../assets/fonts/ModelensSans-SemiBold.otf");
    const MONO: &[u8] = include_bytes!("../../../assets/fonts/JetBrainsMono-Regular.ttf");

    /// A sans, its semibold and a monospaced face.
    pub const FILES: FontFiles = FontFiles {
        files: &[SANS, SEMIBOLD, MONO],
        family: "Modelens Sans",
    };

    /// The same faces for egui; the family `semibold` has a name of its own.
    #[cfg(feature = "shapes")]
    pub fn definitions() -> egui::FontDefinitions {
        let mut fonts = egui::FontDefinitions::empty();
        let families = [
            (egui::FontFamily::Proportional, "sans", SANS),
            (
                egui::FontFamily::Name("semibold".into()),
                "semibold",
                SEMIBOLD,
            ),
            (egui::FontFamily::Monospace, "mono", MONO),
        ];
        for (family, name, bytes) in families {
            let data = egui::FontData::from_static(bytes);
            fonts.font_data.insert(name.to_owned(), data.into());
            fonts.families.insert(family, vec![name.to_owned()]);
        }
        fonts
    }

    /// Text in a named family is semibold.
    #[cfg(feature = "shapes")]
    pub fn typography() -> super::Typography {
        super::Typography {
            attributes: |family| match family {
                egui::FontFamily::Name(_) => " font-weight=\"600\"",
                egui::FontFamily::Monospace | egui::FontFamily::Proportional => "",
            },
            ..super::Typography::default()
        }
    }
}
