"""Runs the code that the window offers and checks what it says about itself.

    KERAS_BACKEND=tensorflow python tests/snippets/check.py keras3
    python tests/snippets/check.py keras2        (needs tensorflow and tf_keras)
    python tests/snippets/check.py keras3.16     (needs the nightly of Keras, or the release)
    python tests/snippets/check.py pytorch

Needs the framework named. Prints one line a snippet and ends with status 1 if one of them is
wrong.
"""

import os
import re
import sys
from pathlib import Path

import numpy as np

FRAMEWORK = sys.argv[1]
CODE = Path(__file__).parent / "code"
X = np.random.default_rng(7).normal(2.0, 3.0, (4, 8, 8, 3)).astype("float32")


def setting(name):
    """`batchnorm-outer_true-recorded_false-trainable_true-batches_0` as a dictionary."""
    return dict(part.split("_") for part in name.split("-") if "_" in part)


def keras_model(keras, recorded, activation):
    inputs = keras.Input((8, 8, 3))
    inner = keras.Input((8, 8, 3))
    y = keras.layers.Conv2D(6, 3, name="conv")(inner)
    y = keras.layers.BatchNormalization(name="bn")(y)
    base = keras.Model(inner, keras.layers.ReLU()(y), name="base")
    y = base(inputs) if recorded is None else base(inputs, training=recorded)
    y = keras.layers.GlobalAveragePooling2D()(y)
    y = keras.layers.Dropout(0.3, name="dropout")(y)
    return base, keras.Model(inputs, keras.layers.Dense(5, activation=activation)(y))


def batch_norm_keras(name, code, keras, ops):
    wanted = setting(name)
    recorded = {"absent": None, "false": False}[wanted["recorded"]]
    base, model = keras_model(keras, recorded, "softmax")
    bn = base.get_layer("bn")
    x = ops(X)
    batches = [ops(X + i) for i in range(5)]
    before = np.array(bn.moving_mean)
    *lines, last = [l for l in code.splitlines() if not l.startswith("#")]
    assert last.startswith("model(x, training=False)"), last
    names = {"model": model, "base": base, "x": x, "batches": batches}
    exec("\n".join(lines), names)
    moved = not np.array_equal(before, np.array(bn.moving_mean))
    claimed = "# batch statistics" in "\n".join(lines)
    assert moved == claimed, f"moved: {moved}, claimed: {claimed}"
    assert bn.trainable == (wanted["trainable"] == "true")
    if wanted["batches"] == "3":
        assert abs(bn.momentum - 0.75) < 1e-9
        if moved:
            expected = before
            conv = base.get_layer("conv")
            for i in range(3):
                mean = np.array(conv(batches[i])).mean((0, 1, 2))
                expected = 0.75 * expected + 0.25 * mean
            assert np.allclose(np.array(bn.moving_mean), expected, rtol=1e-4, atol=1e-5)
    after = np.array(bn.moving_mean)
    exec(last, names)
    assert np.array_equal(after, np.array(bn.moving_mean)), "training=False moves nothing"


def saved_by_another_release(code, keras):
    """The code for 3.16 takes out what 3.15 recorded; that of the others names the release."""
    names = {}
    if FRAMEWORK == "keras3.16":
        file = "keras_3.15.1__recorded_None__open__layer.keras"
        model = keras.models.load_model(Path(__file__).parent.parent / "fixtures/golden/recorded" / file)
        names["model"] = model
        exec(code, names)
        fresh = names["fresh"]
        before = model.get_weights()
        for a, b in zip(before, fresh.get_weights(), strict=True):
            assert np.array_equal(a, b), "rebuilt with the same weights"
        x = np.random.default_rng(7).uniform(0, 1, (4, 12, 12, 3)).astype("float32")
        twice = lambda m, mode: [np.array(m(x, training=mode)) for _ in range(2)]
        assert not np.array_equal(*twice(model, False)), "as loaded, it draws in predict"
        assert np.array_equal(*twice(fresh, False)), "it no longer draws"
        drops = fresh.get_layer("drop")
        assert not any("training" in n.arguments.kwargs for n in drops._inbound_nodes)
        # What is recorded at RandomRotation also reaches the layers after it.
        kept = lambda m: all(map(np.array_equal, before, m.get_weights()))
        assert not kept(model), "as loaded, its statistics move with training=False"
        assert kept(fresh), "training=False moves nothing"
        return
    exec(code, names)
    assert keras.__version__


