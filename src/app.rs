//! The window: takes events, lays out the panels, carries out commands.

pub mod address;
mod ahead;
mod blank;
mod commands;
mod dialogs;
mod events;
mod export;
pub mod handout;
mod held;
mod keys;
mod lecture;
mod lesson;
mod looks;
mod magnify;
mod modules;
pub mod moments;
mod noise;
mod pipeline;
mod play;
pub mod settings_file;
mod shell;
mod system_fonts;
mod textures;
mod training;
mod undo;
mod walk;
mod window_size;

use std::path::PathBuf;
use std::time::Duration;

use eframe::egui;
use eframe::egui::{Context, Ui};

use crate::command::{Action, Command, LessonCommand, LessonSource};
use crate::lesson::Lesson;
use crate::panels;
use crate::state::{CellPlace, State, ThemeChoice, View};
use crate::theme;
use crate::views::{Show, parts};
use egui_svg::Images;
use modelens_jobs::{Clock, Jobs, ModelSource, Options, PhotosSource, Request, system_clock};

use crate::words::notices as words;
pub use dialogs::LESSON_EXTENSION;
#[cfg(target_family = "wasm")]
pub use dialogs::Pick;

/// What the window starts with.
#[derive(Clone, Debug)]
pub struct AppOptions {
    pub model: ModelSource,
    pub photos: PhotosSource,
    /// `None`: the remembered theme, or else that of the system.
    pub theme: Option<ThemeChoice>,
    /// A lesson to open instead of the model and the photos.
    pub lesson: Option<LessonSource>,
    /// The folder of the remembered settings; `None`: nothing is read or written.
    pub settings: Option<PathBuf>,
    /// Opens the model and the photos that were open last instead of those above.
    pub reopen: bool,
    /// Asks for files with the dialogs of the system or the browser; otherwise their paths are typed.
    pub system_dialogs: bool,
    /// The window is part of another page: without the bar at the top, and at first without the side panel.
    pub embedded: bool,
    /// What Copy link writes before the link: the address of a page with this program.
    pub page: String,
    /// Measures the times that the window shows.
    pub clock: Clock,
}

impl Default for AppOptions {
    fn default() -> Self {
        Self {
            model: ModelSource::Lab,
            photos: PhotosSource::Bundled,
            theme: None,
            lesson: None,
            settings: None,
            reopen: false,
            system_dialogs: false,
            embedded: false,
            page: String::new(),
            clock: system_clock,
        }
    }
}

/// Polling interval of [`App::settle`].
const WAIT: Duration = Duration::from_millis(2);

/// The state of the window, and the jobs that compute for it.
pub struct App {
    state: State,
    jobs: Box<dyn Jobs>,
    held: held::Held,
    dialogs: dialogs::Dialogs,
    /// What the last drawing of the export dialog was made from.
    drawn_from: Option<export::DrawnFrom>,
    /// When the figure in the export dialog was drawn, in seconds of the window's clock.
    drawn_at_secs: f64,
    /// Number of results that have arrived, whole or in part.
    heard: u64,
    history: undo::History,
    ahead: ahead::Ahead,
    /// The state of a link whose files are being opened.
    arriving: Option<Box<Lesson>>,
    /// What the user had chosen before a lesson was opened.
    before_lesson: Option<undo::Snapshot>,
    /// The training runs that were shown before a lesson was opened.
    runs_before_lesson: crate::state::TrainingState,
    /// True if the files of the last time are opened: what is bundled replaces one that has gone.
    reopens: bool,
    /// True once the window has been fitted into its monitor.
    fits_monitor: bool,
    keeper: Option<settings_file::Keeper>,
    kept: settings_file::Kept,
    fonts: system_fonts::SystemFonts,
    /// How fingers have magnified the window.
    magnified: egui::emath::TSTransform,
}

impl App {
    /// Starts the jobs and asks them for the model and the photos.
    ///
    /// # Errors
    /// The system refuses another thread.
    pub fn new(cc: &eframe::CreationContext<'_>, options: AppOptions) -> std::io::Result<Self> {
        Self::in_context(&cc.egui_ctx, options)
    }

