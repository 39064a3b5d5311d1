"""What the tests share: small models, and the program that they run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

FIXTURES = Path(__file__).resolve().parents[2] / "tests" / "fixtures" / "golden"


@pytest.fixture
def keras_file() -> Path:
    """A small network with BatchNorm and dropout, saved by Keras 3."""
    return FIXTURES / "bnnet_keras3" / "model.keras"


@pytest.fixture
def numbers() -> dict[str, np.ndarray]:
    """What Keras computed with that network."""
    with np.load(FIXTURES / "bnnet_keras3" / "io.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}
