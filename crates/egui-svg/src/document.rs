//! An SVG document, built shape by shape.

use std::fmt::Write as _;

use egui::epaint::ClippedShape;
use egui::{Color32, ColorImage, CornerRadius, FullOutput, Pos2, Rect, TextureId, Vec2};

use super::Typography;
use super::ids::{self, MARK};
use super::images::{Images, data_uri};
use super::write::{Factor, Num, escaped, paint, placed};

/// The clip path of an element.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Clip {
    None,
    /// The index of the clip path.
    To(usize),
}

/// A path that takes in the next one if it has the same attributes: dashes, bars, cells.
#[derive(Debug)]
struct OpenPath {
    attributes: String,
    d: String,
}

/// A picture in the document, and the tint by which it is multiplied.
#[derive(Debug)]
struct Embedded {
    image: std::sync::Arc<ColorImage>,
    tint: Color32,
    is_sharp: bool,
    /// Points per pixel where it is drawn largest.
    scale: f32,
}

/// An SVG document that shapes are added to.
#[derive(Debug)]
pub struct Document<'a> {
    images: &'a Images,
    pub(crate) typography: Typography,
    /// The visible part of the drawing, in points.
    page: Rect,
    body: String,
    /// The clip rectangle of the next elements.
    pub(crate) clip: Rect,
    open_clip: Clip,
    path: Option<OpenPath>,
    clips: Vec<String>,
    blurs: Vec<String>,
    gradients: Vec<String>,
    embedded: Vec<Embedded>,
}

impl<'a> Document<'a> {
    /// Creates an empty document that shows `page`, in points. `images` holds the pictures of the
    /// textures that the shapes use.
    pub fn new(page: Rect, images: &'a Images, typography: Typography) -> Self {
        Self {
            images,
            typography,
            page,
            body: String::new(),
            clip: page,
            open_clip: Clip::None,
            path: None,
            clips: Vec::new(),
            blurs: Vec::new(),
            gradients: Vec::new(),
            embedded: Vec::new(),
        }
    }

    /// Adds shapes in their order, such as those of [`FullOutput::shapes`]. Transforms of layers are
    /// ignored.
    pub fn add(&mut self, shapes: &[ClippedShape]) {
        super::shapes::add(self, shapes);
    }

    /// The part of the page that the next elements can cover.
    pub(crate) fn visible(&self) -> Rect {
        self.clip.intersect(self.page)
    }

    /// Adds an element that covers `bounds`.
    pub(crate) fn element(&mut self, element: &str, bounds: Rect) {
        self.end_path();
        self.enter_clip(bounds);
        self.body.push_str(element);
        self.body.push('\n');
    }

    /// Adds a path that covers `bounds`. `may_join`: it looks the same when it is merged with the
    /// path before it.
    pub(crate) fn path(&mut self, d: &str, attributes: String, bounds: Rect, may_join: bool) {
        let joins = |path: &OpenPath| may_join && path.attributes == attributes;
        let clip = self.clip_for(bounds);
        if clip == self.open_clip
            && let Some(path) = self.path.as_mut().filter(|path| joins(path))
        {
            path.d.push_str(d);
            return;
        }
        self.end_path();
        self.enter_clip(bounds);
        self.path = Some(OpenPath {
            attributes,
            d: d.to_owned(),
        });
        if !may_join {
            self.end_path();
        }
    }

    fn end_path(&mut self) {
        if let Some(OpenPath { attributes, d }) = self.path.take() {
            let _ = writeln!(self.body, "<path d=\"{d}\"{attributes}/>");
        }
    }

    /// The clip path that `bounds` needs: none if nothing would be cut off.
    fn clip_for(&mut self, bounds: Rect) -> Clip {
        let seen = bounds.intersect(self.page);
        // Glyphs reach slightly out of their row.
        if self.clip.expand(1.0).contains_rect(seen) {
            return Clip::None;
        }
        let clip = self.clip.intersect(self.page.expand(1.0)).round();
        Clip::To(self.clip_path(format!("<rect{}/>", placed(clip))))
    }

    fn enter_clip(&mut self, bounds: Rect) {
        let clip = self.clip_for(bounds);
        if clip == self.open_clip {
            return;
        }
        self.leave_clip();
        if let Clip::To(id) = clip {
            let _ = writeln!(self.body, "<g clip-path=\"url(#{MARK}c{id})\">");
        }
        self.open_clip = clip;
    }

