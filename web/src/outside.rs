//! What reaches the window from around it: links of the address, files, and another page that embeds this one.

use std::cell::RefCell;
use std::path::PathBuf;

use eframe::egui::Context;
use modelens::app::App;
use modelens::command::Command;
use modelens::words::{dialogs, notices};
use modelens_jobs::{ModelSource, PhotosSource, announce, give};
use wasm_bindgen::prelude::*;

/// One thing to do in the next frame.
enum Told {
    GoTo(String),
    Opened(Vec<PathBuf>),
    Open {
        model: Option<PathBuf>,
        photos: Option<PathBuf>,
        link: String,
    },
    Failed {
        title: &'static str,
        why: String,
    },
    HandoutDone(Result<PathBuf, String>),
}

thread_local! {
    static TOLD: RefCell<Vec<Told>> = const { RefCell::new(Vec::new()) };
    static WINDOW: RefCell<Option<Context>> = const { RefCell::new(None) };
}

/// Wakes this window when something is told.
pub fn listen(ctx: &Context) {
    WINDOW.set(Some(ctx.clone()));
}

fn push(told: Told) {
    TOLD.with_borrow_mut(|all| all.push(told));
    WINDOW.with_borrow(|ctx| ctx.iter().for_each(Context::request_repaint));
}

fn some(path: String) -> Option<PathBuf> {
    (!path.is_empty()).then(|| path.into())
}

/// Gives the window a text file: a lesson, or the remembered settings.
#[wasm_bindgen]
pub fn give_text(path: String, text: String) {
    give(path.into(), text.into_bytes());
}

/// Shows what a link says.
#[wasm_bindgen]
pub fn go_to(link: String) {
    push(Told::GoTo(link));
}

/// Opens files that came together and that the worker has.
#[wasm_bindgen]
pub fn opened(paths: Vec<String>) {
    push(Told::Opened(paths.into_iter().map(PathBuf::from).collect()));
}

/// Opens a model, photos and a state of these `files`, which the worker has; an empty text is none.
#[wasm_bindgen]
pub fn open(files: Vec<String>, model: String, photos: String, link: String) {
    for path in files {
        announce(path.into());
    }
    push(Told::Open {
        model: some(model),
        photos: some(photos),
        link,
    });
}

/// Says why a "lesson", what an "address" names, or a "model" could not be opened.
#[wasm_bindgen]
pub fn failed(what: &str, why: String) {
    let title = match what {
        "lesson" => notices::LESSON_UNOPENED,
        "address" => notices::ADDRESS_UNOPENED,
        _ => notices::MODEL_UNOPENED,
    };
    push(Told::Failed { title, why });
}

/// Says that files have too many bytes to be opened.
#[wasm_bindgen]
pub fn too_large(names: &str, bytes: f64, most: f64) {
    push(Told::Failed {
        title: dialogs::TOO_LARGE,
        why: dialogs::too_large(names, bytes, most),
    });
}

/// Says where a handout was written, or why it could not be.
pub fn handout_done(done: Result<PathBuf, String>) {
    push(Told::HandoutDone(done));
}

/// Carries out what was told since the last frame; true if a link was among it.
pub fn carry_out(app: &mut App, ctx: &Context) -> bool {
    let mut went = false;
    for told in TOLD.take() {
        match told {
            Told::GoTo(link) => {
                app.go_to_place(ctx, &link);
                went = true;
            }
            Told::Opened(paths) => app.opened_on_page(ctx, &paths),
            Told::Open {
                model,
                photos,
                link,
            } => {
                let model = model.map(|path| Command::OpenModel(ModelSource::File(path)));
                let photos = photos.map(|path| Command::OpenPhotos(PhotosSource::Folder(path)));
                for command in model.into_iter().chain(photos) {
                    app.command(ctx, command);
                }
                if !link.is_empty() {
                    app.go_to_place(ctx, &link);
                }
            }
            Told::HandoutDone(done) => app.handout_done(ctx, done),
            Told::Failed { title, why } => app.state_mut().computed.notify(title, why),
        }
    }
    went
}
