//! Applies a step of a lesson to the state of the window.

use crate::lesson::{Lesson, LessonStep, Named, Recorded};
use crate::model::flag_spec::flags_of;
use crate::model::{Flags, LayerKind, ModuleCalls, Role, Semantics};
use crate::state::{Settings, State};

impl Lesson {
    /// True if the model and the photos of this lesson are open.
    pub fn is_ready(&self, state: &State) -> bool {
        let opened = &state.opened;
        opened.base.as_ref().is_some_and(|b| b.source == self.model)
            && opened
                .gallery
                .as_ref()
                .is_some_and(|g| g.source == self.photos)
    }

    /// Makes every step use the rules of this framework, whatever the lesson says.
    pub fn set_semantics(&mut self, semantics: Semantics) {
        for step in self.steps.iter_mut().chain([&mut self.start]) {
            step.semantics = Some(Named(Some(semantics)));
        }
    }

    /// Sets everything that the user can set, except theme and motion, to what a step says. The result does not
    /// depend on the state before.
    ///
    /// # Errors
    /// The open files lack a layer, a flag or a photo; the rest is set all the same.
    pub fn apply(&self, step: usize, state: &mut State) -> Result<(), String> {
        let Some(step) = self.steps.get(step) else {
            return Ok(());
        };
        let start = &self.start;
        let defaults = Settings::default();
        let fine_tune_from = usual_fine_tune_from(state);
        state.settings = Settings {
            view: step.view.0,
            theme: state.settings.theme,
            reduce_motion: state.settings.reduce_motion,
            semantics: step.semantics.or(start.semantics).and_then(|s| s.0),
            call: step.call.map_or(defaults.call, |call| call.0),
            seed: step.seed.or(start.seed).unwrap_or(defaults.seed),
            batch: step.batch.or(start.batch).unwrap_or(defaults.batch),
            redraws: step.redraws.unwrap_or(0),
            compare_norms: step.compare_norms.unwrap_or(false),
            augment_batch: step.augment_batch.unwrap_or(false),
            preprocessing: step.scale.map(|scale| scale.0),
            grid: step.grid.map_or(defaults.grid, |grid| grid.0),
            pipeline: match (&step.pipeline, state.own_pipeline()) {
                (Some(steps), _) => steps.pipeline(),
                (None, Some(own)) => own.pipeline.clone(),
                (None, None) => defaults.pipeline.clone(),
            },
            train: step.run.map_or(defaults.train, |run| run.settings()),
            random: step.random.unwrap_or(defaults.random),
            passes: step.passes.unwrap_or(defaults.passes),
            monte_carlo: step.mask_passes.unwrap_or(defaults.monte_carlo),
            sort_channels: step.sort_channels.unwrap_or(defaults.sort_channels),
            layer_sort: step.sort_layers.map_or(defaults.layer_sort, |sort| sort.0),
            only_layers: step.only_layers.unwrap_or(defaults.only_layers),
            fine_tune_from: step.fine_tune_from.unwrap_or(fine_tune_from),
            ..defaults
        };
        state.walk.momentum = step.momentum;
        let grid = &mut state.grid;
        grid.steps_changed();
        let redrawn = step.redrawn_cells.iter();
        // A lesson counts from 1.
        grid.cell_redraws = redrawn.map(|&[cell, n]| (cell as usize - 1, n)).collect();
        grid.open = None;
        grid.editing = false;
        grid.expanded = None;
        let photo = photo(start, step, state);
        let base = in_base(step, state);
        photo.and(base)
    }
}

/// The layer that fine-tuning starts from unless it is chosen: it is in the base.
pub fn usual_fine_tune_from(state: &State) -> usize {
    let usual = Settings::default().fine_tune_from;
    let base = state.opened.base.as_ref();
    base.map_or(usual, |base| usual.min(base.base_len().saturating_sub(1)))
}

