//! Measured values as texts and expectations see them.

use std::fmt;

use modelens_core::nearest::{nearest, the_closest};

use crate::words::number::{measured, percent, thousands};

/// Where measured values come from: the state of the window.
pub trait Values {
    /// The value with this name under the present settings; `None` while it isn't computed.
    fn value(&self, name: &str) -> Option<Value>;
}

/// A value as it was measured.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Count(usize),
    Number(f64),
    /// 0 to 1.
    Share(f64),
    Text(String),
}

impl Value {
    /// What an expectation compares; text has no number.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Count(n) => Some(*n as f64),
            Self::Number(x) | Self::Share(x) => Some(*x),
            Self::Text(_) => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Count(n) => thousands(*n),
            Self::Number(x) => measured(*x),
            Self::Share(x) => percent(*x),
            Self::Text(text) => text.clone(),
        };
        f.write_str(&text)
    }
}

/// Checks that `name` is one of `names`.
///
/// # Errors
/// A sentence that suggests the closest names.
pub fn known(name: &str, names: &[&'static str]) -> Result<(), String> {
    if names.contains(&name) {
        return Ok(());
    }
    let close = the_closest(&nearest(name, names.iter().copied()));
    Err(format!(
        "there is no value `{name}`{close} (docs/lessons.md lists all of them)"
    ))
}