    /// Creates the app without a window: [`App::settle`] replaces frames.
    ///
    /// # Errors
    /// The system refuses another thread.
    pub fn in_context(ctx: &Context, options: AppOptions) -> std::io::Result<Self> {
        let wake = ctx.clone();
        let jobs = modelens_jobs::start(
            Options {
                clock: options.clock,
                fonts: theme::fonts::FOR_FIGURES,
            },
            move || wake.request_repaint(),
        )?;
        Ok(Self::with_jobs(ctx, options, jobs))
    }

    /// Creates the app for a computing side that runs already, such as a page's worker.
    pub fn with_jobs(ctx: &Context, options: AppOptions, jobs: Box<dyn Jobs>) -> Self {
        theme::install(ctx);
        Images::install(ctx);
        let settings_file::Loaded {
            kept,
            first_start,
            notice,
            keeper,
        } = settings_file::load(options.settings.as_deref());
        let mut app = Self {
            state: State::default(),
            jobs,
            held: held::Held::default(),
            dialogs: dialogs::Dialogs::new(options.system_dialogs),
            drawn_from: None,
            drawn_at_secs: 0.0,
            heard: 0,
            history: undo::History::default(),
            ahead: ahead::Ahead::default(),
            arriving: None,
            before_lesson: None,
            runs_before_lesson: crate::state::TrainingState::default(),
            reopens: options.reopen,
            fits_monitor: false,
            keeper,
            kept,
            fonts: system_fonts::SystemFonts::default(),
            magnified: egui::emath::TSTransform::IDENTITY,
        };
        let state = &mut app.state;
        state.settings = app.kept.settings.clone();
        state.shell.recent = app.kept.recent.clone();
        state.shell.embedded = options.embedded;
        state.shell.page.clone_from(&options.page);
        if first_start {
            state.settings.view = View::Start;
        }
        if let Some(notice) = notice {
            state.computed.notify(words::SETTINGS_UNREAD, notice);
        }
        if app.kept.zoom != 1.0 {
            ctx.set_zoom_factor(app.kept.zoom);
        }
        let bundled = AppOptions::default();
        let last = app.kept.model.clone().unwrap_or(bundled.model);
        let [model, photos] = if options.reopen {
            let photos = app.kept.photos.clone().unwrap_or(bundled.photos);
            [Command::OpenModel(last), Command::OpenPhotos(photos)]
        } else {
            if last != options.model {
                // The remembered rules were chosen for another model.
                state.settings.semantics = None;
            }
            [
                Command::OpenModel(options.model),
                Command::OpenPhotos(options.photos),
            ]
        };
        let theme = options.theme.unwrap_or(state.settings.theme);
        app.apply(ctx, Command::SetTheme(theme));
        let lesson = options
            .lesson
            .map(|lesson| LessonCommand::Open(lesson).into());
        if let Some(lesson) = lesson {
            app.apply(ctx, lesson);
        }
        // Without remembered settings nothing of the user's folders is looked at.
        if options.settings.is_some() {
            app.jobs.send(Request::ListCaches);
        }
        // If the lesson cannot be opened, the window shows a notice and opens as usual.
        if app.state.lesson.is_none() {
            for command in [model, photos] {
                app.apply(ctx, command);
            }
        }
        app
    }

    /// True while something is being computed for this window.
    pub fn is_busy(&self) -> bool {
        let computing = !self.state.computed.running.is_empty() || self.state.walk.is_walking();
        computing || self.state.export.waits || self.state.export.animation.is_some()
    }

    /// Takes the events that have arrived, and asks for what is to be shown.
    fn step(&mut self, ctx: &Context) {
        self.drain(ctx);
        self.answers(ctx);
        self.settle_lesson(ctx);
        self.settle_state(ctx);
        self.run_lesson();
        self.ask(ctx);
        self.ask_ahead();
        self.release_unused();
        self.keep_fill(ctx);
        self.walk(ctx);
        self.watch_passes(ctx);
        self.keep_export(ctx);
    }

    /// Waits until everything is computed.
    pub fn settle(&mut self, ctx: &Context) {
        self.step(ctx);
        while self.is_busy() {
            std::thread::sleep(WAIT);
            self.step(ctx);
        }
    }

    /// The enlarged cell, if its view is shown.
    fn open_cell(&self) -> Option<CellPlace> {
        let shown = self.state.settings.view == View::Augmentation;
        self.state.grid.open.filter(|_| shown)
    }

