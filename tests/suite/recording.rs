//! Lessons made by showing them, and states as links.

use std::path::Path;

use eframe::egui::Context;
use egui_kittest::kittest::Queryable as _;
use modelens::app::{App, AppOptions};
use modelens::augment::PipelinePreset;
use modelens::command::{Action, Command, LessonCommand, LessonSource, RecordCommand};
use modelens::lesson::{self, Lesson, LessonStep, link};
use modelens::model::{Mode, Outer, Preprocessing, Semantics};
use modelens::state::{
    LayerColumn, LayerSort, Leaving, Recorder, Settings, State, ThemeChoice, TrainSettings, View,
};
use modelens::train::optimizer::OptimizerKind;
use modelens::train::recipe::{EvalCalls, RunPreset};
use modelens::views::values::names;
use modelens_jobs::{Grid, ModelSource, PhotosSource};
use proptest::prelude::{Strategy, any, proptest};
use proptest::{collection, option, prop_assert, prop_assert_eq};

use crate::support::files::fixture;
use crate::support::program::{modelens, succeeds, text};
use crate::support::window::{ORDINARY, Window, click, command, shows, sized};

fn small(folder: &Path) -> AppOptions {
    let model = folder.join("model.h5");
    std::fs::copy(fixture("bnnet_keras3/model.h5"), &model).expect("a copy");
    AppOptions {
        model: ModelSource::File(model),
        ..AppOptions::default()
    }
}

fn recorder(window: &Window) -> &Recorder {
    let state = window.state().state();
    state.recorder.as_ref().expect("a recording")
}

fn titles(window: &Window) -> Vec<&str> {
    let steps = recorder(window).steps.iter();
    steps.map(|step| step.title.as_str()).collect()
}

#[test]
fn a_lesson_is_recorded_edited_tried_and_saved() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.toml");
    let mut window = sized(ORDINARY, small(folder.path()));
    command(&mut window, Action::RecordLesson);
    assert!(shows(&window, "RECORDING A LESSON"));
    for (view, batch, title) in [
        (View::BatchNorm, 3, "First"),
        (View::Trainable, 2, "Second"),
    ] {
        command(&mut window, Action::Show(view));
        command(&mut window, Command::SetBatch(batch));
        click(&mut window, "Add step");
        command(&mut window, RecordCommand::SetTitle(title.to_owned()));
    }
    assert_eq!(titles(&window), ["First", "Second"]);
    click(&mut window, "Up");
    assert_eq!(titles(&window), ["Second", "First"]);
    click(&mut window, "Delete");
    assert_eq!(titles(&window), ["First"]);
    command(&mut window, Action::Undo);
    assert_eq!(titles(&window), ["Second", "First"]);
    command(
        &mut window,
        RecordCommand::SetText("It shows {batch_norms}.".to_owned()),
    );
    command(&mut window, RecordCommand::SetNotes("Slowly.".to_owned()));
    click(&mut window, "Ask for a prediction first");
    assert!(recorder(&window).is_unsaved() && shows(&window, "not saved"));
    // Closing asks first, and loses nothing.
    command(&mut window, RecordCommand::Leave(Leaving::Recording));
    assert!(shows(&window, "Save the recorded lesson?"));
    click(&mut window, "Keep recording");
    assert_eq!(titles(&window), ["Second", "First"]);
    click(&mut window, "Try");
    assert!(shows(&window, "CHOOSE FIRST") && shows(&window, "1 of 2"));
    command(&mut window, Action::CloseLesson);
    assert!(shows(&window, "RECORDING A LESSON"));
    command(&mut window, RecordCommand::SaveTo(path.clone()));
    assert!(!recorder(&window).is_unsaved());
    let written = lesson::open(&path, &names()).expect("a lesson");
    assert_eq!(without_lines(written).steps, recorder(&window).steps);
    // A text that names no value is told of, and not written.
    command(&mut window, RecordCommand::SetText("{nosuch}".to_owned()));
    click(&mut window, "Try");
    assert!(shows(&window, "no value `nosuch`"));
    command(&mut window, RecordCommand::SaveTo(path.clone()));
    assert!(shows(&window, "The lesson could not be saved") && recorder(&window).is_unsaved());
    command(&mut window, RecordCommand::Leave(Leaving::Recording));
    click(&mut window, "Don't save");
    assert!(window.state().state().recorder.is_none());
    command(&mut window, Action::Undo);
    assert_eq!(titles(&window), ["Second", "First"]);
    // A lesson has one model.
    command(&mut window, Command::OpenModel(ModelSource::Lab));
    command(&mut window, RecordCommand::Add);
    assert!(shows(&window, "lesson has one model"));
    assert_eq!(titles(&window).len(), 2);
}

