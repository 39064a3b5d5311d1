//! What becomes of egui's shapes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use egui::emath::TSTransform;
use egui::epaint::{ClippedShape, CubicBezierShape, PathStroke, QuadraticBezierShape, TextShape};
use egui::text::{LayoutJob, TextFormat};
use egui::{
    Color32, ColorImage, Context, FontFamily, FontId, Mesh, Pos2, RawInput, Rect, Shape, Stroke,
    StrokeKind, TextureOptions, pos2, vec2,
};

use super::document::Document;
use super::fonts::testing::{FILES, definitions, typography};
use super::images::{Images, data_uri};
use super::shapes::add;

const RED: Color32 = Color32::RED;

fn page() -> Rect {
    Rect::from_min_size(Pos2::ZERO, vec2(100.0, 50.0))
}

/// The elements of shapes that are cut to `clip`.
fn drawn_within(clip_rect: Rect, shapes: Vec<Shape>, images: &Images) -> String {
    let mut document = Document::new(page(), images, typography());
    let clipped = |shape| ClippedShape {
        clip_rect,
        shape,
        transform_after_tessellation: TSTransform::IDENTITY,
    };
    let shapes: Vec<_> = shapes.into_iter().map(clipped).collect();
    add(&mut document, &shapes);
    let svg = document
        .finish(["100", "50"], "", "", Color32::BLACK)
        .unwrap();
    let (_, body) = svg.split_once("fill=\"#000000\"/>\n").unwrap();
    without_prefix(body.trim_end_matches("</svg>\n"))
}

/// The prefix of the ids of a document.
fn prefix(svg: &str) -> Option<&str> {
    let starts = svg.match_indices("#f").map(|(at, _)| &svg[at + 1..]);
    let mut prefixes = starts.filter_map(|rest| rest.get(..10));
    prefixes.find(|prefix| prefix.ends_with('-'))
}

/// The document with the ids it would have alone in its page.
fn without_prefix(svg: &str) -> String {
    prefix(svg).map_or_else(|| svg.to_owned(), |prefix| svg.replace(prefix, ""))
}

/// The letters of texts, with the place of each.
fn letters(svg: &str) -> Vec<(f32, String)> {
    let tags = svg.split('<').filter_map(|tag| tag.split_once('>'));
    tags.filter_map(|(tag, letter)| {
        let (_, x) = tag.split_once("tspan x=\"")?;
        Some((x.trim_end_matches('"').parse().ok()?, letter.to_owned()))
    })
    .collect()
}

/// What a program that reads no tags finds.
fn without_tags(svg: &str) -> String {
    let tags = svg.split('<').filter_map(|tag| tag.split_once('>'));
    tags.map(|(_, text)| text).collect()
}

fn drawn(shapes: Vec<Shape>) -> String {
    drawn_within(page(), shapes, &Images::default())
}

#[test]
fn strokes_lie_where_egui_puts_them() {
    let rect = Rect::from_min_size(pos2(10.0, 10.0), vec2(20.0, 8.0));
    let stroke = Stroke::new(2.0, RED);
    let kinds = [
        (
            StrokeKind::Inside,
            "x=\"11\" y=\"11\" width=\"18\" height=\"6\" rx=\"3\"",
        ),
        (
            StrokeKind::Middle,
            "x=\"10\" y=\"10\" width=\"20\" height=\"8\" rx=\"4\"",
        ),
        (
            StrokeKind::Outside,
            "x=\"9\" y=\"9\" width=\"22\" height=\"10\" rx=\"5\"",
        ),
    ];
    for (kind, place) in kinds {
        let svg = drawn(vec![Shape::rect_stroke(rect, 4.0, stroke, kind)]);
        assert!(svg.contains(place), "{kind:?}: {svg}");
    }
}

#[test]
fn dashes_are_one_path_and_thin_lines_lie_on_pixels() {
    let stroke = Stroke::new(1.0, RED);
    let dash = |x: f32| Shape::line_segment([pos2(x, 7.0), pos2(x + 3.0, 7.0)], stroke);
    let svg = drawn(vec![dash(0.0), dash(5.0)]);
    assert_eq!(
        svg,
        "<path d=\"M0 7.5L3 7.5M5 7.5L8 7.5\" stroke=\"#ff0000\" stroke-width=\"1\"/>\n"
    );
}

