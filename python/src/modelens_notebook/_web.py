"""The web build: the program as a page."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import threading
from pathlib import Path

from ._binary import ModelensError, call

#: The networks of the page, by file. The wheel has them once, in the program.
NETWORKS = {"lab_mobilenetv2.keras": "lab_mobilenetv2", "efficientnet_lite0.safetensors": "efficientnet_lite0"}


def folder() -> Path:
    """Returns the folder of the web build.

    It is the one that ``MODELENS_WEB`` names, else the one in this package, else ``web/dist`` of a source tree.
    """
    named = os.environ.get("MODELENS_WEB")
    here = Path(__file__).resolve()
    for one in [Path(named)] if named else [here.parent / "web", here.parents[3] / "web" / "dist"]:
        if (one / "index.html").is_file():
            return one
    raise ModelensError(
        f"MODELENS_WEB names no web build: {named}"
        if named
        else "the web build is missing from this installation: install the wheel of modelens-notebook again"
    )


_written: dict[str, Path] = {}
_writing = threading.Lock()


def file(name: str) -> Path | None:
    """Returns a file of the web build; ``None`` if it has none of this name.

    A network that is not beside the page is written by the program into a temporary folder, once in this process.
    """
    # Names alone: nothing leads out of the folder.
    known = {one.name: one for one in folder().iterdir() if one.is_file()}
    if name in known or name not in NETWORKS:
        return known.get(name)
    with _writing:
        if name not in _written:
            out = Path(tempfile.mkdtemp(prefix="modelens-")) / name
            atexit.register(shutil.rmtree, out.parent, ignore_errors=True)
            call(["bundled", NETWORKS[name], "--out", out])
            _written[name] = out
    return _written[name]