/// The steps as they were before they had places in a file.
fn without_lines(mut lesson: Lesson) -> Lesson {
    for step in &mut lesson.steps {
        step.lines.clear();
    }
    lesson
}

/// No setting has its usual value. Settings that are added have to be added here, too.
fn unusual(view: View) -> Settings {
    Settings {
        view,
        theme: ThemeChoice::System,
        semantics: Some(Semantics::PyTorch),
        call: Outer::Given(Mode::Inference),
        preprocessing: Some(Preprocessing::ImageNet),
        batch: 3,
        seed: 11,
        redraws: 2,
        random: false,
        fine_tune_from: 2,
        sort_channels: false,
        compare_norms: true,
        pipeline: PipelinePreset::Strong.pipeline(),
        grid: Grid::NinePhotos,
        seed_locked: false,
        augment_batch: true,
        layer_sort: LayerSort {
            column: LayerColumn::Moves,
            descending: true,
        },
        only_layers: true,
        monte_carlo: 8,
        passes: 5,
        reduce_motion: false,
        train: TrainSettings {
            preset: RunPreset::HeadOnly,
            evals: EvalCalls::EachEpoch,
            optimizer: OptimizerKind::RmsProp,
            rate: 0.25,
            epochs: 2,
            batch: 5,
            seeds: 3,
            own_head: true,
            dropout: 0.125,
            sigmoid: true,
            validation: 0.5,
        },
    }
}

/// What a step must bring back.
fn chosen(state: &State) -> String {
    let base = state.opened.base.as_ref().expect("a base");
    let gallery = state.opened.gallery.as_ref().expect("photos");
    let layer = state.settings.view.page().layer(base);
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {layer:?} {:?}",
        base.flags,
        base.compiled,
        base.channel,
        base.noise_rates,
        gallery.photo,
        state.walk.momentum,
        state.grid.cell_redraws
    )
}

fn same_after(lesson: &Lesson, app: &mut App, settings: &Settings, what: &str, of: &str) {
    let ctx = Context::default();
    app.command(&ctx, Action::ResetSettings.into());
    app.command(&ctx, Action::ResetFlags.into());
    lesson.apply(0, app.state_mut()).expect("a state");
    let mut expected = settings.clone();
    if !expected.view.shows_runs() {
        expected.train = TrainSettings::default();
    }
    assert_eq!(app.state().settings, expected, "{of}");
    assert_eq!(chosen(app.state()), what, "{of}");
}

#[test]
fn every_setting_is_recorded_and_comes_back_from_a_file_and_from_a_link() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.toml");
    let ctx = Context::default();
    let mut app = App::in_context(&ctx, small(folder.path())).expect("a thread");
    app.settle(&ctx);
    app.command(&ctx, Action::RecordLesson.into());
    for view in View::ALL {
        let settings = unusual(view);
        let state = app.state_mut();
        state.settings = settings.clone();
        state.walk.momentum = Some(0.5);
        state.grid.cell_redraws = [(0, 2), (8, 1)].into();
        let base = state.opened.base.as_mut().expect("a base");
        base.flags.set_all(false);
        base.channel = Some(2);
        let noise = base.noise.expect("a dropout layer");
        base.noise_rates.insert(noise, 0.125);
        state.opened.gallery.as_mut().expect("photos").photo = 5;
        let what = chosen(app.state());
        app.command(&ctx, RecordCommand::Add.into());
        assert!(
            app.state().computed.notices.is_empty(),
            "{:?}",
            app.state().computed.notices
        );
        let steps = &app.state().recorder.as_ref().expect("a recording").steps;
        let step = steps.last().expect("a step").clone();
        let recorded = Lesson {
            title: "t".to_owned(),
            model: ModelSource::Lab,
            photos: PhotosSource::Bundled,
            start: LessonStep::new("", View::default()),
            steps: vec![step.clone()],
        };
        app.command(&ctx, RecordCommand::SaveTo(path.clone()).into());
        let mut file = without_lines(lesson::open(&path, &names()).expect("a lesson"));
        file.steps.drain(..file.steps.len() - 1);
        let line = link::write(&recorded.model, &recorded.photos, &step).expect("a link");
        let linked = link::read(&line, &names()).expect(&line);
        assert_eq!(linked.steps, recorded.steps, "{line}");
        for (of, lesson) in [("the file", &file), ("the link", &linked)] {
            same_after(lesson, &mut app, &settings, &what, of);
        }
    }
}

