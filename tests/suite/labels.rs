//! Class names from a file beside the model, ImageNet or class folders; and unusable files of names.

use std::path::{Path, PathBuf};

use eframe::egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use modelens::app::AppOptions;
use modelens::command::{self, Action};
use modelens::model::Model;
use modelens::model::labels::by_folders;
use modelens::state::View;
use modelens_jobs::ModelSource;
use modelens_jobs::PhotosSource;
use tempfile::TempDir;

use crate::support::files::{fixture, folder, repository, write};
use crate::support::models::opened;
use crate::support::program::succeeds;
use crate::support::window::{Window, click, command, open, shows};

/// A classifier with three outputs, in its own folder.
fn classifier() -> (TempDir, PathBuf) {
    let folder = folder();
    let path = folder.path().join("flowers.keras");
    std::fs::copy(fixture("bnnet_keras3/model.keras"), &path).expect("a copy");
    (folder, path)
}

fn open_model(path: &Path) -> Model {
    opened(&ModelSource::File(path.to_owned()))
}

#[test]
fn a_file_beside_the_model_names_its_classes_everywhere() {
    let (folder, path) = classifier();
    write(
        &folder,
        "labels.txt",
        "\u{feff}rose\r\ntulip\r\n\u{142}ubin\r\n".as_bytes(),
    );
    let model = open_model(&path);
    assert_eq!(model.labels, ["rose", "tulip", "\u{142}ubin"]);
    assert!(model.warnings.is_empty(), "{:?}", model.warnings);

    let shown = path.to_str().expect("a path");
    let inspected = succeeds(&["inspect", shown]);
    let text = String::from_utf8_lossy(&inspected.stdout);
    assert!(
        text.contains("3, from labels.txt beside the model"),
        "{text}"
    );
    let json = succeeds(&["inspect", shown, "--json"]).stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    let card = json.to_string();
    assert!(card.contains("labels.txt beside the model"), "{card}");

    let mut window = open(AppOptions::default());
    command(
        &mut window,
        command::Command::OpenModel(ModelSource::File(path)),
    );
    command(&mut window, Action::Show(View::Predict));
    for name in ["rose", "tulip", "\u{142}ubin"] {
        let name = format!("{name}: ");
        let told = window.query_all_by_label_contains(&name);
        let images = told.filter(|node| node.accesskit_node().role() == Role::Image);
        assert_eq!(images.count(), 2, "{name}, in both columns");
    }
    command(&mut window, Action::ShowCard);
    assert!(shows(&window, "3, from labels.txt beside the model"));
    click(&mut window, "Close");
}

#[test]
fn the_file_named_after_the_model_has_priority() {
    let (folder, path) = classifier();
    write(&folder, "classes.txt", b"a\nb\nc");
    assert_eq!(
        open_model(&path).labels_from,
        "classes.txt beside the model"
    );
    write(&folder, "labels.txt", b"d\ne\nf");
    assert_eq!(open_model(&path).labels_from, "labels.txt beside the model");
    write(&folder, "flowers.labels.txt", b"g\nh\ni");
    let model = open_model(&path);
    assert_eq!(model.labels, ["g", "h", "i"]);
    assert_eq!(model.labels_from, "flowers.labels.txt beside the model");
    // A file named after the model gives a warning even if another file is used instead.
    write(&folder, "flowers.labels.txt", b"g\nh");
    let model = open_model(&path);
    assert_eq!(model.labels, ["d", "e", "f"]);
    assert_eq!(
        model.warnings,
        ["flowers.labels.txt names 2 classes, but the model has 3 outputs, so it is ignored"]
    );
    // A file that may belong to another model gives no warning if names are found elsewhere.
    std::fs::remove_file(folder.path().join("flowers.labels.txt")).expect("it is removed");
    write(&folder, "labels.txt", b"only one");
    let model = open_model(&path);
    assert_eq!(model.labels, ["a", "b", "c"]);
    assert!(model.warnings.is_empty(), "{:?}", model.warnings);
}

