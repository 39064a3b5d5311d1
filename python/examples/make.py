"""Writes the example notebooks: their cells are here, where they are easy to read and to review.

usage: python make.py [--check]   --check: fails if a notebook is not what the cells here give
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

COURSE_LAB = [
    """# Already frozen: why also `training=False`?

The transfer-learning lab freezes its base with `base_model.trainable = False` and still calls it with
`training=False`. Are both needed? This notebook builds the lab's model and asks Keras itself.""",
    '''import keras
import numpy as np
import modelens_notebook as modelens

keras.utils.set_random_seed(7)
SIZE = (96, 96, 3)
random = np.random.default_rng(7)
photos = random.uniform(0, 255, (8, *SIZE)).astype("float32")
# weights="imagenet" downloads the lab's weights. Random ones show the same rules, once the moving statistics are
# those of some other batch: with momentum 0 one pass stores them.
base = keras.applications.MobileNetV2(input_shape=SIZE, include_top=False, weights=None, alpha=0.35)
norms = [layer for layer in base.layers if isinstance(layer, keras.layers.BatchNormalization)]
momentum = [layer.momentum for layer in norms]
for layer in norms:
    layer.momentum = 0.0
base(random.uniform(-0.8, 0.9, photos.shape), training=True)
for layer, kept in zip(norms, momentum):
    layer.momentum = kept
base.trainable = False

inputs = keras.Input(SIZE)
x = keras.layers.RandomFlip("horizontal")(inputs)
x = keras.layers.RandomRotation(0.2)(x)
x = keras.layers.Rescaling(1 / 127.5, offset=-1)(x)
x = base(x, training=False)
x = keras.layers.GlobalAveragePooling2D()(x)
x = keras.layers.Dropout(0.2)(x)
model = keras.Model(inputs, keras.layers.Dense(1)(x))''',
    "What the file would hold, and what each release of Keras does with it:",
    "modelens.inspect(model)",
    """## Frozen

`trainable=False` alone already makes BatchNorm use its moving statistics, with `training=True` too. `check` runs the
Keras that is installed here beside the program and says whether each sentence holds.""",
    """frozen = modelens.check(model, photos)
assert frozen.holds
frozen""",
    """So while the base is frozen, `training=False` changes nothing in its BatchNorm layers.

## Unfrozen for fine-tuning

Now the second step of the lab: the base is unfrozen. `training=False` is still recorded at its call. Does it protect
the moving statistics in `fit`? That depends on the release.""",
    """base.trainable = True
open_base = modelens.check(model, photos)
assert open_base.holds
open_base""",
    """Keras 3 up to 3.15 overrides the recorded value: `fit` passes `training=True`, so the BatchNorm layers of an open
base normalise with the batch and their statistics move. Keras 2 and 3.16 obey it. Only `trainable=False` on the
BatchNorm layers protects them everywhere.""",
    """after = modelens.run(model, photos, training=True, no_random=True)
before = modelens.run(model, photos, training=False)
moved = sum(not np.array_equal(after.batch_norm[name].mean, before.batch_norm[name].mean) for name in before.batch_norm)
print(f"{moved} of {len(before.batch_norm)} BatchNorm layers would move their statistics in fit")""",
    "One layer, both modes, the same photos:",
    'modelens.figure("batchnorm", model, photos, layer="Conv_1_bn", channel=3, batch=8)',
    "And the whole program, with this model, in the cell:",
    """window = modelens.show(model, photos, view="batchnorm", batch=8)
window.state""",
]

PYTORCH = [
    """# PyTorch's transfer-learning tutorial: frozen, and still moving

The tutorial *Transfer Learning for Computer Vision* freezes a ResNet with `requires_grad = False` and calls
`model.train()` in every epoch. What do the frozen BatchNorm layers do?""",
    """import numpy as np
import torch
import torchvision
import modelens_notebook as modelens

torch.manual_seed(7)
# weights="IMAGENET1K_V1" in the tutorial; random weights show the same rules without a download.
model = torchvision.models.resnet18(weights=None)
for parameter in model.parameters():
    parameter.requires_grad = False
model.fc = torch.nn.Linear(model.fc.in_features, 2)

photos = np.random.default_rng(7).normal(size=(8, 3, 64, 64)).astype("float32")
with torch.no_grad():
    # Moving statistics as after some training.
    for _ in range(20):
        model.train()(torch.randn(8, 3, 64, 64) + 0.2)""",
    "What an exported program of this module holds:",
    """held = modelens.inspect(model, input_shape=(3, 64, 64))
print(held.total_params, "parameters,", held.trainable_params, "of them trainable")""",
    """The proof, in both modes, with the PyTorch that is installed here: `requires_grad=False` stops an optimizer, and
`model.train()` still moves the statistics of every frozen BatchNorm layer.""",
    """result = modelens.check(model, photos)
assert result.holds
result""",
    """The remedy is `.eval()` on those modules after each `model.train()`. With the program's rules:""",
    """tutorial = modelens.run(model, photos, training=True)
remedy = modelens.run(model, photos, training=True, modules="batchnorm.eval")
still = modelens.run(model, photos, training=False)
for name, done in (("model.train()", tutorial), ("then .eval() on BatchNorm", remedy)):
    moved = sum(not np.array_equal(done.batch_norm[key].mean, still.batch_norm[key].mean) for key in still.batch_norm)
    print(f"{name}: the statistics of {moved} of {len(still.batch_norm)} BatchNorm layers move")""",
    'modelens.figure("batchnorm", model, photos, input_shape=(3, 64, 64), layer="bn1", channel=3, batch=8)',
    """window = modelens.show(model, photos, view="batchnorm", input_shape=(3, 64, 64), batch=8)
window.state""",
]


def cell(number: int, text: str) -> dict[str, object]:
    """A cell of text if it begins with a capital letter or a title, else of code."""
    lines = text.splitlines(keepends=True)
    prose = text[0].isupper() or text[0] == "#"
    common: dict[str, object] = {"id": f"cell-{number:02}", "metadata": {}, "source": lines}
    if prose:
        return {"cell_type": "markdown", **common}
    return {"cell_type": "code", "execution_count": None, "outputs": [], **common}


def main() -> None:
    """Writes both notebooks beside this file."""
    for name, cells in (("course_lab.ipynb", COURSE_LAB), ("pytorch_tutorial.ipynb", PYTORCH)):
        notebook = {
            "cells": [cell(number, text) for number, text in enumerate(cells)],
            "metadata": {
                "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
                "language_info": {"name": "python"},
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        path = Path(__file__).with_name(name)
        text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != text:
            sys.exit(f"{name} is not what make.py writes: run it")


if __name__ == "__main__":
    main()
