"""Keras 2 and 3 beside the program."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from ._binary import ModelensError
from ._framework import Array, Pass, Statistics, check_taps, normalised_with_batch

NOISE = frozenset(
    ["Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout", "GaussianDropout", "GaussianNoise"]
)
#: Random preprocessing layers whose names do not begin with "Random".
AUGMENTATION = frozenset(["RandAugment", "AugMix", "MixUp", "CutMix", "Mosaic"])
#: Passes in which a layer that draws has changed its input.
TRIES = 4


class Keras:
    """A Keras model, run by the Keras that made it."""

    freezing = "trainable=False"
    calls: tuple[bool | None, ...] = (True, False, None)

    def __init__(self, model: Any, kind: str) -> None:
        self._model = model
        version = _version(model, kind)
        major, minor = (int(part) for part in version.split(".")[:2])
        self.label = f"Keras {version}" if kind == "keras" else f"Keras {version} (tf_keras)"
        self.rules = "keras2" if major < 3 else "keras3" if minor < 16 else "keras3.16"
        #: Every layer, nested ones too, by its name.
        self._layers: dict[str, Any] = {}
        for layer in model._flatten_layers(include_self=False, recursive=True):
            if layer.name in self._layers and self._layers[layer.name] is not layer:
                raise ModelensError(f"two layers of the model are called {layer.name}: check compares layers by their names")
            self._layers[layer.name] = layer

    def call_of(self, training: bool | None) -> str:
        return "model(x)" if training is None else f"training={training}"

    def parameters(self) -> tuple[int, int]:
        def count(weights: Any) -> int:
            return int(sum(np.prod(tuple(one.shape)) for one in weights))

        return count(self._model.weights), count(self._model.trainable_weights)

    def batch_norms(self) -> list[str]:
        return [name for name, layer in self._layers.items() if _is_batch_norm(layer)]

    def run(
        self, batch: Array, training: bool | None, *, random: bool, taps: Sequence[str] = (), frozen: bool = False
    ) -> Pass:
        check_taps(taps, self._layers)
        tapped: dict[str, Array] = {}
        used: dict[str, bool | None] = {}
        norms = self.batch_norms()
        with ExitStack() as undo:
            undo.enter_context(self._kept_weights())
            if frozen:
                undo.enter_context(self._frozen())
            before = {name: _moving(self._layers[name]) for name in norms}
            for name, layer in self._layers.items():
                if not random and _kind(layer):
                    undo.enter_context(_called(layer, lambda original: lambda inputs, *_, **__: inputs))
                if name in before:
                    undo.enter_context(_called(layer, _watching(layer, *before[name], used, name)))
                if name in taps:
                    undo.enter_context(_called(layer, _tapping(tapped, name)))
            y = self._call(batch, training)
            after = {name: _moving(self._layers[name]) for name in norms}
        statistics = {
            name: Statistics(mean, variance, _differ(before[name], (mean, variance)), used.get(name))
            for name, (mean, variance) in after.items()
        }
        return Pass(y, tapped, statistics)

    def draws(self, batch: Array, training: bool | None) -> dict[str, dict[str, bool]]:
        found: dict[str, dict[str, bool]] = {"augmentation": {}, "noise": {}}
        with ExitStack() as undo:
            undo.enter_context(self._kept_weights())
            for name, layer in self._layers.items():
                kind = _kind(layer)
                # Nothing shows whether a layer of rate 0 is active.
                if kind and (getattr(layer, "rate", None) != 0):
                    found[kind][name] = False
                    undo.enter_context(_called(layer, _comparing(found[kind], name)))
            layers = [group for group in found.values() if group]
            for _ in range(1 if training is False else TRIES):
                if layers and not all(all(group.values()) for group in layers):
                    self._call(batch, training)
        return found

    def _call(self, batch: Array, training: bool | None) -> Array:
        out = self._model(batch) if training is None else self._model(batch, training=training)
        while isinstance(out, (list, tuple, dict)):
            out = next(iter(out.values())) if isinstance(out, dict) else out[0]
        return _array(out)

    @contextmanager
    def _kept_weights(self) -> Iterator[None]:
        kept = self._model.get_weights()
        try:
            yield
        finally:
            self._model.set_weights(kept)

    @contextmanager
    def _frozen(self) -> Iterator[None]:
        every = [self._model, *self._layers.values()]
        kept = [(layer, layer.trainable) for layer in every]
        variables = [(one, one.trainable) for layer in every for one in layer.weights]
        _set(self._model, False)
        try:
            yield
        finally:
            # Setting a flag sets it in everything inside: the outer ones first.
            for layer, trainable in kept:
                _set(layer, trainable)
            for layer, trainable in kept:
                if not getattr(layer, "layers", None):
                    layer.trainable = trainable
            for variable, trainable in variables:
                if hasattr(type(variable), "trainable") and getattr(type(variable).trainable, "fset", None):
                    variable.trainable = trainable


def _version(model: Any, kind: str) -> str:
    """The version of the Keras that a model belongs to."""
    if kind == "keras":
        import keras

        return str(keras.__version__)
    if any(known.__module__.startswith("tf_keras") for known in type(model).__mro__):
        import tf_keras

        return str(tf_keras.__version__)
    import tensorflow as tf

    return str(tf.keras.__version__)


def _set(layer: Any, trainable: bool) -> None:
    # Keras 3 ignores the value that a flag already has, and leaves what is inside as it is.
    layer.trainable = not trainable
    layer.trainable = trainable


def _names(layer: Any) -> set[str]:
    return {known.__name__ for known in type(layer).__mro__}


def _is_batch_norm(layer: Any) -> bool:
    return "BatchNormalization" in _names(layer)


def _kind(layer: Any) -> str | None:
    """Whether a layer draws at random, and why."""
    names = _names(layer)
    if names & NOISE:
        return "noise"
    own = type(layer).__name__
    return "augmentation" if own.startswith("Random") or own in AUGMENTATION else None


def _array(value: Any) -> Array:
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    return np.asarray(value)


def _moving(layer: Any) -> tuple[Array, Array]:
    # Copies: an array may be a view of a variable that changes.
    return np.array(_array(layer.moving_mean)), np.array(_array(layer.moving_variance))


def _differ(one: tuple[Array, Array], other: tuple[Array, Array]) -> bool:
    return not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


Call = Callable[..., Any]


@contextmanager
def _called(layer: Any, wrap: Callable[[Call], Call]) -> Iterator[None]:
    """Replaces what a layer computes."""
    own = layer.__dict__.get("call")
    # Past Keras' own bookkeeping of attributes.
    layer.__dict__["call"] = wrap(layer.call)
    try:
        yield
    finally:
        if own is None:
            del layer.__dict__["call"]
        else:
            layer.__dict__["call"] = own


def _tapping(tapped: dict[str, Array], name: str) -> Callable[[Call], Call]:
    def wrap(original: Call) -> Call:
        def call(*args: Any, **kwargs: Any) -> Any:
            out = original(*args, **kwargs)
            tapped[name] = _array(out)
            return out

        return call

    return wrap


def _watching(
    layer: Any, mean: Array, variance: Array, used: dict[str, bool | None], name: str
) -> Callable[[Call], Call]:
    def wrap(original: Call) -> Call:
        def call(inputs: Any, *args: Any, **kwargs: Any) -> Any:
            out = original(inputs, *args, **kwargs)
            axis = layer.axis[0] if isinstance(layer.axis, (list, tuple)) else layer.axis
            scale = _array(layer.gamma) if layer.scale else None
            shift = _array(layer.beta) if layer.center else None
            x, y = _array(inputs), _array(out)
            used[name] = normalised_with_batch(x, y, axis, mean, variance, layer.epsilon, scale, shift)
            return out

        return call

    return wrap


def _comparing(changed: dict[str, bool], name: str) -> Callable[[Call], Call]:
    def wrap(original: Call) -> Call:
        def call(inputs: Any, *args: Any, **kwargs: Any) -> Any:
            out = original(inputs, *args, **kwargs)
            before, after = _array(inputs), _array(out)
            changed[name] |= before.shape != after.shape or not np.array_equal(before, after)
            return out

        return call

    return wrap
