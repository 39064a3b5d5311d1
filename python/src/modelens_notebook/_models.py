"""Turns models and photos of Python into files that the program opens."""

from __future__ import annotations

import io
import os
import tempfile
import warnings
import zipfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ._binary import ModelensError

#: Networks and photos that the program holds.
BUNDLED = ("lab_mobilenetv2", "efficientnet_lite0")

#: Modules that PyTorch's export leaves out of a program unless the model is in training mode.
ONLY_IN_TRAINING = ("StochasticDepth", "DropPath", "DropBlock2d", "DropBlock3d")

Kind = Literal["keras", "tf_keras", "torch", "onnx", "file"]


def kind_of(model: object) -> Kind:
    """Says what a model is, without importing a framework."""
    for known in type(model).__mro__:
        package = known.__module__.split(".")[0]
        if package == "tf_keras" or known.__module__.startswith("tensorflow.python.keras"):
            return "tf_keras"
        if package == "keras" and known.__name__ in ("Model", "Layer", "KerasLayer"):
            import keras

            return "keras" if int(keras.__version__.split(".")[0]) >= 3 else "tf_keras"
        if package == "torch" and known.__name__ == "Module":
            return "torch"
        if package == "onnx" and known.__name__ == "ModelProto":
            return "onnx"
    if isinstance(model, (str, os.PathLike, bytes, bytearray, memoryview)):
        return "file"
    raise ModelensError(
        "this is no model: give a Keras model, a PyTorch module, an ONNX model, a path, or the bytes of a file, "
        f"not {type(model).__name__}"
    )


class ModelFile(AbstractContextManager["ModelFile"]):
    """A model as the program opens it: a path or a bundled name, and files that end with it.

    Attributes:
        argument: what the command line takes; ``None`` means the bundled network of the lab.
        kind: what the model was; ``None`` if it is bundled.
    """

    def __init__(
        self,
        model: object,
        *,
        labels: Sequence[str] | None = None,
        x: object = None,
        input_shape: Sequence[int] | None = None,
    ) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.kind: Kind | None = None
        self.argument: str | None = None
        if model is None or (isinstance(model, str) and model in BUNDLED):
            self.argument = model if isinstance(model, str) else None
            if labels is not None:
                raise ModelensError("a bundled network has its own class names")
            return
        self.kind = kind_of(model)
        if isinstance(model, (str, os.PathLike)):
            path = Path(model).expanduser()
            # The program says best what is wrong with a path.
            self.argument = str(path)
            if labels is None or not path.is_file():
                return
            copy = self.folder() / path.name
            try:
                os.link(path, copy)
            except OSError:
                copy.write_bytes(path.read_bytes())
            self.argument = str(copy)
        elif isinstance(model, (bytes, bytearray, memoryview)):
            data = bytes(model)
            self.argument = self._write(data, ending_of(data))
        elif self.kind == "onnx":
            self.argument = self._write(model.SerializeToString(), ".onnx")  # type: ignore[attr-defined]
        elif self.kind == "torch":
            self.argument = str(export_torch(model, self.folder() / "model.pt2", x=x, input_shape=input_shape))
        else:
            self.argument = str(save_keras(model, self.folder(), self.kind))
        if labels is not None:
            (self.folder() / "labels.txt").write_text("".join(f"{label}\n" for label in labels), encoding="utf-8")

    def folder(self) -> Path:
        """The folder of the files that end with this object."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="modelens-")
        return Path(self._folder.name)

    def _write(self, data: bytes, ending: str) -> str:
        path = self.folder() / f"model{ending}"
        path.write_bytes(data)
        return str(path)

    def arguments(self) -> list[str]:
        """The model as an argument of the command line."""
        return [] if self.argument is None else [self.argument]

    def close(self) -> None:
        """Deletes the files."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def __exit__(self, *_: object) -> None:
        self.close()


def ending_of(data: bytes) -> str:
    """The ending that fits the bytes of a model file."""
    if data.startswith(b"\x89HDF"):
        return ".h5"
    if data.startswith(b"PK"):
        try:
            names = zipfile.ZipFile(io.BytesIO(data)).namelist()
        except zipfile.BadZipFile:
            return ".keras"
        if any(name.endswith("archive_format") for name in names):
            return ".pt2"
        return ".pt" if any(name.endswith("data.pkl") for name in names) else ".keras"
    if data.startswith(b"\x80"):
        return ".pt"
    return ".safetensors" if data[8:9] == b"{" else ".onnx"


