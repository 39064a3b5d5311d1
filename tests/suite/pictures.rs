//! Snapshots of the whole window: every view in both themes, dialogs, sheets and lessons.
//! `UPDATE_SNAPSHOTS=1 cargo test pictures` accepts what is drawn now and writes it as PNG, with
//! photos, to `target/tmp/pictures/`; `docs/review-snapshots.sh` shows old and new side by side.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use eframe::egui::{Key, Modifiers, TextureHandle};
use egui_svg::{Images, Width, png};
use modelens::command::{
    Action, Command, ExportCommand, LessonCommand, LessonSource, PipelineCommand, ShellCommand,
    TrainCommand, WalkCommand,
};
use modelens::model::{Mode, Outer, Semantics};
use modelens::state::Part;
use modelens::state::{
    Background, CellPlace, ExportChoice, FigureFormat, FigureTheme, Search, Sheet, ThemeChoice,
    View,
};
use modelens::train::recipe::RunPreset;
use modelens_jobs::{Grid, ModelSource};

use crate::support::files::repository;
use crate::support::renderer::{svg, without_pictures};
use crate::support::window::{Window, command, reproducible, settle};

/// The largest total size of all pictures in bytes.
const MOST_BYTES: u64 = 4_000_000;

const ORDINARY: [f32; 2] = [1280.0, 800.0];
const SMALLEST: [f32; 2] = [800.0, 600.0];

fn folder() -> PathBuf {
    repository("tests/snapshots/window")
}

/// Compares pictures of one window, one after another.
struct Album {
    window: Window,
    changed: Vec<String>,
}

impl Album {
    fn new(size: [f32; 2]) -> Self {
        Self {
            window: reproducible(size),
            changed: Vec::new(),
        }
    }

    fn command(&mut self, to_do: impl Into<Command>) -> &mut Self {
        command(&mut self.window, to_do);
        self
    }

    fn press(&mut self, key: Key) -> &mut Self {
        self.window.key_press_modifiers(Modifiers::NONE, key);
        settle(&mut self.window);
        self
    }

    /// Chooses something in the export dialog and waits for the preview, which no job reports.
    fn export(&mut self, to_do: ExportCommand) -> &mut Self {
        let preview = |window: &Window| {
            let preview = window.state().state().export.preview.as_ref();
            preview.map(TextureHandle::id)
        };
        let before = preview(&self.window);
        self.command(to_do);
        let start = Instant::now();
        while preview(&self.window) == before {
            assert!(start.elapsed() < Duration::from_mins(2), "no preview");
            std::thread::sleep(Duration::from_millis(10));
            self.window.run_steps(1);
        }
        self
    }

    /// Compares the window with the picture of this name, exactly.
    fn check(&mut self, name: &str) -> &mut Self {
        let window = &mut self.window;
        window.remove_cursor();
        window.run_steps(3);
        let drawn = svg(&window.ctx, window.output(), &Images::of(&window.ctx));
        let drawn = without_pictures(&drawn.expect(name));
        let path = folder().join(name).with_extension("svg");
        if std::fs::read_to_string(&path).is_ok_and(|known| known == drawn) {
            return self;
        }
        let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
        let beside = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
        for folder in [&beside, &folder()] {
            std::fs::create_dir_all(folder).expect("a folder");
        }
        let image = window.render().expect(name);
        let size = [image.width(), image.height()].map(|side| side as usize);
        let (pixels, _) = image.as_chunks();
        let picture = png::encode(size, pixels, None).expect(name);
        std::fs::write(beside.join(name).with_extension("png"), picture).expect(name);
        let now = beside.join(name).with_extension("svg");
        std::fs::write(if update { &path } else { &now }, drawn).expect(name);
        if !update {
            self.changed.push(format!("{name}: now {}", now.display()));
        }
        self
    }

    /// Fails if a picture has changed.
    fn close(&self) {
        assert!(
            self.changed.is_empty(),
            "changed; UPDATE_SNAPSHOTS=1 cargo test pictures accepts:\n{}",
            self.changed.join("\n")
        );
    }
}

#[test]
fn pictures_of_every_view_in_both_themes() {
    let mut album = Album::new(ORDINARY);
    for (theme, suffix) in [(ThemeChoice::Light, "light"), (ThemeChoice::Dark, "dark")] {
        album.command(Command::SetTheme(theme));
        for view in View::ALL {
            album.command(Action::Show(view));
            album.check(&format!("{}-{suffix}", view.id()));
        }
    }
    album.close();
}

#[test]
fn pictures_of_every_view_in_lecture_mode() {
    let mut album = Album::new(SMALLEST);
    album.press(Key::F5);
    for view in View::ALL {
        album.command(Action::Show(view));
        album.check(&format!("lecture-{}", view.id()));
    }
    album.close();
}

