//! Files changed at random: each ends in an answer or an error, never in a panic, and soon. The seed
//! and the number say which file it was. `MODELENS_MUTATIONS` says how many of each format (default
//! 60; 10,000 take some minutes).

use std::io::{Read as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use candle_core::{DType, Device, Tensor};
use modelens::cli::arrays::read_input;
use modelens::model::open::ModelSource;
use modelens::model::pass::{PassOptions, run};
use modelens::model::{Flags, Mode, Model};
use modelens::random::Draws;
use modelens::worker::PhotosSource;

use crate::bad_input::{fixture, folder};
use crate::pytorch;

fn count() -> u64 {
    let given = std::env::var("MODELENS_MUTATIONS").ok();
    given.and_then(|n| n.parse().ok()).unwrap_or(60)
}

/// Some bytes changed, cut out, doubled, or made into extreme numbers.
fn mutated(bytes: &[u8], draws: &mut Draws) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=draws.below(4) {
        if bytes.is_empty() {
            return bytes;
        }
        let at = draws.below(bytes.len());
        let length = (draws.below(64) + 1).min(bytes.len() - at);
        match draws.below(8) {
            0 => bytes[at] = draws.below(256) as u8,
            1 => bytes[at] ^= 1 << draws.below(8),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..at + length)),
            4 => {
                let copy = bytes[at..at + length].to_vec();
                let to = draws.below(bytes.len());
                drop(bytes.splice(to..to, copy));
            }
            5 => bytes[at..at + length].fill([0x00, 0xff, b'9', b'['][draws.below(4)]),
            6 => {
                let extreme = [u64::MAX, 1 << 31, 1 << 40, 0, i64::MAX as u64][draws.below(5)];
                let value = extreme.to_le_bytes();
                bytes[at..at + length.min(8)].copy_from_slice(&value[..length.min(8)]);
            }
            // A digit of a number in text.
            _ => {
                let digits = bytes.iter().enumerate().filter(|(_, b)| b.is_ascii_digit());
                let digits: Vec<usize> = digits.map(|(i, _)| i).take(100_000).collect();
                if !digits.is_empty() {
                    let digit = digits[draws.below(digits.len())];
                    bytes[digit] = b"0123456789-"[draws.below(11)];
                }
            }
        }
    }
    bytes
}

/// The archive with one entry mutated, so that its checksum fits; or, one time in four, the archive's
/// own bytes mutated.
fn mutated_zip(bytes: &[u8], draws: &mut Draws) -> Vec<u8> {
    if draws.below(4) == 0 {
        return mutated(bytes, draws);
    }
    let archive = zip::ZipArchive::new(std::io::Cursor::new(bytes));
    let mut archive = archive.expect("a zip archive");
    let chosen = draws.below(archive.len());
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for i in 0..archive.len() {
        let mut from = archive.by_index(i).expect("an entry");
        let mut inner = Vec::new();
        from.read_to_end(&mut inner).expect("its bytes");
        if i == chosen {
            inner = mutated(&inner, draws);
        }
        let stored = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        let name = from.name().expect("a name").into_owned();
        out.start_file(name, stored).expect("a new entry");
        out.write_all(&inner).expect("its bytes");
    }
    out.finish().expect("a zip archive").into_inner()
}

/// Both passes on a small photo, where the mutation left the model's input small.
fn passes(model: &Model) {
    let side = |axis: usize, open: usize| model.graph.input_hwc[axis].unwrap_or(open);
    let (h, w, c) = (side(0, 40), side(1, 40), side(2, 3));
    if h.saturating_mul(w).saturating_mul(c) > 64 * 64 * 4 {
        return;
    }
    let x = Tensor::ones((2, h, w, c), DType::F32, &Device::Cpu).expect("a tensor");
    let flags = Flags::of_file(&model.graph);
    for mode in Mode::BOTH {
        let options = PassOptions {
            outer: mode.into(),
            semantics: model.semantics,
            flags: &flags,
            random: true,
            seed: 1,
            repeat: 0,
            taps: &[],
            weights: None,
        };
        // An answer or an error; huge settings may take long, and a person may cancel.
        let start = Instant::now();
        let proceed = |_, _| start.elapsed() < Duration::from_secs(5);
        drop(run(model, &x, &options, &proceed));
    }
}