    fn leave_clip(&mut self) {
        if self.open_clip != Clip::None {
            self.body.push_str("</g>\n");
            self.open_clip = Clip::None;
        }
    }

    /// The index of a clip path, which is added if it is new.
    fn clip_path(&mut self, content: String) -> usize {
        index_of(&mut self.clips, content)
    }

    /// The attribute that blurs an element by egui's `blur_width`, in points.
    pub(crate) fn blur(&mut self, width: f32) -> String {
        let content = format!("<feGaussianBlur stdDeviation=\"{}\"/>", Num(width / 4.0));
        let id = index_of(&mut self.blurs, content);
        format!(" filter=\"url(#{MARK}b{id})\"")
    }

    /// The attribute that fills an element with a gradient, downwards or to the right.
    pub(crate) fn gradient(&mut self, from: Color32, to: Color32, down: bool) -> String {
        let direction = if down { " x2=\"0\" y2=\"1\"" } else { "" };
        let stop = |offset: u8, color: Color32, other: Color32| {
            if color.a() == 0 {
                // Transparent black would darken the middle: take the colour of the other end.
                let other = paint("stop-color", other.to_opaque());
                return format!("<stop offset=\"{offset}\"{other} stop-opacity=\"0\"/>");
            }
            let color = paint("stop-color", color).replace("stop-color-opacity", "stop-opacity");
            format!("<stop offset=\"{offset}\"{color}/>")
        };
        let content = format!("{direction}>{}{}", stop(0, from, to), stop(1, to, from));
        let id = index_of(&mut self.gradients, content);
        format!(" fill=\"url(#{MARK}g{id})\"")
    }

    /// Draws the part `uv` (0 to 1) of a texture's picture into `rect`, with rounded corners.
    pub(crate) fn picture(
        &mut self,
        texture: TextureId,
        uv: Rect,
        tint: Color32,
        rect: Rect,
        corners: CornerRadius,
    ) {
        let Some(picture) = self.images.get(texture).cloned() else {
            log::warn!("the picture of {texture:?} is unknown; it is left out");
            return;
        };
        let [red, green, blue, alpha] = tint.to_srgba_unmultiplied();
        let tint = Color32::from_rgb(red, green, blue);
        let known = self.embedded.iter().position(|e| {
            e.tint == tint && e.is_sharp == picture.is_sharp && e.image == picture.image
        });
        let [width, height] = picture.image.size.map(|n| n as f32);
        let id = known.unwrap_or_else(|| {
            let is_sharp = picture.is_sharp;
            self.embedded.push(Embedded {
                image: picture.image,
                tint,
                is_sharp,
                scale: 0.0,
            });
            self.embedded.len() - 1
        });
        let scale = rect.size() / (uv.size() * Vec2::new(width, height));
        let largest = &mut self.embedded[id].scale;
        *largest = largest.max(scale.max_elem());
        let at: Pos2 = rect.min - uv.min.to_vec2() * Vec2::new(width, height) * scale;
        let whole = uv.min == Pos2::ZERO && uv.max == Pos2::new(1.0, 1.0);
        let opacity = if alpha == 255 {
            String::new()
        } else {
            format!(" opacity=\"{}\"", Factor(f32::from(alpha) / 255.0))
        };
        let mut element = format!(
            "<use xlink:href=\"#{MARK}i{id}\" transform=\"matrix({} 0 0 {} {} {})\"{opacity}/>",
            Factor(scale.x),
            Factor(scale.y),
            Num(at.x),
            Num(at.y)
        );
        if !whole || corners != CornerRadius::ZERO {
            let radius = if corners == CornerRadius::ZERO {
                String::new()
            } else {
                format!(" rx=\"{}\"", Num(f32::from(corners.nw)))
            };
            let clip = self.clip_path(format!("<rect{}{radius}/>", placed(rect)));
            element = format!("<g clip-path=\"url(#{MARK}c{clip})\">{element}</g>");
        }
        self.element(&element, rect);
    }

