//! Ids that no other figure of a page has.

use std::fmt::Write as _;

/// Precedes each id and reference of a document that is not finished. XML forbids the character,
/// so that no text contains it.
pub const MARK: char = '\u{1}';

/// The document with a prefix in place of each [`MARK`]: a hash of the document, so that two
/// figures in one HTML page do not show each other's pictures, and the same figure has the same
/// bytes.
pub fn unique(document: &str) -> String {
    let mut prefix = String::new();
    // A letter first: an id must not start with a digit.
    let _ = write!(prefix, "f{:08x}-", hash(document.as_bytes()) as u32);
    document.replace(MARK, &prefix)
}

/// FNV-1a: unlike the hash of the standard library, the same with every compiler.
fn hash(bytes: &[u8]) -> u64 {
    let step = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(hash(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn ids_depend_on_the_content() {
        let [a, b] = ["one", "two"].map(|text| unique(&format!("\u{1}i0 {text}")));
        assert_eq!(a, unique("\u{1}i0 one"));
        assert!(a.split_once("i0").map(|(id, _)| id) != b.split_once("i0").map(|(id, _)| id));
        assert!(a.starts_with('f') && !a.contains(MARK));
    }
}