#[test]
fn an_unusable_file_of_names_gives_a_warning() {
    let huge = "a\n".repeat(1 << 20);
    let long = format!("a\nb\n{}", "c".repeat(1 << 20));
    let utf16: Vec<u8> = "\u{feff}rose\ntulip\nlily"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let binary = std::fs::read(fixture("bnnet_keras3/io.npz")).expect("the fixture");
    for (bytes, why) in [
        (&b""[..], "names 0 classes, but the model has 3 outputs"),
        (b"a", "names 1 class, but the model has 3 outputs"),
        (
            b"a\nb\nc\nd",
            "names 4 classes, but the model has 3 outputs",
        ),
        (b"a\nb\0\nc", "is not UTF-8 text"),
        (b"a\nb\n\xff", "is not UTF-8 text"),
        (&utf16, "is not UTF-8 text"),
        (&binary, "is not UTF-8 text"),
        (huge.as_bytes(), "is larger than 1 MB"),
        (long.as_bytes(), "is larger than 1 MB"),
    ] {
        for name in ["flowers.labels.txt", "labels.txt", "classes.txt"] {
            let (folder, path) = classifier();
            write(&folder, name, bytes);
            let model = open_model(&path);
            assert!(model.labels.is_empty() && model.labels_from.is_empty());
            assert_eq!(model.warnings, [format!("{name} {why}, so it is ignored")]);
        }
    }
    let (folder, path) = classifier();
    std::fs::create_dir(folder.path().join("labels.txt")).expect("a folder");
    let said = &open_model(&path).warnings;
    assert_eq!(
        *said,
        ["labels.txt is not a regular file, so it is ignored"]
    );
    // The command line warns, too, and runs.
    let (model, input) = (path, fixture("bnnet_keras3/io.npz"));
    let out = folder.path().join("out.npz");
    let texts = [&model, &input, &out].map(|path| path.to_str().expect("a path"));
    let [model, input, out] = texts;
    let done = succeeds(&[
        "run",
        model,
        "--input",
        input,
        "--mode",
        "inference",
        "--out",
        out,
    ]);
    let text = String::from_utf8_lossy(&done.stderr);
    assert!(text.contains("labels.txt is not a regular file"), "{text}");
    assert!(Path::new(out).is_file());
}

#[test]
fn a_thousand_outputs_take_the_names_of_imagenet_unless_a_file_names_them() {
    let lite = ModelSource::EfficientNetLite0.open();
    let lite = lite.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(lite.labels.len(), 1000);
    assert_eq!(lite.labels_from, "ImageNet-1k, by the number of outputs");
    assert!(lite.labels[0].contains("tench"), "{}", lite.labels[0]);
    assert!(lite.labels[999].contains("toilet"), "{}", lite.labels[999]);
    // The same network as a file on disk, without and with names beside it.
    let folder = folder();
    let base = repository("assets/base");
    let entries = std::fs::read_dir(base).expect("the bases");
    let mut files = entries.map(|entry| entry.expect("a file").path());
    let file = files.find(|path| path.extension().is_some_and(|e| e == "safetensors"));
    let file = file.expect("the base of 1000 outputs");
    let path = folder.path().join(file.file_name().expect("a name"));
    std::fs::copy(&file, &path).expect("a copy");
    assert_eq!(open_model(&path).labels, lite.labels);
    let own: Vec<String> = (0..1000).map(|i| format!("thing {i}")).collect();
    write(&folder, "labels.txt", own.join("\n").as_bytes());
    let named = open_model(&path);
    assert_eq!(named.labels, own);
    assert_eq!(named.labels_from, "labels.txt beside the model");
    let folders: Vec<String> = (0..1000).map(|i| format!("folder {i}")).collect();
    assert!(
        by_folders(&named, &folders).is_none(),
        "the file's names stay"
    );
    assert!(by_folders(&lite, &folders).is_none(), "ImageNet's stay");
}

/// A folder with one photo for each of these classes.
fn photos(classes: &[&str]) -> TempDir {
    let folder = folder();
    for class in classes {
        std::fs::create_dir(folder.path().join(class)).expect("a folder");
        let photo = image::RgbImage::from_pixel(12, 12, image::Rgb([90, 120, 150]));
        let path = folder.path().join(class).join("one.png");
        photo.save(path).expect("a photo");
    }
    folder
}

#[test]
fn class_folders_name_outputs_without_other_names() {
    let (folder, path) = classifier();
    let three = photos(&["daisy", "iris", "peony"]);
    let mut window = open(AppOptions::default());
    let labels = |window: &Window| {
        let base = window.state().state().opened.base.as_ref();
        let model = &base.expect("a base").model;
        (model.labels.clone(), model.labels_from.clone())
    };
    let photos_of = |folder: &TempDir| {
        command::Command::OpenPhotos(PhotosSource::Folder(folder.path().to_owned()))
    };
    let model_at = |path: &Path| command::Command::OpenModel(ModelSource::File(path.to_owned()));
    command(&mut window, model_at(&path));
    assert!(labels(&window).0.is_empty());
    command(&mut window, photos_of(&three));
    let by_folder = (
        ["daisy", "iris", "peony"].map(str::to_owned).to_vec(),
        "the class folders of the photos".to_owned(),
    );
    assert_eq!(labels(&window), by_folder);
    // With another number of folders the names are gone.
    let two = photos(&["daisy", "iris"]);
    command(&mut window, photos_of(&two));
    assert!(labels(&window).0.is_empty());
    // A file beside the model has priority over folders, in either order of opening.
    command(&mut window, photos_of(&three));
    write(&folder, "labels.txt", b"rose\ntulip\nlily");
    command(&mut window, model_at(&path));
    let by_file = (
        ["rose", "tulip", "lily"].map(str::to_owned).to_vec(),
        "labels.txt beside the model".to_owned(),
    );
    assert_eq!(labels(&window), by_file);
    command(&mut window, photos_of(&three));
    assert_eq!(labels(&window), by_file);
}
