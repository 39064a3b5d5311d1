//! egui's shapes as SVG elements.

use std::fmt::Write as _;

use egui::emath::GuiRounding as _;
use egui::epaint::{
    BandShape, CircleShape, ClippedShape, ColorMode, CornerRadiusF32, CubicBezierShape,
    EllipseShape, PathShape, PathStroke, QuadraticBezierShape, RectShape,
};
use egui::{Color32, CornerRadius, Pos2, Rect, Shape, Stroke, StrokeKind, pos2, vec2};

use super::document::Document;
use super::meshes::mesh;
use super::text;
use super::write::{Factor, Num, paint, placed, point, stroked};

/// egui rounds lines to whole pixels; an SVG has one pixel per point.
const PIXELS_PER_POINT: f32 = 1.0;

/// Adds shapes in their order. Transforms of layers are ignored.
pub fn add(document: &mut Document<'_>, shapes: &[ClippedShape]) {
    for ClippedShape {
        clip_rect, shape, ..
    } in shapes
    {
        document.clip = clip_rect.round_to_pixels(PIXELS_PER_POINT);
        shape_elements(document, shape);
    }
}

fn shape_elements(document: &mut Document<'_>, shape: &Shape) {
    if let Shape::Vec(shapes) = shape {
        for shape in shapes {
            shape_elements(document, shape);
        }
        return;
    }
    let bounds = shape.visual_bounding_rect();
    // A straight line has an empty rectangle but is visible.
    if !bounds.expand(0.5).intersects(document.visible()) {
        return;
    }
    match shape {
        Shape::Noop | Shape::Vec(_) => {}
        // A callback draws on the GPU and has no shape.
        Shape::Callback(_) => {
            log::warn!("a paint callback cannot be written as SVG; it is left out");
        }
        Shape::Circle(circle) => circle_element(document, circle, bounds),
        Shape::Ellipse(ellipse) => ellipse_element(document, ellipse, bounds),
        Shape::LineSegment { points, stroke } => line(document, *points, *stroke, bounds),
        Shape::Path(path) => path_element(document, path, bounds),
        Shape::Band(band) => band_element(document, band, bounds),
        Shape::Rect(rect) => rect_element(document, rect, bounds),
        Shape::Text(shape) => {
            for element in text::elements(shape, document.visible(), &document.typography.clone()) {
                document.element(&element, bounds);
            }
        }
        Shape::Mesh(shape) => mesh(document, shape),
        Shape::QuadraticBezier(curve) => quadratic(document, curve, bounds),
        Shape::CubicBezier(curve) => cubic(document, curve, bounds),
    }
}

fn circle_element(document: &mut Document<'_>, circle: &CircleShape, bounds: Rect) {
    let CircleShape {
        center,
        radius,
        fill,
        stroke,
    } = *circle;
    let element = format!(
        "<circle cx=\"{}\" cy=\"{}\" r=\"{}\"{}{}/>",
        Num(center.x),
        Num(center.y),
        Num(radius),
        paint("fill", fill),
        stroked(stroke)
    );
    document.element(&element, bounds);
}

fn ellipse_element(document: &mut Document<'_>, ellipse: &EllipseShape, bounds: Rect) {
    let EllipseShape {
        center,
        radius,
        fill,
        stroke,
        angle,
    } = *ellipse;
    let element = format!(
        "<ellipse cx=\"{}\" cy=\"{}\" rx=\"{}\" ry=\"{}\"{}{}{}/>",
        Num(center.x),
        Num(center.y),
        Num(radius.x),
        Num(radius.y),
        paint("fill", fill),
        stroked(stroke),
        turned(angle, center)
    );
    document.element(&element, bounds);
}

/// The attribute that rotates an element by `angle` (radians) around `center`.
fn turned(angle: f32, center: Pos2) -> String {
    if angle == 0.0 {
        return String::new();
    }
    let degrees = Factor(angle.to_degrees());
    format!(" transform=\"rotate({degrees} {})\"", point(center))
}

/// Vertical and horizontal lines are rounded to pixels, as egui does it.
fn line(document: &mut Document<'_>, [mut a, mut b]: [Pos2; 2], stroke: Stroke, bounds: Rect) {
    if stroke.is_empty() {
        return;
    }
    if a.x == b.x {
        stroke.round_center_to_pixel(PIXELS_PER_POINT, &mut a.x);
        b.x = a.x;
    }
    if a.y == b.y {
        stroke.round_center_to_pixel(PIXELS_PER_POINT, &mut a.y);
        b.y = a.y;
    }
    let d = format!("M{}L{}", point(a), point(b));
    let joins = stroke.color.is_opaque();
    document.path(&d, stroked(stroke), bounds, joins);
}

fn polyline(points: &[Pos2], closed: bool) -> String {
    let mut d = String::new();
    for (i, &at) in points.iter().enumerate() {
        let _ = write!(d, "{}{}", if i == 0 { 'M' } else { 'L' }, point(at));
    }
    if closed {
        d.push('Z');
    }
    d
}

/// The attributes of a path's stroke; none if its colour changes along the path.
fn path_stroked(stroke: &PathStroke) -> String {
    match stroke.color {
        ColorMode::Solid(color) => {
            let stroke = stroked(Stroke::new(stroke.width, color));
            if stroke.is_empty() {
                stroke
            } else {
                stroke + " stroke-linejoin=\"round\""
            }
        }
        ColorMode::UV(_) => String::new(),
    }
}

fn path_element(document: &mut Document<'_>, path: &PathShape, bounds: Rect) {
    let fill = if path.closed {
        path.fill
    } else {
        Color32::TRANSPARENT
    };
    let attributes = paint("fill", fill) + &path_stroked(&path.stroke);
    document.path(
        &polyline(&path.points, path.closed),
        attributes,
        bounds,
        false,
    );
}

