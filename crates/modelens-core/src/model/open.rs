//! Opening: a file or a bundled base in, a [`Model`] out. Every format ends here, and bundled bases
//! go through the same readers as a user's files.

use serde::{Deserialize, Serialize};

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::{
    Format, Model, OpenError, Preprocessing, Recognised, Semantics, keras, labels, onnx, pytorch,
};
use crate::assets;

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModelSource {
    /// MobileNetV2, fine-tuned on dog breeds (Keras 3).
    DogBreeds,
    /// EfficientNet-Lite0, ImageNet-1k (PyTorch).
    EfficientNetLite0,
    File(PathBuf),
    /// A file that holds weights alone, and the network that a person says they belong to: `NAME`, or
    /// `NAME:SIDE` with the size of its photos in pixels.
    Weights {
        path: PathBuf,
        architecture: String,
    },
}

/// A file that could not be opened: the cause first, the path last.
#[derive(Debug)]
pub struct OpenFailed {
    pub cause: Box<OpenError>,
    pub path: Option<PathBuf>,
}

impl OpenFailed {
    fn new(cause: OpenError, path: Option<PathBuf>) -> Self {
        Self {
            cause: Box::new(cause),
            path,
        }
    }
}

impl fmt::Display for OpenFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{}: {}", self.cause, path.display()),
            None => write!(f, "{}", self.cause),
        }
    }
}

impl std::error::Error for OpenFailed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

/// Files above this are refused before they are read: no base of a course comes near.
const MAX_FILE_BYTES: u64 = 4 << 30;

impl ModelSource {
    /// What the window calls it.
    pub fn title(&self) -> String {
        match self {
            Self::DogBreeds => "MobileNetV2 · dog breeds".into(),
            Self::EfficientNetLite0 => "EfficientNet-Lite0".into(),
            Self::File(path) | Self::Weights { path, .. } => {
                let name = path.file_name().unwrap_or(path.as_os_str());
                name.to_string_lossy().into_owned()
            }
        }
    }

