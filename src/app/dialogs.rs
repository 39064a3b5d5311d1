//! File dialogs and dropped files. They never block a frame.

#[cfg(target_family = "wasm")]
mod page;
#[cfg(any(target_family = "wasm", test))]
mod several;

#[cfg(target_family = "wasm")]
pub use page::Pick;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
#[cfg(not(target_family = "wasm"))]
use std::{
    pin::pin,
    task::{Poll, Waker},
    time::{Duration, Instant},
};

use eframe::egui::Context;
#[cfg(not(target_family = "wasm"))]
use eframe::egui::Ui;
use rfd::AsyncFileDialog;
#[cfg(not(target_family = "wasm"))]
use rfd::FileHandle;

use super::App;
#[cfg(not(target_family = "wasm"))]
use super::handout;
use crate::command::{Command, LessonCommand, LessonSource, RecordCommand};
use crate::formats;
use crate::handout::Format;
use crate::lesson::Lesson;
use crate::state::{Sheet, TypedPath};
use crate::words::dialogs as words;
use crate::words::notices;
use modelens_jobs::{
    Figure, FigureTo, Job, ModelSource, PhotosSource, Request, Stage, TrainedId, is_saved_model,
};

/// The most answers that can wait at once: more than anyone can click in one frame.
const WAITING: usize = 8;

/// A dialog that ends sooner without an answer was never shown: the dialog library returns the same
/// for a system without dialogs as for a user who closes one.
#[cfg(not(target_family = "wasm"))]
const QUICKEST: Duration = Duration::from_millis(300);

/// The ending of a lesson's file name.
pub const LESSON_EXTENSION: &str = "toml";
/// The endings of files that hold many photos.
const PHOTO_FILE_EXTENSIONS: [&str; 7] = ["zip", "tar", "tgz", "gz", "npz", "npy", "csv"];
const PHOTO_EXTENSIONS: [&str; 6] = ["jpg", "jpeg", "png", "webp", "gif", "bmp"];

/// What a dialog answered.
enum Answer {
    Base(PathBuf),
    Photos(PathBuf),
    Lesson(PathBuf),
    SaveLesson(PathBuf),
    SaveRecording(PathBuf),
    Save(PathBuf, Arc<Figure>),
    SaveHandout(PathBuf, Arc<Lesson>),
    /// The handout was written, or why it could not be.
    HandoutDone(Result<PathBuf, String>),
    SaveModel(PathBuf, TrainedId),
    /// The dialog ended before a user could have closed it, so the path is typed.
    NoDialog(Wanted),
    #[cfg(not(target_family = "wasm"))]
    NoThread(std::io::Error),
}

impl Answer {
    /// The file that it would write.
    fn written(&self) -> Option<&Path> {
        match self {
            Self::SaveLesson(path)
            | Self::SaveRecording(path)
            | Self::Save(path, _)
            | Self::SaveHandout(path, _)
            | Self::SaveModel(path, _) => Some(path),
            Self::Base(_)
            | Self::Photos(_)
            | Self::Lesson(_)
            | Self::HandoutDone(_)
            | Self::NoDialog(_) => None,
            #[cfg(not(target_family = "wasm"))]
            Self::NoThread(_) => None,
        }
    }
}

/// What a dialog asks for.
struct Wanted {
    title: &'static str,
    /// The name that a new file would get; empty where a file is opened.
    suggested: String,
    /// The usual endings of a file to open.
    #[cfg(target_family = "wasm")]
    endings: Vec<&'static str>,
    /// What follows from the chosen path.
    answer: Box<dyn Fn(&Path) -> Answer + Send>,
}

impl Wanted {
    #[cfg_attr(
        not(target_family = "wasm"),
        allow(unused_variables, reason = "the dialog of the system has them")
    )]
    fn open(title: &'static str, endings: &[&'static str], answer: fn(PathBuf) -> Answer) -> Self {
        Self {
            title,
            suggested: String::new(),
            #[cfg(target_family = "wasm")]
            endings: endings.to_owned(),
            answer: Box::new(move |path| answer(path.to_owned())),
        }
    }
}

