"""modelens in a notebook: what ``training=`` and ``trainable`` do inside your own network.

``show`` opens a model in the output cell, ``figure`` draws a view that stays in the notebook, ``run`` returns
arrays, ``inspect`` lists what a model holds, and ``check`` runs the installed framework beside the program.
Every model argument is a Keras model, a PyTorch module, an ONNX model, a path, the bytes of a file, or the name
of a bundled network; ``None`` means the bundled network of the course's lab.
"""

from ._binary import ModelensError, ModelensWarning
from ._check import Claim, Comparison, Check, check
from ._figure import Figure, figure
from ._inspect import Inspection, Layer, inspect
from ._run import BatchNorm, Run, run
from ._show import Widget, lesson, show

__all__ = [
    "BatchNorm",
    "Check",
    "Claim",
    "Comparison",
    "Figure",
    "Inspection",
    "Layer",
    "ModelensError",
    "ModelensWarning",
    "Run",
    "Widget",
    "check",
    "figure",
    "inspect",
    "lesson",
    "run",
    "show",
]
__version__ = "0.1.0"
