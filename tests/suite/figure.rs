//! `modelens figure`.

use std::path::Path;
use std::process::Output;

use egui_svg::png;
use modelens::theme::fonts::FOR_FIGURES;
use resvg::usvg::{Group, Node};

use crate::figure_parts::texts;
use crate::support::files::{drawn, fixture};
use crate::support::program::{modelens, text};

const VIEWS: [&str; 5] = [
    "augmentation",
    "dropout",
    "batchnorm",
    "trainable",
    "predict",
];

pub fn figure(args: &[&str]) -> Output {
    modelens(&[&["figure"], args].concat())
}

/// The bytes that the figure command writes to this name in `folder`.
pub fn written(folder: &Path, name: &str, args: &[&str]) -> Vec<u8> {
    let out = folder.join(name);
    let done = figure(&[args, &["--batch", "3", "--out", text(&out)]].concat());
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{args:?}: {said}");
    std::fs::read(out).expect("the figure")
}

/// Width, height, and pixels per metre if the file has them.
fn png_header(bytes: &[u8]) -> (u32, u32, Option<u32>) {
    let reader = ::png::Decoder::new(std::io::Cursor::new(bytes));
    let reader = reader.read_info().expect("a PNG");
    let info = reader.info();
    (info.width, info.height, info.pixel_dims.map(|p| p.xppu))
}

#[test]
fn the_same_command_writes_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    for view in VIEWS {
        // The pixels follow from the SVG: one view shows that drawing them is repeatable, too.
        let ends: &[&str] = if view == VIEWS[0] {
            &["svg", "png"]
        } else {
            &["svg"]
        };
        for end in ends {
            let [a, b] = ["a", "b"].map(|name| {
                let name = format!("{name}.{end}");
                written(
                    folder.path(),
                    &name,
                    &[view, "--caption", "--theme", "dark"],
                )
            });
            assert!(a == b, "{view} {end}");
        }
        let other = written(
            folder.path(),
            "c.svg",
            &[view, "--caption", "--theme", "dark", "--seed", "8"],
        );
        let first = std::fs::read(folder.path().join("a.svg")).expect("the figure");
        assert!(other != first, "{view}: another seed");
    }
}

#[test]
fn photos_are_embedded_once_and_text_stays_text() {
    let folder = tempfile::tempdir().expect("a folder");
    let svg = written(folder.path(), "a.svg", &["augmentation"]);
    let svg = String::from_utf8(svg).expect("text");
    // Nine draws, and the original, which the right column shows nine times.
    assert_eq!(svg.matches("<image ").count(), 10);
    assert_eq!(svg.matches("<use ").count(), 18);
    assert!(texts(&svg).contains(&"training=True".to_owned()));
    assert!(png::tree(&svg, &FOR_FIGURES).is_ok());
    let outlined = written(folder.path(), "b.svg", &["augmentation", "--outline-text"]);
    let outlined = String::from_utf8(outlined).expect("text");
    assert!(!outlined.contains("<text"));
    let [plain, outlined] =
        [&svg, &outlined].map(|svg| png::raster(svg, 490, &FOR_FIGURES).expect("pixels"));
    let differs =
        |(a, b): &(&[u8; 4], &[u8; 4])| a.iter().zip(*b).any(|(a, b)| a.abs_diff(*b) > 60);
    let different = plain
        .rgba
        .iter()
        .zip(&outlined.rgba)
        .filter(differs)
        .count();
    assert!(
        different * 1000 < plain.rgba.len(),
        "{different} pixels differ"
    );
}

/// Adds the ink width of each text.
fn widths(group: &Group, found: &mut Vec<f32>) {
    for node in group.children() {
        match node {
            Node::Group(group) => widths(group, found),
            Node::Text(text) => found.push(text.abs_bounding_box().width()),
            Node::Path(_) | Node::Image(_) => {}
        }
    }
}

#[test]
fn text_is_as_wide_as_the_window_laid_it_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let svg = written(folder.path(), "a.svg", &["trainable", "--caption"]);
    let svg = String::from_utf8(svg).expect("text");
    // Letters follow each other as the font has it, from the place of the first.
    let line = |line: &str| match line.split_once("</tspan>") {
        Some((first, rest)) => {
            let rest = rest.split('<').filter_map(|tag| tag.split_once('>'));
            let rest: String = rest.map(|(_, letter)| letter).collect();
            format!("{first}{rest}</tspan></text>\n")
        }
        None => format!("{line}\n"),
    };
    let free: String = svg.lines().map(line).collect();
    let [given, free] = [&svg, &free].map(|svg| {
        let mut found = Vec::new();
        widths(
            png::tree(svg, &FOR_FIGURES).expect("SVG").root(),
            &mut found,
        );
        found
    });
    assert!(given.len() > 40);
    for (given, free) in given.into_iter().zip(free) {
        assert!(
            (given - free).abs() < 1.0 + 0.01 * given,
            "{given} for {free}"
        );
    }
}

