//! The sidecar of a figure: the command, settings and hashes that are needed to draw it again, and to
//! check that it would be the same.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::FigureArgs;
use super::lesson::lesson_source;
use super::output::LaidOut;
use crate::cli::Failure;
use crate::command::LessonSource;
use crate::dataset::PhotoSet;
use crate::lesson::{BUNDLED, LessonStep};
use crate::model::Semantics;
use crate::state::{Gallery, State, View};
use crate::words::call as words;
use modelens_jobs::{ModelSource, bundled};

impl FigureArgs {
    /// The sidecar of one figure, as JSON.
    pub(super) fn sidecar(
        &self,
        state: &State,
        view: View,
        laid_out: &LaidOut,
        step: Option<&LessonStep>,
        figure: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        let LaidOut { drawn, width } = laid_out;
        let text = self.text_on_paper(drawn, *width)?;
        let text = text.map(|points| (f64::from(points) * 10.0).round() / 10.0);
        let settings = &state.settings;
        let flags = match step {
            Some(step) => step.trainable.as_deref().unwrap_or("file"),
            None => &self.trainable,
        };
        let value = json!({
            "program": env!("CARGO_PKG_NAME"),
            "version": env!("CARGO_PKG_VERSION"),
            "command": command(std::env::args_os()),
            "view": view.id(),
            "figure": { "sha256": sha256(figure), "points": drawn.size, "smallest_text_pt": text },
            "model": model(state)?,
            "semantics": state.semantics().label(),
            "lesson": self.from.as_deref().map(lesson).transpose()?,
            "step": step.map(|step| &step.title),
            "trainable": { "flags": flags, "frozen": frozen(state) },
            "call": words::value(settings.call, state.semantics()),
            "recorded": recorded(state),
            "modules": modules(state),
            "rebuilt": state.opened.base.as_ref().is_some_and(|b| b.flags.is_rebuilt()),
            "seed": settings.seed,
            "redraws": settings.redraws,
            "layer": layer(state, view),
            "channel": channel(state, view),
            "compare_norms": settings.compare_norms && view == View::BatchNorm,
            "augmentation": settings.pipeline.steps.iter().filter(|s| s.on).map(|s| s.layer.code()).collect::<Vec<_>>(),
            "batch_augmented": settings.augment_batch,
            "photo": photo(state)?,
            "batch": batch(state, view)?,
        });
        let mut value = value;
        for (key, fact) in view.page().sidecar(state) {
            value[key] = fact;
        }
        let mut text =
            crate::cli::terminal::json(&value).map_err(|error| Failure::File(error.to_string()))?;
        text.push('\n');
        Ok(text.into_bytes())
    }
}

/// Hexadecimal digits, as `sha256sum` prints them.
fn sha256(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::File(format!("{error}: {}", path.display())))
}

fn model(state: &State) -> Result<Value, Failure> {
    let Some(base) = &state.opened.base else {
        return Ok(Value::Null);
    };
    let unread = |error: bundled::NotFetched| Failure::File(error.to_string());
    let hash = match &base.source {
        ModelSource::Lab => sha256(&bundled::lab_mobilenetv2().map_err(unread)?),
        ModelSource::EfficientNetLite0 => sha256(&bundled::efficientnet_lite0().map_err(unread)?),
        ModelSource::File(path) | ModelSource::Weights { path, .. } => sha256(&read(path)?),
    };
    let mut model =
        json!({ "name": base.model.title, "framework": base.model.framework, "sha256": hash });
    if !base.model.assumed.is_empty() {
        let assumed = base.model.assumed.iter().map(|a| a.sentence.as_str());
        model["assumed"] = assumed.collect::<Vec<_>>().into();
    }
    Ok(model)
}

fn frozen(state: &State) -> Vec<String> {
    let base = state.opened.base.iter();
    let frozen = base.flat_map(|base| {
        let layers = base.model.graph.layers.iter().enumerate();
        layers
            .filter(|(id, _)| !base.flags.get(*id))
            .map(|(id, _)| base.model.graph.reference(id))
    });
    frozen.collect()
}

fn layer(state: &State, view: View) -> Option<String> {
    let base = state.opened.base.as_ref()?;
    Some(base.model.graph.reference(view.page().layer(base)?))
}

/// The `training=` value recorded at the call of the base.
fn recorded(state: &State) -> Option<bool> {
    let base = state.opened.base.as_ref()?;
    base.flags.recorded(&base.model.graph)
}

/// What single modules were told in PyTorch, in the words of `--modules`.
fn modules(state: &State) -> Option<String> {
    let base = state.opened.base.as_ref()?;
    let counts = state.semantics() == Semantics::PyTorch;
    counts.then(|| base.flags.modules.to_string())
}

/// The chosen channel, counted from 1; `None` if the view chose it.
fn channel(state: &State, view: View) -> Option<usize> {
    let base = state
        .opened
        .base
        .as_ref()
        .filter(|_| view == View::BatchNorm)?;
    base.channel.map(|channel| channel + 1)
}

fn lesson(name: &Path) -> Result<Value, Failure> {
    let hash = match lesson_source(name)? {
        LessonSource::File(path) => sha256(&read(&path)?),
        LessonSource::Bundled(number) => sha256(BUNDLED[number].text().as_bytes()),
        LessonSource::Link(link) => sha256(link.as_bytes()),
        LessonSource::Draft => sha256(&[]),
    };
    Ok(json!({ "name": name.to_string_lossy(), "sha256": hash }))
}

fn hashed(photos: &PhotoSet, photo: usize) -> Result<Value, Failure> {
    let bytes = photos.bytes(photo);
    let bytes = bytes.map_err(|error| Failure::File(error.to_string()))?;
    Ok(json!({ "name": photos.photos[photo].name, "sha256": sha256(&bytes) }))
}

/// Lists the photos again, since the window holds only their names.
fn with_bytes(gallery: &Gallery) -> Result<PhotoSet, Failure> {
    let photos = gallery.source.open();
    photos.map_err(|error| Failure::File(error.to_string()))
}

fn photo(state: &State) -> Result<Option<Value>, Failure> {
    let gallery = state.opened.gallery.as_ref();
    let Some(chosen) = gallery.filter(|gallery| gallery.chosen().is_some()) else {
        return Ok(None);
    };
    hashed(&with_bytes(chosen)?, chosen.photo).map(Some)
}

fn batch(state: &State, view: View) -> Result<Vec<Value>, Failure> {
    let looked = state.computed.result(view);
    let Some(gallery) = &state.opened.gallery else {
        return Ok(Vec::new());
    };
    let photos = with_bytes(gallery)?;
    let batch = looked.map_or(&[][..], |looked| &looked.batch);
    batch
        .iter()
        .filter(|&&photo| photo < photos.photos.len())
        .map(|&photo| hashed(&photos, photo))
        .collect()
}

/// The command as a shell reads it.
fn command(arguments: impl Iterator<Item = OsString>) -> String {
    let mut words = vec![env!("CARGO_PKG_NAME").to_owned()];
    words.extend(
        arguments
            .skip(1)
            .map(|word| shell_word(&word.to_string_lossy())),
    );
    words.join(" ")
}

fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=+%@".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_can_be_pasted_into_a_shell() {
        let words = ["/some/where/modelens", "figure", "it's here", "--out=a.svg"];
        let command = command(words.into_iter().map(OsString::from));
        assert_eq!(command, "modelens figure 'it'\\''s here' --out=a.svg");
    }

    #[test]
    fn hashes_are_those_of_sha256sum() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256(b""), empty);
    }
}
