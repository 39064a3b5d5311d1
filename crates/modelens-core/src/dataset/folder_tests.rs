use super::*;
use tempfile::TempDir;

/// A folder with empty files; a path that ends with `/` is an empty folder.
fn folder(paths: &[&str]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for path in paths {
        let full = root.path().join(path);
        if path.ends_with('/') {
            fs::create_dir_all(full).unwrap();
        } else {
            fs::create_dir_all(full.parent().unwrap()).unwrap();
            fs::write(full, b"").unwrap();
        }
    }
    root
}

fn names(set: &PhotoSet) -> Vec<&str> {
    set.photos.iter().map(|photo| photo.name.as_str()).collect()
}

#[test]
fn classes_and_files_come_in_keras_order() {
    let root = folder(&[
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
        "empty/",
        "stray.jpg",
    ]);
    let set = open_folder(root.path()).unwrap();
    assert_eq!(set.classes, ["Dog", "cat", "empty"]);
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
    assert_eq!(names(&set), expected);
    assert_eq!((set.photos[0].class, set.photos[7].class), (0, 1));
    assert_eq!(
        set.photos[6].source,
        PhotoSource::File(root.path().join("cat").join("z").join("1.webp"))
    );
}

#[test]
fn a_folder_of_photos_is_one_class() {
    let root = folder(&["birds/b.jpg", "birds/a.JPG", "birds/thumbnails/"]);
    let set = open_folder(&root.path().join("birds")).unwrap();
    assert_eq!((set.title.as_str(), set.classes.len()), ("birds", 1));
    assert_eq!(names(&set), ["a.JPG", "b.jpg"]);
}

#[test]
fn one_photo_opens_and_its_folder_names_the_class() {
    let root = folder(&["birds/b.jpg", "birds/b.txt"]);
    let set = open_folder(&root.path().join("birds/b.jpg")).unwrap();
    assert_eq!(set.classes, ["birds"]);
    assert_eq!(names(&set), ["b.jpg"]);

    let error = open_folder(&root.path().join("birds/b.txt")).unwrap_err();
    assert!(matches!(error, DatasetError::NotPhotos(_)), "{error}");
}

#[test]
fn a_folder_without_photos_says_what_was_looked_for() {
    let root = folder(&["cat/notes.txt"]);
    let error = open_folder(root.path()).unwrap_err().to_string();
    assert!(
        error.contains("(looked for .bmp, .gif, .jpeg, .jpg, .png, .webp): "),
        "{error}"
    );
    let missing = open_folder(&root.path().join("dog")).unwrap_err();
    assert!(matches!(missing, DatasetError::Missing(_)), "{missing}");
}

#[cfg(unix)]
#[test]
fn links_are_followed_for_classes_only() {
    use std::os::unix::fs::symlink;

    let root = folder(&["cat/a.jpg"]);
    symlink(root.path(), root.path().join("cat/loop")).unwrap();
    symlink(root.path().join("cat"), root.path().join("dog")).unwrap();
    symlink("nowhere", root.path().join("cat/b.jpg")).unwrap();
    let set = open_folder(root.path()).unwrap();
    assert_eq!(
        names(&set),
        ["cat/a.jpg", "cat/b.jpg", "dog/a.jpg", "dog/b.jpg"]
    );
}

#[test]
fn the_bundled_photos_follow_the_same_rules() {
    let set = bundled();
    assert_eq!(set.classes, ["fish", "monument", "tool", "windmill"]);
    assert_eq!(names(&set)[..2], ["fish/fish1.webp", "fish/fish10.webp"]);
    for photo in &set.photos {
        check(photo).unwrap();
    }
}
