"""Are the program's rules still true? Measures them with the Keras and the PyTorch that are installed.

    python tests/frameworks/remeasure.py            # compares; exit status 1 if an answer has changed
    python tests/frameworks/remeasure.py --write    # keeps PyTorch's answers as pytorch_modes.json

For Keras, every model of tests/fixtures/golden/recorded and recorded_nested is run with the outer value absent, true
and false and in `fit`, and what its layers did is compared with the table of the same rules: tf_keras with Keras 2,
keras below 3.16 with Keras 3, later ones with Keras 3.16. For PyTorch, every fact of pytorch_modes.py is measured.
A framework that is not installed is named, and nothing is claimed about it.
"""

import argparse
import importlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
GOLDEN = HERE.parent / "fixtures" / "golden"
FACTS = HERE / "pytorch_modes.json"
# The names of the layers in golden/recorded, by the column of its tables.
COLUMNS = {"uses_batch": "bn", "drops": "drop", "inner_drops": "inner_drop", "draws": "rot"}


def rules_of(package, release):
    """The beginning of the name of the table that this release should still agree with."""
    if package == "tf_keras":
        return "running_tf_keras"
    major, minor = (int(part) for part in release.split(".")[:2])
    return "running_keras_3.15" if (major, minor) < (3, 16) else "running_keras_3.16"


def cells(rows):
    """A table as a flat dictionary: one entry a cell."""
    flat = {}

    def walk(value, path):
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, [*path, key])
        else:
            flat[", ".join(path)] = value

    walk(rows, [])
    return flat


def measured_by_keras(package, folder):
    """Runs in a process of its own: the table of one folder as this release answers it."""
    sys.path.insert(0, str(HERE.parent / "fixtures" / "generators"))
    nested = importlib.import_module("make_recorded_nested")
    keras = importlib.import_module(package)
    with tempfile.TemporaryDirectory() as work:
        for file in (GOLDEN / folder).iterdir():
            if file.suffix in (".keras", ".h5"):
                os.symlink(file, Path(work) / file.name)
        nested.measure(keras, work, f"{package}_{keras.__version__}")
        (table,) = Path(work).glob("running_*.json")
        models = json.loads(table.read_text())["models"]
    if folder == "recorded":
        models = {file: {outer: in_columns(row, outer) for outer, row in rows.items()} for file, rows in models.items()}
    return {"release": keras.__version__, "models": models}


def in_columns(row, outer):
    """A row as the tables of golden/recorded have it."""
    columns = {"moves": any(row["moves"].values())}
    if outer != "fit":
        for column, layer in COLUMNS.items():
            columns[column] = any(row["acts"][layer])
    return columns


def compare(title, expected, found):
    """Prints what differs; the number of cells compared and of differences."""
    expected, found = cells(expected), cells(found)
    both = [cell for cell in expected if cell in found]
    changed = [cell for cell in both if expected[cell] != found[cell]]
    for cell in changed:
        print(f"CHANGED  {title}: {cell}: was {expected[cell]}, is {found[cell]}")
    lost = len(expected) - len(both)
    print(f"{title}: {len(both)} cells measured, {len(changed)} changed" + (f", {lost} not measured" if lost else ""))
    if not both:
        print(f"CHANGED  {title}: nothing could be measured")
    return len(both), len(changed) + (not both)


def keras_changes(package):
    changes = 0
    for folder in ("recorded", "recorded_nested"):
        with tempfile.NamedTemporaryFile(suffix=".json") as out:
            command = [sys.executable, __file__, "--measure", package, folder, out.name]
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            if ran.returncode:
                print(ran.stderr[-2000:])
                print(f"CHANGED  {package}, {folder}: the measurement failed")
                changes += 1
                continue
            found = json.load(open(out.name))
        (table,) = (GOLDEN / folder).glob(rules_of(package, found["release"]) + "*.json")
        expected = json.loads(table.read_text())["models"]
        changes += compare(f"{package} {found['release']}, {folder}", expected, found["models"])[1]
    return changes


def pytorch_changes(write):
    sys.path.insert(0, str(HERE))
    import pytorch_modes
    import torch

    found = pytorch_modes.facts()
    if write:
        FACTS.write_text(json.dumps({"running": f"torch {torch.__version__}", "facts": found}, indent=1) + "\n")
    return compare(f"torch {torch.__version__}", json.loads(FACTS.read_text())["facts"], found)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="keep PyTorch's answers")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        package, folder, out = arguments.measure
        table = measured_by_keras(package, folder)
        Path(out).write_text(json.dumps(table))
        return 0
    changes, missing = 0, []
    for package in ("tf_keras", "keras"):
        if importlib.util.find_spec(package):
            changes += keras_changes(package)
        else:
            missing.append(package)
    if all(importlib.util.find_spec(package) for package in ("torch", "torchvision")):
        changes += pytorch_changes(arguments.write)
    else:
        missing.append("torch with torchvision")
    for name in missing:
        print(f"NOT MEASURED: {name} is not installed")
    if len(missing) == 3:
        return 1
    print("the rules hold" if not changes else f"{changes} answers have changed: the rules or their tables are out of date")
    return 1 if changes else 0


if __name__ == "__main__":
    sys.exit(main())
