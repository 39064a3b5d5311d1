//! Nothing is lost with exit status 0: outputs that cannot be kept are refused before anything runs.

use std::path::Path;
use std::process::Output;

use crate::support::files::{folder, repository, write};
use crate::support::program::{modelens, succeeds, text};

fn message(done: &Output) -> String {
    String::from_utf8_lossy(&done.stderr).into_owned()
}

/// The command is refused with status 2 and one line that holds `why`; no file of the folder changes.
fn refused(folder: &Path, arguments: &[&str], why: &str) {
    let before = contents(folder);
    let done = modelens(arguments);
    assert_eq!(
        done.status.code(),
        Some(2),
        "{arguments:?}: {}",
        message(&done)
    );
    assert!(message(&done).contains(why), "{}", message(&done));
    assert_eq!(message(&done).lines().count(), 1, "{}", message(&done));
    assert_eq!(contents(folder), before, "{arguments:?}");
}

fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let files = entries.filter(|entry| entry.path().is_file());
    let mut files: Vec<(String, Vec<u8>)> = files
        .map(|entry| {
            let bytes = std::fs::read(entry.path()).expect("a file");
            (entry.file_name().to_string_lossy().into_owned(), bytes)
        })
        .collect();
    files.sort();
    files
}

fn small_model() -> Vec<u8> {
    std::fs::read(repository("tests/fixtures/golden/bnnet_keras3/model.h5")).expect("a fixture")
}

#[test]
fn an_output_never_replaces_what_is_read_or_another_output() {
    let folder = folder();
    let model = write(&folder, "model.h5", &small_model());
    let photos = repository("assets/photos/fish");
    let at = |name: &str| folder.path().join(name);
    let (model, photos) = (text(&model), text(&photos));
    let run = [
        "run",
        model,
        "--input",
        photos,
        "--mode",
        "inference",
        "--out",
    ];
    refused(
        folder.path(),
        &[&run[..], &[model]].concat(),
        "must end in .npz",
    );
    let npz = at("model.npz");
    std::fs::write(&npz, small_model()).expect("a file");
    let model_npz = text(&npz);
    let run = ["run", model_npz, "--input", photos, "--mode", "inference"];
    refused(
        folder.path(),
        &[&run[..], &["--out", model_npz]].concat(),
        "would replace the model",
    );

    let csv = at("d.csv");
    let train = [
        "train",
        model,
        "--photos",
        "bundled",
        "--epochs",
        "1",
        "--out",
        text(&csv),
    ];
    refused(
        folder.path(),
        &[&train[..], &["--movement", text(&at("./d.csv"))]].concat(),
        "the same file",
    );
    refused(
        folder.path(),
        &[&train[..], &["--save", model]].concat(),
        "--save would replace",
    );
    write(&folder, "m.labels.txt", b"mine\nkeep\n");
    let save = at("m.h5");
    refused(
        folder.path(),
        &[&train[..], &["--save", text(&save)]].concat(),
        "m.labels.txt",
    );
    for name in ["n.safetensors", "n.pth", "n"] {
        refused(
            folder.path(),
            &[&train[..], &["--save", text(&at(name))]].concat(),
            "to save a Keras network",
        );
    }
    let nowhere = at("nodir/m.h5");
    refused(
        folder.path(),
        &[&train[..], &["--save", text(&nowhere)]].concat(),
        "--make-folders",
    );

    let photo = write(
        &folder,
        "a.png",
        &std::fs::read(repository("docs/dropout.png")).expect("a picture"),
    );
    let figure = [
        "figure",
        "augmentation",
        "--input",
        text(&photo),
        "--out",
        text(&photo),
    ];
    refused(folder.path(), &figure, "would replace the photo");
}

