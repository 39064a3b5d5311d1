//! Fills the measured values into a text.

use super::value::{Value, Values, known};
use crate::words::number::told_apart;

/// Written while a value is not computed.
const WAITING: &str = "\u{2026}";
/// Numbers with a smaller relative difference differ only by rounding.
const SAME: f64 = 1e-6;

/// The text with every `{name}` replaced by its value.
pub fn fill(text: &str, values: &impl Values) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut waits = false;
    let parts = parts(text);
    let found: Vec<Option<Value>> = parts.iter().map(|part| named(part, values)).collect();
    for (part, value) in parts.iter().zip(&found) {
        match part {
            Part::Text(text) if waits => filled.push_str(&without_stop(text)),
            Part::Text(text) => filled.push_str(text),
            Part::Name(_) => {
                waits = value.is_none();
                match value {
                    Some(value) => filled.push_str(&written(value, &found)),
                    None => filled.push_str(WAITING),
                }
            }
            Part::Open(_) => {}
        }
    }
    filled
}

fn named(part: &Part<'_>, values: &impl Values) -> Option<Value> {
    match part {
        Part::Name(name) => values.value(name),
        Part::Text(_) | Part::Open(_) => None,
    }
}

/// A value as text. It gets more digits if a different value of the text would look the same: a mean
/// that moves "from 0.8757 to 0.8757" would seem not to move.
fn written(value: &Value, of_text: &[Option<Value>]) -> String {
    let short = value.to_string();
    let Value::Number(x) = *value else {
        return short;
    };
    let others = of_text.iter().flatten().filter_map(|other| match *other {
        Value::Number(y) => Some(y),
        _ => None,
    });
    let told = others
        .filter(|y| (x - y).abs() > SAME * x.abs().max(y.abs()))
        .map(|y| told_apart([x, y])[0].clone());
    told.fold(short, |longest, other| {
        if other.len() > longest.len() {
            other
        } else {
            longest
        }
    })
}

/// The text after an ellipsis, without its full stop: four dots in a row would be one too many.
fn without_stop(text: &str) -> String {
    let rest = text.trim_start_matches(['*', '`', ')']);
    let marks = &text[..text.len() - rest.len()];
    match rest.strip_prefix('.') {
        Some(after) if !after.starts_with(char::is_alphanumeric) => format!("{marks}{after}"),
        _ => text.to_owned(),
    }
}

/// A fault in a text, and where it is.
#[derive(Debug)]
pub struct Fault {
    pub at: String,
    pub reason: String,
}

/// Checks that every name in `text` is one of `names`.
pub fn check(text: &str, names: &[&'static str]) -> Result<(), Fault> {
    for part in parts(text) {
        match part {
            Part::Name(name) => known(name, names).map_err(|reason| Fault {
                at: format!("{{{name}}}"),
                reason,
            })?,
            Part::Open(rest) => {
                let near: String = rest.lines().next().unwrap_or("").chars().take(20).collect();
                return Err(Fault {
                    at: format!("{{{near}"),
                    reason: format!("the text has a {{ without a }}: {near}"),
                });
            }
            Part::Text(_) => {}
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

    const NAMES: [&str; 3] = ["rules", "units", "dropped"];

    /// Knows the rules and nothing else.
    struct Rules;

    impl Values for Rules {
        fn value(&self, name: &str) -> Option<Value> {
            (name == "rules").then(|| Value::Text("Keras 3".to_owned()))
        }
    }

    #[test]
    fn names_are_filled_or_refused() {
        let check = |text| check(text, &NAMES);
        assert_eq!(
            fill("rules: {rules}, {units} units", &Rules),
            "rules: Keras 3, … units"
        );
        assert!(check("{rules} and {units}").is_ok());
        assert!(check("{rule}").unwrap_err().reason.contains("rules"));
        assert!(check("an {open").is_err());
        assert!(check("no names").is_ok());
    }

    #[test]
    fn numbers_that_differ_do_not_look_the_same() {
        let numbers = [0.875_660, 0.875_678, 0.875_660, 0.875_660 + 1e-9, 2.5];
        let values: Vec<_> = numbers.map(|x| Some(Value::Number(x))).to_vec();
        let all: Vec<String> = values
            .iter()
            .flatten()
            .map(|value| written(value, &values))
            .collect();
        assert_eq!(all, ["0.87566", "0.87568", "0.87566", "0.87566", "2.5000"]);
        let one = Value::Number(0.875_660);
        assert_eq!(written(&one, &[Some(one.clone()), None]), "0.8757");
    }

    #[test]
    fn dots_for_a_value_end_a_sentence_by_themselves() {
        for (text, filled) in [
            ("by {units}. With", "by … With"),
            ("by **{units}.** With", "by **…** With"),
            ("by **{units}**.\n\nWith", "by **…**\n\nWith"),
            ("(by {units}). {rules}.", "(by …) Keras 3."),
            (
                "{units}, {units} and {rules}. With",
                "…, … and Keras 3. With",
            ),
            ("{units} of 3. With", "… of 3. With"),
            ("{rules}.{units}.h5", "Keras 3.….h5"),
        ] {
            assert_eq!(fill(text, &Rules), filled, "{text}");
        }
    }

    #[test]
    fn a_name_that_is_none_is_told_with_those_it_may_mean() {
        let check = |text| check(text, &NAMES);
        let reason = check("{droped}").unwrap_err().reason;
        assert!(
            reason.contains("there is no value `droped`; the closest"),
            "{reason}"
        );
        assert!(
            reason.contains(" dropped") && reason.contains("docs/lessons.md"),
            "{reason}"
        );
        let reason = check("{nosuch}").unwrap_err().reason;
        assert!(
            reason.len() < 200 && reason.contains("docs/lessons.md"),
            "{reason}"
        );
    }
}
