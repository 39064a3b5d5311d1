//! Figures from the command line and from the export dialog.

use std::path::Path;
use std::process::{Command, Output};

use eframe::egui::{Context, Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use modelens::app::{App, AppOptions};
use modelens::command::{Action, Command as ModelensCommand, ExportCommand, WalkCommand};
use modelens::figure::{DrawError, Drawn, Images, Part, What, Width, draw, png};
use modelens::model::{Mode, Semantics};
use modelens::state::{ExportChoice, View};
use resvg::usvg::{Group, Node};

use crate::window::{Window, click, command, open, settle, shows};

const VIEWS: [&str; View::LOOKS.len()] = [
    "augmentation",
    "dropout",
    "batchnorm",
    "trainable",
    "predict",
];

fn figure(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_modelens"))
        .arg("figure")
        .args(args)
        .output()
        .expect("the program starts")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}

/// What the figure command writes into `folder` under this name.
fn written(folder: &Path, name: &str, args: &[&str]) -> Vec<u8> {
    let out = folder.join(name);
    let done = figure(&[args, &["--batch", "3", "--out", text(&out)]].concat());
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{args:?}: {said}");
    std::fs::read(out).expect("the figure")
}

/// Width, height, and pixels a metre where the file tells.
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
        for end in ["svg", "png"] {
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
    // Nine draws and the original, which the right side shows nine times.
    assert_eq!(svg.matches("<image ").count(), 10);
    assert_eq!(svg.matches("<use ").count(), 18);
    assert!(svg.contains(">training=True</text>"));
    assert!(png::tree(&svg).is_ok());
    let outlined = written(folder.path(), "b.svg", &["augmentation", "--outline-text"]);
    let outlined = String::from_utf8(outlined).expect("text");
    assert!(!outlined.contains("<text"));
    let [plain, outlined] = [&svg, &outlined].map(|svg| png::raster(svg, 490).expect("pixels"));
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

/// Number and ink width of each text.
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
    let free: String = svg
        .split(" textLength=\"")
        .enumerate()
        .map(|(i, part)| {
            if i == 0 {
                part
            } else {
                part.split_once('"').expect("a value").1
            }
        })
        .collect();
    let [given, free] = [&svg, &free].map(|svg| {
        let mut found = Vec::new();
        widths(png::tree(svg).expect("SVG").root(), &mut found);
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
fn sizes_are_those_asked_for() {
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
fn a_sidecar_tells_how_to_make_the_figure_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let args = [
        "batchnorm",
        "--sidecar",
        "--csv",
        "--photo",
        "fish1",
        "--channel",
        "5",
    ];
    written(folder.path(), "a.svg", &args);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect(name);
    let sidecar: serde_json::Value = serde_json::from_str(&read("a.json")).expect("JSON");
    let command = sidecar["command"].as_str().expect("a command");
    assert!(command.starts_with("modelens figure batchnorm --sidecar --csv --photo fish1"));
    assert_eq!(sidecar["photo"]["name"], "fish/fish1.webp");
    assert_eq!(sidecar["batch"].as_array().map(Vec::len), Some(3));
    assert_eq!(sidecar["model"]["sha256"].as_str().map(str::len), Some(64));
    assert_eq!(sidecar["seed"], 7);
    let csv = read("a.csv");
    assert_eq!(csv.matches(",moving_mean,").count(), 160);
    // Of every channel on both sides, and of the chosen one on eight batches.
    assert_eq!(csv.matches(",batch_mean,").count(), 2 * 160 + 8);
    // Each BatchNorm of the base, the further batches, and the feature maps of both sides.
    assert_eq!(
        csv.matches("both,layer block_13_project_BN,mean_distance,")
            .count(),
        1
    );
    assert_eq!(csv.matches(",mean_distance,").count(), 52);
    assert_eq!(csv.matches("both,channel 5 batch 8,batch_mean,").count(), 1);
    assert_eq!(csv.matches(",output,").count(), 2 * 5 * 5);
    // Every value of a channel is in one of its bins.
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
fn every_view_is_written_at_once() {
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

#[test]
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn unusable_arguments_and_files_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("a.svg");
    let out = text(&out);
    let nowhere = folder.path().join("nowhere/a.svg");
    let broken = folder.path().join("broken.h5");
    std::fs::write(&broken, "no model").expect("a file");
    let folder_name = folder.path().join("folder.png");
    std::fs::create_dir(&folder_name).expect("a folder");
    let cases: [(&[&str], i32, &str); 24] = [
        (&["--out", out], 2, "name a view"),
        (&["histogram", "--out", out], 2, "no view `histogram`"),
        (&["dropout"], 2, "--out"),
        (&["dropout", "--out", "a.pdf"], 2, ".svg or .png"),
        (
            &["dropout", "--layer", "nothing", "--out", out],
            2,
            "no layer `nothing`",
        ),
        (
            &["dropout", "--layer", "bn_Conv1", "--out", out],
            2,
            "no layer of the view",
        ),
        (
            &["dropout", "efficientnet_lite0", "--no-random", "--out", out],
            2,
            "--no-random",
        ),
        (
            &[
                "batchnorm",
                "--channel",
                "161",
                "--batch",
                "1",
                "--out",
                out,
            ],
            2,
            "160 channels",
        ),
        (
            &["batchnorm", "--photo", "zebra", "--out", out],
            2,
            "--photo: there is no photo `zebra`",
        ),
        (
            &["batchnorm", "--size", "50x50", "--batch", "1", "--out", out],
            2,
            "50 x 50 points cannot hold this figure: it needs 760 x 520",
        ),
        (
            &["dropout", "--size", "99999x9", "--out", out],
            2,
            "16000 points",
        ),
        (&["dropout", "--size", "wide", "--out", out], 2, "WxH"),
        (
            &["dropout", "--width", "160cm", "--out", out],
            2,
            "px or mm",
        ),
        (&["dropout", "--width", "6in", "--out", out], 2, "px or mm"),
        (
            &["augmentation", "--width", "1px", "--out", out],
            2,
            "100 to 16384",
        ),
        (
            &["augmentation", "--scale", "0.001", "--out", out],
            2,
            "100 to 16384",
        ),
        (&["augmentation", "--dpi", "300", "--out", out], 2, "in mm"),
        (
            &[
                "augmentation",
                "--dpi",
                "300",
                "--width",
                "900px",
                "--out",
                out,
            ],
            2,
            "in mm",
        ),
        (&["dropout", "--channel", "3", "--out", out], 2, "batchnorm"),
        (
            &["augmentation", "--out", text(&folder_name)],
            1,
            "(it is a folder): FOLDER\n",
        ),
        (
            &["--all", text(&broken), "--batch", "1"],
            1,
            "it is a file, not a folder: BROKEN\n",
        ),
        (&["batchnorm", "--batch", "0", "--out", out], 2, "1 to 64"),
        (
            &["augmentation", "--out", text(&nowhere)],
            1,
            "nowhere/a.svg\n",
        ),
        (
            &["augmentation", text(&broken), "--out", out],
            1,
            "broken.h5\n",
        ),
    ];
    for (args, status, word) in cases {
        let done = figure(args);
        let said = String::from_utf8_lossy(&done.stderr)
            .replace(text(&folder_name), "FOLDER")
            .replace(text(&broken), "BROKEN");
        let word = word.replace("broken.h5", "BROKEN");
        assert_eq!(done.status.code(), Some(status), "{args:?}: {said}");
        assert!(said.contains(&word), "{args:?}: {said}");
        assert!(
            status == 2 || (said.ends_with(&word) && said.lines().count() == 1),
            "{said}"
        );
    }
    let left = std::fs::read_dir(folder.path())
        .expect("the folder")
        .count();
    assert_eq!(left, 2, "nothing but the broken model and the folder");
}

fn choice(window: &Window) -> Option<ExportChoice> {
    window.state().state().export.choice
}

#[test]
fn the_dialog_chooses_draws_and_copies() {
    let mut window = open(AppOptions::default());
    command(&mut window, Action::Show(View::BatchNorm));
    window.key_press_modifiers(Modifiers::COMMAND, Key::E);
    settle(&mut window);
    let first = choice(&window).expect("an open dialog");
    assert_eq!(
        (first.part, first.png, first.width, first.caption),
        (Part::View, true, Width::Scale(2.0), true)
    );
    window.check_accessibility();
    let drawn = |window: &Window| {
        window
            .state()
            .state()
            .export
            .drawn
            .clone()
            .expect("a drawing")
    };
    assert_eq!(drawn(&window).png_width, Some(1960));
    assert_eq!(drawn(&window).numbers, None);
    for label in [
        "Right column",
        "SVG",
        "Dark",
        "With a caption",
        "With the numbers, as CSV",
    ] {
        click(&mut window, label);
    }
    let numbers = drawn(&window).numbers.clone().expect("numbers");
    assert!(numbers.starts_with("side,item,quantity,value\n") && numbers.lines().count() > 100);
    let now = choice(&window).expect("an open dialog");
    assert_eq!(now.part, Part::Side(Mode::Inference));
    assert!(!now.png && now.dark && !now.caption);
    let svg = drawn(&window).svg.clone();
    assert!(
        svg.contains("#16181b") && svg.contains("training=False") && !svg.contains("training=True")
    );
    click(&mut window, "One plot");
    assert_eq!(
        choice(&window).map(|c| c.part),
        Some(Part::Plot("All layers"))
    );
    click(&mut window, "Plot All layers");
    click(&mut window, "Further batches");
    let svg = drawn(&window).svg.clone();
    assert!(!svg.contains("training=False") && svg.len() < 30_000);
    window.check_accessibility();
    // What is measured while the dialog is open gets into the figure.
    let before = drawn(&window).svg.clone();
    command(&mut window, WalkCommand::Run);
    assert_ne!(drawn(&window).svg, before);
    // A plot goes with its view.
    command(&mut window, Action::Show(View::Dropout));
    assert_eq!(choice(&window).map(|c| c.part), Some(Part::View));
    command(&mut window, Action::Show(View::BatchNorm));
    click(&mut window, "The whole window");
    let svg = drawn(&window).svg.clone();
    assert!(svg.contains("width=\"1280\" height=\"800\"") && svg.contains("<image "));
    command(&mut window, ExportCommand::Copy);
    assert!(shows(&window, "on the clipboard"));
    window.key_press(Key::Escape);
    settle(&mut window);
    assert_eq!(choice(&window), None);
}

/// The runs of this view are trained by the command itself.
#[test]
fn a_figure_of_runs_is_the_same_every_time() {
    let folder = tempfile::tempdir().expect("a folder");
    crate::fine_tune::drawn(&folder.path().join("photos"), &[4, 4]);
    let case = "tests/fixtures/golden/alpaca_plain_open_keras3/model.h5";
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join(case);
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
    let svg = String::from_utf8(a).expect("text");
    for shown in ["training=True", "exactly 0", "right, inference"] {
        assert!(svg.contains(shown), "{shown}");
    }
    assert!(!svg.contains("Use this model"), "nobody can click there");
    let rows = std::fs::read_to_string(folder.path().join("a.csv")).expect("rows");
    // Seven photos to learn from, three in a batch.
    let [header, rows] = rows.split_once('\n').map(|(h, r)| [h, r]).expect("rows");
    let fields = header.split(',').count();
    // The names of runs hold commas, and stand between quotes.
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
    // As many layers in each run, the frozen ones without having moved.
    assert!(
        of_layers.len() >= 8 && of_layers.len().is_multiple_of(4),
        "{rows}"
    );
    assert!(of_layers.iter().any(|row| row.contains(",0,")), "{rows}");
    let sidecar = std::fs::read_to_string(folder.path().join("a.json")).expect("a sidecar");
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

/// A program on the bundled model with numbers for this view.
fn computed(view: View, semantics: Semantics) -> App {
    let ctx = Context::default();
    let mut app = App::in_context(&ctx, AppOptions::default()).expect("a worker");
    app.settle(&ctx);
    let commands = [
        ModelensCommand::SetBatch(4),
        ModelensCommand::SetSemantics(Some(semantics)),
        Action::Show(view).into(),
    ];
    for command in commands {
        app.command(&ctx, command);
    }
    app.settle(&ctx);
    app
}

fn drawn_as(app: &App, view: View, part: Part, size: Option<[f32; 2]>) -> Result<Drawn, DrawError> {
    let what = What {
        view,
        part,
        size,
        caption: true,
        dark: false,
    };
    draw(
        app.state(),
        &Images::without_window(&Context::default()),
        &what,
    )
}

/// Texts of a drawing, in its order.
fn texts(svg: &str) -> Vec<String> {
    let inside = svg
        .split("</text>")
        .filter_map(|part| part.rsplit_once('>'));
    inside.map(|(_, text)| text.to_owned()).collect()
}

#[test]
fn every_view_names_the_smallest_size_and_holds_it() {
    for view in View::LOOKS {
        let app = computed(view, Semantics::Keras3);
        for part in [
            Part::View,
            Part::Side(Mode::Training),
            Part::Side(Mode::Inference),
        ] {
            let natural = drawn_as(&app, view, part, None).expect("a figure").size;
            for asked in [[300.0, 120.0], [natural[0], 120.0], [300.0, natural[1]]] {
                let refused = drawn_as(&app, view, part, Some(asked));
                let Err(DrawError::Size { least, .. }) = refused else {
                    panic!("{view:?} {part:?} {asked:?} is drawn");
                };
                let held = drawn_as(&app, view, part, Some(least));
                let held = held.unwrap_or_else(|e| panic!("{view:?} {part:?}: {e}"));
                assert_eq!(held.size, least, "{view:?} {part:?}");
                let lower = [least[0], least[1] - 3.0];
                assert!(
                    drawn_as(&app, view, part, Some(lower)).is_err(),
                    "{view:?} {part:?}"
                );
            }
        }
    }
}

#[test]
fn a_card_alone_says_which_it_is() {
    let app = computed(View::Trainable, Semantics::Keras3);
    let says = |part, words: &[&str], not: &[&str]| {
        let svg = drawn_as(&app, View::Trainable, part, None)
            .expect("a figure")
            .svg;
        let texts = texts(&svg);
        for word in words {
            let n = texts.iter().filter(|text| text == word).count();
            assert!(n >= 1, "{part:?}: {word}: {texts:?}");
        }
        assert!(
            !texts.iter().any(|text| not.contains(&text.as_str())),
            "{texts:?}"
        );
    };
    let flags = ["trainable=True", "trainable=False"];
    says(
        Part::Side(Mode::Training),
        &[flags[0], flags[1], "training=True"],
        &["training=False"],
    );
    says(
        Part::Side(Mode::Inference),
        &[flags[0], flags[1], "training=False"],
        &["training=True"],
    );
    let plots = drawn_as(&app, View::Trainable, Part::View, None)
        .expect("a figure")
        .plots;
    assert!(plots.contains(&"Frozen, right card"), "{plots:?}");
    says(
        Part::Plot("Frozen, right card"),
        &[flags[1], "training=False"],
        &[flags[0], "training=True"],
    );
}

#[test]
fn a_part_is_captioned_with_its_name_alone() {
    let app = computed(View::Augmentation, Semantics::Keras3);
    let caption = |part| {
        let svg = drawn_as(&app, View::Augmentation, part, None)
            .expect("a figure")
            .svg;
        texts(&svg).join(" ")
    };
    assert!(caption(Part::View).contains("flipped"));
    let row = caption(Part::Plot("Left row 1"));
    assert!(
        row.contains("Left row 1, training=True") && row.contains("seed 7"),
        "{row}"
    );
    assert!(!row.contains("nine") && !row.contains("of 9"), "{row}");
    let side = caption(Part::Side(Mode::Inference));
    assert!(
        side.contains("training=False") && !side.contains("of 9"),
        "{side}"
    );
    let app = computed(View::BatchNorm, Semantics::Keras3);
    let svg = drawn_as(&app, View::BatchNorm, Part::Side(Mode::Inference), None);
    let svg = svg.expect("a figure").svg;
    assert!(
        !svg.contains("same axis") && svg.contains("100 values = 4 photos"),
        "{:?}",
        texts(&svg)
    );
}

#[test]
fn classes_alone_keep_their_axis() {
    let app = computed(View::Predict, Semantics::Keras3);
    let svg = drawn_as(&app, View::Predict, Part::Plot("Left classes"), None);
    let texts = texts(&svg.expect("a figure").svg);
    for shown in ["0", "0.5", "1", "training=True"] {
        assert!(texts.iter().any(|text| text == shown), "{shown}: {texts:?}");
    }
}

#[test]
fn no_formula_is_cut_off() {
    for semantics in Semantics::ALL {
        let app = computed(View::BatchNorm, semantics);
        for width in [760.0, 980.0] {
            let size = Some([width, 700.0]);
            let svg = drawn_as(&app, View::BatchNorm, Part::View, size)
                .expect("a figure")
                .svg;
            let texts = texts(&svg);
            let formula = |text: &&String| {
                text.starts_with("y = ") || text.contains(" + ") || text.contains(" → ")
            };
            let formulas: Vec<_> = texts.iter().filter(formula).collect();
            assert!(formulas.len() >= 2, "{texts:?}");
            assert!(
                formulas.iter().all(|text| !text.contains('…')),
                "{formulas:?}"
            );
        }
    }
}

#[test]
fn the_window_shows_neither_files_nor_times() {
    let mut app = computed(View::BatchNorm, Semantics::Keras3);
    let window = |app: &App| {
        let size = Some([1280.0, 800.0]);
        drawn_as(app, View::BatchNorm, Part::Window, size)
            .expect("a figure")
            .svg
    };
    let first = window(&app);
    app.state_mut().computed.saved = Some("/private/place/bn_view.png".into());
    let mut other = computed(View::BatchNorm, Semantics::Keras3);
    other.state_mut().computed.saved = None;
    assert!(!window(&app).contains("private") && !first.contains(" s</text>"));
    assert!(window(&app) == first && window(&other) == first);
}

#[test]
fn a_few_units_fill_a_large_page() {
    let app = computed(View::Dropout, Semantics::Keras3);
    let mask = |size| {
        let drawn = drawn_as(&app, View::Dropout, Part::View, Some(size)).expect("a figure");
        let tree = png::raster(&drawn.svg, 400).expect("pixels");
        let [width, height] = tree.size;
        // Rows of the left half with ink of a unit, of all rows.
        let inked = (0..height).filter(|y| {
            let row = &tree.rgba[y * width + 12..y * width + width / 2 - 12];
            row.windows(2).any(|pair| pair[0] != pair[1])
        });
        inked.count() as f32 / height as f32
    };
    assert!(mask([8000.0, 8000.0]) > 0.5, "{}", mask([8000.0, 8000.0]));
}

#[test]
fn nothing_is_left_where_a_file_beside_cannot_be_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("a.svg");
    std::fs::create_dir(folder.path().join("a.csv")).expect("a folder");
    let done = figure(&["augmentation", "--csv", "--sidecar", "--out", text(&out)]);
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(
        said.contains("not written (it is a folder)") && said.contains("a.csv"),
        "{said}"
    );
    let left = std::fs::read_dir(folder.path())
        .expect("the folder")
        .count();
    assert_eq!(left, 1, "nothing but the folder");
}

#[test]
fn numbers_of_draws_and_factors_are_plain() {
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
    let sidecar: serde_json::Value = serde_json::from_str(&read("a.json")).expect("JSON");
    assert_eq!(
        sidecar["augmentation"],
        serde_json::json!(["RandomFlip(\"horizontal\")", "RandomRotation(0.2)"])
    );
    assert_eq!(sidecar["recorded"], false);
    assert_eq!(sidecar["redraws"], 0);
    assert_eq!(sidecar["call"], "True");
    written(folder.path(), "b.svg", &["dropout", "--sidecar"]);
    let sidecar: serde_json::Value = serde_json::from_str(&read("b.json")).expect("JSON");
    let rate = sidecar["rate"].as_f64().expect("a rate");
    assert!((0.0..1.0).contains(&rate) && rate > 0.0, "{rate}");
}

#[test]
fn the_dialog_sets_widths_and_outlines() {
    let mut window = open(AppOptions::default());
    command(&mut window, Action::Show(View::Augmentation));
    window.key_press_modifiers(Modifiers::COMMAND, Key::E);
    settle(&mut window);
    let figure = |window: &Window| window.state().state().export.drawn.clone();
    click(&mut window, "px wide");
    assert_eq!(figure(&window).and_then(|f| f.png_width), Some(1600));
    click(&mut window, "mm wide");
    let drawn = figure(&window).expect("a drawing");
    // 160 mm at 300 dpi.
    assert_eq!((drawn.png_width, drawn.dpi), (Some(1890), Some(300)));
    window.check_accessibility();
    click(&mut window, "SVG");
    click(&mut window, "Letters as outlines");
    let drawn = figure(&window).expect("a drawing");
    assert!(drawn.svg.contains("width=\"160mm\"") && drawn.outline && drawn.png_width.is_none());
    // So many pixels cannot be drawn: it says so, and there is nothing to save.
    let choice = choice(&window).expect("an open dialog");
    let width = Width::Millimetres {
        mm: 9999.0,
        dpi: 300.0,
    };
    command(
        &mut window,
        ExportCommand::Choose(ExportChoice { width, ..choice }),
    );
    assert!(figure(&window).is_none() && shows(&window, "pixels wide"));
    command(&mut window, Action::Show(View::FineTune));
    let column = window.get_by_label("Left column");
    assert!(column.accesskit_node().is_disabled());
}

/// A class named in letters that the bundled fonts lack.
#[test]
fn letters_that_become_boxes_are_told_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let photos = folder.path().join("photos");
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/photos/fish");
    for (class, photo) in [("猫", "fish1.webp"), ("plain", "fish2.webp")] {
        let to = photos.join(class);
        std::fs::create_dir_all(&to).expect("a folder");
        std::fs::copy(bundled.join(photo), to.join(photo)).expect("a photo");
    }
    let said = |name: &str, more: &[&str]| {
        let out = folder.path().join(name);
        let args = ["augmentation", "--input", text(&photos), "--caption"];
        let done = figure(&[&args, &["--photo", "猫", "--out", text(&out)], more].concat());
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{said}");
        said
    };
    for (name, more) in [("a.png", &[][..]), ("b.svg", &["--outline-text"])] {
        let said = said(name, more);
        assert_eq!(said.matches("warning: boxes").count(), 1, "{said}");
        assert!(
            said.contains("(猫)") && said.contains("an SVG without"),
            "{said}"
        );
    }
    assert_eq!(said("c.svg", &[]), "");
    let svg = std::fs::read_to_string(folder.path().join("c.svg")).expect("the figure");
    assert!(svg.contains('猫'), "the text is kept");
    // All figures of a command are told of at once.
    let all = folder.path().join("all");
    let done = figure(&[
        "--all",
        text(&all),
        "--format",
        "png",
        "--input",
        text(&photos),
        "--photo",
        "猫",
        "--batch",
        "2",
        "--caption",
    ]);
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    assert_eq!(said.matches("warning: boxes").count(), 1, "{said}");
}
