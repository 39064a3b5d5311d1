"""PyTorch beside the program."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import numpy as np

from ._framework import Array, Pass, Statistics, check_taps, normalised_with_batch

#: Classes of other libraries that draw and are no dropout modules of PyTorch itself.
NOISE = frozenset(["StochasticDepth", "DropPath", "DropBlock2d"])
FUNCTIONS = ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout")
#: Passes in which a module that draws has changed its input.
TRIES = 4


class Torch:
    """A PyTorch module."""

    rules = "pytorch"
    freezing = "requires_grad=False"
    calls: tuple[bool | None, ...] = (True, False)

    def __init__(self, module: Any) -> None:
        import torch

        self._torch = torch
        self._module = module
        self.label = f"PyTorch {torch.__version__}"
        self._modules = dict(module.named_modules())

    def call_of(self, training: bool | None) -> str:
        return "model.train()" if training else "model.eval()"

    def parameters(self) -> tuple[int, int]:
        every = list(self._module.parameters())
        return sum(one.numel() for one in every), sum(one.numel() for one in every if one.requires_grad)

    def batch_norms(self) -> list[str]:
        return [name for name, module in self._modules.items() if self._has_statistics(module)]

    def run(
        self, batch: Array, training: bool | None, *, random: bool, taps: Sequence[str] = (), frozen: bool = False
    ) -> Pass:
        check_taps(taps, self._modules)
        tapped: dict[str, Array] = {}
        used: dict[str, bool | None] = {}
        norms = self.batch_norms()
        with ExitStack() as undo:
            undo.enter_context(self._kept())
            self._module.train(bool(training))
            if frozen:
                self._module.requires_grad_(False)
            before = {name: self._running(name) for name in norms}
            if not random:
                for module in self._modules.values():
                    if self._draws(module):
                        module.eval()
                for name in FUNCTIONS:
                    passed = mock.patch.object(self._torch.nn.functional, name, _passes_on)
                    undo.enter_context(passed)
            for name in norms:
                watch = self._watching(name, *before[name], used)
                undo.callback(self._modules[name].register_forward_hook(watch).remove)
            for name in taps:
                undo.callback(self._modules[name].register_forward_hook(_tapping(tapped, name)).remove)
            y = self._call(batch)
            after = {name: self._running(name) for name in norms}
        statistics = {
            name: Statistics(mean, variance, not np.array_equal(mean, before[name][0]), used.get(name))
            for name, (mean, variance) in after.items()
        }
        return Pass(y, tapped, statistics)

    def draws(self, batch: Array, training: bool | None) -> dict[str, dict[str, bool]]:
        noise: dict[str, bool] = {}
        with ExitStack() as undo:
            undo.enter_context(self._kept())
            self._module.train(bool(training))
            for name, module in self._modules.items():
                rates = [getattr(module, key, None) for key in ("p", "drop_prob")]
                # Nothing shows whether a module of rate 0 is active.
                if self._draws(module) and 0 not in rates:
                    noise[name] = False
                    undo.callback(module.register_forward_hook(_comparing(noise, name)).remove)
            for _ in range(TRIES if training else 1):
                if not all(noise.values()):
                    self._call(batch)
        return {"noise": noise}

    def _call(self, batch: Array) -> Array:
        parameter = next(self._module.parameters())
        x = self._torch.from_numpy(np.ascontiguousarray(batch)).to(parameter.device, parameter.dtype)
        with self._torch.no_grad():
            return _array(self._module(x))

    def _has_statistics(self, module: Any) -> bool:
        batch_norm = self._torch.nn.modules.batchnorm._BatchNorm
        return isinstance(module, batch_norm) and module.running_mean is not None

    def _draws(self, module: Any) -> bool:
        dropout = self._torch.nn.modules.dropout._DropoutNd
        return isinstance(module, dropout) or type(module).__name__ in NOISE

    def _running(self, name: str) -> tuple[Array, Array]:
        module = self._modules[name]
        # Copies: an array may be a view of a buffer that changes.
        return np.array(_array(module.running_mean)), np.array(_array(module.running_var))

    def _watching(self, name: str, mean: Array, variance: Array, used: dict[str, bool | None]) -> Callable[..., None]:
        def hook(module: Any, inputs: Any, out: Any) -> None:
            scale = None if module.weight is None else _array(module.weight)
            shift = None if module.bias is None else _array(module.bias)
            x, y = _array(inputs[0]), _array(out)
            used[name] = normalised_with_batch(x, y, 1, mean, variance, module.eps, scale, shift)

        return hook

    @contextmanager
    def _kept(self) -> Iterator[None]:
        """Puts buffers, modes and ``requires_grad`` back."""
        buffers = [(one, one.detach().clone()) for one in self._module.buffers()]
        modes = [(one, one.training) for one in self._module.modules()]
        flags = [(one, one.requires_grad) for one in self._module.parameters()]
        try:
            yield
        finally:
            with self._torch.no_grad():
                for buffer, value in buffers:
                    buffer.copy_(value)
            for module, training in modes:
                module.training = training
            for parameter, flag in flags:
                parameter.requires_grad_(flag)


def _array(value: Any) -> Array:
    while isinstance(value, (list, tuple, dict)):
        value = next(iter(value.values())) if isinstance(value, dict) else value[0]
    return np.array(value.detach().cpu().float().numpy())


def _passes_on(input: Any, *_: Any, **__: Any) -> Any:
    return input


def _tapping(tapped: dict[str, Array], name: str) -> Callable[..., None]:
    def hook(_module: Any, _inputs: Any, out: Any) -> None:
        tapped[name] = _array(out)

    return hook


def _comparing(changed: dict[str, bool], name: str) -> Callable[..., None]:
    def hook(_module: Any, inputs: Any, out: Any) -> None:
        changed[name] |= not np.array_equal(_array(inputs[0]), _array(out))

    return hook
