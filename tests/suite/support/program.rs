//! The program as scripts call it.

use std::path::Path;
use std::process::{Command, Output};

/// Runs the program: the one that cargo built, or the one that `MODELENS_PROGRAM` names, such as that for
/// Windows (`packaging/windows/test.sh`).
pub fn modelens(arguments: &[&str]) -> Output {
    let built = || env!("CARGO_BIN_EXE_modelens").into();
    Command::new(std::env::var_os("MODELENS_PROGRAM").unwrap_or_else(built))
        .args(arguments)
        .output()
        .expect("the program starts")
}

/// Runs the program, which must succeed.
pub fn succeeds(arguments: &[&str]) -> Output {
    let done = modelens(arguments);
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{arguments:?}: {errors}");
    done
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}
