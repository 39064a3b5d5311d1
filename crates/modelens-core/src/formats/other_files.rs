//! Names files that are no models, or models of kinds that are not read, with what to do about them.

use super::OpenError;

/// Bytes at the start of a file that tell its kind.
const HEAD: usize = 4096;

/// Why a file that no reader recognises is refused.
pub(super) fn refusal(bytes: &[u8]) -> OpenError {
    OpenError::NotAModel(kind(bytes).to_owned())
}

/// What the file is, and what to do.
fn kind(bytes: &[u8]) -> &'static str {
    let head = &bytes[..bytes.len().min(HEAD)];
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = text.trim_ascii_start();
    let lower = text.to_ascii_lowercase();
    let has = |word: &[u8]| text.windows(word.len()).any(|part| part == word);
    match () {
        () if bytes.is_empty() => "it is empty; download or copy it again",
        () if is_git_lfs(bytes) => {
            "it is a Git LFS pointer: the file itself was not downloaded. Run `git lfs pull`, or download \
             it from its page"
        }
        () if bytes.starts_with(b"/annex/objects/") || bytes.starts_with(b"../.git/annex") => {
            "it is a git-annex pointer: the file itself was not downloaded. Run `git annex get`"
        }
        () if is_web_page(&lower) => {
            "it is a web page, saved in place of the file. Download it again with the page's download \
             button (on GitHub: Raw)"
        }
        () if bytes.get(4..8) == Some(b"TFL3") => {
            "it is a TensorFlow Lite file, made for phones and without rules for training. Open the Keras \
             model that it was converted from"
        }
        () if has(b"\"modelTopology\"") => {
            "it is a TensorFlow.js model. Convert it: tensorflowjs_converter --input_format \
             tfjs_layers_model --output_format keras model.json model.h5"
        }
        () if bytes.starts_with(b"GGUF") => "it is a GGUF file, a language model",
        () if bytes.starts_with(b"\x93NUMPY") => {
            "it is a NumPy array; photos and arrays go to the photos, or to --input"
        }
        () if bytes.starts_with(b"\x1f\x8b") => "it is packed with gzip; unpack it first",
        () if bytes.starts_with(b"Rar!") || bytes.starts_with(b"7z\xbc\xaf") => {
            "it is a packed archive; unpack it first"
        }
        () if bytes.get(257..262) == Some(b"ustar") => "it is a tar archive; unpack it first",
        () if bytes.starts_with(b"%PDF") => "it is a PDF document",
        () if is_photo(bytes) => "it is a photo; open a folder of photos in the Photos menu",
        () if text.starts_with(b"{") => {
            "it is JSON, and not the configuration of a Keras model (model.to_json())"
        }
        () => {
            "its content is of no kind that is known here. Save the model with model.save('model.keras') \
             (Keras), torch.save(model.state_dict(), 'model.pth') or torch.export.save(program, 'model.pt2') (PyTorch)"
        }
    }
}

/// What to do with a SavedModel in which Keras noted no layers.
pub const SAVED_MODEL: &str = "it is a TensorFlow SavedModel without the layers of a Keras model. Save the model that \
    it was made of: model.save('model.keras')";

fn is_git_lfs(bytes: &[u8]) -> bool {
    bytes.starts_with(b"version https://git-lfs")
}

/// `lower` is the start of the file in lower case.
fn is_web_page(lower: &[u8]) -> bool {
    let starts = |word: &[u8]| lower.starts_with(word);
    let has = |word: &[u8]| lower.windows(word.len()).any(|part| part == word);
    starts(b"<!doctype html")
        || starts(b"<html")
        || (starts(b"<") && (has(b"<html") || has(b"<head")))
}

/// `SavedModel` of TensorFlow: its schema version (field 1), then a `MetaGraphDef` (field 2), which begins
/// with a message. An ONNX file has its producer's name in that place. Source: `saved_model.proto`.
pub fn is_saved_model(bytes: &[u8]) -> bool {
    let Some((&[0x08, 0x01, 0x12], rest)) = bytes.split_first_chunk::<3>() else {
        return false;
    };
    let length = rest.iter().take_while(|&&byte| byte >= 0x80).count() + 1;
    rest.get(length) == Some(&0x0a)
}

fn is_photo(bytes: &[u8]) -> bool {
    let signatures: [&[u8]; 4] = [b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"BM"];
    signatures
        .iter()
        .any(|signature| bytes.starts_with(signature))
}

/// Why a zip archive whose end is missing is refused: `found` bytes are there.
pub(super) fn cut_archive(found: usize) -> OpenError {
    OpenError::CutOff(format!(
        "it has {} bytes, and the end of the archive is missing",
        grouped(found as u64)
    ))
}

/// Digits in groups of three: `24,380`.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_their_first_bytes() {
        for (bytes, expected) in [
            (&b""[..], "empty"),
            (
                b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
                "Git LFS",
            ),
            (b"\n<!DOCTYPE html><html>", "web page"),
            (b"<?xml version='1.0'?>\n<html lang='en'>", "web page"),
            (b"\x20\x00\x00\x00TFL3", "TensorFlow Lite"),
            (
                b"{\"format\": \"layers-model\", \"modelTopology\": {}}",
                "TensorFlow.js",
            ),
            (b"{\"architectures\": []}", "JSON"),
            (b"\x93NUMPY\x01\x00", "NumPy"),
            (b"\xff\xd8\xff\xe0", "photo"),
            (b"nothing at all", "of no kind"),
        ] {
            assert!(
                kind(bytes).contains(expected),
                "{expected}: {}",
                kind(bytes)
            );
        }
        assert!(is_saved_model(b"\x08\x01\x12\xf4\xd7\x01\x0a\x05"));
        // An ONNX file by a producer.
        assert!(!is_saved_model(b"\x08\x01\x12\x07pytorch"));
    }

    #[test]
    fn numbers_in_groups_of_three() {
        assert_eq!(grouped(24_380), "24,380");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000_000), "1,000,000");
    }
}
