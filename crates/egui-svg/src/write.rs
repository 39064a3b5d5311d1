//! Parts of SVG: coordinates, colours, strokes, escaped text.

use egui::{Color32, Pos2, Rect, Stroke};

pub use super::number::{Factor, Num};

/// A point of a path.
pub fn point(at: Pos2) -> String {
    format!("{} {}", Num(at.x), Num(at.y))
}

/// `fill="#rrggbb"` (or another property), with `fill-opacity` if the colour is not opaque.
pub fn paint(property: &str, color: Color32) -> String {
    let [r, g, b, a] = color.to_srgba_unmultiplied();
    match a {
        0 => format!(" {property}=\"none\""),
        255 => format!(" {property}=\"#{r:02x}{g:02x}{b:02x}\""),
        _ => format!(
            " {property}=\"#{r:02x}{g:02x}{b:02x}\" {property}-opacity=\"{}\"",
            Factor(f32::from(a) / 255.0)
        ),
    }
}

/// The attributes of a stroke; none if it is invisible.
pub fn stroked(stroke: Stroke) -> String {
    if stroke.is_empty() {
        return String::new();
    }
    let color = paint("stroke", stroke.color);
    format!("{color} stroke-width=\"{}\"", Num(stroke.width))
}

/// The attributes of a rectangle's position and size.
pub fn placed(rect: Rect) -> String {
    format!(
        " x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
        Num(rect.left()),
        Num(rect.top()),
        Num(rect.width()),
        Num(rect.height())
    )
}

/// Escapes text for use between tags or in an attribute. Characters that XML forbids are dropped.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_never_minus_zero() {
        let cases = [
            (1.0, "1"),
            (0.0051, "0.01"),
            (-0.001, "0"),
            (12.345_6, "12.35"),
            (f32::NAN, "0"),
            (-3.5, "-3.5"),
        ];
        for (value, text) in cases {
            assert_eq!(Num(value).to_string(), text);
        }
        assert_eq!(Factor(0.123_456).to_string(), "0.12346");
    }

    #[test]
    fn text_cannot_break_the_document() {
        assert_eq!(escaped("a<b & \"c\"\u{1}"), "a&lt;b &amp; &quot;c&quot;");
    }

    #[test]
    fn opacity_is_written_only_where_it_is_needed() {
        assert_eq!(
            paint("fill", Color32::from_rgb(1, 2, 255)),
            " fill=\"#0102ff\""
        );
        assert_eq!(paint("fill", Color32::TRANSPARENT), " fill=\"none\"");
        let half = Color32::from_rgba_unmultiplied(255, 0, 0, 51);
        assert_eq!(
            paint("stroke", half),
            " stroke=\"#ff0000\" stroke-opacity=\"0.2\""
        );
    }
}