#[test]
fn figures_have_the_requested_size() {
    let folder = tempfile::tempdir().expect("a folder");
    let png = |args: &[&str]| {
        let args = [&["batchnorm", "--size", "800x600"], args].concat();
        png_header(&written(folder.path(), "a.png", &args))
    };
    assert_eq!(png(&[]), (800, 600, None));
    assert_eq!(png(&["--scale", "3"]), (2400, 1800, None));
    assert_eq!(
        png(&["--width", "350px", "--side", "inference"]),
        (350, 263, None)
    );
    // 127 mm are 5 inches.
    assert_eq!(
        png(&["--width", "127mm", "--dpi", "254"]),
        (1270, 953, Some(10_000))
    );
    let svg = written(
        folder.path(),
        "a.svg",
        &["batchnorm", "--size", "800x600", "--width", "140mm"],
    );
    let svg = String::from_utf8(svg).expect("text");
    assert!(svg.contains("width=\"140mm\" height=\"105mm\""));
}

#[test]
fn each_file_has_its_own_sidecar() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["a.svg", "a.png"] {
        written(folder.path(), name, &["trainable", "--sidecar"]);
    }
    for name in ["a.svg", "a.png"] {
        let sidecar = folder.path().join(format!("{name}.json"));
        let sidecar = std::fs::read_to_string(sidecar).expect(name);
        assert!(sidecar.contains(&format!("/{name}\"")), "{sidecar}");
    }
}

#[test]
fn a_figure_has_all_rows_of_a_table_or_no_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let texts = |name: &str, more: &[&str]| {
        let args = [&["trainable"], more].concat();
        let svg = written(folder.path(), name, &args);
        texts(&String::from_utf8(svg).expect("text"))
    };
    let natural = texts("a.svg", &[]).len();
    let cut = texts("b.svg", &["--size", "1280x720"]);
    assert!(cut.len() < natural + 10, "{cut:?}");
    let tall = texts("c.svg", &["--size", "1280x8000"]).len();
    assert!(tall > natural + 100, "{tall}");
}

#[test]
fn a_sidecar_says_how_to_reproduce_the_figure() {
    let folder = tempfile::tempdir().expect("a folder");
    let args = [
        "batchnorm",
        "--sidecar",
        "--csv",
        "--photo",
        "fish1",
        "--layer",
        "block_13_project_BN",
        "--channel",
        "5",
    ];
    written(folder.path(), "a.svg", &args);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect(name);
    let sidecar: serde_json::Value = serde_json::from_str(&read("a.svg.json")).expect("JSON");
    let command = sidecar["command"].as_str().expect("a command");
    assert!(command.starts_with("modelens figure batchnorm --sidecar --csv --photo fish1"));
    assert_eq!(sidecar["photo"]["name"], "fish/fish1.webp");
    assert_eq!(sidecar["batch"].as_array().map(Vec::len), Some(3));
    assert_eq!(sidecar["model"]["sha256"].as_str().map(str::len), Some(64));
    assert_eq!(sidecar["seed"], 7);
    let csv = read("a.csv");
    assert_eq!(csv.matches(",moving_mean,").count(), 160);
    // One for each channel in both columns, and one for the chosen channel in each of eight batches.
    assert_eq!(csv.matches(",batch_mean,").count(), 2 * 160 + 8);
    // Every BatchNorm of the base, the further batches, and the feature maps of both columns.
    assert_eq!(
        csv.matches("both,layer block_13_project_BN,mean_distance,")
            .count(),
        1
    );
    assert_eq!(csv.matches(",mean_distance,").count(), 52);
    assert_eq!(csv.matches("both,channel 5 batch 8,batch_mean,").count(), 1);
    assert_eq!(csv.matches(",output,").count(), 2 * 5 * 5);
    // The bins of a channel count all of its values.
    let counts = csv
        .lines()
        .filter(|l| l.starts_with("training,channel 5 outputs"));
    let counts = counts.map(|l| {
        l.rsplit(',')
            .next()
            .expect("a value")
            .parse::<u32>()
            .expect("a count")
    });
    assert_eq!(counts.sum::<u32>(), 3 * 5 * 5);
}

