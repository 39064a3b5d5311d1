//! The numbers of a view as CSV: one value a line, so that every view has the same columns.

use std::fmt::{Display, Write as _};

use crate::model::Mode;

const HEAD: &str = "side,item,quantity,value\n";

/// A table that grows line by line.
pub struct Table(String);

impl Table {
    /// A table with its heading.
    pub fn new() -> Self {
        Self(HEAD.to_owned())
    }

    /// Adds one value; `mode` is `None` for what both sides share.
    pub fn row(&mut self, mode: Option<Mode>, item: &str, quantity: &str, value: impl Display) {
        let side = match mode {
            Some(Mode::Training) => "training",
            Some(Mode::Inference) => "inference",
            None => "both",
        };
        let [item, value] = [item, &value.to_string()].map(quoted);
        let _ = writeln!(self.0, "{side},{item},{quantity},{value}");
    }

    /// Adds one line a value; items are counted from 1, as the window counts them.
    pub fn values(&mut self, mode: Option<Mode>, what: &str, quantity: &str, values: &[f32]) {
        for (i, value) in values.iter().enumerate() {
            self.row(mode, &format!("{what} {}", i + 1), quantity, value);
        }
    }

    /// The text of the file.
    pub fn finish(self) -> String {
        self.0
    }
}

/// Puts a field that holds a comma, a quote or a line break between quotes.
pub fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_with_commas_are_quoted() {
        let mut table = Table(String::new());
        table.row(Some(Mode::Training), "cell 1", "drawn", "flipped, 4°");
        table.row(None, "a \"b\"", "n", 0.1_f32);
        assert_eq!(
            table.finish(),
            "training,cell 1,drawn,\"flipped, 4°\"\nboth,\"a \"\"b\"\"\",n,0.1\n"
        );
    }
}
