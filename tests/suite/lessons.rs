//! Lessons: the expectations of the bundled ones hold; files are read, refused and written.

use std::path::Path;

use eframe::egui::{Event, Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use modelens::app::AppOptions;
use modelens::command::{Action, Command, LessonCommand, LessonSource, PipelineCommand};
use modelens::lesson::{self, BUNDLED, Choice, Control, LessonError, LessonStep, Prediction, fill};
use modelens::model::Semantics;
use modelens::state::{State, Status, View};
use modelens::views::values::{meanings, names};
use modelens_jobs::{Job, ModelSource, PhotosSource};

use crate::support::files::repository;
use crate::support::window::{
    Window, click, command, command_shown, open, press, settle, shows, sized,
};

fn state(window: &Window) -> &State {
    window.state().state()
}

fn step(window: &Window) -> usize {
    state(window).lesson.as_ref().expect("an open lesson").step
}

/// The text of a step and of its question, with the values that are known.
fn told(written: &LessonStep, state: &State) -> String {
    let question = written.question.as_ref();
    let question = question.map_or(String::new(), |q| format!("{} {}", q.text, q.answer));
    let predict = written.predict.iter().flat_map(Prediction::texts);
    let predict: Vec<&str> = predict.map(String::as_str).collect();
    let predict = predict.join(" ");
    let text = written.text(state.semantics());
    fill(&format!("{text} {question} {predict}"), state)
}

fn is_complete(told: &str) -> bool {
    !told.contains(['{', '\u{2026}'])
}

/// True if all that a step claims is computed.
fn tells_all(written: &LessonStep, state: &State) -> bool {
    let mut expectations = written.expectations(state.semantics());
    let mut choices = written.predict.iter().flat_map(|predict| &predict.choices);
    expectations.all(|e| e.holds(state).is_some())
        && choices.all(|choice| choice.holds(state).is_some())
        && is_complete(&told(written, state))
}

/// What a walk through a lesson does at a step that trains, which takes seconds for each run.
#[derive(Clone, Copy, PartialEq)]
enum Trains {
    Nowhere,
    UnderTheRulesInForce,
    UnderAllRules,
}

/// Goes through a bundled lesson under the rules of each framework: every expectation of a step must
/// hold, and every placeholder of its texts must be filled. A step that hides the menu of the rules has only
/// its own.
fn walk(number: usize, trains: Trains) {
    let mut window = open(AppOptions::default());
    command(
        &mut window,
        LessonCommand::Open(LessonSource::Bundled(number)),
    );
    let lesson = lesson::open_bundled(number, &names()).expect("a lesson");
    assert!(lesson.steps.len() >= 5);
    for (i, written) in lesson.steps.iter().enumerate() {
        if written.run.is_some() && trains == Trains::Nowhere {
            continue;
        }
        command_shown(&mut window, LessonCommand::Go(i));
        assert!(shows(&window, &written.title));
        assert_eq!(state(&window).settings.view, written.view.0);
        // The rules in force come first: the step has computed its values under them.
        let mut rules = Semantics::ALL.to_vec();
        let present = state(&window).semantics();
        rules.sort_by_key(|&semantics| semantics != present);
        let trains_once = written.run.is_some() && trains != Trains::UnderAllRules;
        if trains_once || written.hide.contains(&Control::Rules) {
            rules.truncate(1);
        }
        for semantics in rules {
            if semantics != present {
                command_shown(&mut window, Command::SetSemantics(Some(semantics)));
            }
            if !tells_all(written, state(&window)) {
                settle(&mut window);
            }
            let state = state(&window);
            assert_eq!(state.semantics(), semantics);
            let place = format!("{}, step {}, {semantics:?}", lesson.title, i + 1);
            assert!(state.computed.notices.is_empty(), "{place}");
            let mut expectations = 0;
            for expectation in written.expectations(semantics) {
                let broken = || expectation.broken(state);
                assert_eq!(
                    expectation.holds(state),
                    Some(true),
                    "{place}: {}",
                    broken()
                );
                expectations += 1;
            }
            assert!(expectations > 0, "{place}: the step expects something");
            if let Some(predict) = &written.predict {
                let held: Vec<_> = predict.choices.iter().map(|c| c.holds(state)).collect();
                let right = |choice: &Choice| Some(choice.is_right(semantics));
                let marked: Vec<_> = predict.choices.iter().map(right).collect();
                assert_eq!(
                    held, marked,
                    "{place}: the numbers decide which choice is right"
                );
            }
            let text = told(written, state);
            assert!(is_complete(&text), "{place}: {text}");
            println!("{place}: {text}");
        }
    }
}

#[test]
fn the_claims_of_why_specify_twice_hold() {
    walk(0, Trains::UnderTheRulesInForce);
    let lesson = lesson::open_bundled(0, &names()).expect("a lesson");
    assert_eq!(lesson.steps.len(), 6);
    let endings: Vec<String> = Semantics::ALL.map(|s| lesson.steps[5].text(s)).into();
    assert!(endings[0] != endings[1] && endings[1] != endings[2]);
}

#[test]
fn the_claims_of_nine_identical_images_hold() {
    walk(1, Trains::UnderTheRulesInForce);
}

#[test]
fn the_claims_of_what_dropout_does_hold() {
    walk(2, Trains::UnderTheRulesInForce);
}

#[test]
fn the_claims_of_frozen_is_not_inference_hold() {
    walk(3, Trains::UnderTheRulesInForce);
}

/// Its runs are slow: `slow_lessons_that_train_hold_under_all_rules` makes them.
#[test]
fn the_claims_of_your_first_fine_tune_hold_before_it_trains() {
    walk(4, Trains::Nowhere);
}

#[test]
#[ignore = "slow: trains every run of the lessons four times; .ci/run runs it"]
fn slow_lessons_that_train_hold_under_all_rules() {
    let trains = |number: &usize| {
        let lesson = lesson::open_bundled(*number, &names()).expect("a lesson");
        lesson.steps.iter().any(|step| step.run.is_some())
    };
    let numbers: Vec<usize> = (0..BUNDLED.len()).filter(trains).collect();
    assert!(!numbers.is_empty());
    for number in numbers {
        walk(number, Trains::UnderAllRules);
    }
}

#[test]
fn the_claims_of_the_release_that_changes_the_answer_hold() {
    walk(5, Trains::UnderTheRulesInForce);
}

#[test]
fn the_claims_of_the_fixed_feature_extractor_hold() {
    walk(6, Trains::UnderTheRulesInForce);
}

#[test]
fn keys_step_through_a_lesson_and_free_play_returns_to_the_step() {
    let mut window = open(AppOptions::default());
    command(&mut window, Command::SetBatch(5));
    command(&mut window, Action::UnfreezeAll);
    let own = state(&window).settings.clone();
    click(&mut window, "Help");
    click(&mut window, BUNDLED[2].title);
    assert_eq!(state(&window).settings.view, View::Dropout);
    window.key_press(Key::PageDown);
    settle(&mut window);
    assert_eq!(step(&window), 1);
    window.key_press(Key::PageUp);
    settle(&mut window);
    window.key_press(Key::PageUp);
    settle(&mut window);
    assert_eq!(step(&window), 0, "the first step has none before it");
    command(&mut window, LessonCommand::Go(1));
    let at_step = state(&window).settings.clone();
    click(&mut window, "Free play");
    command(&mut window, PipelineCommand::Remove(0));
    command(&mut window, Action::Show(View::Augmentation));
    command(&mut window, Action::ResetFlags);
    assert_ne!(state(&window).settings, at_step);
    click(&mut window, "Back to the step");
    assert_eq!(state(&window).settings, at_step);
    let base = state(&window).opened.base.as_ref().expect("an open base");
    assert!(
        !base.flags.get(base.batch_norms[0]),
        "this step freezes everything"
    );
    press(&mut window, Key::PageDown);
    click(&mut window, "Show the answer");
    assert!(shows(&window, "Which units are dropped is random"));
    click(&mut window, "Close");
    assert!(state(&window).lesson.is_none());
    assert_eq!(state(&window).settings, own, "the person's own settings");
    let base = state(&window).opened.base.as_ref().expect("an open base");
    let flags = modelens::model::Flags::all(&base.model.graph, true);
    assert!(base.flags.same_trainable(&flags), "and their own flags");
}

/// After a slow frame several key presses arrive at once. Each press is a step; a held key is one.
#[test]
fn key_presses_of_one_frame_are_neither_lost_nor_doubled() {
    let mut window = open(AppOptions::default());
    // Its first three steps ask nothing.
    let source = LessonSource::Bundled(5);
    command(&mut window, LessonCommand::Open(source));
    let key = |pressed| Event::Key {
        key: Key::PageDown,
        physical_key: None,
        pressed,
        repeat: false,
        modifiers: Modifiers::NONE,
    };
    let [down, up] = [key(true), key(false)];
    let twice = [&down, &up, &down, &up];
    let held = [&down, &down, &down, &up];
    for (events, at) in [(twice, 2), (held, 3)] {
        let frame = &mut window.input_mut().events;
        frame.extend(events.into_iter().cloned());
        settle(&mut window);
        assert_eq!(step(&window), at);
    }
}

#[test]
fn a_step_hides_the_parts_that_it_lists() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("lesson.toml");
    let text = "lesson = 1\ntitle = \"Bare\"\nbatch = 2\n[[step]]\ntitle = \"One\"\n\
                view = \"dropout\"\nhide = [\"side-panel\", \"tabs\", \"explanation\", \"rules\"]\n\
                text = \"**Bold** {units}\"\n";
    std::fs::write(&path, text).expect("a file");
    let mut window = open(AppOptions::default());
    command(&mut window, LessonCommand::Open(LessonSource::File(path)));
    for hidden in ["Search layers", "WHAT YOU SEE", "Rules of"] {
        assert!(!shows(&window, hidden), "{hidden}");
    }
    click(&mut window, "Free play");
    for shown in ["WHAT YOU SEE", "Rules of"] {
        assert!(shows(&window, shown), "{shown}");
    }
}

