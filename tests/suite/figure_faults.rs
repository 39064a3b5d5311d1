//! Figures that cannot be drawn or written, or only with a warning.

use crate::figure::figure;
use crate::support::files::repository;
use crate::support::program::text;

#[test]
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn unusable_arguments_exit_with_2_and_files_with_1() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("a.svg");
    let out = text(&out);
    let nowhere = folder.path().join("nowhere/a.svg");
    let broken = folder.path().join("broken.h5");
    std::fs::write(&broken, "no model").expect("a file");
    let folder_name = folder.path().join("folder.png");
    std::fs::create_dir(&folder_name).expect("a folder");
    let cases: [(&[&str], i32, &str); 24] = [
        (&["--out", out], 2, "name a view"),
        (&["histogram", "--out", out], 2, "no view `histogram`"),
        (&["dropout"], 2, "--out"),
        (&["dropout", "--out", "a.bmp"], 2, ".svg, .png or .pdf"),
        (
            &["dropout", "--layer", "nothing", "--out", out],
            2,
            "no layer `nothing`",
        ),
        (
            &["dropout", "--layer", "bn_Conv1", "--out", out],
            2,
            "not a layer of the view",
        ),
        (
            &["dropout", "efficientnet_lite0", "--no-random", "--out", out],
            2,
            "--no-random",
        ),
        (
            &[
                "batchnorm",
                "--layer",
                "block_13_project_BN",
                "--channel",
                "161",
                "--batch",
                "1",
                "--out",
                out,
            ],
            2,
            "160 channels",
        ),
        (
            &["batchnorm", "--photo", "zebra", "--out", out],
            2,
            "--photo: there is no photo `zebra`",
        ),
        (
            &["batchnorm", "--size", "50x50", "--batch", "1", "--out", out],
            2,
            "50 x 50 points cannot hold this figure: it needs 392 x 994",
        ),
        (
            &["dropout", "--size", "99999x9", "--out", out],
            2,
            "16000 points",
        ),
        (&["dropout", "--size", "wide", "--out", out], 2, "WxH"),
        (
            &["dropout", "--width", "160cm", "--out", out],
            2,
            "100 to 16384 pixels wide",
        ),
        (
            &["dropout", "--width", "6ft", "--out", out],
            2,
            "mm, cm, in",
        ),
        (
            &["augmentation", "--width", "1px", "--out", out],
            2,
            "100 to 16384",
        ),
        (
            &["augmentation", "--scale", "0.001", "--out", out],
            2,
            "100 to 16384",
        ),
        (
            &["augmentation", "--dpi", "300", "--out", out],
            2,
            "on paper",
        ),
        (
            &[
                "augmentation",
                "--dpi",
                "300",
                "--width",
                "900px",
                "--out",
                out,
            ],
            2,
            "on paper",
        ),
        (&["dropout", "--channel", "3", "--out", out], 2, "batchnorm"),
        (
            &["augmentation", "--out", text(&folder_name)],
            2,
            "--out: it is a folder: FOLDER\n",
        ),
        (
            &["--all", text(&broken), "--batch", "1"],
            1,
            "it is a file, not a folder: BROKEN\n",
        ),
        (&["batchnorm", "--batch", "0", "--out", out], 2, "1 to 64"),
        (
            &["augmentation", "--out", text(&nowhere)],
            2,
            "add --make-folders",
        ),
        (
            &["augmentation", text(&broken), "--out", out],
            1,
            "broken.h5\n",
        ),
    ];
    for (args, status, word) in cases {
        let done = figure(args);
        let said = String::from_utf8_lossy(&done.stderr)
            .replace(text(&folder_name), "FOLDER")
            .replace(text(&broken), "BROKEN");
        let word = word.replace("broken.h5", "BROKEN");
        assert_eq!(done.status.code(), Some(status), "{args:?}: {said}");
        assert!(said.contains(&word), "{args:?}: {said}");
        assert!(
            status == 2 || (said.ends_with(&word) && said.lines().count() == 1),
            "{said}"
        );
    }
    let left = std::fs::read_dir(folder.path())
        .expect("the folder")
        .count();
    assert_eq!(left, 2, "nothing but the broken model and the folder");
}

#[test]
fn no_figure_is_left_if_a_file_beside_it_cannot_be_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("a.svg");
    std::fs::create_dir(folder.path().join("a.csv")).expect("a folder");
    let done = figure(&["augmentation", "--csv", "--sidecar", "--out", text(&out)]);
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{said}");
    assert!(
        said.contains("--csv: it is a folder") && said.contains("a.csv"),
        "{said}"
    );
    let left = std::fs::read_dir(folder.path())
        .expect("the folder")
        .count();
    assert_eq!(left, 1, "nothing but the folder");
}

/// A class name with letters that the bundled fonts lack.
#[test]
fn missing_letters_are_warned_about_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let photos = folder.path().join("photos");
    let bundled = repository("assets/photos/fish");
    for (class, photo) in [("猫", "fish1.webp"), ("plain", "fish2.webp")] {
        let to = photos.join(class);
        std::fs::create_dir_all(&to).expect("a folder");
        std::fs::copy(bundled.join(photo), to.join(photo)).expect("a photo");
    }
    let said = |name: &str, more: &[&str]| {
        let out = folder.path().join(name);
        let args = ["augmentation", "--input", text(&photos), "--caption"];
        let done = figure(&[&args, &["--photo", "猫", "--out", text(&out)], more].concat());
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{said}");
        said
    };
    for (name, more) in [("a.png", &[][..]), ("b.svg", &["--outline-text"])] {
        let said = said(name, more);
        assert_eq!(said.matches("warning: boxes").count(), 1, "{said}");
        assert!(
            said.contains("(猫)") && said.contains("an SVG without"),
            "{said}"
        );
    }
    assert_eq!(said("c.svg", &[]), "");
    let svg = std::fs::read_to_string(folder.path().join("c.svg")).expect("the figure");
    assert!(svg.contains('猫'), "the text is kept");
    // One warning covers all figures of a command.
    let all = folder.path().join("all");
    let done = figure(&[
        "--all",
        text(&all),
        "--format",
        "png",
        "--input",
        text(&photos),
        "--photo",
        "猫",
        "--batch",
        "2",
        "--caption",
    ]);
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    assert_eq!(said.matches("warning: boxes").count(), 1, "{said}");
}
