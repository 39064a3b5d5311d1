//! The window as a whole: opening, views, toggles, keys, broken files.

use std::path::PathBuf;

use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use modelens::app::AppOptions;
use modelens::command::{Action, Command};
use modelens::model::counts::{Counts, counts};
use modelens::model::{Mode, Outer, Semantics};
use modelens::state::{Base, ThemeChoice, View};
use modelens_jobs::{ModelSource, PhotosSource};

use crate::support::files::{drawn, fixture, repository};
use crate::support::models::small_lab;
use crate::support::window::{Window, click, command, open, photo, settle, shows, sized, small};

fn base(window: &Window) -> &Base {
    window
        .state()
        .state()
        .opened
        .base
        .as_ref()
        .expect("an open base")
}

fn counted(window: &Window) -> Counts {
    let base = base(window);
    counts(&base.model, &base.flags, window.state().state().semantics())
}

#[test]
fn it_opens_on_the_bundled_base_and_photos() {
    let window = open(AppOptions::default());
    assert!(shows(&window, "MobileNetV2"));
    assert!(shows(&window, "93 in 4 classes"));
    for number in ["2,263,108", "5,124", "2,257,984"] {
        assert!(shows(&window, number), "{number}");
    }
    let gallery = window
        .state()
        .state()
        .opened
        .gallery
        .as_ref()
        .expect("open photos");
    assert_eq!(
        gallery.chosen().map(|p| p.name.as_str()),
        Some("fish/fish9.webp")
    );
    assert!(window.state().state().computed.notices.is_empty());
}

#[test]
fn each_view_shows_both_columns_in_every_semantics_and_theme() {
    for source in [small_lab(), ModelSource::EfficientNetLite0] {
        let mut window = open(AppOptions {
            model: source,
            ..AppOptions::default()
        });
        for semantics in Semantics::ALL {
            command(&mut window, Command::SetSemantics(Some(semantics)));
            for (key, view) in [Key::Num1, Key::Num2, Key::Num3]
                .into_iter()
                .zip(View::ALL.into_iter().skip(1))
            {
                window.key_press(key);
                settle(&mut window);
                // A theme changes no result, so each is computed once.
                for theme in [ThemeChoice::Light, ThemeChoice::Dark] {
                    command(&mut window, Command::SetTheme(theme));
                    let what = format!("{semantics:?} {view:?} {theme:?}");
                    let state = window.state().state();
                    assert_eq!(state.settings.view, view);
                    assert!(state.computed.result(view).is_some(), "{what}");
                    assert!(state.computed.notices.is_empty(), "{what}");
                    let columns = match semantics {
                        Semantics::PyTorch => ["model.train()", "model.eval()"],
                        Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => {
                            ["training=True", "training=False"]
                        }
                    };
                    for column in columns {
                        assert!(shows(&window, column), "{what}: {column}");
                    }
                    window.check_accessibility();
                }
            }
        }
    }
}

#[test]
fn a_toggle_changes_counts_and_lamps_at_once() {
    let mut window = open(small());
    command(&mut window, Action::Show(View::BatchNorm));
    let of_file = counted(&window);
    command(&mut window, Command::SetFineTuneFrom(120));
    command(&mut window, Action::FineTuneFrom);
    let before = counted(&window);
    let layer = base(&window).model.graph.find("block_13_project_BN");
    let layer = layer.expect("a BatchNorm of the base");
    command(&mut window, Command::ShowLayer(layer));
    let uses_batch = |window: &Window| {
        let base = base(window);
        let outer = Outer::Given(Mode::Training);
        base.flags
            .effective(&base.model, layer, outer, Semantics::Keras3)
            .active
    };
    assert!(uses_batch(&window));
    assert!(shows(&window, "normalises with the batch"));
    click(&mut window, "block_13_project_BN trainable");
    let after = counted(&window);
    // Gamma and beta of 160 channels.
    assert_eq!(after.trainable, before.trainable - 320);
    assert_eq!(after.total, before.total);
    assert!(!uses_batch(&window), "the rule of the lamp");
    // 1,624,896 from layer 120 on, and 5,124 in the head.
    assert_eq!(before.trainable, 1_630_020);
    assert!(shows(&window, "1,629,700"), "the count in the panel");
    assert!(
        !shows(&window, "normalises with the batch"),
        "both sides use the stored statistics"
    );
    click(&mut window, "Freeze all");
    assert_eq!(counted(&window).trainable, 0);
    click(&mut window, "Unfreeze all");
    assert_eq!(counted(&window).trainable, 2_223_872 + 5_124);
    click(&mut window, "Reset to file");
    assert_eq!(counted(&window), of_file);
}

#[test]
fn trainable_has_no_effect_on_dropout() {
    let mut window = open(small());
    command(&mut window, Action::Show(View::Dropout));
    let dropped = |window: &Window| {
        let result = window
            .state()
            .state()
            .computed
            .result(View::Dropout)
            .cloned();
        match result.map(|r| r.outcome.clone()) {
            Some(modelens_jobs::Outcome::Dropout(outcome)) => outcome.training.mask,
            _ => panic!("a dropout outcome"),
        }
    };
    let before = dropped(&window);
    click(&mut window, "dropout trainable");
    assert_eq!(dropped(&window), before);
    assert!(shows(&window, "has no effect"));
}

