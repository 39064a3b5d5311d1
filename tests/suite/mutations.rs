//! Files with random changes: opening each gives a result or an error, never a panic, in bounded time
//! and in memory of at most twice the length of the file plus a fixed bound. Failures name the seed
//! and the number of the file. `MODELENS_MUTATIONS` sets how many files of each format to try
//! (default 60; 10,000 take some minutes).

use modelens::dataset::jpeg::PhotoDecoder;
use std::io::{Read as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use candle_core::{DType, Device, Tensor};
use modelens::cli::arrays::read_input;
use modelens::dataset::decode::MAX_PIXELS;
use modelens::model::pass::{PassOptions, run};
use modelens::model::{Flags, Mode, Model};
use modelens::random::Draws;
use modelens_jobs::ModelSource;
use modelens_jobs::PhotosSource;

use crate::support::files::{fixture, folder, repository};
use crate::support::memory::most_bytes;
use crate::{onnx, pt2, pytorch, saved_model, weights_only};

/// Bytes that opening a file may take beyond twice its length.
const BOUND: u64 = 64 << 20;

fn count(usual: u64) -> u64 {
    let given = std::env::var("MODELENS_MUTATIONS").ok();
    given.and_then(|n| n.parse().ok()).unwrap_or(usual)
}

/// Mutations of a file where nothing else is asked for.
const USUAL: u64 = 60;
/// Those of a file of weights alone: each is tried as every network that it may belong to.
const USUAL_OF_WEIGHTS: u64 = 15;

/// The most bytes that opening this file may take.
fn usual_bound(bytes: &[u8]) -> u64 {
    2 * bytes.len() as u64 + BOUND
}

/// Changes, deletes or repeats some bytes, or replaces them by extreme numbers.
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
            // A digit in a text.
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

/// The archive with one entry mutated and its checksum updated; one time in four, any of its bytes.
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

/// The PNG with one chunk mutated and its checksum updated; one time in four, any of its bytes.
fn mutated_png(bytes: &[u8], draws: &mut Draws) -> Vec<u8> {
    if draws.below(4) == 0 {
        return mutated(bytes, draws);
    }
    let (signature, mut rest) = bytes.split_at(8);
    let mut chunks = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let (chunk, behind) = behind.split_at(4 + u32::from_be_bytes(*length) as usize);
        chunks.push(chunk.to_vec());
        rest = &behind[4..];
    }
    let chosen = draws.below(chunks.len());
    chunks[chosen] = mutated(&chunks[chosen], draws);
    let mut out = signature.to_vec();
    for chunk in chunks {
        out.extend((chunk.len().saturating_sub(4) as u32).to_be_bytes());
        out.extend(&chunk);
        let checksum = chunk.iter().fold(u32::MAX, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| {
                (crc >> 1) ^ (0xedb8_8320 * (crc & 1))
            })
        });
        out.extend((!checksum).to_be_bytes());
    }
    out
}

/// Runs both passes on a small photo if the mutated model still takes a small input.
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
            random: true,
            seed: 1,
            ..PassOptions::of(model, &flags, mode)
        };
        // A result or an error. Huge settings may take long; cancelling must work.
        let start = Instant::now();
        let proceed = |_, _| start.elapsed() < Duration::from_secs(5);
        drop(run(model, &x, &options, &proceed));
    }
}

/// Opens mutations of a file of this format and uses what was opened.
fn survives<T>(
    name: &str,
    bytes: &[u8],
    mutate: impl Fn(&[u8], &mut Draws) -> Vec<u8>,
    open: impl Fn(&Path) -> Option<T>,
    look: impl Fn(&T),
) {
    survives_within(count(USUAL), name, bytes, mutate, usual_bound, open, look);
}

/// The same with a number of mutations and a bound on memory.
fn survives_within<T>(
    mutations: u64,
    name: &str,
    bytes: &[u8],
    mutate: impl Fn(&[u8], &mut Draws) -> Vec<u8>,
    bound: impl Fn(&[u8]) -> u64,
    open: impl Fn(&Path) -> Option<T>,
    look: impl Fn(&T),
) {
    let folder = folder();
    let path = folder.path().join(name);
    let (mut opened, mut slowest, mut largest) = (0, Duration::ZERO, 0);
    for i in 0..mutations {
        let mut draws = Draws::new(i, &[7]);
        let mutated = mutate(bytes, &mut draws);
        std::fs::write(&path, &mutated).expect("a file");
        let start = Instant::now();
        let done = catch_unwind(AssertUnwindSafe(|| {
            let (value, most) = most_bytes(|| open(&path));
            value.as_ref().inspect(|value| look(value));
            (value.is_some(), most)
        }));
        let Ok((is_open, most)) = done else {
            panic!("{name}: mutation {i} panics");
        };
        let spent = start.elapsed();
        let bound = bound(&mutated);
        assert!(
            most <= bound,
            "{name}: mutation {i} took {most} bytes, above {bound}"
        );
        largest = largest.max(most);
        assert!(
            spent < Duration::from_mins(1),
            "{name}: mutation {i} took {spent:?}"
        );
        opened += u64::from(is_open);
        slowest = slowest.max(spent);
    }
    println!(
        "{name}: {opened} of {mutations} opened, the slowest took {slowest:?}, the largest {} kB of memory",
        largest / 1000
    );
}

