"""Where the web build is: the program as a page."""

from __future__ import annotations

import os
from pathlib import Path

from ._binary import ModelensError


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