#[test]
fn a_pasted_link_opens_its_state_and_a_broken_one_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = sized(ORDINARY, AppOptions::default());
    let link = "#v1;view=dropout;batch=2;seed=9;trainable=none;text=Look%20here.";
    command(&mut window, Action::PasteLink);
    window.get_by_label("Link to a state").type_text(link);
    window.run_steps(2);
    click(&mut window, "Open");
    let settings = &window.state().state().settings;
    assert_eq!((settings.view, settings.seed), (View::Dropout, 9));
    assert!(shows(&window, "Look here."));
    command(
        &mut window,
        LessonCommand::Open(LessonSource::Link("#v1;view=drop".to_owned())),
    );
    assert!(shows(&window, "There is no view `drop`") || shows(&window, "there is no view `drop`"));
    // The same line copies the state, and the command line takes it.
    command(&mut window, Action::CopyLink);
    assert!(shows(&window, "The link opens this state"));
    let out = folder.path().join("figures");
    succeeds(&["figure", "--from", link, "--out", text(&out)]);
    assert_eq!(std::fs::read_dir(&out).expect("figures").count(), 1);
    for (link, reason) in [
        ("#v1;view=drop", "there is no view"),
        ("#v7;view=dropout", "version 7"),
    ] {
        let done = modelens(&[link]);
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{said}");
        assert!(said.contains(reason), "{said}");
    }
}

fn any_step() -> impl Strategy<Value = LessonStep> {
    let words = option::of(any::<String>());
    let texts = (any::<String>(), any::<String>(), words.clone(), words);
    let numbers = (
        option::of(0..i64::MAX as u64),
        option::of(1..200_usize),
        option::of(any::<bool>()),
        option::of(0.0..1.0_f64),
    );
    let cells = collection::vec((1..28_u64, 0..9_u64), 0..4);
    (texts, numbers, cells).prop_map(|((title, text, photo, notes), numbers, cells)| {
        let (seed, channel, rebuilt, momentum) = numbers;
        let view = View::ALL[title.len() % View::ALL.len()];
        let mut step = LessonStep::new(&title, view);
        // Braces would name values.
        step.text = text.replace(['{', '}'], "");
        step.notes = notes.map(|notes| notes.replace(['{', '}'], ""));
        (step.photo, step.seed, step.channel) = (photo, seed, channel);
        (step.rebuilt, step.momentum) = (rebuilt, momentum);
        step.redrawn_cells = cells.into_iter().map(|(cell, n)| [cell, n]).collect();
        step
    })
}

proptest! {
    #[test]
    fn any_step_survives_a_link(step in any_step()) {
        let line = link::write(&ModelSource::Lab, &PhotosSource::Bundled, &step);
        let line = line.expect("a link");
        prop_assert!(line.bytes().all(|b| b.is_ascii_graphic()));
        let read = link::read(&line, &names()).expect(&line);
        prop_assert_eq!(&read.steps[0], &step);
    }

    #[test]
    fn any_text_is_read_as_a_link_or_refused(text in "\\PC{0,200}", pairs in "(;[a-z-]{1,8}=[ -~]{0,20}){0,6}") {
        for link in [text.clone(), format!("#v1;{text}"), format!("#v1;view=dropout{pairs}")] {
            if let Err(error) = link::read(&link, &names()) {
                let said = error.to_string();
                prop_assert!(!said.is_empty() && said.len() < 2000, "{}", said);
            }
        }
    }
}
