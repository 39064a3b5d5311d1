//! Carries out commands: the only place that changes the state.

use eframe::egui::Context;

use super::App;
use crate::command::{Action, Command, ExportCommand, LessonCommand};
use crate::model::modules::{BASE, BATCH_NORMS, dotted};
use crate::model::{Flags, LayerId, Mode, Role};
use crate::panels;
use crate::state::{Base, MAX_BATCH, Search, Sheet, View};
use modelens_jobs::{Job, PhotosSource, PredictLook, Request, Stage};

impl App {
    /// Carries out one command.
    pub(super) fn apply(&mut self, ctx: &Context, command: Command) {
        let semantics = self.state.semantics();
        let state = &mut self.state;
        let settings = &mut state.settings;
        match command {
            Command::Do(action) => self.act(ctx, action),
            Command::Training(command) => self.train(ctx, command),
            Command::OpenModel(source) => {
                state.computed.start(Job::OpenModel, Stage::Opening);
                state.opened.opening_model = Some(source.clone());
                state.opened.opening_trained = None;
                self.send(Request::OpenModel(source));
            }
            Command::OpenPhotos(source) => {
                state.computed.start(Job::OpenPhotos, Stage::Listing);
                state.opened.opening_photos = Some(source.clone());
                state.opened.wanted_photo = None;
                self.send(Request::OpenPhotos(source));
            }
            Command::OpenPhoto(path) => {
                let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
                if let Some(folder) = path.parent() {
                    let source = PhotosSource::Folder(folder.to_owned());
                    self.apply(ctx, Command::OpenPhotos(source));
                    self.state.opened.wanted_photo = name;
                }
            }
            Command::Export(command) => self.apply_export(ctx, command),
            Command::Pipeline(command) => self.apply_pipeline(ctx, command),
            Command::Walk(command) => self.apply_walk(command),
            Command::Shell(command) => self.apply_shell(ctx, command),
            Command::Lesson(command) => self.apply_lesson(ctx, command),
            Command::Recording(command) => self.apply_record(ctx, command),
            Command::SetSemantics(choice) => settings.semantics = choice,
            Command::SetCall(call) => {
                settings.call = call;
                // `model.train()` and `model.eval()` set every module, also those that were told otherwise.
                self.forget_module_calls();
            }
            Command::CallModule(name, mode) => self.call_module(&name, mode),
            Command::Record(value) => {
                self.change_flags(|flags, graph| flags.record(graph, value));
            }
            Command::SetRebuilt(rebuilt) => {
                self.change_flags(|flags, _| flags.set_rebuilt(rebuilt));
            }
            Command::SetPreprocessing(choice) => settings.preprocessing = choice,
            Command::SetTheme(theme) => {
                settings.theme = theme;
                ctx.set_theme(theme);
            }
            Command::SetPhoto(photo) => {
                state.grid.cell_redraws.clear();
                if let Some(gallery) = &mut state.opened.gallery {
                    gallery.photo_is_choice = true;
                    gallery.photo = photo.min(gallery.photos.photos.len().saturating_sub(1));
                }
            }
            Command::SetBatch(batch) => settings.batch = batch.clamp(1, MAX_BATCH),
            Command::SetSeed(seed) if !settings.seed_locked => {
                settings.seed = seed;
                state.grid.cell_redraws.clear();
            }
            Command::SetSeed(_) => {}
            Command::LockSeed(locked) => settings.seed_locked = locked,
            Command::AugmentBatch(augment) => settings.augment_batch = augment,
            Command::SetPasses(passes) => {
                let [fewest, most] = PredictLook::PASSES_RANGE;
                settings.passes = passes.clamp(fewest, most);
            }
            Command::SetFineTuneFrom(from) => settings.fine_tune_from = from,
            Command::FreezeBefore(from) => self.freeze_before(from),
            Command::SetLayersTrainable(layers, on) => self.set_layers_trainable(&layers, on),
            Command::SortChannels(sort) => settings.sort_channels = sort,
            Command::CompareNorms(compare) => settings.compare_norms = compare,
            Command::Play(command) => self.play(command),
            Command::ReduceMotion(reduce) => settings.reduce_motion = reduce,
            Command::SortLayers(column) => {
                settings.layer_sort = settings.layer_sort.clicked(column);
            }
            Command::OnlyLayers(only) => settings.only_layers = only,
            Command::ShowUnreadable(show) => state.computed.show_unreadable = show,
            Command::DismissNotice(id) => state.computed.notices.retain(|n| n.id != id),
            Command::SetSearch(search) => {
                if let Some(base) = &mut state.opened.base {
                    base.search = search;
                }
            }
            Command::SetTrainable(layer, trainable) => {
                self.change_flags(|flags, graph| flags.set(graph, layer, trainable, semantics));
            }
            Command::SetContainerTrainable(path, trainable) => {
                self.set_container_trainable(&path, trainable);
            }
            Command::SetChannel(channel) => {
                if let Some(base) = &mut state.opened.base {
                    base.channel = Some(channel);
                }
            }
            Command::Noise(command) => self.apply_noise(command),
            Command::ShowLayer(layer) => self.show_layer(layer),
        }
    }

