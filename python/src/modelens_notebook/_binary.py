"""Finds the program and runs its commands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import warnings
from collections.abc import Sequence
from pathlib import Path

NAME = "modelens.exe" if sys.platform == "win32" else "modelens"


class ModelensError(Exception):
    """What the program could not do; the text is the program's own sentence."""


class ModelensWarning(UserWarning):
    """What the program warns of, such as photos that seem to be scaled wrongly."""


def binary() -> str:
    """Returns the path of the program.

    It is the one that the environment variable ``MODELENS_BINARY`` names, else the one that was installed with
    this package, else the first on ``PATH``.
    """
    named = os.environ.get("MODELENS_BINARY")
    if named:
        if Path(named).is_file():
            return named
        raise ModelensError(f"MODELENS_BINARY names no file: {named}")
    folders = [Path(sysconfig.get_path("scripts"))]
    user = "nt_user" if os.name == "nt" else "posix_user"
    if user in sysconfig.get_scheme_names():
        folders.append(Path(sysconfig.get_path("scripts", user)))
    # `pip install --target` puts programs beside the packages.
    folders.append(Path(__file__).resolve().parents[1] / "bin")
    for folder in folders:
        if (folder / NAME).is_file():
            return str(folder / NAME)
    found = shutil.which(NAME)
    if found:
        return found
    raise ModelensError("the program modelens was not found: install modelens-notebook again, or set MODELENS_BINARY")


def call(arguments: Sequence[str | os.PathLike[str]]) -> str:
    """Runs a command of the program and returns its standard output.

    Its warnings become :class:`ModelensWarning`, and its error becomes :class:`ModelensError`.
    """
    done = subprocess.run(
        [binary(), *(os.fspath(one) for one in arguments)],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    said = done.stderr.splitlines()
    if done.returncode != 0:
        raise ModelensError(_sentence(said, done.returncode))
    for line in said:
        if line.startswith("warning: "):
            warnings.warn(line.removeprefix("warning: "), ModelensWarning, stacklevel=3)
    return done.stdout


def _sentence(said: Sequence[str], status: int) -> str:
    """The program's own sentence among what it wrote to standard error."""
    for start in ("modelens: ", "error: "):
        for line in reversed(said):
            if line.startswith(start):
                return line.removeprefix(start)
    return "\n".join(said) or f"modelens ended with status {status}"


def options(settings: dict[str, object]) -> list[str]:
    """Turns keyword arguments into options: ``no_random=True`` is ``--no-random``, ``tap=["a"]`` is ``--tap a``.

    ``None`` and ``False`` leave an option out.
    """
    found: list[str] = []
    for key, value in settings.items():
        # `for` is a word of Python: `for_` is the option --for.
        option = "--" + key.rstrip("_").replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            found.append(option)
            continue
        several = value if isinstance(value, (list, tuple)) else [value]
        # With `=`, a value may begin with a hyphen.
        found.extend(f"{option}={one}" for one in several)
    return found
