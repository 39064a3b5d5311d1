//! The contents of figures of a view, a column or a plot.

use eframe::egui::Context;
use egui_svg::{Images, png};
use modelens::app::{App, AppOptions};
use modelens::command::{Action, Command as ModelensCommand};
use modelens::figure::{DrawError, Drawn, PageSize, What, draw};
use modelens::model::{Mode, Semantics};
use modelens::state::Part;
use modelens::state::View;
use modelens::theme::fonts::FOR_FIGURES;

use crate::support::window::in_context;

/// An app with the bundled model and results for this view.
fn computed(view: View, semantics: Semantics) -> App {
    let ctx = Context::default();
    let mut app = in_context(&ctx, AppOptions::default());
    let commands = [
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
        part,
        size: size.map_or(PageSize::Natural, PageSize::Exact),
        caption: true,
        ..What::of(view)
    };
    draw(
        app.state(),
        &Images::without_window(&Context::default()),
        &what,
    )
}

/// The texts of a drawing in document order. Each letter has a tag of its own.
pub fn texts(svg: &str) -> Vec<String> {
    let elements = svg.split("<text").skip(1);
    let elements = elements.filter_map(|part| part.split_once("</text>"));
    let without_tags = |(element, _): (&str, &str)| {
        let parts = element.split('>').skip(1);
        parts.filter_map(|part| part.split('<').next()).collect()
    };
    elements.map(without_tags).collect()
}

#[test]
fn every_view_fits_the_smallest_size_that_it_names() {
    for view in View::ALL.into_iter().filter(|view| !view.shows_runs()) {
        let app = computed(view, Semantics::Keras3);
        for part in [
            Part::View,
            Part::Side(Mode::Training),
            Part::Side(Mode::Inference),
        ] {
            if part != Part::View && view.page().sides(app.state()).is_none() {
                continue;
            }
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
fn a_single_card_names_its_switches() {
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
fn the_caption_of_a_part_names_only_that_part() {
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
    let texts = texts(&svg.expect("a figure").svg).join("\n");
    assert!(
        !texts.contains("same axis") && texts.contains("25,600 values = 4 photos"),
        "{texts}"
    );
}

#[test]
fn the_class_plot_keeps_its_axis() {
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
    assert!(!window(&app).contains("private"));
    assert!(!texts(&first).iter().any(|text| text.ends_with(" s")));
    assert!(window(&app) == first && window(&other) == first);
}

#[test]
fn a_few_units_fill_a_large_page() {
    let app = computed(View::Dropout, Semantics::Keras3);
    let mask = |size| {
        let drawn = drawn_as(&app, View::Dropout, Part::View, Some(size)).expect("a figure");
        let tree = png::raster(&drawn.svg, 400, &FOR_FIGURES).expect("pixels");
        let [width, height] = tree.size;
        // The share of rows in which the left half shows a unit.
        let inked = (0..height).filter(|y| {
            let row = &tree.rgba[y * width + 12..y * width + width / 2 - 12];
            row.windows(2).any(|pair| pair[0] != pair[1])
        });
        inked.count() as f32 / height as f32
    };
    assert!(mask([8000.0, 8000.0]) > 0.5, "{}", mask([8000.0, 8000.0]));
}
