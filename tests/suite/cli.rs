//! The command line as scripts call it: arrays, JSON, and exit statuses.

use crate::support::files::{cases, fixture, read_npz, repository};
use crate::support::numbers::{assert_close, values};
use crate::support::program::{modelens, succeeds, text};

#[test]
fn run_writes_what_the_framework_computes() {
    let folder = tempfile::tempdir().expect("a folder");
    let cases = cases(|case| case.join("model.keras").exists());
    for case in cases {
        let io = read_npz(&case.join("io.npz"));
        for mode in ["inference", "training"] {
            let out = folder.path().join("out.npz");
            let (model, input) = (case.join("model.keras"), case.join("io.npz"));
            let mut args = vec!["run", text(&model), "--input", text(&input), "--mode", mode];
            args.extend(["--no-random", "--out", text(&out)]);
            let suffix = format!("/{mode}");
            let taps: Vec<&str> = io
                .keys()
                .filter_map(|k| k.strip_prefix("tap/")?.strip_suffix(&*suffix))
                .collect();
            for tap in &taps {
                args.extend(["--tap", tap]);
            }
            succeeds(&args);
            let found = read_npz(&out);
            let what = format!("{} {mode}", case.display());
            assert_close(
                &values(&found["y"]),
                &values(&io[&format!("y_{mode}")]),
                &what,
            );
            for tap in taps {
                let expected = values(&io[&format!("tap/{tap}/{mode}")]);
                assert_close(&values(&found[&format!("tap/{tap}")]), &expected, &what);
            }
            for (key, expected) in io.iter().filter(|(k, _)| k.starts_with("bn/")) {
                if mode == "training" {
                    assert_close(&values(&found[key]), &values(expected), &what);
                } else {
                    let batch = key.replace("/mean", "/batch_mean");
                    assert!(
                        batch == *key || !found.contains_key(&batch),
                        "{what}: {batch}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_same_run_writes_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let photos = repository("assets/photos/fish");
    let run = |name: &str, seed: &str| {
        let out = folder.path().join(name);
        let args = [
            "run",
            "--input",
            text(&photos),
            "--mode",
            "training",
            "--batch",
            "3",
        ];
        succeeds(&[&args[..], &["--seed", seed, "--out", text(&out)]].concat());
        std::fs::read(out).expect("the output")
    };
    assert_eq!(run("a.npz", "7"), run("b.npz", "7"));
    assert_ne!(run("a.npz", "7"), run("b.npz", "8"));
    assert_eq!(read_npz(&folder.path().join("a.npz"))["y"].dims(), [3, 4]);
}

#[test]
fn augmentation_of_photos_follows_the_seed() {
    let folder = tempfile::tempdir().expect("a folder");
    let photos = repository("assets/photos/tool");
    let run = |name: &str, more: &[&str]| {
        let out = folder.path().join(name);
        let args = [
            "run",
            "--input",
            text(&photos),
            "--mode",
            "inference",
            "--batch",
            "2",
        ];
        succeeds(&[&args[..], more, &["--out", text(&out)]].concat());
        values(&read_npz(&out)["y"])
    };
    let augment = ["--augment", "RandomFlip:horizontal, RandomRotation:0.1:0.2"];
    let plain = run("a.npz", &[]);
    assert_ne!(run("b.npz", &augment), plain);
    assert_eq!(run("b.npz", &augment), run("c.npz", &augment));
    let refused = modelens(&[
        "run",
        "--input",
        text(&photos),
        "--mode",
        "inference",
        "--augment",
        "RandomRotation:3",
        "--out",
        text(&folder.path().join("d.npz")),
    ]);
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        message.contains("within [-1, 1]"),
        "the limit is named: {message}"
    );
}

#[test]
fn a_tapped_nested_model_gives_its_output() {
    let folder = tempfile::tempdir().expect("a folder");
    let case = fixture("alpaca_baked_ft120_keras3");
    let (model, input) = (case.join("model.keras"), case.join("io.npz"));
    let out = folder.path().join("out.npz");
    let taps = ["--tap", "mobilenetv2_0.35_96", "--tap", "out_relu"];
    let args = [
        "run",
        text(&model),
        "--input",
        text(&input),
        "--mode",
        "inference",
    ];
    succeeds(&[&args[..], &taps, &["--out", text(&out)]].concat());
    let found = read_npz(&out);
    assert_eq!(
        values(&found["tap/mobilenetv2_0.35_96"]),
        values(&found["tap/out_relu"])
    );
}

#[test]
fn inspect_prints_the_fixed_json() {
    let done = succeeds(&["inspect", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).expect("JSON");
    for (key, expected) in [
        ("format", "keras".into()),
        ("framework", "Keras 3.15.1".into()),
        ("semantics", "keras3".into()),
        ("total_params", 2_263_108.into()),
        ("trainable_params", 5_124.into()),
        ("non_trainable_params", serde_json::Value::from(2_257_984)),
    ] {
        assert_eq!(report[key], expected, "{key}");
    }
    let layers = report["layers"].as_array().expect("layers");
    assert_eq!(layers.len(), 162);
    for key in ["name", "class", "trainable", "params", "recorded_training"] {
        assert!(layers.iter().all(|l| l.get(key).is_some()), "{key}");
    }
}

#[test]
fn unusable_arguments_end_with_2_and_unreadable_files_with_1() {
    let model = fixture("bnnet_keras3/model.h5");
    let input = fixture("bnnet_keras3/io.npz");
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out.npz");
    let (model, input, out) = (text(&model), text(&input), text(&out));
    let nowhere = folder.path().join("no/such/out.npz");
    let run = ["run", model, "--input", input, "--mode", "training"];
    let with = |more: &[&'static str]| -> Vec<String> {
        let mut args: Vec<String> = run.iter().map(|&a| a.to_owned()).collect();
        args.extend(["--out".to_owned(), out.to_owned()]);
        args.extend(more.iter().map(|&a| a.to_owned()));
        args
    };
    let own = |args: &[&str]| args.iter().map(|&a| a.to_owned()).collect::<Vec<_>>();
    let table: Vec<(Vec<String>, i32)> = vec![
        (own(&["inspect", "/no/such/file.h5"]), 1),
        (own(&["inspect", file!(), "more"]), 2),
        (
            own(&[
                "run",
                model,
                "--input",
                "/no/such/x.npz",
                "--mode",
                "training",
                "--out",
                out,
            ]),
            1,
        ),
        (
            own(&[
                "run", model, "--input", input, "--mode", "both", "--out", out,
            ]),
            2,
        ),
        (own(&[&run[..], &["--out", text(&nowhere)]].concat()), 2),
        (with(&["--semantics", "jax"]), 2),
        (with(&["--trainable", "some"]), 2),
        (with(&["--trainable", "-no_such_layer"]), 2),
        (with(&["--tap", "no_such_layer"]), 2),
        (with(&["--batch", "0"]), 2),
        (with(&["--no-such-option"]), 2),
        (with(&["--augment", "RandomRotation:3"]), 2),
        (with(&["--augment", "RandomRotation:much"]), 2),
        (with(&["--augment", "RandomWarp:0.1"]), 2),
        (with(&["--augment", "RandomFlip"]), 2),
        (with(&["--trainable", "-bn_a,+bn_b", "--batch", "2"]), 0),
        (
            with(&["--trainable", "from:3", "--semantics", "pytorch"]),
            0,
        ),
        (own(&["--help"]), 0),
        (own(&["run", "--help"]), 0),
    ];
    for (args, status) in table {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let done = modelens(&args);
        let errors = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(status), "{args:?}: {errors}");
        if status == 1 {
            assert_eq!(errors.trim_end().lines().count(), 1, "one line: {errors}");
        }
    }
}

#[test]
fn a_recorded_value_binds_in_keras_2_and_is_overridden_in_keras_3() {
    let folder = tempfile::tempdir().expect("a folder");
    let photos = repository("assets/photos/fish");
    let run = |semantics: &str, recorded: &str| {
        let out = folder.path().join("out.npz");
        let mut args = vec!["run", "--input", text(&photos), "--mode", "training"];
        args.extend(["--no-random", "--trainable", "all", "--batch", "2"]);
        args.extend(["--semantics", semantics, "--recorded", recorded]);
        args.extend(["--out", text(&out)]);
        succeeds(&args);
        values(&read_npz(&out)["y"])
    };
    let of_file = run("keras2", "file");
    assert_eq!(of_file, run("keras2", "false"), "the course records False");
    assert_ne!(of_file, run("keras2", "none"));
    assert_eq!(run("keras2", "true"), run("keras2", "none"));
    let open = run("keras3", "false");
    assert_eq!(open, run("keras3", "none"));
    assert_eq!(open, run("keras3", "true"));
}

#[test]
fn the_manual_and_the_completions_know_every_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let pages = folder.path().join("man");
    succeeds(&["manual", "--out", text(&pages), "--make-folders"]);
    let commands = [
        "inspect",
        "run",
        "figure",
        "handout",
        "train",
        "bench",
        "link",
        "bundled",
        "completions",
        "manual",
    ];
    let overview = std::fs::read_to_string(pages.join("modelens.1")).expect("a page");
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = succeeds(&["completions", shell]).stdout;
        let script = String::from_utf8(script).expect("a script");
        for command in commands {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
    for command in commands {
        assert!(overview.contains(command), "{command}");
        let page = std::fs::read_to_string(pages.join(format!("modelens-{command}.1")));
        assert!(page.expect("a page").contains(".SH NAME"), "{command}");
    }
    let network = folder.path().join("base.keras");
    succeeds(&["bundled", "lab_mobilenetv2", "--out", text(&network)]);
    let bytes = modelens_jobs::bundled::lab_mobilenetv2().expect("the network");
    assert!(std::fs::read(&network).expect("a file") == *bytes);
    let link = succeeds(&["link", "https://host/#v1;view=dropout"]).stdout;
    assert_eq!(link, b"#v1;view=dropout\n");
    for (link, why) in [
        ("#v1;view=drop", "there is no view `drop`"),
        ("#v1;lesson=why-specify-twice;step=99", "the lesson has"),
    ] {
        let refused = modelens(&["link", link]);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(
            refused.status.code() == Some(2) && said.contains(why),
            "{said}"
        );
    }
    let missing = modelens(&["manual", "--out", text(&folder.path().join("no/folder"))]);
    assert_eq!(missing.status.code(), Some(1));
}