#[test]
fn errors_in_a_file_name_their_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let head = "lesson = 1\ntitle = \"t\"\n";
    let one = "[[step]]\ntitle = \"s\"\nview = \"dropout\"\n";
    let cases: Vec<(String, Option<usize>, &str)> = vec![
        (format!("{head}colour = 1\n{one}"), Some(3), "colour"),
        (format!("{head}{one}speed = 1\n"), Some(6), "speed"),
        (
            format!("{head}model = \"gone.h5\"\n{one}"),
            Some(3),
            "gone.h5",
        ),
        (
            format!("{head}model = \"../up.h5\"\n{one}"),
            Some(3),
            "leaves",
        ),
        (format!("{head}photos = \"/etc\"\n{one}"), Some(3), "leaves"),
        (
            format!("{head}photos = \"nowhere\"\n{one}"),
            Some(3),
            "there is no such file beside the lesson: `nowhere`",
        ),
        (
            format!("{head}[[step]]\ntitle = \"s\"\nview = \"drop\"\n"),
            Some(5),
            "augmentation",
        ),
        (format!("{head}{one}hide = [\"menu\"]\n"), Some(6), "menu"),
        (format!("{head}{one}text = \"{{unit}}\"\n"), Some(6), "unit"),
        (
            format!("{head}{one}text = \"\"\"\nA\n\nof {{unit}} and {{units}}.\n\"\"\"\n"),
            Some(9),
            "the closest are units, units_changed_inference (docs",
        ),
        (
            format!("{head}{one}text = \"\"\"\n{{units}}\n{{nosuch}}\"\"\"\n"),
            Some(8),
            "docs/lessons.md",
        ),
        (
            format!(
                "{head}{one}[step.keras2]\ntext = \"a\"\n[step.question]\ntext = \"q\"\nanswer = \"{{un}}\"\n"
            ),
            Some(10),
            "no value `un`",
        ),
        (
            format!("{head}seed = -3\n{one}"),
            Some(3),
            "`seed`: invalid value: integer `-3`, expected a whole number from 0 on",
        ),
        (
            format!("{head}{one}redraws = 1.5\n"),
            Some(6),
            "a whole number from 0 on",
        ),
        (format!("{head}batch = 1000\n{one}"), Some(3), "batch"),
        (
            format!("title = \"t\"\nsound = true\nlesson = 2\n{one}"),
            Some(3),
            "is of version 2, and this program knows version 1",
        ),
        (
            format!("{head}{one}expect = [\"units\"]\n"),
            Some(6),
            "units",
        ),
        (format!("{head}{one}channel = 0\n"), Some(6), "from 1"),
        (format!("{head}{one}batch = 1000\n"), Some(6), "batch"),
        (format!("{head}{one}seed = \"seven\"\n"), Some(6), "string"),
        (
            format!("lesson = 2\ntitle = \"t\"\n{one}"),
            Some(1),
            "version 1",
        ),
        (format!("{head}step = []\n"), None, "at least one step"),
        (head.to_owned(), Some(1), "step"),
        ("lesson = 1\ntitle = \"t\n".to_owned(), Some(2), "string"),
    ];
    for (text, line, reason) in cases {
        let path = folder.path().join("lesson.toml");
        std::fs::write(&path, &text).expect("a file");
        let error = lesson::open(&path, &names()).expect_err(&text);
        let said = error.to_string();
        assert!(said.contains(reason), "{said}: {text}");
        let lists_all = said.contains("no value") && said.len() > 250;
        assert!(!said.contains("os error") && !lists_all, "{said}");
        let at = match error {
            LessonError::Line { line, .. } => Some(line),
            LessonError::Whole(_) => None,
        };
        assert_eq!(at, line, "{said}: {text}");
    }
}

