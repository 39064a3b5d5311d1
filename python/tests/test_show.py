"""The server of the output cells, without a browser."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest

import modelens_notebook as ml
from modelens_notebook import _inline, _web
from modelens_notebook._server import server


def get(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:
        return answer.read()


def test_a_widget_serves_its_model_and_the_program(keras_file: Path) -> None:
    photos = np.zeros((2, 8, 8, 3), np.uint8)
    widget = ml.show(keras_file, photos, view="batchnorm", labels=["a", "b"], channel=2)
    assert widget.how == "server" and widget.url and widget.url.startswith("http://127.0.0.1:")
    page = get(widget.url).decode()
    given = json.loads(page.split("const given = ")[1].split(";\n")[0])
    assert given["state"] == "#v1;view=batchnorm;channel=2" == widget.state
    assert given["model"] == ["model/model.keras", "model/labels.txt"]
    assert get(widget.url + "model/model.keras") == keras_file.read_bytes()
    assert get(widget.url + "model/labels.txt") == b"a\nb\n"
    assert get(widget.url + given["photos"][0]).startswith(b"PK")
    app = widget.url.split("/view/")[0] + "/app/"
    assert b"<canvas" in get(app)
    with urllib.request.urlopen(app + "modelens_web_bg.wasm") as wasm:
        assert wasm.headers["content-type"] == "application/wasm"


def test_a_widget_follows_what_the_page_tells() -> None:
    widget = ml.show(view="dropout")
    assert widget.url
    for message in (
        {"modelens": "state", "state": f"#v1;view=predict;model=http://x/{server().token}/m.h5;batch=4", "shareable": False},
        {"modelens": "failed", "text": "It failed."},
    ):
        request = urllib.request.Request(widget.url + "told", json.dumps(message).encode(), method="POST")
        urllib.request.urlopen(request).close()
    assert widget.state == "#v1;view=predict;batch=4"
    assert widget.failures == ["It failed."]
    again = ml.show(state=widget.state)
    assert again.state == widget.state


def test_the_server_serves_nothing_else(keras_file: Path) -> None:
    widget = ml.show(keras_file)
    assert widget.url
    root, end = widget.url.split("/view/")
    host = root.rsplit("/", 1)[0]
    for url in (
        host + "/",
        host + "/wrong-token/app/",
        root + "/app/../../etc/passwd",
        root + "/app/%2e%2e%2fpyproject.toml",
        root + "/view/nothing/",
        widget.url + "model/other.keras",
        widget.url + "..%2f..%2fx",
    ):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(url)


def test_what_cannot_be_shown_is_an_error(tmp_path: Path) -> None:
    for fails, sentence in [
        (lambda: ml.show(tmp_path / "no.h5"), "no such file"),
        (lambda: ml.show(tmp_path), "not folders"),
        (lambda: ml.show(None, tmp_path / "photos"), "no photos"),
        (lambda: ml.show(how="somehow"), "how is one of"),
        (lambda: ml.lesson(tmp_path / "no.toml"), "no such lesson"),
        (lambda: ml.show(state="view"), "no state"),
        (lambda: ml.show(view="dropuot"), "no view `dropuot`"),
        (lambda: ml.show(view="dropout", colour=3), "colour"),
        (lambda: ml.show(view="dropout", batch="many"), "batch"),
        (lambda: ml.lesson("no-such-lesson"), "no lesson `no-such-lesson`"),
        (lambda: ml.lesson("why-specify-twice", step=99), "steps"),
    ]:
        with pytest.raises(ml.ModelensError, match=sentence):
            fails()


def test_the_program_writes_the_networks_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "index.html").touch()
    monkeypatch.setenv("MODELENS_WEB", str(tmp_path))
    lab = _web.file("lab_mobilenetv2.keras")
    assert lab and lab.read_bytes().startswith(b"PK") and lab == _web.file("lab_mobilenetv2.keras")
    assert _web.file("other.keras") is None and _web.file("../index.html") is None


def test_an_inline_page_holds_the_program(keras_file: Path) -> None:
    text = _inline.document([keras_file], [], "#v1;view=dropout")
    assert text == _inline.document([keras_file], [], "#v1;view=dropout")
    assert '"given/model.keras"' in text and "modelens_web_bg.wasm" in text
    for placeholder in ("__FILES__", "__GIVEN__", "__DATA__", "__SCRIPTS__", "packedCheck"):
        assert placeholder not in text
    # What the scripts are searched for is in them.
    folder = _inline._web.folder()
    assert "new URL(address, import.meta.url)" in (folder / "fetched.js").read_text()
    assert '"./worker.js?model"' in (folder / "page.js").read_text()
    for name in ("page.js", "outside.js", "worker.js"):
        assert "location.search" in (folder / name).read_text()
