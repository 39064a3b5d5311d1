//! Finds the lines of keys and values in a lesson file.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The lines of the keys of one table, counted from 1. A key of a nested table is `question.answer`.
pub type Lines = BTreeMap<String, usize>;

/// The line of a byte offset, counted from 1.
pub fn line_of(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or(text);
    before.matches('\n').count() + 1
}

/// A lesson file, parsed with the positions of its values.
pub struct Places<'a> {
    text: &'a str,
    root: Option<Spanned<DeTable<'a>>>,
}

impl<'a> Places<'a> {
    /// Parses a text. If it is not TOML, no line is found.
    pub fn of(text: &'a str) -> Self {
        let root = DeTable::parse(text).ok();
        Self { text, root }
    }

    /// The version of the file, as it is written, and its line.
    pub fn version(&self) -> Option<(&str, usize)> {
        let value = self.root.as_ref()?.get_ref().get("lesson")?;
        let number = value.get_ref().as_integer()?;
        Some((number.as_str(), line_of(self.text, value.span().start)))
    }

    /// The lines of the keys before the steps.
    pub fn whole(&self) -> Lines {
        let root = self.root.as_ref().map(Spanned::get_ref);
        self.lines(root)
    }

    /// The lines of a step's keys.
    pub fn step(&self, number: usize) -> Lines {
        self.lines(self.step_table(number))
    }

    /// The line of `what` in the value of a step's key.
    pub fn within(&self, step: usize, key: &str, what: &str) -> Option<usize> {
        let mut found = None;
        let table = self.step_table(step)?;
        each(table, &mut |name, span| {
            if name == key {
                let value = self.text.get(span.clone()).unwrap_or("");
                // A value that contains escapes: take its first line.
                let at = span.start + value.find(what).unwrap_or(0);
                found = Some(line_of(self.text, at));
            }
        });
        found
    }

    fn step_table(&self, number: usize) -> Option<&DeTable<'a>> {
        let steps = self.root.as_ref()?.get_ref().get("step")?;
        steps
            .get_ref()
            .as_array()?
            .get(number)?
            .get_ref()
            .as_table()
    }

    fn lines(&self, table: Option<&DeTable<'a>>) -> Lines {
        let mut lines = Lines::new();
        if let Some(table) = table {
            each(table, &mut |key, span| {
                lines.insert(key.to_owned(), line_of(self.text, span.start));
            });
        }
        lines
    }
}

/// Calls `take` with every key of the table and of its nested tables, and the span of its value.
fn each(table: &DeTable<'_>, take: &mut impl FnMut(&str, Range<usize>)) {
    for (key, value) in table {
        let key = key.get_ref();
        take(key, value.span());
        if let DeValue::Table(inner) = value.get_ref() {
            for (name, value) in inner {
                take(&format!("{key}.{}", name.get_ref()), value.span());
            }
        }
    }
}