fn opens(path: &Path) -> Option<Model> {
    let opened = ModelSource::File(path.to_owned()).open();
    opened
        .inspect_err(|error| assert!(!error.to_string().is_empty()))
        .ok()
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("the fixture")
}

#[test]
fn mutated_h5_files() {
    let seed = bytes(&fixture("bnnet_keras3/model.h5"));
    survives("bnnet.h5", &seed, mutated, opens, passes);
    let seed = bytes(&fixture("student_operators_keras2/model.h5"));
    survives("operators.h5", &seed, mutated, opens, passes);
}

#[test]
fn mutated_keras_files() {
    let seed = bytes(&fixture("bnnet_keras3/model.keras"));
    survives("bnnet.keras", &seed, mutated_zip, opens, passes);
    let seed = bytes(&fixture("student_layers_keras3/model.keras"));
    survives("layers.keras", &seed, mutated_zip, opens, passes);
    let seed = bytes(&fixture("student_operators_keras2/model.keras"));
    survives("operators.keras", &seed, mutated_zip, opens, passes);
}

#[test]
fn mutated_weights_files() {
    for (packed, _) in weights_only::files() {
        let name = packed.file_stem().expect("a name").to_string_lossy();
        let (_folder, path) = weights_only::unpacked(&packed, &name);
        let seed = bytes(&path);
        let chosen = |path: &Path| {
            let source = ModelSource::Weights {
                path: path.to_owned(),
                architecture: "MobileNet:32".to_owned(),
            };
            source.open().ok()
        };
        let times = count(USUAL_OF_WEIGHTS);
        // Recognised by its layers, and compared with a chosen network.
        survives_within(times, &name, &seed, mutated, usual_bound, opens, passes);
        survives_within(times, &name, &seed, mutated, usual_bound, chosen, passes);
    }
}

#[test]
fn mutated_labels() {
    let text = "rose\ntulip\nlily\n".repeat(40);
    let model = bytes(&fixture("bnnet_keras3/model.keras"));
    for seed in [&b"rose\r\ntulip\r\n\xc5\x82ubin\r\n"[..], text.as_bytes()] {
        let named = |path: &Path| {
            let model_path = path.with_file_name("model.keras");
            if !model_path.exists() {
                std::fs::write(&model_path, &model).expect("a file");
            }
            // The model always opens: with fitting names, or with a warning.
            let model = ModelSource::File(model_path).open().expect("the model");
            let is_named = model.labels.len() == 3 && model.warnings.is_empty();
            let is_told = model.labels.is_empty() && model.warnings.len() == 1;
            assert!(is_named || is_told, "{:?}", model.warnings);
            is_named.then_some(model.description.labels)
        };
        let readable = |labels: &Vec<String>| {
            let fits = |l: &String| l.chars().all(|c| !c.is_control()) && !l.is_empty();
            assert!(labels.iter().all(fits), "{labels:?}");
        };
        survives("labels.txt", seed, mutated, named, readable);
    }
}

#[test]
fn mutated_pytorch_files() {
    for name in pytorch::FILES {
        let seed = bytes(&pytorch::file(name));
        if Path::new(name).extension().is_some_and(|e| e == "pth") {
            survives(name, &seed, mutated_zip, opens, passes);
        } else {
            survives(name, &seed, mutated, opens, passes);
        }
    }
}

#[test]
fn mutated_exported_programs() {
    for name in [
        "plain_eval_any.pt2",
        "residual_train_any.pt2",
        "shuffle_eval_2.pt2",
        "depth_train_any.pt2",
        "tokens_train_any.pt2",
        "swin_train_any.pt2",
    ] {
        let seed = bytes(&pt2::file(name));
        survives(name, &seed, mutated_zip, opens, passes);
    }
}

