//! The arguments of one call.

use std::collections::BTreeMap;

use super::CodeError;
use crate::augment::KerasConfig;

/// The value of an argument.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Argument {
    Number(f64),
    Text(String),
    Flag(bool),
    None,
    List(Vec<Argument>),
}

/// The arguments of one call, read like a layer's configuration.
pub(super) struct Arguments {
    pub line: usize,
    pub values: BTreeMap<String, Argument>,
}

impl Arguments {
    /// An argument that was passed and is not `None`.
    fn get(&self, key: &str) -> Option<&Argument> {
        self.values
            .get(key)
            .filter(|value| **value != Argument::None)
    }

    fn wrong<T>(&self, key: &str, what: &str) -> Result<T, CodeError> {
        Err(self.refuse(format!("`{key}` is not {what}")))
    }
}

impl KerasConfig for Arguments {
    type Error = CodeError;

    fn refuse(&self, why: String) -> CodeError {
        CodeError {
            line: self.line,
            why,
        }
    }

    fn text(&self, key: &str) -> Result<&str, CodeError> {
        match self.get(key) {
            None => Ok(""),
            Some(Argument::Text(text)) => Ok(text),
            Some(_) => self.wrong(key, "a string"),
        }
    }

    fn flag(&self, key: &str) -> Result<Option<bool>, CodeError> {
        match self.get(key) {
            None => Ok(None),
            Some(Argument::Flag(flag)) => Ok(Some(*flag)),
            Some(_) => self.wrong(key, "True or False"),
        }
    }

    fn count(&self, key: &str) -> Result<usize, CodeError> {
        match self.number(key)? {
            Some(number) if number >= 1.0 && number.fract() == 0.0 && number <= 1e9 => {
                Ok(number as usize)
            }
            _ => self.wrong(key, "a whole number of at least 1"),
        }
    }

    fn number(&self, key: &str) -> Result<Option<f64>, CodeError> {
        match self.get(key) {
            None => Ok(None),
            Some(Argument::Number(number)) => Ok(Some(*number)),
            Some(_) => self.wrong(key, "a number"),
        }
    }

    fn numbers(&self, key: &str) -> Result<Option<Vec<f64>>, CodeError> {
        let number = |value: &Argument| match value {
            Argument::Number(number) => Ok(*number),
            _ => self.wrong(key, "a list of numbers"),
        };
        match self.get(key) {
            None => Ok(None),
            Some(Argument::Number(number)) => Ok(Some(vec![*number])),
            Some(Argument::List(list)) if !list.is_empty() => list
                .iter()
                .map(number)
                .collect::<Result<Vec<f64>, _>>()
                .map(Some),
            Some(_) => self.wrong(key, "a number or a list of numbers"),
        }
    }

    fn is_list(&self, key: &str) -> bool {
        matches!(self.get(key), Some(Argument::List(_)))
    }

    fn seed(&self) -> Option<u64> {
        let Argument::Number(number) = self.get("seed")? else {
            return None;
        };
        (*number >= 0.0).then_some(*number as u64)
    }
}
