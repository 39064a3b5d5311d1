//! The kernels for each kind of processor that this machine can run.

use std::path::Path;
use std::process::Command;

use modelens_jobs::machine::KERNEL_VARIABLE;

/// The paths that this processor can take, from narrow vectors to wide ones: values of `KERNEL_VARIABLE`.
fn paths() -> Vec<&'static str> {
    let mut paths = vec!["portable"];
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            paths.push("avx2");
        }
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
            paths.push("widest");
        }
    }
    #[cfg(target_arch = "aarch64")]
    paths.push("widest");
    paths
}

/// The widest path is the one that all other tests take.
#[test]
fn the_fixtures_hold_on_narrower_paths() {
    let tests = std::env::current_exe().expect("this program");
    let paths = paths();
    for path in &paths[..paths.len().max(2) - 1] {
        let done = Command::new(&tests)
            .args(["golden::", "bundled::", "train_step::keras"])
            .env(KERNEL_VARIABLE, path)
            .output()
            .expect("a process");
        let text = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "{path}: {text}");
        assert!(!text.contains("running 0 tests"), "{path}: {text}");
    }
}

/// Runs the program with these arguments on a path and with a number of threads; returns the bytes
/// that it writes.
fn written(out: &Path, arguments: &[&str], path: &str, threads: &str) -> Vec<u8> {
    let done = Command::new(env!("CARGO_BIN_EXE_modelens"))
        .args(arguments)
        .arg("--out")
        .arg(out)
        .env(KERNEL_VARIABLE, path)
        .env("RAYON_NUM_THREADS", threads)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the program starts");
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{arguments:?}: {errors}");
    std::fs::read(out).expect("its output")
}

/// Every output, tapped value and statistic, and the weights after training: all paths that fuse
/// multiply-adds give the same bits, with any number of threads. The portable path does not fuse,
/// so it differs, which shows that the variable has an effect.
#[test]
fn wider_vectors_and_more_threads_change_no_bit() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let photos = ["--input", "assets/photos", "--batch", "3"];
    let runs = [
        ("lab_mobilenetv2", "training"),
        ("lab_mobilenetv2", "inference"),
        ("efficientnet_lite0", "training"),
    ];
    let mut commands: Vec<(&str, Vec<&str>)> = runs
        .map(|(network, mode)| {
            let run = ["run", network, "--mode", mode];
            ("out.npz", [&run[..], &photos].concat())
        })
        .to_vec();
    let train = ["train", "--photos", "assets/photos", "--epochs", "1"];
    let all = ["--trainable", "all", "--training", "true"];
    commands.push(("out.csv", [&train[..], &all].concat()));
    let paths = paths();
    // A processor without vectors has only the portable path.
    let fused = if paths.len() > 1 { &paths[1..] } else { &paths };
    let (narrowest, widest) = (fused[0], fused[fused.len() - 1]);
    for (i, (name, arguments)) in commands.iter().enumerate() {
        let of = |path, threads| written(&out.with_file_name(name), arguments, path, threads);
        let first = of(narrowest, "2");
        assert!(
            of(widest, "5") == first,
            "{arguments:?}: {narrowest}, {widest}"
        );
        if i == 0 && narrowest != "portable" {
            assert!(of("portable", "2") != first, "{arguments:?}: portable");
        }
    }
}
