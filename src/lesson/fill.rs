//! `{name}` in a text becomes what was measured.

use super::values;
use crate::state::State;

/// Stands where the value is not there yet.
const WAITING: &str = "\u{2026}";

/// The text with every `{name}` filled.
pub fn fill(text: &str, state: &State) -> String {
    let mut filled = String::with_capacity(text.len());
    for part in parts(text) {
        match part {
            Part::Text(text) => filled.push_str(text),
            Part::Name(name) => match values::value(state, name) {
                Some(value) => filled.push_str(&value.to_string()),
                None => filled.push_str(WAITING),
            },
            Part::Open(_) => {}
        }
    }
    filled
}

/// Whether every name is known.
pub fn check(text: &str) -> Result<(), String> {
    for part in parts(text) {
        match part {
            Part::Name(name) if values::known(name).is_none() => {
                return Err(values::unknown(name));
            }
            Part::Open(rest) => {
                let near: String = rest.chars().take(20).collect();
                return Err(format!("a {{ without a }} in the text: {near}"));
            }
            Part::Name(_) | Part::Text(_) => {}
        }
    }
    Ok(())
}

enum Part<'a> {
    Text(&'a str),
    Name(&'a str),
    /// A brace that is never closed.
    Open(&'a str),
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        parts.push(Part::Text(before));
        let Some((name, after)) = after.split_once('}') else {
            parts.push(Part::Open(after));
            return parts;
        };
        parts.push(Part::Name(name));
        rest = after;
    }
    parts.push(Part::Text(rest));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_or_refused() {
        let state = State::default();
        assert_eq!(
            fill("rules: {rules}, {units} units", &state),
            "rules: Keras 3, … units"
        );
        assert!(check("{rules} and {units}").is_ok());
        assert!(check("{rule}").unwrap_err().contains("rules"));
        assert!(check("an {open").is_err());
        assert!(check("no names").is_ok());
    }
}