/// The open dialogs.
pub struct Dialogs {
    sender: SyncSender<Answer>,
    answers: Receiver<Answer>,
    /// What the typed path is for.
    typed: Option<Wanted>,
    /// False: every path is typed.
    of_system: bool,
    /// What the page is to ask the person for.
    #[cfg(target_family = "wasm")]
    pick: std::cell::Cell<Option<Pick>>,
    /// The handout that the worker of the page is to compute.
    #[cfg(target_family = "wasm")]
    handout: std::cell::Cell<Option<(PathBuf, Arc<Lesson>)>>,
}

impl Dialogs {
    pub fn new(of_system: bool) -> Self {
        let (sender, answers) = sync_channel(WAITING);
        Self {
            sender,
            answers,
            typed: None,
            of_system,
            #[cfg(target_family = "wasm")]
            pick: std::cell::Cell::new(None),
            #[cfg(target_family = "wasm")]
            handout: std::cell::Cell::new(None),
        }
    }

    /// Asks for a model file.
    pub fn open_base(&self, ctx: &Context) {
        let endings: Vec<&'static str> = formats::endings().collect();
        let dialog = AsyncFileDialog::new()
            .set_title(words::OPEN_BASE)
            .add_filter(words::MODELS, &endings)
            .add_filter(words::ALL_FILES, &["*"]);
        let wanted = Wanted::open(words::OPEN_BASE, &endings, Answer::Base);
        self.wait(ctx, wanted, || dialog.pick_file());
    }

    /// Asks for a folder of photos.
    #[cfg(not(target_family = "wasm"))]
    pub fn open_photos(&self, ctx: &Context) {
        let dialog = AsyncFileDialog::new().set_title(words::OPEN_PHOTOS);
        let wanted = Wanted::open(words::OPEN_PHOTOS, &[], Answer::Photos);
        self.wait(ctx, wanted, || dialog.pick_folder());
    }

    /// Asks for a file of photos: an archive, arrays, or a single photo.
    pub fn open_photo_file(&self, ctx: &Context) {
        let endings = [&PHOTO_FILE_EXTENSIONS[..], &PHOTO_EXTENSIONS].concat();
        let dialog = AsyncFileDialog::new()
            .set_title(words::OPEN_PHOTO_FILE)
            .add_filter(words::PHOTOS, &endings)
            .add_filter(words::ALL_FILES, &["*"]);
        let wanted = Wanted::open(words::OPEN_PHOTO_FILE, &endings, Answer::Photos);
        self.wait(ctx, wanted, || dialog.pick_file());
    }

    /// Asks for a lesson file.
    pub fn open_lesson(&self, ctx: &Context) {
        let dialog = AsyncFileDialog::new()
            .set_title(words::OPEN_LESSON)
            .add_filter(words::LESSONS, &[LESSON_EXTENSION]);
        let wanted = Wanted::open(words::OPEN_LESSON, &[LESSON_EXTENSION], Answer::Lesson);
        self.wait(ctx, wanted, || dialog.pick_file());
    }

    /// Asks where to write a lesson of one step.
    pub fn save_lesson(&self, ctx: &Context) {
        self.save_lesson_as(ctx, Answer::SaveLesson);
    }

    /// Asks where to write the recorded lesson.
    pub fn save_recording(&self, ctx: &Context) {
        self.save_lesson_as(ctx, Answer::SaveRecording);
    }

    fn save_lesson_as(&self, ctx: &Context, answer: fn(PathBuf) -> Answer) {
        let suggested = format!("lesson.{LESSON_EXTENSION}");
        let dialog = AsyncFileDialog::new()
            .set_title(words::SAVE_LESSON)
            .set_file_name(&suggested)
            .add_filter(words::LESSONS, &[LESSON_EXTENSION]);
        let wanted = Wanted {
            title: words::SAVE_LESSON,
            suggested,
            #[cfg(target_family = "wasm")]
            endings: Vec::new(),
            answer: Box::new(move |path| {
                let mut path = path.to_owned();
                if path.extension().is_none() {
                    path.set_extension(LESSON_EXTENSION);
                }
                answer(path)
            }),
        };
        self.wait(ctx, wanted, || dialog.save_file());
    }