fn photo(start: &LessonStep, step: &LessonStep, state: &mut State) -> Result<(), String> {
    let wanted = step.photo.as_deref().or(start.photo.as_deref());
    let Some(gallery) = &mut state.opened.gallery else {
        return Ok(());
    };
    // Without a photo of its own, a step shows the default photo.
    let found = gallery.photos.find(wanted.unwrap_or("fish/fish9"));
    gallery.photo = *found.as_ref().unwrap_or(&0);
    gallery.photo_is_choice = wanted.is_some();
    let places = if step.photo.is_some() { step } else { start };
    match (wanted, found) {
        (Some(_), Err(why)) => Err(places.at("photo", &why)),
        _ => Ok(()),
    }
}

fn in_base(step: &LessonStep, state: &mut State) -> Result<(), String> {
    let semantics = state.semantics();
    let Some(base) = &mut state.opened.base else {
        return Ok(());
    };
    let fresh = base.fresh();
    let graph = &base.model.graph;
    let set = |key: &str, spec: Option<&String>| match spec {
        Some(spec) => {
            flags_of(graph, spec, semantics).map_err(|e| step.at(key, &format!("{key}: {e}")))
        }
        None => Ok(Flags::of_file(graph)),
    };
    let mut flags = set("trainable", step.trainable.as_ref());
    let compiled = set("compiled", step.compiled.as_ref());
    if let (Ok(flags), Some(Recorded::Value(value))) = (&mut flags, step.recorded.map(|r| r.0)) {
        flags.record(graph, value);
    }
    let modules = match &step.modules {
        Some(calls) => ModuleCalls::parse(&base.model, calls)
            .map_err(|error| step.at("modules", &format!("modules: {error}"))),
        None => Ok(ModuleCalls::default()),
    };
    let mut failed = modules.as_ref().err().cloned();
    if let Ok(flags) = &mut flags {
        flags.set_rebuilt(step.rebuilt.unwrap_or(false));
        flags.modules = modules.unwrap_or_default();
    }
    base.batch_norm = fresh.batch_norm;
    base.noise = fresh.noise;
    base.channel = step.channel.map(|channel| channel - 1);
    base.noise_rates.clear();
    base.refused_rate = None;
    match flags {
        Ok(flags) => {
            // Unless the step says otherwise, the model was compiled with these flags.
            base.compiled = if step.compiled.is_some() {
                compiled.unwrap_or_else(|error| {
                    failed = Some(error);
                    flags.clone()
                })
            } else {
                flags.clone()
            };
            base.flags = flags;
        }
        Err(error) => failed = Some(error),
    }
    if let Some(name) = &step.layer {
        match graph
            .find(name)
            .map(|id| (id, graph.layers[id].kind.role()))
        {
            Ok((id, Role::BatchNorm)) => base.batch_norm = Some(id),
            Ok((id, Role::Noise)) => base.noise = Some(id),
            Ok(_) => {
                let why = format!("`{name}` is neither a BatchNorm nor a dropout layer");
                failed = Some(step.at("layer", &why));
            }
            Err(error) => failed = Some(step.at("layer", &error.to_string())),
        }
    }
    if let (Some(channel), Some(id)) = (step.channel, base.batch_norm) {
        let layer = &graph.layers[id];
        let channels = layer.shape("moving_mean").map_or(0, |s| s.iter().product());
        if channel > channels {
            base.channel = None;
            let name = &layer.name;
            let why = format!("channel {channel}: layer `{name}` has {channels} channels");
            failed = Some(step.at("channel", &why));
        }
    }
    if let (Some(rate), Some(id)) = (step.rate, base.noise)
        && let LayerKind::Noise(noise) = &graph.layers[id].kind
    {
        match noise.with_strength(rate).acts(semantics) {
            Ok(_) => drop(base.noise_rates.insert(id, rate)),
            Err(error) => failed = Some(step.at("rate", &error.to_string())),
        }
    }
    failed.map_or(Ok(()), Err)
}
