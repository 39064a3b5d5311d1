//! Meshes: pictures, gradients, and many small rectangles.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use egui::epaint::Vertex;
use egui::{Color32, CornerRadius, Mesh, Rect, TextureId};

use super::document::Document;
use super::write::{Num, paint, placed, point};

/// Adds a mesh. Pairs of triangles that make an upright rectangle become a picture, a rectangle or a
/// gradient.
pub fn mesh(document: &mut Document<'_>, mesh: &Mesh) {
    let triangles: Vec<[Vertex; 3]> = mesh
        .indices
        .chunks_exact(3)
        .filter_map(|t| {
            let at = |i: u32| mesh.vertices.get(i as usize).copied();
            Some([at(t[0])?, at(t[1])?, at(t[2])?])
        })
        .collect();
    let quads: Option<Vec<[Vertex; 4]>> = triangles
        .chunks(2)
        .map(|pair| {
            let [a, b] = pair else {
                return None;
            };
            upright(*a, *b)
        })
        .collect();
    match quads {
        Some(quads) if mesh.texture_id != TextureId::default() => {
            for [min, .., max] in quads {
                let rect = Rect::from_min_max(min.pos, max.pos);
                let uv = Rect::from_min_max(min.uv, max.uv);
                document.picture(mesh.texture_id, uv, min.color, rect, CornerRadius::ZERO);
            }
        }
        Some(quads) if quads.iter().all(is_plain) => squares(document, &quads),
        Some(quads) if quads.iter().all(|quad| ends(quad).is_some()) => {
            for quad in &quads {
                gradient(document, quad);
            }
        }
        _ if mesh.texture_id == TextureId::default() => {
            for triangle in triangles {
                triangle_element(document, triangle);
            }
        }
        _ => log::warn!("a rotated picture cannot be written as SVG; it is left out"),
    }
}

/// True if all corners have one colour.
fn is_plain(quad: &[Vertex; 4]) -> bool {
    quad.iter().all(|v| v.color == quad[0].color)
}

/// The first and last colour of a gradient, and true if it runs downwards, false if it runs to the
/// right; `None` if it is neither.
fn ends([nw, ne, sw, se]: &[Vertex; 4]) -> Option<(Color32, Color32, bool)> {
    if nw.color == ne.color && sw.color == se.color {
        Some((nw.color, sw.color, true))
    } else if nw.color == sw.color && ne.color == se.color {
        Some((nw.color, ne.color, false))
    } else {
        None
    }
}

fn gradient(document: &mut Document<'_>, quad: &[Vertex; 4]) {
    if let Some((from, to, down)) = ends(quad) {
        let rect = Rect::from_min_max(quad[0].pos, quad[3].pos);
        let fill = document.gradient(from, to, down);
        document.element(&format!("<rect{}{fill}/>", placed(rect)), rect);
    }
}

/// The corners, in reading order, of the upright rectangle that two triangles make; `None` if they
/// make another shape.
fn upright(a: [Vertex; 3], b: [Vertex; 3]) -> Option<[Vertex; 4]> {
    let all = [a, b].concat();
    let bounds = Rect::from_points(&all.iter().map(|v| v.pos).collect::<Vec<_>>());
    let corner = |at| all.iter().find(|v| v.pos == at).copied();
    let corners = [
        corner(bounds.left_top())?,
        corner(bounds.right_top())?,
        corner(bounds.left_bottom())?,
        corner(bounds.right_bottom())?,
    ];
    let at_corners = all
        .iter()
        .all(|v| corners.iter().any(|c| c.pos == v.pos && c.color == v.color));
    // Each triangle has three different corners, and together they have all four.
    let whole =
        |t: &[Vertex; 3]| t[0].pos != t[1].pos && t[1].pos != t[2].pos && t[2].pos != t[0].pos;
    (at_corners && whole(&a) && whole(&b)).then_some(corners)
}

/// Adds rectangles as one path per colour if none overlap, so that their order does not matter.
fn squares(document: &mut Document<'_>, quads: &[[Vertex; 4]]) {
    let mut rects: Vec<(Rect, Color32)> = quads
        .iter()
        .map(|[min, .., max]| (Rect::from_min_max(min.pos, max.pos), min.color))
        .filter(|(rect, color)| color.a() > 0 && rect.intersects(document.visible()))
        .collect();
    if overlap(&rects) {
        for (rect, color) in rects {
            document.path(&square(rect), paint("fill", color), rect, color.is_opaque());
        }
        return;
    }
    rects.sort_by(|(a, _), (b, _)| {
        a.top()
            .total_cmp(&b.top())
            .then(a.left().total_cmp(&b.left()))
    });
    let mut by_color: BTreeMap<[u8; 4], (String, Rect)> = BTreeMap::new();
    for (rect, color) in rects {
        let (d, bounds) = by_color
            .entry(color.to_array())
            .or_insert((String::new(), Rect::NOTHING));
        d.push_str(&square(rect));
        *bounds = bounds.union(rect);
    }
    for ([r, g, b, a], (d, bounds)) in by_color {
        let color = Color32::from_rgba_premultiplied(r, g, b, a);
        document.path(&d, paint("fill", color), bounds, false);
    }
}

fn square(rect: Rect) -> String {
    let mut d = format!("M{}h{}", point(rect.min), Num(rect.width()));
    let _ = write!(d, "v{}h{}z", Num(rect.height()), Num(-rect.width()));
    d
}

/// True if any two rectangles share more than an edge.
fn overlap(rects: &[(Rect, Color32)]) -> bool {
    let mut sorted: Vec<Rect> = rects.iter().map(|(rect, _)| rect.shrink(0.01)).collect();
    sorted.sort_by(|a, b| a.top().total_cmp(&b.top()));
    sorted.iter().enumerate().any(|(i, a)| {
        sorted[i + 1..]
            .iter()
            .take_while(|b| b.top() < a.bottom())
            .any(|b| a.intersects(*b))
    })
}

fn triangle_element(document: &mut Document<'_>, triangle: [Vertex; 3]) {
    let [a, b, c] = triangle.map(|v| v.pos);
    // SVG cannot blend from corner to corner: take the mean colour.
    let mean = |channel: usize| {
        let sum: u16 = triangle
            .iter()
            .map(|v| u16::from(v.color.to_array()[channel]))
            .sum();
        (sum / 3) as u8
    };
    let color = Color32::from_rgba_premultiplied(mean(0), mean(1), mean(2), mean(3));
    let d = format!("M{}L{}L{}Z", point(a), point(b), point(c));
    let bounds = Rect::from_points(&[a, b, c]);
    document.path(&d, paint("fill", color), bounds, color.is_opaque());
}
