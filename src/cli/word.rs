//! Options whose values are words: the same words as in lesson files.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::lesson::{Named, Word};

/// Parses one of the words of `T`; `--help` lists them.
pub fn parser<T: Word>() -> impl TypedValueParser<Value = Named<T>> {
    let words = T::all().into_iter();
    let words = words.map(|(word, _)| PossibleValue::new(word));
    PossibleValuesParser::new(words).try_map(|word| {
        let value = T::from_word(&word).map(Named);
        value.ok_or_else(|| format!("there is no {} `{word}`", T::WHAT))
    })
}