    /// Asks where to save the handout of a lesson.
    pub fn save_handout(&self, ctx: &Context, lesson: Arc<Lesson>) {
        let html = Format::ENDINGS[0];
        let suggested = format!("handout.{html}");
        let mut dialog = AsyncFileDialog::new()
            .set_title(words::SAVE_HANDOUT)
            .set_file_name(&suggested);
        for (name, ending) in [words::HTML, words::PDF].into_iter().zip(Format::ENDINGS) {
            dialog = dialog.add_filter(name, &[ending]);
        }
        let wanted = Wanted {
            title: words::SAVE_HANDOUT,
            suggested,
            #[cfg(target_family = "wasm")]
            endings: Vec::new(),
            answer: Box::new(move |path| {
                let mut path = path.to_owned();
                if Format::of(&path).is_none() {
                    path.add_extension(html);
                }
                Answer::SaveHandout(path, Arc::clone(&lesson))
            }),
        };
        self.wait(ctx, wanted, || dialog.save_file());
    }

    /// Computes a handout on a thread of its own, with jobs of its own: the window stays as it is.
    #[cfg(not(target_family = "wasm"))]
    fn write_handout(&self, ctx: &Context, path: PathBuf, lesson: Arc<Lesson>) {
        let sender = self.sender.clone();
        let wake = ctx.clone();
        let work = move || {
            let done = handout::save(&lesson, &path);
            let _ = sender.try_send(Answer::HandoutDone(done));
            wake.request_repaint();
        };
        let thread = std::thread::Builder::new().name("handout".to_owned());
        if let Err(error) = thread.spawn(work) {
            let _ = self.sender.try_send(Answer::NoThread(error));
        }
    }

    /// Asks where to save a figure.
    pub fn save_figure(&self, ctx: &Context, figure: Arc<Figure>) {
        let extension = figure.kind.extension();
        let suggested = format!("modelens.{extension}");
        let dialog = AsyncFileDialog::new()
            .set_title(words::SAVE_FIGURE)
            .set_file_name(&suggested)
            .add_filter(extension.to_uppercase(), &[extension]);
        let wanted = Wanted {
            title: words::SAVE_FIGURE,
            suggested,
            #[cfg(target_family = "wasm")]
            endings: Vec::new(),
            answer: Box::new(move |path| {
                let mut path = path.to_owned();
                // The format was chosen before: another ending becomes part of the name.
                if path
                    .extension()
                    .is_none_or(|e| !e.eq_ignore_ascii_case(extension))
                {
                    path.add_extension(extension);
                }
                Answer::Save(path, Arc::clone(&figure))
            }),
        };
        self.wait(ctx, wanted, || dialog.save_file());
    }

    /// Asks where to save a trained model, and suggests `name`. The first of `endings` is the usual one.
    pub fn save_model(
        &self,
        ctx: &Context,
        trained: TrainedId,
        name: &str,
        endings: &'static [&'static str],
    ) {
        let dialog = AsyncFileDialog::new()
            .set_title(words::SAVE_MODEL)
            .set_file_name(name)
            .add_filter(words::MODEL, endings);
        let wanted = Wanted {
            title: words::SAVE_MODEL,
            suggested: name.to_owned(),
            #[cfg(target_family = "wasm")]
            endings: Vec::new(),
            answer: Box::new(move |path| Answer::SaveModel(with_ending(path, endings), trained)),
        };
        self.wait(ctx, wanted, || dialog.save_file());
    }

    /// Opens a dialog and waits for it on a thread of its own. The future is created on the main thread, as macOS
    /// requires.
    #[cfg(not(target_family = "wasm"))]
    fn wait<D>(&self, ctx: &Context, wanted: Wanted, dialog: impl FnOnce() -> D)
    where
        D: Future<Output = Option<FileHandle>> + Send + 'static,
    {
        let sender = self.sender.clone();
        if !self.of_system {
            let _ = sender.try_send(Answer::NoDialog(wanted));
            ctx.request_repaint();
            return;
        }
        let dialog = dialog();
        let wake = ctx.clone();
        let waits = move || {
            let start = Instant::now();
            let answer = match block_on(dialog) {
                Some(file) => (wanted.answer)(file.path()),
                None if start.elapsed() < QUICKEST => Answer::NoDialog(wanted),
                None => return,
            };
            let _ = sender.try_send(answer);
            wake.request_repaint();
        };
        let thread = std::thread::Builder::new().name("file dialog".to_owned());
        if let Err(error) = thread.spawn(waits) {
            let _ = self.sender.try_send(Answer::NoThread(error));
        }
    }
}

