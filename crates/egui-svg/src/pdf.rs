//! PDF from SVG: pages of drawings, with text as text.

use std::collections::HashMap;

use krilla::color::rgb;
use krilla::configure::{ConfigurationBuilder, PdfVersion};
use krilla::destination::XyzDestination;
use krilla::error::KrillaError;
use krilla::geom::{Path, PathBuilder, Point, Rect, Size, Transform};
use krilla::image::Image;
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{
    Fill, FillRule, LineCap, LineJoin, LinearGradient, Paint, SpreadMethod, Stop, Stroke,
    StrokeDash,
};
use krilla::surface::Surface;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use krilla::{Document, SerializeSettings};
use resvg::tiny_skia::PathSegment;
use resvg::usvg::{self, Node, Tree, fontdb};
use thiserror::Error;

use super::FontFiles;
use super::png;

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    /// Width and height in points of print, 72 per inch.
    pub size: [f32; 2],
    pub drawings: Vec<Drawing>,
}

/// An SVG on a page.
#[derive(Clone, Debug)]
pub struct Drawing {
    pub svg: String,
    /// Its upper left corner, from that of the page.
    pub at: [f32; 2],
    /// Its width; the height follows from its proportions.
    pub width: f32,
}

/// An entry of the table of contents that a viewer shows beside the pages.
#[derive(Clone, Debug)]
pub struct Bookmark {
    pub title: String,
    /// Counted from 0.
    pub page: usize,
    pub y: f32,
}

/// Why a PDF cannot be made.
#[derive(Debug, Error)]
pub enum PdfError {
    /// A drawing is not valid SVG.
    #[error("the drawing cannot be read back: {0}")]
    Svg(#[from] usvg::Error),
    /// A picture cannot be encoded.
    #[error("a picture cannot be written: {0}")]
    Picture(#[from] ::png::EncodingError),
    /// A page or a drawing without a size.
    #[error("a page of {} x {} points cannot be written", .0[0], .0[1])]
    Size([f32; 2]),
    /// The writer failed.
    #[error("the PDF cannot be written: {0:?}")]
    Writing(Box<KrillaError>),
}

/// Writes pages. The same pages give the same bytes: the file holds no time.
///
/// # Errors
/// See [`PdfError`].
pub fn write(
    title: &str,
    pages: &[Page],
    bookmarks: &[Bookmark],
    fonts: &FontFiles,
) -> Result<Vec<u8>, PdfError> {
    written(metadata(title), pages, bookmarks, fonts)
}

fn written(
    metadata: Metadata,
    pages: &[Page],
    bookmarks: &[Bookmark],
    fonts: &FontFiles,
) -> Result<Vec<u8>, PdfError> {
    // pdfLaTeX before 2024 warns of figures in a later version.
    let configuration = ConfigurationBuilder::new()
        .with_version(PdfVersion::Pdf15)
        .finish()
        .unwrap_or_default();
    let mut document = Document::new_with(SerializeSettings {
        configuration,
        ..SerializeSettings::default()
    });
    document.set_metadata(metadata);
    let mut writer = Writer::default();
    for page in pages {
        let [width, height] = page.size;
        let settings = PageSettings::from_wh(width, height).ok_or(PdfError::Size(page.size))?;
        let mut written = document.start_page_with(settings);
        let mut surface = written.surface();
        for drawing in &page.drawings {
            let tree = png::tree(&drawing.svg, fonts)?;
            writer.drawing(&tree, drawing, &mut surface)?;
        }
        surface.finish();
        written.finish();
    }
    let mut outline = Outline::new();
    for bookmark in bookmarks.iter().filter(|b| b.page < pages.len()) {
        let at = XyzDestination::new(bookmark.page, Point::from_xy(0.0, bookmark.y));
        outline.push_child(OutlineNode::new(bookmark.title.clone(), at));
    }
    document.set_outline(outline);
    document
        .finish()
        .map_err(|error| PdfError::Writing(Box::new(error)))
}

/// Points of print per CSS pixel, in which an SVG without units is measured.
pub const PER_PIXEL: f32 = 0.75;

/// Writes drawings, one per page. A page is as large as the `width` and `height` of its SVG say, at 96
/// pixels per inch. Title and description are those of the first.
///
/// # Errors
/// See [`PdfError`].
pub fn from_svgs(svgs: &[String], fonts: &FontFiles) -> Result<Vec<u8>, PdfError> {
    let mut pages = Vec::new();
    for svg in svgs {
        let size = png::tree(svg, fonts)?.size();
        let size = [size.width() * PER_PIXEL, size.height() * PER_PIXEL];
        pages.push(Page {
            size,
            drawings: vec![Drawing {
                svg: svg.clone(),
                at: [0.0; 2],
                width: size[0],
            }],
        });
    }
    let text = |name: &str| svgs.first().and_then(|svg| text_of(svg, name));
    let metadata = metadata(&text("title").unwrap_or_default());
    let metadata = match text("desc") {
        Some(description) => metadata.description(description),
        None => metadata,
    };
    written(metadata, &pages, &[], fonts)
}

/// The text of the first element of this name.
fn text_of(svg: &str, name: &str) -> Option<String> {
    let (_, rest) = svg.split_once(&format!("<{name}"))?;
    let (_, rest) = rest.split_once('>')?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let signs = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&amp;", "&"),
    ];
    let text = signs
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    Some(text)
}

fn metadata(title: &str) -> Metadata {
    Metadata::new()
        .title(title.to_owned())
        .language("en".to_owned())
}

/// What the drawings of a document share.
#[derive(Default)]
struct Writer {
    /// By their PostScript names.
    fonts: HashMap<String, Option<Font>>,
}

impl Writer {
    fn drawing(
        &mut self,
        tree: &Tree,
        drawing: &Drawing,
        surface: &mut Surface<'_>,
    ) -> Result<(), PdfError> {
        let size = tree.size();
        let scale = drawing.width / size.width();
        let [x, y] = drawing.at;
        let page = Rect::from_xywh(0.0, 0.0, size.width(), size.height());
        let page = page.ok_or(PdfError::Size([size.width(), size.height()]))?;
        surface.push_transform(&Transform::from_row(scale, 0.0, 0.0, scale, x, y));
        let clipped = clip(rectangle(page).as_ref(), surface);
        self.group(tree.root(), tree.fontdb(), surface);
        pop(surface, 1 + clipped);
        Ok(())
    }

