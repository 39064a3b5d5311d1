//! Photos in arrays, in a table of labels, and in the files of MNIST and CIFAR.

use std::fs;
use std::io::Write as _;

use modelens_jobs::open_folder;

use crate::photo_folders::{gzipped, open, photos};
use crate::support::files::{folder, write};
use crate::support::program::{succeeds, text};

/// `np.save` of an array, version 1.0.
fn npy(kind: &str, shape: &[usize], bytes: &[u8]) -> Vec<u8> {
    let sides: Vec<String> = shape.iter().map(|side| format!("{side},")).collect();
    let header = format!(
        "{{'descr': '{kind}', 'fortran_order': False, 'shape': ({}), }}",
        sides.concat()
    );
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    let mut npy = b"\x93NUMPY\x01\x00".to_vec();
    npy.extend((length as u16).to_le_bytes());
    npy.extend(format!("{header:width$}\n", width = length - 1).bytes());
    npy.extend(bytes);
    npy
}

fn npz(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        let options = zip::write::SimpleFileOptions::default();
        archive
            .start_file(format!("{name}.npy"), options)
            .expect("an entry");
        archive.write_all(bytes).expect("its bytes");
    }
    archive.finish().expect("an archive").into_inner()
}

/// `mnist.npz` as `keras.datasets` ships it, in small: grey photos as bytes, with their own split.
#[test]
fn arrays_with_labels_are_a_data_set() {
    let root = folder();
    let bytes: Vec<u8> = (0..4 * 28 * 28).map(|i| (i % 250) as u8).collect();
    let mnist = npz(&[
        ("x_train", npy("|u1", &[4, 28, 28], &bytes)),
        ("y_train", npy("|u1", &[4], &[2, 0, 2, 1])),
        ("x_test", npy("|u1", &[2, 28, 28], &bytes[..2 * 28 * 28])),
        (
            "y_test",
            npy(
                "<i8",
                &[2, 1],
                &[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
            ),
        ),
    ]);
    let path = write(&root, "mnist.npz", &mnist);
    let set = open(&path);
    assert_eq!(set.classes, ["0", "1", "2"]);
    let parts = set
        .own_split()
        .map(|parts| parts.map(|photos| photos.len()));
    assert_eq!(parts, Some([4, 2]));
    assert!(
        !set.as_given && set.notes[0].contains("scaled like photos"),
        "{:?}",
        set.notes
    );
    assert_eq!(set.photos[0].name, "train/0/00001");
    let image = set.files.pixels(0).expect("numbers").expect("pixels");
    assert_eq!(image.pixels_hwc[..3], [34.0, 35.0, 36.0]);

    let model = crate::support::files::repository("tests/fixtures/grey/grey.keras");
    let svg = root.path().join("view.svg");
    succeeds(&[
        "figure",
        "predict",
        text(&model),
        "--input",
        text(&path),
        "--out",
        text(&svg),
    ]);
    let csv = root.path().join("run.csv");
    succeeds(&[
        "train",
        text(&model),
        "--photos",
        text(&path),
        "--epochs",
        "1",
        "--out",
        text(&csv),
    ]);
    let out = root.path().join("out.npz");
    let run = [
        "run",
        text(&model),
        "--input",
        text(&path),
        "--mode",
        "inference",
    ];
    succeeds(&[&run[..], &["--out", text(&out)]].concat());

    let broken = npz(&[("x", npy("|u1", &[1, 2], &[0, 0]))]);
    let message = open_folder(&write(&root, "two.npz", &broken))
        .expect_err("two axes")
        .to_string();
    assert!(message.contains("3 or 4 axes"), "{message}");
}

/// Four channels come from arrays, which go to the network as they are.
#[test]
fn a_model_of_four_channels_shows_arrays() {
    let fixtures = crate::support::files::repository("tests/fixtures/grey");
    let (model, arrays) = (fixtures.join("four.keras"), fixtures.join("four.npz"));
    let set = open(&arrays);
    assert!(set.as_given);
    let notes = set.notes.join("\n");
    assert!(
        notes.contains("the first three are shown as red, green and blue"),
        "{notes}"
    );
    let root = folder();
    for view in [
        "augmentation",
        "dropout",
        "batchnorm",
        "trainable",
        "predict",
    ] {
        let svg = root.path().join("view.svg");
        succeeds(&[
            "figure",
            view,
            text(&model),
            "--input",
            text(&arrays),
            "--batch",
            "3",
            "--out",
            text(&svg),
        ]);
    }
    let out = root.path().join("out.npz");
    let run = [
        "run",
        text(&model),
        "--input",
        text(&arrays),
        "--mode",
        "inference",
    ];
    succeeds(&[&run[..], &["--out", text(&out)]].concat());
    let values = crate::support::numbers::values;
    let found = values(&crate::support::files::read_npz(&out)["y"]);
    let wanted = values(&crate::support::files::read_npz(&arrays)["y"]);
    assert!(
        found.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-6),
        "{found:?} {wanted:?}"
    );
}

