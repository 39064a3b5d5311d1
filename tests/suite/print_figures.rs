//! Figures for paper and slides: `modelens figure` with pages, sizes of text, backgrounds, PDF and
//! standard output.

use std::path::Path;

use eframe::egui::Context;
use egui_svg::{Images, png, smallest_text};
use modelens::command::Action;
use modelens::figure::{LEGIBLE, OnPaper, Preset, What, on_paper};
use modelens::state::{State, View};
use modelens::theme::fonts::FOR_FIGURES;
use modelens::theme::sizes;
use modelens::theme::text::BODY;

use crate::figure::{figure, written};
use crate::figure_parts::texts;
use crate::support::program::text;
use crate::support::window::{in_context, small};

fn laid_out(state: &State, view: View, page: Preset) -> OnPaper {
    let what = What {
        margin: sizes::PRINT_MARGIN,
        ..What::of(view)
    };
    let images = Images::without_window(&Context::default());
    on_paper(state, &images, &what, &page.paper()).expect("a figure")
}

/// The width of a drawing in its own points.
pub fn layout_width(svg: &str) -> f32 {
    let (_, rest) = svg.split_once("viewBox=\"").expect("a viewBox");
    let width = rest.split([' ', '"']).nth(2).expect("a width");
    width.parse().expect("a number")
}

#[test]
fn no_text_falls_under_7_points_on_any_page() {
    let ctx = Context::default();
    let mut app = in_context(&ctx, small());
    let mut checked = 0;
    for view in View::ALL {
        app.command(&ctx, Action::Show(view).into());
        if view.shows_runs() {
            let train = &mut app.state_mut().settings.train;
            (train.epochs, train.batch) = (1, 8);
            app.command(&ctx, Action::StartRuns.into());
        }
        app.settle(&ctx);
        for page in Preset::ALL {
            let OnPaper { drawn, width, text } = laid_out(app.state(), view, page);
            let paper = page.paper();
            let what = format!("{view:?} for {page:?}: {:?}", drawn.size);
            // The layout is in whole points.
            assert!(text > LEGIBLE - 0.05, "{what}: {text} points");
            assert!(width < paper.width + 0.01, "{what}: {width} wide");
            let height = width * drawn.size[1] / drawn.size[0];
            let most = paper.height.unwrap_or(f32::INFINITY);
            assert!(height < most + 1.0, "{what}: {height} high");
            // A slide is filled, whatever is shown.
            let fills = paper.height.is_none() || width > paper.width * 0.98;
            assert!(fills, "{what}: {width} wide");
            checked += 1;
        }
    }
    assert_eq!(checked, View::ALL.len() * Preset::ALL.len());
}

#[test]
fn cards_on_a_slide_end_their_sentences() {
    let folder = tempfile::tempdir().expect("a folder");
    for page in ["beamer", "slide-16x9"] {
        let svg = written(folder.path(), "a.svg", &["trainable", "--for", page]);
        let svg = String::from_utf8(svg).expect("text");
        let texts = texts(&svg);
        assert!(
            texts.iter().any(|text| text.contains("protects")),
            "{texts:?}"
        );
        // Names of blocks in the picture are a few letters.
        let is_cut = |text: &&String| text.ends_with('\u{2026}') && text.chars().count() > 8;
        let cut: Vec<&String> = texts.iter().filter(is_cut).collect();
        assert!(cut.is_empty(), "{page}: {cut:?}");
    }
}

#[test]
fn lengths_have_any_unit_and_text_the_wanted_size() {
    let folder = tempfile::tempdir().expect("a folder");
    let svg = |name: &str, more: &[&str]| {
        let svg = written(folder.path(), name, &[&["dropout"], more].concat());
        String::from_utf8(svg).expect("text")
    };
    let mm = svg("mm.svg", &["--width", "160mm", "--text-size", "8pt"]);
    assert!(mm.contains("width=\"160mm\""));
    assert_eq!(
        mm,
        svg("cm.svg", &["--width", "16cm", "--text-size", "8pt"])
    );
    let inches = svg("in.svg", &["--width", "3.5in", "--text-size", "7pt"]);
    assert_eq!(
        inches,
        svg("pt.svg", &["--width", "252pt", "--text-size", "7pt"])
    );
    let points = |svg: &str, width: f32| {
        let tree = png::tree(svg, &FOR_FIGURES).expect("an SVG");
        assert!((tree.size().width() * 0.75 - width).abs() < 0.1);
        smallest_text(svg, BODY) * width / layout_width(svg)
    };
    assert!((points(&mm, 453.54) - 8.0).abs() < 0.1);
    assert!(points(&inches, 252.0) > 6.95);
    // One column is above the other, and both are there.
    for call in ["training=True", "training=False"] {
        assert!(texts(&inches).contains(&call.to_owned()));
    }
    let done = figure(&["dropout", "--width", "160mm", "--out", "-", "--batch", "3"]);
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(
        said.contains("5.1 pt") && said.contains("--text-size"),
        "{said}"
    );
}

