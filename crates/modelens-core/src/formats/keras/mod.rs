//! Keras' file formats: legacy HDF5 (`.h5`) and the zip archive (`.keras`).
//!
//! Reading takes four steps: [`parse`] turns the configuration into layers with calls, [`nodes`] puts
//! the calls in order, [`shapes`] infers shapes and so the weights that must be in the file, and
//! [`load_named`] or [`load_numbered`] reads them.

mod activations;
pub mod architectures;
mod archive;
mod calls;
mod classes;
mod configuration;
mod convert;
mod functions;
mod h5;
#[cfg(test)]
mod hostile_tests;
mod input_shape;
mod load_named;
mod load_numbered;
mod nodes;
mod object;
mod operators;
mod pairing;
mod parse;
mod penalties;
mod save;
mod save_head;
mod saved_model;
mod settings;
mod shapes;
mod specs;
mod stored;
#[cfg(test)]
mod tests;
mod weights_only;
mod yaml;

use serde_json::Value;

use self::h5::{Attributes, H5, guarded};
use self::penalties::LayerPenalties;
use self::specs::ExpectedWeight;
use super::error::architecture_is_known;
use super::other_files::is_saved_model;
use super::{ModelFile, OpenError, Reader};
use crate::model::graph::{Graph, LayerKind};
use crate::model::layers::WeightMap;
use crate::model::{
    Assumption, Format, LayerId, Model, ModelDescription, Preprocessing, Recognised, Semantics,
    unknown,
};

/// Keras' legacy HDF5, and files of the same kind that hold weights alone.
pub static H5: Reader = Reader {
    format: Format {
        family: "Keras",
        endings: &["h5"],
        rare_endings: &["hdf5", "json", "yaml", "pb"],
        saved_as: &["h5", "keras", "hdf5"],
        untrainable: None,
        without_batch_norm: None,
    },
    recognises: |bytes| {
        bytes.starts_with(SIGNATURE)
            || configuration::is_configuration(bytes)
            || is_saved_model(bytes)
    },
    open: |file| {
        let title = file.title;
        let file = configuration::with_weights(saved_model::as_h5(file)?)?;
        Ok(read_h5(file)?.into_model(title, H5.format))
    },
    save: save::save,
    takes_architecture: true,
};

/// Keras' zip archive.
pub static ZIP: Reader = Reader {
    format: Format {
        family: "Keras",
        endings: &["keras"],
        rare_endings: &[],
        saved_as: &["keras", "h5", "hdf5"],
        untrainable: None,
        without_batch_norm: None,
    },
    recognises: |bytes| {
        bytes.starts_with(b"PK\x03\x04")
            && !super::pytorch::is_zip(bytes)
            && !super::pt2::is_archive(bytes)
    },
    open: |file| {
        let read = read_zip(file.bytes, file.architecture)?;
        Ok(read.into_model(file.title, ZIP.format))
    },
    save: save::save,
    takes_architecture: true,
};

/// What every HDF5 file begins with.
const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";

/// The contents of a Keras file.
#[derive(Debug)]
struct KerasFile {
    pub graph: Graph,
    pub weights: WeightMap,
    /// `Keras 3.11.3`; without the version if the file does not give it.
    pub framework: String,
    /// The rules of the version that wrote the file.
    pub semantics: Semantics,
    /// Sentences about what is odd in the file.
    pub warnings: Vec<String>,
    /// The network that the weights belong to, if the file holds no configuration.
    pub recognised: Option<Recognised>,
    /// The names of the model's outputs, if it has several: the one that is shown comes first.
    pub outputs: Vec<String>,
    /// The place of each weight in the HDF5 file.
    pub paths: Vec<WeightPath>,
}

impl KerasFile {
    fn into_model(self, title: &str, format: Format) -> Model {
        let configured = || Recognised::by_configuration(&self.graph);
        let description = ModelDescription {
            title: title.to_owned(),
            format,
            framework: self.framework,
            semantics: self.semantics,
            preprocessing: Preprocessing::of(&self.graph),
            scale_unknown: false,
            recognised: self.recognised.unwrap_or_else(configured),
            graph: self.graph,
            labels: Vec::new(),
            labels_from: String::new(),
            warnings: self.warnings,
            assumed: Assumption::of_outputs(&self.outputs).into_iter().collect(),
        };
        Model {
            description,
            weights: self.weights,
        }
    }
}

/// The dataset that holds one weight.
#[derive(Clone, Debug, PartialEq, Eq)]
struct WeightPath {
    pub layer: LayerId,
    /// Keras' short name.
    pub weight: &'static str,
    /// From the root of the HDF5 file, with `/` between.
    pub path: String,
}

/// The result of reading the weights.
#[derive(Default)]
struct LoadedWeights {
    weights: WeightMap,
    /// Paths of weights that no layer takes.
    extra: Vec<String>,
    paths: Vec<WeightPath>,
}

