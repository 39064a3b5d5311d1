//! Times listing folders of photos.

use std::fs;

use super::{Stopwatch, failed};
use crate::cli::Failure;
use modelens_jobs::{PhotosSource, open_folder};

/// The number of photos in the large folder, and of its classes.
const MANY: usize = 10_000;
const CLASSES: usize = 20;

/// Lists the bundled photos and a folder of ten thousand files. Listing decodes nothing.
pub fn time(watch: &mut Stopwatch<'_>) -> Result<(), Failure> {
    watch.time("list_93_photos", |_| {
        let photos = PhotosSource::Bundled.open();
        photos.map(drop).map_err(|e| failed(&e))
    })?;
    if !watch.takes("list_10000_photos") {
        return Ok(());
    }
    let folder = tempfile::tempdir().map_err(|e| failed(&e))?;
    for i in 0..MANY {
        let class = folder.path().join(format!("class_{}", i % CLASSES));
        fs::create_dir_all(&class).map_err(|e| failed(&e))?;
        fs::write(class.join(format!("{i}.jpg")), []).map_err(|e| failed(&e))?;
    }
    watch.time("list_10000_photos", |_| {
        let photos = open_folder(folder.path());
        photos.map(drop).map_err(|e| failed(&e))
    })
}
