//! A question that a step asks before its numbers appear.

use serde::{Deserialize, Serialize};

use super::names::Named;
use super::{Expectation, Values};
use crate::model::Semantics;

/// The fewest and the most choices of a prediction.
pub const CHOICES: [usize; 2] = [2, 4];

/// A question with choices. Until it is answered, the results of the step are covered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prediction {
    /// Markdown; `{name}` is replaced by the measured value.
    pub text: String,
    pub choices: Vec<Choice>,
    /// Why the right choice is right.
    pub answer: String,
}

/// One choice of a [`Prediction`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub text: String,
    #[serde(default, skip_serializing_if = "Right::is_never")]
    pub right: Right,
    /// What holds if and only if this choice is right.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<Expectation>,
}

/// When a choice is the right one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "`right` is true, or a list of frameworks such as [\"keras2\", \"pytorch\"]"
)]
pub enum Right {
    Always(bool),
    Under(Vec<Named<Semantics>>),
}

impl Default for Right {
    fn default() -> Self {
        Self::Always(false)
    }
}

impl Right {
    fn is_never(&self) -> bool {
        *self == Self::Always(false)
    }
}

impl Choice {
    /// True if it is the right choice under these rules.
    pub fn is_right(&self, semantics: Semantics) -> bool {
        match &self.right {
            Right::Always(right) => *right,
            Right::Under(rules) => rules.contains(&Named(semantics)),
        }
    }

    /// True if everything that it expects holds; `None` while a value is not computed, and if it
    /// expects nothing.
    pub fn holds(&self, values: &impl Values) -> Option<bool> {
        if self.expect.is_empty() {
            return None;
        }
        let held = self.expect.iter().map(|e| e.holds(values));
        let held: Option<Vec<bool>> = held.collect();
        held.map(|held| held.into_iter().all(|holds| holds))
    }
}

impl Prediction {
    /// The index of the right choice under these rules.
    pub fn right(&self, semantics: Semantics) -> Option<usize> {
        self.choices.iter().position(|c| c.is_right(semantics))
    }

    /// True if the numbers contradict the marked choice: it does not hold, or another one does.
    pub fn is_contradicted(&self, semantics: Semantics, values: &impl Values) -> bool {
        let wrong = |choice: &Choice| {
            choice
                .holds(values)
                .is_some_and(|holds| holds != choice.is_right(semantics))
        };
        self.choices.iter().any(wrong)
    }

    /// Every text.
    pub fn texts(&self) -> impl Iterator<Item = &String> {
        let choices = self.choices.iter().map(|choice| &choice.text);
        [&self.text, &self.answer].into_iter().chain(choices)
    }

    /// Checks the number of choices and which of them are right.
    ///
    /// # Errors
    /// A sentence.
    pub fn check(&self) -> Result<(), String> {
        let [fewest, most] = CHOICES;
        let found = self.choices.len();
        if !(fewest..=most).contains(&found) {
            return Err(format!(
                "a prediction has {fewest} to {most} choices, not {found}"
            ));
        }
        if self.texts().any(|text| text.trim().is_empty()) {
            return Err("the question, its answer and each choice need a text".to_owned());
        }
        for semantics in Semantics::ALL {
            let rules = semantics.label();
            let right = self.choices.iter().filter(|c| c.is_right(semantics));
            match right.count() {
                1 => {}
                0 => {
                    return Err(format!(
                        "no choice is right under {rules}; mark one with `right = true`, or with \
                         `right = [\"{}\"]`",
                        semantics.id()
                    ));
                }
                many => {
                    return Err(format!(
                        "{many} choices are right under {rules}; mark only one"
                    ));
                }
            }
        }
        Ok(())
    }
}