    fn group(&mut self, group: &usvg::Group, fonts: &fontdb::Database, surface: &mut Surface<'_>) {
        // Blurred shadows are left out: a PDF has no filters.
        if !group.filters().is_empty() {
            return;
        }
        surface.push_transform(&transform(group.transform()));
        let mut pushed = 1;
        if let Some(path) = group.clip_path() {
            pushed += clip(outline(path.root(), path.transform()).as_ref(), surface);
        }
        let opacity = group.opacity();
        if opacity != usvg::Opacity::ONE {
            surface.push_opacity(normalized(opacity.get()));
            surface.push_isolated();
            pushed += 2;
        }
        for node in group.children() {
            match node {
                Node::Group(group) => self.group(group, fonts, surface),
                Node::Path(path) => path_on(path, surface),
                Node::Image(image) => image_on(image, surface),
                Node::Text(text) => self.text(text, fonts, surface),
            }
        }
        pop(surface, pushed);
    }

    /// Writes each span as runs of glyphs on one line.
    fn text(&mut self, text: &usvg::Text, fonts: &fontdb::Database, surface: &mut Surface<'_>) {
        for span in text.layouted().iter().filter(|span| span.visible) {
            let Some(fill) = &span.fill else { continue };
            let mut run: Option<Run> = None;
            for glyph in &span.positioned_glyphs {
                let Some(font) = self.font(fonts, glyph.font) else {
                    continue;
                };
                let at = glyph.transform();
                let ended = run.take_if(|run| run.font != glyph.font || run.y != at.ty);
                if let Some(ended) = ended {
                    ended.draw(fill, surface);
                }
                let run = run.get_or_insert_with(|| Run {
                    font: glyph.font,
                    drawn: font,
                    size: glyph.font_size(),
                    x: at.tx,
                    y: at.ty,
                    text: String::new(),
                    glyphs: Vec::new(),
                });
                run.add(glyph, at.tx);
            }
            if let Some(run) = run {
                run.draw(fill, surface);
            }
        }
    }

