//! Folders that are a split, folders one level too high, and archives of photos.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use modelens::app::AppOptions;
use modelens::dataset::{Part, PhotoSet};
use modelens_jobs::{PhotosSource, bundled_photos, open_folder};
use tempfile::TempDir;

use crate::support::files::{folder, write};
use crate::support::program::{modelens, succeeds, text};
use crate::support::window;

/// A PNG of one shade.
pub fn png(shade: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = image::RgbImage::from_pixel(8, 8, image::Rgb([shade, shade, 255 - shade]));
    image
        .write_to(&mut bytes, image::ImageFormat::Png)
        .expect("a PNG");
    bytes.into_inner()
}

/// A folder with these photos.
pub fn photos(paths: &[&str]) -> TempDir {
    let root = folder();
    for (i, path) in paths.iter().enumerate() {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, png(10 * i as u8)).expect("a photo");
    }
    root
}

pub fn open(path: &Path) -> PhotoSet {
    open_folder(path).unwrap_or_else(|error| panic!("{error}"))
}

/// Photos of each part by class: `train cats 2`.
pub fn contents(set: &PhotoSet) -> Vec<(Option<Part>, &str, usize)> {
    let mut found: Vec<(Option<Part>, &str, usize)> = Vec::new();
    for photo in &set.photos {
        let class = set.classes[photo.class].as_str();
        match found.last_mut() {
            Some((part, known, n)) if (*part, *known) == (photo.part, class) => *n += 1,
            _ => found.push((photo.part, class, 1)),
        }
    }
    found
}

pub const TRAINING: Option<Part> = Some(Part::Training);
pub const VALIDATION: Option<Part> = Some(Part::Validation);
pub const TEST: Option<Part> = Some(Part::Test);

#[test]
fn folders_for_training_validation_and_test_are_a_split() {
    for names in [
        ["train", "validation", "test"],
        ["Training", "VALID", "Test"],
        ["training_set", "val_set", "test_set"],
        ["TrainData", "DevData", "EvalData"],
        ["birds-train", "birds-val", "birds-test"],
    ] {
        let paths: Vec<String> = (names.iter())
            .flat_map(|part| {
                ["cats/0.png", "cats/1.png", "dogs/0.png"].map(|p| format!("{part}/{p}"))
            })
            .collect();
        let root = photos(&paths.iter().map(String::as_str).collect::<Vec<_>>());
        let set = open(root.path());
        assert_eq!(set.classes, ["cats", "dogs"], "{names:?}");
        let expected =
            [TRAINING, VALIDATION, TEST].map(|part| [(part, "cats", 2), (part, "dogs", 1)]);
        assert_eq!(contents(&set), expected.concat(), "{names:?}");
        let [training, validation, test] = names;
        let note = format!(
            "`{training}` trains, `{validation}` validates, `{test}` takes no part in training"
        );
        assert_eq!(set.notes, [note]);
        assert_eq!(set.own_split(), Some([vec![0, 1, 2], vec![3, 4, 5]]));
    }
}

#[test]
fn without_a_folder_for_validation_the_test_photos_validate() {
    let root = photos(&[
        "Train/a/0.png",
        "Train/b/0.png",
        "Test/a/0.png",
        "Test/b/0.png",
    ]);
    let set = open(root.path());
    assert_eq!(set.own_split(), Some([vec![0, 1], vec![2, 3]]));
    assert!(
        set.notes[0].contains("`Test` validates, because"),
        "{:?}",
        set.notes
    );
}

#[test]
fn nested_parts_and_parts_without_classes() {
    // Intel's scenes are handed out like this.
    let root = photos(&[
        "archive/seg_train/seg_train/sea/0.png",
        "archive/seg_train/seg_train/street/0.png",
        "archive/seg_test/seg_test/sea/0.png",
        "archive/seg_test/seg_test/street/0.png",
        "archive/seg_pred/seg_pred/0.png",
    ]);
    let set = open(root.path());
    assert_eq!(set.classes, ["sea", "street"]);
    let parts = [
        (TRAINING, "sea", 1),
        (TRAINING, "street", 1),
        (TEST, "sea", 1),
        (TEST, "street", 1),
    ];
    assert_eq!(contents(&set), parts);
    let notes = set.notes.join("\n");
    assert!(notes.contains("inside `archive`"), "{notes}");
    assert!(
        notes.contains("`seg_pred` has no class folders: its photo is left out"),
        "{notes}"
    );
}

#[test]
fn classes_that_differ_between_parts_are_named() {
    let root = photos(&[
        "train/cats/0.png",
        "train/dogs/0.png",
        "val/Cats/0.png",
        "val/birds/0.png",
    ]);
    let set = open(root.path());
    assert_eq!(
        contents(&set),
        [
            (TRAINING, "cats", 1),
            (TRAINING, "dogs", 1),
            (VALIDATION, "cats", 1)
        ]
    );
    let notes = set.notes.join("\n");
    assert!(
        notes.contains("`val` has classes that `train` lacks (`birds`): their photos are left out"),
        "{notes}"
    );
    assert!(notes.contains("`val` has no folder for `dogs`"), "{notes}");
}