#[test]
fn only_what_reaches_out_is_clipped() {
    let clip = Rect::from_min_size(Pos2::ZERO, vec2(50.0, 50.0));
    let circle = |x: f32| Shape::circle_filled(pos2(x, 20.0), 5.0, RED);
    let images = Images::default();
    assert!(!drawn_within(clip, vec![circle(20.0)], &images).contains("clip-path"));
    assert!(drawn_within(clip, vec![circle(48.0)], &images).contains("clip-path"));
    assert_eq!(drawn_within(clip, vec![circle(80.0)], &images), "");
}

#[test]
fn curves_and_polygons_are_paths() {
    let points = [
        pos2(0.0, 0.0),
        pos2(10.0, 0.0),
        pos2(10.0, 10.0),
        pos2(0.0, 10.0),
    ];
    let none = PathStroke::NONE;
    let cubic = CubicBezierShape::from_points_stroke(points, false, RED, none.clone());
    assert!(drawn(vec![cubic.into()]).contains("d=\"M0 0C10 0 10 10 0 10\""));
    let three = [points[0], points[1], points[2]];
    let quadratic = QuadraticBezierShape::from_points_stroke(three, true, RED, none.clone());
    assert!(drawn(vec![quadratic.into()]).contains("d=\"M0 0Q10 0 10 10Z\""));
    let polygon = Shape::convex_polygon(points.to_vec(), RED, none);
    assert!(drawn(vec![polygon]).contains("d=\"M0 0L10 0L10 10L0 10Z\""));
    let ellipse = Shape::ellipse_filled(pos2(20.0, 20.0), vec2(9.0, 4.0), RED);
    assert!(drawn(vec![ellipse]).contains("rx=\"9\" ry=\"4\""));
}

#[test]
fn squares_of_a_mesh_are_one_path_a_colour() {
    let mut mesh = Mesh::default();
    for (i, color) in [RED, Color32::BLUE, RED].into_iter().enumerate() {
        let min = pos2(i as f32 * 10.0, 0.0);
        mesh.add_colored_rect(Rect::from_min_size(min, vec2(8.0, 8.0)), color);
    }
    let svg = drawn(vec![Shape::mesh(mesh)]);
    assert_eq!(svg.lines().count(), 2);
    assert!(
        svg.contains("d=\"M0 0h8v8h-8zM20 0h8v8h-8z\" fill=\"#ff0000\""),
        "{svg}"
    );
}

#[test]
fn a_picture_drawn_twice_is_held_once() {
    let ctx = Context::default();
    Images::install(&ctx);
    let image = ColorImage::filled([4, 2], RED);
    let texture = ctx.load_texture("photo", image, TextureOptions::LINEAR);
    let images = Images::without_window(&ctx);
    let whole = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
    let at = |x: f32| Rect::from_min_size(pos2(x, 0.0), vec2(8.0, 8.0));
    let picture = |x: f32| Shape::image(texture.id(), at(x), whole, Color32::WHITE);
    let svg = drawn_within(page(), vec![picture(0.0), picture(20.0)], &images);
    assert_eq!(
        svg,
        "<use xlink:href=\"#i0\" transform=\"matrix(2 0 0 4 0 0)\"/>\n\
         <use xlink:href=\"#i0\" transform=\"matrix(2 0 0 4 20 0)\"/>\n"
    );
}

/// A document that shows one picture, a clip and a gradient.
fn figure(color: Color32) -> String {
    let ctx = Context::default();
    Images::install(&ctx);
    let image = ColorImage::filled([4, 2], color);
    let texture = ctx.load_texture("photo", image, TextureOptions::LINEAR);
    let images = Images::without_window(&ctx);
    let mut document = Document::new(page(), &images, typography());
    let part = Rect::from_min_max(Pos2::ZERO, pos2(0.5, 0.5));
    document.picture(texture.id(), part, Color32::WHITE, page(), 3.into());
    for attribute in [document.gradient(RED, color, true), document.blur(3.0)] {
        document.element(&format!("<rect{attribute}/>"), page());
    }
    document
        .finish(["100", "50"], "", "", Color32::BLACK)
        .unwrap()
}