    /// Freezes the first layers of the base; all of them as `base.trainable = False` does.
    fn freeze_before(&mut self, from: usize) {
        let layers = self.state.opened.base.as_ref().map_or(0, Base::base_len);
        self.state.settings.fine_tune_from = from.min(layers.saturating_sub(1));
        self.change_flags(|flags, graph| {
            if from < layers {
                flags.fine_tune_from(graph, from);
            } else {
                flags.set_base(graph, false);
            }
        });
    }

    fn set_layers_trainable(&mut self, layers: &[LayerId], trainable: bool) {
        self.change_flags(|flags, graph| flags.set_layers(graph, layers, trainable));
    }

    fn set_container_trainable(&mut self, path: &str, trainable: bool) {
        let semantics = self.state.semantics();
        self.change_flags(|flags, graph| {
            for layer in dotted(graph, path) {
                flags.set(graph, layer, trainable, semantics);
            }
        });
    }

    fn show_layer(&mut self, layer: usize) {
        let Some(base) = &mut self.state.opened.base else {
            return;
        };
        let Some(role) = base.model.graph.layers.get(layer).map(|l| l.kind.role()) else {
            return;
        };
        match role {
            Role::BatchNorm => {
                if base.batch_norm != Some(layer) {
                    base.channel = None;
                }
                base.batch_norm = Some(layer);
            }
            Role::Noise => {
                base.noise = Some(layer);
                base.refused_rate = None;
            }
            Role::Weights | Role::Augmentation | Role::Plain => {}
        }
        let mut views = View::ALL.into_iter();
        if let Some(view) = views.find(|view| view.page().role() == Some(role)) {
            self.state.settings.view = view;
        }
    }