/// The path that was typed: `~` is the home folder, and a relative path begins in the folder that the program was
/// started in.
fn typed_path(text: &str) -> PathBuf {
    let text = text.trim();
    let home = directories::BaseDirs::new();
    let rest = text.strip_prefix("~/").or_else(|| text.strip_prefix("~\\"));
    let path = match (home, rest) {
        (Some(home), Some(rest)) => home.home_dir().join(rest),
        (Some(home), None) if text == "~" => home.home_dir().to_owned(),
        (_, _) => PathBuf::from(text),
    };
    std::path::absolute(&path).unwrap_or(path)
}

/// The path with the usual ending where a name without one was typed. A name with another ending stays
/// and is refused where it is saved; so does one whose file with the ending exists, because the dialog
/// has not asked about that file.
fn with_ending(path: &Path, endings: &[&str]) -> PathBuf {
    let (None, Some(usual)) = (path.extension(), endings.first()) else {
        return path.to_owned();
    };
    let named = path.with_extension(usual);
    if named.exists() {
        path.to_owned()
    } else {
        named
    }
}

/// Polls a future on this thread, which sleeps between polls.
#[cfg(not(target_family = "wasm"))]
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

impl App {
    /// Carries out the answers of dialogs.
    pub(super) fn answers(&mut self, ctx: &Context) {
        while let Ok(answer) = self.dialogs.answers.try_recv() {
            self.answer(ctx, answer);
        }
    }

    fn answer(&mut self, ctx: &Context, answer: Answer) {
        match answer {
            Answer::Base(path) => self.apply(ctx, Command::OpenModel(ModelSource::File(path))),
            Answer::Photos(path) => {
                self.apply(ctx, Command::OpenPhotos(PhotosSource::Folder(path)));
            }
            Answer::Lesson(path) => {
                let source = LessonSource::File(path);
                self.apply(ctx, LessonCommand::Open(source).into());
            }
            Answer::SaveLesson(path) => self.apply(ctx, LessonCommand::Save(path).into()),
            Answer::Save(path, figure) => self.send_figure(figure, FigureTo::File(path)),
            Answer::SaveRecording(path) => {
                self.apply(ctx, RecordCommand::SaveTo(path).into());
            }
            Answer::SaveHandout(path, lesson) => {
                let computed = &mut self.state.computed;
                computed.start(Job::SaveFigure, Stage::Saving);
                self.dialogs.write_handout(ctx, path, lesson);
            }
            Answer::HandoutDone(done) => {
                let computed = &mut self.state.computed;
                computed.finish(Job::SaveFigure);
                computed.settled(notices::HANDOUT_UNSAVED);
                match done {
                    Ok(path) => computed.saved = Some(path),
                    Err(why) => computed.notify(notices::HANDOUT_UNSAVED, why),
                }
            }
            Answer::SaveModel(path, trained) => {
                self.state
                    .computed
                    .start(Job::SaveModel, Stage::SavingModel);
                self.send(Request::SaveModel { trained, path });
            }
            Answer::NoDialog(wanted) => {
                let shell = &mut self.state.shell;
                shell.typed = Some(TypedPath {
                    title: wanted.title,
                    text: wanted.suggested.clone(),
                    saves: !wanted.suggested.is_empty(),
                    refused: None,
                    replaces: None,
                });
                shell.sheet = Some(Sheet::Path);
                self.dialogs.typed = Some(wanted);
            }
            #[cfg(not(target_family = "wasm"))]
            Answer::NoThread(error) => {
                let computed = &mut self.state.computed;
                computed.notify(words::UNOPENED, error.to_string());
            }
        }
    }

