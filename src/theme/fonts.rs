//! The bundled fonts; no font of the system is used, so the picture is the same everywhere.

use std::sync::Arc;

use eframe::egui::{FontData, FontDefinitions, FontFamily};

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

/// All of them, for whatever draws text without egui.
pub const FILES: [&[u8]; 3] = [SANS, SANS_SEMIBOLD, MONO];
/// The family name of the sans.
pub const SANS_NAME: &str = "Modelens Sans";

/// SVG attributes of ordinary text, for readers with these fonts and without.
pub const SVG_SANS: &str =
    " font-family=\"'Modelens Sans', Inter, 'Helvetica Neue', Arial, sans-serif\"";

/// SVG attributes of a family, as it differs from [`SVG_SANS`].
pub fn svg_attributes(family: &FontFamily) -> &'static str {
    match family {
        FontFamily::Proportional => "",
        FontFamily::Monospace => {
            " font-family=\"'JetBrains Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace\""
        }
        FontFamily::Name(_) => " font-weight=\"600\"",
    }
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
