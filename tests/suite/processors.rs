//! The kernels for each kind of processor, on whichever runs the tests.

use std::path::Path;
use std::process::Command;

use modelens::worker::machine::KERNEL_VARIABLE;

#[test]
fn the_fixtures_hold_on_any_processor() {
    let tests = std::env::current_exe().expect("this program");
    for path in ["portable", "avx2"] {
        let done = Command::new(&tests)
            .args(["golden::", "bundled::", "train_step::keras"])
            .env(KERNEL_VARIABLE, path)
            .output()
            .expect("a process");
        let text = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "{text}");
        assert!(!text.contains("running 0 tests"), "{text}");
    }
}

/// Every output, tapped value and statistic, and the weights after training.
#[test]
fn wider_vectors_and_more_threads_change_no_bit() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |out: &Path, (path, threads): (&str, &str), arguments: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_modelens"))
            .args(arguments)
            .arg("--out")
            .arg(out)
            .env(KERNEL_VARIABLE, path)
            .env("RAYON_NUM_THREADS", threads)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("the program");
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        std::fs::read(out).expect("its output")
    };
    let photos = ["--input", "assets/photos", "--batch", "3"];
    for (network, mode) in [
        ("dog_breeds_mobilenetv2", "training"),
        ("dog_breeds_mobilenetv2", "inference"),
        ("efficientnet_lite0", "training"),
    ] {
        let mut arguments = vec!["run", network, "--mode", mode];
        arguments.extend(photos);
        let of = |machine| run(&folder.path().join("out.npz"), machine, &arguments);
        let first = of(("", "2"));
        assert!(of(("avx2", "2")) == first, "{network} {mode}");
        assert!(of(("", "5")) == first, "{network} {mode}");
    }
    let mut arguments = vec!["train", "--photos", "assets/photos", "--epochs", "1"];
    arguments.extend(["--trainable", "all", "--training", "true"]);
    let of = |machine| run(&folder.path().join("out.csv"), machine, &arguments);
    let first = of(("", "2"));
    assert!(of(("avx2", "3")) == first, "training");
}
