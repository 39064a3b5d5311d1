//! The words of a lesson file, and the values that they name.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::augment::PipelinePreset;
use crate::model::{Mode, Outer, Preprocessing, Semantics};
use crate::settings::{LayerColumn, LayerSort, View};
use crate::train::optimizer::OptimizerKind;
use crate::train::recipe;
use modelens_jobs::Grid;

/// A part of the window that a step can hide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Control {
    /// The whole panel on the left.
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

/// A value that is written as a word.
pub trait Word: Copy + PartialEq + Send + Sync + 'static {
    /// What the word names, for messages.
    const WHAT: &'static str;
    /// All words with their values.
    fn all() -> Vec<(&'static str, Self)>;

    /// The value that a word names.
    fn from_word(word: &str) -> Option<Self> {
        let all = Self::all();
        let found = all.into_iter().find(|(known, _)| *known == word);
        found.map(|(_, value)| value)
    }
}

/// A value written as a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named<T>(pub T);

impl<T: Word> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let words = T::all();
        let word = words.iter().find(|(_, value)| *value == self.0);
        serializer.serialize_str(word.map_or("", |(word, _)| *word))
    }
}

impl<'de, T: Word> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let found = String::deserialize(deserializer)?;
        T::from_word(&found).map(Self).ok_or_else(|| {
            let words: Vec<&str> = T::all().into_iter().map(|(word, _)| word).collect();
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
        write!(f, "there is no {what} `{found}`; expected {known}")
    }
}

impl Word for View {
    const WHAT: &'static str = "view";
    fn all() -> Vec<(&'static str, Self)> {
        let views = Self::ALL.into_iter();
        views.map(|view| (view.id(), view)).collect()
    }
}

impl Word for Semantics {
    const WHAT: &'static str = "framework";
    fn all() -> Vec<(&'static str, Self)> {
        Self::ALL.map(|s| (s.id(), s)).to_vec()
    }
}

impl Word for Option<Semantics> {
    const WHAT: &'static str = "framework";
    fn all() -> Vec<(&'static str, Self)> {
        let rules = Semantics::ALL.map(|s| (s.id(), Some(s)));
        [("auto", None)].into_iter().chain(rules).collect()
    }
}

impl Word for Outer {
    const WHAT: &'static str = "call";
    fn all() -> Vec<(&'static str, Self)> {
        vec![
            ("training", Self::Given(Mode::Training)),
            ("inference", Self::Given(Mode::Inference)),
            ("not-given", Self::NotGiven),
        ]
    }
}

/// The `training=` value recorded at the call of the base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    File,
    Value(Option<bool>),
}

impl Word for Recorded {
    const WHAT: &'static str = "recorded value";
    fn all() -> Vec<(&'static str, Self)> {
        vec![
            ("file", Self::File),
            ("true", Self::Value(Some(true))),
            ("false", Self::Value(Some(false))),
            ("none", Self::Value(None)),
        ]
    }
}

impl Word for Grid {
    const WHAT: &'static str = "grid";
    fn all() -> Vec<(&'static str, Self)> {
        vec![
            ("one-photo", Self::OnePhoto),
            ("nine-photos", Self::NinePhotos),
            ("three-epochs", Self::ThreeEpochs),
        ]
    }
}

impl Word for PipelinePreset {
    const WHAT: &'static str = "pipeline";
    fn all() -> Vec<(&'static str, Self)> {
        let word = |preset: Self| match preset {
            Self::CourseLab => "course-lab",
            Self::KerasGuide => "keras-guide",
            Self::Strong => "strong",
            Self::None => "none",
        };
        Self::ALL.into_iter().map(|p| (word(p), p)).collect()
    }
}

impl Word for LayerSort {
    const WHAT: &'static str = "order of the layer table";
    fn all() -> Vec<(&'static str, Self)> {
        let word = |column: LayerColumn| match column {
            LayerColumn::Layer => ["layer", "-layer"],
            LayerColumn::Flag => ["flag", "-flag"],
            LayerColumn::Inherited => ["inherited", "-inherited"],
            LayerColumn::Training => ["training", "-training"],
            LayerColumn::Mode => ["mode", "-mode"],
            LayerColumn::Moves => ["moves", "-moves"],
            LayerColumn::Params => ["params", "-params"],
        };
        let orders = LayerColumn::ALL.into_iter().flat_map(|column| {
            let [up, down] = word(column);
            [(up, false), (down, true)]
                .map(|(word, descending)| (word, Self { column, descending }))
        });
        orders.collect()
    }
}

impl Word for recipe::RunPreset {
    const WHAT: &'static str = "preset of runs";
    fn all() -> Vec<(&'static str, Self)> {
        let presets = Self::ALL.into_iter();
        presets.map(|p| (p.id(), p)).collect()
    }
}

impl Word for recipe::EvalCalls {
    const WHAT: &'static str = "place of .eval()";
    fn all() -> Vec<(&'static str, Self)> {
        Self::ALL.map(|evals| (evals.id(), evals)).to_vec()
    }
}

impl Word for OptimizerKind {
    const WHAT: &'static str = "optimizer";
    fn all() -> Vec<(&'static str, Self)> {
        let kinds = Self::ALL.into_iter();
        kinds.map(|k| (k.id(), k)).collect()
    }
}

impl Word for Preprocessing {
    const WHAT: &'static str = "scale";
    fn all() -> Vec<(&'static str, Self)> {
        Self::ALL.map(|scale| (scale.id(), scale)).to_vec()
    }
}

impl Word for Option<Preprocessing> {
    const WHAT: &'static str = "scale";
    fn all() -> Vec<(&'static str, Self)> {
        let scales = Preprocessing::all().into_iter();
        let scales = scales.map(|(word, scale)| (word, Some(scale)));
        [("auto", None)].into_iter().chain(scales).collect()
    }
}
