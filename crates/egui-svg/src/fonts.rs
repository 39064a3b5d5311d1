//! The fonts of a drawing: the files that draw its glyphs, and how its SVG names them.

use std::collections::BTreeSet;

use skrifa::{FontRef, MetadataProvider as _};

/// The fonts that draw glyphs: in a PNG, and as outlines. Fonts of the system are never used, so a
/// drawing has the same pixels on every machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct FontFiles {
    /// The bytes of OpenType or TrueType files.
    pub files: &'static [&'static [u8]],
    /// The name of the family for text that names none.
    pub family: &'static str,
}

impl FontFiles {
    /// Those of `characters` that none of the fonts has. Files that are not fonts are ignored.
    pub fn lacking(&self, characters: impl Iterator<Item = char>) -> BTreeSet<char> {
        let fonts: Vec<FontRef<'_>> = self
            .files
            .iter()
            .filter_map(|bytes| FontRef::new(bytes).ok())
            .collect();
        let has = |c: char| fonts.iter().any(|font| font.charmap().map(c).is_some());
        characters.filter(|&c| !has(c)).collect()
    }
}

/// How an SVG names fonts. The attributes are written as they are: each begins with a space, and is
/// escaped.
#[cfg(feature = "shapes")]
#[derive(Clone, Copy, Debug)]
pub struct Typography {
    /// The default size in points, written once on the root element. Only text of another size
    /// names its size.
    pub size: f32,
    /// The default attributes, written once on the root element: ` font-family="..."`.
    pub family: &'static str,
    /// The attributes of text in one of egui's families, as far as they differ from the default
    /// ones.
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