#[test]
fn ids_of_two_figures_differ_and_those_of_one_never_change() {
    let ids = |svg: &str| -> Vec<String> {
        let ids = svg.split(" id=\"").skip(1);
        ids.map(|id| id.split('"').next().unwrap().to_owned())
            .collect()
    };
    let [red, blue] = [RED, Color32::BLUE].map(figure);
    assert_eq!(red, figure(RED));
    assert_eq!(ids(&red).len(), 5, "{red}");
    for id in ids(&red) {
        assert!(!blue.contains(&id), "{id}");
        let references = [
            format!("\"#{id}\""),
            format!("(#{id})"),
            format!("aria-labelledby=\"{id}\""),
        ];
        assert!(references.iter().any(|r| red.contains(r)), "{id}");
    }
    for svg in [&red, &blue] {
        let own = prefix(svg).unwrap();
        let kinds = ["xlink:href=\"#", "url(#", "aria-labelledby=\""];
        let references: usize = kinds.iter().map(|kind| svg.matches(kind).count()).sum();
        assert_eq!(svg.matches(own).count(), references + ids(svg).len());
    }
    let outlined = crate::outlined(&red, &FILES).unwrap();
    assert_eq!(ids(&outlined), ids(&red));
}

#[test]
fn sharp_pictures_are_enlarged_to_squares_and_smooth_ones_are_not() {
    let sides = |options: TextureOptions, size: [usize; 2], scale: f32| {
        let ctx = Context::default();
        Images::install(&ctx);
        let texture = ctx.load_texture("map", ColorImage::filled(size, RED), options);
        let images = Images::without_window(&ctx);
        let mut document = Document::new(page(), &images, typography());
        let uv = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
        for factor in [1.0, 0.5] {
            let size = vec2(size[0] as f32, size[1] as f32) * scale * factor;
            let rect = Rect::from_min_size(Pos2::ZERO, size);
            document.picture(texture.id(), uv, Color32::WHITE, rect, 0.into());
        }
        let svg = document.finish(["1", "1"], "", "", Color32::WHITE).unwrap();
        let (_, data) = svg.split_once("base64,").unwrap();
        let png = STANDARD.decode(data.split('"').next().unwrap()).unwrap();
        let side = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        let is_sharp = svg.contains("style=\"image-rendering:pixelated\"");
        (is_sharp, [side(16), side(20)])
    };
    let sharp = TextureOptions::NEAREST;
    assert_eq!(sides(sharp, [5, 4], 8.0), (true, [160, 128]));
    // Never above the bound, and never smaller.
    assert_eq!(sides(sharp, [5, 4], 90.0), (true, [510, 408]));
    assert_eq!(sides(sharp, [600, 4], 0.1), (true, [600, 4]));
    assert_eq!(sides(TextureOptions::LINEAR, [5, 4], 8.0), (false, [5, 4]));
}

#[test]
fn enlarged_pixels_are_squares_of_their_colour() {
    let image = ColorImage::new([2, 1], vec![RED, Color32::BLUE]);
    let uri = data_uri(&image, Color32::WHITE, 3).unwrap();
    let png = STANDARD.decode(uri.split_once(',').unwrap().1).unwrap();
    let decoder = ::png::Decoder::new(std::io::Cursor::new(png));
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    let row = [[255, 0, 0]; 3].into_iter().chain([[0, 0, 255]; 3]);
    let row: Vec<u8> = row.flatten().collect();
    assert_eq!(pixels, row.repeat(3));
}

#[test]
fn each_format_of_a_text_is_a_run_of_its_own() {
    let ctx = Context::default();
    ctx.set_fonts(definitions());
    let mut text = Vec::new();
    let mut output = ctx.run_ui(RawInput::default(), |ui| {
        let body = FontId::new(13.0, FontFamily::Proportional);
        let semibold = FontId::new(13.0, FontFamily::Name("semibold".into()));
        let mut prose = LayoutJob::default();
        for (text, font) in [("one ", &body), ("two", &semibold), (" & three", &body)] {
            prose.append(text, 0.0, TextFormat::simple(font.clone(), Color32::BLACK));
        }
        let mut short = LayoutJob::simple("cut off".into(), body, RED, 30.0);
        short.wrap.max_rows = 1;
        short.wrap.break_anywhere = true;
        text = [prose, short]
            .map(|job| TextShape::new(pos2(5.0, 5.0), ui.painter().layout_job(job), RED).into())
            .to_vec();
    });
    output.textures_delta.clear();
    let svg = drawn(text);
    let lines = svg.lines().map(without_tags);
    let lines: Vec<String> = lines.collect();
    assert_eq!(lines[..3], ["one", "two", "&amp; three"], "{svg}");
    assert!(lines[3].ends_with('…'), "{lines:?}");
    assert_eq!(svg.matches("font-weight=\"600\"").count(), 1);
    assert_eq!(
        svg.matches("#ff0000").count(),
        1,
        "the shortened text is one run"
    );
}

