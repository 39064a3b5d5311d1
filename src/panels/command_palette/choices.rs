//! One table of everything the user can do, for the command palette.

use eframe::egui::KeyboardShortcut;

use crate::augment::PipelinePreset;
use crate::command::{
    Action, Command, LessonCommand, LessonSource, PipelineCommand, ShellCommand, TrainCommand,
};
use crate::lesson::BUNDLED;
use crate::model::{Mode, Outer, Preprocessing, Role, Semantics};
use crate::panels::call;
use crate::state::{Base, State, ThemeChoice};
use crate::train::optimizer::OptimizerKind;
use crate::train::recipe;
use crate::words::call as call_words;
use crate::words::commands as words;
use crate::words::titles::{model_title, photos_title};
use modelens_jobs::{Grid, ModelSource, PhotosSource};

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Choice {
    pub name: String,
    pub command: Command,
    pub shortcut: Option<KeyboardShortcut>,
    /// It is the current choice.
    pub chosen: bool,
    /// Why it can't be chosen now.
    pub why_not: Option<&'static str>,
}

impl Choice {
    fn new(name: impl Into<String>, command: impl Into<Command>) -> Self {
        Self {
            name: name.into(),
            command: command.into(),
            shortcut: None,
            chosen: false,
            why_not: None,
        }
    }

    fn chosen(mut self, chosen: bool) -> Self {
        self.chosen = chosen;
        self
    }

    fn unless(mut self, why_not: Option<&'static str>) -> Self {
        self.why_not = why_not;
        self
    }
}

/// Everything there is to do under the present state.
pub fn choices(state: &State) -> Vec<Choice> {
    let mut table: Vec<Choice> = Action::all()
        .map(|action| action_choice(action, state))
        .collect();
    settings(state, &mut table);
    runs(state, &mut table);
    files(state, &mut table);
    if let Some(base) = &state.opened.base {
        layers(base, state, &mut table);
    }
    if let Some(gallery) = &state.opened.gallery {
        for (i, photo) in gallery.photos.photos.iter().enumerate() {
            let choice = Choice::new(words::photo(&photo.name), Command::SetPhoto(i));
            table.push(choice.chosen(i == gallery.photo));
        }
    }
    table
}

fn action_choice(action: Action, state: &State) -> Choice {
    let info = action.info();
    let name = match action {
        Action::Show(_) => words::view(info.label),
        Action::FineTuneFrom => words::from_layer(info.label, state.settings.fine_tune_from),
        run if run.is_of_runs() => words::fine_tune(info.label),
        _ => info.label.to_owned(),
    };
    let chosen = match action {
        Action::Show(view) => view == state.settings.view,
        Action::Lecture => state.shell.lecture.is_some(),
        Action::SidePanel => state.shell.side_panel == Some(true),
        Action::FreePlay => state.lesson.as_ref().is_some_and(|l| l.free),
        _ => false,
    };
    Choice {
        shortcut: info.shortcut,
        ..Choice::new(name, action)
    }
    .chosen(chosen)
    .unless(action.why_not(state))
}

/// What the next runs are made of.
fn runs(state: &State, table: &mut Vec<Choice>) {
    let train = state.settings.train;
    let semantics = state.semantics();
    let presets = recipe::RunPreset::ALL.into_iter();
    for preset in presets.filter(|preset| preset.suits(semantics)) {
        let name = words::fine_tune(preset.label());
        let line = Choice::new(name, TrainCommand::SetPreset(preset));
        table.push(line.chosen(preset == train.preset(semantics)));
    }
    if semantics == Semantics::PyTorch {
        for evals in recipe::EvalCalls::ALL {
            let name = words::eval_calls(evals.label());
            let line = Choice::new(name, TrainCommand::SetEvals(evals));
            table.push(line.chosen(evals == train.evals));
        }
    }
    for kind in OptimizerKind::ALL {
        let name = words::fine_tune_with(kind.label());
        let line = Choice::new(name, TrainCommand::SetOptimizer(kind));
        table.push(line.chosen(kind == train.optimizer));
    }
    for (own, label) in [(false, words::NEW_HEAD), (true, words::OWN_HEAD)] {
        let line = Choice::new(words::fine_tune_head(label), TrainCommand::OwnHead(own));
        table.push(line.chosen(own == train.own_head));
    }
}

