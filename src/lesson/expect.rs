//! Expectations: what a step's text relies on, such as `cells_changed > 0`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::value::{Values, known};

/// A relation between two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Equal,
    Different,
    Less,
    Greater,
}

impl Relation {
    const ALL: [(&'static str, Self); 4] = [
        ("!=", Self::Different),
        ("=", Self::Equal),
        ("<", Self::Less),
        (">", Self::Greater),
    ];

    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Different => left != right,
            Self::Less => left < right,
            Self::Greater => left > right,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Value(String),
    Number(f64),
}

impl Operand {
    fn of(&self, values: &impl Values) -> Option<f64> {
        match self {
            Self::Value(name) => values.value(name)?.number(),
            Self::Number(x) => Some(*x),
        }
    }
}

/// A relation that must hold between measured values and numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    left: Operand,
    relation: Relation,
    right: Operand,
    written: String,
}

impl Expectation {
    /// True if it holds; `None` while a value is not computed.
    pub fn holds(&self, values: &impl Values) -> Option<bool> {
        let [left, right] = [&self.left, &self.right].map(|operand| operand.of(values));
        Some(self.relation.holds(left?, right?))
    }

    /// A sentence with what was measured instead.
    pub fn broken(&self, values: &impl Values) -> String {
        let operands = [&self.left, &self.right].into_iter();
        let names = operands.filter(|operand| matches!(operand, Operand::Value(_)));
        let found = names.map(|operand| {
            let found = operand.of(values);
            found.map_or("nothing".to_owned(), |x| x.to_string())
        });
        let found: Vec<String> = found.collect();
        format!(
            "this text expects {self}; measured: {}",
            found.join(" and ")
        )
    }

    /// Checks that the expectation names only values in `names`.
    ///
    /// # Errors
    /// The name that isn't there, and why.
    pub fn check(&self, names: &[&'static str]) -> Result<(), (&str, String)> {
        for operand in [&self.left, &self.right] {
            if let Operand::Value(name) = operand {
                known(name, names).map_err(|reason| (name.as_str(), reason))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl FromStr for Expectation {
    type Err = String;

    fn from_str(written: &str) -> Result<Self, String> {
        let mut found = Relation::ALL
            .into_iter()
            .filter_map(|(sign, relation)| Some((written.split_once(sign)?, relation)));
        let ((left, right), relation) = found
            .next()
            .ok_or_else(|| format!("`{written}` contains none of = != < >"))?;
        let operand = |text: &str| {
            let text = text.trim();
            if let Ok(number) = text.parse::<f64>() {
                return Ok(Operand::Number(number));
            }
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if text.is_empty() || !text.chars().all(is_name) {
                return Err(format!(
                    "`{text}` is neither a number nor the name of a value"
                ));
            }
            Ok(Operand::Value(text.to_owned()))
        };
        Ok(Self {
            left: operand(left)?,
            relation,
            right: operand(right)?,
            written: written.to_owned(),
        })
    }
}

impl Serialize for Expectation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written)
    }
}

impl<'de> Deserialize<'de> for Expectation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?;
        written.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::Value;

    /// No value is computed.
    struct Nothing;

    impl Values for Nothing {
        fn value(&self, _name: &str) -> Option<Value> {
            None
        }
    }

    #[test]
    fn relations_hold_or_not() {
        for (written, holds) in [
            ("1 = 1", true),
            ("1 != 1", false),
            ("1 < 2", true),
            ("1 > 2", false),
            ("1e-3 = 0.001", true),
        ] {
            let expectation: Expectation = written.parse().unwrap();
            assert_eq!(expectation.holds(&Nothing), Some(holds), "{written}");
        }
        let waits: Expectation = "units > 3".parse().unwrap();
        assert_eq!(waits.holds(&Nothing), None);
    }

    #[test]
    fn what_was_measured_is_told_for_each_name() {
        let expectation: Expectation = "units > dropped".parse().unwrap();
        let line = "this text expects units > dropped; measured: nothing and nothing";
        assert_eq!(expectation.broken(&Nothing), line);
    }

    #[test]
    fn unknown_names_are_refused() {
        for written in ["units", "units > ", "", "units > 3 < 4"] {
            assert!(written.parse::<Expectation>().is_err(), "{written}");
        }
        for (written, name) in [("unit > 3", "unit"), ("units > many", "many")] {
            let expectation: Expectation = written.parse().unwrap();
            assert_eq!(expectation.check(&["units"]).unwrap_err().0, name);
        }
    }
}