    fn act(&mut self, ctx: &Context, action: Action) {
        let settings = &mut self.state.settings;
        match action {
            Action::Show(view) => {
                settings.view = view;
                self.leave_step(view);
            }
            Action::Redraw => {
                settings.redraws += 1;
                self.state.grid.cell_redraws.clear();
            }
            Action::PlayPause => self.play_or_pause(),
            Action::NewSeed => {
                let seed = settings.seed.wrapping_add(1);
                self.apply(ctx, Command::SetSeed(seed));
            }
            Action::PreviousPhoto => self.step_photo(-1),
            Action::NextPhoto => self.step_photo(1),
            Action::OpenBase => self.dialogs.open_base(ctx),
            Action::OpenPhotos => self.dialogs.open_photos(ctx),
            Action::OpenPhotoFile => self.dialogs.open_photo_file(ctx),
            Action::Export => {
                // The preview would answer the question of a step.
                let open = self.state.export.choice.is_none() && !self.state.is_veiled();
                self.apply_export(ctx, ExportCommand::Show(open));
            }
            Action::FreezeBase => self.change_flags(|flags, graph| flags.set_base(graph, false)),
            Action::UnfreezeBase => self.change_flags(|flags, graph| flags.set_base(graph, true)),
            Action::FreezeAll => self.change_flags(|flags, _| flags.set_all(false)),
            Action::UnfreezeAll => self.change_flags(|flags, _| flags.set_all(true)),
            Action::FineTuneFrom => {
                let from = settings.fine_tune_from;
                self.change_flags(|flags, graph| flags.fine_tune_from(graph, from));
            }
            Action::ResetFlags => {
                self.change_flags(|flags, graph| *flags = Flags::of_file(graph));
            }
            Action::TrainModel => self.apply(ctx, Command::SetCall(Mode::Training.into())),
            Action::EvalBase => self.call_module(BASE, Mode::Inference),
            Action::EvalBatchNorms => self.call_module(BATCH_NORMS, Mode::Inference),
            Action::Compile => {
                if let Some(base) = &mut self.state.opened.base {
                    base.compiled = base.flags.clone();
                }
            }
            Action::Cancel => self.cancel(),
            Action::Retry => self.state.computed.sent = None,
            Action::Undo => self.undo(ctx),
            Action::Redo => self.redo(ctx),
            Action::FindCommand => self.state.shell.search = Some(Search::default()),
            Action::Lecture => {
                let on = self.state.shell.lecture.is_none();
                self.set_lecture(ctx, on);
            }
            Action::BlankScreen => {
                if let Some(lecture) = &mut self.state.shell.lecture {
                    lecture.blank = true;
                }
            }
            Action::ShowNotes => self.state.shell.notes ^= true,
            Action::SidePanel => {
                let width = ctx.content_rect().width();
                let shown = panels::side_panel::is_shown(&self.state, width);
                self.state.shell.side_panel = Some(!shown);
            }
            Action::ShowHidden => self.state.shell.hidden.clear(),
            Action::ShowKeys => self.state.shell.sheet = Some(Sheet::Keys),
            Action::ShowTerms => self.state.shell.sheet = Some(Sheet::Terms),
            Action::ShowCard => self.state.shell.sheet = Some(Sheet::Card),
            Action::ResetSettings => self.reset_settings(ctx),
            Action::OpenLesson => self.dialogs.open_lesson(ctx),
            Action::SaveLesson => self.dialogs.save_lesson(ctx),
            Action::RecordLesson => self.toggle_recording(ctx),
            Action::CopyLink => self.copy_link(ctx),
            Action::PasteLink => self.state.shell.sheet = Some(Sheet::Paste),
            Action::SaveHandout => self.ask_for_handout(ctx),
            Action::NextStep => self.step_lesson(ctx, 1),
            Action::PreviousStep => self.step_lesson(ctx, -1),
            Action::FreePlay => {
                let free = self.state.lesson.as_ref().is_some_and(|open| open.free);
                self.apply_lesson(ctx, LessonCommand::FreePlay(!free));
            }
            Action::CloseLesson => self.close_lesson(ctx),
            Action::StartRuns
            | Action::PauseRuns
            | Action::ResumeRuns
            | Action::StepRuns
            | Action::StopRuns
            | Action::ResetRuns => self.act_on_runs(action),
        }
    }

    fn change_flags(&mut self, change: impl FnOnce(&mut Flags, &crate::model::Graph)) {
        if let Some(base) = &mut self.state.opened.base {
            change(&mut base.flags, &base.model.graph);
        }
    }

    fn step_photo(&mut self, step: isize) {
        let Some(gallery) = &mut self.state.opened.gallery else {
            return;
        };
        self.state.grid.cell_redraws.clear();
        let len = gallery.photos.photos.len();
        gallery.photo_is_choice = true;
        if len > 0 {
            gallery.photo = (gallery.photo + len).saturating_add_signed(step) % len;
        }
    }

    fn cancel(&mut self) {
        self.give_up_ahead();
        self.jobs.cancel();
        self.state.walk.stop();
        let opened = &mut self.state.opened;
        opened.opening_model = None;
        opened.opening_trained = None;
        opened.opening_photos = None;
        opened.wanted_photo = None;
        self.stop_runs();
        for job in [
            Job::OpenModel,
            Job::OpenPhotos,
            Job::TryScales,
            Job::Look,
            Job::BatchNorm,
        ] {
            self.state.computed.finish(job);
        }
    }
}
