//! Files that were opened before, the latest first.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// At most this many fit a menu.
const MOST: usize = 8;

/// Paths of models and of photo folders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recent {
    pub models: Vec<PathBuf>,
    pub photos: Vec<PathBuf>,
}

impl Recent {
    /// Notes that a model was opened.
    pub fn add_model(&mut self, path: &Path) {
        add(&mut self.models, path);
    }

    /// Notes that a folder of photos was opened.
    pub fn add_photos(&mut self, path: &Path) {
        add(&mut self.photos, path);
    }

    /// Truncates both lists to what a menu holds.
    #[must_use]
    pub fn shortened(mut self) -> Self {
        self.models.truncate(MOST);
        self.photos.truncate(MOST);
        self
    }
}

fn add(list: &mut Vec<PathBuf>, path: &Path) {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // The file of settings is text: other names could not be written into it.
    if path.to_str().is_none() {
        return;
    }
    list.retain(|known| *known != path);
    list.insert(0, path);
    list.truncate(MOST);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_comes_first_once() {
        let mut recent = Recent::default();
        for i in 0..MOST + 3 {
            recent.add_model(Path::new(&format!("/models/{i}.h5")));
        }
        recent.add_model(Path::new("/models/5.h5"));
        assert_eq!(recent.models.len(), MOST);
        assert_eq!(recent.models[0], Path::new("/models/5.h5"));
        let again = recent.models.iter().filter(|p| p.ends_with("5.h5"));
        assert_eq!(again.count(), 1);
        assert!(recent.photos.is_empty());
    }
}