#[test]
fn mutated_saved_models() {
    for file in [
        "saved_model.pb",
        "keras_metadata.pb",
        "variables/variables.index",
        "variables/variables.data-00000-of-00001",
    ] {
        let copy = saved_model::copied("functional");
        let place = copy.path().join(file);
        let seed = bytes(&place);
        let opens = |path: &Path| {
            std::fs::copy(path, &place).expect("a copy");
            opens(copy.path())
        };
        let name = file.rsplit('/').next().expect("a name");
        survives(name, &seed, mutated, opens, passes);
    }
}

#[test]
fn mutated_arrays() {
    let seed = bytes(&fixture("bnnet_keras3/io.npz"));
    let reads = |path: &Path| read_input(path).ok();
    survives("io.npz", &seed, mutated_zip, reads, |_| {});
    let mut npy = Vec::new();
    let archive = zip::ZipArchive::new(std::io::Cursor::new(&seed));
    let mut archive = archive.expect("a zip archive");
    let mut x = archive.by_name("x.npy").expect("the array");
    x.read_to_end(&mut npy).expect("its bytes");
    survives("x.npy", &npy, mutated, reads, |_| {});
}

#[test]
fn mutated_photos() {
    let photo = repository("assets/photos/fish/fish17.webp");
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
        let set = set.ok()?;
        (0..set.photos.len()).find_map(|photo| set.decode(photo, PhotoDecoder::default()).ok())
    };
    // A header may declare a large photo: 16 bits for each of red, green, blue and alpha, plus the
    // converted pixels.
    let bound = |bytes: &[u8]| {
        let reader = image::ImageReader::new(std::io::Cursor::new(bytes)).with_guessed_format();
        let sides = reader.ok().and_then(|reader| reader.into_dimensions().ok());
        let pixels = sides.map_or(0, |(w, h)| u64::from(w) * u64::from(h));
        2 * bytes.len() as u64 + BOUND + 12 * pixels.min(MAX_PIXELS)
    };
    survives_within(
        count(USUAL),
        "photo.webp",
        &bytes(&photo),
        mutated,
        bound,
        decodes,
        |_| {},
    );
    let png = encoded(image::ImageFormat::Png);
    survives_within(
        count(USUAL),
        "photo.png",
        &png,
        mutated_png,
        bound,
        decodes,
        |_| {},
    );
    for (name, format) in [
        ("photo.jpg", image::ImageFormat::Jpeg),
        ("photo.gif", image::ImageFormat::Gif),
        ("photo.bmp", image::ImageFormat::Bmp),
    ] {
        survives_within(
            count(USUAL),
            name,
            &encoded(format),
            mutated,
            bound,
            decodes,
            |_| {},
        );
    }
}

#[test]
fn mutated_onnx_files() {
    let files = onnx::FILES.into_iter().chain(onnx::PARTS);
    for name in files.chain([onnx::STRIDED]) {
        survives(name, &bytes(&onnx::file(name)), mutated, opens, passes);
    }
}

#[test]
fn mutated_lessons() {
    let lessons = repository("assets/lessons");
    let lessons = std::fs::read_dir(lessons).expect("the lessons");
    let lessons = lessons.map(|entry| entry.expect("a lesson").path());
    let mut lessons: Vec<_> = lessons
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    lessons.sort();
    let seed = bytes(lessons.first().expect("a lesson"));
    let names = modelens::views::values::names();
    let reads = |path: &Path| modelens::lesson::open(path, &names).ok();
    survives("lesson.toml", &seed, mutated, reads, |_| {});
}

#[test]
fn mutated_settings() {
    use modelens::app::settings_file::{Kept, load};
    let folder = folder();
    let mut keeper = load(Some(folder.path())).keeper.expect("a keeper");
    let kept = Kept { ..Kept::default() };
    keeper.keep(&kept).expect("the file is written");
    let file = std::fs::read_dir(folder.path()).expect("the folder").next();
    let file = file.expect("a file").expect("a file").path();
    let seed = bytes(&file);
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .expect("a name");
    // Unreadable settings are set aside in new files, so the folder is emptied each time.
    let reads = |path: &Path| {
        let folder = path.parent().expect("a folder");
        let loaded = load(Some(folder));
        for entry in std::fs::read_dir(folder).expect("the folder") {
            std::fs::remove_file(entry.expect("a file").path()).expect("it is removed");
        }
        loaded.notice.is_none().then_some(loaded.kept)
    };
    survives(name, &seed, mutated, reads, |_| {});
}
