//! Type: sizes and the few kinds of text the window uses.

use eframe::egui::text::{LayoutJob, TextFormat};
use eframe::egui::{Color32, FontFamily, FontId, RichText};

use super::fonts::SEMIBOLD;
use super::{Palette, sizes};
use crate::words::markup::{self, Marks};

/// The size of ordinary text.
pub const BODY: f32 = 13.0;
const SMALL: f32 = 12.0;
const TINY: f32 = 11.0;
/// The smallest size of words.
pub const SMALLEST: f32 = TINY;
const KEY: f32 = 22.0;
const CODE: f32 = 12.0;
const LARGE_CODE: f32 = 15.0;
/// Width of a letter of code, by its size, and a little more.
const LETTER: f32 = 0.605;
/// Code in a heading, whose face is wider, by the size of the words around it.
const CODE_SHARE: f32 = 0.86;
const WORDMARK: f32 = 15.0;
const PAPER: f32 = 10.5;
const PAPER_LABEL: f32 = 8.0;
const TITLE_SPACING: f32 = 0.5;

/// Ordinary text.
pub fn body() -> FontId {
    FontId::new(BODY, FontFamily::Proportional)
}

/// Captions, counts, the status bar.
pub fn small() -> FontId {
    FontId::new(SMALL, FontFamily::Proportional)
}

/// Tick labels.
pub fn tiny() -> FontId {
    FontId::new(TINY, FontFamily::Proportional)
}

/// Names and values that stand out in ordinary text.
pub fn semibold() -> FontId {
    FontId::new(BODY, FontFamily::Name(SEMIBOLD.into()))
}

/// Key numbers.
pub fn key() -> FontId {
    FontId::new(KEY, FontFamily::Name(SEMIBOLD.into()))
}

/// The answer of a lamp.
pub fn large(text: impl Into<String>) -> RichText {
    RichText::new(text).font(key())
}

/// Code beside a large switch: the first of these that fits the width, as large as it fits.
pub fn large_code(codes: &[&str], width: f32, palette: &Palette) -> RichText {
    let size = |code: &str| width / (LETTER * code.chars().count().max(1) as f32);
    let code = codes.iter().find(|code| size(code) >= CODE);
    let code = code.or(codes.last()).copied().unwrap_or_default();
    let size = size(code).clamp(TINY, LARGE_CODE);
    RichText::new(code)
        .font(FontId::new(size, FontFamily::Monospace))
        .color(palette.ink)
}

/// A question with code between backquotes, in one line that is as large as the width allows.
pub fn question(markup: &str, width: f32, palette: &Palette) -> LayoutJob {
    // Letters of this face are about half as wide as high.
    let fits = 2.0 * width / markup.chars().count().max(1) as f32;
    let size = fits.clamp(BODY, KEY);
    let mut job = LayoutJob::default();
    for span in markup::spans(markup, Marks::All) {
        let family = if span.code {
            FontFamily::Monospace
        } else {
            FontFamily::Name(SEMIBOLD.into())
        };
        let size = if span.code { size * CODE_SHARE } else { size };
        let format = TextFormat {
            font_id: FontId::new(size, family),
            color: palette.ink,
            ..Default::default()
        };
        job.append(&span.text, 0.0, format);
    }
    job.wrap.max_rows = 1;
    job.wrap.max_width = width;
    job
}

/// A large text that wraps, with code between backquotes.
pub fn large_prose(markup: &str, width: f32, palette: &Palette) -> LayoutJob {
    wrapped(
        markup,
        KEY,
        &FontFamily::Name(SEMIBOLD.into()),
        width,
        palette,
    )
}

/// A paragraph on paper.
pub fn paper(markup: &str, width: f32, palette: &Palette) -> LayoutJob {
    wrapped(markup, PAPER, &FontFamily::Proportional, width, palette)
}

/// The title of a handout.
pub fn paper_title(title: &str, width: f32, palette: &Palette) -> LayoutJob {
    wrapped(
        title,
        KEY,
        &FontFamily::Name(SEMIBOLD.into()),
        width,
        palette,
    )
}

/// The heading of a step in a handout.
pub fn paper_heading(title: &str, width: f32, palette: &Palette) -> LayoutJob {
    wrapped(
        title,
        WORDMARK,
        &FontFamily::Name(SEMIBOLD.into()),
        width,
        palette,
    )
}

/// A small heading in capitals.
pub fn paper_label(label: &str, width: f32, palette: &Palette) -> LayoutJob {
    let font = FontId::new(PAPER_LABEL, FontFamily::Name(SEMIBOLD.into()));
    LayoutJob::simple(label.to_owned(), font, palette.muted, width)
}

/// The sizes of a statement, the largest first.
pub const STATEMENT: [f32; 3] = [KEY, 18.0, WORDMARK];

