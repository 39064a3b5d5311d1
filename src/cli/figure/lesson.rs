//! The figures of a lesson, one per step.

use std::path::{Path, PathBuf};

use eframe::egui::Context;

use super::options::{FigureArgs, Format, LookOptions};
use crate::app::{App, AppOptions};
use crate::cli::{Failure, terminal};
use crate::command::LessonSource;
use crate::lesson::{self, BUNDLED, BundledLesson, Lesson};
use crate::views::values::names;

impl FigureArgs {
    /// The figures of all steps, in the order of the steps.
    pub(super) fn of_lesson(
        &self,
        name: &Path,
        look: &LookOptions,
    ) -> Result<Vec<(PathBuf, Vec<u8>)>, Failure> {
        let Some(folder) = &self.out else {
            let why = "--from needs --out, the folder of the figures";
            return Err(Failure::Usage(why.to_owned()));
        };
        let mut lesson = opened(name)?;
        if let Some(semantics) = self.semantics.0 {
            lesson.set_semantics(semantics);
        }
        let extension = self.format.unwrap_or(Format::Svg).extension();
        let out_of = |i: usize| {
            let title = &lesson.steps[i].title;
            folder.join(file_name(i + 1, title, extension))
        };
        let outs: Vec<PathBuf> = (0..lesson.steps.len()).map(out_of).collect();
        let figures: Vec<&Path> = outs.iter().map(PathBuf::as_path).collect();
        let mut outputs = self.outputs(&lesson.model, &lesson.photos, &figures)?;
        if name.is_file() {
            outputs.reads("the lesson", name);
        }
        outputs.check_clashes()?;
        let ctx = Context::default();
        let options = AppOptions {
            model: lesson.model.clone(),
            photos: lesson.photos.clone(),
            ..AppOptions::default()
        };
        let mut app = App::in_context(&ctx, options)
            .map_err(|error| Failure::File(format!("no thread can be started: {error}")))?;
        app.settle(&ctx);
        let mut files = Vec::new();
        for (i, step) in lesson.steps.iter().enumerate() {
            let number = i + 1;
            let failed =
                |why: &str| Failure::File(format!("step {number}: {why}: {}", name.display()));
            app.compute_step(&ctx, &lesson, i)
                .map_err(|why| failed(&why))?;
            app.broken_expectations(&lesson, i)
                .into_iter()
                .for_each(terminal::warn);
            let drawn = self.drawn(app.state(), &ctx, step.view.0, look, Some(step), &outs[i]);
            files.extend(drawn.map_err(|error| match error {
                Failure::Usage(why) => Failure::Usage(format!("step {number}: {why}")),
                file @ Failure::File(_) => file,
            })?);
        }
        Ok(files)
    }
}

/// The lesson that an argument names, read and checked.
pub(in crate::cli) fn opened(name: &Path) -> Result<Lesson, Failure> {
    let lesson = match lesson_source(name)? {
        LessonSource::File(path) => lesson::open(&path, &names()),
        LessonSource::Bundled(number) => lesson::open_bundled(number, &names()),
        LessonSource::Link(link) => lesson::link::read(&link, &names()),
        // Only the window records.
        LessonSource::Draft => return Err(Failure::Usage(String::new())),
    };
    lesson.map_err(|error| Failure::File(format!("{error}: {}", name.display())))
}

/// The lesson that an argument names: a file, or else a bundled one by its id or title.
pub(super) fn lesson_source(name: &Path) -> Result<LessonSource, Failure> {
    if name.exists() {
        return Ok(LessonSource::File(name.to_owned()));
    }
    if let Some(link) = name.to_str().and_then(lesson::link::find) {
        return Ok(LessonSource::Link(link.to_owned()));
    }
    let wanted = slug(&name.to_string_lossy());
    let is_wanted = |bundled: &BundledLesson| bundled.id == wanted || slug(bundled.title) == wanted;
    if let Some(number) = BUNDLED.iter().position(is_wanted) {
        return Ok(LessonSource::Bundled(number));
    }
    Err(Failure::File(format!(
        "there is no such file, and the bundled lessons are {}: {}",
        BUNDLED.map(|bundled| bundled.id).join(", "),
        name.display()
    )))
}

/// The most letters of a title that go into a file name.
const SLUG: usize = 50;

/// The name of a step's file: `02-some-units-are-dropped.svg`.
fn file_name(number: usize, title: &str, extension: &str) -> String {
    match slug(title) {
        title if title.is_empty() => format!("{number:02}.{extension}"),
        title => format!("{number:02}-{title}.{extension}"),
    }
}

/// The letters and digits of a title in lower case, with one hyphen for anything between them.
fn slug(title: &str) -> String {
    let lower = title.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let cut: String = words.join("-").chars().take(SLUG).collect();
    cut.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_by_number_and_title() {
        assert_eq!(
            file_name(3, "`training=True`: what then?", "svg"),
            "03-training-true-what-then.svg"
        );
        assert_eq!(file_name(12, "Größe/../x", "png"), "12-größe-x.png");
        assert_eq!(file_name(1, "?!", "svg"), "01.svg");
        assert!(file_name(1, &"long ".repeat(100), "svg").len() < 60);
    }

    #[test]
    fn bundled_lessons_are_found_by_id_and_title() {
        for (number, bundled) in BUNDLED.iter().enumerate() {
            for name in [
                bundled.id.to_owned(),
                bundled.title.to_owned(),
                slug(bundled.title),
            ] {
                let source = lesson_source(Path::new(&name));
                assert!(matches!(source, Ok(LessonSource::Bundled(n)) if n == number));
            }
        }
        assert!(lesson_source(Path::new("no lesson")).is_err());
    }
}