#[test]
fn pictures_of_a_small_window() {
    let mut album = Album::new(SMALLEST);
    for view in [View::BatchNorm, View::Predict] {
        album.command(Action::Show(view));
        album.check(&format!("small-{}", view.id()));
    }
    album
        .export(ExportCommand::Show(true))
        .check("small-export");
    album.close();
}

#[test]
fn pictures_of_a_lesson() {
    let mut album = Album::new(ORDINARY);
    album.command(LessonCommand::Open(LessonSource::Bundled(0)));
    album.command(LessonCommand::Go(2)).check("lesson");
    album.command(LessonCommand::Go(5));
    album
        .command(LessonCommand::ShowAnswer(true))
        .check("lesson-answer");
    album.press(Key::F5).check("lesson-lecture");
    album.close();
}

#[test]
fn pictures_of_sheets_and_dialogs() {
    let mut album = Album::new(ORDINARY);
    let search = Search {
        text: "theme".to_owned(),
        row: 1,
    };
    album
        .command(ShellCommand::Search(Some(search)))
        .check("command-palette");
    album.command(ShellCommand::Search(None));
    for (sheet, name) in [
        (Sheet::Keys, "keys"),
        (Sheet::Terms, "words"),
        (Sheet::Card, "model-card"),
    ] {
        album.command(ShellCommand::Sheet(Some(sheet))).check(name);
    }
    album.command(ShellCommand::Sheet(None));
    album.command(Action::Show(View::Predict));
    album.export(ExportCommand::Show(true)).check("export");
    album.command(Action::Show(View::BatchNorm));
    let choice = ExportChoice {
        part: Part::Plot("Further batches"),
        format: FigureFormat::Svg,
        width: Width::Scale(2.0),
        page: None,
        text: None,
        outline: false,
        frame_pages: false,
        theme: FigureTheme::Dark,
        background: Background::Theme,
        caption: false,
        numbers: true,
    };
    album
        .export(ExportCommand::Choose(choice))
        .check("export-plot");
    album.command(ExportCommand::Show(false));
    // A file of this repository that is not a model.
    let broken = ModelSource::File("LICENSE-MIT".into());
    album.command(Command::OpenModel(broken)).check("notice");
    album.close();
}

#[test]
fn pictures_of_the_augmentation_view() {
    let mut album = Album::new(ORDINARY);
    album.command(PipelineCommand::Edit(true));
    album
        .command(PipelineCommand::Expand(Some(1)))
        .check("pipeline");
    album.command(PipelineCommand::Edit(false));
    let cell = CellPlace {
        mode: Mode::Training,
        index: 4,
    };
    album
        .command(PipelineCommand::Open(Some(cell)))
        .check("cell");
    album.command(PipelineCommand::Open(None));
    album
        .command(PipelineCommand::SetGrid(Grid::NinePhotos))
        .check("nine-photos");
    album.close();
}

#[test]
fn pictures_of_the_layer_views() {
    let mut album = Album::new(ORDINARY);
    album.command(Action::Show(View::BatchNorm));
    album.command(WalkCommand::SetSteps(3));
    album.command(WalkCommand::Run).check("batchnorm-walk");
    album.command(WalkCommand::Reset);
    album.command(Command::SetSemantics(Some(Semantics::PyTorch)));
    album.command(Action::FreezeAll).check("pytorch-batchnorm");
    album
        .command(Action::Show(View::Trainable))
        .check("pytorch-trainable");
    album.command(Action::ResetFlags);
    album.command(Command::SetSemantics(Some(Semantics::Keras2)));
    album
        .command(Command::SetCall(Outer::NotGiven))
        .check("keras2-trainable");
    album.close();
}

#[test]
fn pictures_of_fine_tuning() {
    let mut album = Album::new(ORDINARY);
    album.command(Action::Show(View::FineTune));
    album.command(TrainCommand::SetPreset(RunPreset::FourWay));
    for _ in 0..3 {
        album.command(Action::StepRuns);
    }
    album.check("finetune-run");
    album.close();
}

#[test]
fn pictures_are_small_and_each_belongs_to_a_test() {
    let mut bytes = 0;
    let mut known = 0;
    for entry in std::fs::read_dir(folder()).expect("pictures") {
        let entry = entry.expect("an entry");
        bytes += entry.metadata().expect("a size").len();
        let name = entry.file_name();
        let stem = name.to_string_lossy().trim_end_matches(".svg").to_owned();
        let source = include_str!("pictures.rs");
        let view = stem
            .trim_start_matches("lecture-")
            .trim_start_matches("small-")
            .trim_end_matches("-light")
            .trim_end_matches("-dark");
        let is_view = View::ALL.iter().any(|known| known.id() == view);
        assert!(
            is_view || source.contains(&format!("\"{view}\"")),
            "{stem}: no test draws it"
        );
        known += 1;
    }
    assert!(known >= 30, "{known}");
    assert!(bytes <= MOST_BYTES, "{bytes}");
}