#[test]
fn a_folder_called_train_beside_others_is_a_class() {
    let root = photos(&["train/x/0.png", "train/y/0.png", "plane/0.png"]);
    let set = open(root.path());
    assert_eq!(set.classes, ["plane", "train"]);
    assert!(
        set.notes[0].contains("`train` holds folders of its own"),
        "{:?}",
        set.notes
    );
    let root = photos(&["train/0.png", "test/0.png"]);
    let set = open(root.path());
    assert_eq!(set.classes, ["test", "train"]);
    assert!(
        set.notes[0].contains("look like a split"),
        "{:?}",
        set.notes
    );
    assert_eq!(set.own_split(), None);
}

#[test]
fn one_level_too_high_is_opened_one_level_down() {
    let root = photos(&["flowers/roses/0.png", "flowers/tulips/0.png"]);
    fs::write(root.path().join("README.md"), "photos").expect("a file");
    fs::create_dir(root.path().join("notebooks")).expect("a folder");
    let set = open(root.path());
    assert_eq!(set.classes, ["roses", "tulips"]);
    assert_eq!(set.photos[0].name, "flowers/roses/0.png");
    assert_eq!(
        set.notes,
        ["the folders of the photos are inside `flowers`, which was opened"]
    );
    // A single class with its photos directly in it is what it is.
    let root = photos(&["roses/0.png", "roses/1.png"]);
    let set = open(root.path());
    assert_eq!(
        (set.classes.as_slice(), set.notes.len()),
        (&["roses".to_owned()][..], 0)
    );
}

fn zip_of(paths: &[&str]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (i, path) in paths.iter().enumerate() {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(*path, options).expect("an entry");
        archive.write_all(&png(10 * i as u8)).expect("its bytes");
    }
    archive.finish().expect("an archive").into_inner()
}

fn tar_of(paths: &[&str]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (i, path) in paths.iter().enumerate() {
        let bytes = png(10 * i as u8);
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, path, &bytes[..])
            .expect("an entry");
    }
    archive.into_inner().expect("an archive")
}

pub fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).expect("bytes");
    packed.finish().expect("a gzip file")
}

#[test]
fn a_table_in_an_archive_tells_the_classes() {
    let paths = ["images/1.png", "images/2.png", "images/3.png"];
    let table = b"filename,label\n1.png,dog\n3.png,cat\n";
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip_of(&paths))).expect("a zip");
    let mut zipped = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for i in 0..archive.len() {
        let entry = archive.by_index_raw(i).expect("an entry");
        zipped.raw_copy_file(entry).expect("a copy");
    }
    let options = zip::write::SimpleFileOptions::default();
    zipped.start_file("labels.csv", options).expect("an entry");
    zipped.write_all(table).expect("its bytes");
    let zipped = zipped.finish().expect("an archive").into_inner();
    let mut tarred = tar::Builder::new(Vec::new());
    for (i, path) in paths.iter().enumerate() {
        let bytes = png(10 * i as u8);
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tarred
            .append_data(&mut header, path, &bytes[..])
            .expect("an entry");
    }
    let mut header = tar::Header::new_gnu();
    header.set_size(table.len() as u64);
    header.set_mode(0o644);
    tarred
        .append_data(&mut header, "labels.csv", &table[..])
        .expect("an entry");
    let tarred = tarred.into_inner().expect("an archive");
    let archives = folder();
    for (name, bytes) in [
        ("a.zip", zipped),
        ("a.tgz", gzipped(&tarred)),
        ("a.tar", tarred),
    ] {
        let set = open(&write(&archives, name, &bytes));
        assert_eq!(set.classes, ["cat", "dog"], "{name}");
        let photos: Vec<(&str, usize)> = set
            .photos
            .iter()
            .map(|p| (p.name.as_str(), p.class))
            .collect();
        assert_eq!(photos, [("images/3.png", 0), ("images/1.png", 1)], "{name}");
        assert_eq!(set.bytes(0).expect("bytes").as_ref(), png(20), "{name}");
        assert!(set.notes[0].contains("`labels.csv`"), "{:?}", set.notes);
    }
}

#[test]
fn archives_open_like_the_folder_they_hold() {
    let paths = [
        "data/train/cats/0.png",
        "data/train/dogs/0.png",
        "data/val/cats/0.png",
        "data/val/dogs/1.png",
        "__MACOSX/data/train/cats/._0.png",
        "data/train/cats/.DS_Store.png",
    ];
    let root = photos(&paths[..4]);
    let unpacked = open(root.path());
    let archives = folder();
    for (name, bytes) in [
        ("a.zip", zip_of(&paths)),
        ("a.tar", tar_of(&paths)),
        ("a.tar.gz", gzipped(&tar_of(&paths))),
        ("a.tgz", gzipped(&tar_of(&paths))),
    ] {
        let path = write(&archives, name, &bytes);
        let set = open(&path);
        assert_eq!(set.title, "a", "{name}");
        assert_eq!(set.classes, unpacked.classes, "{name}");
        assert_eq!(set.photos, unpacked.photos, "{name}");
        assert_eq!(set.notes, unpacked.notes, "{name}");
        for photo in 0..set.photos.len() {
            set.check(photo)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            let own = set.bytes(photo).expect("bytes");
            assert_eq!(own, unpacked.bytes(photo).expect("bytes"), "{name}");
        }
    }
}

