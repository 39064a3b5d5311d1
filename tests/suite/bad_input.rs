//! Broken files of every kind that can be opened: each error is one sentence with the path last.

use std::path::Path;

use modelens_jobs::ModelSource;
use modelens_jobs::{
    Event, Figure, FigureKind, FigureTo, JobThread, Jobs as _, PhotosSource, Request,
};

use crate::support::files::{fixture, folder, refused, repository, rezipped, write};
use crate::support::looks::answer;

#[test]
fn files_that_are_not_models_are_reported_as_such() {
    let folder = folder();
    for (name, bytes) in [
        ("notes.h5", &b"just some text"[..]),
        ("empty.keras", b""),
        ("photo.h5", b"\xff\xd8\xff\xe0 JFIF"),
        ("zip.keras", b"PK\x03\x04 but nothing follows"),
        ("hdf.h5", b"\x89HDF\r\n\x1a\n"),
        ("dict.safetensors", b"\x02\0\0\0\0\0\0\0{}"),
    ] {
        let text = refused(&write(&folder, name, bytes));
        assert!(
            ["not a model", "broken", "cut off"]
                .iter()
                .any(|part| text.contains(part)),
            "{text}"
        );
    }
    assert!(refused(folder.path()).contains("it is a folder"));
    assert!(refused(&folder.path().join("missing.h5")).contains("cannot be read"));
}

#[test]
fn a_truncated_h5_is_refused_wherever_it_is_cut() {
    let bytes = std::fs::read(fixture("bnnet_keras3/model.h5")).expect("the fixture");
    let folder = folder();
    for part in 1..40 {
        let cut = bytes.len() * part / 40;
        refused(&write(&folder, "cut.h5", &bytes[..cut]));
    }
}

#[test]
fn a_truncated_keras_file_is_refused_wherever_it_is_cut() {
    let bytes = std::fs::read(fixture("bnnet_keras3/model.keras")).expect("the fixture");
    let folder = folder();
    for part in 1..40 {
        refused(&write(
            &folder,
            "cut.keras",
            &bytes[..bytes.len() * part / 40],
        ));
    }
}

#[test]
fn a_zip_that_lies_about_sizes_is_refused() {
    let bytes = std::fs::read(fixture("bnnet_keras3/model.keras")).expect("the fixture");
    // Both sizes in the central directory: 4 bytes each, at offsets 20 and 24 from its signature.
    let central = bytes
        .windows(4)
        .position(|w| w == b"PK\x01\x02")
        .expect("a central directory");
    let folder = folder();
    for size in [0_u32, 1, 1 << 20, u32::MAX - 1] {
        let mut lie = bytes.clone();
        lie[central + 20..][..4].copy_from_slice(&size.to_le_bytes());
        lie[central + 24..][..4].copy_from_slice(&size.to_le_bytes());
        refused(&write(&folder, "lie.keras", &lie));
    }
}

#[test]
fn weights_whose_shape_differs_from_the_config_are_refused_by_name() {
    let more_units = |json: Vec<u8>| {
        let text = String::from_utf8(json).expect("JSON");
        assert!(text.contains("\"units\": 3"));
        text.replace("\"units\": 3", "\"units\": 4").into_bytes()
    };
    let folder = folder();
    let bytes = rezipped("bnnet_keras3/model.keras", "config.json", more_units);
    let text = refused(&write(&folder, "shape.keras", &bytes));
    assert!(text.contains("`probs`") && text.contains("shape"), "{text}");
}

#[test]
fn an_unsupported_layer_is_named_with_its_place_and_where_others_are_listed() {
    let other = |json: Vec<u8>| {
        let text = String::from_utf8(json).expect("JSON");
        assert!(text.contains("\"DepthwiseConv2D\""));
        text.replacen("\"DepthwiseConv2D\"", "\"LSTM\"", 1)
            .into_bytes()
    };
    let folder = folder();
    let bytes = rezipped(
        "alpaca_baked_ft120_keras3/model.keras",
        "config.json",
        other,
    );
    let text = refused(&write(&folder, "lstm.keras", &bytes));
    for part in [
        "LSTM",
        "expanded_conv_depthwise",
        "mobilenetv2_0.35_96",
        "docs/layers.md",
    ] {
        assert!(text.contains(part), "{part} is missing: {text}");
    }
}

