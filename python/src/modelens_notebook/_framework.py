"""What ``check`` asks of an installed framework."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ._binary import ModelensError

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Statistics:
    """The moving statistics of a BatchNorm layer after a pass, and what the layer did in it."""

    mean: Array
    variance: Array
    moved: bool
    #: Whether its output is that of the batch's statistics rather than of the moving ones; ``None`` if both are
    #: the same, so that nothing shows it.
    used_batch: bool | None


@dataclass(frozen=True)
class Pass:
    """What the framework computed."""

    y: Array
    taps: dict[str, Array] = field(default_factory=dict)
    statistics: dict[str, Statistics] = field(default_factory=dict)


class Framework(Protocol):
    """A framework that runs a model; the model is afterwards as before."""

    #: Its name and version.
    label: str
    #: The rules that the program applies to it.
    rules: str
    #: The code that freezes.
    freezing: str
    #: The calls that differ: True, False, and ``None`` where the argument may be left out.
    calls: tuple[bool | None, ...]

    def call_of(self, training: bool | None) -> str:
        """The code that chooses a mode."""

    def parameters(self) -> tuple[int, int]:
        """Number of all parameters, and of those that an optimizer may change."""

    def batch_norms(self) -> list[str]:
        """The names of the BatchNorm layers."""

    def run(
        self, batch: Array, training: bool | None, *, random: bool, taps: Sequence[str] = (), frozen: bool = False
    ) -> Pass:
        """One pass; without ``random``, dropout, noise and augmentation pass their input on."""

    def draws(self, batch: Array, training: bool | None) -> dict[str, dict[str, bool]]:
        """Whether each layer of the kinds ``augmentation`` and ``noise`` changes its input."""


def check_taps(taps: Sequence[str], known: Collection[str]) -> None:
    """Refuses the name of a layer that the model does not have."""
    for name in taps:
        if name not in known:
            raise ModelensError(f"the model has no layer {name}")


def normalised_with_batch(
    x: Array, y: Array, axis: int, mean: Array, variance: Array, epsilon: float, scale: Array | None, shift: Array | None
) -> bool | None:
    """Whether ``y`` is ``x`` normalised with its own statistics rather than with ``mean`` and ``variance``.

    ``None`` if both give ``y``, to the accuracy of float32.

    ``y = scale * (x - m) / sqrt(v + epsilon) + shift``, per channel of ``axis``.
    """
    channels = [1] * x.ndim
    channels[axis] = x.shape[axis]
    others = tuple(one for one in range(x.ndim) if one != axis % x.ndim)

    def distance(m: Array, v: Array) -> float:
        out = (x - m.reshape(channels)) / np.sqrt(v.reshape(channels) + epsilon)
        if scale is not None:
            out = out * scale.reshape(channels)
        if shift is not None:
            out = out + shift.reshape(channels)
        return float(np.max(np.abs(out - y)))

    own = distance(np.asarray(np.mean(x, others, dtype=np.float64)), np.asarray(np.var(x, others, dtype=np.float64)))
    stored = distance(mean, variance)
    return None if max(own, stored) <= 1e-4 * float(np.max(np.abs(y))) else own < stored