    /// Takes the path that was typed, or says why not.
    pub(super) fn take_typed(&mut self, ctx: &Context) {
        let (Some(typed), Some(wanted)) = (&mut self.state.shell.typed, &self.dialogs.typed) else {
            return;
        };
        let path = typed_path(&typed.text);
        let answer = (wanted.answer)(&path);
        let refused = match answer.written() {
            _ if typed.text.trim().is_empty() => Some(words::NO_PATH.to_owned()),
            Some(file) => {
                let folder = file.parent().unwrap_or(Path::new(""));
                if file.is_dir() {
                    Some(words::is_folder(&file.display().to_string()))
                } else if !folder.is_dir() {
                    Some(words::no_folder(&folder.display().to_string()))
                } else if file.exists() && typed.replaces.as_deref() != Some(file) {
                    typed.replaces = Some(file.to_owned());
                    Some(words::would_replace(&file.display().to_string()))
                } else {
                    None
                }
            }
            None => (!path.exists()).then(|| words::no_file(&path.display().to_string())),
        };
        if refused.is_some() {
            typed.refused = refused;
            return;
        }
        self.state.shell.sheet = None;
        self.state.shell.typed = None;
        self.dialogs.typed = None;
        self.answer(ctx, answer);
    }
}

impl Dialogs {
    /// Opens files that were dropped on the window.
    #[cfg(not(target_family = "wasm"))]
    #[allow(clippy::unused_self, reason = "a page waits for their contents")]
    pub fn dropped(&self, ui: &Ui, commands: &mut Vec<Command>) {
        let files = ui.input(|i| i.raw.dropped_files.clone());
        commands.extend(files.iter().map(|file| command_for(file.path())));
    }
}

/// A folder, an archive or a photo opens photos, a lesson opens as a lesson, and anything else as a model, whose
/// reader reports what is wrong with it.
fn command_for(path: &Path) -> Command {
    if path.is_dir() && !is_saved_model(path) {
        return Command::OpenPhotos(PhotosSource::Folder(path.to_owned()));
    }
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    let is_file_of_photos =
        (extension.as_deref()).is_some_and(|e| PHOTO_FILE_EXTENSIONS.contains(&e));
    if is_file_of_photos {
        return Command::OpenPhotos(PhotosSource::Folder(path.to_owned()));
    }
    let is_photo = extension.is_some_and(|e| PHOTO_EXTENSIONS.contains(&e.as_str()));
    if is_photo {
        Command::OpenPhoto(path.to_owned())
    } else if path.extension().is_some_and(|e| e == LESSON_EXTENSION) {
        LessonCommand::Open(LessonSource::File(path.to_owned())).into()
    } else {
        Command::OpenModel(ModelSource::File(path.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_file_is_taken_for_what_its_name_says() {
        let photo = command_for(Path::new("/photos/cat/one.JPG"));
        assert_eq!(photo, Command::OpenPhoto("/photos/cat/one.JPG".into()));
        let model = command_for(Path::new("/models/base.keras"));
        assert_eq!(
            model,
            Command::OpenModel(ModelSource::File("/models/base.keras".into()))
        );
        let lesson = command_for(Path::new("/notes/lesson.toml"));
        assert!(matches!(lesson, Command::Lesson(LessonCommand::Open(_))));
        let archive = PhotosSource::Folder("/cats.ZIP".into());
        assert_eq!(
            command_for(Path::new("/cats.ZIP")),
            Command::OpenPhotos(archive)
        );
        let other = command_for(Path::new("/notes.txt"));
        assert!(matches!(other, Command::OpenModel(_)));
    }

    #[test]
    fn a_typed_path_may_begin_at_home_or_here() {
        let here = std::env::current_dir().unwrap();
        assert_eq!(typed_path(" figure.png "), here.join("figure.png"));
        assert_eq!(typed_path("/tmp/a b.png"), PathBuf::from("/tmp/a b.png"));
        let home = directories::BaseDirs::new().unwrap();
        assert_eq!(typed_path("~/x"), home.home_dir().join("x"));
    }

    #[test]
    fn block_on_waits_for_another_thread() {
        let (sender, receiver) = sync_channel(1);
        let future = std::future::poll_fn(move |context| {
            if let Ok(n) = receiver.try_recv() {
                return Poll::Ready(n);
            }
            let waker = context.waker().clone();
            let sender = sender.clone();
            let wakes = move || {
                let _ = sender.send(5);
                waker.wake();
            };
            std::thread::Builder::new().spawn(wakes).unwrap();
            Poll::Pending
        });
        assert_eq!(block_on(future), 5);
    }
}
