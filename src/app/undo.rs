//! Undo and redo: what the user had chosen before and after each change.

use std::collections::BTreeMap;
use std::mem::{Discriminant, discriminant};

use eframe::egui::{Context, Id};

use super::App;
use crate::command::{Command, PipelineCommand, WalkCommand};
use crate::model::{Flags, LayerId, ModuleCalls};
use crate::state::{Recorder, Settings, State, WalkMark};
use modelens_jobs::{ModelId, PhotosId};

/// The most changes that can be undone.
const MOST: usize = 200;

/// Everything the user has chosen, at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    settings: Settings,
    cell_redraws: BTreeMap<usize, u64>,
    base: Option<InBase>,
    photo: Option<(PhotosId, usize)>,
    /// Replaces the momentum of the BatchNorm layer.
    momentum: Option<f64>,
    /// The recorded lesson, without where it was saved.
    recorder: Option<Recorder>,
    /// How far the moving statistics had walked, if the change was their reset.
    walk: Option<WalkMark>,
}

/// The choices in the open base.
#[derive(Clone, Debug, PartialEq)]
struct InBase {
    /// The model: a layer id means another layer in another model.
    of: ModelId,
    flags: Flags,
    compiled: Flags,
    undone: ModuleCalls,
    batch_norm: Option<LayerId>,
    noise: Option<LayerId>,
    channel: Option<usize>,
    noise_rates: BTreeMap<LayerId, f64>,
}

impl Snapshot {
    /// Takes a snapshot of the state.
    pub fn of(state: &State) -> Self {
        let gallery = state.opened.gallery.as_ref();
        let photo = gallery.map(|g| (g.id, g.photo));
        Self {
            settings: state.settings.clone(),
            cell_redraws: state.grid.cell_redraws.clone(),
            base: state.opened.base.as_ref().map(|base| InBase {
                of: base.id,
                flags: base.flags.clone(),
                compiled: base.compiled.clone(),
                undone: base.undone.clone(),
                batch_norm: base.batch_norm,
                noise: base.noise,
                channel: base.channel,
                noise_rates: base.noise_rates.clone(),
            }),
            photo,
            momentum: state.walk.momentum,
            recorder: state.recorder.as_ref().map(|recorder| Recorder {
                saved: None,
                path: None,
                leaving: None,
                ..recorder.clone()
            }),
            walk: None,
        }
    }

    /// The same with how far the moving statistics have walked.
    fn with_walk(state: &State) -> Self {
        Self {
            walk: state.walk.mark(),
            ..Self::of(state)
        }
    }

    /// The present state, of which as much is taken as of this one.
    fn of_now(&self, state: &State) -> Self {
        match self.walk {
            Some(_) => Self::with_walk(state),
            None => Self::of(state),
        }
    }

    /// True if more than the view differs: switching views cannot be undone.
    fn differs_from(&self, other: &Self) -> bool {
        let mut other = other.clone();
        other.settings.view = self.settings.view;
        *self != other
    }

    /// True if a base was open.
    pub fn has_base(&self) -> bool {
        self.base.is_some()
    }

    /// Restores the snapshot.
    pub fn restore(self, state: &mut State) {
        state.settings = self.settings;
        if let (Some(base), Some(was)) = (&mut state.opened.base, self.base)
            && base.id == was.of
        {
            base.flags = was.flags;
            base.compiled = was.compiled;
            base.undone = was.undone;
            base.batch_norm = was.batch_norm;
            base.noise = was.noise;
            base.channel = was.channel;
            base.noise_rates = was.noise_rates;
            base.refused_rate = None;
        }
        if let (Some(gallery), Some((photos, photo))) = (&mut state.opened.gallery, self.photo)
            && gallery.id == photos
        {
            gallery.photo = photo;
        }
        state.walk.momentum = self.momentum;
        let kept = state.recorder.take();
        state.recorder = self.recorder.map(|recorder| match kept {
            Some(kept) => Recorder {
                saved: kept.saved,
                path: kept.path,
                ..recorder
            },
            None => recorder,
        });
        if let Some(mark) = &self.walk {
            state.walk.restore(mark);
        }
        let steps = state.settings.pipeline.steps.len();
        let grid = &mut state.grid;
        grid.steps_changed();
        grid.cell_redraws = self.cell_redraws;
        grid.expanded = grid.expanded.filter(|&step| step < steps);
    }
}