fn settings(state: &State, table: &mut Vec<Choice>) {
    let settings = &state.settings;
    let rules = [(None, words::BY_FILE)]
        .into_iter()
        .chain(Semantics::ALL.map(|s| (Some(s), s.label())));
    for (choice, label) in rules {
        let line = Choice::new(words::rules(label), Command::SetSemantics(choice));
        table.push(line.chosen(choice == settings.semantics));
    }
    let outer = Mode::BOTH.map(Outer::Given).into_iter();
    for choice in outer.chain([Outer::NotGiven]) {
        let label = call_words::label(choice, state.semantics());
        let line = Choice::new(call_words::outer_call(label), Command::SetCall(choice));
        table.push(line.chosen(choice == settings.call));
    }
    let why_not = call::why_not_recorded(state);
    for choice in [Some(true), Some(false), None] {
        let label = call_words::recorded(choice);
        let name = call_words::recorded_value(label);
        let base = state.opened.base.as_ref();
        let now = base.map(|b| b.flags.recorded(&b.model.graph));
        let line = Choice::new(name, Command::Record(choice));
        table.push(
            line.chosen(why_not.is_none() && now == Some(choice))
                .unless(why_not),
        );
    }
    for preset in PipelinePreset::ALL {
        let name = words::pipeline(preset.label());
        let line = Choice::new(name, PipelineCommand::SetPreset(preset));
        table.push(line.chosen(settings.pipeline == preset.pipeline()));
    }
    let own = Choice::new(words::OWN_PIPELINE, PipelineCommand::UseOwn);
    let none = state.own_pipeline().is_none();
    table.push(own.unless(none.then_some(words::NO_OWN_PIPELINE)));
    for grid in Grid::ALL {
        let name = words::grid(grid.label());
        let line = Choice::new(name, PipelineCommand::SetGrid(grid));
        table.push(line.chosen(settings.grid == grid));
    }
    for theme in ThemeChoice::ALL {
        let name = words::theme(theme.label());
        let line = Choice::new(name, Command::SetTheme(theme));
        table.push(line.chosen(settings.theme == theme));
    }
    let scales = [(None, words::BY_FILE)]
        .into_iter()
        .chain(Preprocessing::ALL.map(|p| (Some(p), p.label())));
    for (choice, label) in scales {
        let line = Choice::new(words::scale(label), Command::SetPreprocessing(choice));
        table.push(line.chosen(choice == settings.preprocessing));
    }
    let augment = !settings.augment_batch;
    let name = if augment {
        words::AUGMENT_ON
    } else {
        words::AUGMENT_OFF
    };
    table.push(Choice::new(name, Command::AugmentBatch(augment)));
    let lock = !settings.seed_locked;
    let name = if lock {
        words::LOCK_SEED
    } else {
        words::UNLOCK_SEED
    };
    table.push(Choice::new(name, Command::LockSeed(lock)));
    let reduced = settings.reduce_motion;
    let line = Choice::new(words::REDUCE_MOTION, Command::ReduceMotion(!reduced));
    table.push(line.chosen(reduced));
    for batch in [1, 2, 4, 8, 16, 32, 64] {
        let line = Choice::new(words::batch_of(batch), Command::SetBatch(batch));
        table.push(line.chosen(settings.batch == batch));
    }
}

fn files(state: &State, table: &mut Vec<Choice>) {
    let opened = &state.opened;
    let bundled = [ModelSource::Lab, ModelSource::EfficientNetLite0];
    let recent = state.shell.recent.models.iter().cloned();
    for source in bundled.into_iter().chain(recent.map(ModelSource::File)) {
        let name = words::base(&model_title(&source));
        let chosen = opened.base.as_ref().is_some_and(|b| b.source == source);
        table.push(Choice::new(name, Command::OpenModel(source)).chosen(chosen));
    }
    let recent = state.shell.recent.photos.iter().cloned();
    let bundled = std::iter::once(PhotosSource::Bundled);
    for source in bundled.chain(recent.map(PhotosSource::Folder)) {
        let name = words::photos(&photos_title(&source));
        let chosen = opened.gallery.as_ref().is_some_and(|g| g.source == source);
        table.push(Choice::new(name, Command::OpenPhotos(source)).chosen(chosen));
    }
    let recent = &state.shell.recent;
    let none = recent.models.is_empty() && recent.photos.is_empty();
    let forget = Choice::new(words::FORGET_RECENT, ShellCommand::ForgetRecent);
    table.push(forget.unless(none.then_some(words::NO_RECENT)));
    for (number, lesson) in BUNDLED.iter().enumerate() {
        let source = LessonSource::Bundled(number);
        let chosen = state.lesson.as_ref().is_some_and(|l| l.source == source);
        let name = words::lesson(lesson.title);
        table.push(Choice::new(name, LessonCommand::Open(source)).chosen(chosen));
    }
}

fn layers(base: &Base, state: &State, table: &mut Vec<Choice>) {
    let of = |id: usize| &base.model.graph.layers[id];
    for &(id, _) in &base.rows {
        if matches!(of(id).kind.role(), Role::BatchNorm | Role::Noise) {
            let name = words::layer(&of(id).name);
            let chosen = state.settings.view.page().layer(base) == Some(id);
            table.push(Choice::new(name, Command::ShowLayer(id)).chosen(chosen));
        }
    }
    if state.semantics() == Semantics::PyTorch {
        for row in base.list(Semantics::PyTorch) {
            let mode = match base.module_mode(row.of, state.settings.call) {
                Mode::Training => Mode::Inference,
                Mode::Inference => Mode::Training,
            };
            let module = base.module_reference(row.of);
            let name = call_words::module_call(&module, mode);
            table.push(Choice::new(name, Command::CallModule(module, mode)));
        }
    }
    for &(id, _) in &base.rows {
        let trainable = base.flags.get(id);
        let verb = if trainable {
            words::FREEZE
        } else {
            words::UNFREEZE
        };
        let name = format!("{verb} {}", of(id).name);
        table.push(Choice::new(name, Command::SetTrainable(id, !trainable)));
    }
}
