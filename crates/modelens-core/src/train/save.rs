//! Puts a fine-tuned network back into the format it came from.

use std::fmt::Write as _;

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
        labels: has_new_head.then(|| label_lines(&finished.labels)),
    })
}

/// One class name a line, as a file of class names is read. Control characters of a name, such as a
/// line break, become spaces; a class without a name is named by its number.
fn label_lines(labels: &[String]) -> String {
    let mut lines = String::new();
    for (i, label) in labels.iter().enumerate() {
        let line = label.replace(char::is_control, " ");
        match line.trim() {
            "" => _ = writeln!(lines, "class {i}"),
            name => _ = writeln!(lines, "{name}"),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_one_line() {
        let labels = ["a\u{1b}[31m\nb", " ", "größe"].map(str::to_owned);
        assert_eq!(label_lines(&labels), "a [31m b\nclass 1\ngröße\n");
    }
}
