//! File dialogs and dropped files. They never block a frame.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
#[cfg(not(target_family = "wasm"))]
use std::{
    pin::pin,
    task::{Poll, Waker},
    time::{Duration, Instant},
};

use eframe::egui::{Context, Ui};
use rfd::{AsyncFileDialog, FileHandle};

use super::App;
use crate::command::{Command, LessonCommand, LessonSource};
use crate::formats;
use crate::words::dialogs as words;
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
    Save(PathBuf, Arc<Figure>),
    SaveModel(PathBuf, TrainedId),
    /// Files whose content the page was given; what to do with them follows.
    #[cfg(target_family = "wasm")]
    Given(Vec<(PathBuf, Vec<u8>)>),
    /// Dropped files, which have arrived.
    #[cfg(target_family = "wasm")]
    Dropped(Vec<PathBuf>),
    /// The dialog ended before a user could have closed it.
    #[cfg(not(target_family = "wasm"))]
    NoDialog,
    #[cfg(not(target_family = "wasm"))]
    NoThread(std::io::Error),
}

/// The open dialogs.
pub struct Dialogs {
    sender: SyncSender<Answer>,
    answers: Receiver<Answer>,
}

impl Dialogs {
    pub fn new() -> Self {
        let (sender, answers) = sync_channel(WAITING);
        Self { sender, answers }
    }

    /// Asks for a model file.
    pub fn open_base(&self, ctx: &Context) {
        let endings: Vec<&str> = formats::endings().collect();
        let dialog = AsyncFileDialog::new()
            .set_title(words::OPEN_BASE)
            .add_filter(words::MODELS, &endings)
            .add_filter(words::ALL_FILES, &["*"]);
        self.wait(ctx, dialog.pick_file(), Answer::Base);
    }

    /// Asks for a folder of photos; a page, which is given no folders, for a file of them.
    pub fn open_photos(&self, ctx: &Context) {
        #[cfg(target_family = "wasm")]
        self.open_photo_file(ctx);
        #[cfg(not(target_family = "wasm"))]
        {
            let dialog = AsyncFileDialog::new().set_title(words::OPEN_PHOTOS);
            self.wait(ctx, dialog.pick_folder(), Answer::Photos);
        }
    }

    /// Asks for a file of photos: an archive, arrays, or a single photo.
    pub fn open_photo_file(&self, ctx: &Context) {
        let endings = [&PHOTO_FILE_EXTENSIONS[..], &PHOTO_EXTENSIONS].concat();
        let dialog = AsyncFileDialog::new()
            .set_title(words::OPEN_PHOTOS)
            .add_filter(words::PHOTOS, &endings)
            .add_filter(words::ALL_FILES, &["*"]);
        self.wait(ctx, dialog.pick_file(), Answer::Photos);
    }

    /// Asks for a lesson file.
    pub fn open_lesson(&self, ctx: &Context) {
        let dialog = AsyncFileDialog::new()
            .set_title(words::OPEN_LESSON)
            .add_filter(words::LESSONS, &[LESSON_EXTENSION]);
        self.wait(ctx, dialog.pick_file(), Answer::Lesson);
    }

    /// Asks where to write a lesson.
    pub fn save_lesson(&self, ctx: &Context) {
        let dialog = AsyncFileDialog::new()
            .set_title(words::SAVE_LESSON)
            .set_file_name("lesson.toml")
            .add_filter(words::LESSONS, &[LESSON_EXTENSION]);
        self.wait_to_save(ctx, dialog, "lesson.toml", |mut path| {
            if path.extension().is_none() {
                path.set_extension(LESSON_EXTENSION);
            }
            Answer::SaveLesson(path)
        });
    }

    /// Asks where to save a figure.
    pub fn save_figure(&self, ctx: &Context, figure: Arc<Figure>) {
        let extension = if figure.png_width.is_some() {
            "png"
        } else {
            "svg"
        };
        let name = format!("modelens.{extension}");
        let dialog = AsyncFileDialog::new()
            .set_title(words::SAVE_FIGURE)
            .set_file_name(&name)
            .add_filter(extension.to_uppercase(), &[extension]);
        self.wait_to_save(ctx, dialog, &name, move |mut path| {
            // The format was chosen before: another ending becomes part of the name.
            if path
                .extension()
                .is_none_or(|e| !e.eq_ignore_ascii_case(extension))
            {
                path.add_extension(extension);
            }
            Answer::Save(path, figure)
        });
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
        self.wait_to_save(ctx, dialog, name, move |path| {
            Answer::SaveModel(with_ending(&path, endings), trained)
        });
    }

    /// Waits for where to save.
    #[cfg(not(target_family = "wasm"))]
    fn wait_to_save(
        &self,
        ctx: &Context,
        dialog: AsyncFileDialog,
        _name: &str,
        answer: impl FnOnce(PathBuf) -> Answer + Send + 'static,
    ) {
        self.wait(ctx, dialog.save_file(), answer);
    }

