"""``show`` and ``lesson``: the program itself in the output cell."""

from __future__ import annotations

import importlib.util
import os
import sys
import tarfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from . import _inline, _link, _page
from ._binary import ModelensError
from ._models import BUNDLED, ModelFile, as_photos
from ._server import Server, server

How = Literal["auto", "server", "proxy", "colab", "inline"]
WAYS = ("auto", "server", "proxy", "colab", "inline")
#: Files beside a model that belong to it.
BESIDE = (".txt", ".json", ".data")


class Widget:
    """The program in an output cell.

    Attributes:
        url: the address of the page that the cell shows; ``None`` if it is inline.
        how: how the front end gets the page: ``server``, ``proxy``, ``colab`` or ``inline``.
        failures: the sentences that the window has shown.
    """

    def __init__(self, file: ModelFile, photos: object, lesson: Path | None, state: str, height: int, how: How) -> None:
        self.height = height
        self.how = _way(how)
        self.failures: list[str] = []
        self.url: str | None = None
        self._state = state
        self._start = state
        self._file = file
        self._served: dict[str, Path] = {}
        self._cell: object = None
        self._ends = weakref.finalize(self, file.close)
        self._model = [] if file.argument is None or file.argument in BUNDLED else _files_of(Path(file.argument), file)
        if file.argument in BUNDLED and ";model=" not in state and ";lesson=" not in state:
            self._start += f";model={file.argument}"
        self._photos = [_one_file(given, file.folder())] if (given := as_photos(photos, file.folder())) else []
        self._lesson = _files_of_lesson(lesson) if lesson else []
        self._server: Server | None = None
        self._path = ""
        if self.how != "inline":
            self._server = server()
            self._path = self._server.add(self)
            self.url = self._address()

    @property
    def state(self) -> str:
        """What the window shows, as a string that ``show(..., state=...)`` takes."""
        return self._state

    def page(self) -> str:
        """The page around the program."""
        ends = [
            [self._serve(kind, path) for path in paths]
            for kind, paths in (("model", self._model), ("photos", self._photos), ("lesson", self._lesson))
        ]
        # The files beside a lesson are read by their names.
        return _page.page(ends[0], ends[1], ends[2][:1], self._start)

    def files(self) -> dict[str, Path]:
        """The files that the page may read."""
        return self._served

    def told(self, message: dict[str, object]) -> None:
        """Takes a message of the page."""
        if message.get("modelens") == "state" and isinstance(message.get("state"), str):
            token = self._server.token if self._server else ""
            self._state = _link.without_files(str(message["state"]), token)
            # A page that is loaded again shows what it showed.
            self._start = self._state
        elif message.get("modelens") == "failed":
            self.failures.append(str(message.get("text")))

    def _serve(self, kind: str, path: Path) -> str:
        self._served[f"{kind}/{path.name}"] = path
        return f"{kind}/{quote(path.name)}"

    def _address(self) -> str:
        assert self._server is not None
        if self.how == "proxy":
            base = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "/")
            return f"{base.rstrip('/')}/proxy/{self._server.port}{self._path}"
        return f"http://127.0.0.1:{self._server.port}{self._path}"

    def _html(self) -> str:
        """The cell's content."""
        if self.how == "inline":
            return _inline.frame(self._model, self._photos, self._start, self.height)
        name = f"modelens-{abs(hash(self._path)):x}"
        return (
            f'{_page.cell(name, self.height, src=self.url or "")}'
            f'<p id="{name}-said" hidden>This front end does not reach the kernel\'s machine. '
            'Try <code>show(..., how="proxy")</code> with jupyter-server-proxy, or <code>how="inline"</code>.</p>'
            f"<script>(() => {{ const frame = document.getElementById('{name}'); let alive = false;"
            "addEventListener('message', ({ source }) => { alive ||= source === frame?.contentWindow; });"
            f"setTimeout(() => {{ const said = document.getElementById('{name}-said'); "
            "if (said) said.hidden = alive; }, 20000); })();</script>"
        )

    def display(self) -> None:
        """Shows the window in the output of the present cell."""
        shell = _shell()
        if shell is None:
            return
        self._cell = (id(shell), shell.execution_count)
        if self.how == "colab":
            from google.colab import output

            assert self._server is not None
            output.serve_kernel_port_as_iframe(self._server.port, path=self._path, height=str(self.height))
            return
        from IPython.display import display

        display({"text/html": self._html(), "text/plain": repr(self)}, raw=True)

    def _ipython_display_(self) -> None:
        # `show(...)` has displayed it already if it is the last line of the same cell.
        shell = _shell()
        if shell is None or self._cell != (id(shell), shell.execution_count):
            self.display()

    def __repr__(self) -> str:
        return f"<modelens {self.url or 'inline'} {self._state}>"


