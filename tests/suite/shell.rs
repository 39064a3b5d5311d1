//! Undo, the command palette, lecture mode, zoom and remembered settings.

use std::path::Path;

use eframe::egui::{Key, Modifiers, Shape, Vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use modelens::app::AppOptions;
use modelens::command::{
    Action, Command, NoiseCommand, PipelineCommand, ShellCommand, WalkCommand,
};
use modelens::model::{Mode, Outer, Semantics};
use modelens::panels::choices;
use modelens::state::{Settings, Sheet, State, ThemeChoice, View};
use modelens_jobs::{Grid, ModelSource, PhotosSource};

use crate::support::files::{fixture, repository};
use crate::support::window::{
    Window, as_started, click, command, open, settle, shows, sized, small,
};

fn state(window: &Window) -> &State {
    window.state().state()
}

fn settings(window: &Window) -> &Settings {
    &state(window).settings
}

fn press(window: &mut Window, modifiers: Modifiers, key: Key) {
    window.key_press_modifiers(modifiers, key);
    settle(window);
}

const CTRL: Modifiers = Modifiers::COMMAND;

fn ctrl_shift() -> Modifiers {
    CTRL.plus(Modifiers::SHIFT)
}

/// Everything that undo restores, as text: settings, flags, layers, photo.
fn chosen(window: &Window) -> String {
    let state = state(window);
    let base = state.opened.base.as_ref().expect("an open base");
    let gallery = state.opened.gallery.as_ref().expect("open photos");
    let mut settings = state.settings.clone();
    settings.view = View::Augmentation;
    format!(
        "{settings:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        base.flags,
        base.compiled,
        base.batch_norm,
        base.noise,
        base.channel,
        gallery.photo,
        state.grid.cell_redraws,
        base.noise_rates,
        state.walk.momentum,
    )
}

#[test]
fn every_setting_is_undone_and_redone() {
    let mut window = open(small());
    let base = state(&window).opened.base.as_ref().expect("an open base");
    let norm = base.batch_norms[3];
    let changes: Vec<Command> = vec![
        Action::FreezeAll.into(),
        Action::Compile.into(),
        Action::UnfreezeAll.into(),
        Command::SetTrainable(norm, false),
        Command::SetFineTuneFrom(100),
        Action::FineTuneFrom.into(),
        Action::ResetFlags.into(),
        Command::Record(None),
        Command::SetSemantics(Some(Semantics::PyTorch)),
        Command::SetCall(Outer::Given(Mode::Inference)),
        Command::SetBatch(3),
        Command::SetSeed(11),
        Action::NewSeed.into(),
        Command::LockSeed(true),
        Command::AugmentBatch(true),
        Command::SetPhoto(2),
        Action::NextPhoto.into(),
        Command::ShowLayer(norm),
        Command::SetChannel(5),
        Command::SortChannels(false),
        Command::SetTheme(ThemeChoice::Dark),
        NoiseCommand::SetRate(0.7).into(),
        NoiseCommand::SetPasses(8).into(),
        Command::SetPasses(3),
        WalkCommand::SetMomentum(Some(0.5)).into(),
        PipelineCommand::SetGrid(Grid::NinePhotos).into(),
        PipelineCommand::Remove(0).into(),
        Action::Redraw.into(),
        Action::ResetSettings.into(),
    ];
    let mut states = vec![chosen(&window)];
    for change in changes {
        let what = format!("{change:?}");
        command(&mut window, change);
        let now = chosen(&window);
        assert_ne!(states.last(), Some(&now), "{what} changes something");
        states.push(now);
    }
    let last = states.len() - 1;
    for before in states[..last].iter().rev() {
        press(&mut window, CTRL, Key::Z);
        assert_eq!(chosen(&window), *before);
    }
    for (i, after) in states[1..].iter().enumerate() {
        let modifiers = if i % 2 == 0 { ctrl_shift() } else { CTRL };
        let key = if i % 2 == 0 { Key::Z } else { Key::Y };
        press(&mut window, modifiers, key);
        assert_eq!(chosen(&window), *after, "redo {i}");
    }
    // A new change clears the redo history.
    press(&mut window, CTRL, Key::Z);
    command(&mut window, Command::SetBatch(2));
    assert!(!state(&window).shell.can_undo[1]);
}

#[test]
fn undo_skips_changes_of_the_view() {
    let mut window = open(small());
    click(&mut window, "Freeze all");
    let frozen = chosen(&window);
    command(&mut window, Action::Show(View::Dropout));
    command(&mut window, Action::Show(View::BatchNorm));
    press(&mut window, CTRL, Key::Z);
    assert_ne!(chosen(&window), frozen, "the flags are restored");
}

#[test]
fn one_drag_is_one_undo_step() {
    let mut window = open(small());
    let before = settings(&window).batch;
    let place = window.get_by_label("Batch size").rect().center();
    window.drag_at(place);
    window.run_steps(1);
    for i in 1..=10 {
        window.hover_at(place + Vec2::new(10.0 * i as f32, 0.0));
        window.run_steps(1);
    }
    window.drop_at(place + Vec2::new(100.0, 0.0));
    settle(&mut window);
    let dragged = settings(&window).batch;
    assert!(dragged > before + 2, "{before} to {dragged}");
    press(&mut window, CTRL, Key::Z);
    assert_eq!(settings(&window).batch, before, "undone in one step");
    press(&mut window, CTRL, Key::Y);
    assert_eq!(settings(&window).batch, dragged);
}

#[test]
fn the_command_palette_finds_commands_and_carries_them_out() {
    let mut window = open(small());
    let type_text = |window: &mut Window, text: &str| {
        window.get_by_label("Find a command").type_text(text);
        settle(window);
    };
    press(&mut window, CTRL, Key::P);
    assert!(state(&window).shell.search.is_some());
    type_text(&mut window, "theme dark");
    assert!(shows(&window, "Theme: Dark"));
    assert!(!shows(&window, "Theme: Light"));
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(settings(&window).theme, ThemeChoice::Dark);
    assert!(state(&window).shell.search.is_none(), "it closes");
    // The arrow keys choose the second set of rules.
    press(&mut window, CTRL, Key::P);
    type_text(&mut window, "rules of:");
    press(&mut window, Modifiers::NONE, Key::ArrowDown);
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(settings(&window).semantics, Some(Semantics::Keras2));
    // An unavailable command says why and does nothing.
    press(&mut window, CTRL, Key::P);
    type_text(&mut window, "next step");
    assert!(shows(&window, "Next step"));
    let row = window.get_by_label("Next step");
    let said = row
        .accesskit_node()
        .data()
        .description()
        .unwrap_or_default();
    assert!(said.contains("no lesson is open"), "{said}");
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert!(state(&window).shell.search.is_some(), "it stays open");
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(state(&window).shell.search.is_none());
    // A click works, too.
    press(&mut window, CTRL, Key::P);
    type_text(&mut window, "block_13_project");
    click(&mut window, "Layer: block_13_project_BN");
    assert_eq!(settings(&window).view, View::BatchNorm);
}

/// Carries out every command that the palette offers.
#[test]
fn every_command_of_the_palette_can_be_carried_out() {
    let mut window = open(small());
    let table = choices(state(&window));
    assert!(table.len() > 300, "{}", table.len());
    let dialogs = [
        Action::OpenBase,
        Action::OpenPhotos,
        Action::OpenPhotoFile,
        Action::OpenLesson,
    ];
    for choice in table {
        let opens_a_dialog = dialogs.iter().any(|&a| choice.command == a.into());
        let many = ["Photo: ", "Freeze block", "Unfreeze block", "Layer: block"];
        let repeated = many.iter().any(|prefix| choice.name.starts_with(prefix));
        let saves = [Action::SaveLesson, Action::Export].map(Command::from);
        if opens_a_dialog || repeated || saves.contains(&choice.command) {
            continue;
        }
        let ctx = window.ctx.clone();
        window.state_mut().command(&ctx, choice.command);
        window.run_steps(1);
    }
    settle(&mut window);
    let notices = &state(&window).computed.notices;
    let said: Vec<_> = notices.iter().map(|n| (&n.title, &n.text)).collect();
    assert!(said.is_empty(), "{said:?}");
}

#[test]
fn lecture_mode_shows_only_the_columns_enlarged() {
    for (size, at_least) in [
        ([800.0, 600.0], 1.0),
        ([1280.0, 800.0], 1.2),
        ([1920.0, 1080.0], 1.8),
    ] {
        let mut window = sized(size, small());
        if size == [800.0, 600.0] {
            // In a window this small the panel is hidden at first.
            press(&mut window, CTRL, Key::B);
        }
        assert!(shows(&window, "Search layers"), "the panel, before");
        press(&mut window, Modifiers::NONE, Key::F5);
        let zoom = window.ctx.zoom_factor();
        assert!(zoom >= at_least, "{size:?}: {zoom}");
        for view in View::ALL {
            command(&mut window, Action::Show(view));
            assert!(
                !shows(&window, "Search layers"),
                "{size:?} {view:?}: no panel"
            );
            assert!(window.query_by_label("Export...").is_none());
            // Fine-tune shows runs instead of two columns.
            if view != View::FineTune {
                assert!(shows(&window, "training=True"), "{size:?} {view:?}");
                assert!(shows(&window, "training=False"), "{size:?} {view:?}");
            }
            window.check_accessibility();
        }
        press(&mut window, Modifiers::NONE, Key::Questionmark);
        assert_eq!(state(&window).shell.sheet, Some(Sheet::Keys));
        assert!(shows(&window, "Lecture mode"), "the keys are listed");
        press(&mut window, Modifiers::NONE, Key::Escape);
        assert_eq!(state(&window).shell.sheet, None);
        assert!(
            state(&window).shell.lecture.is_some(),
            "one thing at a time"
        );
        press(&mut window, Modifiers::NONE, Key::Escape);
        assert!(state(&window).shell.lecture.is_none());
        assert_eq!(window.ctx.zoom_factor(), 1.0);
        assert!(window.query_by_label("Export...").is_some());
    }
}

#[test]
fn the_window_zooms_by_keys() {
    let mut window = open(small());
    press(&mut window, CTRL, Key::Plus);
    assert!((window.ctx.zoom_factor() - 1.1).abs() < 1e-6);
    press(&mut window, CTRL, Key::Minus);
    press(&mut window, CTRL, Key::Minus);
    assert!((window.ctx.zoom_factor() - 0.9).abs() < 1e-6);
    press(&mut window, CTRL, Key::Num0);
    assert_eq!(window.ctx.zoom_factor(), 1.0);
}

fn started(folder: &Path) -> Window {
    let options = AppOptions {
        settings: Some(folder.to_owned()),
        reopen: true,
        ..AppOptions::default()
    };
    as_started(options)
}

#[test]
fn settings_zoom_and_files_are_remembered_and_reset() {
    let folder = tempfile::tempdir().expect("a folder");
    let photos = tempfile::tempdir().expect("a folder");
    let fish = repository("assets/photos/fish");
    for name in ["fish1.webp", "fish2.webp"] {
        std::fs::copy(fish.join(name), photos.path().join(name)).expect("a photo");
    }
    let mut window = started(folder.path());
    assert_eq!(settings(&window).view, View::Start, "the first start");
    click(&mut window, "Go to the views");
    assert_eq!(settings(&window).view, View::Augmentation);
    command(&mut window, Command::SetBatch(4));
    command(&mut window, Command::SetTheme(ThemeChoice::Dark));
    command(&mut window, Command::SetSemantics(Some(Semantics::PyTorch)));
    let source = PhotosSource::Folder(photos.path().to_owned());
    command(&mut window, Command::OpenPhotos(source.clone()));
    press(&mut window, CTRL, Key::Plus);
    let before = settings(&window).clone();
    drop(window);

    let mut window = started(folder.path());
    assert_eq!(*settings(&window), before);
    assert!((window.ctx.zoom_factor() - 1.1).abs() < 1e-6);
    assert_eq!(state(&window).shell.recent.photos, [photos.path()]);
    let opened = |window: &Window| {
        let gallery = state(window).opened.gallery.as_ref();
        gallery.expect("open photos").source.clone()
    };
    assert_eq!(opened(&window), source, "what was open is open again");
    click(&mut window, "Photos 2 in 1 class");
    click(&mut window, "Bundled photos");
    assert_eq!(opened(&window), PhotosSource::Bundled);
    command(&mut window, Action::ResetSettings);
    assert_eq!(*settings(&window), Settings::default());
    assert_eq!(window.ctx.zoom_factor(), 1.0);
    command(&mut window, ShellCommand::ForgetRecent);
    drop(window);

    let window = started(folder.path());
    assert_eq!(settings(&window).theme, ThemeChoice::System);
    assert!(state(&window).shell.recent.photos.is_empty());
}

/// Rules are chosen for a model, so they are remembered with it.
#[test]
fn rules_are_remembered_with_their_model() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = tempfile::tempdir().expect("a folder");
    let file = files.path().join("model.h5");
    std::fs::copy(fixture("bnnet_keras3/model.h5"), &file).expect("a model");
    let source = ModelSource::File(file.clone());
    let named = |model: ModelSource, reopen: bool| {
        let options = AppOptions {
            model,
            settings: Some(folder.path().to_owned()),
            reopen,
            ..AppOptions::default()
        };
        sized([1280.0, 800.0], options)
    };
    let open = |window: &Window| {
        let base = state(window).opened.base.as_ref();
        base.expect("an open base").source.clone()
    };
    let mut window = named(source.clone(), false);
    let rules = Some(Semantics::PyTorch);
    command(&mut window, Command::SetSemantics(rules));
    drop(window);
    let window = named(ModelSource::Lab, true);
    assert_eq!(
        (open(&window), settings(&window).semantics),
        (source.clone(), rules)
    );
    drop(window);
    let window = named(ModelSource::EfficientNetLite0, false);
    assert_eq!(settings(&window).semantics, None, "another model is named");
    drop(window);
    let mut window = named(source, false);
    command(&mut window, Command::SetSemantics(rules));
    drop(window);
    std::fs::remove_file(file).expect("a file");
    let window = named(ModelSource::Lab, true);
    assert_eq!(
        (open(&window), settings(&window).semantics),
        (ModelSource::Lab, None)
    );
    assert!(shows(&window, "What was open last could not be opened"));
}

