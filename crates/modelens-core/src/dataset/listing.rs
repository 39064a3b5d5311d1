//! Which files of a folder are photos, and of which class: the rules of Keras'
//! `image_dataset_from_directory`, applied to names alone. Nothing is opened or decoded here.
//!
//! Python sorts names by code point, which is the order of the bytes of UTF-8: uppercase before
//! lowercase, `10` before `2`.

use std::collections::BTreeMap;

use super::Photo;

/// What a photo's name ends with, in any case; Keras looks for all but `.webp`.
pub const EXTENSIONS: [&str; 6] = [".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp"];

/// Most files and folders that are looked at: somebody may open `/`.
pub const MAX_ENTRIES: usize = 1_000_000;

/// The photos of a folder, with what their bytes are read from.
#[derive(Debug, PartialEq, Eq)]
pub struct Listing<F> {
    /// In Keras' order: sorted by code point.
    pub classes: Vec<String>,
    /// By class, then in Keras' order of files.
    pub photos: Vec<Photo>,
    /// One for each photo.
    pub files: Vec<F>,
}

/// Whether a file of this name is a photo.
pub fn is_photo(name: &str) -> bool {
    let lower = name.to_lowercase();
    EXTENSIONS.iter().any(|end| lower.ends_with(end))
}

/// Whether a subfolder of this name is a class: hidden folders are not.
pub fn is_class(name: &str) -> bool {
    !name.starts_with('.')
}

/// Lists the photos among `files`, each a path relative to the folder, with `/` between names, and
/// what its bytes are read from; `None` if there are no photos.
///
/// - Classes: the subfolders, sorted by code point, without those whose name begins with a dot. A
///   class without photos stays a class, as in Keras; `class_folders` names those that may be empty.
/// - Photos of a class: folder by folder, sorted by path with the class folder first, and sorted by
///   name within a folder. Photos in nested folders keep the class.
/// - If no subfolder holds a photo, the photos directly in the folder are one class named after it
///   (Keras has no such rule with inferred labels).
pub fn list<F>(
    folder_name: &str,
    class_folders: impl IntoIterator<Item = String>,
    files: impl IntoIterator<Item = (String, F)>,
) -> Option<Listing<F>> {
    let class_folders = class_folders.into_iter().filter(|name| is_class(name));
    let mut classes: BTreeMap<String, Vec<Found<F>>> =
        class_folders.map(|name| (name, Vec::new())).collect();
    let mut direct = Vec::new();
    for (path, file) in files.into_iter().filter(|(path, _)| is_photo(path)) {
        match path.split_once('/') {
            None => direct.push(Found::new(&path, file)),
            Some((class, inside)) if is_class(class) => {
                let found = Found::new(inside, file);
                match classes.get_mut(class) {
                    Some(photos) => photos.push(found),
                    None => drop(classes.insert(class.to_owned(), vec![found])),
                }
            }
            Some(_) => {}
        }
    }
    let mut listing = Listing {
        classes: Vec::new(),
        photos: Vec::new(),
        files: Vec::new(),
    };
    if classes.values().any(|photos| !photos.is_empty()) {
        for (class, photos) in classes {
            listing.extend(photos, &class);
            listing.classes.push(class);
        }
    } else {
        listing.extend(direct, "");
        listing.classes.push(folder_name.to_owned());
    }
    (!listing.photos.is_empty()).then_some(listing)
}

/// A photo, with its path inside the class folder.
struct Found<F> {
    /// Empty for the class folder itself.
    folder: String,
    name: String,
    file: F,
}

impl<F> Found<F> {
    fn new(path: &str, file: F) -> Self {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        Self {
            folder: folder.to_owned(),
            name: name.to_owned(),
            file,
        }
    }
}

impl<F> Listing<F> {
    /// Adds the photos of the next class, named relative to the set's folder.
    fn extend(&mut self, mut photos: Vec<Found<F>>, class_folder: &str) {
        photos.sort_by(|a, b| (&a.folder, &a.name).cmp(&(&b.folder, &b.name)));
        let class = self.classes.len();
        for Found { folder, name, file } in photos {
            let parts = [class_folder, &folder, &name];
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            let name = parts.join("/");
            self.photos.push(Photo { name, class });
            self.files.push(file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lists paths; each file is its own path.
    fn listing(class_folders: &[&str], paths: &[&str]) -> Option<Listing<String>> {
        let folders = class_folders.iter().map(|&name| name.to_owned());
        let files = paths.iter().map(|&path| (path.to_owned(), path.to_owned()));
        list("birds", folders, files)
    }

    fn names<F>(listing: &Listing<F>) -> Vec<&str> {
        let photos = listing.photos.iter();
        photos.map(|photo| photo.name.as_str()).collect()
    }

    #[test]
    fn classes_and_files_come_in_keras_order() {
        let paths = [
            "cat/2.jpg",
            "cat/10.jpg",
            "cat/B.PNG",
            "cat/a.jpeg",
            "cat/notes.txt",
            "cat/z/1.webp",
            "cat/z-late/1.gif",
            "cat/z/deep/1.png",
            "cat/.hidden/x.bmp",
            "Dog/x.jpg",
            ".git/x.jpg",
            "stray.jpg",
        ];
        let found = listing(&["empty", ".git"], &paths).unwrap();
        assert_eq!(found.classes, ["Dog", "cat", "empty"]);
        // Folders are sorted by their whole path, and `-` comes before `/`.
        let expected = [
            "Dog/x.jpg",
            "cat/10.jpg",
            "cat/2.jpg",
            "cat/B.PNG",
            "cat/a.jpeg",
            "cat/.hidden/x.bmp",
            "cat/z/1.webp",
            "cat/z-late/1.gif",
            "cat/z/deep/1.png",
        ];
        assert_eq!(names(&found), expected);
        assert_eq!(found.files, expected);
        assert_eq!((found.photos[0].class, found.photos[7].class), (0, 1));
    }

    #[test]
    fn a_folder_of_photos_is_one_class() {
        let found = listing(&["thumbnails"], &["b.jpg", "a.JPG"]).unwrap();
        assert_eq!(found.classes, ["birds"]);
        assert_eq!(names(&found), ["a.JPG", "b.jpg"]);
    }

    #[test]
    fn a_folder_without_photos_has_no_listing() {
        assert_eq!(listing(&["cat"], &["cat/notes.txt", ".git/x.jpg"]), None);
    }
}
