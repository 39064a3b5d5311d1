//! Which files of a folder are photos, and of which class: the rules of Keras'
//! `image_dataset_from_directory`, applied to names alone. Nothing is opened or decoded here.
//!
//! Two things that people do go beyond Keras' rules, and a note says so: folders for training,
//! validation and test are used as such (see [`parts`]), and a folder that holds nothing but the folder
//! of the classes is opened one level down.
//!
//! Python sorts names by code point, which is the order of the bytes of UTF-8: uppercase before
//! lowercase, `10` before `2`.

use std::collections::{BTreeMap, BTreeSet};

use super::parts::{Part, Parts};
use super::{Photo, parts};

/// What a photo's name ends with, in any case; Keras looks for all but `.webp`.
pub const EXTENSIONS: [&str; 6] = [".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp"];

/// Most files and folders that are looked at: somebody may open `/`.
pub const MAX_ENTRIES: usize = 1_000_000;

/// The photos of a folder, with what their bytes are read from.
#[derive(Debug, PartialEq, Eq)]
pub struct Listing<F> {
    /// In Keras' order: sorted by code point.
    pub classes: Vec<String>,
    /// By part of the split, then by class, then in Keras' order of files.
    pub photos: Vec<Photo>,
    /// One for each photo.
    pub files: Vec<F>,
    /// How the folders were understood where it is not Keras' way, in sentences.
    pub notes: Vec<String>,
    /// True if folders say the classes; a table beside the photos may say them otherwise.
    pub has_classes: bool,
}

/// Whether a file of this name is a photo.
pub fn is_photo(name: &str) -> bool {
    let lower = name.to_lowercase();
    EXTENSIONS.iter().any(|end| lower.ends_with(end))
}

/// Whether a subfolder of this name is a class: hidden folders are not, nor is the folder that macOS
/// adds to archives.
pub fn is_class(name: &str) -> bool {
    !name.starts_with('.') && name != "__MACOSX"
}

/// Lists the photos among `files`, each a path relative to the folder, with `/` between names, and
/// what its bytes are read from; `None` if there are no photos.
///
/// - Classes: the subfolders that hold photos, sorted by code point, without those whose name begins with
///   a dot. Keras counts a subfolder without photos as a class too, so a note names those; `folders` holds
///   the paths of all folders, empty ones too.
/// - Photos of a class: folder by folder, sorted by path with the class folder first, and sorted by
///   name within a folder. Photos in nested folders keep the class.
/// - If all photos are inside one subfolder, and there in several folders, these are the classes.
/// - If the subfolders are a split ([`parts`]), the classes are the folders inside.
/// - If no subfolder holds a photo, the photos directly in the folder are one class named after it
///   (Keras has no such rule with inferred labels).
pub fn list<F>(
    folder_name: &str,
    folders: impl IntoIterator<Item = String>,
    files: impl IntoIterator<Item = (String, F)>,
) -> Option<Listing<F>> {
    let files: Vec<(String, F)> = (files.into_iter())
        .filter(|(path, _)| is_photo(path))
        .collect();
    let folders: Vec<String> = folders.into_iter().collect();
    let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    let mut notes = Vec::new();
    let root = level_of_classes(&paths, "");
    if let Some(root) = &root {
        notes.push(format!(
            "the folders of the photos are inside `{}`, which was opened",
            root.trim_end_matches('/')
        ));
    }
    let root = root.unwrap_or_default();
    let inside = Inside::new(&paths, &root);
    let places = if let Some(parts) = Parts::of(&paths, &folders, &root, &mut notes) {
        parts.places(&mut notes)
    } else if inside.folders.is_empty() {
        Places {
            classes: vec![folder_name.to_owned()],
            folders: BTreeMap::from([(root, (Some(0), None))]),
        }
    } else {
        parts::hint(&paths, &root, &inside, &mut notes);
        let named = folders.iter().filter_map(|path| path.strip_prefix(&root));
        let named = named.map(|path| path.split('/').next().unwrap_or(path));
        let named = named.filter(|name| is_class(name) && !name.is_empty());
        let classes: BTreeSet<&str> = named.chain(inside.folders.keys().copied()).collect();
        let of = |(class, name): (usize, &&str)| (format!("{root}{name}/"), (Some(class), None));
        Places {
            folders: classes.iter().enumerate().map(of).collect(),
            classes: classes.into_iter().map(str::to_owned).collect(),
        }
    };
    // Kaggle's `train` and `test` hold photos without folders, and a table the classes of the former.
    let has_classes = places.classes.len() > 1 && !places.classes.iter().all(|c| parts::is_part(c));
    let mut found: Vec<Found<F>> = files
        .into_iter()
        .filter_map(|(path, file)| places.place(path, file))
        .collect();
    found.sort_by(|a, b| a.order().cmp(&b.order()));
    let classes = without_empty(places.classes, &mut found, &mut notes);
    let (photos, files): (Vec<Photo>, Vec<F>) = found
        .into_iter()
        .map(|Found { photo, file, .. }| (photo, file))
        .unzip();
    (!photos.is_empty()).then_some(Listing {
        classes,
        photos,
        files,
        notes,
        has_classes,
    })
}