def show(
    model: object = None,
    photos: object = None,
    view: str = "trainable",
    *,
    state: str | None = None,
    labels: Sequence[str] | None = None,
    input_shape: Sequence[int] | None = None,
    height: int = 720,
    how: How = "auto",
    **settings: object,
) -> Widget:
    """Opens a model in the output cell.

    Args:
        model: see the package; ``None`` is the bundled network.
        photos: a path, an array ``[N, H, W, C]``, a pair of an array and labels, or a list of photo files; ``None``
            means the bundled photos.
        view: ``augmentation``, ``dropout``, ``batchnorm``, ``trainable``, ``finetune``, ``predict`` or ``releases``.
        state: a state of an earlier window (``widget.state``, or a copied link); instead of view and settings.
        labels: names of the classes, in the order of the outputs.
        input_shape: of a PyTorch module: the shape of one image, such as ``(3, 224, 224)``.
        height: of the cell's output, in pixels.
        how: how the front end gets the page; ``auto`` chooses: ``server`` (the browser reaches this machine),
            ``proxy`` (through jupyter-server-proxy), ``colab``, or ``inline`` (everything in the cell, some 20 MB).
        **settings: keys of a lesson's step, with ``_`` for ``-``: ``trainable="none"``, ``channel=7``,
            ``semantics="keras3"``, ``batch=8``, ``hide=["tabs"]`` ...

    Returns:
        The widget; ``widget.state`` follows what the window shows.

    Raises:
        ModelensError: the model or the photos cannot be handed over, or the program knows no such view or setting.
    """
    link = _link.checked(_link.read(state) if state is not None else _link.write({"view": view, **settings}))
    file = ModelFile(model, labels=labels, input_shape=input_shape)
    widget = Widget(file, photos, None, link, height, how)
    widget.display()
    return widget


def lesson(name: str | os.PathLike[str], *, step: int = 1, height: int = 720, how: How = "auto") -> Widget:
    """Opens a lesson in the output cell: the name of a bundled one, such as ``why-specify-twice``, or a file."""
    path = Path(name).expanduser()
    own = path.suffix == ".toml"
    if own and not path.is_file():
        raise ModelensError(f"there is no such lesson: {path}")
    link = "" if own else _link.checked(_link.write({"lesson": os.fspath(name), "step": step}))
    widget = Widget(ModelFile(None), None, path if own else None, link, height, how)
    widget.display()
    return widget


def _way(how: How) -> How:
    """How this front end gets a page."""
    if how not in WAYS:
        raise ModelensError(f"how is one of {', '.join(WAYS)}, not {how}")
    if how != "auto":
        return how
    if "google.colab" in sys.modules:
        return "colab"
    if "JUPYTERHUB_SERVICE_PREFIX" in os.environ:
        return "proxy" if importlib.util.find_spec("jupyter_server_proxy") else "inline"
    return "server"


def _shell() -> Any:
    """IPython's shell, if there is one."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def _files_of(path: Path, file: ModelFile) -> list[Path]:
    """A model and the files beside it that belong to it."""
    if path.is_dir():
        raise ModelensError(f"a page opens model files, not folders: {path}")
    if not path.is_file():
        raise ModelensError(f"there is no such file: {path}")
    known = {f"{path.stem}.labels.txt", "labels.txt", "config.json", f"{path.name}.data"}
    beside = [one for one in sorted(path.parent.iterdir()) if one.name in known and one != path]
    return [path, *beside]


def _one_file(given: str, folder: Path) -> Path:
    """Photos as one file: a folder becomes an archive."""
    path = Path(given)
    if not path.exists():
        raise ModelensError(f"there are no photos: {path}")
    if not path.is_dir():
        return path
    packed = folder / f"{path.resolve().name}.tar"
    with tarfile.open(packed, "w") as archive:
        archive.add(path, arcname=".")
    return packed


def _files_of_lesson(path: Path) -> list[Path]:
    """A lesson and what lies beside it."""
    return [path, *(one for one in sorted(path.parent.iterdir()) if one.is_file() and one != path)]
