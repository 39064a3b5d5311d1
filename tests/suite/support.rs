//! Fixtures, and comparing with them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use candle_core::Tensor;
use modelens::cli::arrays::read_npy;

/// Arrays by name.
pub type Arrays = BTreeMap<String, Tensor>;

/// The folder of cases: `MODELENS_GOLDEN`, or the one beside the tests.
pub fn golden() -> PathBuf {
    std::env::var_os("MODELENS_GOLDEN").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden"),
        PathBuf::from,
    )
}

/// A fixture of single operations; where the chosen folder has none, the one beside the tests.
pub fn ops(name: &str) -> PathBuf {
    let chosen = golden().join("ops").join(name);
    let own = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/golden/ops")
        .join(name);
    if chosen.exists() { chosen } else { own }
}

/// Every folder of `golden()` whose name the test accepts, in order.
pub fn cases(accept: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let folder = golden();
    let entries = std::fs::read_dir(&folder).expect("the fixture folder can be listed");
    let mut cases: Vec<PathBuf> = entries
        .map(|e| e.expect("an entry").path())
        .filter(|p| p.is_dir() && accept(p))
        .collect();
    cases.sort();
    cases
}

/// All arrays of an `.npz`.
pub fn read_npz(path: &Path) -> Arrays {
    let file = File::open(path).unwrap_or_else(|e| panic!("{e}: {}", path.display()));
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).expect("a zip archive");
    let names = archive
        .file_names()
        .map(|name| name.expect("a name").into_owned());
    let names: Vec<String> = names.collect();
    let mut arrays = Arrays::new();
    for name in names {
        let entry = archive.by_name(&name).expect("an entry");
        // Arrays of other kinds (truth values) are not compared as numbers.
        if let Ok(array) = read_npy(entry) {
            arrays.insert(name.trim_end_matches(".npy").to_owned(), array);
        }
    }
    arrays
}

/// All values in row order.
pub fn values(tensor: &Tensor) -> Vec<f32> {
    tensor
        .flatten_all()
        .and_then(|t| t.to_vec1())
        .expect("an f32 tensor")
}

/// The largest difference as a part of the largest expected value.
pub fn distance(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len(), "number of values");
    let largest = expected.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    let pairs = found.iter().zip(expected);
    let difference = pairs.map(|(a, b)| (a - b).abs()).fold(0.0_f32, |m, d| {
        if d.is_nan() { f32::INFINITY } else { m.max(d) }
    });
    if difference == 0.0 {
        0.0
    } else {
        difference / largest.max(1e-6)
    }
}

/// Fails, naming `what`, where the values are further apart than 1e-4 of the largest one.
/// The tolerance: f32 sums over some thousand products in another order than the framework's.
pub fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    let distance = distance(found, expected);
    println!("{what}: {distance:e}");
    assert!(
        distance <= 1e-4,
        "{what}: {distance:e} of the largest value"
    );
}

/// The bundled base, opened once for all tests.
pub fn dog_breeds() -> std::sync::Arc<modelens::model::Model> {
    use modelens::worker::ModelSource;
    use std::sync::{Arc, OnceLock};
    static MODEL: OnceLock<Arc<modelens::model::Model>> = OnceLock::new();
    let open = || {
        Arc::new(
            ModelSource::DogBreeds
                .open()
                .expect("the bundled base opens"),
        )
    };
    Arc::clone(MODEL.get_or_init(open))
}
