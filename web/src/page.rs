//! The page's entry: the window, and a handle on the worker that computes for it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use eframe::egui::{Context, Ui};
use modelens::app::{App, AppOptions};
use modelens::lesson::LessonSource;
use modelens::state::View;
use modelens::words::notices;
use modelens_jobs::{Event, Interrupts, Jobs, ModelSource, PhotosSource, Request, take_written};
use serde::Deserialize;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlCanvasElement, MessageEvent, Worker};

use crate::address::Address;
use crate::message::{ToPage, ToWorker, from_bytes, to_bytes};
use crate::mirror::Mirror;
use crate::outside;

#[wasm_bindgen]
extern "C" {
    /// Offers a file to the person as a download.
    #[wasm_bindgen(js_name = "modelensDownload")]
    fn download(name: &str, bytes: Vec<u8>);

    /// Keeps a text for the next visit.
    #[wasm_bindgen(js_name = "modelensKeep")]
    fn keep(name: &str, text: &str);

    /// Asks the person for files with these endings, separated by spaces, or for a folder.
    #[wasm_bindgen(js_name = "modelensPick")]
    fn pick(endings: &str, folder: bool);

    /// Tells the worker, while it computes and takes no messages, that the next message makes work out of date.
    #[wasm_bindgen(js_name = "modelensInterrupt")]
    fn interrupt(bits: u32);

    /// Whether leaving the page would lose work.
    #[wasm_bindgen(js_name = "modelensUnsaved")]
    fn unsaved(now: bool);

    /// The window says that something failed.
    #[wasm_bindgen(js_name = "modelensFailed")]
    fn failed(text: &str);

    /// Tells the page what it has come to, once: `shown`, the first numbers of the first view, and
    /// `computed`, all of them.
    #[wasm_bindgen(js_name = "modelensReached")]
    fn reached(what: &str);

    /// Tells the page that the window has stopped.
    #[wasm_bindgen(js_name = "modelensStopped")]
    fn stopped();
}

/// The jobs in a Web Worker.
struct WorkerJobs {
    worker: Worker,
    events: Rc<RefCell<VecDeque<Event>>>,
}

impl WorkerJobs {
    fn new(worker: Worker, ctx: Context) -> Self {
        let events = Rc::new(RefCell::new(VecDeque::new()));
        let arrived = Rc::clone(&events);
        let listen = move |message: MessageEvent| {
            let Ok(bytes) = message.data().dyn_into::<js_sys::Uint8Array>() else {
                return;
            };
            match from_bytes(&bytes.to_vec()) {
                Some(ToPage::Event(event)) => arrived.borrow_mut().push_back(event),
                Some(ToPage::File { path, bytes }) => offer(&path, bytes),
                Some(ToPage::Handout(done)) => outside::handout_done(done),
                None => log::error!("a message that cannot be read"),
            }
            ctx.request_repaint();
        };
        let listen = Closure::<dyn FnMut(MessageEvent)>::new(listen);
        worker.set_onmessage(Some(listen.as_ref().unchecked_ref()));
        // It lives as long as the page.
        listen.forget();
        Self { worker, events }
    }

    fn post(&self, message: &ToWorker, interrupts: Interrupts) {
        if interrupts != Interrupts::NONE {
            interrupt(interrupts.bits());
        }
        post(&self.worker, message);
    }
}

fn post(worker: &Worker, message: &ToWorker) {
    let Some(bytes) = to_bytes(message) else {
        return;
    };
    let array = js_sys::Uint8Array::from(&*bytes);
    let moved = js_sys::Array::of1(&array.buffer());
    if let Err(error) = worker.post_message_with_transfer(&array, &moved) {
        log::error!("the worker is gone: {error:?}");
    }
}

impl Jobs for WorkerJobs {
    fn send(&self, request: Request) {
        let interrupts = Interrupts::of(&request);
        self.post(&ToWorker::Request(request), interrupts);
    }

    fn poll(&self) -> Option<Event> {
        self.events.borrow_mut().pop_front()
    }

    fn cancel(&self) {
        self.post(&ToWorker::Cancel, Interrupts::of_cancel());
    }

    fn cancel_background(&self) {
        self.post(&ToWorker::CancelBackground, Interrupts::BACKGROUND);
    }
}

/// The folder of the remembered settings.
const SETTINGS: &str = "/settings";

fn offer(path: &Path, bytes: Vec<u8>) {
    let name = path.file_name().unwrap_or(path.as_os_str());
    let name = name.to_string_lossy();
    if path.starts_with(SETTINGS) {
        keep(&name, &String::from_utf8_lossy(&bytes));
    } else {
        download(&name, bytes);
    }
}