    /// The file, unless it is bundled.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) | Self::Weights { path, .. } => Some(path),
            Self::DogBreeds | Self::EfficientNetLite0 => None,
        }
    }

    /// The network that a person chose for weights without a configuration.
    pub fn architecture(&self) -> Option<&str> {
        match self {
            Self::Weights { architecture, .. } => Some(architecture),
            Self::File(_) | Self::DogBreeds | Self::EfficientNetLite0 => None,
        }
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn bytes(&self) -> Result<Vec<u8>, OpenError> {
        match self {
            Self::DogBreeds => Ok(assets::DOG_BREEDS_MOBILENETV2.to_vec()),
            Self::EfficientNetLite0 => Ok(assets::EFFICIENTNET_LITE0.to_vec()),
            Self::File(path) | Self::Weights { path, .. } => read(path),
        }
    }

    /// Reads the model.
    ///
    /// # Errors
    /// Anything but a complete model of a supported kind; see [`OpenError`].
    pub fn open(&self) -> Result<Model, OpenFailed> {
        let path = self.path().map(Path::to_owned);
        let failed = |cause| OpenFailed::new(cause, path.clone());
        let bytes = self.bytes().map_err(failed)?;
        let mut model = from_bytes(self, bytes).map_err(failed)?;
        labels::add(&mut model, self);
        warn_of_bad_numbers(&mut model);
        Ok(model)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, OpenError> {
    let about = std::fs::metadata(path)?;
    if about.is_dir() {
        return Err(OpenError::NotAModel("it is a folder".into()));
    }
    if !about.is_file() {
        // Reading a device or a pipe may never end.
        return Err(OpenError::NotAModel("it is a device or a pipe".into()));
    }
    let too_large =
        |bytes: u64| OpenError::TooLarge(format!("{bytes} bytes, the limit is {MAX_FILE_BYTES}"));
    if about.len() > MAX_FILE_BYTES {
        return Err(too_large(about.len()));
    }
    // Growing by doubling would take half as much again.
    let mut bytes = Vec::with_capacity(about.len() as usize + 1);
    // Some files are longer than they say.
    let most = MAX_FILE_BYTES + 1;
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == most {
        return Err(too_large(most));
    }
    Ok(bytes)
}

/// Recognises the format by content, never by the name.
fn from_bytes(source: &ModelSource, bytes: Vec<u8>) -> Result<Model, OpenError> {
    let title = source.title();
    let chosen = source.architecture();
    if bytes.starts_with(b"\x89HDF\r\n\x1a\n") {
        let opened = keras::open_h5(bytes, &title, chosen)?;
        return Ok(of_keras(title, Format::KerasH5, opened));
    }
    if chosen.is_some() {
        return Err(keras::has_configuration());
    }
    if bytes.starts_with(b"PK\x03\x04") && !pytorch::is_zip(&bytes) {
        return Ok(of_keras(
            title,
            Format::KerasZip,
            keras::open_keras_zip(bytes)?,
        ));
    }
    if looks_like_safetensors(&bytes) {
        let opened = pytorch::open_safetensors(bytes, &title)?;
        return Ok(of_pytorch(title, Format::Safetensors, opened));
    }
    if pytorch::looks_like_pickle(&bytes) {
        let opened = pytorch::open_pickle(bytes, &title)?;
        return Ok(of_pytorch(title, Format::Pickle, opened));
    }
    if onnx::looks_like(&bytes) {
        return Ok(of_onnx(title, onnx::open(&bytes)?));
    }
    let what = if bytes.is_empty() {
        "it is empty"
    } else {
        "its content is of another kind"
    };
    Err(OpenError::NotAModel(format!(
        "{what}. Supported: Keras .h5 and .keras, PyTorch .safetensors, .pth and .pt, ONNX .onnx"
    )))
}

fn of_pytorch(title: String, format: Format, opened: pytorch::Opened) -> Model {
    Model {
        title,
        format,
        framework: "PyTorch".into(),
        semantics: Semantics::PyTorch,
        recognised: Recognised::by_tensors(&opened.graph),
        graph: opened.graph,
        preprocessing: opened.preprocessing,
        labels: Vec::new(),
        labels_from: String::new(),
        warnings: opened.warnings,
    }
}

fn of_onnx(title: String, opened: onnx::Opened) -> Model {
    Model {
        title,
        format: Format::Onnx,
        framework: opened.framework,
        semantics: Semantics::PyTorch,
        recognised: Recognised::by_operators(&opened.graph),
        graph: opened.graph,
        preprocessing: opened.preprocessing,
        labels: Vec::new(),
        labels_from: String::new(),
        warnings: opened.warnings,
    }
}

fn of_keras(title: String, format: Format, opened: keras::Opened) -> Model {
    Model {
        title,
        format,
        framework: opened.framework,
        semantics: opened.semantics,
        preprocessing: Preprocessing::of(&opened.graph),
        recognised: (opened.recognised)
            .unwrap_or_else(|| Recognised::by_configuration(&opened.graph)),
        graph: opened.graph,
        labels: Vec::new(),
        labels_from: String::new(),
        warnings: opened.warnings,
    }
}

/// A safetensors file starts with the length of its JSON header.
fn looks_like_safetensors(bytes: &[u8]) -> bool {
    bytes.first_chunk::<8>().is_some_and(|length| {
        let length = u64::from_le_bytes(*length);
        length >= 2 && length <= bytes.len() as u64 - 8 && bytes.get(8) == Some(&b'{')
    })
}

/// A model with weights that are not numbers opens, but says so: the first few, then a count.
fn warn_of_bad_numbers(model: &mut Model) {
    const MOST: usize = 5;
    let weights = model
        .graph
        .layers
        .iter()
        .flat_map(|l| l.weights.iter().map(move |w| (l, w)));
    let bad = weights.filter_map(|(layer, weight)| {
        let values = weight
            .tensor
            .flatten_all()
            .and_then(|t| t.to_vec1::<f32>())
            .ok()?;
        let bad = values.iter().filter(|v| !v.is_finite()).count();
        (bad > 0).then(|| {
            format!(
                "layer `{}`: {bad} of {} values of `{}` are not finite numbers, and neither is \
                 any output that depends on them",
                layer.name,
                values.len(),
                weight.name,
            )
        })
    });
    let mut warnings: Vec<String> = bad.collect();
    let more = warnings.len().saturating_sub(MOST);
    warnings.truncate(MOST);
    if more > 0 {
        warnings.push(format!(
            "{more} more weights have values that are not finite numbers"
        ));
    }
    model.warnings.append(&mut warnings);
}