    /// The state of the window.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The state, to set several things at once. [`App::settle`] then computes what they need.
    pub fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    /// Carries out a command as if a panel had sent it.
    pub fn command(&mut self, ctx: &Context, command: Command) {
        self.carry_out(ctx, command);
        self.ask(ctx);
        ctx.request_repaint();
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        self.before_frame(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        self.window_ui(ui);
    }
}

impl App {
    /// Draws a frame without a window.
    pub fn frame_ui(&mut self, ui: &mut Ui) {
        self.before_frame(ui.ctx());
        self.window_ui(ui);
    }

    fn before_frame(&mut self, ctx: &Context) {
        self.step(ctx);
        self.guard_recording(ctx);
        self.fit_monitor(ctx);
        self.fit_lecture(ctx);
        self.history.frame(ctx);
        self.state.shell.can_undo = self.history.possible();
        self.keep(ctx);
    }

    fn window_ui(&mut self, ui: &mut Ui) {
        self.find_fonts(ui.ctx());
        if self.blank_ui(ui) {
            return;
        }
        self.follow_pointer(ui.ctx());
        self.magnify(ui.ctx());
        let mut commands = Vec::new();
        if self.open_cell().is_some() {
            keys::opened_cell(ui, self.state.grid.divider, &mut commands);
        }
        keys::question(ui, &self.state);
        keys::escape(ui, &self.state, &mut commands);
        shortcuts(ui, &self.state, self.open_cell().is_some(), &mut commands);
        self.dialogs.dropped(ui, &mut commands);
        let mut show = Show {
            state: &self.state,
            commands: &mut commands,
        };
        panels::panels_ui(ui, &mut show);
        panels::export::export_ui(ui, &mut show);
        parts::tips::tooltip_ui(ui.ctx());
        if !commands.is_empty() {
            let ctx = ui.ctx().clone();
            for command in commands {
                self.carry_out(&ctx, command);
            }
            self.ask(&ctx);
            ctx.request_repaint();
        }
        self.hide_pointer(ui.ctx());
    }
}

/// Pushes the actions whose shortcuts were pressed. While a cell is enlarged, the arrow keys belong to it.
fn shortcuts(ui: &Ui, state: &State, cell_is_open: bool, commands: &mut Vec<Command>) {
    let uncovered = !state.is_covered() && !egui::Popup::is_any_open(ui.ctx());
    let focused = ui.ctx().egui_wants_keyboard_input();
    let typing = ui.ctx().text_edit_focused();
    for action in Action::all() {
        if cell_is_open && matches!(action, Action::PreviousPhoto | Action::NextPhoto) {
            continue;
        }
        let is_lesson = matches!(action, Action::NextStep | Action::PreviousStep);
        if is_lesson && state.lesson.is_none() {
            continue;
        }
        if matches!(action, Action::BlankScreen) && state.shell.lecture.is_none() {
            continue;
        }
        if matches!(action, Action::ShowNotes) && action.why_not(state).is_some() {
            continue;
        }
        // A text field has its own undo.
        if typing && matches!(action, Action::Undo | Action::Redo) {
            continue;
        }
        let run = action.is_of_runs();
        if run && (state.settings.view != View::FineTune || action.why_not(state).is_some()) {
            continue;
        }
        // Space does nothing where nothing can be played.
        if action == Action::PlayPause && action.why_not(state).is_some() {
            continue;
        }
        for shortcut in [action.info().shortcut, action.second_shortcut()] {
            let Some(shortcut) = shortcut else { continue };
            // A presenter's remote sends these keys, so they work whatever has the focus.
            let always = matches!(action, Action::Lecture) || (is_lesson && !typing);
            let plain = shortcut.modifiers.is_none() && !always;
            // A widget that has the keyboard focus takes the keys that move or press it, a text field all.
            let taken = typing || focused && keys::belongs_to_widgets(shortcut.logical_key);
            if (uncovered && !taken) || !plain {
                let presses = ui.input_mut(|i| keys::presses(i, shortcut, action.repeats()));
                commands.extend(std::iter::repeat_n(Command::from(action), presses));
            }
        }
    }
}
