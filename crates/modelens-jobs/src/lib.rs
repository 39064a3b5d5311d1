//! The jobs of modelens: what the window asks for ([`Request`]), what comes back ([`Event`]), and who
//! computes it.
//!
//! The window only knows [`Jobs`], which [`start`] gives it. Requests and events are plain data: the
//! window holds descriptions and results, while weights and tensors stay in the [`Store`] of the
//! computing side. [`Executor`] is that side without a thread; [`JobThread`] runs it on one. A Web
//! Worker runs the same executor between two messages.
//!
//! The executor works in this order: saving, opening, training commands, thumbnails, previews, looks.
//! When none of these wait, it does background work: BatchNorm measurements, then training steps,
//! then looks ahead of time, then checking the photos.

#![forbid(unsafe_code)]

pub mod bundled;
mod caches;
mod clock;
mod contract;
mod executor;
mod files;
pub mod fine_tune;
mod given;
mod interrupts;
pub mod look;
pub mod machine;
mod photos;
mod photos_data;
mod photos_folder;
mod queue;
mod run;
mod scale;
mod source;
mod store;
mod thread;
mod training_photos;
mod whole_file;
pub mod words;

pub use caches::{CacheOwner, CachedModel, cached_models};
pub use clock::{Clock, system_clock};
pub use contract::*;
pub use executor::{Executor, Options};
pub use files::{Replace, SaveFailed, can_save_network, save_network};
#[cfg(target_family = "wasm")]
pub use given::take_written;
pub use given::{
    Opened, announce, forget, give, given, given_below, is_address, is_announced,
    open as open_file, size as file_size,
};
pub use interrupts::Interrupts;
pub use photos::PhotoCache;
pub use photos_folder::{FolderError, bundled_photos, open_folder};
pub use queue::{Queue, Task};
pub use run::{RunError, run_array};
pub use scale::try_scales;
pub use source::{ModelSource, OpenFailed, is_saved_model};
pub use store::{ModelId, PhotosId, Released, Store, StoredId, TrainedId};
pub use thread::JobThread;
pub use training_photos::{PhotoReading, TrainingPhotos};
pub use whole_file::{
    WholeFile, WriteError, check_writable, folder_to_write, is_same_file, write_whole,
};

use modelens_core::dataset::PhotoSet;

/// Whoever carries out requests. No call blocks.
pub trait Jobs {
    /// Queues a request.
    fn send(&self, request: Request);

    /// The next event, if there is one.
    fn poll(&self) -> Option<Event>;

    /// Stops the running look or opening, and forgets those that wait.
    fn cancel(&self);

    /// Stops the background measurement of a look; the look itself goes on.
    fn cancel_background(&self);
}

/// Starts whoever carries out requests on this system: a thread.
///
/// `wake` is called after each event, so that a sleeping window draws it.
///
/// # Errors
/// The system refuses another thread.
pub fn start(
    options: Options,
    wake: impl Fn() + Send + Sync + 'static,
) -> std::io::Result<Box<dyn Jobs>> {
    Ok(Box::new(JobThread::start_with(options, wake)?))
}

impl PhotosSource {
    /// Lists the photos.
    ///
    /// # Errors
    /// See [`FolderError`].
    pub fn open(&self) -> Result<PhotoSet, FolderError> {
        match self {
            Self::Bundled => Ok(bundled_photos()),
            Self::Folder(path) => open_folder(path),
        }
    }
}