#[test]
fn a_pipeline_can_be_code() {
    let of = |pipeline: &str| {
        let text = format!(
            "lesson = 1\ntitle = \"t\"\n[[step]]\ntitle = \"s\"\nview = \"augmentation\"\npipeline = '{pipeline}'\n"
        );
        let lesson = lesson::parse(&text, None, &names()).map_err(|error| error.to_string())?;
        let pipeline = lesson.steps[0].pipeline.as_ref().expect("a pipeline");
        Ok::<_, String>(pipeline.pipeline())
    };
    let pipeline = of("v2.Compose([v2.RandomRotation(30), v2.ToTensor(), v2.MixUp()])");
    assert_eq!(pipeline.expect("a pipeline").steps.len(), 4);
    assert_eq!(of("[RandomFlip()]").expect("a pipeline").steps.len(), 1);
    let refused = of("v2.MixUp()").expect_err("bytes");
    assert!(
        refused.contains("takes floats, but gets bytes"),
        "{refused}"
    );
    assert!(of("strng").is_err());
}

#[test]
fn a_broken_lesson_gives_a_notice_and_the_usual_window() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("lesson.toml");
    std::fs::write(&path, "lesson = 1\ntitle = 3\n").expect("a file");
    let options = AppOptions {
        lesson: Some(LessonSource::File(path)),
        ..AppOptions::default()
    };
    let window = sized([1280.0, 800.0], options);
    assert!(shows(&window, "The lesson could not be opened"));
    assert!(shows(&window, "Line 2"));
    assert!(shows(&window, "93 in 4 classes"));
}

