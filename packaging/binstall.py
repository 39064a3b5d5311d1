"""Checks that what `cargo binstall` would fetch is among the release files, with the program in it.

usage: python binstall.py DIR      DIR holds what build.sh made; a package that is not there is left out
"""

from __future__ import annotations

import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

LINUX = "x86_64-unknown-linux-gnu"
WINDOWS = ("x86_64-pc-windows-gnu", "x86_64-pc-windows-msvc")
SUFFIXES = {"tgz": ".tar.gz", "zip": ".zip"}


def names(path: Path) -> list[str]:
    """The names in an archive."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    with tarfile.open(path) as archive:
        return archive.getnames()


def main(folder: Path) -> None:
    """Ends with a sentence if an archive or the program in it has another name."""
    manifest = tomllib.loads((Path(__file__).parents[1] / "Cargo.toml").read_text())
    version = manifest["workspace"]["package"]["version"]
    metadata = manifest["package"]["metadata"]["binstall"]
    for target in (LINUX, *WINDOWS):
        chosen = {**metadata, **metadata["overrides"].get(target, {})}
        ending = ".exe" if target in WINDOWS else ""
        values = {"repo": "", "version": version, "target": target, "bin": "modelens", "binary-ext": ending}
        values["archive-suffix"] = SUFFIXES[chosen["pkg-fmt"]]

        def filled(text: str) -> str:
            for key, value in values.items():
                text = text.replace(f"{{ {key} }}", value)
            return text

        archive = folder / filled(chosen["pkg-url"]).rsplit("/", 1)[1]
        kind = "windows" if target in WINDOWS else "linux"
        if not archive.exists() and not list(folder.glob(f"modelens-{version}-*{kind}*")):
            continue
        program = filled(chosen["bin-dir"])
        if not archive.exists() or program not in names(archive):
            sys.exit(f"cargo binstall for {target}: no {program} in {archive.name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
