//! The words of a lesson file, and what they stand for.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::augment::Preset;
use crate::model::{Mode, Outer, Preprocessing, Semantics};
use crate::settings::View;
use crate::train::optimizer::Kind;
use crate::train::recipe;
use crate::worker::Grid;

/// A part of the window that a step hides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Control {
    /// The whole panel at the left.
    SidePanel,
    /// The photo, the batch, the seed.
    Input,
    /// The list of layers with their flags.
    Layers,
    /// The tabs of the views.
    Tabs,
    /// The row above the columns.
    Controls,
    /// "What you see" and the code.
    Explanation,
    /// The menu of the rules.
    Rules,
}

/// A value that is written as one of a few words.
pub trait Word: Copy + PartialEq + 'static {
    /// What kind of word it is, for messages.
    const WHAT: &'static str;
    /// Every word with its value.
    fn all() -> Vec<(String, Self)>;
}

/// A value written as a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named<T>(pub T);

impl<T: Word> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let words = T::all();
        let word = words.iter().find(|(_, value)| *value == self.0);
        serializer.serialize_str(word.map_or("", |(word, _)| word))
    }
}

impl<'de, T: Word> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let found = String::deserialize(deserializer)?;
        let words = T::all();
        let value = words.iter().find(|(word, _)| *word == found);
        value.map(|(_, value)| Self(*value)).ok_or_else(|| {
            let words: Vec<&str> = words.iter().map(|(word, _)| word.as_str()).collect();
            serde::de::Error::custom(Unknown {
                what: T::WHAT,
                found,
                known: words.join(", "),
            })
        })
    }
}

struct Unknown {
    what: &'static str,
    found: String,
    known: String,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, found, known } = self;
        write!(f, "there is no {what} `{found}`; there are {known}")
    }
}

impl Word for View {
    const WHAT: &'static str = "view";
    fn all() -> Vec<(String, Self)> {
        let views = Self::ALL.into_iter();
        views.map(|view| (view.id().to_owned(), view)).collect()
    }
}

impl Word for Option<Semantics> {
    const WHAT: &'static str = "framework";
    fn all() -> Vec<(String, Self)> {
        let rules = Semantics::ALL.map(|s| (s.id().to_owned(), Some(s)));
        [("auto".to_owned(), None)]
            .into_iter()
            .chain(rules)
            .collect()
    }
}

impl Word for Outer {
    const WHAT: &'static str = "call";
    fn all() -> Vec<(String, Self)> {
        vec![
            ("training".to_owned(), Self::Given(Mode::Training)),
            ("inference".to_owned(), Self::Given(Mode::Inference)),
            ("not-given".to_owned(), Self::NotGiven),
        ]
    }
}

/// What is recorded at the call of the base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    File,
    Value(Option<bool>),
}

impl Word for Recorded {
    const WHAT: &'static str = "recorded value";
    fn all() -> Vec<(String, Self)> {
        vec![
            ("file".to_owned(), Self::File),
            ("true".to_owned(), Self::Value(Some(true))),
            ("false".to_owned(), Self::Value(Some(false))),
            ("none".to_owned(), Self::Value(None)),
        ]
    }
}

impl Word for Grid {
    const WHAT: &'static str = "grid";
    fn all() -> Vec<(String, Self)> {
        vec![
            ("one-photo".to_owned(), Self::OnePhoto),
            ("nine-photos".to_owned(), Self::NinePhotos),
            ("three-epochs".to_owned(), Self::ThreeEpochs),
        ]
    }
}

impl Word for Preset {
    const WHAT: &'static str = "pipeline";
    fn all() -> Vec<(String, Self)> {
        let word = |preset: Self| preset.label().to_lowercase().replace(' ', "-");
        Self::ALL.into_iter().map(|p| (word(p), p)).collect()
    }
}

impl Word for recipe::Preset {
    const WHAT: &'static str = "preset of runs";
    fn all() -> Vec<(String, Self)> {
        let presets = Self::ALL.into_iter();
        presets.map(|p| (p.id().to_owned(), p)).collect()
    }
}

impl Word for Kind {
    const WHAT: &'static str = "optimizer";
    fn all() -> Vec<(String, Self)> {
        let kinds = Self::ALL.into_iter();
        kinds.map(|k| (k.id().to_owned(), k)).collect()
    }
}

impl Word for Preprocessing {
    const WHAT: &'static str = "scale";
    fn all() -> Vec<(String, Self)> {
        vec![
            ("raw".to_owned(), Self::Raw),
            ("minus-one-to-one".to_owned(), Self::MinusOneToOne),
            ("lite".to_owned(), Self::Lite),
            ("zero-to-one".to_owned(), Self::ZeroToOne),
            ("imagenet".to_owned(), Self::ImageNet),
            ("bgr-mean".to_owned(), Self::BgrMean),
        ]
    }
}
