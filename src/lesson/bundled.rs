//! The lessons that are compiled into the program.

use super::{Lesson, LessonError, format};
use crate::settings::View;

/// A lesson of the Help menu.
#[derive(Clone, Copy, Debug)]
pub struct BundledLesson {
    /// Its name on the command line, which stays the same when the title changes.
    pub id: &'static str,
    pub title: &'static str,
    /// What it is about, in one sentence.
    pub about: &'static str,
    /// The view that most of it is about.
    pub view: View,
    /// How long it takes to read and to try.
    pub minutes: u8,
    text: &'static str,
}

impl BundledLesson {
    /// The text of the lesson file.
    pub fn text(&self) -> &'static str {
        self.text
    }
}

/// The bundled lessons, in the order of the menu.
pub const BUNDLED: [BundledLesson; 7] = [
    BundledLesson {
        id: "why-specify-twice",
        title: "Frozen: why also training=False?",
        about: "What each of the two lines protects in Keras 2, two releases of Keras 3, and PyTorch",
        view: View::Trainable,
        minutes: 10,
        text: include_str!("../../assets/lessons/why-specify-twice.toml"),
    },
    BundledLesson {
        id: "nine-identical-images",
        title: "Nine identical images?",
        about: "Why augmentation shows the same photo nine times",
        view: View::Augmentation,
        minutes: 5,
        text: include_str!("../../assets/lessons/nine-identical-images.toml"),
    },
    BundledLesson {
        id: "what-dropout-really-does",
        title: "What dropout really does",
        about: "Which units it drops, how it scales the others, and when it does nothing",
        view: View::Dropout,
        minutes: 5,
        text: include_str!("../../assets/lessons/what-dropout-really-does.toml"),
    },
    BundledLesson {
        id: "frozen-is-not-inference",
        title: "Frozen is not inference: BatchNorm",
        about: "What freezing protects, and what it does not",
        view: View::BatchNorm,
        minutes: 10,
        text: include_str!("../../assets/lessons/frozen-is-not-inference.toml"),
    },
    BundledLesson {
        id: "your-first-fine-tune",
        title: "Your first fine-tune",
        about: "Train a head, then the base, on the bundled photos",
        view: View::FineTune,
        minutes: 15,
        text: include_str!("../../assets/lessons/your-first-fine-tune.toml"),
    },
    BundledLesson {
        id: "the-release-that-changes-the-answer",
        title: "The release that changes the answer",
        about: "What Keras 3.16 makes of a file that an earlier release saved",
        view: View::Releases,
        minutes: 5,
        text: include_str!("../../assets/lessons/the-release-that-changes-the-answer.toml"),
    },
    BundledLesson {
        id: "the-fixed-feature-extractor",
        title: "The fixed feature extractor that isn't",
        about: "What moves in a frozen PyTorch base, what it costs, and three ways to keep it fixed",
        view: View::FineTune,
        minutes: 10,
        text: include_str!("../../assets/lessons/the-fixed-feature-extractor.toml"),
    },
];

/// Reads a bundled lesson whose texts name values in `names`.
///
/// # Errors
/// There is no lesson with this number.
pub fn open_bundled(number: usize, names: &[&'static str]) -> Result<Lesson, LessonError> {
    let lesson = BUNDLED.get(number);
    let lesson = lesson.ok_or_else(|| LessonError::Whole(format!("no lesson {number}")))?;
    format::parse(lesson.text, None, names)
}
