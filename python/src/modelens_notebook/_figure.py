"""``figure``: a view as a picture that stays in the notebook."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ._binary import call, options
from ._models import ModelFile, as_photos


#: The width of a figure in a notebook, which shows it in its own size.
WIDTH = "860px"


class Figure:
    """A view of the program as a picture.

    A notebook shows it as SVG; PNG goes beside it for what reads no SVG, such as LaTeX.

    Attributes:
        svg: the picture as SVG, letters drawn as outlines, so that it looks the same without the fonts.
        png: the same as PNG, two pixels per point.
    """

    def __init__(self, svg: str, png: bytes, text: str) -> None:
        self.svg = svg
        self.png = png
        self._text = text

    def save(self, path: str | Path) -> None:
        """Writes the picture; ``path`` ends in ``.svg`` or ``.png``."""
        path = Path(path)
        ending = path.suffix.lower()
        if ending == ".svg":
            path.write_text(self.svg, encoding="utf-8")
        elif ending == ".png":
            path.write_bytes(self.png)
        else:
            raise ValueError("a figure is saved as .svg or .png")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {
            "image/svg+xml": self.svg,
            "image/png": base64.b64encode(self.png).decode(),
            "text/plain": repr(self),
        }

    def __repr__(self) -> str:
        return self._text


def figure(
    view: str,
    model: object = None,
    photos: object = None,
    *,
    labels: Sequence[str] | None = None,
    input_shape: Sequence[int] | None = None,
    **settings: object,
) -> Figure:
    """Draws a view of a model.

    Args:
        view: ``start``, ``augmentation``, ``dropout``, ``batchnorm``, ``trainable``, ``finetune``, ``predict`` or
            ``releases``.
        model: see the package; ``None`` is the bundled network.
        photos: a path, an array ``[N, H, W, C]``, a pair of an array and labels, or a list of photo files; ``None``
            means the bundled photos.
        labels: names of the classes, in the order of the outputs.
        input_shape: of a PyTorch module: the shape of one image, such as ``(3, 224, 224)``.
        **settings: the options of ``modelens figure``, with ``_`` for ``-``: ``trainable="none"``, ``channel=7``,
            ``semantics="keras3"``, ``theme="auto"``, ``caption=True``, ``seed=7``, ``batch=8`` ...

    Raises:
        ModelensError: the model or the photos cannot be opened, or the view cannot be drawn.
    """
    if settings.get("caption") in (True, False):
        settings["caption"] = "on" if settings["caption"] else "off"
    with tempfile.TemporaryDirectory(prefix="modelens-") as name, ModelFile(
        model, labels=labels, input_shape=input_shape
    ) as file:
        folder = Path(name)
        given = as_photos(photos, folder)
        command = ["figure", view, *file.arguments()]
        chosen = {**settings, "input": given}
        # Only an SVG follows the theme of a page.
        pixels = {**chosen, "theme": "light"} if settings.get("theme") == "auto" else chosen
        svg, png = folder / "figure.svg", folder / "figure.png"
        sized = bool({"scale", "width", "for_"} & settings.keys())
        call([*command, *options(chosen), "--outline-text", *([] if sized else ["--width", WIDTH]), "--out", svg])
        call([*command, *options(pixels), *([] if sized else ["--scale", "2"]), "--out", png])
        said = f"modelens figure: {view}" + (f" ({settings})" if settings else "")
        return Figure(svg.read_text(encoding="utf-8"), png.read_bytes(), said)
