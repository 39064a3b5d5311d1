//! A lesson to take home: its figures, texts, questions and answers, as one HTML file or as PDF.
//!
//! Lesson -> the state of each step -> [`Slide`] -> [`Handout::html`] or [`Handout::pdf`]. The same lesson
//! gives the same bytes.

mod html;
// A browser prints HTML as PDF, and a page that writes it is a tenth larger.
#[cfg(not(target_family = "wasm"))]
mod pdf;

use std::path::Path;

use egui_svg::Images;
use egui_svg::pdf::PdfError;

use crate::figure::{DrawError, Drawn, What, draw};
use crate::lesson::{Lesson, LessonStep, fill};
use crate::state::State;
use crate::words::handout as words;
use crate::words::titles::{model_title, photos_title};

/// What a handout is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Html,
    #[cfg(not(target_family = "wasm"))]
    Pdf,
}

impl Format {
    /// The endings of file names, the usual one first.
    pub const ENDINGS: &'static [&'static str] = if cfg!(target_family = "wasm") {
        &["html"]
    } else {
        &["html", "pdf"]
    };

    /// The format that the ending of a name asks for.
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_string_lossy().to_lowercase();
        match ending.as_str() {
            "html" => Some(Self::Html),
            #[cfg(not(target_family = "wasm"))]
            "pdf" => Some(Self::Pdf),
            _ => None,
        }
    }
}

/// A lesson with everything filled in.
#[derive(Clone, Debug)]
pub struct Handout {
    pub title: String,
    /// The model, the photos and the rules.
    pub about: String,
    pub slides: Vec<Slide>,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Slide {
    pub title: String,
    /// Markdown, as all texts here.
    pub text: String,
    pub predict: Option<Asked>,
    /// A question after the text, and its answer.
    pub question: Option<[String; 2]>,
    pub notes: Option<String>,
    pub figure: Drawn,
    /// What the figure shows, in words.
    pub caption: String,
}

/// A question with choices.
#[derive(Clone, Debug)]
pub struct Asked {
    pub text: String,
    pub choices: Vec<String>,
    /// The index of the right choice.
    pub right: Option<usize>,
    pub answer: String,
}

/// An answer at the end of the handout.
struct Answer<'a> {
    /// The number of the step, counted from 1.
    step: usize,
    right: Option<String>,
    text: &'a str,
}

impl Handout {
    /// A handout without its steps.
    pub fn new(lesson: &Lesson, state: &State) -> Self {
        let about = [
            model_title(&lesson.model),
            photos_title(&lesson.photos),
            state.semantics().label().to_owned(),
        ];
        Self {
            title: lesson.title.clone(),
            about: about.join(" · "),
            slides: Vec::new(),
        }
    }

    /// Adds a step whose numbers are in `state`. `notes`: with what the lecturer wants to say.
    ///
    /// # Errors
    /// The view has nothing to show.
    pub fn add(
        &mut self,
        step: &LessonStep,
        state: &State,
        images: &Images,
        format: Format,
        notes: bool,
    ) -> Result<(), DrawError> {
        let semantics = state.semantics();
        let filled = |text: &String| fill(text, state);
        let figure = figure(step, state, images, format)?;
        let predict = step.predict.as_ref().map(|predict| Asked {
            text: filled(&predict.text),
            choices: predict.choices.iter().map(|c| filled(&c.text)).collect(),
            right: predict.right(semantics),
            answer: filled(&predict.answer),
        });
        let question = step.question.as_ref();
        self.slides.push(Slide {
            title: step.title.clone(),
            text: filled(&step.text(semantics)),
            predict,
            question: question.map(|q| [filled(&q.text), filled(&q.answer)]),
            notes: step.notes.as_ref().filter(|_| notes).map(filled),
            caption: crate::figure::title(state, step.view.0),
            figure,
        });
        Ok(())
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// The PDF cannot be written.
    pub fn bytes(&self, format: Format) -> Result<Vec<u8>, PdfError> {
        match format {
            Format::Html => Ok(self.html().into_bytes()),
            #[cfg(not(target_family = "wasm"))]
            Format::Pdf => self.pdf(),
        }
    }

    /// Every answer, in the order of the steps.
    fn answers(&self) -> impl Iterator<Item = Answer<'_>> {
        self.slides.iter().enumerate().flat_map(|(i, slide)| {
            let step = i + 1;
            let predict = slide.predict.iter().map(move |asked| Answer {
                step,
                right: asked
                    .right
                    .map(|right| words::choice(right, &asked.choices[right])),
                text: &asked.answer,
            });
            let question = slide.question.iter().map(move |[_, answer]| Answer {
                step,
                right: None,
                text: answer,
            });
            predict.chain(question)
        })
    }
}

/// The view of a step; on paper no wider than it must be, so that its type stays large.
fn figure(
    step: &LessonStep,
    state: &State,
    images: &Images,
    format: Format,
) -> Result<Drawn, DrawError> {
    let what = What::of(step.view.0);
    match format {
        Format::Html => draw(state, images, &what),
        #[cfg(not(target_family = "wasm"))]
        Format::Pdf => {
            use crate::figure::PageSize;
            use crate::theme::sizes::{FIGURE_LEAST, S4};
            let size = PageSize::Width(FIGURE_LEAST + 2.0 * S4);
            draw(state, images, &What { size, ..what })
        }
    }
}
