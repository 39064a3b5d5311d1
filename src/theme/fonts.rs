//! The bundled fonts, the same picture everywhere. Fonts of the system come after them, in the window
//! alone, and only for letters that these lack.

use std::path::Path;
use std::sync::Arc;

use eframe::egui::{FontData, FontDefinitions, FontFamily};
use egui_svg::{FontFiles, Typography};

/// The family of headings and key numbers.
pub const SEMIBOLD: &str = "semibold";

const SANS: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/assets/fonts/ModelensSans-Regular.otf"
));
const SANS_SEMIBOLD: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/assets/fonts/ModelensSans-SemiBold.otf"
));
const MONO: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/assets/fonts/JetBrainsMono-Regular.ttf"
));

/// All of them, for figures, whose text is drawn without egui.
pub const FOR_FIGURES: FontFiles = FontFiles {
    files: &[SANS, SANS_SEMIBOLD, MONO],
    family: "Modelens Sans",
};

/// How figures write text.
pub const TYPOGRAPHY: Typography = Typography {
    size: super::text::BODY,
    family: SVG_SANS,
    attributes: svg_attributes,
};

/// SVG attributes of ordinary text, for readers with these fonts and without.
const SVG_SANS: &str =
    " font-family=\"'Modelens Sans', Inter, 'Helvetica Neue', Arial, sans-serif\"";

/// SVG attributes of a family, as it differs from [`SVG_SANS`].
fn svg_attributes(family: &FontFamily) -> &'static str {
    match family {
        FontFamily::Proportional => "",
        FontFamily::Monospace => {
            " font-family=\"'JetBrains Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace\""
        }
        FontFamily::Name(_) => " font-weight=\"600\"",
    }
}

/// The bundled fonts, and after them others for letters that they lack.
pub fn with<'a>(others: impl Iterator<Item = (&'a Path, &'a [u8])>) -> FontDefinitions {
    let mut fonts = definitions();
    for (path, bytes) in others {
        let name = path.display().to_string();
        let data = FontData::from_owned(bytes.to_vec());
        fonts.font_data.insert(name.clone(), Arc::new(data));
        for family in fonts.families.values_mut() {
            family.push(name.clone());
        }
    }
    fonts
}

/// Sans for everything, its semibold for what stands out, mono for code.
pub fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    let data = [
        ("sans", SANS),
        ("sans-semibold", SANS_SEMIBOLD),
        ("mono", MONO),
    ];
    for (name, bytes) in data {
        fonts
            .font_data
            .insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    // File names may hold any letter; the mono face has Greek and Cyrillic, which the others lack.
    let families = [
        (FontFamily::Proportional, ["sans", "mono"]),
        (FontFamily::Name(SEMIBOLD.into()), ["sans-semibold", "mono"]),
        (FontFamily::Monospace, ["mono", "sans"]),
    ];
    for (family, names) in families {
        fonts
            .families
            .insert(family, names.map(str::to_owned).to_vec());
    }
    fonts
}