def norms_by_hand(y, groups, epsilon):
    """What a norm of [N, H, W, C] with so many groups gives without gamma and beta, in numpy."""
    n, h, w, c = y.shape
    by_group = y.reshape(n, h, w, groups, c // groups).astype("float64")
    mean = by_group.mean((1, 2, 4), keepdims=True)
    variance = by_group.var((1, 2, 4), keepdims=True)
    return ((by_group - mean) / np.sqrt(variance + epsilon)).reshape(y.shape)


def check_norms(y, gamma, beta, epsilon, group, layer):
    """`group` and `layer` take [N, H, W, C] and the mode; they read each photo, in both modes."""
    for norm, groups in ((group, 3), (layer, 1)):
        expected = gamma * norms_by_hand(y, groups, epsilon) + beta
        for training in (True, False):
            assert np.allclose(norm(y, training), expected, atol=1e-4), (groups, training)
            # Another kernel may sum a smaller batch in another order.
            assert np.allclose(norm(y[:1], training), norm(y, training)[:1], atol=1e-6)


def norms_in_keras(code, keras, ops):
    base, _ = keras_model(keras, None, "softmax")
    bn = base.get_layer("bn")
    rng = np.random.default_rng(3)
    bn.set_weights([rng.uniform(0.5, 2.0, 6).astype("float32") for _ in range(4)])
    gamma, beta, mean, variance = bn.get_weights()
    names = {"keras": keras, "base": base}
    exec(code, names)
    y = np.array(base.get_layer("conv")(ops(X)))
    call = lambda name: lambda rows, training: np.array(names[name](ops(rows), training=training))
    check_norms(y, gamma, beta, bn.epsilon, call("group"), call("whole"))
    whole = keras.layers.LayerNormalization(axis=[1, 2, 3], epsilon=bn.epsilon)(ops(y))
    assert np.allclose(gamma * np.array(whole) + beta, call("whole")(y, True), atol=1e-4)
    frozen = gamma * (y - mean) / np.sqrt(variance + bn.epsilon) + beta
    for training in (True, False):
        assert np.allclose(call("bn")(y, training), frozen, atol=1e-4), "stored statistics in both"
    assert np.array_equal(mean, bn.get_weights()[2]), "frozen statistics stay"
    plain, sync = keras.layers.BatchNormalization(), names["sync"]
    for training in (False, True):
        same = np.array(plain(ops(y), training=training)), call("sync")(y, training)
        assert np.allclose(*same, atol=1e-4), "on one device synchronized changes nothing"
    *same, variance = zip(plain.get_weights(), sync.get_weights(), strict=True)
    assert all(np.allclose(*pair, rtol=1e-4, atol=1e-6) for pair in same)
    # Only Keras 2's fused path, which a synchronized layer does not take, stores N/(N-1) of the variance.
    n = y.size // 6
    factor = n / (n - 1) if FRAMEWORK == "keras2" else 1.0
    moved = [(after - 0.99) / 0.01 for after in variance]
    assert np.allclose(moved[0], factor * moved[1], rtol=2e-3), moved
    assert not np.allclose(moved[0], (n / (n - 1) if factor == 1.0 else 1.0) * moved[1], rtol=2e-3)
    assert not np.array_equal(sync.get_weights()[2], np.zeros(6)), "its statistics move"


def in_keras(name, code, keras, ops, tf):
    if name.startswith("norms"):
        return norms_in_keras(code, keras, ops)
    if name.startswith("batchnorm"):
        return batch_norm_keras(name, code, keras, ops)
    if name == "releases":
        return saved_by_another_release(code, keras)
    activation = None if name.endswith("logits") else "softmax"
    # From 3.16 on a value recorded at the base would switch the head's dropout off.
    recorded = None if FRAMEWORK == "keras3.16" and name.startswith("dropout") else False
    base, model = keras_model(keras, recorded, activation)
    names = {"keras": keras, "base": base, "model": model, "x": ops(X), "tf": tf}
    names["photo"], names["others"] = ops(X[:1]), ops(X[1:] * 2.0)
    if name == "trainable":
        names["x"] = keras.Input((8, 8, 3))
        exec(code, names)
        assert not base.trainable_weights and not base.get_layer("bn").trainable
        assert names["model"].trainable_weights, "the head learns"
        return
    if name.startswith("augmentation"):
        names["x"] = ops(np.abs(X) * 20.0)
        names["y"] = ops(np.eye(4, dtype="float32"))
        exec(code, names)
        if name.endswith("empty"):
            assert "# draws" not in code
            for training in (True, None, False):
                y = names["augment"](names["x"], training=training)
                assert np.array_equal(np.array(y), np.array(names["x"])), "nothing to draw"
            return
        if name.endswith(("layers", "labels")):
            if name.endswith("layers"):
                assert ("from Keras 3.8 on" if FRAMEWORK == "keras2" else "only in Keras 2") in code
                assert names["augment"](names["x"], training=True).shape[0] == 4
            elif FRAMEWORK != "keras2":
                mixed = names["augment"]({"images": names["x"], "labels": ops(np.eye(4, dtype="float32"))}, training=True)
                assert np.allclose(np.array(mixed["labels"]).sum(1), 1.0), "shares of labels"
            return
        unchanged = names["augment"](names["x"], training=False)
        assert np.array_equal(np.array(unchanged), np.array(names["x"])), "it does nothing"
        drawn = [np.array(names["augment"](names["x"], training=True)) for _ in range(6)]
        assert any(not np.array_equal(d, np.array(names["x"])) for d in drawn), "it draws"
        by_default = [np.array(names["augment"](names["x"])) for _ in range(6)]
        assert any(not np.array_equal(d, np.array(names["x"])) for d in by_default)
        return
    if name.startswith("dropout"):
        rate = 0.5 if name.endswith("other") else 0.3
        names["x"] = ops(np.ones((1, 1000), "float32"))
        exec(code, names)
        drop = names["drop"]
        assert abs(drop.rate - rate) < 1e-9 and abs(model.get_layer("dropout").rate - rate) < 1e-9
        kept = np.array(drop(names["x"], training=True))
        assert set(np.round(np.unique(kept), 3)) == {0.0, np.float32(round(1 / (1 - rate), 3))}
        ys = [np.array(y) for y in names["ys"]]
        assert len(ys) == 4 and not all(np.array_equal(ys[0], y) for y in ys), "masks differ"
        return
    # predict: the statistics of the batch's neighbours reach the photo in training mode only.
    base, model = keras_model(keras, None, activation)
    names.update(base=base, model=model)
    exec(code, names)
    p = np.array(names["p"])
    assert p.shape == (5,) and abs(p.sum() - 1.0) < 1e-5, p
    alone = np.array(model(names["x"], training=False)[0])
    among = np.array(model(names["y"], training=False)[0])
    assert np.allclose(alone, among, atol=1e-6), "inference does not see the neighbours"


def torch_model(torch, activation):
    nn = torch.nn

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.base = nn.Sequential(nn.Conv2d(3, 6, 3))
            self.bn = nn.BatchNorm2d(6)
            self.dropout = nn.Dropout(0.3)
            self.dense = nn.Linear(6, 5)

        def forward(self, x):
            y = self.dropout(torch.relu(self.bn(self.base(x))).mean((2, 3)))
            y = self.dense(y)
            return y.softmax(-1) if activation else y

    return Model()


def norms_in_torch(name, code, torch):
    flat = name.endswith("flat")
    model = torch_model(torch, True)
    if flat:
        model.bn = torch.nn.BatchNorm1d(6)
    bn = model.bn
    with torch.no_grad():
        for tensor in (bn.weight, bn.bias, bn.running_mean, bn.running_var):
            tensor.uniform_(0.5, 2.0)
    names = {"torch": torch, "nn": torch.nn, "model": model}
    try:
        exec(code, names)
    except ImportError:
        return "skipped: no torchvision"
    y = model.base(torch.tensor(X.transpose(0, 3, 1, 2).copy())).detach()
    y = y.mean((2, 3)) if flat else y
    numpy = lambda t: t.detach().numpy() if flat else t.detach().permute(0, 2, 3, 1).numpy()

    def call(module):
        def run(rows, training):
            rows = torch.tensor(rows[:, 0, 0] if flat else rows.transpose(0, 3, 1, 2).copy())
            out = numpy(module.train(training)(rows))
            return out[:, None, None] if flat else out

        return run

    rows = numpy(y)[:, None, None] if flat else numpy(y)
    gamma, beta = bn.weight.detach().numpy(), bn.bias.detach().numpy()
    check_norms(rows, gamma, beta, bn.eps, call(names["group"]), call(names["whole"]))
    before = bn.running_mean.clone()
    if not flat:
        frozen = names["frozen"]
        assert not list(frozen.parameters()), "nothing learns"
        for training in (True, False):
            stored = numpy(bn.eval()(y))
            assert np.allclose(call(frozen)(rows, training), stored, atol=1e-5)
        assert torch.equal(frozen.running_mean, before) and torch.equal(bn.running_mean, before)
    sync = names["sync"]
    assert isinstance(sync, torch.nn.SyncBatchNorm) and sync.running_mean is bn.running_mean
    plain = torch.nn.functional.batch_norm(y, None, None, bn.weight, bn.bias, True, 0.0, bn.eps)
    assert torch.allclose(sync.train()(y), plain, atol=1e-6), "on one device the same"
    assert not torch.equal(bn.running_mean, before), "its statistics move"
    return None


def loop_in_torch(code, torch):
    """A training loop: the statistics of the base stay only if base.eval() follows each model.train()."""
    nn = torch.nn
    base = nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU())
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.3), nn.Linear(6, 5))
    x = torch.tensor(X.transpose(0, 3, 1, 2).copy())
    names = {"base": base, "head": head, "model": nn.Sequential(base, head), "loss_fn": nn.CrossEntropyLoss()}
    names["loader"] = [(x, torch.tensor([0, 1, 2, 3])), (x[:3] + 1, torch.tensor([4, 0, 1]))]
    names["optimizer"] = torch.optim.SGD(head.parameters(), 0.1)
    before = {key: value.clone() for key, value in base.state_dict().items()}
    last = head[-1].weight.clone()
    exec(code, names)
    after = base.state_dict()
    moved = not torch.equal(before["1.running_mean"], after["1.running_mean"])
    kept = code.count("base.eval()  # after model.train()") == 1
    assert moved != kept, f"moved: {moved}"
    assert not any(p.requires_grad for p in base.parameters())
    assert torch.equal(before["1.weight"], after["1.weight"]) and torch.equal(before["0.weight"], after["0.weight"])
    assert not torch.equal(last, head[-1].weight), "the head learns"
    assert head[2].training, "dropout in the head is on"


