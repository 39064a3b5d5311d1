//! Opens the window, or runs a command of the command line.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser as _;
use eframe::egui::ViewportBuilder;
use modelens::app::{App, AppOptions, LESSON_EXTENSION, settings_file};
use modelens::cli::{Cli, Failure, chosen, model_source, photos_source, terminal};
use modelens::lesson::{LessonSource, link};
use modelens::theme::sizes;
use modelens::views::values::names;
use modelens_jobs::is_saved_model;

/// The icon of the window, drawn from `assets/icon/modelens.svg`.
const ICON: &[u8] = include_bytes!("../assets/icon/modelens-128.png");

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => return terminal::answer(&answer),
    };
    let done = match &cli.command {
        Some(command) => command.run(),
        None => open_window(&cli),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal::tell(format_args!("modelens: {}\n", failure.line()));
            ExitCode::from(failure.status())
        }
    }
}

/// Opens the window. Returns when it is closed.
fn open_window(cli: &Cli) -> Result<(), Failure> {
    let (mut model, mut photos) = (cli.model.as_deref(), cli.photos.as_deref());
    // A folder can only be meant as photos.
    let is_photos = |path: &std::path::Path| path.is_dir() && !is_saved_model(path);
    if photos.is_none() && model.is_some_and(is_photos) {
        photos = model.take();
    }
    let lesson = model.filter(|path| path.extension().is_some_and(|e| e == LESSON_EXTENSION));
    let link = model.filter(|path| !path.exists());
    let link = link.and_then(|path| link::find(path.to_str()?));
    if lesson.is_some() || link.is_some() {
        if photos.is_some() {
            let line = "a lesson names its own photos: leave out PHOTO_DIR";
            return Err(Failure::Usage(line.to_owned()));
        }
        model = None;
    }
    // A link that cannot be read is told before a window opens.
    if let Some(link) = link {
        link::target(link, &names()).map_err(|error| Failure::Usage(error.to_string()))?;
    }
    let options = AppOptions {
        model: chosen(
            model_source(model),
            cli.architecture.as_deref(),
            cli.weights.as_deref(),
            cli.output.as_deref(),
        ),
        photos: photos_source(photos),
        theme: None,
        lesson: match link {
            Some(link) => Some(LessonSource::Link(link.to_owned())),
            None => lesson.map(|path| LessonSource::File(path.to_owned())),
        },
        reopen: model.is_none() && photos.is_none() && lesson.is_none() && link.is_none(),
        settings: settings_file::folder(),
        system_dialogs: true,
        embedded: false,
        page: cli.page.clone().unwrap_or_default(),
        clock: modelens_jobs::system_clock,
    };
    for path in [options.model.path(), options.photos.path(), lesson]
        .into_iter()
        .flatten()
    {
        if let Err(error) = std::fs::metadata(path) {
            return Err(Failure::File(format!("{error}: {}", path.display())));
        }
    }
    let mut viewport = ViewportBuilder::default()
        .with_title("modelens")
        .with_app_id("modelens")
        .with_inner_size(sizes::WINDOW);
    match eframe::icon_data::from_png_bytes(ICON) {
        Ok(icon) => viewport = viewport.with_icon(icon),
        Err(error) => log::warn!("the window has no icon: {error}"),
    }
    let native = eframe::NativeOptions {
        viewport,
        ..Default::default()
    };
    let create = |cc: &eframe::CreationContext<'_>| -> Result<Box<dyn eframe::App>, _> {
        Ok(Box::new(App::new(cc, options)?))
    };
    eframe::run_native("modelens", native, Box::new(create)).map_err(|error| {
        let text = error.to_string();
        // The window library puts a position in its source before the system's message.
        let cause = text
            .rsplit_once(".rs:")
            .and_then(|(_, end)| end.split_once(": "));
        let cause = cause.map_or(text.as_str(), |(_, cause)| cause);
        Failure::File(format!(
            "the window cannot be opened: {cause}; `modelens figure` draws without a display"
        ))
    })
}
