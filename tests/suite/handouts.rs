//! `modelens handout`: a whole lesson as HTML or PDF.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::files::fixture;
use crate::support::program::{modelens, succeeds, text};

const LESSON: &str = r#"
lesson = 1
title = "Small & <plain>"
model = "model.h5"
batch = 2

[[step]]
title = "One"
view = "batchnorm"
text = "It subtracts **{used_mean}**, not {moving_mean}."
notes = "Say it slowly."
[step.predict]
text = "Which mean does it subtract?"
choices = [
    { text = "that of the batch", right = true, expect = ["uses_batch = 1"] },
    { text = "that of the file", expect = ["uses_batch = 0"] },
]
answer = "Because of `training=True`."

[[step]]
title = "The same view again"
view = "batchnorm"
text = "- a list\n- of two"
[step.question]
text = "And now?"
answer = "The same."
"#;

fn lesson(folder: &Path, text: &str) -> String {
    std::fs::copy(fixture("bnnet_keras3/model.h5"), folder.join("model.h5")).expect("a copy");
    let path = folder.join("lesson.toml");
    std::fs::write(&path, text).expect("a file");
    path.to_str().expect("UTF-8").to_owned()
}

fn written(lesson: &str, out: &Path, more: &[&str]) -> Vec<u8> {
    succeeds(&[&["handout", lesson, "--out", text(out)], more].concat());
    std::fs::read(out).expect("the handout")
}

#[test]
fn html_holds_figures_texts_and_questions_with_the_answers_at_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let lesson = lesson(folder.path(), LESSON);
    let out = folder.path().join("h.html");
    let bytes = written(&lesson, &out, &[]);
    assert!(bytes == written(&lesson, &folder.path().join("again.html"), &[]));
    let html = String::from_utf8(bytes).expect("UTF-8");
    assert!(html.contains("<h1>Small &amp; &lt;plain&gt;</h1>"));
    assert_eq!(html.matches("<svg").count(), 2);
    assert!(html.contains("<li>that of the batch</li>") && html.contains("<li>of two</li>"));
    // The answers come after every question and figure.
    let answers = html.find("id=\"answers\"").expect("answers");
    for answer in [
        "Because of <code>training=True</code>.",
        "The same.",
        "A. that of the batch",
    ] {
        assert!(html.find(answer).is_some_and(|at| at > answers), "{answer}");
    }
    assert!(html.rfind("<svg").is_some_and(|at| at < answers));
    assert!(
        !html.contains(['{', '\u{2026}']) || html.contains("{color-scheme"),
        "a value is missing"
    );
    assert!(
        !html.contains("Say it slowly."),
        "notes are left out unless they are asked for"
    );
    // Both steps show the same picture, and still no id is there twice.
    let mut ids = BTreeSet::new();
    for id in html.split(" id=\"").skip(1) {
        let id = id.split('"').next().unwrap_or_default();
        assert!(ids.insert(id.to_owned()), "{id} is there twice");
    }
    assert!(ids.len() > 4);
    // Nothing is fetched.
    assert!(!html.contains("src=\"http") && !html.contains("<script"));
    let notes = written(&lesson, &out, &["--notes"]);
    assert!(
        String::from_utf8(notes)
            .expect("UTF-8")
            .contains("Say it slowly.")
    );
}

#[test]
fn pdf_has_pages_and_the_same_bytes_every_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let lesson = lesson(folder.path(), LESSON);
    let [a, b] = ["a.pdf", "b.pdf"].map(|name| written(&lesson, &folder.path().join(name), &[]));
    assert!(a == b, "the same lesson, the same bytes");
    assert!(a.starts_with(b"%PDF-1.") && a.len() > 20_000);
    let said = String::from_utf8_lossy(&a);
    assert!(
        said.matches("/Type /Page\n").count() + said.matches("/Type/Page/").count() >= 2
            || a.len() > 20_000
    );
    assert!(
        said.contains("/FontFile") || said.contains("/ToUnicode"),
        "text stays text"
    );
}

#[test]
fn what_cannot_be_written_is_refused_before_anything_is_computed() {
    let folder = tempfile::tempdir().expect("a folder");
    let lesson = lesson(folder.path(), LESSON);
    let at = |name: &str| folder.path().join(name).display().to_string();
    let same = at("lesson.html");
    std::fs::rename(&lesson, &same).expect("another name");
    std::fs::write(&lesson, LESSON).expect("a file");
    let cases = [
        (
            vec!["handout", &lesson, "--out", "x.txt"],
            2,
            ".html or .pdf",
        ),
        (vec!["handout", &lesson], 2, "--out"),
        (
            vec!["handout", "no-such-lesson", "--out", "x.html"],
            1,
            "the bundled lessons are",
        ),
        (
            vec!["handout", &same, "--out", &same],
            2,
            "would replace the lesson",
        ),
    ];
    for (arguments, status, word) in cases {
        let done = modelens(&arguments);
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(status), "{said}");
        assert!(said.contains(word), "{said}");
    }
    let missing = at("new/h.html");
    let done = modelens(&["handout", &lesson, "--out", &missing]);
    assert_eq!(done.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&done.stderr).contains("--make-folders"));
}
