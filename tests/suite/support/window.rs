//! The real window, driven by role and label, without a display.

use std::path::Path;
use std::time::{Duration, Instant};

use eframe::CreationContext;
use eframe::egui::{Context, Key, Theme};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use modelens::app::{App, AppOptions};
use modelens::command::{Command, LessonCommand, LessonSource};
use modelens::state::ThemeChoice;
use modelens_jobs::Job;

use super::files::fixture;
use super::models::small_lab;
use super::renderer::SvgRenderer;

pub type Window = Harness<'static, App>;

/// The usual size in points.
pub const ORDINARY: [f32; 2] = [1280.0, 800.0];

/// Draws frames until the jobs have nothing left to do for the window.
pub fn settle(window: &mut Window) {
    settle_while(window, App::is_busy);
}

/// Carries out a command and waits for what it shows, but not for what is measured in the background
/// (the further batches of the BatchNorm view).
pub fn command_shown(window: &mut Window, sent: impl Into<Command>) {
    let ctx = window.ctx.clone();
    window.state_mut().command(&ctx, sent.into());
    settle_while(window, |app| {
        let foreground = [
            Job::OpenModel,
            Job::OpenPhotos,
            Job::TryScales,
            Job::Look,
            Job::Train,
        ];
        let computed = &app.state().computed;
        foreground
            .iter()
            .any(|&job| computed.running(job).is_some())
    });
}

fn settle_while(window: &mut Window, is_busy: impl Fn(&App) -> bool) {
    let start = Instant::now();
    // Short at first, for what takes a moment; longer then, because each frame takes time, too.
    let mut pause = Duration::from_millis(1);
    window.run_steps(3);
    while is_busy(window.state()) {
        assert!(
            start.elapsed() < Duration::from_mins(2),
            "the jobs never finish"
        );
        std::thread::sleep(pause);
        pause = (2 * pause).min(Duration::from_millis(30));
        window.run_steps(1);
    }
    window.run_steps(3);
}

/// Photos in a batch of a test's window: as few as show what a batch does, since every window computes.
const BATCH: usize = 4;

/// A window of this size with batches of four photos, as soon as the jobs have finished.
pub fn sized(size: [f32; 2], options: AppOptions) -> Window {
    let mut window = Harness::builder()
        .with_size(size)
        .build_eframe(move |cc| app(cc, options));
    settle(&mut window);
    window
}

/// A window as a person starts it, with the remembered batch or the program's own.
pub fn as_started(options: AppOptions) -> Window {
    let mut window = Harness::builder()
        .with_size(ORDINARY)
        .build_eframe(move |cc| App::new(cc, options).expect("a thread"));
    settle(&mut window);
    window
}

/// The app with small batches, before anything is computed.
fn app(cc: &CreationContext<'_>, options: AppOptions) -> App {
    in_context(&cc.egui_ctx, options)
}

/// An app without a window, with batches of four photos, before anything is computed.
pub fn in_context(ctx: &Context, options: AppOptions) -> App {
    let mut app = App::in_context(ctx, options).expect("a thread");
    app.state_mut().settings.batch = BATCH;
    app
}

/// The lab's network and photos at the least cost, where the numbers do not matter.
pub fn small() -> AppOptions {
    AppOptions {
        model: small_lab(),
        ..AppOptions::default()
    }
}

/// A window of the usual size with batches of four photos.
pub fn open(options: AppOptions) -> Window {
    sized(ORDINARY, options)
}

/// A window on the bundled base and photos that looks the same on every machine: it uses neither the
/// person's settings, nor the system's fonts, nor a clock.
pub fn reproducible(size: [f32; 2]) -> Window {
    reproducible_with(size, AppOptions::default())
}

/// The same on other files.
pub fn reproducible_with(size: [f32; 2], options: AppOptions) -> Window {
    let options = AppOptions {
        theme: Some(ThemeChoice::Light),
        clock: || Duration::ZERO,
        ..options
    };
    let mut window = Harness::builder()
        .with_size(size)
        // The harness starts with the dark theme.
        .with_theme(Theme::Light)
        .with_render_cursor(false)
        .renderer(SvgRenderer::default())
        .build_eframe(move |cc| app(cc, options));
    settle(&mut window);
    window
}

/// Carries out a command and waits for its results.
pub fn command(window: &mut Window, command: impl Into<Command>) {
    let ctx = window.ctx.clone();
    window.state_mut().command(&ctx, command.into());
    settle(window);
}

/// Clicks the only node with this label and waits for the results.
pub fn click(window: &mut Window, label: &str) {
    window.get_by_label(label).click();
    settle(window);
}

/// Presses a key and waits for the results.
pub fn press(window: &mut Window, key: Key) {
    window.key_press(key);
    settle(window);
}

/// True if any label contains the text.
pub fn shows(window: &Window, text: &str) -> bool {
    window.query_all_by_label_contains(text).next().is_some()
}

/// The number of the chosen photo.
pub fn photo(window: &Window) -> Option<usize> {
    let gallery = window.state().state().opened.gallery.as_ref();
    gallery.map(|gallery| gallery.photo)
}

/// Writes a lesson and the small network that it names into a folder; returns the command that opens it.
pub fn lesson_beside_its_model(folder: &Path, text: &str) -> LessonCommand {
    let path = folder.join("lesson.toml");
    std::fs::copy(fixture("bnnet_keras3/model.h5"), folder.join("model.h5")).expect("a copy");
    std::fs::write(&path, text).expect("a file");
    LessonCommand::Open(LessonSource::File(path))
}
