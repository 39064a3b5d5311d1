//! `modelens link`: checks a link without a window.

use super::{Failure, terminal};
use crate::command::LessonSource;
use crate::lesson::link::{Target, find, target};
use crate::lesson::open_bundled;
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
        let usage = |why: String| Failure::Usage(why);
        let opened = target(&self.link, &names()).map_err(|error| usage(error.to_string()))?;
        if let Target::Step(LessonSource::Bundled(number), step) = opened {
            let lesson = open_bundled(number, &names()).map_err(|e| usage(e.to_string()))?;
            let steps = lesson.steps.len();
            if step >= steps {
                return Err(usage(format!("the lesson has {steps} steps")));
            }
        }
        terminal::print(find(&self.link).unwrap_or_default())
    }
}