/// What links lead to is what would be lost, in every command and for files it names itself.
#[cfg(unix)]
#[test]
fn an_output_never_replaces_a_file_through_a_link() {
    let folder = folder();
    let model = write(&folder, "model.h5", &small_model());
    let model = text(&model);
    let photo = std::fs::read(repository("docs/dropout.png")).expect("a picture");
    std::fs::create_dir(folder.path().join("photos")).expect("a folder");
    write(&folder, "photos/a.png", &photo);
    write(&folder, "labels.txt", b"a\nb\nc\n");
    let at = |name: &str| folder.path().join(name);
    let link = |target: &str, name: &str| {
        let name = at(name);
        std::fs::create_dir_all(name.parent().expect("a folder")).expect("a folder");
        std::os::unix::fs::symlink(at(target), name).expect("a link");
    };
    let photos = at("photos");
    let photos = text(&photos);

    link("photos/a.png", "a.npz");
    let out = at("a.npz");
    let run = [
        "run",
        model,
        "--input",
        photos,
        "--mode",
        "inference",
        "--out",
        text(&out),
    ];
    refused(folder.path(), &run, "would replace one of the photos");

    link("photos/a.png", "a.csv");
    let out = at("a.csv");
    let train = ["train", model, "--photos", photos, "--epochs", "1", "--out"];
    refused(
        folder.path(),
        &[&train[..], &[text(&out)]].concat(),
        "would replace one of the photos",
    );

    link("labels.txt", "b.csv");
    let out = at("b.svg");
    let figure = ["figure", "dropout", model, "--csv", "--out", text(&out)];
    refused(folder.path(), &figure, "--csv would replace");

    link("model.h5", "all/dropout.svg");
    let all = at("all");
    refused(
        folder.path(),
        &["figure", "--all", text(&all), model],
        "would replace the model",
    );

    let lesson = repository("assets/lessons/why-specify-twice.toml");
    let lesson = write(&folder, "l.toml", &std::fs::read(lesson).expect("a lesson"));
    let steps = at("steps");
    let from = ["figure", "--from", text(&lesson), "--out", text(&steps)];
    succeeds(&from);
    let first = std::fs::read_dir(&steps)
        .expect("figures")
        .next()
        .expect("a figure");
    let first = first.expect("a figure").path();
    std::fs::remove_file(&first).expect("removed");
    std::os::unix::fs::symlink(&lesson, &first).expect("a link");
    refused(folder.path(), &from, "would replace the lesson");

    // A link to a file that does not exist yet in a folder that does not.
    link("new/deep/o.csv", "o.csv");
    let out = at("o.csv");
    let train = [
        "train",
        model,
        "--photos",
        "bundled",
        "--epochs",
        "1",
        "--out",
        text(&out),
    ];
    refused(folder.path(), &train, "new/deep");
}

#[test]
fn both_formats_of_a_figure_keep_their_sidecars() {
    let folder = folder();
    for name in ["a.svg", "a.png"] {
        let out = folder.path().join(name);
        succeeds(&["figure", "dropout", "--sidecar", "--out", text(&out)]);
        let sidecar = std::fs::read_to_string(folder.path().join(format!("{name}.json")));
        assert!(sidecar.expect("a sidecar").contains(name));
    }
}

#[test]
fn a_figure_of_a_photo_that_cannot_be_read_is_an_error() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("a")).expect("a folder");
    write(&folder, "a/x.png", b"\x89PNG\r\n\x1a\nbroken");
    let out = folder.path().join("f.svg");
    for view in [
        "augmentation",
        "dropout",
        "batchnorm",
        "trainable",
        "predict",
    ] {
        let done = modelens(&[
            "figure",
            view,
            "--input",
            text(folder.path()),
            "--out",
            text(&out),
        ]);
        assert_eq!(done.status.code(), Some(1), "{view}: {}", message(&done));
        assert!(
            message(&done).contains("x.png") && !out.exists(),
            "{}",
            message(&done)
        );
    }
}

#[test]
fn all_figures_leave_out_the_views_a_network_lacks() {
    let folder = folder();
    let model = repository("tests/fixtures/golden/student_layers_keras2/model.h5");
    let out = folder.path().join("all");
    let done = succeeds(&["figure", "--all", text(&out), text(&model)]);
    let drawn = std::fs::read_dir(&out).expect("figures").count();
    assert!(drawn >= 2, "{}", message(&done));
}

#[test]
fn run_names_the_photos_of_its_rows() {
    let folder = folder();
    let out = folder.path().join("o.npz");
    let photos = repository("assets/photos");
    succeeds(&[
        "run",
        "--input",
        text(&photos),
        "--mode",
        "inference",
        "--batch",
        "2",
        "--out",
        text(&out),
    ]);
    let bytes = std::fs::read(&out).expect("arrays");
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a zip archive");
    let mut names = Vec::new();
    let mut entry = archive.by_name("photos.npy").expect("an array of names");
    std::io::Read::read_to_end(&mut entry, &mut names).expect("bytes");
    let letters: String = names
        .iter()
        .filter(|b| b.is_ascii_graphic())
        .map(|b| *b as char)
        .collect();
    assert!(
        letters.contains("'shape':(2,)") && letters.contains(".webp"),
        "{letters}"
    );
}

