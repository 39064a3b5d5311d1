//! Configurations in files of their own: `model.to_json()` or `model.to_yaml()` beside the weights of
//! `save_weights`.

use serde_json::Value;

use super::h5::H5;
use super::{
    KerasFile, archive, assemble, framework, load_named, load_numbered, weights_only, yaml,
};
use crate::formats::{Configuration, ModelFile, OpenError};
use crate::model::Recognised;

/// Configurations or files of weights that are tried in one folder.
const MOST: usize = 16;
/// Maximum bytes of a file of weights beside a configuration.
const MAX_WEIGHTS: u64 = 2 << 30;

/// True for a file that begins as those of `model.to_json()` and `model.to_yaml()` do.
pub(super) fn is_configuration(bytes: &[u8]) -> bool {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let start = start.trim_ascii_start();
    let head = &start[..start.len().min(4096)];
    let has = |word: &[u8]| head.windows(word.len()).any(|part| part == word);
    if head.starts_with(b"{") {
        // TensorFlow.js keeps the same object inside of another.
        return has(b"\"class_name\"") && !has(b"\"modelTopology\"");
    }
    let is_text = |byte: &u8| !byte.is_ascii_control() || matches!(byte, b'\n' | b'\r' | b'\t');
    head.iter().all(is_text)
        && (head.starts_with(b"class_name: ") || has(b"\nclass_name: "))
        && has(b"\nconfig:")
}

/// The configuration of a model; `None` for anything else.
fn parsed(bytes: &[u8]) -> Option<Value> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(_) => yaml::parse(std::str::from_utf8(bytes).ok()?)?,
    };
    let is_model = value.get("class_name").is_some_and(Value::is_string)
        && value
            .get("config")
            .is_some_and(|c| c.is_object() || c.is_array());
    is_model.then_some(value)
}

/// The weights that belong to a configuration, where `file` is one; else the file itself.
///
/// # Errors
/// No weights in its folder that fit, or several.
pub(super) fn with_weights(file: ModelFile<'_>) -> Result<ModelFile<'_>, OpenError> {
    if !is_configuration(&file.bytes) {
        return Ok(file);
    }
    let ModelFile {
        title,
        bytes,
        architecture,
        beside,
        class_names,
        ..
    } = file;
    let configuration = Configuration {
        name: title.to_owned(),
        bytes,
    };
    let mut fitting = Vec::new();
    let mut why = None;
    let names = beside.names().into_iter().filter(|name| is_weights(name));
    for name in names.take(MOST) {
        let Ok(Some(bytes)) = beside.read(&name, MAX_WEIGHTS) else {
            continue;
        };
        if !bytes.starts_with(super::SIGNATURE) || !is_alone(&bytes) {
            continue;
        }
        match open(bytes.clone(), &configuration, None) {
            Ok(_) => fitting.push((name, bytes)),
            Err(error) => why = Some((name, error)),
        }
    }
    match (fitting.as_slice(), why) {
        ([_], _) => {
            let (_, bytes) = fitting.remove(0);
            Ok(ModelFile {
                title,
                bytes,
                architecture,
                beside,
                class_names,
                configuration: Some(configuration),
            })
        }
        ([], None) => Err(OpenError::Refused(
            "this is a model's configuration without its weights: put the file of \
             model.save_weights(...) into the same folder, or save the model with model.save('model.keras')"
                .to_owned(),
        )),
        ([], Some((name, error))) => Err(OpenError::Refused(format!(
            "this is a model's configuration, and the weights in {name} beside it do not fit: {error}"
        ))),
        (several, _) => {
            let names: Vec<&str> = several.iter().map(|(name, _)| name.as_str()).collect();
            Err(OpenError::Refused(format!(
                "this is a model's configuration, and several files of weights beside it fit ({}): open \
                 one of them",
                names.join(", ")
            )))
        }
    }
}

fn is_weights(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".h5", ".hdf5"].iter().any(|ending| name.ends_with(ending))
}

/// True for an HDF5 file that holds no configuration of its own.
fn is_alone(bytes: &[u8]) -> bool {
    let read = super::guarded(|| {
        let h5 = H5::open(bytes.to_vec(), bytes.len())?;
        Ok(H5::attributes(&h5.root())?.text("model_config").is_none())
    });
    read.unwrap_or(false)
}

/// True if a configuration was chosen for the file, or may be in its folder.
pub(super) fn may_be_beside(file: &ModelFile<'_>) -> bool {
    file.configuration.is_some() || file.beside.names().iter().any(|name| is_named(name))
}

