"""Compares what the programs for Linux and for Windows wrote.

usage: python compare.py ONE OTHER   two .npz, entry by entry, byte for byte; or two .csv of training

Training takes exponentials from the system's library, whose last digit differs: numbers may be 1e-4 apart.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path


def entries(path: str) -> list[tuple[str, bytes]]:
    """The names and contents of an archive, in order."""
    with zipfile.ZipFile(path) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def close(one: str, other: str) -> bool:
    """Whether two cells are the same text or nearly the same number."""
    try:
        return one == other or abs(float(one) - float(other)) <= 1e-4
    except ValueError:
        return False


def main(one: str, other: str) -> None:
    """Ends with status 1 if the files differ."""
    if one.endswith(".npz"):
        same = entries(one) == entries(other)
    else:
        tables = [[line.split(",") for line in Path(path).read_text().splitlines()] for path in (one, other)]
        same = [len(line) for line in tables[0]] == [len(line) for line in tables[1]] and all(
            close(a, b) for lines in zip(*tables) for a, b in zip(*lines)
        )
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
