//! Writes what the window shows as a step of a lesson, and steps as a lesson file.

use std::path::Path;

use toml::Spanned;

use super::apply::usual_fine_tune_from;
use crate::lesson::{
    LessonFile, LessonPipeline, LessonRuns, LessonStep, Named, Recorded, VERSION, parse, paths,
};
use crate::model::flag_spec::spec_of;
use crate::model::{Flags, flags};
use crate::state::{Settings, State};
use crate::views::values::names;
use modelens_jobs::{ModelSource, PhotosSource};

const TEXT: &str = "Write here what this step shows. You can use **bold**, *italics*, `code`, lists with `-`, \
                    and measured values such as {rules}.";

/// Writes the current state to `path`, through a temporary file beside it.
///
/// # Errors
/// Nothing is open, files are outside the lesson's folder, the flags cannot be written as text, or the
/// file cannot be written. The error is a sentence.
pub fn save(state: &State, path: &Path) -> Result<(), String> {
    let base = state.opened.base.as_ref().ok_or("no base is open")?;
    let gallery = state.opened.gallery.as_ref().ok_or("no photos are open")?;
    let mut step = recorded(state)?;
    TEXT.clone_into(&mut step.text);
    let title = format!("{}: {}", base.model.title, step.title);
    save_steps(&title, &base.source, &gallery.source, &[step], path)
}

/// Writes steps as a lesson file, through a temporary file beside it.
///
/// # Errors
/// As for [`save`].
pub fn save_steps(
    title: &str,
    model: &ModelSource,
    photos: &PhotosSource,
    steps: &[LessonStep],
    path: &Path,
) -> Result<(), String> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let [model, photos] = paths::names(model, photos, folder)?;
    let steps = steps.iter().cloned();
    let file = LessonFile {
        lesson: Spanned::new(0..0, VERSION),
        title: title.to_owned(),
        model: Spanned::new(0..0, model),
        photos: Spanned::new(0..0, photos),
        photo: None,
        semantics: None,
        seed: None,
        batch: None,
        steps: steps.map(|step| Spanned::new(0..0, step)).collect(),
    };
    let text = toml::to_string_pretty(&file).map_err(|error| error.to_string())?;
    // A lesson must be readable again.
    parse(&text, Some(folder), &names()).map_err(|error| error.to_string())?;
    modelens_jobs::write_whole(path, text.as_bytes())
        .map_err(|error| format!("{error}: {}", path.display()))
}

/// The present state as a step that sets everything itself.
///
/// # Errors
/// Nothing is open, or the flags cannot be written as text. The error is a sentence.
pub fn recorded(state: &State) -> Result<LessonStep, String> {
    let settings = &state.settings;
    let page = settings.view.page();
    let defaults = Settings::default();
    let semantics = state.semantics();
    let base = state.opened.base.as_ref().ok_or("no base is open")?;
    let gallery = state.opened.gallery.as_ref().ok_or("no photos are open")?;
    let graph = &base.model.graph;
    let spec = |flags: &Flags| {
        spec_of(graph, flags, semantics)
            .ok_or("these flags cannot be written as text: several layers have the same name")
    };
    let of_file = Flags::of_file(graph);
    let mut step = LessonStep::new(page.label(), settings.view);
    step.photo = gallery.chosen().map(|photo| photo.name.clone());
    step.semantics = settings.semantics.map(|s| Named(Some(s)));
    step.seed = Some(settings.seed);
    step.batch = Some(settings.batch);
    step.call = (settings.call != defaults.call).then_some(Named(settings.call));
    let recorded = base.flags.recorded(graph);
    let is_nested = flags::base_of(graph).is_some();
    if is_nested && recorded != of_file.recorded(graph) {
        step.recorded = Some(Named(Recorded::Value(recorded)));
    }
    step.rebuilt = base.flags.is_rebuilt().then_some(true);
    let modules = &base.flags.modules;
    step.modules = (!modules.is_empty()).then(|| modules.to_string());
    if !base.flags.same_trainable(&of_file) {
        step.trainable = Some(spec(&base.flags)?);
    }
    if !base.compiled.same_trainable(&base.flags) {
        step.compiled = Some(spec(&base.compiled)?);
    }
    let layer = page.layer(base);
    step.layer = layer.map(|id| graph.reference(id));
    step.channel = base.channel.map(|channel| channel + 1);
    step.compare_norms = other(settings.compare_norms, defaults.compare_norms);
    step.rate = base.noise.and_then(|id| base.noise_rates.get(&id)).copied();
    step.redraws = other(settings.redraws, 0);
    step.augment_batch = other(settings.augment_batch, false);
    step.scale = settings.preprocessing.map(Named);
    step.grid = (settings.grid != defaults.grid).then_some(Named(settings.grid));
    let redrawn = state.grid.cell_redraws.iter();
    step.redrawn_cells = redrawn.map(|(&cell, &n)| [cell as u64 + 1, n]).collect();
    step.random = other(settings.random, defaults.random);
    step.passes = other(settings.passes, defaults.passes);
    step.mask_passes = other(settings.monte_carlo, defaults.monte_carlo);
    step.momentum = state.walk.momentum;
    step.sort_channels = other(settings.sort_channels, defaults.sort_channels);
    step.sort_layers = other(settings.layer_sort, defaults.layer_sort).map(Named);
    step.only_layers = other(settings.only_layers, defaults.only_layers);
    step.fine_tune_from = other(settings.fine_tune_from, usual_fine_tune_from(state));
    if settings.view.shows_runs() {
        step.run = Some(LessonRuns::of(
            settings.train,
            !state.training.runs.is_empty(),
        ));
    }
    let usual = state.own_pipeline().map(|own| &own.pipeline);
    if settings.pipeline != *usual.unwrap_or(&defaults.pipeline) {
        let presets = crate::augment::PipelinePreset::ALL.into_iter();
        let preset = presets
            .map(Named)
            .find(|p| p.0.pipeline() == settings.pipeline);
        step.pipeline = Some(match preset {
            Some(preset) => LessonPipeline::Preset(preset),
            None => LessonPipeline::Own(settings.pipeline.steps.clone()),
        });
    }
    Ok(step)
}

/// A value that is not the usual one.
fn other<T: Copy + PartialEq>(value: T, usual: T) -> Option<T> {
    (value != usual).then_some(value)
}
