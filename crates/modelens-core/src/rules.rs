//! What a layer really does in a call: the rules of the three frameworks as one pure function.

use serde::{Deserialize, Serialize};

/// The rules of one framework, and for Keras of some of its releases: the release decides what a
/// `training=` value in a file counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Semantics {
    /// tf.keras up to TensorFlow 2.15, and tf_keras.
    Keras2,
    /// Keras 3.0 to 3.15 (checked against 3.0.5 to 3.15.1).
    Keras3,
    /// Keras 3.16 (checked against the nightly 3.16.0.dev2026102704).
    Keras316,
    /// torch.nn modules.
    PyTorch,
}

impl Semantics {
    /// All frameworks, in the order of the window's menu.
    pub const ALL: [Self; 4] = [Self::Keras2, Self::Keras3, Self::Keras316, Self::PyTorch];

    /// The name the window shows.
    pub fn label(self) -> &'static str {
        match self {
            Self::Keras2 => "Keras 2",
            Self::Keras3 => "Keras 3 to 3.15",
            Self::Keras316 => "Keras 3.16 (nightly)",
            Self::PyTorch => "PyTorch",
        }
    }

    /// The name where there is little room: the last release that has these rules.
    pub fn short_label(self) -> &'static str {
        match self {
            Self::Keras2 => "Keras 2",
            Self::Keras3 => "Keras 3.15",
            Self::Keras316 => "Keras 3.16",
            Self::PyTorch => "PyTorch",
        }
    }

    /// The name in a sentence about what all releases of Keras 3 do.
    pub fn framework(self) -> &'static str {
        match self {
            Self::Keras2 => "Keras 2",
            Self::Keras3 | Self::Keras316 => "Keras 3",
            Self::PyTorch => "PyTorch",
        }
    }

    /// The name in a sentence about what the release decides.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keras2 => "Keras 2",
            Self::Keras3 => "Keras 3 up to 3.15",
            Self::Keras316 => "Keras 3.16",
            Self::PyTorch => "PyTorch",
        }
    }

    /// True for every release of Keras 3: they differ in what recorded values count for, and in nothing
    /// else here.
    pub fn is_keras3(self) -> bool {
        matches!(self, Self::Keras3 | Self::Keras316)
    }

    /// The name on the command line and in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Keras2 => "keras2",
            Self::Keras3 => "keras3",
            Self::Keras316 => "keras3.16",
            Self::PyTorch => "pytorch",
        }
    }
}

/// The two modes, which every view shows side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Mode {
    /// `training=True`, `.train()`.
    Training,
    /// `training=False`, `.eval()`.
    Inference,
}

impl Mode {
    /// Left column first.
    pub const BOTH: [Self; 2] = [Self::Training, Self::Inference];

    /// The value of the framework's `training` argument.
    pub fn training(self) -> bool {
        self == Self::Training
    }

    /// The mode of this value of the `training` argument.
    pub fn of_training(training: bool) -> Self {
        if training {
            Self::Training
        } else {
            Self::Inference
        }
    }
}

/// What the outermost call says: `model(x, training=...)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Outer {
    /// The argument is given.
    Given(Mode),
    /// `model(x)`: the argument is left out.
    NotGiven,
}

impl From<Mode> for Outer {
    fn from(mode: Mode) -> Self {
        Self::Given(mode)
    }
}

/// Which rule a layer follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Has trainable weights and computes the same in both modes (convolution, dense).
    Weights,
    /// Batch normalisation.
    BatchNorm,
    /// Dropout and the other noise layers, drop-connect included.
    Noise,
    /// Random preprocessing layers.
    Augmentation,
    /// Has no trainable weights and computes the same in both modes (ReLU, pooling, operators, containers).
    Plain,
}

/// Which mean and variance a BatchNorm normalises with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Statistics {
    /// Mean and variance of the present batch over N, H and W.
    Batch,
    /// The stored moving (PyTorch: running) mean and variance.
    Moving,
}

/// What a layer really does, given semantics, mode, recorded value and flags.
#[allow(clippy::struct_excessive_bools, reason = "four independent answers")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Effective {
    /// The value of `training` that reaches the layer.
    pub training: bool,
    /// The layer does something that it does not do in inference: dropout drops, augmentation draws,
    /// BatchNorm uses batch statistics.
    pub active: bool,
    /// What a BatchNorm normalises with; `None` for other layers.
    pub statistics: Option<Statistics>,
    /// The call changes the moving statistics of a BatchNorm.
    pub updates_statistics: bool,
    /// An optimizer may change its weights.
    pub learns: bool,
}

/// The effective mode of a layer that is called alone, or in a model that records a value around it.
///
/// - `trainable`: the flag of the layer itself; PyTorch: `requires_grad` of its parameters.
/// - `ancestors_trainable`: whether the flag of every model around it is set.
/// - `recorded`: the innermost `training=` value written into the file at the call of the layer or of a model
///   around it.
///
/// | | Keras 2 | Keras 3.0 to 3.15 | Keras 3.16 | PyTorch |
/// |---|---|---|---|---|
/// | `training` | recorded, else outer | outer, else recorded | recorded, else outer | outer |
/// | batch statistics | training and trainable | the same | the same | training |
/// | learns | flag and all ancestors' flags | flag | flag | flag |
///
/// Without any value, the default of the signature applies: true for augmentation layers, false for the
/// others. A new PyTorch module is in training mode. In a whole model values also reach layers that are called
/// later: [`CallModes`](crate::model::CallModes) follows them.
/// Source: `tests/fixtures` (made by the frameworks) and the frameworks' documentation.
pub fn effective(
    role: Role,
    trainable: bool,
    ancestors_trainable: bool,
    outer: Outer,
    recorded: Option<bool>,
    semantics: Semantics,
) -> Effective {
    let outer = match outer {
        Outer::Given(mode) => Some(mode.training()),
        Outer::NotGiven => None,
    };
    let training = match semantics {
        Semantics::Keras2 | Semantics::Keras316 => recorded.or(outer),
        Semantics::Keras3 => outer.or(recorded),
        Semantics::PyTorch => outer,
    };
    effective_when(role, trainable, ancestors_trainable, training, semantics)
}

/// The effective mode of a layer that this value of `training` reaches; `None` if the default applies.
pub fn effective_when(
    role: Role,
    trainable: bool,
    ancestors_trainable: bool,
    training: Option<bool>,
    semantics: Semantics,
) -> Effective {
    let training =
        training.unwrap_or(role == Role::Augmentation || semantics == Semantics::PyTorch);
    let uses_batch =
        role == Role::BatchNorm && training && (trainable || semantics == Semantics::PyTorch);
    let active = match role {
        Role::BatchNorm => uses_batch,
        Role::Noise => training,
        // In PyTorch, augmentation belongs to the data loader, which ignores `.eval()`.
        Role::Augmentation => training || semantics == Semantics::PyTorch,
        Role::Weights | Role::Plain => false,
    };
    let has_weights = matches!(role, Role::Weights | Role::BatchNorm);
    Effective {
        training,
        active,
        statistics: (role == Role::BatchNorm).then_some(if uses_batch {
            Statistics::Batch
        } else {
            Statistics::Moving
        }),
        updates_statistics: uses_batch,
        learns: has_weights && trainable && (ancestors_trainable || semantics != Semantics::Keras2),
    }
}
