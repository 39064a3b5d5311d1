//! Weights in files of their own, beside the ONNX file.
//! Source: "External data" in <https://github.com/onnx/onnx/blob/main/docs/ExternalData.md>.

use std::collections::HashMap;
use std::rc::Rc;

use super::proto;
use crate::formats::{Beside, OpenError};

/// Maximum bytes of one file of weights.
const MAX_BYTES: u64 = 4 << 30;

/// Where the values of a tensor are: `location`, `offset` and `length` of its `external_data`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outside<'a> {
    pub location: &'a str,
    pub offset: u64,
    /// `None`: up to the end of the file.
    pub length: Option<u64>,
}

/// Reads the values that are kept in other files. These must be in the folder of the model: a model is
/// input from a stranger, who must not choose which files of this machine are read.
pub fn fetch(model: &mut proto::Model<'_>, beside: &dyn Beside) -> Result<(), OpenError> {
    let mut files: HashMap<String, Rc<Vec<u8>>> = HashMap::new();
    let graph = model.graph.iter_mut();
    for tensor in graph.flat_map(|graph| &mut graph.initializers) {
        let Some(outside) = tensor.outside.clone() else {
            continue;
        };
        let name = plain_name(outside.location)?;
        let bytes = if let Some(bytes) = files.get(name) {
            Rc::clone(bytes)
        } else {
            let bytes = Rc::new(read(beside, name)?);
            files.insert(name.to_owned(), Rc::clone(&bytes));
            bytes
        };
        let start = usize::try_from(outside.offset).unwrap_or(usize::MAX);
        let rest = bytes.get(start..).unwrap_or_default();
        let length = match outside.length {
            Some(length) => usize::try_from(length).unwrap_or(usize::MAX),
            None => rest.len(),
        };
        let values = rest.get(..length).ok_or_else(|| {
            let weight: String = tensor.name.chars().take(80).collect();
            OpenError::CutOff(format!(
                "{name} beside it ends before the values of `{weight}`"
            ))
        })?;
        tensor.fill(values.to_vec());
    }
    Ok(())
}

/// The name of a file in the same folder.
fn plain_name(location: &str) -> Result<&str, OpenError> {
    let name = location.strip_prefix("./").unwrap_or(location);
    let is_plain = !name.is_empty()
        && !matches!(name, "." | "..")
        && !name.contains(['/', '\\', ':', '\0'])
        && !name.chars().any(char::is_control);
    is_plain.then_some(name).ok_or_else(|| {
        let shown: String = location.chars().take(80).filter(|c| !c.is_control()).collect();
        OpenError::Refused(format!(
            "its weights are in `{shown}`, outside of its folder, and only files beside it are read. Put \
             them into its folder and save it again with onnx.save(model, path, location='weights.bin')"
        ))
    })
}

fn read(beside: &dyn Beside, name: &str) -> Result<Vec<u8>, OpenError> {
    let found = beside.read_unlinked(name, MAX_BYTES);
    let found = found.map_err(|why| OpenError::Refused(format!("{name} beside it {why}")))?;
    found.ok_or_else(|| {
        OpenError::Refused(format!(
            "its weights are in the file {name}, which is not in its folder: put it there, or export the \
             model as one file (external_data=False)"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_same_folder_have_names() {
        for name in ["model.onnx.data", "./weights.bin", "a b"] {
            assert!(plain_name(name).is_ok(), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "/etc/passwd",
            "C:\\x",
            "c:x",
            "a\\b",
            "./../x",
            "x\0",
        ] {
            assert!(plain_name(name).is_err(), "{name}");
        }
    }
}