/// The statement of a lecture in one of its sizes.
pub fn statement(markup: &str, size: f32, width: f32, palette: &Palette) -> LayoutJob {
    wrapped(
        markup,
        size,
        &FontFamily::Name(SEMIBOLD.into()),
        width,
        palette,
    )
}

/// A choice of a question, which wraps, with code between backquotes.
pub fn choice(markup: &str, width: f32, palette: &Palette) -> LayoutJob {
    wrapped(markup, WORDMARK, &FontFamily::Proportional, width, palette)
}

fn wrapped(
    markup: &str,
    size: f32,
    family: &FontFamily,
    width: f32,
    palette: &Palette,
) -> LayoutJob {
    let mut job = LayoutJob::default();
    for span in markup::spans(markup, Marks::All) {
        let font_id = match (span.code, span.bold) {
            (true, _) => FontId::new(size * CODE_SHARE, FontFamily::Monospace),
            (false, true) => FontId::new(size, FontFamily::Name(SEMIBOLD.into())),
            (false, false) => FontId::new(size, family.clone()),
        };
        let format = TextFormat {
            font_id,
            color: palette.ink,
            italics: span.italic,
            ..Default::default()
        };
        job.append(&span.text, 0.0, format);
    }
    job.wrap.max_width = width;
    job
}

/// The title of a card, which wraps.
pub fn card_title(title: &str, width: f32, is_large: bool, palette: &Palette) -> LayoutJob {
    let mut font = semibold();
    if is_large {
        font.size = LARGE_CODE;
    }
    let mut job = LayoutJob::simple(title.to_owned(), font, palette.ink, width);
    job.wrap.max_rows = 3;
    job
}

/// Code.
pub fn code() -> FontId {
    FontId::new(CODE, FontFamily::Monospace)
}

/// The name of the program.
pub fn wordmark(text: &str, color: Color32) -> RichText {
    RichText::new(text)
        .font(FontId::new(WORDMARK, FontFamily::Name(SEMIBOLD.into())))
        .color(color)
}

/// A section title; pass capitals.
pub fn title(text: &str, palette: &Palette) -> RichText {
    RichText::new(text)
        .font(FontId::new(TINY, FontFamily::Name(SEMIBOLD.into())))
        .extra_letter_spacing(TITLE_SPACING)
        .color(palette.muted)
}

/// Text that stands out.
pub fn strong(text: impl Into<String>) -> RichText {
    RichText::new(text).font(semibold())
}

/// Muted text.
pub fn muted(text: impl Into<String>, palette: &Palette) -> RichText {
    RichText::new(text).font(body()).color(palette.muted)
}

/// Small muted text.
pub fn note(text: impl Into<String>, palette: &Palette) -> RichText {
    RichText::new(text).font(small()).color(palette.muted)
}

/// Sentences in which text between `**` stands out.
pub fn prose(markup: &str, width: f32, palette: &Palette) -> LayoutJob {
    marked(markup, width, palette.ink, &[body(), semibold()])
}

/// Small muted sentences in which text between `**` stands out.
pub fn small_prose(markup: &str, width: f32, palette: &Palette) -> LayoutJob {
    let strong = FontId::new(SMALL, FontFamily::Name(SEMIBOLD.into()));
    let mut job = marked(markup, width, palette.muted, &[small(), strong]);
    for section in &mut job.sections {
        section.format.line_height = Some(sizes::CODE_LINE);
    }
    job
}

/// Text in the first font, and between `**` in the second.
fn marked(text: &str, width: f32, color: Color32, fonts: &[FontId; 2]) -> LayoutJob {
    let mut job = LayoutJob::default();
    for span in markup::spans(text, Marks::Bold) {
        let font_id = fonts[usize::from(span.bold)].clone();
        job.append(
            &span.text,
            0.0,
            TextFormat {
                font_id,
                color,
                line_height: Some(sizes::PROSE_LINE),
                ..Default::default()
            },
        );
    }
    job.wrap.max_width = width;
    job
}

/// Lines of code with muted comments.
pub fn code_job(source: &str, width: f32, palette: &Palette) -> LayoutJob {
    let mut job = LayoutJob::default();
    let format = |color| TextFormat {
        font_id: code(),
        color,
        line_height: Some(sizes::CODE_LINE),
        ..Default::default()
    };
    for (i, line) in source.lines().enumerate() {
        if i > 0 {
            job.append("\n", 0.0, format(palette.ink));
        }
        let comment = line.find('#').unwrap_or(line.len());
        job.append(&line[..comment], 0.0, format(palette.ink));
        job.append(&line[comment..], 0.0, format(palette.muted));
    }
    job.wrap.max_width = width;
    job
}