    /// Finishes the document and returns its text. `size` holds the attributes `width` and `height`,
    /// with their units. `title` and `description` are for screen readers; an empty description is
    /// left out, and so is a transparent background.
    ///
    /// # Errors
    /// A picture cannot be encoded as PNG.
    pub fn finish(
        mut self,
        size: [&str; 2],
        title: &str,
        description: &str,
        background: Color32,
    ) -> Result<String, png::EncodingError> {
        self.end_path();
        self.leave_clip();
        let page = self.page;
        let described = if description.is_empty() {
            String::new()
        } else {
            format!(" aria-describedby=\"{MARK}d\"")
        };
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" \
             xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"{}\" height=\"{}\" \
             viewBox=\"{} {} {} {}\" font-size=\"{}\"{} \
             style=\"font-variant-numeric:tabular-nums\" xml:space=\"preserve\" role=\"img\" \
             aria-labelledby=\"{MARK}t\"{described}>\n",
            size[0],
            size[1],
            Num(page.left()),
            Num(page.top()),
            Num(page.width()),
            Num(page.height()),
            Num(self.typography.size),
            self.typography.family
        );
        let _ = writeln!(out, "<title id=\"{MARK}t\">{}</title>", escaped(title));
        if !description.is_empty() {
            let _ = writeln!(out, "<desc id=\"{MARK}d\">{}</desc>", escaped(description));
        }
        out.push_str("<defs>\n");
        for (i, picture) in self.embedded.iter().enumerate() {
            let [width, height] = picture.image.size;
            let (rendering, times) = if picture.is_sharp {
                (SHARP, enlargement(picture.image.size, picture.scale))
            } else {
                ("", 1)
            };
            let data = data_uri(&picture.image, picture.tint, times)?;
            let _ = writeln!(
                out,
                "<image id=\"{MARK}i{i}\" width=\"{width}\" height=\"{height}\"{rendering} \
                 xlink:href=\"{data}\"/>"
            );
        }
        for (i, clip) in self.clips.iter().enumerate() {
            let _ = writeln!(out, "<clipPath id=\"{MARK}c{i}\">{clip}</clipPath>");
        }
        for (i, blur) in self.blurs.iter().enumerate() {
            let _ = writeln!(out, "<filter id=\"{MARK}b{i}\">{blur}</filter>");
        }
        for (i, gradient) in self.gradients.iter().enumerate() {
            let _ = writeln!(
                out,
                "<linearGradient id=\"{MARK}g{i}\"{gradient}</linearGradient>"
            );
        }
        out.push_str("</defs>\n");
        if background != Color32::TRANSPARENT {
            let _ = writeln!(out, "<rect{}{}/>", placed(page), paint("fill", background));
        }
        out.push_str(&self.body);
        out.push_str("</svg>\n");
        Ok(ids::unique(&out))
    }
}

/// Writes what one frame drew as SVG. `size` is that of the window in points; `images` holds the
/// pictures of its textures.
///
/// # Errors
/// A picture cannot be encoded as PNG.
pub fn frame_svg(
    output: &FullOutput,
    images: &Images,
    size: Vec2,
    background: Color32,
    title: &str,
    typography: Typography,
) -> Result<String, png::EncodingError> {
    let page = Rect::from_min_size(Pos2::ZERO, size);
    let mut document = Document::new(page, images, typography);
    document.add(&output.shapes);
    let sides = [size.x, size.y].map(|side| Num(side).to_string());
    document.finish([&sides[0], &sides[1]], title, "", background)
}

/// Squares instead of smooth transitions: the attribute for old Firefox, the style for the rest.
const SHARP: &str = " image-rendering=\"optimizeSpeed\" style=\"image-rendering:pixelated\"";

/// Pixels per point that a sharp picture is enlarged to.
const SHARP_DENSITY: f32 = 4.0;
/// The longest side in pixels of a picture that is enlarged.
const SHARP_SIDE: usize = 512;

/// How many times larger a sharp picture is embedded. Many programs smooth it whatever it asks
/// for; its squares then blur over a part of a pixel only, at `scale` points per pixel.
fn enlargement([width, height]: [usize; 2], scale: f32) -> usize {
    let wanted = (SHARP_DENSITY * scale).ceil() as usize;
    wanted.min(SHARP_SIDE / width.max(height).max(1)).max(1)
}

/// The index of an entry, which is added if it is new.
fn index_of(list: &mut Vec<String>, entry: String) -> usize {
    list.iter().position(|e| *e == entry).unwrap_or_else(|| {
        list.push(entry);
        list.len() - 1
    })
}
