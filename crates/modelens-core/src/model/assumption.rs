//! What a file does not tell about its network.

use serde::{Deserialize, Serialize};

/// How the program filled in what a file does not tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assumption {
    /// What was taken, in a sentence without its full stop.
    pub sentence: String,
    /// The names that `--architecture` takes for this file, the present one first; empty where there
    /// is nothing to choose.
    pub choices: Vec<String>,
}

impl Assumption {
    /// Which of several outputs is shown, the first of these names; `None` unless there are several.
    pub fn of_outputs(names: &[String]) -> Option<Self> {
        let [shown, _, ..] = names else { return None };
        let choices = names.iter().map(|name| format!("auto:output={name}"));
        Some(Self {
            sentence: format!(
                "the model has {} outputs ({}); `{shown}` is shown, and the losses of training are its own",
                names.len(),
                names.join(", ")
            ),
            choices: choices.collect(),
        })
    }

    /// The sentence with the way to choose otherwise, for a terminal.
    pub fn with_choices(&self) -> String {
        match self.choices.as_slice() {
            [] => self.sentence.clone(),
            choices => format!(
                "{}. Choose with --architecture {}",
                self.sentence,
                choices.join(" | ")
            ),
        }
    }
}