#[test]
fn a_broken_file_gives_a_notice_and_keeps_the_state() {
    let folder = tempfile::tempdir().expect("a folder");
    let broken = folder.path().join("broken.h5");
    std::fs::write(&broken, "no model").expect("a file");
    let mut window = open(small());
    click(&mut window, "Freeze all");
    let flags = base(&window).flags.clone();
    let cases: [(Command, &str); 3] = [
        (Command::OpenModel(ModelSource::File(broken)), "not a model"),
        (
            Command::OpenModel(ModelSource::File(PathBuf::from("/no/such/file.h5"))),
            "cannot be read",
        ),
        (
            Command::OpenPhotos(PhotosSource::Folder(folder.path().to_owned())),
            "no photos",
        ),
    ];
    for (open, cause) in cases {
        command(&mut window, open);
        let notices = &window.state().state().computed.notices;
        assert_eq!(notices.len(), 1);
        let text = notices[0].text.clone();
        assert!(text.to_lowercase().contains(cause), "{text}");
        // The window starts every sentence with a capital letter.
        assert!(
            shows(&window, &text[1..]),
            "the message is in the window: {text}"
        );
        click(&mut window, "Dismiss");
        assert!(window.state().state().computed.notices.is_empty());
        assert_eq!(base(&window).flags, flags, "the flags are kept");
        assert!(shows(&window, "93 in 4 classes"));
    }
}

#[test]
fn unreadable_photos_are_listed_and_the_others_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let assets = repository("assets/photos/fish");
    std::fs::write(folder.path().join("a.jpg"), "text").expect("a file");
    std::fs::copy(assets.join("fish1.webp"), folder.path().join("b.webp")).expect("a photo");
    let photos = PhotosSource::Folder(folder.path().to_owned());
    let mut window = open(AppOptions {
        photos,
        ..AppOptions::default()
    });
    for view in View::ALL.into_iter().filter(|view| !view.shows_runs()) {
        command(&mut window, Action::Show(view));
        assert!(
            window.state().state().computed.result(view).is_some(),
            "{view:?}"
        );
    }
    let gallery = window
        .state()
        .state()
        .opened
        .gallery
        .as_ref()
        .expect("open photos");
    assert_eq!(gallery.unreadable.len(), 1);
    command(&mut window, Command::ShowUnreadable(true));
    assert!(shows(&window, "a.jpg"));
    assert!(shows(&window, "an image modelens can read"));
}

/// The picture and the numbers of the photo before would pass for those of a photo that cannot be read.
#[test]
fn a_broken_photo_shows_why_it_cannot_be_read() {
    let folder = tempfile::tempdir().expect("a folder");
    drawn(folder.path(), &[1]);
    std::fs::write(folder.path().join("class0/1.png"), "text").expect("a file");
    let mut window = open(AppOptions {
        model: ModelSource::File(fixture("bnnet_keras3/model.h5")),
        photos: PhotosSource::Folder(folder.path().to_owned()),
        ..AppOptions::default()
    });
    let picture = "The chosen photo, class0/0.png";
    assert!(window.query_by_label(picture).is_some());
    command(&mut window, Command::SetPhoto(1));
    assert!(window.query_by_label(picture).is_none());
    let why = "class0/1.png cannot be read: ";
    assert!(shows(&window, why));
    for view in [View::Start, View::Augmentation, View::BatchNorm] {
        command(&mut window, Action::Show(view));
        let said = window.query_all_by_role(Role::Label);
        let said = said.filter(|label| {
            label
                .accesskit_node()
                .value()
                .is_some_and(|text| text.contains(why))
        });
        assert!(said.count() > 0, "{view:?}");
    }
    command(&mut window, Command::SetPhoto(0));
    assert!(window.query_by_label(picture).is_some());
}

#[test]
fn keys_step_through_photos_and_redraw() {
    let mut window = open(small());
    let before = photo(&window);
    window.key_press(Key::ArrowRight);
    settle(&mut window);
    assert_eq!(photo(&window), before.map(|p| p + 1));
    window.key_press(Key::ArrowLeft);
    settle(&mut window);
    assert_eq!(photo(&window), before);
    let redraws = window.state().state().settings.redraws;
    window.key_press(Key::R);
    settle(&mut window);
    assert_eq!(window.state().state().settings.redraws, redraws + 1);
    // A key press in a text field does not redraw.
    window.get_by_role(Role::TextInput).focus();
    window.run_steps(2);
    window.key_press_modifiers(Modifiers::NONE, Key::R);
    settle(&mut window);
    assert_eq!(window.state().state().settings.redraws, redraws + 1);
}

#[test]
fn small_and_large_windows_stop_requesting_frames() {
    for size in [[1000.0, 640.0], [1280.0, 800.0], [1920.0, 1080.0]] {
        let mut window = sized(size, small());
        for view in View::ALL {
            command(&mut window, Action::Show(view));
        }
        // This panics if something keeps requesting frames.
        window.run();
    }
}
