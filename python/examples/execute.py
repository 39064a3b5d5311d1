"""Executes the example notebooks and writes them with their outputs, as notebooks and as HTML.

usage: python execute.py [OUT_DIR]   the default is a temporary folder, for a check
Exit status 3: a notebook was left out, because its framework is not installed.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter

NEEDS = {"course_lab.ipynb": ["keras", "tensorflow"], "pytorch_tutorial.ipynb": ["torch", "torchvision"]}


def main() -> None:
    """Executes each notebook whose framework is here."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="modelens-notebooks-"))
    out.mkdir(parents=True, exist_ok=True)
    left_out = 0
    for name, packages in NEEDS.items():
        missing = [package for package in packages if importlib.util.find_spec(package) is None]
        if missing:
            print(f"WARNING: {name} WAS NOT EXECUTED: {', '.join(missing)} cannot be imported", file=sys.stderr)
            left_out += 1
            continue
        notebook = nbformat.read(Path(__file__).with_name(name), as_version=4)
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(Path(__file__).parent)}}).execute()
        nbformat.write(notebook, out / name)
        page, _ = HTMLExporter().from_notebook_node(notebook)
        (out / name).with_suffix(".html").write_text(page, encoding="utf-8")
        pictures = sum("image/svg+xml" in one.get("data", {}) for cell in notebook.cells for one in cell.get("outputs", []))
        if not pictures or not ("<svg" in page or "image/svg+xml" in page):
            sys.exit(f"{name}: no figure is left in the notebook and its HTML")
        print(f"{name}: executed, {pictures} figure(s); {out / name}")
    sys.exit(3 if left_out else 0)


if __name__ == "__main__":
    main()
