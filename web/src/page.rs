//! The page's entry: the window, and a handle on the worker that computes for it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use eframe::egui::{Context, Ui};
use modelens::app::{App, AppOptions};
use modelens_jobs::{Event, Jobs, Request, take_written};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlCanvasElement, MessageEvent, Worker};

use crate::message::{ToPage, ToWorker, from_bytes, to_bytes};
use crate::mirror::Mirror;

#[wasm_bindgen]
extern "C" {
    /// Offers a file to the person as a download.
    #[wasm_bindgen(js_name = "modelensDownload")]
    fn download(name: &str, bytes: Vec<u8>);

    /// Tells the page that what it shows is computed.
    #[wasm_bindgen(js_name = "modelensComputed")]
    fn computed();

    /// Whether the browser keeps settings for this page.
    #[wasm_bindgen(js_name = "modelensKeeps")]
    fn keeps() -> bool;

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

    fn post(&self, message: &ToWorker) {
        let Some(bytes) = to_bytes(message) else {
            return;
        };
        let array = js_sys::Uint8Array::from(&*bytes);
        let moved = js_sys::Array::of1(&array.buffer());
        if let Err(error) = self.worker.post_message_with_transfer(&array, &moved) {
            log::error!("the worker is gone: {error:?}");
        }
    }
}

impl Jobs for WorkerJobs {
    fn send(&self, request: Request) {
        self.post(&ToWorker::Request(request));
    }

    fn poll(&self) -> Option<Event> {
        self.events.borrow_mut().pop_front()
    }

    fn cancel(&self) {
        self.post(&ToWorker::Cancel);
    }

    fn cancel_background(&self) {
        self.post(&ToWorker::CancelBackground);
    }
}

fn offer(path: &std::path::Path, bytes: Vec<u8>) {
    let name = path.file_name().unwrap_or(path.as_os_str());
    download(&name.to_string_lossy(), bytes);
}

/// The window, and whether its first view has been computed.
struct Page {
    app: App,
    computed: bool,
}

impl eframe::App for Page {
    fn logic(&mut self, ctx: &Context, frame: &mut eframe::Frame) {
        self.app.logic(ctx, frame);
        let shown = self.app.state().opened.base.is_some() && !self.app.is_busy();
        if shown && !self.computed {
            self.computed = true;
            computed();
        }
        for (path, bytes) in take_written() {
            offer(&path, bytes);
        }
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut eframe::Frame) {
        self.app.ui(ui, frame);
    }
}

/// Draws the window on this canvas, with this worker.
///
/// # Errors
/// The browser gives no WebGL.
#[wasm_bindgen]
pub async fn start(canvas: HtmlCanvasElement, worker: Worker) -> Result<(), JsValue> {
    // eframe's own hook, which logs the message, runs this one after it.
    std::panic::set_hook(Box::new(|_| stopped()));
    drop(eframe::WebLogger::init(log::LevelFilter::Warn));
    let create = move |cc: &eframe::CreationContext<'_>| -> Result<Box<dyn eframe::App>, _> {
        cc.egui_ctx.add_plugin(Mirror::default());
        let jobs = Box::new(WorkerJobs::new(worker, cc.egui_ctx.clone()));
        let options = AppOptions::default();
        let mut app = App::with_jobs(&cc.egui_ctx, options, jobs);
        app.state_mut().settings.view = modelens::state::View::Start;
        if !keeps() {
            app.storage_is_denied();
        }
        Ok(Box::new(Page {
            app,
            computed: false,
        }))
    };
    eframe::WebRunner::new()
        .start(canvas, eframe::WebOptions::default(), Box::new(create))
        .await
}