def in_torch(name, code, torch):
    if name.startswith("finetune"):
        return loop_in_torch(code, torch)
    if name.startswith("norms"):
        return norms_in_torch(name, code, torch)
    model = torch_model(torch, not name.endswith("logits"))
    x = torch.tensor(X.transpose(0, 3, 1, 2).copy())
    names = {"torch": torch, "nn": torch.nn, "model": model, "base": model.base, "x": x}
    names["photo"], names["others"] = x[:1], x[1:] * 2.0
    if name == "releases":
        exec(code, names)
    elif name.startswith("modules"):
        before = model.bn.running_mean.clone()
        exec(code, names)
        moved = not torch.equal(before, model.bn.running_mean)
        assert moved == ("# batch statistics" in code), f"moved: {moved}"
        if name.endswith("dropout"):
            assert model.dropout.training and model.base.training and not model.dense.training
    elif name.startswith("batchnorm"):
        wanted = setting(name)
        names["batches"] = [x + i for i in range(5)]
        before = model.bn.running_mean.clone()
        exec(code, names)
        moved = not torch.equal(before, model.bn.running_mean)
        assert moved == ("# batch statistics" in code), f"moved: {moved}"
        assert model.bn.weight.requires_grad == (wanted["trainable"] == "true")
        if wanted["batches"] == "3":
            assert abs(model.bn.momentum - 0.25) < 1e-9
        model.train()
        model.bn.eval()
        kept = model.bn.running_mean.clone()
        model(x)
        assert torch.equal(kept, model.bn.running_mean), "bn.eval() keeps the statistics"
    elif name == "trainable":
        exec(code, names)
        learn = [p for group in names["optimizer"].param_groups for p in group["params"]]
        assert not any(p is q for p in learn for q in model.base.parameters())
        assert learn and not model.base.training
    elif name.startswith("dropout"):
        rate = 0.5 if name.endswith("other") else 0.3
        names["x"] = torch.ones(1, 1000)
        exec(code, names)
        assert abs(names["drop"].p - rate) < 1e-9 and abs(model.dropout.p - rate) < 1e-9
        ys = names["ys"]
        assert len(ys) == 4 and not all(torch.equal(ys[0], y) for y in ys)
        assert not model.bn.training and model.dropout.training
    elif name.startswith("augmentation"):
        try:
            from torchvision.transforms import v2  # noqa: F401
        except ImportError:
            return "skipped: no torchvision"
        exec(code, names)
        images = torch.rand(4, 3, 8, 8)
        if "pipeline" in name:
            images = (torch.rand(4, 3, 64, 64) * 255).to(torch.uint8)
            if name.endswith("labels"):
                assert "augment(images, labels)" in code
                labels = torch.eye(4)
                for _ in range(8):
                    y, mixed = names["augment"](images, labels)
                    assert y.shape == images.shape and y.dtype == torch.float32
                    assert torch.allclose(mixed.sum(1), torch.ones(4)), "shares of labels"
                return None
            runs = [names["augment"](images) for _ in range(8)]
            assert all(y.shape == (4, 3, *runs[0].shape[2:]) for y in runs)
            same = all(torch.equal(y, runs[0]) for y in runs)
            assert same == name.endswith("evaluate"), "it draws, or it does not"
            return None
        if name.endswith("empty"):
            assert torch.equal(names["augment"](images), images), "nothing to draw"
            return None
        assert any(not torch.equal(names["augment"](images), images) for _ in range(6))
    else:
        exec(code, names)
        p = names["p"]
        assert p.shape == (5,) and abs(float(p.detach().sum()) - 1.0) < 1e-5
    return None


def main():
    if FRAMEWORK == "pytorch":
        import torch

        def run(name, code):
            torch.manual_seed(7)
            return in_torch(name, code, torch)
    else:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        import tensorflow as tf

        if FRAMEWORK == "keras2":
            import tf_keras as keras
        else:
            import keras

        def run(name, code):
            keras.utils.set_random_seed(7)
            return in_keras(name, code, keras, tf.constant, tf)

    wrong = 0
    for path in sorted(CODE.glob(f"{FRAMEWORK}-*.py")):
        name = re.sub(f"^{FRAMEWORK}-", "", path.stem)
        try:
            said = run(name, path.read_text()) or "as it says"
        except Exception as error:  # noqa: BLE001 - every failure is reported
            wrong += 1
            said = f"WRONG: {type(error).__name__}: {error}"
        print(f"{name}: {said}")
    sys.exit(1 if wrong else 0)


main()
