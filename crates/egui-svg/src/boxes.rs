//! Letters that a drawing shows as boxes, because the bundled fonts lack them.

use std::collections::BTreeSet;

use crate::FontFiles;

/// The letters of a drawing's texts that become boxes where its texts are drawn: in a PNG, and in
/// an SVG of outlines.
pub fn boxes(svg: &str, fonts: &FontFiles) -> BTreeSet<char> {
    // The document has one text a line.
    let texts = svg.lines().filter(|line| line.starts_with("<text "));
    let letters = texts.flat_map(str::chars).filter(|c| is_drawn(*c));
    let letters: BTreeSet<char> = letters.collect();
    fonts.lacking(letters.into_iter())
}

/// ASCII is in every font; joiners, marks of direction and selectors have no shape of their own.
fn is_drawn(c: char) -> bool {
    let shapeless = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}');
    !c.is_ascii() && !c.is_whitespace() && !shapeless
}

/// Some of the letters, for a sentence: `猫, 犬 and 3 more`.
pub fn some(letters: &BTreeSet<char>) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = letters.iter().take(SHOWN).map(char::to_string).collect();
    match letters.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fonts::testing::FILES;

    #[test]
    fn only_letters_of_texts_that_no_font_has_are_boxes() {
        let svg = "<path d=\"\u{4e00}\"/>\n<text x=\"1\">café α Ж × … 猫/犬 ไ</text>\n";
        let found: String = boxes(svg, &FILES).into_iter().collect();
        assert_eq!(found, "ไ犬猫");
        assert!(boxes("<text>plain &amp; simple</text>", &FILES).is_empty());
    }

    #[test]
    fn a_sentence_names_a_few() {
        let of = |letters: &str| some(&letters.chars().collect());
        assert_eq!(of("ab"), "a, b");
        assert_eq!(of("abcdefg"), "a, b, c, d, e and 2 more");
    }
}