/// What the window starts with.
#[derive(Debug, Deserialize)]
struct Start {
    /// The address of the page, without a link.
    page: String,
    /// What comes after it; empty for the usual state.
    link: String,
    embedded: bool,
    model: Option<PathBuf>,
    photos: Option<PathBuf>,
    lesson: Option<PathBuf>,
    /// The browser keeps settings for the page.
    keeps: bool,
}

impl Start {
    fn options(&self) -> AppOptions {
        let defaults = AppOptions::default();
        let lesson = self.lesson.clone().map(LessonSource::File);
        AppOptions {
            reopen: self.keeps && self.model.is_none() && self.photos.is_none() && lesson.is_none(),
            model: self.model.clone().map_or(defaults.model, ModelSource::File),
            photos: (self.photos.clone()).map_or(defaults.photos, PhotosSource::Folder),
            lesson,
            settings: self.keeps.then(|| SETTINGS.into()),
            system_dialogs: true,
            embedded: self.embedded,
            page: self.page.clone(),
            ..AppOptions::default()
        }
    }
}

/// The window, and what the page knows of it.
struct Page {
    app: App,
    worker: Worker,
    address: Address,
    /// Whether its first view shows numbers.
    shown: bool,
    /// Whether its first view has been computed.
    computed: bool,
    unsaved: bool,
    /// The id of the next notice that is told.
    notices: u64,
}

impl Page {
    /// Tells the page what it has to know.
    fn tell(&mut self, ctx: &Context) {
        if let Some(wanted) = self.app.take_pick() {
            pick(&wanted.endings.join(" "), wanted.folder);
        }
        if let Some((path, lesson)) = self.app.take_handout()
            && let Ok(lesson) = serde_json::to_string(&*lesson)
        {
            post(&self.worker, &ToWorker::Handout { lesson, path });
        }
        if self.address.follow(ctx, &self.app) {
            let lost = self.app.would_lose_work();
            if std::mem::replace(&mut self.unsaved, lost) != lost {
                unsaved(lost);
            }
        }
        let shown = &self.app.state().computed;
        let new = shown.notices.iter().filter(|n| n.id >= self.notices);
        for notice in new.filter(|n| n.title != notices::LINK_COPIED) {
            failed(&format!("{}: {}", notice.title, notice.text));
        }
        self.notices = shown.next_notice;
    }
}

impl eframe::App for Page {
    fn logic(&mut self, ctx: &Context, frame: &mut eframe::Frame) {
        if outside::carry_out(&mut self.app, ctx) {
            self.address.arrive();
        }
        self.app.logic(ctx, frame);
        self.tell(ctx);
        let state = self.app.state();
        if !self.shown && state.computed.result(state.settings.view).is_some() {
            self.shown = true;
            reached("shown");
        }
        if !self.computed && state.opened.base.is_some() && !self.app.is_busy() {
            self.computed = true;
            reached("computed");
        }
        for (path, bytes) in take_written() {
            offer(&path, bytes);
        }
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut eframe::Frame) {
        self.app.ui(ui, frame);
    }
}

/// Draws the window on this canvas, with this worker and with what the address asks for, as JSON.
///
/// # Errors
/// The browser gives no WebGL.
#[wasm_bindgen]
pub async fn start(
    canvas: HtmlCanvasElement,
    worker: Worker,
    asked: String,
) -> Result<(), JsValue> {
    let asked: Start = serde_json::from_str(&asked).map_err(|error| error.to_string())?;
    // eframe's own hook, which logs the message, runs this one after it.
    std::panic::set_hook(Box::new(|_| stopped()));
    drop(eframe::WebLogger::init(log::LevelFilter::Warn));
    let create = move |cc: &eframe::CreationContext<'_>| -> Result<Box<dyn eframe::App>, _> {
        cc.egui_ctx.add_plugin(Mirror::default());
        let jobs = Box::new(WorkerJobs::new(worker.clone(), cc.egui_ctx.clone()));
        outside::listen(&cc.egui_ctx);
        let mut app = App::with_jobs(&cc.egui_ctx, asked.options(), jobs);
        if !asked.keeps && asked.lesson.is_none() {
            app.state_mut().settings.view = View::Start;
        }
        if !asked.keeps && !asked.embedded {
            app.storage_is_denied();
        }
        let mut address = Address::default();
        if !asked.link.is_empty() {
            app.go_to_place(&cc.egui_ctx, &asked.link);
            address.arrive();
        }
        Ok(Box::new(Page {
            app,
            worker,
            address,
            shown: false,
            computed: false,
            unsaved: false,
            notices: 0,
        }))
    };
    eframe::WebRunner::new()
        .start(canvas, eframe::WebOptions::default(), Box::new(create))
        .await
}