/// Reads a legacy `.h5` file, with a configuration or with weights alone. In the latter case its name
/// may give the photo size, and a person may have chosen the network or its configuration.
fn read_h5(mut file: ModelFile<'_>) -> Result<KerasFile, OpenError> {
    guarded(|| {
        let length = file.bytes.len();
        // A second copy only where weights may have to be read with several configurations.
        let bytes = if configuration::may_be_beside(&file) {
            file.bytes.clone()
        } else {
            std::mem::take(&mut file.bytes)
        };
        let mut h5 = H5::open(bytes, length)?;
        let root = H5::attributes(&h5.root())?;
        let Chosen { network, output } = Chosen::of(file.architecture);
        let Some(config) = root.text("model_config") else {
            return configuration::open_weights(&file, h5, network.as_deref(), output.as_deref());
        };
        if network.is_some() || file.configuration.is_some() {
            return Err(architecture_is_known());
        }
        if config.len() as u64 > archive::MAX_CONFIG {
            let bytes = config.len();
            return Err(OpenError::TooLarge(format!(
                "its model_config has {bytes} bytes"
            )));
        }
        let config = json(config.as_bytes(), "its model_config")?;
        let inner = match h5.root().group("model_weights") {
            Ok(group) => Some(H5::attributes(&group)?),
            Err(_) => None,
        };
        let version = root.text("keras_version");
        let version = version.or_else(|| {
            inner
                .as_ref()
                .and_then(|a: &Attributes| a.text("keras_version"))
        });
        let (framework, semantics) = framework(version, &config)?;
        let load = load_named::load;
        assemble(
            &mut h5,
            &config,
            framework,
            semantics,
            output.as_deref(),
            load,
        )
    })
}

/// Reads a `.keras` archive.
fn read_zip(bytes: Vec<u8>, chosen: Option<&str>) -> Result<KerasFile, OpenError> {
    guarded(|| {
        let Chosen { network, output } = Chosen::of(chosen);
        if network.is_some() {
            return Err(architecture_is_known());
        }
        let length = bytes.len();
        let entries = archive::unpack(bytes)?;
        let config = json(&entries.config, "its config.json")?;
        let metadata = if entries.metadata.is_empty() {
            Value::Null
        } else {
            json(&entries.metadata, "its metadata.json")?
        };
        let version = metadata.get("keras_version").and_then(Value::as_str);
        let (framework, semantics) = framework(version, &config)?;
        let mut h5 = H5::open(entries.weights, length)?;
        let load = load_numbered::load;
        assemble(
            &mut h5,
            &config,
            framework,
            semantics,
            output.as_deref(),
            load,
        )
    })
}

/// What a person chose of a file that leaves something open.
#[derive(Debug, Default, PartialEq, Eq)]
struct Chosen {
    /// `NAME` or `NAME:SIDE`.
    network: Option<String>,
    /// Which of several outputs is shown.
    output: Option<String>,
}

impl Chosen {
    /// Reads `NAME`, `NAME:SIDE` or `auto`, each with `:output=OUTPUT` or `,output=OUTPUT` after it.
    fn of(text: Option<&str>) -> Self {
        let Some(text) = text else {
            return Self::default();
        };
        let (name, options) = text.split_once(':').unwrap_or((text, ""));
        let (mut side, mut output) = ("", None);
        for option in options.split(',') {
            match option.strip_prefix("output=") {
                Some(name) => output = Some(name.to_owned()),
                None => side = option,
            }
        }
        let network = match (name, side) {
            ("auto", "") => None,
            (name, "") => Some(name.to_owned()),
            (name, side) => Some(format!("{name}:{side}")),
        };
        Self { network, output }
    }
}

fn json(bytes: &[u8], what: &str) -> Result<Value, OpenError> {
    serde_json::from_slice(bytes)
        .map_err(|e| OpenError::Broken(format!("{what} is not JSON ({e})")))
}

/// Name and rules of the framework that wrote the file.
fn framework(version: Option<&str>, config: &Value) -> Result<(String, Semantics), OpenError> {
    let major = match version.map(|v| v.split('.').next().unwrap_or_default()) {
        None => None,
        Some(major) => major.parse::<u32>().ok(),
    };
    let semantics = match major {
        Some(0 | 1) => {
            return Err(OpenError::NotAModel(
                "files of Keras 1 are not supported".to_owned(),
            ));
        }
        Some(2) => Semantics::Keras2,
        Some(_) => version.map_or(Semantics::Keras3, keras3_release),
        None if is_keras3_style(config) => Semantics::Keras3,
        None => Semantics::Keras2,
    };
    let framework = match (version, major) {
        (Some(version), Some(_)) => format!("Keras {version}"),
        _ => semantics.label().to_owned(),
    };
    Ok((framework, semantics))
}

