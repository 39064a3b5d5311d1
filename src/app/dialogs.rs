//! File dialogs and dropped files. They never block a frame.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use eframe::egui::{Context, Ui};
use rfd::{AsyncFileDialog, FileHandle};

use super::{App, handout};
use crate::command::{Command, LessonCommand, LessonSource, RecordCommand};
use crate::formats;
use crate::handout::Format;
use crate::lesson::Lesson;
use crate::words::dialogs as words;
use crate::words::notices;
use modelens_jobs::{
    Figure, FigureTo, Job, ModelSource, PhotosSource, Request, Stage, TrainedId, is_saved_model,
};

/// The most answers that can wait at once: more than anyone can click in one frame.
const WAITING: usize = 8;

/// A dialog that ends sooner without an answer was never shown: the dialog library returns the same
/// for a system without dialogs as for a user who closes one.
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
    /// The dialog ended before a user could have closed it.
    NoDialog,
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
        self.wait(ctx, dialog.pick_file(), |file| {
            Answer::Base(file.path().to_owned())
        });
    }

    /// Asks for a folder of photos.
    pub fn open_photos(&self, ctx: &Context) {
        let dialog = AsyncFileDialog::new().set_title(words::OPEN_PHOTOS);
        self.wait(ctx, dialog.pick_folder(), |file| {
            Answer::Photos(file.path().to_owned())
        });
    }

    /// Asks for a file of photos: an archive, arrays, or a single photo.
    pub fn open_photo_file(&self, ctx: &Context) {
        let endings = [&PHOTO_FILE_EXTENSIONS[..], &PHOTO_EXTENSIONS].concat();
        let dialog = AsyncFileDialog::new()
            .set_title(words::OPEN_PHOTOS)
            .add_filter(words::PHOTOS, &endings)
            .add_filter(words::ALL_FILES, &["*"]);
        self.wait(ctx, dialog.pick_file(), |file| {
            Answer::Photos(file.path().to_owned())
        });
    }

    /// Asks for a lesson file.
    pub fn open_lesson(&self, ctx: &Context) {
        let dialog = AsyncFileDialog::new()
            .set_title(words::OPEN_LESSON)
            .add_filter(words::LESSONS, &[LESSON_EXTENSION]);
        self.wait(ctx, dialog.pick_file(), |file| {
            Answer::Lesson(file.path().to_owned())
        });
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
        let dialog = AsyncFileDialog::new()
            .set_title(words::SAVE_LESSON)
            .set_file_name("lesson.toml")
            .add_filter(words::LESSONS, &[LESSON_EXTENSION]);
        self.wait(ctx, dialog.save_file(), move |file| {
            let mut path = file.path().to_owned();
            if path.extension().is_none() {
                path.set_extension(LESSON_EXTENSION);
            }
            answer(path)
        });
    }

    /// Asks where to save the handout of a lesson.
    pub fn save_handout(&self, ctx: &Context, lesson: Arc<Lesson>) {
        let [html, pdf] = Format::ENDINGS;
        let dialog = AsyncFileDialog::new()
            .set_title(words::SAVE_HANDOUT)
            .set_file_name(format!("handout.{html}"))
            .add_filter(words::HTML, &[html])
            .add_filter(words::PDF, &[pdf]);
        self.wait(ctx, dialog.save_file(), move |file| {
            let mut path = file.path().to_owned();
            if Format::of(&path).is_none() {
                path.add_extension(html);
            }
            Answer::SaveHandout(path, lesson)
        });
    }

    /// Computes a handout on a thread of its own, with jobs of its own: the window stays as it is.
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
        let extension = if figure.png_width.is_some() {
            "png"
        } else {
            "svg"
        };
        let dialog = AsyncFileDialog::new()
            .set_title(words::SAVE_FIGURE)
            .set_file_name(format!("modelens.{extension}"))
            .add_filter(extension.to_uppercase(), &[extension]);
        self.wait(ctx, dialog.save_file(), move |file| {
            let mut path = file.path().to_owned();
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
        self.wait(ctx, dialog.save_file(), move |file| {
            Answer::SaveModel(with_ending(file.path(), endings), trained)
        });
    }

    /// Waits for a dialog on its own thread. The future is created on the main thread, as macOS
    /// requires.
    fn wait(
        &self,
        ctx: &Context,
        dialog: impl Future<Output = Option<FileHandle>> + Send + 'static,
        answer: impl FnOnce(FileHandle) -> Answer + Send + 'static,
    ) {
        let sender = self.sender.clone();
        let wake = ctx.clone();
        let waits = move || {
            let start = Instant::now();
            let answer = match block_on(dialog) {
                Some(file) => answer(file),
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
                    self.jobs.send(Request::SaveModel { trained, path });
                }
                Answer::NoDialog => {
                    let hint = words::NO_DIALOG;
                    let computed = &mut self.state.computed;
                    computed.notify(words::UNOPENED, hint.to_owned());
                }
                Answer::NoThread(error) => {
                    let computed = &mut self.state.computed;
                    computed.notify(words::UNOPENED, error.to_string());
                }
            }
        }
    }
}

/// Opens files that were dropped on the window.
pub fn dropped(ui: &Ui, commands: &mut Vec<Command>) {
    let files = ui.input(|i| i.raw.dropped_files.clone());
    commands.extend(files.iter().map(|file| command_for(file.path())));
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