#[test]
fn weights_that_are_not_numbers_open_with_a_warning() {
    let path = fixture("bnnet_keras3/model.h5");
    let mut bytes = std::fs::read(&path).expect("the fixture");
    let model = ModelSource::File(path).open().expect("the fixture opens");
    let layer = model.graph.find("conv_a").expect("conv_a");
    let kernel = crate::support::numbers::values(&model.weights[&(layer, "kernel")]);
    let start: Vec<u8> = kernel[..8].iter().flat_map(|v| v.to_le_bytes()).collect();
    let at = bytes
        .windows(start.len())
        .position(|w| w == start)
        .expect("the kernel's bytes");
    bytes[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    let folder = folder();
    let model = ModelSource::File(write(&folder, "nan.h5", &bytes))
        .open()
        .expect("it opens");
    let warning = model.warnings.iter().find(|w| w.contains("conv_a"));
    assert!(
        warning.is_some_and(|w| w.contains("not finite")),
        "{:?}",
        model.warnings
    );
}

#[test]
fn folders_without_photos_are_refused() {
    let folder = folder();
    for path in [folder.path().to_owned(), folder.path().join("missing")] {
        let source = PhotosSource::Folder(path.clone());
        let Event::Failed { message, .. } = answer(Request::OpenPhotos(source)) else {
            panic!("no failure");
        };
        assert!(message.ends_with(&path.display().to_string()), "{message}");
    }
}

/// A PNG that declares this size but has no pixels.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut ihdr = b"IHDR".to_vec();
    ihdr.extend(width.to_be_bytes());
    ihdr.extend(height.to_be_bytes());
    ihdr.extend([8, 2, 0, 0, 0]);
    let mut crc = u32::MAX;
    for &byte in &ihdr {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            };
        }
    }
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    png.extend(ihdr);
    png.extend((!crc).to_be_bytes());
    png.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e\0\0\0\0IEND\xae\x42\x60\x82");
    png
}

#[test]
fn broken_photos_are_reported_one_by_one_and_the_others_open() {
    let folder = folder();
    let class = folder.path().join("class");
    std::fs::create_dir(&class).expect("a folder");
    std::fs::write(class.join("a text.jpg"), "no photo at all").expect("a file");
    std::fs::write(class.join("huge.png"), png_header(30_000, 30_000)).expect("a file");
    let good = repository("assets/photos/fish/fish9.webp");
    std::fs::copy(good, class.join("good.webp")).expect("a photo");
    let jobs = JobThread::start(|| {}).expect("a thread");
    jobs.send(Request::OpenPhotos(PhotosSource::Folder(
        folder.path().to_owned(),
    )));
    let mut reasons = Vec::new();
    let mut opened = None;
    while reasons.len() < 2 {
        match jobs.poll() {
            Some(Event::PhotosOpened { photos, .. }) => opened = Some(photos),
            Some(Event::Unreadable { photo, reason, .. }) => {
                let photos = opened.as_ref().expect("the set comes before its checks");
                reasons.push(format!("{}: {reason}", photos.photos[photo].name));
            }
            Some(Event::Failed { message, .. }) => panic!("{message}"),
            _ => std::thread::sleep(std::time::Duration::from_millis(1)),
        }
    }
    assert_eq!(opened.map(|set| set.photos.len()), Some(3));
    assert!(
        reasons[0].contains("a text.jpg") && reasons[0].contains("not an image"),
        "{reasons:?}"
    );
    assert!(reasons[1].contains("30,000 x 30,000"), "{reasons:?}");
}

#[test]
fn a_failed_export_keeps_existing_files_and_leaves_no_partial_one() {
    let folder = folder();
    let path = write(&folder, "figure.png", b"precious");
    let mut permissions = std::fs::metadata(&path).expect("the file").permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&path, permissions).expect("permissions");
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"2\" height=\"1\"/>";
    let kind = FigureKind::Png {
        width: 4,
        dpi: None,
    };
    let figure = std::sync::Arc::new(Figure::still(svg.to_owned(), kind));
    let request = |path: &Path| Request::Figure {
        figure: figure.clone(),
        to: FigureTo::File(path.to_owned()),
    };
    let Event::Failed { message, .. } = answer(request(&path)) else {
        panic!("no failure");
    };
    assert!(
        message.contains("read-only") && message.ends_with("figure.png"),
        "{message}"
    );
    assert_eq!(std::fs::read(&path).expect("the file"), b"precious");
    assert_eq!(
        std::fs::read_dir(folder.path())
            .expect("the folder")
            .count(),
        1
    );
    let nowhere = folder.path().join("no such folder").join("figure.png");
    assert!(matches!(answer(request(&nowhere)), Event::Failed { .. }));
    // The dialog asked about overwriting the figure, not the table beside it.
    let table = write(&folder, "with numbers.csv", b"precious");
    let picture = folder.path().join("with numbers.png");
    let with_numbers = Request::Figure {
        figure: std::sync::Arc::new(Figure {
            numbers: Some("a,b\n".to_owned()),
            ..(*figure).clone()
        }),
        to: FigureTo::File(picture.clone()),
    };
    let Event::Failed { message, .. } = answer(with_numbers.clone()) else {
        panic!("no failure");
    };
    assert!(message.contains("with numbers.csv beside it"), "{message}");
    assert_eq!(std::fs::read(&table).expect("the table"), b"precious");
    std::fs::remove_file(&table).expect("a file");
    for _ in 0..2 {
        assert!(matches!(answer(with_numbers.clone()), Event::Saved(saved) if saved == picture));
        assert_eq!(std::fs::read(&table).expect("the table"), b"a,b\n");
    }
    let fine = folder.path().join("fine.png");
    assert!(matches!(answer(request(&fine)), Event::Saved(saved) if saved == fine));
    assert!(
        std::fs::read(&fine)
            .expect("the picture")
            .starts_with(b"\x89PNG")
    );
}