def save_keras(model: Any, folder: Path, kind: Kind) -> Path:
    """Saves a Keras model: ``.keras`` from Keras 3, ``.h5`` from Keras 2, each release's usual file."""
    path = folder / ("model.keras" if kind == "keras" else "model.h5")
    if not getattr(model, "built", True):
        raise ModelensError("the model is not built yet, so it has no weights: call it once on a batch")
    try:
        with warnings.catch_warnings():
            # Keras 2 warns of its own format.
            warnings.simplefilter("ignore")
            model.save(path)
    except Exception as error:
        raise ModelensError(f"Keras cannot save this model: {_first_line(error)}") from error
    return path


def export_torch(module: Any, path: Path, *, x: object = None, input_shape: Sequence[int] | None = None) -> Path:
    """Exports a module with ``torch.export``; its parameters, buffers and modes stay as they are.

    The example input is ``x``, else zeros of ``input_shape`` (without the batch axis), else of 3 x 224 x 224.
    """
    import torch

    if not hasattr(torch, "export") or not hasattr(torch.export, "save"):
        raise ModelensError(f"PyTorch {torch.__version__} cannot export programs: install PyTorch 2.9 or newer")
    parameter = next(iter(module.parameters()), None)
    device = parameter.device if parameter is not None else torch.device("cpu")
    kind = parameter.dtype if parameter is not None else torch.float32
    if x is not None:
        array = x if isinstance(x, torch.Tensor) else torch.from_numpy(np.asarray(x))
        # A batch of one would be taken for a fixed size.
        example = array[:1].expand(2, *array.shape[1:]).to(device, kind)
    else:
        example = torch.zeros(2, *(input_shape or (3, 224, 224)), device=device, dtype=kind)
    modes = [(one, one.training) for one in module.modules()]
    hidden = any(type(one).__name__ in ONLY_IN_TRAINING for one in module.modules())
    try:
        module.train(hidden)
        try:
            program = torch.export.export(module, (example,), dynamic_shapes=({0: torch.export.Dim("n")},))
        except Exception:
            # A module that fixes the size of its batch; the program takes any number of rows all the same.
            program = torch.export.export(module, (example,))
        torch.export.save(program, path)
    except Exception as error:
        shape = " x ".join(map(str, example.shape))
        raise ModelensError(
            f"torch.export cannot trace this module with an input of {shape}: {_first_line(error)} "
            "Give the shape of one image as input_shape=(channels, height, width)"
        ) from error
    finally:
        for one, training in modes:
            one.training = training
    return path


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".") + "."


def as_input(x: object, folder: Path, kind: Kind | None) -> str:
    """The input of a pass as the command line takes it: a path, or an array written as ``.npy``.

    Arrays of a PyTorch module are channels first, all others channels last.
    """
    if isinstance(x, (str, os.PathLike)):
        return str(Path(x).expanduser())
    array = numbers(x)
    if kind == "torch" and array.ndim == 4:
        array = np.moveaxis(array, 1, 3)
    path = folder / "x.npy"
    np.save(path, np.ascontiguousarray(array))
    return str(path)


def numbers(x: object) -> np.ndarray[Any, np.dtype[np.float32]]:
    """An array, a tensor of TensorFlow or PyTorch, or a list, as float32."""
    if hasattr(x, "detach"):
        x = x.detach().cpu()
    try:
        return np.asarray(x, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ModelensError(f"this is no array of numbers: {_first_line(error)}") from error


def as_photos(photos: object, folder: Path) -> str | None:
    """Photos as the command line takes them; ``None`` means the bundled ones.

    ``photos`` is a path, an array ``[N, H, W, C]`` (bytes from 0 to 255, or the floats that the network takes), a
    pair of such an array and its labels, or a list of photo files.
    """
    if photos is None:
        return None
    if isinstance(photos, (str, os.PathLike)):
        return str(Path(photos).expanduser())
    path = folder / "photos.npz"
    if isinstance(photos, (list, tuple)) and photos and all(isinstance(one, (str, os.PathLike)) for one in photos):
        path = folder / "photos.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for number, one in enumerate(map(Path, photos)):
                # A class is the name of a folder; numbers keep photos of the same name apart.
                archive.write(one, f"{one.resolve().parent.name or 'photos'}/{number:04}-{one.name}")
        return str(path)
    labels = None
    if isinstance(photos, tuple) and len(photos) == 2:
        photos, labels = photos
    if hasattr(photos, "detach"):
        photos = photos.detach().cpu()
    array = np.asarray(photos)
    if array.ndim not in (3, 4):
        raise ModelensError(f"photos are an array [N, H, W, C], not one of {array.ndim} axes")
    if array.dtype != np.uint8:
        array = array.astype(np.float32)
    if array.ndim == 4 and array.shape[1] in (1, 3) and array.shape[3] not in (1, 3):
        array = np.moveaxis(array, 1, 3)
    arrays = {"x": np.ascontiguousarray(array)}
    if labels is not None:
        arrays["y"] = np.asarray(labels).astype(np.int64)
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return str(path)
