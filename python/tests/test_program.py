"""The commands of the program as functions."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import modelens_notebook as ml
from modelens_notebook import _link
from modelens_notebook._binary import binary, options
from modelens_notebook._models import ending_of


def test_a_run_returns_what_keras_computed(keras_file: Path, numbers: dict[str, np.ndarray]) -> None:
    taps = sorted({key.split("/")[1] for key in numbers if key.startswith("tap/")})
    for training, mode in ((True, "training"), (False, "inference")):
        done = ml.run(keras_file, numbers["x"], training, taps, no_random=True)
        np.testing.assert_allclose(done.y, numbers[f"y_{mode}"], rtol=1e-3, atol=1e-4)
        for tap in taps:
            np.testing.assert_allclose(done.taps[tap], numbers[f"tap/{tap}/{mode}"], rtol=1e-3, atol=1e-3)
        assert done.batch_norm
        for layer in done.batch_norm.values():
            assert (layer.batch_mean is None) == (not training)
    after = ml.run(keras_file, numbers["x"], True, no_random=True)
    for name, layer in after.batch_norm.items():
        np.testing.assert_allclose(layer.mean, numbers[f"bn/{name}/mean"], rtol=1e-4, atol=1e-5)


def test_the_bytes_of_a_file_are_a_model(keras_file: Path, numbers: dict[str, np.ndarray]) -> None:
    data = keras_file.read_bytes()
    assert ending_of(data) == ".keras"
    assert ending_of((keras_file.parent / "model.h5").read_bytes()) == ".h5"
    by_bytes = ml.run(data, numbers["x"], False)
    np.testing.assert_array_equal(by_bytes.y, ml.run(str(keras_file), numbers["x"], False).y)


def test_photos_have_names(keras_file: Path) -> None:
    photos = Path(__file__).resolve().parents[2] / "assets" / "photos" / "fish"
    done = ml.run(None, photos, False, batch=2)
    assert done.y.shape == (2, 4)
    assert len(done.photos) == 2


def test_an_inspection_is_data_and_prints_as_a_table(keras_file: Path) -> None:
    held = ml.inspect(keras_file)
    assert held.semantics == "keras3"
    assert held["format"] == "keras"
    assert sum(one.class_name == "BatchNormalization" for one in held.layers) == held["card"]["batch_norm"]["layers"]
    assert held.layer(held.layers[1].name) is held.layers[1]
    assert "parameters:" in repr(held) and held.layers[1].name in str(held)


def test_a_figure_has_svg_and_png(keras_file: Path, tmp_path: Path) -> None:
    drawn = ml.figure("batchnorm", keras_file, batch=4)
    bundle = drawn._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg") or "<svg" in bundle["image/svg+xml"][:200]
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    drawn.save(tmp_path / "a.svg")
    drawn.save(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == drawn.png
    assert ml.figure("batchnorm", keras_file, batch=4).svg == drawn.svg


def test_photos_may_be_arrays(keras_file: Path, numbers: dict[str, np.ndarray]) -> None:
    bytes_ = np.random.default_rng(0).integers(0, 255, (6, 20, 20, 3), dtype=np.uint8)
    first = ml.figure("batchnorm", keras_file, (bytes_, [0, 1, 0, 1, 0, 1]), batch=4)
    assert first.svg != ml.figure("batchnorm", keras_file, 255 - bytes_, batch=4).svg


def test_errors_are_the_programs_sentences(keras_file: Path, numbers: dict[str, np.ndarray], tmp_path: Path) -> None:
    for fails, sentence in [
        (lambda: ml.inspect(tmp_path / "none.h5"), "none.h5"),
        (lambda: ml.inspect(b"no model at all"), "model.onnx"),
        (lambda: ml.figure("nothing", keras_file), "no view `nothing`"),
        (lambda: ml.run(keras_file, numbers["x"][:, :3], True), "the model takes"),
        (lambda: ml.run(keras_file, numbers["x"], True, ["no_such_layer"]), "no_such_layer"),
        (lambda: ml.run(keras_file, "no/photos", True), "no/photos"),
        (lambda: ml.run(keras_file, [["a"]], True), "no array of numbers"),
        (lambda: ml.inspect(12), "this is no model"),
        (lambda: ml.inspect(None, labels=["a"]), "class names"),
        (lambda: ml.figure("predict", keras_file, batch="many"), "many"),
    ]:
        with pytest.raises(ml.ModelensError, match=sentence) as raised:
            fails()
        assert "\n" not in str(raised.value)


def test_settings_become_options_and_links() -> None:
    assert options({"no_random": True, "trainable": "-Conv1", "tap": ["a", "b"], "seed": None, "for_": "a4"}) == [
        "--no-random", "--trainable=-Conv1", "--tap=a", "--tap=b", "--for=a4",
    ]
    link = _link.write({"view": "batchnorm", "channel": 7, "hide": ["tabs"], "random": False, "trainable": "from:120,+a"})
    assert link == '#v1;view=batchnorm;channel=7;hide=["tabs"];random=false;trainable=from:120,%2Ba'
    assert _link.read("https://example.org/x#v1;view=dropout") == "#v1;view=dropout"
    with pytest.raises(ml.ModelensError, match="no state"):
        _link.read("view=dropout")
    told = "#v1;view=predict;model=http%3A%2F%2F127.0.0.1%3A1%2Ftoken%2Fview%2Fa%2Fmodel%2Fm.keras;batch=4"
    assert _link.without_files(told, "token") == "#v1;view=predict;batch=4"


def test_the_program_starts_under_the_packages_name() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "modelens_notebook", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("modelens ")
    assert Path(binary()).is_file()
