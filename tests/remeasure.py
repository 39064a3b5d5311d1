"""Measures again what the frameworks do, and says what is no longer as the program has it.

    python tests/remeasure.py [tf_keras] [keras] [torch]

Without names, everything that is installed is measured. Run it the day a new release comes out: the tables of
`tests/fixtures/golden/recorded*` say what each release of Keras does with every outer value, and below are the facts
about PyTorch that the texts rely on. Ends with status 1 if something differs, with 2 if nothing could be measured.
"""

import importlib
import importlib.util
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

FIXTURES = Path(__file__).parent / "fixtures"
GOLDEN = FIXTURES / "golden"


def table_for(folder, package, version):
    """The table of the release whose rules this version has, as far as is known."""
    numbers = [int(n) for n in version.split(".")[:2]]
    for path in sorted(folder.glob("running_*.json")):
        table = json.loads(path.read_text())
        running = table["running"].replace(" ", "_")
        if package == "tf_keras":
            fits = running.startswith("tf_keras")
        else:
            later = running.startswith("keras_3.16")
            fits = running.startswith("keras_3.") and later == (numbers >= [3, 16])
        if fits:
            return running, table["models"]
    raise SystemExit(f"no table in {folder} fits {package} {version}")


def cells(row):
    """A row of `recorded` from what the layers did."""
    acts = {name: answers[-1] for name, answers in row["acts"].items()}
    return {
        "uses_batch": acts.get("bn"),
        "drops": acts.get("drop"),
        "inner_drops": acts.get("inner_drop"),
        "draws": acts.get("rot"),
        "moves": any(row["moves"].values()),
    }


def measure_keras(package):
    generator = FIXTURES / "generators" / "make_recorded_nested.py"
    spec = importlib.util.spec_from_file_location("make_recorded_nested", generator)
    measuring = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(measuring)
    keras = importlib.import_module(package)
    measuring.eager()
    wrong = count = 0
    for folder in (GOLDEN / "recorded", GOLDEN / "recorded_nested"):
        known, models = table_for(folder, package, keras.__version__)
        for file, expected in models.items():
            rows = measuring.rows_of(keras, str(folder / file))
            if rows is None:
                wrong += 1
                continue
            for outer, row in expected.items():
                found = rows[outer] if "acts" in row else cells(rows[outer])
                for key, value in row.items():
                    count += 1
                    if found[key] != value:
                        wrong += 1
                        print(f"CHANGED {file}, {outer}, {key}: {value} in {known}, now {found[key]}")
    print(f"{package} {keras.__version__}: {count} answers, {wrong} differ from {known}")
    return wrong


def measure_torch():
    import torch
    from torch import nn

    x = torch.linspace(-2, 3, 4 * 3 * 2 * 2).reshape(4, 3, 2, 2)
    facts = {}

    def passes(bn, *batches):
        for batch in batches:
            bn(batch)
        return bn

    bn = passes(nn.BatchNorm2d(3, momentum=None).train(), x, x + 1)
    mean = (x.mean((0, 2, 3)) + (x + 1).mean((0, 2, 3))) / 2
    facts["momentum=None keeps the plain average of all batches"] = torch.allclose(bn.running_mean, mean)
    bn = nn.BatchNorm2d(3, track_running_stats=False).eval()
    facts["track_running_stats=False uses the batch in eval() too"] = torch.allclose(
        bn(x), nn.BatchNorm2d(3).train()(x)
    ) and bn.running_mean is None
    try:
        nn.BatchNorm2d(3).train()(torch.ones(1, 3, 1, 1))
        refused = False
    except ValueError:
        refused = True
    facts["one value a channel is refused in train()"] = refused
    facts["one value a channel is taken in eval()"] = nn.BatchNorm2d(3).eval()(torch.ones(1, 3, 1, 1)).shape == (1, 3, 1, 1)
    bn = nn.BatchNorm2d(3).train()
    bn(x)
    n = x.numel() / 3
    unbiased = 0.9 + 0.1 * x.var((0, 2, 3), unbiased=False) * n / (n - 1)
    facts["the running variance takes in the unbiased variance"] = torch.allclose(bn.running_var, unbiased)
    bn = nn.BatchNorm2d(3).train().requires_grad_(False)
    bn(x)
    facts["requires_grad=False does not stop the running statistics"] = not torch.equal(bn.running_mean, torch.zeros(3))
    model = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout(0.5))
    model[0].eval()
    model.train()
    facts["model.train() undoes an earlier base.eval()"] = model[0].training
    facts["Dropout is the identity in eval()"] = torch.equal(nn.Dropout(0.5).eval()(x), x)
    facts["functional.dropout drops unless training=False is passed"] = not torch.equal(
        nn.functional.dropout(x, 0.5), x
    ) and torch.equal(nn.functional.dropout(x, 0.5, training=False), x)
    for name, layer in (("GroupNorm", nn.GroupNorm(3, 3)), ("LayerNorm", nn.LayerNorm([3, 2, 2]))):
        facts[f"{name} computes the same in both modes"] = torch.equal(layer.train()(x), layer.eval()(x))
    try:
        from torchvision.ops import FrozenBatchNorm2d, StochasticDepth

        facts["StochasticDepth is the identity in eval()"] = torch.equal(StochasticDepth(0.5, "row").eval()(x), x)
        frozen = FrozenBatchNorm2d(3)
        facts["FrozenBatchNorm2d uses stored statistics in train()"] = torch.equal(frozen.train()(x), frozen.eval()(x))
    except ImportError:
        print("torchvision is missing: 2 facts are not measured")
    for fact, holds in facts.items():
        print("ok     " if holds else "CHANGED", fact)
    wrong = sum(not holds for holds in facts.values())
    print(f"torch {torch.__version__}: {len(facts)} facts, {wrong} no longer hold")
    return wrong


def main():
    wanted = sys.argv[1:] or ["tf_keras", "keras", "torch"]
    wrong = measured = 0
    for package in wanted:
        if importlib.util.find_spec(package) is None:
            print(f"NOT MEASURED: {package} is not installed", file=sys.stderr)
            continue
        wrong += measure_torch() if package == "torch" else measure_keras(package)
        measured += 1
    sys.exit(2 if measured == 0 else int(wrong > 0))


if __name__ == "__main__":
    main()
