//! Where in the file of a lesson something stands.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The lines of one table by its keys, from 1; a key of a table inside is `question.answer`.
pub type Lines = BTreeMap<String, usize>;

/// From 1.
pub fn line_of(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or(text);
    before.matches('\n').count() + 1
}

/// The values of a lesson file with their places in its text.
pub struct Places<'a> {
    text: &'a str,
    root: Option<Spanned<DeTable<'a>>>,
}

impl<'a> Places<'a> {
    /// Of a text that is no TOML, nothing.
    pub fn of(text: &'a str) -> Self {
        let root = DeTable::parse(text).ok();
        Self { text, root }
    }

    /// The version that the file says it has, as written, and its line.
    pub fn version(&self) -> Option<(&str, usize)> {
        let value = self.root.as_ref()?.get_ref().get("lesson")?;
        let number = value.get_ref().as_integer()?;
        Some((number.as_str(), line_of(self.text, value.span().start)))
    }

    /// The lines of the keys that stand before the steps.
    pub fn whole(&self) -> Lines {
        let root = self.root.as_ref().map(Spanned::get_ref);
        self.lines(root)
    }

    /// The lines of a step's keys.
    pub fn step(&self, number: usize) -> Lines {
        self.lines(self.step_table(number))
    }

    /// The line on which `what` stands in the value of a step's key.
    pub fn within(&self, step: usize, key: &str, what: &str) -> Option<usize> {
        let mut found = None;
        let table = self.step_table(step)?;
        each(table, &mut |name, span| {
            if name == key {
                let value = self.text.get(span.clone()).unwrap_or("");
                // With an escape in it, it stands where its text begins.
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

/// Every key of the table and of the tables right inside, with the place of its value.
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