/// Opens `count()` mutations of a file of this format.
fn survives(
    name: &str,
    bytes: &[u8],
    mutate: impl Fn(&[u8], &mut Draws) -> Vec<u8>,
    open: impl Fn(&Path) -> bool,
) {
    let folder = folder();
    let path = folder.path().join(name);
    let (mut opened, mut slowest) = (0, Duration::ZERO);
    for i in 0..count() {
        let mut draws = Draws::new(i, &[7]);
        std::fs::write(&path, mutate(bytes, &mut draws)).expect("a file");
        let start = Instant::now();
        let done = catch_unwind(AssertUnwindSafe(|| open(&path)));
        assert!(done.is_ok(), "{name}: mutation {i} panics");
        let spent = start.elapsed();
        assert!(
            spent < Duration::from_mins(1),
            "{name}: mutation {i} took {spent:?}"
        );
        opened += u64::from(done.unwrap_or(false));
        slowest = slowest.max(spent);
    }
    println!(
        "{name}: {opened} of {} opened, the slowest took {slowest:?}",
        count()
    );
}

fn opens(path: &Path) -> bool {
    match ModelSource::File(path.to_owned()).open() {
        Ok(model) => {
            passes(&model);
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            false
        }
    }
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("the fixture")
}

#[test]
fn mutated_h5_files() {
    let seed = bytes(&fixture("bnnet_keras3/model.h5"));
    survives("bnnet.h5", &seed, mutated, opens);
    let seed = bytes(&fixture("student_operators_keras2/model.h5"));
    survives("operators.h5", &seed, mutated, opens);
}

#[test]
fn mutated_keras_files() {
    let seed = bytes(&fixture("bnnet_keras3/model.keras"));
    survives("bnnet.keras", &seed, mutated_zip, opens);
    let seed = bytes(&fixture("student_layers_keras3/model.keras"));
    survives("layers.keras", &seed, mutated_zip, opens);
}

#[test]
fn mutated_pytorch_files() {
    for name in pytorch::FILES {
        let seed = bytes(&pytorch::file(name));
        if Path::new(name).extension().is_some_and(|e| e == "pth") {
            survives(name, &seed, mutated_zip, opens);
        } else {
            survives(name, &seed, mutated, opens);
        }
    }
}

#[test]
fn mutated_arrays() {
    let seed = bytes(&fixture("bnnet_keras3/io.npz"));
    survives("io.npz", &seed, mutated_zip, |path| {
        read_input(path).is_ok()
    });
}

#[test]
fn mutated_photos() {
    let photo = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/photos/fish/fish17.webp");
    let image = image::open(&photo).expect("the photo");
    let encoded = |format| {
        let mut out = std::io::Cursor::new(Vec::new());
        image
            .thumbnail(48, 48)
            .into_rgb8()
            .write_to(&mut out, format)
            .expect("an image");
        out.into_inner()
    };
    let decodes = |path: &Path| {
        let set = PhotosSource::Folder(path.parent().expect("a folder").to_owned()).open();
        set.is_ok_and(|set| {
            set.photos
                .iter()
                .any(|photo| modelens::dataset::decode::decode(photo).is_ok())
        })
    };
    survives("photo.webp", &bytes(&photo), mutated, decodes);
    for (name, format) in [
        ("photo.png", image::ImageFormat::Png),
        ("photo.jpg", image::ImageFormat::Jpeg),
        ("photo.gif", image::ImageFormat::Gif),
        ("photo.bmp", image::ImageFormat::Bmp),
    ] {
        survives(name, &encoded(format), mutated, decodes);
    }
}
