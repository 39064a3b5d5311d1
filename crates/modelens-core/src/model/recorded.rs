//! What a file holds of the `training` argument at a call.

use serde::{Deserialize, Serialize};

use super::Semantics;

/// The `training` argument in the file at one call of a layer or of a nested model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RecordedArgument {
    /// The call has no such argument.
    #[default]
    Absent,
    /// `training=None`.
    Null,
    /// A value that a person wrote.
    Value(bool),
    /// The default of the layer's signature. Keras 3.0 to 3.15 write it at every call that has none; a
    /// person may have written the same value.
    Default(bool),
}

/// Who wrote a recorded value, as far as the file tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordedBy {
    /// It differs from what the release that wrote the file would record by itself.
    Person,
    /// It is what the release that wrote the file records where nobody gave a value.
    Saver,
    /// Keras 3.16 records no defaults, but keeps those in a file that an earlier release wrote first.
    PersonOrEarlierSaver,
}

impl RecordedBy {
    /// In a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Person => "by a person",
            Self::Saver => "by the saver",
            Self::PersonOrEarlierSaver => "by a person, or by Keras before 3.16",
        }
    }
}

impl RecordedArgument {
    /// Tells a default from a value that a person wrote, at a call of a layer of this class in a file of
    /// `writer`.
    #[must_use]
    pub fn written_by(self, class: &str, writer: Semantics) -> Self {
        let is_default = self.value().is_some() && self.value() == signature_default(class, writer);
        match self {
            Self::Value(value) if writer == Semantics::Keras3 && is_default => Self::Default(value),
            _ => self,
        }
    }

    /// The recorded value, whoever wrote it.
    pub fn value(self) -> Option<bool> {
        match self {
            Self::Absent | Self::Null => None,
            Self::Value(value) | Self::Default(value) => Some(value),
        }
    }

    /// Who wrote the value at a call of a layer of this class; `None` if there is no value.
    pub fn by(self, class: &str, writer: Semantics) -> Option<RecordedBy> {
        match self {
            Self::Absent | Self::Null => None,
            Self::Default(_) => Some(RecordedBy::Saver),
            Self::Value(value)
                if writer == Semantics::Keras316
                    && signature_default(class, Semantics::Keras3) == Some(value) =>
            {
                Some(RecordedBy::PersonOrEarlierSaver)
            }
            Self::Value(_) => Some(RecordedBy::Person),
        }
    }
}

/// The default of `training` in the signature of a class' `call`; `None` for `training=None` and for
/// classes without the argument.
///
/// Source: `inspect.signature` of every class in `keras.layers` of tf_keras 2.21, Keras 3.15.1 and
/// 3.16.0.dev2026102704. Classes such as `Resizing` compute the same in both modes and still have the
/// default True, because they inherit it.
pub fn signature_default(class: &str, semantics: Semantics) -> Option<bool> {
    let random = class.starts_with("Random");
    match semantics {
        Semantics::Keras2 => random.then_some(true),
        Semantics::Keras3 | Semantics::Keras316 => match class {
            "Dropout" | "SpatialDropout1D" | "SpatialDropout2D" | "SpatialDropout3D"
            | "AlphaDropout" | "GaussianDropout" | "GaussianNoise" => Some(false),
            "AugMix"
            | "AutoContrast"
            | "CenterCrop"
            | "ContrastLimitedAdaptiveHistogramEqualization"
            | "CutMix"
            | "Equalization"
            | "MaxNumBoundingBoxes"
            | "MixUp"
            | "Mosaic"
            | "Pipeline"
            | "RandAugment"
            | "Resizing"
            | "Solarization" => Some(true),
            _ => random.then_some(true),
        },
        Semantics::PyTorch => None,
    }
}