    fn font(&mut self, fonts: &fontdb::Database, id: fontdb::ID) -> Option<Font> {
        let name = &fonts.face(id)?.post_script_name;
        if let Some(known) = self.fonts.get(name) {
            return known.clone();
        }
        let read = |bytes: &[u8], index| Font::new(bytes.to_vec().into(), index);
        let font = fonts.with_face_data(id, read).flatten();
        self.fonts.insert(name.clone(), font.clone());
        font
    }
}

/// Glyphs of one font on one line.
struct Run {
    font: fontdb::ID,
    drawn: Font,
    size: f32,
    x: f32,
    y: f32,
    text: String,
    /// The place of each glyph, and the glyph without its advance.
    glyphs: Vec<(f32, KrillaGlyph)>,
}

impl Run {
    fn add(&mut self, glyph: &usvg::layout::PositionedGlyph, x: f32) {
        let start = self.text.len();
        self.text.push_str(&glyph.text);
        let range = start..self.text.len();
        let id = GlyphId::new(glyph.id.0);
        let glyph = KrillaGlyph::new(id, 0.0, 0.0, 0.0, 0.0, range, None);
        self.glyphs.push((x, glyph));
    }

    fn draw(mut self, fill: &usvg::Fill, surface: &mut Surface<'_>) {
        let places: Vec<f32> = self.glyphs.iter().map(|(x, _)| *x).collect();
        for ((x, glyph), next) in self.glyphs.iter_mut().zip(places.iter().skip(1)) {
            glyph.x_advance = (next - *x) / self.size;
        }
        let glyphs: Vec<KrillaGlyph> = self.glyphs.into_iter().map(|(_, glyph)| glyph).collect();
        surface.set_fill(Some(fill_of(fill)));
        surface.set_stroke(None);
        let start = Point::from_xy(self.x, self.y);
        surface.draw_glyphs(start, &glyphs, self.drawn, &self.text, self.size, false);
    }
}

fn pop(surface: &mut Surface<'_>, times: usize) {
    for _ in 0..times {
        surface.pop();
    }
}

/// Clips to a path, and returns how often to pop: nothing is clipped to an empty path.
fn clip(path: Option<&Path>, surface: &mut Surface<'_>) -> usize {
    let Some(path) = path else { return 0 };
    surface.push_clip_path(path, &FillRule::NonZero);
    1
}

fn rectangle(rect: Rect) -> Option<Path> {
    let mut builder = PathBuilder::new();
    builder.push_rect(rect);
    builder.finish()
}

/// All paths of a clip path as one.
fn outline(group: &usvg::Group, base: usvg::Transform) -> Option<Path> {
    let mut builder = PathBuilder::new();
    add_outline(group, base, &mut builder);
    builder.finish()
}

fn add_outline(group: &usvg::Group, base: usvg::Transform, builder: &mut PathBuilder) {
    for node in group.children() {
        match node {
            Node::Group(group) => {
                add_outline(group, base.pre_concat(group.transform()), builder);
            }
            Node::Path(path) => add_path(path, base, builder),
            Node::Text(_) | Node::Image(_) => {}
        }
    }
}

fn add_path(path: &usvg::Path, base: usvg::Transform, builder: &mut PathBuilder) {
    let Some(data) = path.data().clone().transform(base) else {
        return;
    };
    for segment in data.segments() {
        match segment {
            PathSegment::MoveTo(p) => builder.move_to(p.x, p.y),
            PathSegment::LineTo(p) => builder.line_to(p.x, p.y),
            PathSegment::QuadTo(a, p) => builder.quad_to(a.x, a.y, p.x, p.y),
            PathSegment::CubicTo(a, b, p) => builder.cubic_to(a.x, a.y, b.x, b.y, p.x, p.y),
            PathSegment::Close => builder.close(),
        }
    }
}

fn path_on(path: &usvg::Path, surface: &mut Surface<'_>) {
    if !path.is_visible() || (path.fill().is_none() && path.stroke().is_none()) {
        return;
    }
    let mut builder = PathBuilder::new();
    add_path(path, usvg::Transform::identity(), &mut builder);
    let Some(drawn) = builder.finish() else {
        return;
    };
    surface.set_fill(path.fill().map(fill_of));
    surface.set_stroke(path.stroke().map(stroke_of));
    surface.draw_path(&drawn);
}

/// Draws a picture. Those of this crate are PNG.
fn image_on(image: &usvg::Image, surface: &mut Surface<'_>) {
    let usvg::ImageKind::PNG(bytes) = image.kind() else {
        return;
    };
    let size = image.size();
    let (Some(picture), Some(size)) = (decoded(bytes), Size::from_wh(size.width(), size.height()))
    else {
        return;
    };
    surface.draw_image(picture, size);
}

fn decoded(bytes: &[u8]) -> Option<Image> {
    let mut decoder = ::png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(::png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    let mut pixels = vec![0; reader.output_buffer_size()?];
    let frame = reader.next_frame(&mut pixels).ok()?;
    pixels.truncate(frame.buffer_size());
    let rgba: Vec<u8> = match frame.color_type {
        ::png::ColorType::Rgba => pixels,
        ::png::ColorType::Rgb => {
            let pixels = pixels.chunks_exact(3);
            pixels.flat_map(|p| [p[0], p[1], p[2], 255]).collect()
        }
        ::png::ColorType::Grayscale => {
            let pixels = pixels.into_iter();
            pixels.flat_map(|grey| [grey, grey, grey, 255]).collect()
        }
        ::png::ColorType::GrayscaleAlpha => {
            let pixels = pixels.chunks_exact(2);
            pixels.flat_map(|p| [p[0], p[0], p[0], p[1]]).collect()
        }
        // Expanded by the decoder.
        ::png::ColorType::Indexed => return None,
    };
    Some(Image::from_rgba8(rgba, frame.width, frame.height))
}

fn normalized(share: f32) -> NormalizedF32 {
    NormalizedF32::new(share.clamp(0.0, 1.0)).unwrap_or(NormalizedF32::ONE)
}

fn transform(t: usvg::Transform) -> Transform {
    Transform::from_row(t.sx, t.ky, t.kx, t.sy, t.tx, t.ty)
}

fn paint_of(paint: &usvg::Paint) -> Paint {
    match paint {
        usvg::Paint::Color(color) => rgb::Color::new(color.red, color.green, color.blue).into(),
        usvg::Paint::LinearGradient(gradient) => {
            let stops = gradient.stops().iter().map(|stop| {
                let color = stop.color();
                Stop {
                    offset: normalized(stop.offset().get()),
                    color: rgb::Color::new(color.red, color.green, color.blue).into(),
                    opacity: normalized(stop.opacity().get()),
                }
            });
            LinearGradient {
                x1: gradient.x1(),
                y1: gradient.y1(),
                x2: gradient.x2(),
                y2: gradient.y2(),
                transform: transform(gradient.transform()),
                spread_method: SpreadMethod::Pad,
                stops: stops.collect(),
                anti_alias: false,
            }
            .into()
        }
        // This crate writes none of them.
        usvg::Paint::RadialGradient(_) | usvg::Paint::Pattern(_) => rgb::Color::new(0, 0, 0).into(),
    }
}

fn fill_of(fill: &usvg::Fill) -> Fill {
    Fill {
        paint: paint_of(fill.paint()),
        opacity: normalized(fill.opacity().get()),
        rule: match fill.rule() {
            usvg::FillRule::NonZero => FillRule::NonZero,
            usvg::FillRule::EvenOdd => FillRule::EvenOdd,
        },
    }
}

fn stroke_of(stroke: &usvg::Stroke) -> Stroke {
    let dash = stroke.dasharray().map(|array| StrokeDash {
        array: array.to_vec(),
        offset: stroke.dashoffset(),
    });
    Stroke {
        paint: paint_of(stroke.paint()),
        width: stroke.width().get(),
        miter_limit: stroke.miterlimit().get(),
        line_cap: match stroke.linecap() {
            usvg::LineCap::Butt => LineCap::Butt,
            usvg::LineCap::Round => LineCap::Round,
            usvg::LineCap::Square => LineCap::Square,
        },
        line_join: match stroke.linejoin() {
            usvg::LineJoin::Miter | usvg::LineJoin::MiterClip => LineJoin::Miter,
            usvg::LineJoin::Round => LineJoin::Round,
            usvg::LineJoin::Bevel => LineJoin::Bevel,
        },
        opacity: normalized(stroke.opacity().get()),
        dash,
    }
}
