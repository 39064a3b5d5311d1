//! Text as outlines, for readers that lack the fonts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use resvg::tiny_skia::{PathSegment, Point};
use resvg::usvg::{self, Group, Node, Paint};

use super::FontFiles;
use super::number::{Factor, Num};

/// Replaces every `<text>` of an SVG by the outlines of its glyphs.
///
/// `svg` is one that this crate wrote: with one `<text>` element per line.
///
/// # Errors
/// The drawing is not valid SVG.
pub fn outlined(svg: &str, fonts: &FontFiles) -> Result<String, usvg::Error> {
    // Each text gets an id, by which its outlines are found in the parsed tree.
    let mut texts = 0;
    let mut numbered = String::with_capacity(svg.len());
    for line in svg.lines() {
        if let Some(rest) = line.strip_prefix("<text ") {
            let _ = writeln!(numbered, "<text id=\"t{texts}\" {rest}");
            texts += 1;
        } else {
            numbered.push_str(line);
            numbered.push('\n');
        }
    }
    let tree = super::png::tree(&numbered, fonts)?;
    let mut outlines = BTreeMap::new();
    collect(tree.root(), &mut outlines);
    let mut out = String::with_capacity(svg.len() * 2);
    let mut number = 0;
    for line in svg.lines() {
        if line.starts_with("<text ") {
            if let Some(paths) = outlines.get(&format!("t{number}")) {
                out.push_str(paths);
            }
            number += 1;
        } else {
            out.push_str(line);
            out.push('\n');
        }
    }
    Ok(out)
}

fn collect(group: &Group, outlines: &mut BTreeMap<String, String>) {
    for node in group.children() {
        match node {
            Node::Group(group) => collect(group, outlines),
            Node::Text(text) => {
                let mut paths = Vec::new();
                add_paths(text.flattened(), &mut paths);
                let mut elements = String::new();
                for (attributes, d) in paths {
                    let _ = writeln!(elements, "<path{attributes} d=\"{d}\"/>");
                }
                outlines.insert(text.id().to_owned(), elements);
            }
            Node::Path(_) | Node::Image(_) => {}
        }
    }
}

/// Adds the attributes and the outline of each path; the words of a text are one path.
fn add_paths(group: &Group, paths: &mut Vec<(String, String)>) {
    for node in group.children() {
        match node {
            Node::Group(group) => add_paths(group, paths),
            Node::Path(path) => {
                let Some(fill) = path.fill() else { continue };
                let Paint::Color(color) = fill.paint() else {
                    continue;
                };
                let mut attributes = format!(
                    " fill=\"#{:02x}{:02x}{:02x}\"",
                    color.red, color.green, color.blue
                );
                if fill.opacity().get() < 1.0 {
                    let opacity = Factor(fill.opacity().get());
                    let _ = write!(attributes, " fill-opacity=\"{opacity}\"");
                }
                match paths.last_mut() {
                    Some((same, d)) if *same == attributes => write_segments(path, d),
                    _ => {
                        let mut d = String::new();
                        write_segments(path, &mut d);
                        paths.push((attributes, d));
                    }
                }
            }
            Node::Text(_) | Node::Image(_) => {}
        }
    }
}

/// Writes path data in the coordinates of the text element.
fn write_segments(path: &usvg::Path, out: &mut String) {
    let mut add = |letter: char, points: &[Point]| {
        out.push(letter);
        for (i, point) in points.iter().enumerate() {
            let space = if i == 0 { "" } else { " " };
            let _ = write!(out, "{space}{} {}", Num(point.x), Num(point.y));
        }
    };
    for segment in path.data().segments() {
        match segment {
            PathSegment::MoveTo(p) => add('M', &[p]),
            PathSegment::LineTo(p) => add('L', &[p]),
            PathSegment::QuadTo(a, p) => add('Q', &[a, p]),
            PathSegment::CubicTo(a, b, p) => add('C', &[a, b, p]),
            PathSegment::Close => add('Z', &[]),
        }
    }
}