/// A press of the pointer, or a stay in a text field. Its changes are undone together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gesture {
    Press(u64),
    Typing(Id),
}

/// The kind of a change, which tells the drag of one slider from that of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kind(
    Discriminant<Command>,
    Option<(Discriminant<PipelineCommand>, usize)>,
);

impl Kind {
    fn of(command: &Command) -> Self {
        let inner = match command {
            Command::Pipeline(inner @ PipelineCommand::SetLayer(step, _)) => {
                Some((discriminant(inner), *step))
            }
            Command::Pipeline(inner) => Some((discriminant(inner), 0)),
            _ => None,
        };
        Self(discriminant(command), inner)
    }
}

/// The changes that can be undone and redone.
#[derive(Debug, Default)]
pub struct History {
    undo: Vec<Snapshot>,
    redo: Vec<Snapshot>,
    last: Option<(Kind, Gesture)>,
    presses: u64,
}

impl History {
    /// Counts presses of the pointer; called once per frame.
    pub fn frame(&mut self, ctx: &Context) {
        if ctx.input(|i| i.pointer.any_pressed()) {
            self.presses += 1;
        }
    }

    /// True if there is something to undo, and to redo.
    pub fn possible(&self) -> [bool; 2] {
        [!self.undo.is_empty(), !self.redo.is_empty()]
    }

    /// Clears the history when another model is opened, which has other layers.
    pub fn forget(&mut self) {
        self.undo.clear();
        self.redo.clear();
        self.last = None;
    }

    fn gesture(&self, ctx: &Context) -> Option<Gesture> {
        if ctx.text_edit_focused() {
            return ctx
                .memory(eframe::egui::Memory::focused)
                .map(Gesture::Typing);
        }
        let pressed = ctx.input(|i| i.pointer.any_down() || i.pointer.any_released());
        pressed.then_some(Gesture::Press(self.presses))
    }

    fn push(&mut self, ctx: &Context, kind: Kind, before: Snapshot) {
        self.redo.clear();
        let now = self.gesture(ctx).map(|gesture| (kind, gesture));
        let goes_on = now.is_some() && now == self.last;
        self.last = now;
        if goes_on {
            return;
        }
        self.undo.push(before);
        if self.undo.len() > MOST {
            self.undo.remove(0);
        }
    }
}

impl App {
    /// Carries out a command and records its change for undo.
    pub(super) fn carry_out(&mut self, ctx: &Context, command: Command) {
        let kind = Kind::of(&command);
        let keeps = !command.is_history();
        let step = self.state.lesson.as_ref().map(|open| open.step);
        // Batches that have run since another change survive when that is undone.
        let is_reset = command == Command::Walk(WalkCommand::Reset);
        let take: fn(&State) -> Snapshot = if is_reset {
            Snapshot::with_walk
        } else {
            Snapshot::of
        };
        let before = keeps.then(|| take(&self.state));
        self.apply(ctx, command);
        if let Some(before) = before
            && before.differs_from(&take(&self.state))
            // Changes by a lesson step are not undone one by one; the user goes back a step.
            && step == self.state.lesson.as_ref().map(|open| open.step)
        {
            self.history.push(ctx, kind, before);
        }
    }

    /// Undoes the last change.
    pub(super) fn undo(&mut self, ctx: &Context) {
        if let Some(before) = self.history.undo.pop() {
            self.history.redo.push(before.of_now(&self.state));
            self.go_to(ctx, before);
        }
    }

    /// Redoes the last change that was undone.
    pub(super) fn redo(&mut self, ctx: &Context) {
        if let Some(after) = self.history.redo.pop() {
            self.history.undo.push(after.of_now(&self.state));
            self.go_to(ctx, after);
        }
    }

    fn go_to(&mut self, ctx: &Context, snapshot: Snapshot) {
        self.history.last = None;
        snapshot.restore(&mut self.state);
        ctx.set_theme(self.state.settings.theme);
    }
}
