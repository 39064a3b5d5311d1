//! Puts a fine-tuned network back into the format it came from.

use super::network::{Head, Network};
use crate::formats::{self, ModelFile, SaveError, Trained};
use crate::model::layers::WeightMap;

/// The files of a saved model.
#[derive(Clone, Debug)]
pub struct Saved {
    pub model: Vec<u8>,
    /// Class names, one a line, where a new head has its own.
    pub labels: Option<String>,
}

/// The network with these weights as a file that is called `name`, whose ending says its format, and
/// the class names of a new head.
///
/// # Errors
/// See [`SaveError`].
pub fn saved(
    original: ModelFile<'_>,
    network: &Network,
    weights: &WeightMap,
    name: &str,
) -> Result<Saved, SaveError> {
    let ending = formats::ending_of(network.model.format, name)?;
    let finished = network.finished(weights);
    let has_new_head = matches!(network.head, Head::New(_));
    let trained = Trained {
        model: &finished,
        places: &network.places,
        has_new_head,
    };
    let bytes = crate::guarded(|| formats::save(original, &trained, ending));
    Ok(Saved {
        model: bytes.unwrap_or_else(|panic| Err(SaveError::Content(panic)))?,
        labels: has_new_head.then(|| finished.labels.join("\n") + "\n"),
    })
}