#[test]
fn standard_output_has_only_the_figure() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = written(folder.path(), "a.pdf", &["dropout", "--for", "a4"]);
    let arguments = ["dropout", "--for", "a4", "--batch", "3", "--out", "-"];
    let done = figure(&[&arguments[..], &["--format", "pdf"]].concat());
    assert!(done.status.success() && done.stdout == file);
    assert!(
        file.starts_with(b"%PDF-1.") && file.len() < 200_000,
        "{}",
        file.len()
    );
    let done = figure(&arguments);
    assert!(done.stdout.starts_with(b"<svg ") && done.stdout.ends_with(b"</svg>\n"));
    for (arguments, why) in [
        (
            &["predict", "--out", "-", "--csv"][..],
            "--out - writes one figure",
        ),
        (
            &["predict", "--out", "a.svg", "--format", "png"],
            "the ending of --out",
        ),
        (&["predict", "--out", "a.gif"], "--animate"),
        (
            &["predict", "--out", "a.png", "--theme", "auto"],
            "--theme auto",
        ),
        (&["predict", "--out", "a.pdf", "--outline-text"], "for SVG"),
        (
            &["predict", "--out", "a.svg", "--text-size", "8pt"],
            "--width on paper",
        ),
        (
            &["predict", "--out", "a.svg", "--width", "160em"],
            "px, mm, cm, in or pt",
        ),
        (
            &["predict", "--out", "a.svg", "--for", "a5"],
            "ieee-column, a4",
        ),
    ] {
        let done = figure(arguments);
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(why), "{arguments:?}: {said}");
    }
}

#[test]
fn backgrounds_and_themes() {
    let folder = tempfile::tempdir().expect("a folder");
    let svg = |name: &str, more: &[&str]| {
        let svg = written(folder.path(), name, &[&["predict"], more].concat());
        String::from_utf8(svg).expect("text")
    };
    let corner = |svg: &str| png::raster(svg, 400, &FOR_FIGURES).expect("pixels").rgba[0];
    assert_eq!(corner(&svg("none.svg", &["--background", "none"]))[3], 0);
    let white = svg("white.svg", &["--background", "white"]);
    assert_eq!(corner(&white), [255; 4]);
    let light = svg("light.svg", &[]);
    assert_eq!(corner(&light), [0xf7, 0xf7, 0xf5, 255]);
    let dark = svg("dark.svg", &["--theme", "dark"]);
    let both = svg("auto.svg", &["--theme", "auto"]);
    assert!(both.contains("@media (prefers-color-scheme:dark)"));
    assert!(both.contains("{fill:#16181b;}") && both.len() < light.len() + dark.len() / 2);
    // A program without style sheets for media shows the light one.
    let [both, light] =
        [&both, &light].map(|svg| png::raster(svg, 400, &FOR_FIGURES).expect("pixels"));
    assert!(both.rgba == light.rgba);
    let svg = svg("read.svg", &[]);
    let named = |attribute: &str| {
        let (_, rest) = svg.split_once(&format!("{attribute}=\"")).expect(attribute);
        let id = rest.split('"').next().expect("an id").to_owned();
        svg.contains(&format!(" id=\"{id}\">"))
    };
    assert!(svg.contains(" role=\"img\" "));
    assert!(named("aria-labelledby") && named("aria-describedby"));
}

#[test]
fn captions_and_missing_folders() {
    let folder = tempfile::tempdir().expect("a folder");
    let more = ["trainable", "--caption-file", "txt,tex", "--make-folders"];
    written(folder.path(), "new/folder/a.svg", &more);
    let read = |name: &str| {
        let path = folder.path().join("new/folder").join(name);
        std::fs::read_to_string(path).expect("a caption")
    };
    let (txt, tex) = (read("a.txt"), read("a.tex"));
    assert!(txt.starts_with("Trainable: ") && txt.lines().count() > 2 && !txt.contains("**"));
    assert!(tex.starts_with("\\textbf{Trainable: ") && tex.ends_with("%\n"));
    assert!(!tex.contains("\n\n") && tex.lines().count() == 1, "{tex}");
    let unescaped = tex.replace("\\%", "").replace("\\_", "");
    assert!(
        !unescaped
            .trim_end()
            .trim_end_matches('%')
            .contains(['%', '_', '#']),
        "{tex}"
    );
}

#[test]
fn all_views_that_a_network_has_and_why_the_others_are_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = crate::support::files::fixture("bnnet_keras3/model.h5");
    let done = figure(&["--all", text(folder.path()), text(&model), "--batch", "3"]);
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    assert!(said.contains("finetune is left out"), "{said}");
    assert!(Path::new(folder.path()).join("trainable.svg").exists());
}

#[test]
fn without_a_display_the_error_names_the_command_for_figures() {
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_modelens"))
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET")
        .output()
        .expect("the program");
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(
        said.contains("`modelens figure` draws without a display"),
        "{said}"
    );
}
