//! The lessons inside of the program.

use super::{Lesson, LessonError, format};

/// A lesson of the Help menu.
#[derive(Clone, Copy, Debug)]
pub struct Bundled {
    pub title: &'static str,
    /// What it is about, in one sentence.
    pub about: &'static str,
    text: &'static str,
}

impl Bundled {
    /// The lesson's file.
    pub fn text(&self) -> &'static str {
        self.text
    }
}

/// In the order of the menu.
pub const BUNDLED: [Bundled; 5] = [
    Bundled {
        title: "Why specify twice?",
        about: "The base is frozen already: why also pass training=False?",
        text: include_str!("../../assets/lessons/why-specify-twice.toml"),
    },
    Bundled {
        title: "Nine identical images?",
        about: "Why augmentation shows the same photo nine times",
        text: include_str!("../../assets/lessons/nine-identical-images.toml"),
    },
    Bundled {
        title: "What dropout really does",
        about: "Which units go, what becomes of the rest, and when it rests",
        text: include_str!("../../assets/lessons/what-dropout-really-does.toml"),
    },
    Bundled {
        title: "Frozen is not inference: BatchNorm",
        about: "What freezing keeps, and what it does not",
        text: include_str!("../../assets/lessons/frozen-is-not-inference.toml"),
    },
    Bundled {
        title: "Your first fine-tune",
        about: "A head, then the base, trained here on the bundled photos",
        text: include_str!("../../assets/lessons/your-first-fine-tune.toml"),
    },
];

/// Reads a bundled lesson.
///
/// # Errors
/// A number that is none of them.
pub fn open_bundled(number: usize) -> Result<Lesson, LessonError> {
    let lesson = BUNDLED.get(number);
    let lesson = lesson.ok_or_else(|| LessonError::Whole(format!("no lesson {number}")))?;
    format::parse(lesson.text, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bundled_lesson_can_be_read_and_has_the_title_of_the_menu() {
        for (number, bundled) in BUNDLED.iter().enumerate() {
            let lesson = open_bundled(number).unwrap_or_else(|e| panic!("{}: {e}", bundled.title));
            assert_eq!(lesson.title, bundled.title);
            assert!(lesson.steps.iter().all(|step| !step.title.is_empty()));
        }
    }
}
