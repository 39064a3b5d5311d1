//! egui's text as SVG text. Each run of one format becomes a `<text>` element in which each letter
//! has the position of egui's layout, so that it takes the same room in another font.

use std::fmt::Write as _;

use egui::epaint::TextShape;
use egui::epaint::text::Glyph;
use egui::text::{Galley, TextFormat};
use egui::{Color32, Pos2, Rect, Stroke, pos2};

use super::Typography;
use super::write::{Factor, Num, escaped, paint, placed, stroked};

/// The elements of one text: backgrounds, runs and lines.
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
        // Rotated text is placed in its own coordinates.
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

/// The index of the section of each character.
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

/// The section of a glyph. An ellipsis at the end of shortened text has no character of its own; it
/// belongs to the last section.
fn section_of(sections: &[usize], glyph: usize) -> usize {
    let known = sections.get(glyph).or(sections.last());
    known.copied().unwrap_or(0)
}

/// Groups neighbouring glyphs of one section.
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
    let mut element = format!("<text y=\"{}\"{}", Num(origin.y), paint("fill", ink));
    let size = format.font_id.size;
    if size != typography.size {
        let _ = write!(element, " font-size=\"{}\"", Num(size));
    }
    element.push_str((typography.attributes)(&format.font_id.family));
    if format.italics {
        element.push_str(" font-style=\"italic\"");
    }
    let letters = letters(glyphs, format.extra_letter_spacing);
    let only = letters.len() == 1;
    if !only {
        element.push('>');
    }
    for (x, letter) in letters {
        let (x, letter) = (Num(origin.x + x), escaped(&letter));
        let _ = if only {
            write!(element, " x=\"{x}\">{letter}")
        } else {
            write!(element, "<tspan x=\"{x}\">{letter}</tspan>")
        };
    }
    element.push_str("</text>");
    element
}

/// The letters of a run and where each starts. Spaces and combining marks are added to the letter
/// before them.
///
/// Each letter is placed, because some programs ignore `textLength`: in a wider font a run would
/// cover what follows it.
fn letters(glyphs: &[Glyph], spacing: f32) -> Vec<(f32, String)> {
    let mut letters: Vec<(f32, String)> = Vec::new();
    let mut x = glyphs.first().map_or(0.0, |glyph| glyph.pos.x);
    for glyph in glyphs {
        // egui rounds positions to pixels. The sum of the advances is not rounded.
        if (x - glyph.pos.x).abs() > 1.0 {
            x = glyph.pos.x;
        }
        let is_own = glyph.advance_width > 0.0 && !glyph.chr.is_whitespace();
        match letters.last_mut() {
            Some((_, letter)) if !is_own => letter.push(glyph.chr),
            _ => letters.push((x, glyph.chr.to_string())),
        }
        if glyph.advance_width > 0.0 {
            x += glyph.advance_width + spacing;
        }
    }
    letters
}
