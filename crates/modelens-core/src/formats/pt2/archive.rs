//! The zip archive of a `.pt2` file.

use std::io::{Cursor, Read as _};

use zip::ZipArchive;
use zip::read::{ArchiveOffset, Config};

use crate::formats::OpenError;

/// Maximum bytes of a JSON file, which takes a few times as much in memory.
const MAX_JSON: u64 = 24 << 20;
/// The end of the name of the graph's entry.
const GRAPH: &str = "models/model.json";
/// The graph's entry in files of PyTorch 2.1 to 2.7.
const OLDER_GRAPH: &str = "serialized_exported_program.json";

/// The entries of a file.
pub struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    length: usize,
    /// The folder of all entries, with its slash.
    folder: String,
}

/// Opens the archive from its first byte. When the zip crate searches for the start itself, it can take
/// the directory's second record for its first (if that has 76 bytes, like the ZIP64 records in between).
fn zip(bytes: &[u8]) -> Option<ZipArchive<Cursor<&[u8]>>> {
    if !bytes.starts_with(b"PK\x03\x04") {
        return None;
    }
    let config = Config {
        archive_offset: ArchiveOffset::Known(0),
    };
    let from_the_start = ZipArchive::with_config(config, Cursor::new(bytes));
    from_the_start
        .or_else(|_| ZipArchive::new(Cursor::new(bytes)))
        .ok()
}

/// The folder of the entry with this end of its name.
fn folder_of(zip: &ZipArchive<Cursor<&[u8]>>, end: &str) -> Option<String> {
    let mut names = zip.file_names().filter_map(Result::ok);
    names.find_map(|name| {
        let folder = name.strip_suffix(end)?;
        (folder.is_empty() || folder.ends_with('/')).then(|| folder.to_owned())
    })
}

/// True for an archive of an exported program.
pub fn is_archive(bytes: &[u8]) -> bool {
    zip(bytes).is_some_and(|zip| {
        [GRAPH, OLDER_GRAPH]
            .iter()
            .any(|end| folder_of(&zip, end).is_some())
    })
}

/// The refusal of a file whose weights are pickled.
pub fn older() -> OpenError {
    OpenError::Refused(
        "the exported program was written by PyTorch 2.8 or older, in a layout that is not read; load it with \
         `torch.export.load`, and save it again with `torch.export.save` of a newer PyTorch"
            .to_owned(),
    )
}

impl<'a> Archive<'a> {
    pub fn open(bytes: &'a [u8]) -> Result<Self, OpenError> {
        let zip = zip(bytes).ok_or_else(|| OpenError::Broken("it is not a zip archive".into()))?;
        if let Some(folder) = folder_of(&zip, GRAPH) {
            let length = bytes.len();
            return Ok(Self {
                zip,
                length,
                folder,
            });
        }
        Err(older())
    }

    /// The number of bytes of the whole file.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The text of the graph.
    pub fn graph(&mut self) -> Result<Vec<u8>, OpenError> {
        let graph = self.json(GRAPH)?;
        graph.ok_or_else(|| OpenError::Broken("it has no graph".into()))
    }

    /// The text of a JSON entry; `None` if there is none.
    pub fn json(&mut self, name: &str) -> Result<Option<Vec<u8>>, OpenError> {
        self.entry(name, MAX_JSON)
    }

    /// The bytes of an entry of at most `limit` bytes; `None` if there is none.
    pub fn entry(&mut self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, OpenError> {
        let name = format!("{}{name}", self.folder);
        let shown = name.chars().take(80).collect::<String>();
        let Ok(file) = self.zip.by_name(&name) else {
            return Ok(None);
        };
        let mut bytes = Vec::with_capacity(file.size().min(limit).min(1 << 20) as usize);
        file.take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|e| OpenError::Broken(format!("its entry {shown}: {e}")))?;
        if bytes.len() as u64 > limit {
            return Err(OpenError::TooLarge(format!(
                "its entry {shown} has more than {limit} bytes"
            )));
        }
        Ok(Some(bytes))
    }
}
