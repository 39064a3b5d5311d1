//! The views by their ids.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use modelens_jobs::Look;

/// A view: one tab of the window. What it asks for, shows and says is its page in `crate::views`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum View {
    /// The question, both switches, and the lessons.
    Start,
    #[default]
    Augmentation,
    Dropout,
    BatchNorm,
    Trainable,
    FineTune,
    Predict,
    Releases,
}

impl View {
    /// Number of views.
    pub const COUNT: usize = Self::ALL.len();

    /// All views in the order of their tabs.
    pub const ALL: [Self; 8] = [
        Self::Start,
        Self::Augmentation,
        Self::Dropout,
        Self::BatchNorm,
        Self::Trainable,
        Self::FineTune,
        Self::Predict,
        Self::Releases,
    ];

    /// The id in lessons, on the command line and in the settings file.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Augmentation => "augmentation",
            Self::Dropout => "dropout",
            Self::BatchNorm => "batchnorm",
            Self::Trainable => "trainable",
            Self::FineTune => "finetune",
            Self::Predict => "predict",
            Self::Releases => "releases",
        }
    }

    /// The view with this id.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.id() == id)
    }

    /// The view that shows the result of a look.
    pub fn of(look: &Look) -> Self {
        match look {
            Look::Augmentation(_) => Self::Augmentation,
            Look::Dropout { .. } | Look::Modes(_) => Self::Dropout,
            Look::BatchNorm { .. } | Look::Norms(_) => Self::BatchNorm,
            Look::Trainable(_) => Self::Trainable,
            Look::Predict(_) => Self::Predict,
            Look::Releases(_) => Self::Releases,
        }
    }

    /// The view whose result this one shows: its own, except for Start.
    #[must_use]
    pub fn source(self) -> Self {
        match self {
            Self::Start => Self::Trainable,
            Self::Augmentation
            | Self::Dropout
            | Self::BatchNorm
            | Self::Trainable
            | Self::FineTune
            | Self::Predict
            | Self::Releases => self,
        }
    }

    /// True for Fine-tune, which shows training runs that the user starts. Every other view shows
    /// one look, which is computed without being asked for.
    pub fn shows_runs(self) -> bool {
        self == Self::FineTune
    }
}

impl Serialize for View {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for View {
    /// Reads an id; settings files of earlier versions hold the name of the variant, which differs
    /// from the id only in case.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        Self::from_id(&id.to_lowercase())
            .ok_or_else(|| serde::de::Error::custom(format!("there is no view `{id}`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_stored_and_earlier_names_are_read() {
        for view in View::ALL {
            let stored = serde_json::to_string(&view).unwrap();
            assert_eq!(stored, format!("\"{}\"", view.id()));
            for text in [stored, format!("\"{view:?}\"")] {
                assert_eq!(serde_json::from_str::<View>(&text).unwrap(), view);
            }
        }
        assert!(serde_json::from_str::<View>("\"none\"").is_err());
    }
}
