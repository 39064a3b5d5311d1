//! `modelens figure --from LESSON`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use crate::support::program::{modelens, succeeds, text};

fn figures(lesson: &str, out: &Path, more: &[&str]) -> Output {
    let arguments = ["figure", "--from", lesson, "--out", text(out)];
    modelens(&[&arguments, more].concat())
}

/// The files of a folder: bytes by name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("the folder");
    let file = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a name");
        (name, std::fs::read(entry.path()).expect("a file"))
    };
    entries.map(file).collect()
}

const LESSON: &str = "lesson = 1\ntitle = \"Mine\"\nbatch = 2\n\
    [[step]]\ntitle = \"Some units go\"\nview = \"dropout\"\nhide = [\"side-panel\"]\n\
    [[step]]\ntitle = \"Frozen?\"\nview = \"batchnorm\"\ntrainable = \"none\"\nchannel = 5\n\
    [[step]]\ntitle = \"Not frozen\"\nview = \"batchnorm\"\ntrainable = \"all\"\nchannel = 5\n";

fn lesson(folder: &Path, text: &str) -> String {
    let path = folder.join("lesson.toml");
    std::fs::write(&path, text).expect("a file");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn each_step_becomes_a_figure_with_the_same_bytes_every_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let lesson = lesson(folder.path(), LESSON);
    let more = ["--sidecar", "--theme", "dark"];
    let [a, b] = ["new/a", "b"].map(|name| {
        let out = folder.path().join(name);
        let done = figures(&lesson, &out, &more);
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{said}");
        files(&out)
    });
    let names: Vec<&str> = a.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "01-some-units-go.svg",
            "01-some-units-go.svg.json",
            "02-frozen.svg",
            "02-frozen.svg.json",
            "03-not-frozen.svg",
            "03-not-frozen.svg.json",
        ]
    );
    for (name, bytes) in &a {
        // The command names the folder.
        assert!(name.ends_with("json") || b[name] == *bytes, "{name}");
    }
    assert!(a["02-frozen.svg"] != a["03-not-frozen.svg"]);
    let sidecar: serde_json::Value =
        serde_json::from_slice(&a["02-frozen.svg.json"]).expect("JSON");
    assert_eq!(sidecar["step"], "Frozen?");
    assert_eq!(sidecar["channel"], 5);
    assert_eq!(sidecar["trainable"]["flags"], "none");
    assert_eq!(sidecar["batch"].as_array().map(Vec::len), Some(2));
}

/// The figure of a step equals the figure of its view with the same settings.
#[test]
fn a_step_equals_the_figure_of_its_view() {
    let folder = tempfile::tempdir().expect("a folder");
    let lesson = lesson(folder.path(), LESSON);
    let out = folder.path().join("figures");
    let more = ["--caption", "--semantics", "pytorch", "--csv"];
    assert!(figures(&lesson, &out, &more).status.success());
    let one = folder.path().join("one.svg");
    let view = "figure batchnorm --batch 2 --trainable none --channel 5 --csv";
    let view: Vec<&str> = view.split(' ').collect();
    let more = ["--caption", "--semantics", "pytorch", "--out", text(&one)];
    succeeds(&[&view[..], &more].concat());
    let step = files(&out);
    for end in ["svg", "csv"] {
        let one = std::fs::read(one.with_extension(end)).expect("a figure");
        assert!(step[&format!("02-frozen.{end}")] == one, "{end}");
    }
}

/// If a measured value contradicts an expectation of the step, the command warns.
#[test]
fn a_step_whose_expectations_fail_gives_a_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    let step = LESSON.split("[[step]]").nth(1).expect("a step");
    let start = LESSON.split("[[step]]").next().expect("a head");
    let claims = ["units > 0", "units = 3"];
    let claimed = |claims: &[&str]| format!("{start}[[step]]{step}expect = {claims:?}\n");
    let false_claims = lesson(folder.path(), &claimed(&claims));
    let out = folder.path().join("figures");
    let done = figures(&false_claims, &out, &[]);
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    assert_eq!(files(&out).len(), 1);
    let line = "warning: step 1, Some units go: this text expects units = 3; measured: 1280";
    assert_eq!(said.trim(), line);
    let done = figures(&lesson(folder.path(), &claimed(&claims[..1])), &out, &[]);
    assert!(done.status.success() && done.stderr.is_empty());
}

#[test]
fn a_bundled_lesson_is_named_by_its_title() {
    let folder = tempfile::tempdir().expect("a folder");
    let more = ["--format", "png", "--width", "300px"];
    let done = figures("nine-identical-images", folder.path(), &more);
    assert!(done.status.success());
    let files = files(folder.path());
    let lesson =
        modelens::lesson::open_bundled(1, &modelens::views::values::names()).expect("a lesson");
    assert_eq!(files.len(), lesson.steps.len());
    assert!(files.values().all(|bytes| bytes.starts_with(b"\x89PNG")));
}

#[test]
fn a_failure_leaves_no_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let broken = lesson(
        folder.path(),
        &format!("{LESSON}layer = \"no_such_layer\"\n"),
    );
    let out = folder.path().join("figures");
    let cases: [(&str, &[&str], i32, &str); 5] = [
        (&broken, &[], 1, "step 3"),
        ("no-such-lesson", &[], 1, "why-specify-twice"),
        (&broken, &["--seed", "3"], 2, "--seed"),
        (&broken, &["--all", "x"], 2, "--all"),
        (
            &broken,
            &["--format", "png", "--outline-text"],
            2,
            "--outline-text",
        ),
    ];
    for (lesson, more, status, word) in cases {
        let done = figures(lesson, &out, more);
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(status), "{said}");
        assert!(said.contains(word), "{said}");
        assert!(!out.exists(), "{said}");
    }
}
