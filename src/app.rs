//! The window: drains the worker, lays out the panels, carries out commands.

mod commands;
mod dialogs;
mod events;
mod export;
mod keys;
mod looks;
mod noise;
mod pipeline;
mod textures;
mod training;
mod walk;

use std::time::Duration;

use eframe::egui;
use eframe::egui::{CentralPanel, Context, Panel, Ui};

use crate::command::{Action, Command};
use crate::figure::Images;
use crate::state::{CellPlace, State, ThemeChoice, View};
use crate::theme::{self, sizes};
use crate::views::{self, Show};
use crate::worker::{ModelSource, PhotosSource, Worker};

pub use looks::desired;

/// What the window starts with.
#[derive(Clone, Debug)]
pub struct AppOptions {
    pub model: ModelSource,
    pub photos: PhotosSource,
    /// `None`: as the system has it.
    pub theme: Option<ThemeChoice>,
}

impl Default for AppOptions {
    fn default() -> Self {
        Self {
            model: ModelSource::DogBreeds,
            photos: PhotosSource::Bundled,
            theme: None,
        }
    }
}

/// Between two looks at what the worker has said, where no frames come.
const WAIT: Duration = Duration::from_millis(2);

/// The window's state and the thread that computes for it.
pub struct App {
    state: State,
    worker: Worker,
    dialogs: dialogs::Dialogs,
    /// What the export dialog has drawn last.
    drawn_from: Option<export::DrawnFrom>,
}

impl App {
    /// Starts the worker and asks it for the model and the photos.
    ///
    /// # Errors
    /// When the system gives no thread for the worker.
    pub fn new(cc: &eframe::CreationContext<'_>, options: AppOptions) -> std::io::Result<Self> {
        Self::in_context(&cc.egui_ctx, options)
    }

    /// The same without a window: [`App::settle`] takes the place of frames.
    ///
    /// # Errors
    /// When the system gives no thread for the worker.
    pub fn in_context(ctx: &Context, options: AppOptions) -> std::io::Result<Self> {
        theme::install(ctx);
        Images::install(ctx);
        let wake = ctx.clone();
        let worker = Worker::start(move || wake.request_repaint())?;
        let mut app = Self {
            state: State::default(),
            worker,
            dialogs: dialogs::Dialogs::new(),
            drawn_from: None,
        };
        let start = [
            Command::SetTheme(options.theme.unwrap_or_default()),
            Command::OpenModel(options.model),
            Command::OpenPhotos(options.photos),
        ];
        for command in start {
            app.apply(ctx, command);
        }
        Ok(app)
    }

    /// Whether the worker has something to do for this window.
    pub fn is_busy(&self) -> bool {
        !self.state.computed.running.is_empty() || self.state.walk.is_walking()
    }

    /// Takes what the worker has said, and asks it for what is shown.
    fn step(&mut self, ctx: &Context) {
        self.drain(ctx);
        self.answers(ctx);
        self.ask(ctx);
        self.keep_fill(ctx);
        self.walk(ctx);
        self.keep_export(ctx);
    }

    /// Waits until the worker has nothing more to do.
    pub fn settle(&mut self, ctx: &Context) {
        self.step(ctx);
        while self.is_busy() {
            std::thread::sleep(WAIT);
            self.step(ctx);
        }
    }

    /// The cell that is shown large, while its view is shown.
    fn open_cell(&self) -> Option<CellPlace> {
        let shown = self.state.settings.view == View::Augmentation;
        self.state.grid.open.filter(|_| shown)
    }

    /// What the window holds.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The same, for whoever sets several things at once; what they need is asked for by
    /// [`App::settle`].
    pub fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    /// Carries out a command as if a panel had sent it.
    pub fn command(&mut self, ctx: &Context, command: Command) {
        self.apply(ctx, command);
        self.ask(ctx);
        ctx.request_repaint();
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        self.step(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        let mut commands = Vec::new();
        if self.open_cell().is_some() {
            keys::opened_cell(ui, self.state.grid.divider, &mut commands);
        }
        shortcuts(ui, self.open_cell().is_some(), &mut commands);
        dialogs::dropped(ui, &mut commands);
        let mut show = Show {
            state: &self.state,
            commands: &mut commands,
        };
        panels_ui(ui, &mut show);
        views::export::export_ui(ui, &mut show);
        if !commands.is_empty() {
            let ctx = ui.ctx().clone();
            for command in commands {
                self.apply(&ctx, command);
            }
            self.ask(&ctx);
            ctx.request_repaint();
        }
    }
}

/// All panels, from the edges to the middle.
pub fn panels_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    let bar = egui::Frame::new().fill(palette.panel);
    let side = bar.inner_margin(0);
    let edge = |symmetric: f32| egui::Margin::symmetric(symmetric as i8, 0);
    Panel::top("top bar")
        .exact_size(sizes::TOP_BAR)
        .frame(bar.inner_margin(edge(sizes::S4)))
        .show(ui, |ui| views::top_bar::top_bar_ui(ui, show));
    Panel::bottom("status bar")
        .exact_size(sizes::STATUS_BAR)
        .frame(bar.inner_margin(edge(sizes::S4)))
        .show(ui, |ui| views::status_bar::status_bar_ui(ui, show));
    Panel::left("side panel")
        .exact_size(sizes::SIDE_PANEL)
        .resizable(false)
        .frame(side)
        .show(ui, |ui| views::side_panel::side_panel_ui(ui, show));
    CentralPanel::no_frame()
        .frame(egui::Frame::new().fill(palette.background))
        .show(ui, |ui| views::centre::centre_ui(ui, show));
    views::notices::notices_ui(ui, show);
    views::notices::unreadable_ui(ui, show);
    views::notices::drop_hint_ui(ui);
}

/// Pushes the actions whose shortcuts were pressed. While a cell is shown large, the arrows are its.
fn shortcuts(ui: &Ui, cell_is_open: bool, commands: &mut Vec<Command>) {
    // Plain keys belong to whatever has the keyboard focus: a text field, a drag value, a menu.
    let free = !ui.ctx().egui_wants_keyboard_input() && !egui::Popup::is_any_open(ui.ctx());
    for action in Action::WITH_SHORTCUT {
        let Some(shortcut) = action.info().shortcut else {
            continue;
        };
        if cell_is_open && matches!(action, Action::PreviousPhoto | Action::NextPhoto) {
            continue;
        }
        let plain = shortcut.modifiers.is_none();
        if (free || !plain) && ui.input_mut(|i| i.consume_shortcut(&shortcut)) {
            commands.push(action.into());
        }
    }
}
