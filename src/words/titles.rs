//! What the window calls a model or photos before they are open.

use super::window as words;
use modelens_jobs::{ModelSource, PhotosSource};

/// A name for a source of a model.
pub fn model_title(source: &ModelSource) -> String {
    match source {
        ModelSource::Lab => words::LAB.to_owned(),
        ModelSource::EfficientNetLite0 => words::EFFICIENTNET.to_owned(),
        ModelSource::File(path) | ModelSource::Weights { path, .. } => file_name(path),
    }
}

/// The same of photos.
pub fn photos_title(source: &PhotosSource) -> String {
    match source {
        PhotosSource::Bundled => words::BUNDLED_PHOTOS.to_owned(),
        PhotosSource::Folder(path) => file_name(path),
    }
}

fn file_name(path: &std::path::Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}