fn band_element(document: &mut Document<'_>, band: &BandShape, bounds: Rect) {
    let upper = band.points.iter().map(|p| pos2(p.x, p.y.max));
    let lower = band.points.iter().rev().map(|p| pos2(p.x, p.y.min));
    let outline: Vec<Pos2> = upper.chain(lower).collect();
    let mut attributes = paint("fill", band.fill) + &stroked(band.stroke);
    if band.angle != 0.0 {
        let degrees = Factor(band.angle.to_degrees());
        let _ = write!(attributes, " transform=\"rotate({degrees})\"");
    }
    document.path(&polyline(&outline, true), attributes, bounds, false);
}

fn quadratic(document: &mut Document<'_>, curve: &QuadraticBezierShape, bounds: Rect) {
    let [a, b, c] = curve.points.map(point);
    let close = if curve.closed { "Z" } else { "" };
    let d = format!("M{a}Q{b} {c}{close}");
    let attributes = paint("fill", curve.fill) + &path_stroked(&curve.stroke);
    document.path(&d, attributes, bounds, false);
}

fn cubic(document: &mut Document<'_>, curve: &CubicBezierShape, bounds: Rect) {
    let [a, b, c, e] = curve.points.map(point);
    let close = if curve.closed { "Z" } else { "" };
    let d = format!("M{a}C{b} {c} {e}{close}");
    let attributes = paint("fill", curve.fill) + &path_stroked(&curve.stroke);
    document.path(&d, attributes, bounds, false);
}

fn rect_element(document: &mut Document<'_>, shape: &RectShape, bounds: Rect) {
    let stroke = shape.stroke;
    let mut rect = shape.rect;
    if shape.round_to_pixels.unwrap_or(true) {
        rect = match shape.stroke_kind {
            StrokeKind::Middle if !stroke.is_empty() => {
                stroke.round_center_to_pixel(PIXELS_PER_POINT, &mut rect.min.x);
                stroke.round_center_to_pixel(PIXELS_PER_POINT, &mut rect.min.y);
                stroke.round_center_to_pixel(PIXELS_PER_POINT, &mut rect.max.x);
                stroke.round_center_to_pixel(PIXELS_PER_POINT, &mut rect.max.y);
                rect
            }
            // Rounding would make a thinner rectangle vanish.
            _ if rect.width() >= 1.0 && rect.height() >= 1.0 => {
                rect.round_to_pixels(PIXELS_PER_POINT)
            }
            _ => rect,
        };
    }
    if let Some(brush) = &shape.brush {
        document.picture(
            brush.fill_texture_id,
            brush.uv,
            shape.fill,
            rect,
            shape.corner_radius,
        );
        if stroke.is_empty() {
            return;
        }
    }
    // SVG centres a stroke on the edge, so the edge moves by half of its width.
    let offset = match shape.stroke_kind {
        _ if stroke.is_empty() => 0.0,
        StrokeKind::Inside => -stroke.width / 2.0,
        StrokeKind::Middle => 0.0,
        StrokeKind::Outside => stroke.width / 2.0,
    };
    let edge = rect.expand(offset);
    let corners = corners(shape.corner_radius, offset);
    let fill = if shape.brush.is_some() {
        Color32::TRANSPARENT
    } else {
        shape.fill
    };
    let mut attributes =
        paint("fill", fill) + &stroked(stroke) + &turned(shape.angle, edge.center());
    if shape.blur_width > 0.0 {
        attributes.push_str(&document.blur(shape.blur_width));
    }
    if fill == Color32::TRANSPARENT && stroke.is_empty() {
        return;
    }
    let element = match corners {
        [0.0, 0.0, 0.0, 0.0] => format!("<rect{}{attributes}/>", placed(edge)),
        [nw, ne, sw, se] if nw == ne && ne == sw && sw == se => {
            let most = edge.size().min_elem() / 2.0;
            format!(
                "<rect{} rx=\"{}\"{attributes}/>",
                placed(edge),
                Num(nw.min(most))
            )
        }
        corners => format!("<path d=\"{}\"{attributes}/>", rounded(edge, corners)),
    };
    document.element(&element, bounds);
}

/// Corner radii (north-west, north-east, south-west, south-east) after the edge has moved outwards by
/// `offset`. Square corners stay square.
fn corners(radius: CornerRadius, offset: f32) -> [f32; 4] {
    let CornerRadiusF32 { nw, ne, sw, se } = radius.into();
    [nw, ne, sw, se].map(|r| if r == 0.0 { 0.0 } else { (r + offset).max(0.0) })
}

/// Path data of a rectangle with a radius for each corner.
fn rounded(rect: Rect, [nw, ne, sw, se]: [f32; 4]) -> String {
    let mut d = format!("M{}", point(rect.left_top() + vec2(nw, 0.0)));
    let mut corner = |from: Pos2, radius: f32, to: Pos2| {
        let _ = write!(d, "L{}", point(from));
        if radius > 0.0 {
            let r = Num(radius);
            let _ = write!(d, "A{r} {r} 0 0 1 {}", point(to));
        }
    };
    let [top, bottom] = [rect.right_top(), rect.right_bottom()];
    corner(top - vec2(ne, 0.0), ne, top + vec2(0.0, ne));
    corner(bottom - vec2(0.0, se), se, bottom - vec2(se, 0.0));
    let [top, bottom] = [rect.left_top(), rect.left_bottom()];
    corner(bottom + vec2(sw, 0.0), sw, bottom - vec2(0.0, sw));
    corner(top + vec2(0.0, nw), nw, top + vec2(nw, 0.0));
    d.push('Z');
    d
}
