//! How kernels are written.

use std::path::Path;

use crate::edges::rust_files;

/// A closure that is not inlined is compiled for the oldest processor: right, but several times slower, and nothing
/// else would tell.
#[test]
fn every_vectorized_closure_is_inlined() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/modelens-core/src");
    let mut calls = 0;
    for file in rust_files(&core) {
        let text = std::fs::read_to_string(&file).expect("a source file");
        let shown = file.display();
        assert!(
            !text.contains("simd::run;"),
            "{shown}: `vectorized` takes closures"
        );
        for (at, name) in text.match_indices("vectorized(") {
            let arguments = text[at + name.len()..].trim_start();
            let line = text[..at].lines().count();
            assert!(arguments.starts_with("#[inline(always)]"), "{shown}:{line}");
            calls += 1;
        }
    }
    assert!(calls > 20, "{calls}");
}
