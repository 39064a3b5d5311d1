//! `modelens figure --animate`.

use std::path::Path;

use egui_svg::png;
use modelens::theme::fonts::FOR_FIGURES;

use crate::figure::{figure, written};
use crate::support::program::text;

const SMALL: [&str; 4] = ["--width", "320px", "--animate", "--frames"];

/// The number of pictures of a GIF or an animated PNG.
pub fn frames(bytes: &[u8]) -> usize {
    use image::AnimationDecoder as _;
    let reader = std::io::Cursor::new(bytes);
    let frames = if bytes.starts_with(b"GIF") {
        let decoder = image::codecs::gif::GifDecoder::new(reader).expect("a GIF");
        decoder.into_frames().collect_frames()
    } else {
        let decoder = image::codecs::png::PngDecoder::new(reader).expect("a PNG");
        decoder
            .apng()
            .expect("animated")
            .into_frames()
            .collect_frames()
    };
    frames.expect("frames").len()
}

#[test]
fn views_move_with_the_same_bytes_every_time() {
    let folder = tempfile::tempdir().expect("a folder");
    // A draw has one frame, a pass and a batch have four.
    for (view, name, count) in [
        ("augmentation", "a.gif", 2),
        ("dropout", "b.gif", 8),
        ("batchnorm", "c.apng", 8),
    ] {
        let arguments = [&[view][..], &SMALL, &["2"]].concat();
        let bytes = written(folder.path(), name, &arguments);
        assert_eq!(frames(&bytes), count, "{view}");
        assert!(bytes.len() < 200_000, "{view}: {} bytes", bytes.len());
        if view == "dropout" {
            let again = written(folder.path(), "again.gif", &arguments);
            assert!(bytes == again, "{view}: the same bytes");
        }
    }
}

#[test]
fn frames_are_pages_or_numbered_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("run.svg");
    let arguments = [
        "finetune",
        "--animate",
        "--frames",
        "3",
        "--epochs",
        "1",
        "--batch",
        "32",
        "--preset",
        "head-only",
        "--out",
    ];
    let done = figure(&[&arguments[..], &[text(&out)]].concat());
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    let read = |number: usize| {
        let path = folder.path().join(format!("run-{number:03}.svg"));
        std::fs::read_to_string(path).expect("a frame")
    };
    let [first, last] = [read(1), read(3)];
    let size = |svg: &str| png::tree(svg, &FOR_FIGURES).expect("an SVG").size();
    assert_eq!(size(&first), size(&last));
    assert!(first != last && !Path::new(&out).exists());
    let page = [&["dropout", "--for", "beamer"], &SMALL[2..], &["1"]].concat();
    assert!(written(folder.path(), "a.pdf", &page).starts_with(b"%PDF"));
}

#[test]
fn what_does_not_move_or_is_too_large_is_refused() {
    for (arguments, why) in [
        (
            &["predict", "--out", "a.gif", "--animate"][..],
            "does not move",
        ),
        (
            &[
                "dropout",
                "--out",
                "a.gif",
                "--animate",
                "--width",
                "8000px",
                "--batch",
                "2",
            ],
            "too many for one animation",
        ),
        (
            &["dropout", "--out", "a.gif", "--animate", "--frames", "0"],
            "1 to 200",
        ),
        (&["dropout", "--out", "a.svg", "--frames", "2"], "--animate"),
        (
            &["dropout", "--out", "-", "--animate"],
            "numbered frames need a name",
        ),
    ] {
        let done = figure(arguments);
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(why), "{arguments:?}: {said}");
    }
}
