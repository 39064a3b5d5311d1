"""``run``: one pass in one mode, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ._binary import call, options
from ._models import ModelFile, as_input

Array = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class BatchNorm:
    """The statistics of a BatchNorm layer after a pass, one value per channel."""

    #: The moving mean that follows this pass.
    mean: Array
    #: The moving variance that follows this pass.
    variance: Array
    #: Mean and variance of this batch; ``None`` where the layer used its moving statistics.
    batch_mean: Array | None = None
    batch_variance: Array | None = None


@dataclass(frozen=True)
class Run:
    """What a pass computed. Arrays are channels last for Keras and channels first for PyTorch."""

    #: The output.
    y: Array
    #: The outputs of the layers that were asked for, by name.
    taps: dict[str, Array] = field(default_factory=dict)
    #: The statistics of every BatchNorm layer, by name.
    batch_norm: dict[str, BatchNorm] = field(default_factory=dict)
    #: The names of the photos, row by row; empty for arrays.
    photos: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        taps = ", ".join(f"{name} {array.shape}" for name, array in self.taps.items())
        parts = [f"y {self.y.shape}", f"{len(self.batch_norm)} BatchNorm layers"]
        return f"Run({', '.join(parts)}{f'; taps {taps}' if taps else ''})"


def run(
    model: object,
    x: object,
    training: bool | None = True,
    taps: Sequence[str] = (),
    *,
    input_shape: Sequence[int] | None = None,
    **settings: object,
) -> Run:
    """Sends photos or an array through a model, in one mode. The model itself never changes.

    Args:
        model: see the package; ``None`` is the bundled network.
        x: an array as the network takes it (``[N, H, W, C]``; for a PyTorch module ``[N, C, H, W]``), or the path of
            photos.
        training: what the outermost call says: True, False, or ``None`` for nothing, as in ``model(x)``.
        taps: names of layers whose outputs are wanted.
        input_shape: of a PyTorch module, if ``x`` is a path: the shape of one image.
        **settings: the options of ``modelens run``, with ``_`` for ``-``: ``trainable="none"``, ``no_random=True``,
            ``semantics="keras3"``, ``recorded="false"``, ``modules="base.eval"``, ``seed=7``, ``batch=8`` ...

    Raises:
        ModelensError: the model or ``x`` cannot be read, or they do not fit.
    """
    example = None if isinstance(x, (str, Path)) else x
    with ModelFile(model, x=example, input_shape=input_shape) as file:
        return run_file(file, x, training, taps, settings)


def run_file(
    file: ModelFile, x: object, training: bool | None, taps: Sequence[str], settings: dict[str, object]
) -> Run:
    """Runs a model that is a file already."""
    out = file.folder() / "out.npz"
    mode = {True: "training", False: "inference", None: "absent"}[training]
    given = as_input(x, file.folder(), file.kind)
    chosen = options({**settings, "mode": mode, "input": given, "tap": list(taps), "out": str(out)})
    call(["run", *file.arguments(), *chosen])
    with np.load(out) as arrays:
        found = {name: arrays[name] for name in arrays.files}
    statistics: dict[str, dict[str, Array]] = {}
    for key, array in found.items():
        if key.startswith("bn/"):
            layer, what = key.removeprefix("bn/").rsplit("/", 1)
            statistics.setdefault(layer, {})[what] = array
    return Run(
        y=found["y"],
        taps={key.removeprefix("tap/"): array for key, array in found.items() if key.startswith("tap/")},
        batch_norm={layer: BatchNorm(**parts) for layer, parts in statistics.items()},
        photos=[str(name) for name in found.get("photos", [])],
    )
