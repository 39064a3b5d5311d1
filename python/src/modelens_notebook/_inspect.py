"""``inspect``: what a model holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ._binary import call, options
from ._models import ModelFile


@dataclass(frozen=True)
class Layer:
    """A layer of a model, nested models listed before what is in them."""

    name: str
    class_name: str
    trainable: bool
    params: int
    #: The ``training=`` value recorded at its call in the file.
    recorded_training: bool | None
    #: Who wrote that value: ``person`` or ``saver``.
    recorded_by: str | None
    #: The shape of its output, ``None`` for an open axis; ``None`` in place of all where the file does not tell it.
    output_shape: tuple[int | None, ...] | None
    #: Everything that the program says of the layer.
    data: Mapping[str, Any] = field(repr=False, default_factory=dict)


class Inspection(Mapping[str, Any]):
    """What ``modelens inspect --json`` says, as a mapping; printed, it is the program's table."""

    def __init__(self, data: Mapping[str, Any], table: str) -> None:
        self.data = dict(data)
        self.table = table
        #: The layers, depth-first.
        self.layers = [
            Layer(
                name=one["name"],
                class_name=one["class"],
                trainable=one["trainable"],
                params=one["params"],
                recorded_training=one.get("recorded_training"),
                recorded_by=one.get("recorded_by"),
                output_shape=tuple(shape) if (shape := one.get("output_shape")) is not None else None,
                data=one,
            )
            for one in data["layers"]
        ]

    @property
    def semantics(self) -> str:
        """The rules that hold for the file: ``keras2``, ``keras3``, ``keras3.16`` or ``pytorch``."""
        return str(self.data["semantics"])

    @property
    def total_params(self) -> int:
        """Number of parameters."""
        return int(self.data["total_params"])

    @property
    def trainable_params(self) -> int:
        """Number of parameters that an optimizer may change."""
        return int(self.data["trainable_params"])

    def layer(self, name: str) -> Layer:
        """The first layer of this name."""
        for one in self.layers:
            if one.name == name:
                return one
        raise KeyError(name)

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def __str__(self) -> str:
        return self.table

    __repr__ = __str__


def inspect(
    model: object = None,
    *,
    labels: Sequence[str] | None = None,
    input_shape: Sequence[int] | None = None,
    **settings: object,
) -> Inspection:
    """Lists the layers of a model, what is recorded in it, and what each release does with it.

    Args:
        model: see the package; ``None`` is the bundled network.
        labels: names of the classes, in the order of the outputs.
        input_shape: of a PyTorch module: the shape of one image.
        **settings: the options of ``modelens inspect``, with ``_`` for ``-``.

    Raises:
        ModelensError: the model cannot be opened.
    """
    with ModelFile(model, labels=labels, input_shape=input_shape) as file:
        return inspect_file(file, settings)


def inspect_file(file: ModelFile, settings: dict[str, object]) -> Inspection:
    """Inspects a model that is a file already."""
    arguments = ["inspect", *file.arguments(), *options(settings)]
    data = json.loads(call([*arguments, "--json"]))
    return Inspection(data, call(arguments).rstrip("\n"))
