//! State dicts in the three formats that PyTorch writes, compared with PyTorch
//! (`tests/fixtures/generators/make_pytorch_small.py`).

use std::path::PathBuf;

use modelens::model::{Mode, Semantics};
use modelens::worker::ModelSource;

use crate::support::files::{folder, read_npz, refused, repository, write};
use crate::support::models::{opened, pass};
use crate::support::numbers::{assert_close, values};

/// The three files of the narrow residual network.
pub const FILES: [&str; 3] = ["small.safetensors", "small.pth", "small_old.pt"];

pub fn file(name: &str) -> PathBuf {
    repository("tests/fixtures/pytorch").join(name)
}

#[test]
fn every_format_computes_what_pytorch_computes() {
    let io = read_npz(&file("io.npz"));
    for name in FILES {
        let model = opened(&ModelSource::File(file(name)));
        assert_eq!(model.semantics, Semantics::PyTorch);
        assert!(model.warnings.is_empty(), "{:?}", model.warnings);
        for (mode, key) in [
            (Mode::Inference, "y_inference"),
            (Mode::Training, "y_training"),
        ] {
            let pass = pass(&model, &io["x"], mode);
            let what = format!("{name} {mode:?}");
            assert_close(&values(&pass.output), &values(&io[key]), &what);
            if mode == Mode::Training {
                assert_eq!(pass.batch_norm.len(), 12, "{name}");
                for (&layer, done) in &pass.batch_norm {
                    let of = |part: &str| {
                        values(&io[&format!("bn/{}/{part}", model.graph.layers[layer].name)])
                    };
                    assert_close(&done.next.mean, &of("mean"), &what);
                    assert_close(&done.next.variance, &of("variance"), &what);
                }
            }
        }
    }
}

#[test]
fn pickles_that_call_functions_are_not_executed() {
    let folder = folder();
    let mark = folder.path().join("called");
    // os.system("touch ..."), as the first value of a file in the older format.
    let command = format!("touch {}", mark.display());
    let mut call = b"\x80\x02cos\nsystem\nX".to_vec();
    call.extend((command.len() as u32).to_le_bytes());
    call.extend(command.as_bytes());
    call.extend(b"\x85R.");
    let old = std::fs::read(file("small_old.pt")).expect("the fixture");
    // The number at the start is a separate pickle of 15 bytes.
    let bytes = [&old[..15], &call, &call, &call, &call].concat();
    let text = refused(&write(&folder, "calls.pt", &bytes));
    assert!(
        text.contains("broken") || text.contains("not a state dict"),
        "{text}"
    );
    let text = refused(&write(&folder, "plain.pkl", &call));
    assert!(text.contains("not one that torch.save wrote"), "{text}");
    assert!(!mark.exists(), "nothing was called");
}

#[test]
fn cut_files_are_refused() {
    let folder = folder();
    for name in FILES {
        let bytes = std::fs::read(file(name)).expect("the fixture");
        for part in 0..40 {
            refused(&write(&folder, name, &bytes[..bytes.len() * part / 40]));
        }
    }
}
