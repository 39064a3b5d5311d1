//! The size of text in a drawing.

/// The size of the smallest words of a drawing of this crate, in its points. `usual` is the size of text
/// that names none. Signs alone, without a letter or a digit, are no words.
pub fn smallest_text(svg: &str, usual: f32) -> f32 {
    let texts = svg.split("<text ").skip(1);
    let sizes = texts.filter_map(|text| {
        let (text, _) = text.split_once("</text>")?;
        let (tag, content) = text.split_once('>')?;
        let mut outside = true;
        let is_word = content.chars().any(|c| {
            match c {
                '<' => outside = false,
                '>' => outside = true,
                _ => {}
            }
            outside && c.is_alphanumeric()
        });
        let size = match tag.split_once("font-size=\"") {
            Some((_, size)) => size.split('"').next()?.parse().ok()?,
            None => usual,
        };
        is_word.then_some(size)
    });
    let smallest = sizes.fold(f32::INFINITY, f32::min);
    if smallest.is_finite() {
        smallest
    } else {
        usual
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_text_is_that_of_words() {
        let svg = "<svg font-size=\"13\"><text y=\"1\"><tspan x=\"2\">a</tspan></text>\
                   <text y=\"1\" font-size=\"11\" x=\"2\">7</text>\
                   <text font-size=\"7\"><tspan x=\"9\">\u{d7}</tspan></text></svg>";
        assert_eq!(smallest_text(svg, 13.0), 11.0);
        assert_eq!(smallest_text("<svg/>", 13.0), 13.0);
    }
}