#[test]
fn negative_numbers_are_refused_with_what_is_needed() {
    for (arguments, why) in [
        (
            vec!["figure", "dropout", "--seed", "-1", "--out", "a.svg"],
            "a seed is a whole number",
        ),
        (
            vec![
                "train", "--photos", "bundled", "--rate", "-1", "--out", "t.csv",
            ],
            "must be above 0",
        ),
        (
            vec!["figure", "dropout", "--scale", "-2", "--out", "a.svg"],
            "above 0",
        ),
    ] {
        let done = modelens(&arguments);
        assert_eq!(done.status.code(), Some(2));
        assert!(message(&done).contains(why), "{}", message(&done));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_is_an_error() {
    for arguments in [
        &["inspect", "--json"][..],
        &["--help"],
        &["run", "--help"],
        &["--version"],
    ] {
        let done = with_full(arguments, |command, full| command.stdout(full));
        assert_eq!(
            done.status.code(),
            Some(1),
            "{arguments:?}: {}",
            message(&done)
        );
    }
}

#[cfg(target_os = "linux")]
fn with_full(
    arguments: &[&str],
    redirect: impl Fn(&mut std::process::Command, std::fs::File) -> &mut std::process::Command,
) -> Output {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_modelens"));
    command.args(arguments);
    redirect(&mut command, full.expect("/dev/full"));
    command.output().expect("it runs")
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_error_does_not_change_the_exit_status() {
    let stem = repository("tests/fixtures/pytorch/stem3.safetensors");
    for (arguments, status) in [
        (&["inspect", "no such file"][..], 1),
        (&["inspect", text(&stem)], 0),
        (&["no such command", "--x"], 2),
    ] {
        let done = with_full(arguments, |command, full| command.stderr(full));
        assert_eq!(done.status.code(), Some(status), "{arguments:?}");
    }
}

#[cfg(unix)]
#[test]
fn pipes_are_refused_and_not_waited_for() {
    let folder = folder();
    for ending in ["png", "npy", "npz"] {
        let pipe = folder.path().join(format!("f.{ending}"));
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("mkfifo").success());
        let out = folder.path().join("o.npz");
        let done = modelens(&[
            "run",
            "--input",
            text(&pipe),
            "--mode",
            "inference",
            "--out",
            text(&out),
        ]);
        assert_eq!(done.status.code(), Some(1), "{}", message(&done));
    }
    // One that would be written, where a file of this name is read too.
    let model = write(&folder, "model.h5", &small_model());
    let pipe = folder.path().join("o.csv");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo").success());
    let train = [
        "train",
        text(&model),
        "--photos",
        "bundled",
        "--epochs",
        "1",
        "--out",
    ];
    refused(
        folder.path(),
        &[&train[..], &[text(&pipe)]].concat(),
        "a device or a pipe",
    );
}

#[test]
fn names_from_files_do_not_reach_the_terminal_raw() {
    let folder = folder();
    let broken = write(&folder, "m.safetensors", br#"........{"a\u001b[31mRED":0}"#);
    let done = modelens(&["inspect", text(&broken)]);
    assert!(!done.stderr.contains(&0x1b) && !done.stdout.contains(&0x1b));
    let mut header =
        br#"{"a\u001b[31mRED":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#.to_vec();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.append(&mut header);
    bytes.extend([0; 4]);
    let named = write(&folder, "n.safetensors", &bytes);
    let done = modelens(&["inspect", text(&named)]);
    assert_eq!(done.status.code(), Some(1));
    assert!(
        message(&done).contains("\\u{1b}[31mRED"),
        "{}",
        message(&done)
    );
    assert!(!done.stderr.contains(&0x1b));
}

#[test]
fn no_command_writes_a_name_of_a_file_raw() {
    let folder = repository("tests/fixtures/escape_sequences");
    for name in ["key.safetensors", "layer.keras", "op.onnx", "producer.onnx"] {
        let path = folder.join(name);
        for arguments in [
            vec!["inspect", text(&path)],
            vec!["inspect", text(&path), "--json"],
        ] {
            let done = modelens(&arguments);
            let raw = |bytes: &[u8]| bytes.contains(&0x1b);
            assert!(!raw(&done.stdout) && !raw(&done.stderr), "{arguments:?}");
        }
    }
}