#[test]
fn archives_without_photos_say_what_they_hold() {
    let archives = folder();
    let mut locked = zip_of(&["a/0.png"]);
    // Bit 0 of the flags of the entry, in its local and its central header.
    let at = |signature: &[u8], bytes: &[u8]| {
        bytes
            .windows(4)
            .position(|w| w == signature)
            .expect("a header")
    };
    let (local, central) = (at(b"PK\x03\x04", &locked), at(b"PK\x01\x02", &locked));
    locked[local + 6] |= 1;
    locked[central + 8] |= 1;
    let mut cut = zip_of(&["a/0.png"]);
    cut.truncate(cut.len() / 2);
    for (name, bytes, says) in [
        (
            "empty.zip",
            zip_of(&["notes.txt"]),
            "the archive holds no photos: ",
        ),
        (
            "nested.zip",
            zip_of(&["train.zip", "test.zip"]),
            "other archives (`train.zip`)",
        ),
        (
            "model.zip",
            zip_of(&["config.json", "model.weights.h5"]),
            "the archive is a model",
        ),
        ("locked.zip", locked, "locked with a password"),
        ("cut.zip", cut, "the archive is broken"),
        (
            "cut.tgz",
            gzipped(&tar_of(&["a/0.png"])[..700]),
            "the archive is broken",
        ),
    ] {
        let path = write(&archives, name, &bytes);
        let message = open_folder(&path).expect_err(name).to_string();
        assert!(message.contains(says), "{name}: {message}");
        assert!(message.ends_with(name), "{message}");
    }
}

#[test]
fn files_that_were_not_downloaded_are_named() {
    let root = photos(&["a/0.png"]);
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 14000000\n";
    fs::write(root.path().join("a/1.jpg"), pointer).expect("a file");
    let page = "\n<!DOCTYPE html>\n<html><body>Not found</body></html>";
    for (name, bytes, says) in [
        ("model.h5", pointer, "it is a Git LFS pointer"),
        ("model.pth", pointer, "it is a Git LFS pointer"),
        ("page.keras", page, "it is a web page"),
    ] {
        let path = write(&root, name, bytes.as_bytes());
        let done = modelens(&["inspect", text(&path)]);
        let errors = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(1), "{errors}");
        assert!(
            errors.contains(says) && errors.lines().count() == 1,
            "{errors}"
        );
    }
    let path = write(&root, "photos.zip", page.as_bytes());
    let message = open_folder(&path).expect_err("a page").to_string();
    assert!(message.starts_with("it is a web page"), "{message}");
    let message = open(root.path())
        .check(1)
        .expect_err("a pointer")
        .to_string();
    assert!(message.starts_with("it is a Git LFS pointer"), "{message}");
}

/// The command line and the window say how the folders are used, and train by them.
#[test]
fn training_uses_the_split_of_the_folders() {
    let mut paths = Vec::new();
    for i in 0..4 {
        paths.extend(["a", "b"].map(|class| format!("data/train/{class}/{i}.png")));
    }
    paths.extend(["a", "b"].map(|class| format!("data/validation/{class}/0.png")));
    paths.extend(["a", "b"].map(|class| format!("data/test/{class}/0.png")));
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let archives = folder();
    let zip = write(&archives, "photos.zip", &zip_of(&paths));
    let csv = archives.path().join("run.csv");
    let train = [
        "train",
        "efficientnet_lite0",
        "--photos",
        text(&zip),
        "--epochs",
        "1",
    ];
    let done = succeeds(&[&train[..], &["--batch", "8", "--out", text(&csv)]].concat());
    let errors = String::from_utf8_lossy(&done.stderr);
    let note = "`train` trains, `validation` validates, `test` takes no part in training";
    assert!(errors.contains(&format!("note: {note}")), "{errors}");
    let summary = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(
        summary.contains("Of 2 validation photos"),
        "two photos validate: {summary}"
    );

    let opened = window::open(AppOptions {
        photos: PhotosSource::Folder(zip),
        ..AppOptions::default()
    });
    assert!(
        window::shows(&opened, "trains, `validation` validates")
            || window::shows(&opened, "folders of the photos are inside")
    );
    let set = opened.state().state().photos().expect("photos");
    assert_eq!(
        set.own_split().map(|parts| parts.map(|p| p.len())),
        Some([8, 2])
    );
    assert!(bundled_photos().own_split().is_none());
}

#[test]
fn a_zip_of_photos_runs() {
    let archives = folder();
    let zip = write(&archives, "photos.zip", &zip_of(&["a/0.png", "b/0.png"]));
    let out = archives.path().join("out.npz");
    let run = [
        "run",
        "--mode",
        "inference",
        "--input",
        text(&zip),
        "--out",
        text(&out),
    ];
    succeeds(&run);
    assert!(File::open(out).is_ok());
}