/// True for the name of a file that may hold a configuration.
fn is_named(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".json", ".yaml", ".yml"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

/// Opens weights that come without a configuration: with the one that was chosen or that is beside them,
/// or as a network of `keras.applications`.
pub(super) fn open_weights(
    file: &ModelFile<'_>,
    h5: H5,
    network: Option<&str>,
    output: Option<&str>,
) -> Result<KerasFile, OpenError> {
    if network.is_some() {
        return weights_only::open(h5, file.title, network);
    }
    if let Some(configuration) = &file.configuration {
        let opened = open(file.bytes.clone(), configuration, output);
        return opened.map_err(|error| misfit(&configuration.name, &error));
    }
    let mut fitting: Vec<(Configuration, KerasFile)> = Vec::new();
    let mut why = None;
    for configuration in beside(file) {
        match open(file.bytes.clone(), &configuration, output) {
            Ok(opened) => fitting.push((configuration, opened)),
            Err(error) => why = Some((configuration.name, error)),
        }
    }
    // A configuration named like the weights is meant for them.
    let own = fitting
        .iter()
        .position(|(c, _)| is_named_after(&c.name, file.title));
    let first = fitting.first().and_then(|(c, _)| parsed(&c.bytes));
    let is_same = fitting.iter().all(|(c, _)| parsed(&c.bytes) == first);
    if let Some(at) = own.or((is_same && !fitting.is_empty()).then_some(0)) {
        return Ok(fitting.swap_remove(at).1);
    }
    if !fitting.is_empty() {
        let names: Vec<&str> = fitting.iter().map(|(c, _)| c.name.as_str()).collect();
        return Err(OpenError::WeightsAlone(format!(
            "several configurations beside it fit ({}); choose one with --architecture FILE",
            names.join(", ")
        )));
    }
    let recognised = weights_only::open(h5, file.title, None);
    match (recognised, why) {
        (Err(OpenError::WeightsAlone(_)), Some((name, error))) => Err(misfit(&name, &error)),
        (recognised, _) => recognised,
    }
}

fn misfit(name: &str, error: &OpenError) -> OpenError {
    OpenError::WeightsAlone(format!("with {name} beside it, {error}"))
}

/// The configurations of models in the folder of the file, in the order of their names.
fn beside(file: &ModelFile<'_>) -> Vec<Configuration> {
    let names = file.beside.names().into_iter();
    let named = names.filter(|name| is_named(name));
    let read = named.filter_map(|name| {
        let bytes = file.beside.read(&name, archive::MAX_CONFIG).ok()??;
        (is_configuration(&bytes) && parsed(&bytes).is_some())
            .then_some(Configuration { name, bytes })
    });
    read.take(MOST).collect()
}

/// True for `mask.json` beside `mask.h5`, `mask_weights.h5` or `mask.weights.h5`.
fn is_named_after(configuration: &str, weights: &str) -> bool {
    let stem = |name: &str| {
        let mut stem = name.to_ascii_lowercase();
        for end in [
            ".json",
            ".yaml",
            ".yml",
            ".h5",
            ".hdf5",
            "weights",
            "weight",
            "architecture",
            "config",
            "model",
        ] {
            stem = stem
                .trim_end_matches(end)
                .trim_end_matches(['.', '_', '-'])
                .to_owned();
        }
        stem
    };
    stem(configuration) == stem(weights)
}

/// Opens these weights as those of this configuration.
fn open(
    bytes: Vec<u8>,
    configuration: &Configuration,
    output: Option<&str>,
) -> Result<KerasFile, OpenError> {
    super::guarded(|| {
        let name = &configuration.name;
        if configuration.bytes.len() as u64 > archive::MAX_CONFIG {
            return Err(OpenError::TooLarge(format!("{name} is too large")));
        }
        let config = parsed(&configuration.bytes).ok_or_else(|| {
            OpenError::Refused(format!("{name} is not the configuration of a Keras model"))
        })?;
        let length = bytes.len();
        let mut h5 = H5::open(bytes, length)?;
        let root = H5::attributes(&h5.root())?;
        let written = root.text("keras_version");
        let written = written.or_else(|| config.get("keras_version").and_then(Value::as_str));
        let (framework, semantics) = framework(written, &config)?;
        let is_named =
            !root.list("layer_names").is_empty() || h5.root().group("model_weights").is_ok();
        let load = if is_named {
            load_named::load_weights
        } else {
            load_numbered::load
        };
        let mut opened = assemble(&mut h5, &config, framework, semantics, output, load)?;
        opened.recognised = Some(Recognised {
            how: format!("{name} beside the weights holds its configuration"),
            ..Recognised::by_configuration(&opened.graph)
        });
        Ok(opened)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_by_their_first_bytes() {
        assert!(is_configuration(
            b"{\"class_name\": \"Sequential\", \"config\": {}}"
        ));
        assert!(is_configuration(
            b"\xef\xbb\xbf\n {\"module\": \"keras\", \"class_name\": \"Model\"}"
        ));
        assert!(is_configuration(
            b"backend: tensorflow\nclass_name: Sequential\nconfig:\n"
        ));
        for other in [
            &b"{\"architectures\": [\"ViT\"]}"[..],
            b"{\"modelTopology\": {\"model_config\": {\"class_name\": \"Sequential\"}}}",
            b"[\"class_name\"]",
            b"",
        ] {
            assert!(!is_configuration(other));
        }
    }

    #[test]
    fn names_that_belong_together() {
        for weights in [
            "mask.h5",
            "mask_weights.h5",
            "mask.weights.h5",
            "Mask-model.hdf5",
        ] {
            assert!(is_named_after("mask.json", weights), "{weights}");
        }
        assert!(is_named_after("model.json", "model_weights.h5"));
        assert!(!is_named_after("model.json", "mask.h5"));
    }
}
