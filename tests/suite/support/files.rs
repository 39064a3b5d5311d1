//! Fixtures, and files that tests write.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use modelens::cli::arrays::read_npy;
use modelens_jobs::ModelSource;
use tempfile::TempDir;

/// Arrays by name.
pub type Arrays = BTreeMap<String, Tensor>;

/// A path in this repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A file of the golden cases in this repository, whatever `MODELENS_GOLDEN` says.
pub fn fixture(name: &str) -> PathBuf {
    repository("tests/fixtures/golden").join(name)
}

/// The folder of golden cases: `MODELENS_GOLDEN`, or the one in this repository.
pub fn golden() -> PathBuf {
    std::env::var_os("MODELENS_GOLDEN").map_or_else(|| fixture(""), PathBuf::from)
}

/// A fixture of single operations, from `golden()` or else from this repository.
pub fn ops(name: &str) -> PathBuf {
    let chosen = golden().join("ops").join(name);
    if chosen.exists() {
        chosen
    } else {
        fixture("ops").join(name)
    }
}

/// Every folder of `golden()` that the test accepts, sorted. There is at least one.
pub fn cases(accept: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let folder = golden();
    let entries = std::fs::read_dir(&folder).expect("the fixture folder can be listed");
    let mut cases: Vec<PathBuf> = entries
        .map(|e| e.expect("an entry").path())
        .filter(|p| p.is_dir() && accept(p))
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "no case in {}", folder.display());
    cases
}

/// All arrays of numbers of an `.npz` as float32; truth values become 0 and 1, and texts are left
/// out. Fails on any other array.
pub fn read_npz(path: &Path) -> Arrays {
    let file = File::open(path).unwrap_or_else(|e| panic!("{e}: {}", path.display()));
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).expect("a zip archive");
    let names: Vec<String> = archive
        .file_names()
        .map(|name| name.expect("a name").into_owned())
        .collect();
    let mut arrays = Arrays::new();
    for name in names {
        let mut bytes = Vec::new();
        let mut entry = archive.by_name(&name).expect("an entry");
        entry.read_to_end(&mut bytes).expect("its bytes");
        if holds_texts(&bytes) {
            continue;
        }
        let array = truth_values(&bytes).unwrap_or_else(|| {
            read_npy(&bytes[..]).unwrap_or_else(|e| panic!("{}, {name}: {e:#}", path.display()))
        });
        arrays.insert(name.trim_end_matches(".npy").to_owned(), array);
    }
    assert!(!arrays.is_empty(), "{}: no arrays", path.display());
    arrays
}

fn holds_texts(npy: &[u8]) -> bool {
    let texts = |npy: npyz::NpyFile<_>| match npy.dtype() {
        npyz::DType::Plain(kind) => kind.type_char() == npyz::TypeChar::UnicodeStr,
        _ => false,
    };
    npyz::NpyFile::new(npy).is_ok_and(texts)
}

/// The array in these bytes as 0 and 1, if it holds truth values.
fn truth_values(npy: &[u8]) -> Option<Tensor> {
    let npy = npyz::NpyFile::new(npy).ok()?;
    let npyz::DType::Plain(kind) = npy.dtype() else {
        return None;
    };
    if kind.type_char() != npyz::TypeChar::Bool {
        return None;
    }
    let shape: Vec<usize> = npy.shape().iter().map(|&side| side as usize).collect();
    let bits = npy.data::<bool>().expect("truth values");
    let values: Vec<f32> = bits
        .map(|bit| f32::from(u8::from(bit.expect("a truth value"))))
        .collect();
    Some(Tensor::from_vec(values, shape, &Device::Cpu).expect("a tensor"))
}

/// An empty folder that is deleted after the test.
pub fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Writes a file into the folder; returns its path.
pub fn write(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("a file");
    path
}

/// The zip archive of a fixture with one entry changed.
pub fn rezipped(case: &str, entry: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    rezipped_file(&fixture(case), entry, change)
}

/// A zip archive with one entry changed.
pub fn rezipped_file(path: &Path, entry: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    let file = File::open(path).expect("an archive");
    let mut archive = zip::ZipArchive::new(file).expect("a zip archive");
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for i in 0..archive.len() {
        let mut from = archive.by_index(i).expect("an entry");
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).expect("its bytes");
        let name = from.name().expect("a name").into_owned();
        let bytes = if name == entry { change(bytes) } else { bytes };
        let stored = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        out.start_file(name, stored).expect("a new entry");
        out.write_all(&bytes).expect("its bytes");
    }
    out.finish().expect("a zip archive").into_inner()
}

/// The error of a model that must not open.
pub fn refused(path: &Path) -> String {
    match ModelSource::File(path.to_owned()).open() {
        Ok(_) => panic!("opened: {}", path.display()),
        Err(error) => {
            let text = error.to_string();
            assert!(
                text.ends_with(&path.display().to_string()),
                "the path comes last: {text}"
            );
            text
        }
    }
}

/// Writes generated photos into one folder per class; classes differ in brightness.
pub fn drawn(folder: &Path, counts: &[usize]) {
    for (class, &count) in counts.iter().enumerate() {
        let inside = folder.join(format!("class{class}"));
        std::fs::create_dir_all(&inside).expect("a folder");
        for i in 0..count {
            let shade = move |x: u32, y: u32| {
                let wave = (f64::from(x * 7 + y * 3) + i as f64 * 11.0).sin() * 20.0;
                (60.0 + 120.0 * class as f64 + wave) as u8
            };
            let photo = image::RgbImage::from_fn(64, 64, |x, y| image::Rgb([shade(x, y); 3]));
            photo
                .save(inside.join(format!("{i}.png")))
                .expect("a photo");
        }
    }
}