#[test]
fn each_letter_has_its_place() {
    let ctx = Context::default();
    ctx.set_fonts(definitions());
    let mut galley = None;
    let mut output = ctx.run_ui(RawInput::default(), |ui| {
        let font = FontId::new(13.0, FontFamily::Proportional);
        let job = LayoutJob::simple(" of  two < e\u{301} w".into(), font, RED, f32::INFINITY);
        galley = Some(ui.painter().layout_job(job));
    });
    output.textures_delta.clear();
    let galley = galley.unwrap();
    let svg = drawn(vec![
        TextShape::new(pos2(5.0, 5.0), galley.clone(), RED).into(),
    ]);
    let placed = letters(&svg);
    let texts: Vec<&str> = placed.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts[..6], ["o", "f  ", "t", "w", "o ", "&lt; "], "{svg}");
    // It can be found and copied.
    assert_eq!(without_tags(&svg).trim_end(), "of  two &lt; e\u{301} w");
    let glyphs = &galley.rows[0].glyphs;
    for ((x, text), glyph) in placed.iter().zip([1, 2, 5, 6, 7, 9]) {
        let (x, glyph) = (x - 5.0, &glyphs[glyph]);
        assert!((x - glyph.pos.x).abs() <= 1.0, "{text}: {x}");
    }
    // Not rounded to pixels: two letters are apart by the advance of the first.
    let apart = placed[1].0 - placed[0].0;
    assert!((apart - glyphs[1].advance_width).abs() < 0.02, "{apart}");
}

#[test]
fn pictures_of_two_contexts_are_not_mixed_up() {
    let window = Context::default();
    Images::install(&window);
    let red = ColorImage::filled([1, 1], RED);
    let of_window = window.load_texture("photo", red, TextureOptions::LINEAR);
    let images = Images::without_window(&window);
    let own = Context::default();
    Images::install(&own);
    images.keep_apart(&own);
    let blue = ColorImage::filled([1, 1], Color32::BLUE);
    let of_figure = own.load_texture("map", blue, TextureOptions::LINEAR);
    let both = Images::without_window(&own).and(&images);
    let color = |id| both.get(id).unwrap().image.pixels[0];
    assert_eq!(color(of_window.id()), RED);
    assert_eq!(color(of_figure.id()), Color32::BLUE);
}

#[test]
fn a_bar_from_one_colour_to_another_is_a_gradient() {
    let mut mesh = Mesh::default();
    let rect = Rect::from_min_size(pos2(1.0, 2.0), vec2(8.0, 20.0));
    for (at, color) in [
        (rect.left_top(), RED),
        (rect.right_top(), RED),
        (rect.right_bottom(), Color32::BLUE),
        (rect.left_bottom(), Color32::BLUE),
    ] {
        mesh.colored_vertex(at, color);
    }
    mesh.add_triangle(0, 1, 2);
    mesh.add_triangle(0, 2, 3);
    let svg = drawn(vec![Shape::mesh(mesh)]);
    let bar = "<rect x=\"1\" y=\"2\" width=\"8\" height=\"20\" fill=\"url(#g0)\"/>\n";
    assert_eq!(svg, bar);
}

#[test]
fn what_fades_out_keeps_its_colour() {
    let images = Images::default();
    let mut document = Document::new(page(), &images, typography());
    document.gradient(RED, Color32::TRANSPARENT, true);
    let svg = document.finish(["1", "1"], "", "", Color32::WHITE).unwrap();
    let stops = "<stop offset=\"0\" stop-color=\"#ff0000\"/>\
                 <stop offset=\"1\" stop-color=\"#ff0000\" stop-opacity=\"0\"/>";
    assert!(svg.contains(stops), "{svg}");
}