#[test]
fn all_writes_every_view() {
    let folder = tempfile::tempdir().expect("a folder");
    let all = folder.path().join("new/folder");
    let done = figure(&["--all", text(&all), "--batch", "2", "--csv"]);
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    for view in VIEWS {
        for end in ["svg", "csv"] {
            assert!(all.join(view).with_extension(end).exists(), "{view}.{end}");
        }
    }
}

/// The command trains the runs of this view itself.
#[test]
fn a_figure_of_runs_is_the_same_every_time() {
    let folder = tempfile::tempdir().expect("a folder");
    drawn(&folder.path().join("photos"), &[4, 4]);
    let model = fixture("alpaca_plain_open_keras3/model.h5");
    let photos = folder.path().join("photos");
    let args = [
        "finetune",
        text(&model),
        "--input",
        text(&photos),
        "--epochs",
        "1",
        "--caption",
        "--csv",
        "--sidecar",
    ];
    let [a, b] = ["a.svg", "b.svg"].map(|name| written(folder.path(), name, &args));
    assert_eq!(a, b);
    let svg = texts(&String::from_utf8(a).expect("text")).join("\n");
    for shown in ["training=True", "exactly 0", "correct, training=False"] {
        assert!(svg.contains(shown), "{shown}");
    }
    assert!(!svg.contains("Use this model"), "nobody can click there");
    let rows = std::fs::read_to_string(folder.path().join("a.csv")).expect("rows");
    // Seven training photos in batches of three.
    let [header, rows] = rows.split_once('\n').map(|(h, r)| [h, r]).expect("rows");
    let fields = header.split(',').count();
    // Names of runs contain commas and are quoted.
    let values = |row: &str| {
        row.split_once("\",")
            .map(|(_, rest)| rest.split(',').count() + 1)
    };
    assert!(
        rows.lines().all(|row| values(row) == Some(fields)),
        "{rows}"
    );
    let (of_steps, of_layers): (Vec<_>, Vec<_>) =
        rows.lines().partition(|row| row.ends_with(",,,"));
    assert_eq!(of_steps.len(), 4 * 3, "{rows}");
    // Each run has the same number of layers; frozen ones did not move.
    assert!(
        of_layers.len() >= 8 && of_layers.len().is_multiple_of(4),
        "{rows}"
    );
    assert!(of_layers.iter().any(|row| row.contains(",0,")), "{rows}");
    let sidecar = std::fs::read_to_string(folder.path().join("a.svg.json")).expect("a sidecar");
    assert!(sidecar.contains("\"preset\": \"four-way\""), "{sidecar}");
    let out = folder.path().join("c.svg");
    for wrong in [
        ["finetune", "--trainable", "all"],
        ["finetune", "--side", "training"],
        ["dropout", "--epochs", "2"],
        ["finetune", "--epochs", "0"],
    ] {
        let done = figure(&[&wrong[..], &["--out", text(&out)]].concat());
        assert_eq!(done.status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn csv_and_sidecar_hold_plain_numbers_of_draws_and_factors() {
    let folder = tempfile::tempdir().expect("a folder");
    let args = ["augmentation", "--csv", "--sidecar", "--recorded", "false"];
    written(folder.path(), "a.svg", &args);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect(name);
    let csv = read("a.csv");
    for line in csv.lines().skip(1) {
        let value = line.rsplit(',').next().expect("a value");
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
    assert_eq!(csv.matches(",rotation_degrees,").count(), 9);
    assert_eq!(
        csv.matches("training,cell 1 step 1,flipped_left_right,")
            .count(),
        1
    );
    let sidecar: serde_json::Value = serde_json::from_str(&read("a.svg.json")).expect("JSON");
    assert_eq!(
        sidecar["augmentation"],
        serde_json::json!(["RandomFlip(\"horizontal\")", "RandomRotation((-0.2, 0.2))"])
    );
    assert_eq!(sidecar["recorded"], false);
    assert_eq!(sidecar["redraws"], 0);
    assert_eq!(sidecar["call"], "True");
    written(folder.path(), "b.svg", &["dropout", "--sidecar"]);
    let sidecar: serde_json::Value = serde_json::from_str(&read("b.svg.json")).expect("JSON");
    let rate = sidecar["rate"].as_f64().expect("a rate");
    assert!((0.0..1.0).contains(&rate) && rate > 0.0, "{rate}");
}