#[test]
fn a_step_that_names_what_the_model_has_not_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("lesson.toml");
    let head =
        "lesson = 1\ntitle = \"t\"\nbatch = 2\n[[step]]\ntitle = \"s\"\nview = \"batchnorm\"\n";
    for (rest, sentence) in [
        (
            "layer = \"no_such_layer\"\n",
            "line 7: the model has no layer `no_such_layer`",
        ),
        (
            "layer = \"bn_Conv1\"\nchannel = 33\n",
            "line 8: channel 33: layer `bn_Conv1` has 32 channels",
        ),
    ] {
        std::fs::write(&path, format!("{head}{rest}")).expect("a file");
        let mut window = open(AppOptions::default());
        let source = LessonSource::File(path.clone());
        command(&mut window, LessonCommand::Open(source));
        assert!(shows(&window, sentence), "{rest}");
        assert!(window.query_by_label("Dismiss").is_some());
    }
}

#[test]
fn a_step_that_names_an_unknown_photo_gives_the_line_and_the_closest_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("lesson.toml");
    let head = "lesson = 1\ntitle = \"t\"\nbatch = 2\n";
    let step = "[[step]]\ntitle = \"s\"\nview = \"augmentation\"\n";
    let of_lesson = format!("{head}photo = \"fsh/fish9\"\n{step}");
    let of_step = format!("{head}{step}photo = \"fsh/fish9\"\n");
    for (text, line) in [(of_lesson, 4), (of_step, 7)] {
        std::fs::write(&path, text).expect("a file");
        let mut window = open(AppOptions::default());
        let source = LessonSource::File(path.clone());
        command(&mut window, LessonCommand::Open(source));
        let notice = &state(&window).computed.notices[0].text;
        let said = format!("line {line}: there is no photo `fsh/fish9`; the closest");
        assert!(notice.contains(&said), "{notice}");
        assert!(notice.contains("fish/fish9.webp"), "{notice}");
    }
}

