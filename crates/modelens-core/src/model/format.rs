//! What is known of a file format, as plain data.

/// A file format that networks are kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// The framework or the standard that defines it.
    pub family: &'static str,
    /// Endings of its file names without the dot, the usual one first.
    pub endings: &'static [&'static str],
    /// Endings that are seldom used: file dialogs offer them, messages do not list them.
    pub rare_endings: &'static [&'static str],
    /// Endings of the files that its trained networks are saved in, the usual one first.
    pub saved_as: &'static [&'static str],
    /// Why its networks cannot be trained; `None` if they can.
    pub untrainable: Option<&'static str>,
    /// What to say of a network without BatchNorm, where the format is the reason.
    pub without_batch_norm: Option<&'static str>,
}

impl Format {
    /// The usual ending of its file names, which also names the format on the command line.
    pub fn extension(self) -> &'static str {
        self.endings.first().copied().unwrap_or_default()
    }
}
