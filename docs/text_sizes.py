#!/usr/bin/env python3
"""Measures the smallest text of each view on each page and writes the table in figures.md.

usage: docs/text_sizes.py      MODELENS=FILE names a program that is already built
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ["ieee-column", "a4", "slide-16x9", "beamer"]
VIEWS = ["start", "augmentation", "dropout", "batchnorm", "trainable", "finetune", "predict", "releases"]
# What text of this size or more is read without effort.
LEGIBLE = 7.0


def sizes(page: str) -> dict[str, float]:
    """The smallest text of each view, in points."""
    program = shlex.split(os.environ.get("MODELENS", "cargo run --quiet --locked --release --"))
    with tempfile.TemporaryDirectory() as folder:
        common = [*program, "figure"]
        options = ["--for", page, "--sidecar"]
        said = ""
        # Without a word, --all leaves out the view that trains.
        for arguments in (["--all", folder], ["finetune", "--out", f"{folder}/finetune.svg"]):
            done = subprocess.run([*common, *arguments, *options], cwd=ROOT, capture_output=True, text=True, check=True)
            said += done.stderr
        found = {}
        for path in Path(folder).glob("*.json"):
            noted = json.loads(path.read_text())
            found[noted["view"]] = noted["figure"]["smallest_text_pt"]
        small = [view for view, size in found.items() if size < LEGIBLE]
        for view in small:
            if f"the smallest text of the view {view}" not in said:
                raise SystemExit(f"{view} for {page}: {found[view]} pt, and no warning")
        return found


def main() -> None:
    columns = {page: sizes(page) for page in PAGES}
    page = ROOT / "docs/figures.md"
    text = page.read_text()
    for view in VIEWS:
        cells = " | ".join(f"{columns[page][view]:.1f}" for page in PAGES)
        row = f"| `{view}` | {cells} |"
        text, count = re.subn(rf"^\| `{view}` \| \d[^\n]*$", row, text, flags=re.M)
        if count != 1:
            raise SystemExit(f"no row for {view} in {page}")
        print(row)
    page.write_text(text)


if __name__ == "__main__":
    main()
