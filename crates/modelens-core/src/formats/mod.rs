//! File formats: bytes in, a [`Model`] out, and trained weights back into the bytes.
//!
//! A format is a [`Reader`] in the table [`READERS`]. Bundled bases go through the same readers as
//! a user's files. Readers take bytes; what lies beside a file comes through [`Beside`].

pub mod beside;
mod error;
pub mod keras;
mod labels;
pub mod onnx;
mod other_files;
pub mod pt2;
pub mod pytorch;
mod save;
mod wire;

pub use self::beside::{Beside, BesideError, InMemory};
pub use self::error::OpenError;
use self::other_files::SAVED_MODEL;
pub use self::save::{SaveError, Trained, ending_of};

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::{Format, Model, Preprocessing};

/// One file format: how its files are recognised, opened and written.
#[derive(Debug)]
pub struct Reader {
    pub format: Format,
    /// Whether a file of these bytes is of this format; its name does not count.
    recognises: fn(&[u8]) -> bool,
    open: fn(ModelFile<'_>) -> Result<Model, OpenError>,
    /// The trained network as a file of one of the endings in `format.saved_as`.
    save: fn(ModelFile<'_>, &Trained<'_>, &str) -> Result<Vec<u8>, SaveError>,
    /// Whether files may hold weights alone, so that a person may name their architecture.
    takes_architecture: bool,
}

/// All formats, in the order in which they are tried.
pub static READERS: [&Reader; 6] = [
    &keras::H5,
    &keras::ZIP,
    &pytorch::SAFETENSORS,
    &pytorch::PICKLE,
    &pt2::PT2,
    &onnx::ONNX,
];

/// A format is written as the usual ending of its file names.
impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.extension().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ending = String::deserialize(deserializer)?;
        let mut formats = READERS.iter().map(|reader| reader.format);
        let found = formats.find(|format| format.extension() == ending);
        found.ok_or_else(|| D::Error::custom(format!("there is no format `{ending}`")))
    }
}

/// The endings of all formats' file names, without the dot.
pub fn endings() -> impl Iterator<Item = &'static str> {
    let formats = READERS.into_iter().map(|reader| reader.format);
    formats.flat_map(|f| f.endings.iter().chain(f.rare_endings).copied())
}

/// A model's file: its bytes and what else is known of it.
#[derive(Clone)]
pub struct ModelFile<'a> {
    /// The file's name, or what the window calls a bundled base. It may tell the variant of a
    /// network or the size of its photos.
    pub title: &'a str,
    pub bytes: Vec<u8>,
    /// The network that a person says the weights belong to: `NAME`, or `NAME:SIDE` with the size
    /// of its photos in pixels.
    pub architecture: Option<&'a str>,
    /// The files in its folder.
    pub beside: &'a dyn Beside,
    /// Class names that come with a bundled base, one a line.
    pub class_names: Option<&'a str>,
    /// The configuration that a person says the weights belong to.
    pub configuration: Option<Configuration>,
}

/// A model's configuration in a file of its own, such as `model.json`.
#[derive(Clone, Debug)]
pub struct Configuration {
    pub name: String,
    pub bytes: Vec<u8>,
}

impl<'a> ModelFile<'a> {
    /// A file with nothing beside it.
    pub fn new(title: &'a str, bytes: Vec<u8>) -> Self {
        static NOTHING: InMemory = InMemory(BTreeMap::new());
        Self {
            title,
            bytes,
            architecture: None,
            beside: &NOTHING,
            class_names: None,
            configuration: None,
        }
    }
}

/// Opens a file of any known format.
///
/// # Errors
/// Anything but a complete model of a supported kind; see [`OpenError`].
pub fn open(file: ModelFile<'_>) -> Result<Model, OpenError> {
    let reader = READERS.iter().find(|r| (r.recognises)(&file.bytes));
    let is_chosen = file.architecture.is_some() || file.configuration.is_some();
    if is_chosen && reader.is_some_and(|r| !r.takes_architecture) {
        return Err(error::architecture_is_known());
    }
    let reader = reader.ok_or_else(|| other_files::refusal(&file.bytes))?;
    let ModelFile {
        title,
        beside,
        class_names,
        ..
    } = file;
    let mut model = (reader.open)(file)?;
    // An exported program has told it already.
    let is_told = reader.format == pt2::PT2.format || Preprocessing::scales_itself(&model.graph);
    if model.preprocessing == Preprocessing::Raw && !is_told {
        model.preprocessing = Preprocessing::USUAL;
        model.scale_unknown = true;
    }
    labels::add(&mut model, title, beside, class_names);
    warn_of_bad_numbers(&mut model);
    Ok(model)
}

/// The trained network as a file with this `ending`, see [`ending_of`].
///
/// # Errors
/// See [`SaveError`].
pub fn save(
    file: ModelFile<'_>,
    trained: &Trained<'_>,
    ending: &str,
) -> Result<Vec<u8>, SaveError> {
    let reader = READERS.iter().find(|r| r.format == trained.model.format);
    let reader = reader.ok_or(SaveError::ReadOnlyFormat)?;
    (reader.save)(file, trained, ending)
}

/// Every family with the endings of its file names: `Keras .h5 and .keras, ONNX .onnx`.
pub fn supported() -> String {
    let mut families: Vec<(&str, Vec<String>)> = Vec::new();
    for Format {
        family, endings, ..
    } in READERS.map(|r| r.format)
    {
        let endings = endings.iter().map(|ending| format!(".{ending}"));
        match families.iter_mut().find(|(known, _)| *known == family) {
            Some((_, all)) => all.extend(endings),
            None => families.push((family, endings.collect())),
        }
    }
    let listed = families.iter().map(|(family, endings)| {
        let list = match endings.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
            None => String::new(),
        };
        format!("{family} {list}")
    });
    listed.collect::<Vec<_>>().join(", ")
}

/// A model with weights that are not numbers opens with a warning: the first few weights by name,
/// the others as a count.
fn warn_of_bad_numbers(model: &mut Model) {
    const MOST: usize = 5;
    let layers = model.graph.layers.iter().enumerate();
    let weights = layers.flat_map(|(id, l)| l.weights.iter().map(move |w| (id, l, w)));
    let bad = weights.filter_map(|(id, layer, weight)| {
        let tensor = model.weights.get(&(id, weight.name))?;
        let values = tensor.flatten_all().and_then(|t| t.to_vec1::<f32>()).ok()?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_lists_every_format() {
        assert_eq!(
            supported(),
            "Keras .h5 and .keras, PyTorch .safetensors, .pth, .pt and .pt2, ONNX .onnx"
        );
    }
}