#[test]
fn a_broken_settings_file_gives_a_notice_and_the_defaults() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("settings.json"), "{broken").expect("a file");
    let window = started(folder.path());
    let defaults = Settings {
        // The network's own.
        pipeline: settings(&window).pipeline.clone(),
        ..Settings::default()
    };
    assert_eq!(*settings(&window), defaults);
    assert!(shows(&window, "The settings could not be read"));
    let aside = folder.path().join("settings.unreadable-1.json");
    assert_eq!(std::fs::read_to_string(aside).expect("kept"), "{broken");
}

#[test]
fn without_a_folder_nothing_is_written() {
    let mut window = open(AppOptions::default());
    command(
        &mut window,
        Command::OpenModel(ModelSource::EfficientNetLite0),
    );
    assert!(
        state(&window).shell.recent.models.is_empty(),
        "bundled models are always in the menu"
    );
}

/// The ring is drawn around the pointer, and only in lecture mode.
#[test]
fn a_ring_follows_the_pointer_in_a_lecture() {
    let mut window = open(small());
    let place = eframe::egui::pos2(640.0, 300.0);
    let rings = |window: &Window| {
        let shapes = window.output().shapes.iter();
        let rings = shapes.filter(|clipped| match &clipped.shape {
            Shape::Circle(circle) => {
                let radius = modelens::theme::sizes::POINTER_RING;
                circle.radius == radius && circle.center.distance(place) < 1.0
            }
            _ => false,
        });
        rings.count()
    };
    window.hover_at(place);
    window.run_steps(2);
    assert_eq!(rings(&window), 0);
    press(&mut window, Modifiers::NONE, Key::F5);
    window.hover_at(place);
    window.run_steps(2);
    assert_eq!(rings(&window), 1);
    press(&mut window, Modifiers::NONE, Key::Escape);
    window.hover_at(place);
    window.run_steps(2);
    assert_eq!(rings(&window), 0);
}