    /// Saves under the suggested name: the browser asks where downloads go.
    #[cfg(target_family = "wasm")]
    fn wait_to_save(
        &self,
        ctx: &Context,
        _dialog: AsyncFileDialog,
        name: &str,
        answer: impl FnOnce(PathBuf) -> Answer + 'static,
    ) {
        let _ = self.sender.try_send(answer(Path::new("/").join(name)));
        ctx.request_repaint();
    }

    /// Waits for the file that a person chooses and for its content.
    #[cfg(target_family = "wasm")]
    fn wait(
        &self,
        ctx: &Context,
        dialog: impl Future<Output = Option<FileHandle>> + 'static,
        answer: impl FnOnce(PathBuf) -> Answer + 'static,
    ) {
        let sender = self.sender.clone();
        let wake = ctx.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let Some(file) = dialog.await else { return };
            let path = Path::new("/").join(file.file_name());
            let bytes = file.read().await;
            let _ = sender.try_send(Answer::Given(vec![(path.clone(), bytes)]));
            let _ = sender.try_send(answer(path));
            wake.request_repaint();
        });
    }

    /// Waits for a dialog on its own thread. The future is created on the main thread, as macOS
    /// requires.
    #[cfg(not(target_family = "wasm"))]
    fn wait(
        &self,
        ctx: &Context,
        dialog: impl Future<Output = Option<FileHandle>> + Send + 'static,
        answer: impl FnOnce(PathBuf) -> Answer + Send + 'static,
    ) {
        let sender = self.sender.clone();
        let wake = ctx.clone();
        let waits = move || {
            let start = Instant::now();
            let answer = match block_on(dialog) {
                Some(file) => answer(file.path().to_owned()),
                None if start.elapsed() < QUICKEST => Answer::NoDialog,
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
                Answer::SaveModel(path, trained) => {
                    self.state
                        .computed
                        .start(Job::SaveModel, Stage::SavingModel);
                    self.jobs.send(Request::SaveModel { trained, path });
                }
                #[cfg(target_family = "wasm")]
                Answer::Given(files) => {
                    for (path, bytes) in files {
                        modelens_jobs::give(path.clone(), bytes.clone());
                        self.jobs.send(Request::Give { path, bytes });
                    }
                }
                #[cfg(target_family = "wasm")]
                Answer::Dropped(paths) => self.apply(ctx, command_for_all(&paths)),
                #[cfg(not(target_family = "wasm"))]
                Answer::NoDialog => {
                    let hint = words::NO_DIALOG;
                    let computed = &mut self.state.computed;
                    computed.notify(words::UNOPENED, hint.to_owned());
                }
                #[cfg(not(target_family = "wasm"))]
                Answer::NoThread(error) => {
                    let computed = &mut self.state.computed;
                    computed.notify(words::UNOPENED, error.to_string());
                }
            }
        }
    }
}

impl Dialogs {
    /// Opens files that were dropped on the window.
    #[cfg(not(target_family = "wasm"))]
    pub fn dropped(&self, ui: &Ui, commands: &mut Vec<Command>) {
        let files = ui.input(|i| i.raw.dropped_files.clone());
        commands.extend(files.iter().map(|file| command_for(file.path())));
    }

    /// Reads files that were dropped on the page; they are opened once they have arrived.
    #[cfg(target_family = "wasm")]
    pub fn dropped(&self, ui: &Ui, _commands: &mut Vec<Command>) {
        let files = ui.input(|i| i.raw.dropped_files.clone());
        if files.is_empty() {
            return;
        }
        let sender = self.sender.clone();
        let wake = ui.ctx().clone();
        wasm_bindgen_futures::spawn_local(async move {
            let mut given = Vec::new();
            for file in files {
                let path = Path::new(DROPPED).join(file.path());
                // A folder has no bytes of its own.
                if let Ok(bytes) = file.bytes_async().await {
                    given.push((path, bytes));
                }
            }
            let paths = given.iter().map(|(path, _)| path.clone()).collect();
            let _ = sender.try_send(Answer::Given(given));
            let _ = sender.try_send(Answer::Dropped(paths));
            wake.request_repaint();
        });
    }
}

/// The folder in which a page puts what was dropped together.
#[cfg(target_family = "wasm")]
const DROPPED: &str = "/dropped";

/// One file opens as what it is; a model among several opens with the files beside it; photos alone open
/// as a folder.
#[cfg(target_family = "wasm")]
fn command_for_all(paths: &[PathBuf]) -> Command {
    let model = paths.iter().map(|path| command_for(path));
    let model = model
        .into_iter()
        .find(|c| matches!(c, Command::OpenModel(_)));
    match (paths, model) {
        (_, Some(model)) => model,
        ([one], None) => command_for(one),
        _ => Command::OpenPhotos(PhotosSource::Folder(DROPPED.into())),
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
