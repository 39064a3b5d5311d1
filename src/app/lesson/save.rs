//! Writes what the window shows as a lesson with one step.

use std::path::Path;

use toml::Spanned;

use crate::lesson::{
    LessonFile, LessonPipeline, LessonRuns, LessonStep, Named, Recorded, VERSION, parse, paths,
};
use crate::model::flag_spec::spec_of;
use crate::model::{Flags, flags};
use crate::state::{Settings, State, View};
use crate::views::values::names;

const TEXT: &str = "Write here what this step shows. You can use **bold**, *italics*, `code`, lists with `-`, \
                    and measured values such as {rules}.";

/// Writes the current state to `path`, through a temporary file beside it.
///
/// # Errors
/// Nothing is open, files are outside the lesson's folder, the flags cannot be written as text, or the
/// file cannot be written. The error is a sentence.
pub fn save(state: &State, path: &Path) -> Result<(), String> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let text = written(state, folder)?;
    // A lesson must be readable again.
    parse(&text, Some(folder), &names()).map_err(|error| error.to_string())?;
    modelens_jobs::write_whole(path, text.as_bytes())
        .map_err(|error| format!("{error}: {}", path.display()))
}

fn written(state: &State, folder: &Path) -> Result<String, String> {
    let base = state.opened.base.as_ref().ok_or("no base is open")?;
    let gallery = state.opened.gallery.as_ref().ok_or("no photos are open")?;
    let [model, photos] = paths::names(&base.source, &gallery.source, folder)?;
    let step = step(state)?;
    let file = LessonFile {
        lesson: Spanned::new(0..0, VERSION),
        title: format!("{}: {}", base.model.title, step.title),
        model: Spanned::new(0..0, model),
        photos: Spanned::new(0..0, photos),
        photo: gallery.chosen().map(|photo| photo.name.clone()),
        semantics: state.settings.semantics.map(|s| Named(Some(s))),
        seed: Some(state.settings.seed),
        batch: Some(state.settings.batch),
        steps: vec![Spanned::new(0..0, step)],
    };
    toml::to_string_pretty(&file).map_err(|error| error.to_string())
}

fn step(state: &State) -> Result<LessonStep, String> {
    let settings = &state.settings;
    let page = settings.view.page();
    let defaults = Settings::default();
    let semantics = state.semantics();
    let base = state.opened.base.as_ref().ok_or("no base is open")?;
    let graph = &base.model.graph;
    let spec = |flags: &Flags| {
        spec_of(graph, flags, semantics)
            .ok_or("these flags cannot be written as text: several layers have the same name")
    };
    let of_file = Flags::of_file(graph);
    let mut step = LessonStep::new(page.label(), settings.view);
    TEXT.clone_into(&mut step.text);
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
    let compares = settings.compare_norms && settings.view == View::BatchNorm;
    step.compare_norms = compares.then_some(true);
    step.rate = base.noise.and_then(|id| base.noise_rates.get(&id)).copied();
    step.redraws = (settings.redraws > 0).then_some(settings.redraws);
    step.augment_batch = settings.augment_batch.then_some(true);
    step.scale = settings.preprocessing.map(Named);
    step.grid = (settings.grid != defaults.grid).then_some(Named(settings.grid));
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