#[test]
fn a_table_beside_flat_photos_says_their_classes() {
    let root = photos(&[
        "train/1a.png",
        "train/2b.png",
        "train/3c.png",
        "test/9z.png",
    ]);
    fs::write(
        root.path().join("labels.csv"),
        "id,breed\n1a,dingo\n2b,collie\n3c,dingo\n",
    )
    .expect("a table");
    let set = open(root.path());
    assert_eq!(set.classes, ["collie", "dingo"]);
    let names: Vec<&str> = set.photos.iter().map(|photo| photo.name.as_str()).collect();
    assert_eq!(names, ["train/2b.png", "train/1a.png", "train/3c.png"]);
    assert!(
        set.files
            .place(0)
            .is_some_and(|place| place.ends_with("2b.png"))
    );
    assert!(
        set.notes[0].contains("those of `labels.csv`, column `breed`"),
        "{:?}",
        set.notes
    );
    let by_table = open(&root.path().join("labels.csv"));
    assert_eq!(by_table.photos, set.photos);
    // Folders that are classes count more than a table.
    let root = photos(&["a/1.png", "b/2.png"]);
    fs::write(
        root.path().join("labels.csv"),
        "file,label\n1.png,x\n2.png,y\n",
    )
    .expect("a table");
    assert_eq!(open(root.path()).classes, ["a", "b"]);
    let other = write(&root, "other.csv", b"width,height\n1,2\n");
    let message = open_folder(&other).expect_err("no labels").to_string();
    assert!(
        message.starts_with("the table needs a column of file names"),
        "{message}"
    );
}

#[test]
fn mnist_and_cifar_open_as_their_sites_ship_them() {
    let root = folder();
    let idx = |sides: &[u32], values: &[u8]| {
        let mut bytes = vec![0, 0, 8, sides.len() as u8];
        bytes.extend(sides.iter().flat_map(|side| side.to_be_bytes()));
        bytes.extend(values);
        gzipped(&bytes)
    };
    let (images, labels) = (idx(&[3, 2, 2], &[9; 12]), idx(&[3], &[1, 0, 1]));
    let path = write(&root, "train-images-idx3-ubyte.gz", &images);
    write(&root, "train-labels-idx1-ubyte.gz", &labels);
    write(&root, "t10k-images-idx3-ubyte.gz", &images);
    write(&root, "t10k-labels-idx1-ubyte.gz", &labels);
    for (path, parts) in [(path.as_path(), None), (root.path(), Some([3, 3]))] {
        let set = open(path);
        assert_eq!(set.classes, ["0", "1"]);
        assert_eq!(set.own_split().map(|parts| parts.map(|p| p.len())), parts);
        assert_eq!(set.files.channels(), Some(1));
    }

    let record = |label: u8| [vec![label], vec![7; 3072]].concat();
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in [
        (
            "cifar-10-batches-bin/data_batch_1.bin",
            [record(1), record(0)].concat(),
        ),
        ("cifar-10-batches-bin/test_batch.bin", record(0)),
        (
            "cifar-10-batches-bin/batches.meta.txt",
            b"plane\ncar\n".to_vec(),
        ),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, name, &bytes[..])
            .expect("an entry");
    }
    let tar = archive.into_inner().expect("an archive");
    let set = open(&write(&root, "cifar-10-binary.tar.gz", &gzipped(&tar)));
    assert_eq!(set.classes, ["plane", "car"]);
    assert_eq!(set.own_split(), Some([vec![0, 1], vec![2]]));
}
