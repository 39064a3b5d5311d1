//! Characters that the fonts lack.

use std::collections::BTreeSet;

use crate::FontFiles;

/// The characters of an SVG's texts that none of the fonts has. They become boxes wherever glyphs
/// are drawn: in a PNG, and in an SVG of outlines.
///
/// `svg` is one that this crate wrote: with one `<text>` element per line.
pub fn missing_glyphs(svg: &str, fonts: &FontFiles) -> BTreeSet<char> {
    let texts = svg.lines().filter(|line| line.starts_with("<text "));
    let characters = texts.flat_map(str::chars).filter(|c| is_drawn(*c));
    let characters: BTreeSet<char> = characters.collect();
    fonts.lacking(characters.into_iter())
}

/// False for characters without a shape of their own (joiners, marks of direction, variation
/// selectors), and for ASCII, which every font has.
fn is_drawn(c: char) -> bool {
    let is_shapeless = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}');
    !c.is_ascii() && !c.is_whitespace() && !is_shapeless
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fonts::testing::FILES;

    #[test]
    fn only_characters_of_texts_that_no_font_has_are_missing() {
        let svg = "<path d=\"\u{4e00}\"/>\n<text x=\"1\">café α Ж × … 猫/犬 ไ</text>\n";
        let missing: String = missing_glyphs(svg, &FILES).into_iter().collect();
        assert_eq!(missing, "ไ犬猫");
        assert!(missing_glyphs("<text>plain &amp; simple</text>", &FILES).is_empty());
    }
}
