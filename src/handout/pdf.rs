//! A handout as pages of A4. The text is laid out with egui, as everywhere in the program.

use std::sync::Arc;

use eframe::egui::epaint::ClippedShape;
use eframe::egui::text::LayoutJob;
use eframe::egui::{Context, Galley, Pos2, RawInput, Rect, Shape, Stroke, Vec2, pos2, vec2};
use egui_svg::pdf::{Bookmark, Drawing, Page, PdfError, write};
use egui_svg::{Document, Images};

use super::{Handout, Slide};
use crate::theme::{self, Palette, sizes, text};
use crate::words::handout as words;
use crate::words::markup::blocks;

/// A part of a page; `indent` is that of an entry of a list.
enum Part {
    Text {
        job: LayoutJob,
        bullet: Option<LayoutJob>,
        indent: f32,
        above: f32,
        /// It stays with what follows it.
        heads: bool,
        /// The number of the step that begins here, from 0.
        begins: Option<usize>,
    },
    /// The figure of a step.
    Figure(usize),
}

/// The parts, in their order, on pages.
struct Sheets<'a> {
    handout: &'a Handout,
    palette: &'static Palette,
    pages: Vec<(Vec<ClippedShape>, Vec<Drawing>)>,
    bookmarks: Vec<Bookmark>,
    /// Where the next part begins.
    y: f32,
}

const WIDTH: f32 = sizes::PAPER[0] - 2.0 * sizes::PAPER_MARGIN;
const BOTTOM: f32 = sizes::PAPER[1] - sizes::PAPER_MARGIN;

impl Handout {
    /// The bytes of the PDF.
    ///
    /// # Errors
    /// A drawing cannot be read back.
    pub fn pdf(&self) -> Result<Vec<u8>, PdfError> {
        let ctx = Context::default();
        theme::install(&ctx);
        // The fonts are there after the first frame.
        let mut output = ctx.run_ui(RawInput::default(), |_| {});
        output.textures_delta.clear();
        let palette = &Palette::LIGHT;
        let mut sheets = Sheets {
            handout: self,
            palette,
            pages: vec![(Vec::new(), Vec::new())],
            bookmarks: Vec::new(),
            y: sizes::PAPER_MARGIN,
        };
        sheets.place(&ctx, &self.parts(palette));
        sheets.feet(&ctx);
        let Sheets {
            pages, bookmarks, ..
        } = sheets;
        let page = Rect::from_min_size(Pos2::ZERO, Vec2::from(sizes::PAPER));
        let images = Images::of(&ctx);
        let [width, height] = sizes::PAPER.map(|side| side.to_string());
        let mut written = Vec::new();
        for (shapes, drawings) in pages {
            let mut document = Document::new(page, &images, theme::fonts::TYPOGRAPHY);
            document.add(&shapes);
            let svg = document.finish([&width, &height], &self.title, "", palette.panel)?;
            let text = Drawing {
                svg,
                at: [0.0; 2],
                width: sizes::PAPER[0],
            };
            written.push(Page {
                size: sizes::PAPER,
                drawings: std::iter::once(text).chain(drawings).collect(),
            });
        }
        write(
            &self.title,
            &written,
            &bookmarks,
            &theme::fonts::FOR_FIGURES,
        )
    }

    fn parts(&self, palette: &Palette) -> Vec<Part> {
        let line = |job, above, heads| Part::Text {
            job,
            bullet: None,
            indent: 0.0,
            above,
            heads,
            begins: None,
        };
        let title = text::paper_title(&self.title, WIDTH, palette);
        let about = text::small_prose(&self.about, WIDTH, palette);
        let mut parts = vec![line(title, 0.0, true), line(about, sizes::S1, false)];
        for (i, slide) in self.slides.iter().enumerate() {
            slide_parts(&mut parts, i, slide, palette);
        }
        let mut answers = self.answers().peekable();
        if answers.peek().is_some() {
            let heading = text::paper_heading(words::ANSWERS, WIDTH, palette);
            parts.push(line(heading, 2.0 * sizes::S4, true));
        }
        for answer in answers {
            let label = text::paper_label(&words::of_step(answer.step), WIDTH, palette);
            parts.push(line(label, sizes::S3, true));
            if let Some(right) = &answer.right {
                let right = format!("**{right}**");
                parts.push(line(text::paper(&right, WIDTH, palette), sizes::S1, true));
            }
            markdown(&mut parts, answer.text, palette);
        }
        parts
    }
}

fn slide_parts(parts: &mut Vec<Part>, number: usize, slide: &Slide, palette: &Palette) {
    let title = words::numbered(number + 1, &slide.title);
    parts.push(Part::Text {
        job: text::paper_heading(&title, WIDTH, palette),
        bullet: None,
        indent: 0.0,
        above: 2.0 * sizes::S4,
        heads: true,
        begins: Some(number),
    });
    let label = |parts: &mut Vec<Part>, label: &str| {
        parts.push(Part::Text {
            job: text::paper_label(label, WIDTH, palette),
            bullet: None,
            indent: 0.0,
            above: sizes::S3,
            heads: true,
            begins: None,
        });
    };
    if let Some(asked) = &slide.predict {
        label(parts, words::PREDICT);
        markdown(parts, &asked.text, palette);
        for (i, choice) in asked.choices.iter().enumerate() {
            entry(parts, &words::letter(i), choice, palette);
        }
    }
    parts.push(Part::Figure(number));
    markdown(parts, &slide.text, palette);
    if let Some([question, _]) = &slide.question {
        label(parts, words::QUESTION);
        markdown(parts, question, palette);
    }
    if let Some(notes) = &slide.notes {
        label(parts, words::NOTES);
        markdown(parts, notes, palette);
    }
}