/// The classes that have photos. Renumbers those of the photos, and names the others in a note.
fn without_empty<F>(
    classes: Vec<String>,
    found: &mut [Found<F>],
    notes: &mut Vec<String>,
) -> Vec<String> {
    let used: BTreeSet<usize> = found.iter().map(|found| found.photo.class).collect();
    let empty = classes
        .iter()
        .enumerate()
        .filter(|(i, _)| !used.contains(i));
    let empty: Vec<&str> = empty.map(|(_, name)| name.as_str()).collect();
    if empty.is_empty() || used.is_empty() {
        return classes;
    }
    let names = parts::quoted(&empty);
    notes.push(if empty.len() == 1 {
        format!("{names} holds no photos and is left out, although Keras would count it as a class")
    } else {
        format!(
            "{names} hold no photos and are left out, although Keras would count them as classes"
        )
    });
    for found in found {
        found.photo.class = used.range(..found.photo.class).count();
    }
    let kept = classes.into_iter().enumerate();
    kept.filter(|(i, _)| used.contains(i))
        .map(|(_, name)| name)
        .collect()
}

/// The prefix of the folder inside `prefix` whose folders are the classes, if all photos are inside of
/// one folder, or of one inside that; `None` if `prefix` itself is that folder.
pub(super) fn level_of_classes(paths: &[&str], prefix: &str) -> Option<String> {
    let mut level = prefix.to_owned();
    loop {
        let inside = Inside::new(paths, &level);
        let mut folders = inside.folders.keys();
        match (folders.next(), folders.next(), inside.direct) {
            (Some(only), None, 0) => level = format!("{level}{only}/"),
            (Some(_), Some(_), 0) if level != prefix => return Some(level),
            _ => return None,
        }
    }
}

/// What is directly in a folder, of the photos.
pub(super) struct Inside<'a> {
    /// The number of photos directly in it.
    pub direct: usize,
    /// The visible folders with photos in them, and how many.
    pub folders: BTreeMap<&'a str, usize>,
}

impl<'a> Inside<'a> {
    pub fn new(paths: &[&'a str], prefix: &str) -> Self {
        let mut inside = Self {
            direct: 0,
            folders: BTreeMap::new(),
        };
        for path in paths.iter().filter_map(|path| path.strip_prefix(prefix)) {
            match path.split_once('/') {
                None => inside.direct += 1,
                Some((folder, _)) if is_class(folder) => {
                    *inside.folders.entry(folder).or_default() += 1;
                }
                Some(_) => {}
            }
        }
        inside
    }
}

/// Which class and part the photos of a folder belong to.
pub(super) struct Places {
    pub classes: Vec<String>,
    /// By the path of a folder, with a `/` at its end: its class and its part. Without a class, its
    /// photos are left out. The empty path holds the photos that are in no folder.
    pub folders: BTreeMap<String, (Option<usize>, Option<Part>)>,
}

impl Places {
    fn place<F>(&self, path: String, file: F) -> Option<Found<F>> {
        let ends = path.match_indices('/').map(|(at, _)| at + 1);
        let folders = std::iter::once(0)
            .filter(|_| !path.contains('/'))
            .chain(ends);
        let mut found = folders.filter_map(|end| Some((end, self.folders.get(&path[..end])?)));
        let (end, &(class, part)) = found.next()?;
        let inside = &path[end..];
        let (within, name) = inside.rsplit_once('/').unwrap_or(("", inside));
        Some(Found {
            folder: within.to_owned(),
            name: name.to_owned(),
            photo: Photo {
                class: class?,
                part,
                name: path,
            },
            file,
        })
    }
}

/// A photo, with its path inside the class folder.
struct Found<F> {
    /// Empty for the class folder itself.
    folder: String,
    name: String,
    photo: Photo,
    file: F,
}

impl<F> Found<F> {
    fn order(&self) -> (Option<Part>, usize, &str, &str) {
        (self.photo.part, self.photo.class, &self.folder, &self.name)
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
        let found = listing(&["empty", "Also empty", ".git"], &paths).unwrap();
        assert_eq!(found.classes, ["Dog", "cat"]);
        assert_eq!(
            found.notes,
            [
                "`Also empty` and `empty` hold no photos and are left out, although Keras would count \
                 them as classes"
            ]
        );
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
