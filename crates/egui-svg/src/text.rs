//! Text of egui as text of SVG: an element for each format of a row. Each word is placed and as
//! wide as egui laid it out, so that another font of the reader takes the same room.

use std::fmt::Write as _;

use egui::epaint::TextShape;
use egui::epaint::text::Glyph;
use egui::text::{Galley, TextFormat};
use egui::{Color32, Pos2, Rect, Stroke, pos2};

use super::Typography;
use super::write::{Factor, Num, escaped, paint, placed, stroked};

/// One text, as elements.
pub fn elements(shape: &TextShape, visible: Rect, typography: &Typography) -> Vec<String> {
    let galley = &*shape.galley;
    let origin = shape.pos.round();
    let turned = shape.angle != 0.0;
    let mut out = Vec::new();
    let sections = sections(galley);
    let mut first = 0;
    for row in &galley.rows {
        let glyphs = row.glyphs.len();
        let of_row: Vec<usize> = (first..first + glyphs)
            .map(|i| section_of(&sections, i))
            .collect();
        first += glyphs + usize::from(row.ends_with_newline);
        // Turned text is placed within its own axes.
        let offset = if turned { Pos2::ZERO } else { origin };
        let at = offset + row.pos.to_vec2();
        let room = Rect::from_min_size(at, row.size);
        if !turned && !room.intersects(visible) {
            continue;
        }
        for run in runs(&of_row) {
            let Some(section) = galley.job.sections.get(of_row[run.start]) else {
                continue;
            };
            out.extend(run_elements(
                shape,
                &row.glyphs[run],
                &section.format,
                at,
                typography,
            ));
        }
    }
    if turned && !out.is_empty() {
        let turn = format!(
            "<g transform=\"translate({} {}) rotate({})\">",
            Num(origin.x),
            Num(origin.y),
            Factor(shape.angle.to_degrees())
        );
        out.insert(0, turn);
        out.push("</g>".to_owned());
    }
    out
}

/// The section of each character of the text.
fn sections(galley: &Galley) -> Vec<usize> {
    let mut of_chars = Vec::new();
    let mut section = 0;
    let sections = &galley.job.sections;
    for (at, _) in galley.job.text.char_indices() {
        while section + 1 < sections.len() && at >= sections[section].byte_range.end.0 {
            section += 1;
        }
        of_chars.push(section);
    }
    of_chars
}

/// An ellipsis at the end of shortened text belongs to what stands before it.
fn section_of(sections: &[usize], glyph: usize) -> usize {
    let known = sections.get(glyph).or(sections.last());
    known.copied().unwrap_or(0)
}

/// Neighbours of one section.
fn runs(sections: &[usize]) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for (i, section) in sections.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if sections[run.start] == *section => run.end = i + 1,
            _ => runs.push(i..i + 1),
        }
    }
    runs
}

fn run_elements(
    shape: &TextShape,
    glyphs: &[Glyph],
    format: &TextFormat,
    row: Pos2,
    typography: &Typography,
) -> Vec<String> {
    let color = |color: Color32| {
        let color = if color == Color32::PLACEHOLDER {
            shape.fallback_color
        } else {
            color
        };
        color.gamma_multiply(shape.opacity_factor)
    };
    let mut out = Vec::new();
    let (Some(start), Some(end)) = (glyphs.first(), glyphs.last()) else {
        return out;
    };
    let logical = Rect::from_min_max(
        row + (start.logical_rect().min.to_vec2()),
        row + end.logical_rect().max.to_vec2(),
    );
    let background = color(format.background);
    if background != Color32::TRANSPARENT {
        let rect = logical.expand(format.expand_bg);
        out.push(format!(
            "<rect{}{}/>",
            placed(rect),
            paint("fill", background)
        ));
    }
    let baseline = row.y + start.pos.y;
    let ink = color(shape.override_text_color.unwrap_or(format.color));
    let is_space = |g: &Glyph| g.chr.is_whitespace();
    let from = glyphs.iter().position(|g| !is_space(g));
    let to = glyphs.iter().rposition(|g| !is_space(g));
    if let (Some(from), Some(to)) = (from, to)
        && ink.a() > 0
    {
        out.push(text_element(
            &glyphs[from..=to],
            format,
            ink,
            pos2(row.x, baseline),
            typography,
        ));
    }
    let lines = [
        (format.underline, baseline + format.font_id.size * 0.12),
        (shape.underline, baseline + format.font_id.size * 0.12),
        (format.strikethrough, logical.center().y),
    ];
    for (stroke, y) in lines {
        let stroke = Stroke::new(stroke.width, color(stroke.color));
        if !stroke.is_empty() {
            out.push(format!(
                "<path d=\"M{} {}H{}\"{}/>",
                Num(logical.left()),
                Num(y),
                Num(logical.right()),
                stroked(stroke)
            ));
        }
    }
    out
}

fn text_element(
    glyphs: &[Glyph],
    format: &TextFormat,
    ink: Color32,
    origin: Pos2,
    typography: &Typography,
) -> String {
    let words = words(glyphs);
    let mut element = String::from("<text");
    if words.len() == 1 {
        element.push_str(&place(glyphs, format, origin.x));
    }
    let _ = write!(element, " y=\"{}\"{}", Num(origin.y), paint("fill", ink));
    let size = format.font_id.size;
    if size != typography.size {
        let _ = write!(element, " font-size=\"{}\"", Num(size));
    }
    element.push_str((typography.attributes)(&format.font_id.family));
    if format.italics {
        element.push_str(" font-style=\"italic\"");
    }
    let spacing = format.extra_letter_spacing;
    if spacing != 0.0 {
        let _ = write!(element, " letter-spacing=\"{}\"", Num(spacing));
    }
    element.push('>');
    let text = |glyphs: &[Glyph]| escaped(&glyphs.iter().map(|g| g.chr).collect::<String>());
    if words.len() == 1 {
        element.push_str(&text(glyphs));
    } else {
        let mut end = 0;
        for word in words {
            let place = place(&glyphs[word.clone()], format, origin.x);
            let (space, letters) = (&glyphs[end..word.start], &glyphs[word.clone()]);
            let _ = write!(
                element,
                "{}<tspan{place}>{}</tspan>",
                text(space),
                text(letters)
            );
            end = word.end;
        }
    }
    element.push_str("</text>");
    element
}

/// The words of a run that neither starts nor ends with a space.
fn words(glyphs: &[Glyph]) -> Vec<std::ops::Range<usize>> {
    let mut words: Vec<std::ops::Range<usize>> = Vec::new();
    for (i, glyph) in glyphs.iter().enumerate() {
        match words.last_mut() {
            _ if glyph.chr.is_whitespace() => {}
            Some(word) if word.end == i => word.end = i + 1,
            _ => words.push(i..i + 1),
        }
    }
    words
}

/// Where a word starts, and its width. Each word has its place: some programs do not know
/// `textLength`, and in a wider font a whole line would run into what follows it.
fn place(word: &[Glyph], format: &TextFormat, origin: f32) -> String {
    let (Some(start), Some(end)) = (word.first(), word.last()) else {
        return String::new();
    };
    let mut place = format!(" x=\"{}\"", Num(origin + start.pos.x));
    if word.len() > 1 {
        // The last letter's own spacing is no part of the text's length.
        let width = end.max_x() - start.pos.x - format.extra_letter_spacing;
        let _ = write!(place, " textLength=\"{}\"", Num(width));
    }
    place
}