fn markdown(parts: &mut Vec<Part>, source: &str, palette: &Palette) {
    for block in blocks(source) {
        match &block.bullet {
            Some(bullet) => entry(parts, bullet, &block.text, palette),
            None => parts.push(Part::Text {
                job: text::paper(&block.text, WIDTH, palette),
                bullet: None,
                indent: 0.0,
                above: sizes::S2,
                heads: false,
                begins: None,
            }),
        }
    }
}

fn entry(parts: &mut Vec<Part>, bullet: &str, words: &str, palette: &Palette) {
    let indent = sizes::S4;
    parts.push(Part::Text {
        job: text::paper(words, WIDTH - indent, palette),
        bullet: Some(text::paper(bullet, WIDTH, palette)),
        indent,
        above: sizes::S1,
        heads: false,
        begins: None,
    });
}

impl Sheets<'_> {
    fn place(&mut self, ctx: &Context, parts: &[Part]) {
        let laid_out = |job: &LayoutJob| ctx.fonts_mut(|fonts| fonts.layout_job(job.clone()));
        let heights: Vec<f32> = parts
            .iter()
            .map(|part| match part {
                Part::Text { job, above, .. } => above + laid_out(job).size().y,
                Part::Figure(number) => sizes::S3 + self.figure(*number)[1],
            })
            .collect();
        let heads = |part: &Part| matches!(part, Part::Text { heads: true, .. });
        for (i, part) in parts.iter().enumerate() {
            // A heading needs room for what it heads.
            let run = parts[i..].iter().take_while(|part| heads(part)).count();
            let needed: f32 = heights[i..].iter().take(run + 1).sum();
            let own = heights[i];
            let room = BOTTOM - self.y;
            let whole = BOTTOM - sizes::PAPER_MARGIN;
            if own > room || (needed > room && needed <= whole) {
                self.pages.push((Vec::new(), Vec::new()));
                self.y = sizes::PAPER_MARGIN;
            }
            match part {
                Part::Text {
                    job,
                    bullet,
                    indent,
                    above,
                    begins,
                    ..
                } => {
                    self.y += above;
                    if let Some(step) = begins {
                        self.bookmarks.push(Bookmark {
                            title: words::numbered(step + 1, &self.handout.slides[*step].title),
                            page: self.pages.len() - 1,
                            y: self.y,
                        });
                    }
                    if let Some(bullet) = bullet {
                        self.text(laid_out(bullet), 0.0);
                    }
                    let galley = laid_out(job);
                    let height = galley.size().y;
                    self.text(galley, *indent);
                    self.y += height;
                }
                Part::Figure(number) => {
                    let [width, height] = self.figure(*number);
                    self.y += sizes::S3;
                    let drawing = Drawing {
                        svg: self.handout.slides[*number].figure.svg.clone(),
                        at: [sizes::PAPER_MARGIN, self.y],
                        width,
                    };
                    if let Some((_, drawings)) = self.pages.last_mut() {
                        drawings.push(drawing);
                    }
                    self.y += height;
                }
            }
        }
    }

    /// The size of a figure on paper: as wide as the text, or less if the page is too low for it.
    fn figure(&self, number: usize) -> [f32; 2] {
        let [width, height] = self.handout.slides[number].figure.size;
        let most = vec2(WIDTH, (BOTTOM - sizes::PAPER_MARGIN) * sizes::PAPER_FIGURE);
        let scale = (most / vec2(width, height)).min_elem();
        [width * scale, height * scale]
    }

    fn text(&mut self, galley: Arc<Galley>, indent: f32) {
        let at = pos2(sizes::PAPER_MARGIN + indent, self.y);
        self.shape(Shape::galley(at, galley, self.palette.ink));
    }

    fn shape(&mut self, shape: Shape) {
        if let Some((shapes, _)) = self.pages.last_mut() {
            shapes.push(clipped(shape));
        }
    }

    /// The title and the number at the foot of each page.
    fn feet(&mut self, ctx: &Context) {
        let all = self.pages.len();
        let palette = self.palette;
        for (i, (shapes, _)) in self.pages.iter_mut().enumerate() {
            let foot = words::foot(&self.handout.title, i + 1, all);
            let job = text::small_prose(&foot, WIDTH, palette);
            let galley = ctx.fonts_mut(|fonts| fonts.layout_job(job));
            let y = BOTTOM + sizes::S3;
            let stroke = Stroke::new(sizes::LINE, palette.line);
            let ends = [sizes::PAPER_MARGIN, sizes::PAPER_MARGIN + WIDTH];
            let line = ends.map(|x| pos2(x, y - sizes::S1));
            shapes.push(clipped(Shape::line_segment(line, stroke)));
            let at = pos2(sizes::PAPER_MARGIN, y);
            shapes.push(clipped(Shape::galley(at, galley, palette.muted)));
        }
    }
}

fn clipped(shape: Shape) -> ClippedShape {
    let page = Rect::from_min_size(Pos2::ZERO, Vec2::from(sizes::PAPER));
    ClippedShape::new(page, shape)
}