/// Runs end, because their settings are gone.
#[test]
fn resetting_the_settings_ends_runs_and_leaves_the_step() {
    let mut window = open(AppOptions::default());
    let source = LessonSource::Bundled(4);
    command(&mut window, LessonCommand::Open(source));
    command(&mut window, LessonCommand::Go(1));
    assert!(!state(&window).training.runs.is_empty());
    command(&mut window, Action::ResetSettings);
    assert_eq!(state(&window).training.status, Status::Idle);
    assert!(state(&window).training.runs.is_empty());
    assert!(state(&window).lesson.as_ref().is_some_and(|l| l.free));
    // Without a lesson, and while runs are active.
    command(&mut window, Action::CloseLesson);
    let app = window.state_mut();
    let ctx = eframe::egui::Context::default();
    app.command(&ctx, Action::StartRuns.into());
    assert!(app.state().training.is_active());
    app.command(&ctx, Action::ResetSettings.into());
    assert_eq!(app.state().training.status, Status::Idle);
    assert!(app.state().computed.running(Job::Train).is_none());
    settle(&mut window);
    assert_eq!(state(&window).training.status, Status::Idle);
    assert!(state(&window).training.runs.is_empty());
}

/// Opening the saved lesson restores the same state.
#[test]
fn the_present_state_is_saved_as_a_lesson() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.toml");
    let mut window = open(AppOptions::default());
    let states: Vec<Vec<Command>> = vec![
        vec![],
        vec![
            Action::FreezeAll.into(),
            Command::Record(None),
            Command::SetSemantics(Some(Semantics::Keras2)),
            Command::SetPhoto(3),
            Command::SetSeed(12),
            Action::Redraw.into(),
            Action::Show(View::Dropout).into(),
        ],
        vec![
            Command::SetTrainable(5, true),
            Command::SetTrainable(9, true),
            PipelineCommand::SetPreset(modelens::augment::PipelinePreset::Strong).into(),
            Command::AugmentBatch(true),
            Action::Show(View::BatchNorm).into(),
            Command::SetChannel(4),
        ],
        vec![PipelineCommand::Remove(1).into()],
        vec![
            PipelineCommand::ReadCode(
                "v2.Compose([v2.RandomResizedCrop(160), v2.RandomApply([v2.ColorJitter(0.4)]), \
                 v2.ToDtype(torch.float32, scale=True), v2.RandomErasing(value='random')])"
                    .to_owned(),
            )
            .into(),
        ],
    ];
    for changes in states {
        for change in changes {
            command(&mut window, change);
        }
        command(&mut window, LessonCommand::Save(path.clone()));
        assert!(state(&window).computed.notices.is_empty());
        assert_eq!(
            state(&window).computed.saved.as_deref(),
            Some(path.as_path())
        );
        let written = std::fs::read_to_string(&path).expect("a file");
        let mut other = open(AppOptions::default());
        let lesson = LessonSource::File(path.clone());
        command(&mut other, LessonCommand::Open(lesson));
        let [mine, theirs] = [&window, &other].map(|window| {
            let state = state(window);
            let base = state.opened.base.as_ref().expect("an open base");
            let gallery = state.opened.gallery.as_ref().expect("open photos");
            let mut settings = state.settings.clone();
            settings.fine_tune_from = 0;
            let view = settings.view;
            (
                settings,
                base.flags.clone(),
                view.page().layer(base),
                base.channel,
                gallery.photo,
            )
        });
        assert_eq!(mine, theirs, "{written}");
    }
}

#[test]
fn a_lesson_cannot_refer_to_files_outside_its_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let photos = repository("assets/photos/fish");
    let options = AppOptions {
        photos: PhotosSource::Folder(photos),
        model: ModelSource::Lab,
        ..AppOptions::default()
    };
    let mut window = open(options);
    let path = folder.path().join("lesson.toml");
    command(&mut window, LessonCommand::Save(path.clone()));
    assert!(shows(&window, "outside of the lesson"));
    let home = repository("assets/photos/fish");
    let home = std::fs::canonicalize(home).expect("the folder");
    assert!(shows(&window, &format!("save it in {}", home.display())));
    assert!(!path.exists(), "no half file");
    // A successful save dismisses the notice.
    command(&mut window, Command::OpenPhotos(PhotosSource::Bundled));
    command(&mut window, LessonCommand::Save(path.clone()));
    assert!(path.exists());
    assert!(state(&window).computed.notices.is_empty());
}

#[test]
fn every_measured_value_is_documented() {
    let path = repository("docs/lessons.md");
    let text = std::fs::read_to_string(path).expect("the documentation");
    for (name, meaning) in meanings() {
        let row = format!("| `{name}` | {meaning} |");
        assert!(text.contains(&row), "{row}");
    }
}

#[test]
#[cfg(unix)]
fn a_device_is_refused_as_a_lesson() {
    let error = lesson::open(Path::new("/dev/zero"), &names()).expect_err("it is refused");
    assert!(error.to_string().contains("not a file"), "{error}");
}
