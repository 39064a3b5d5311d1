//! `modelens link`: checks a link without a window.

use super::{Failure, terminal};
use crate::command::LessonSource;
use crate::lesson::link::{Target, find, target};
use crate::lesson::{LessonError, open_bundled};
use crate::views::values::names;

/// Checks a link to a state or to a step of a lesson, and prints it without the address before it.
#[derive(Debug, clap::Args)]
pub struct LinkArgs {
    /// What "Copy link" in the window made, such as '#v1;view=batchnorm;channel=7'.
    pub link: String,
}

impl LinkArgs {
    /// Reads the link.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn run(&self) -> Result<(), Failure> {
        let usage = |error: LessonError| Failure::Usage(error.to_string());
        let opened = target(&self.link, &names()).map_err(usage)?;
        if let Target::Step(LessonSource::Bundled(number), step) = opened {
            let lesson = open_bundled(number, &names()).map_err(usage)?;
            let steps = lesson.steps.len();
            if step >= steps {
                return Err(Failure::Usage(format!("the lesson has {steps} steps")));
            }
        }
        terminal::print(find(&self.link).unwrap_or_default())
    }
}