/// The rules of a release of Keras 3; those up to 3.15 if its minor number is not understood.
fn keras3_release(version: &str) -> Semantics {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().ok());
    let (major, minor) = (numbers.next().flatten(), numbers.next().flatten());
    match (major, minor) {
        (Some(3), Some(minor)) if minor < 16 => Semantics::Keras3,
        (Some(major), Some(_)) if major >= 3 => Semantics::Keras316,
        _ => Semantics::Keras3,
    }
}

/// True if calls are objects or the input's shape is a `batch_shape`, as Keras 3 writes them.
fn is_keras3_style(config: &Value) -> bool {
    let layers = config.pointer("/config/layers").and_then(Value::as_array);
    layers.into_iter().flatten().any(|layer| {
        layer.pointer("/config/batch_shape").is_some()
            || layer
                .pointer("/inbound_nodes/0")
                .is_some_and(Value::is_object)
    })
}

/// A network before its weights are read.
struct Planned {
    graph: Graph,
    /// By layer.
    needs: Vec<Vec<ExpectedWeight>>,
    reduced_precision: usize,
    /// By layer.
    penalties: Vec<LayerPenalties>,
    outputs: Vec<String>,
    /// Sentences about what is odd in the configuration.
    warnings: Vec<String>,
}

/// `output` is the one that is shown, of several.
fn planned(
    config: &Value,
    semantics: Semantics,
    output: Option<&str>,
) -> Result<Planned, OpenError> {
    let parsed = parse::parse(config, semantics, output)?;
    let nodes::OrderedCalls {
        nodes,
        model_calls,
        output,
    } = nodes::in_order(&parsed, semantics)?;
    let graph = Graph {
        name: parsed.root.name.to_owned(),
        layers: parsed.layers,
        nodes,
        model_calls,
        output,
        root_trainable: parsed.root_trainable,
        input_hwc: parsed.input_hwc,
        ..Graph::default()
    };
    let inputs = shapes::inputs(&graph, &parsed.specs)?;
    let mut needs: Vec<Vec<ExpectedWeight>> = std::iter::zip(&parsed.specs, &inputs)
        // The weights of a layer that is never called cannot be checked.
        .map(|(spec, input)| match input {
            Some(shape) => spec.needs(shape),
            None => Vec::new(),
        })
        .collect();
    for (needs, policy) in needs.iter_mut().zip(&parsed.policies) {
        for need in needs {
            need.bfloat16 = policy.bfloat16;
        }
    }
    let reduced = parsed.policies.iter().filter(|p| p.reduced_precision);
    Ok(Planned {
        graph,
        needs,
        reduced_precision: reduced.count(),
        penalties: parsed.penalties,
        outputs: parsed.outputs,
        warnings: parsed.warnings,
    })
}

fn assemble(
    h5: &mut H5,
    config: &Value,
    framework: String,
    semantics: Semantics,
    output: Option<&str>,
    load: impl FnOnce(&mut H5, &mut Graph, &[Vec<ExpectedWeight>]) -> Result<LoadedWeights, OpenError>,
) -> Result<KerasFile, OpenError> {
    let Planned {
        mut graph,
        needs,
        reduced_precision,
        penalties,
        outputs,
        mut warnings,
    } = planned(config, semantics, output)?;
    let LoadedWeights {
        weights,
        extra,
        paths,
    } = load(h5, &mut graph, &needs)?;
    refuse_unknown_with_weights(&graph, &extra)?;
    warnings.extend(unknown::sentence(&graph));
    warnings.extend(unused(&extra));
    for (layer, penalties) in graph.layers.iter_mut().zip(&penalties) {
        penalties.add_to(layer);
        warnings.extend(penalties.warnings(&layer.name));
    }
    if reduced_precision > 0 {
        let n = reduced_precision;
        warnings.push(format!(
            "{n} layers compute in 16 bits in Keras and in 32 bits here"
        ));
    }
    Ok(KerasFile {
        graph,
        weights,
        framework,
        semantics,
        warnings,
        recognised: None,
        outputs,
        paths,
    })
}

/// Refuses a file in which a layer that was taken for one of training alone has weights.
fn refuse_unknown_with_weights(graph: &Graph, extra: &[String]) -> Result<(), OpenError> {
    let unknown = graph.layers.iter().filter(|l| l.kind == LayerKind::Unknown);
    for layer in unknown {
        let is_its = |path: &String| path.split('/').any(|part| part == layer.name);
        if extra.iter().any(is_its) {
            return Err(OpenError::UnsupportedLayer {
                layer: layer.name.clone(),
                place: String::new(),
                class: layer.class.clone(),
                what_to_do: "It has weights in the file. Rebuild the model with Keras' own layers in its \
                             place, load the weights and save it as .keras",
            });
        }
    }
    Ok(())
}

/// One sentence about weights that no layer takes.
fn unused(extra: &[String]) -> Option<String> {
    let first = extra.first()?;
    Some(match extra.len() {
        1 => format!("the weight `{first}` belongs to no layer"),
        n => format!("{n} weights belong to no layer, `{first}` among them"),
    })
}
