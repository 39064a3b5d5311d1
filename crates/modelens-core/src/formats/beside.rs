//! Files in the folder of a model: class names, configurations, weights in files of their own.

use std::collections::BTreeMap;

use thiserror::Error;

/// The files beside a model, wherever they are kept: in a folder, in memory, in a browser.
pub trait Beside {
    /// The bytes of the file called `name`; `None` if there is none.
    ///
    /// # Errors
    /// A file that exists but is of no use, such as one of more than `limit` bytes.
    fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, BesideError>;

    /// Like [`Self::read`], for a name that a stranger chose: a link that leads out of the folder is
    /// refused.
    ///
    /// # Errors
    /// Those of [`Self::read`], and such a link.
    fn read_unlinked(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, BesideError> {
        self.read(name, limit)
    }

    /// The names of the files, sorted; without those whose name is not Unicode.
    fn names(&self) -> Vec<String>;
}

/// Why a file beside a model cannot be used; each text goes on where the file's name ends.
#[derive(Debug, Error)]
pub enum BesideError {
    #[error("cannot be read ({0})")]
    Unreadable(#[from] std::io::Error),
    #[error("is not a regular file")]
    NotAFile,
    #[error("is a link, and only files in the model's folder are read")]
    Link,
    #[error("is larger than {} MB", .0 >> 20)]
    TooLarge(u64),
}

/// Files in memory, by name; without any, the model comes alone.
#[derive(Clone, Debug, Default)]
pub struct InMemory(pub BTreeMap<String, Vec<u8>>);

impl Beside for InMemory {
    fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, BesideError> {
        match self.0.get(name) {
            Some(bytes) if bytes.len() as u64 > limit => Err(BesideError::TooLarge(limit)),
            found => Ok(found.cloned()),
        }
    }

    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}
