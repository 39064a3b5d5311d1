//! `modelens handout`: writes a whole lesson as HTML or PDF.

use std::path::PathBuf;

use super::figure::opened_lesson;
use super::outputs::Outputs;
use super::word::parser;
use super::{Failure, at_path, terminal};
use crate::app::handout::{HandoutOptions, handout};
use crate::handout::Format;
use crate::lesson::Named;
use crate::model::Semantics;
use modelens_jobs::write_whole;

/// Writes a lesson with its figures, texts and questions, and the answers at the end: HTML in one file, or
/// PDF. The same command writes the same bytes.
#[derive(Debug, clap::Args)]
pub struct HandoutArgs {
    /// A lesson file, or the name of a bundled lesson.
    pub lesson: PathBuf,
    /// The file to write, ending in .html or .pdf.
    #[arg(long, value_name = "FILE.html|FILE.pdf")]
    pub out: PathBuf,
    /// With the speaker notes.
    #[arg(long)]
    pub notes: bool,
    /// The rules of every step: auto, keras2, keras3, keras3.16 or pytorch. Auto: as the lesson says.
    #[arg(long, value_name = "RULES", default_value = "auto", value_parser = parser::<Option<Semantics>>())]
    pub semantics: Named<Option<Semantics>>,
    /// Make missing folders.
    #[arg(long)]
    pub make_folders: bool,
}

impl HandoutArgs {
    /// Computes the lesson and writes it.
    ///
    /// # Errors
    /// Unusable arguments, and files that cannot be read or written.
    pub fn run(&self) -> Result<(), Failure> {
        let mut outputs = Outputs::new(self.make_folders);
        outputs.writes("--out", &self.out, Format::ENDINGS)?;
        let mut lesson = opened_lesson(&self.lesson)?;
        outputs.reads_model(&lesson.model);
        outputs.reads_photos(&lesson.photos);
        if self.lesson.is_file() {
            outputs.reads("the lesson", &self.lesson);
        }
        outputs.check()?;
        if let Some(semantics) = self.semantics.0 {
            lesson.set_semantics(semantics);
        }
        let options = HandoutOptions {
            format: Format::of(&self.out).unwrap_or(Format::Html),
            notes: self.notes,
        };
        let written = handout(&lesson, options).map_err(|why| at_path(&why, &self.lesson))?;
        written.broken.into_iter().for_each(terminal::warn);
        write_whole(&self.out, &written.bytes)
            .map_err(|error| at_path(&format!("the handout was not written ({error})"), &self.out))
    }
}
