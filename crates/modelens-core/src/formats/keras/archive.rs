//! The zip archive of a `.keras` file.

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::formats::OpenError;
use crate::formats::other_files::cut_archive;

/// The entries of a `.keras` file.
pub(super) struct Entries {
    pub metadata: Vec<u8>,
    pub config: Vec<u8>,
    pub weights: Vec<u8>,
}

const MB: u64 = 1 << 20;
/// Maximum bytes of a model's configuration, which may take thirty times as much in memory.
pub(super) const MAX_CONFIG: u64 = 8 * MB;
/// Bytes that any file may unpack to, however small it is. Weights hardly compress, so honest files
/// that unpack to more are themselves about as large.
const UNPACKED: u64 = 256 * MB;

/// Bytes of weights that a file of this length may hold.
pub(super) fn unpacked(length: u64) -> u64 {
    UNPACKED.max(length.saturating_mul(2))
}

/// Unpacks the three entries that matter, each up to its own limit. Sizes that the archive declares
/// are not trusted.
pub(super) fn unpack(bytes: Vec<u8>) -> Result<Entries, OpenError> {
    let weights = unpacked(bytes.len() as u64);
    if !has_end(&bytes) {
        return Err(cut_archive(bytes.len()));
    }
    let archive = ZipArchive::new(Cursor::new(bytes));
    let mut archive =
        archive.map_err(|e| OpenError::NotAModel(format!("it is not a zip archive ({e})")))?;
    Ok(Entries {
        metadata: entry(&mut archive, "metadata.json", MB)?.unwrap_or_default(),
        config: entry(&mut archive, "config.json", MAX_CONFIG)?
            .ok_or_else(|| OpenError::NotAModel("the archive holds no config.json".to_owned()))?,
        weights: entry(&mut archive, "model.weights.h5", weights)?.ok_or_else(|| {
            OpenError::NotAModel("the archive holds no model.weights.h5".to_owned())
        })?,
    })
}

/// True if the record that ends every zip archive is there. Source: PKWARE's APPNOTE, 4.3.16.
fn has_end(bytes: &[u8]) -> bool {
    // A comment of at most 64 KB may follow the record of 22 bytes.
    let last = &bytes[bytes.len().saturating_sub(22 + 0xffff)..];
    last.windows(4).any(|word| word == b"PK\x05\x06")
}

fn entry(
    archive: &mut ZipArchive<Cursor<Vec<u8>>>,
    name: &str,
    limit: u64,
) -> Result<Option<Vec<u8>>, OpenError> {
    let broken = |e: &dyn std::fmt::Display| {
        OpenError::Broken(format!("its entry {name} cannot be unpacked ({e})"))
    };
    let file = match archive.by_name(name) {
        Ok(file) => file,
        Err(ZipError::FileNotFound) => return Ok(None),
        Err(e) => return Err(broken(&e)),
    };
    let declared = file.size();
    // Growing by doubling would take half as much again.
    let mut bytes = Vec::with_capacity(declared.min(limit) as usize + 1);
    // One byte above the limit shows that the entry is longer.
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| broken(&e))?;
    if bytes.len() as u64 > limit {
        let limit = limit / MB;
        return Err(OpenError::TooLarge(format!(
            "its entry {name} is larger than {limit} MB"
        )));
    }
    if bytes.len() as u64 != declared {
        let n = bytes.len();
        return Err(broken(&format!(
            "{n} bytes where the archive promises {declared}"
        )));
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_archive() {
        assert!(matches!(
            unpack(b"PK\x03\x04 and then nothing".to_vec()),
            Err(OpenError::CutOff(_))
        ));
        assert!(matches!(
            unpack(b"nothing but PK\x05\x06".to_vec()),
            Err(OpenError::NotAModel(_))
        ));
    }
}
