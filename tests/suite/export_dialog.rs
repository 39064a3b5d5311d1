//! The export dialog, driven by label.

use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_svg::{Width, smallest_text};
use modelens::command::{Action, ExportCommand, ShellCommand, WalkCommand};
use modelens::model::Mode;
use modelens::state::Part;
use modelens::state::{ExportChoice, FigureFormat, FigureTheme, View};
use modelens::theme::text::BODY;
use modelens_jobs::{Event, FigureKind, FigureTo, Request};

use crate::animations::frames;
use crate::figure_parts::texts;
use crate::print_figures::layout_width;
use crate::support::looks::answer;
use crate::support::program::text;
use crate::support::window::{Window, click, command, open, settle, shows, small};

fn choice(window: &Window) -> Option<ExportChoice> {
    window.state().state().export.choice
}

#[test]
fn the_dialog_chooses_draws_and_copies() {
    let mut window = open(small());
    command(&mut window, Action::Show(View::BatchNorm));
    window.key_press_modifiers(Modifiers::COMMAND, Key::E);
    settle(&mut window);
    let first = choice(&window).expect("an open dialog");
    assert_eq!(
        (first.part, first.format, first.width, first.caption),
        (Part::View, FigureFormat::Png, Width::Scale(2.0), true)
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
    assert_eq!(drawn(&window).kind.pixels(), Some(1960));
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
    assert_eq!(
        (now.format, now.theme, now.caption),
        (FigureFormat::Svg, FigureTheme::Dark, false)
    );
    let svg = drawn(&window).svg().to_owned();
    let shown = texts(&svg).join("\n");
    assert!(
        svg.contains("#16181b")
            && shown.contains("training=False")
            && !shown.contains("training=True")
    );
    click(&mut window, "One plot");
    assert_eq!(
        choice(&window).map(|c| c.part),
        Some(Part::Plot("All layers"))
    );
    click(&mut window, "Plot All layers");
    click(&mut window, "Further batches");
    let svg = drawn(&window).svg().to_owned();
    let shown = texts(&svg).join("\n");
    assert!(!shown.contains("training=False") && svg.len() < 40_000);
    window.check_accessibility();
    // Values measured while the dialog is open appear in the figure.
    let before = drawn(&window).svg().to_owned();
    command(&mut window, WalkCommand::Run);
    assert_ne!(drawn(&window).svg(), before);
    // Changing the view drops the chosen plot.
    command(&mut window, Action::Show(View::Dropout));
    assert_eq!(choice(&window).map(|c| c.part), Some(Part::View));
    command(&mut window, Action::Show(View::BatchNorm));
    click(&mut window, "The whole window");
    let svg = drawn(&window).svg().to_owned();
    assert!(svg.contains("width=\"1280\" height=\"800\"") && svg.contains("<image "));
    command(&mut window, ExportCommand::Copy);
    assert!(shows(&window, "on the clipboard"));
    window.key_press(Key::Escape);
    settle(&mut window);
    assert_eq!(choice(&window), None);
}

#[test]
fn the_dialog_sets_widths_and_outlines() {
    let mut window = open(small());
    command(&mut window, Action::Show(View::Augmentation));
    window.key_press_modifiers(Modifiers::COMMAND, Key::E);
    settle(&mut window);
    let figure = |window: &Window| window.state().state().export.drawn.clone();
    click(&mut window, "px wide");
    assert_eq!(figure(&window).and_then(|f| f.kind.pixels()), Some(1600));
    click(&mut window, "mm wide");
    let drawn = figure(&window).expect("a drawing");
    // 160 mm at 300 dpi.
    let print = FigureKind::Png {
        width: 1890,
        dpi: Some(300),
    };
    assert_eq!(drawn.kind, print);
    window.check_accessibility();
    click(&mut window, "SVG");
    click(&mut window, "Letters as outlines");
    let drawn = figure(&window).expect("a drawing");
    assert!(drawn.svg().contains("width=\"160mm\""));
    assert_eq!(drawn.kind, FigureKind::Svg { outline: true });
    click(&mut window, "Text at least");
    let drawn = figure(&window).expect("a drawing");
    assert!(smallest_text(drawn.svg(), BODY) * 453.5 / layout_width(drawn.svg()) > 6.95);
    click(&mut window, "For Any page");
    click(&mut window, "IEEE column");
    click(&mut window, "PDF");
    click(&mut window, "White");
    window.check_accessibility();
    let drawn = figure(&window).expect("a drawing");
    assert!(drawn.svg().contains("width=\"88.9mm\"") && drawn.kind == FigureKind::Pdf);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.pdf");
    let to = FigureTo::File(path.clone());
    let saved = answer(Request::Figure { figure: drawn, to });
    assert!(matches!(saved, Event::Saved(_)));
    assert!(std::fs::read(path).expect("the PDF").starts_with(b"%PDF"));
    click(&mut window, "For IEEE column");
    click(&mut window, "Any page");
    // The dialog refuses this many pixels and offers nothing to save.
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

#[test]
fn the_dialog_writes_both_themes_and_animations() {
    let mut window = open(small());
    command(&mut window, Action::Show(View::Augmentation));
    window.key_press_modifiers(Modifiers::COMMAND, Key::E);
    settle(&mut window);
    let is_disabled = |window: &Window, label: &str| {
        let widget = window.get_by_label(label);
        widget.accesskit_node().is_disabled()
    };
    // A PNG has one theme.
    assert!(is_disabled(&window, "Auto"));
    for label in ["SVG", "Auto"] {
        click(&mut window, label);
    }
    let figure = |window: &Window| window.state().state().export.drawn.clone();
    let drawn = figure(&window).expect("a drawing");
    assert!(drawn.svg().contains("prefers-color-scheme"));
    assert!(is_disabled(&window, "White"));
    click(&mut window, "GIF");
    assert!(is_disabled(&window, "The whole window"));
    let now = choice(&window).expect("an open dialog");
    assert_eq!(
        (now.theme, now.width),
        (FigureTheme::Light, Width::Scale(1.0))
    );
    let count = window.state().state().export.moments;
    assert!(shows(&window, &format!("{count} frames")));
    command(&mut window, ExportCommand::Save);
    // The dialog for the path comes after the last frame.
    settle(&mut window);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("draws.gif");
    command(&mut window, ShellCommand::TypePath(text(&path).to_owned()));
    command(&mut window, ShellCommand::TakePath);
    settle(&mut window);
    let gif = std::fs::read(&path).expect("the animation");
    assert_eq!((frames(&gif), count), (9, 9));
    // The window shows what it showed before.
    assert_eq!(window.state().state().grid.open, None);
    window.check_accessibility();
    command(&mut window, Action::Show(View::Predict));
    assert!(is_disabled(&window, "APNG") && figure(&window).is_none());
    assert!(shows(&window, "Nothing moves here yet"));
}
