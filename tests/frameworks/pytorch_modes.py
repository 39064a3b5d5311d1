"""What PyTorch's modules do in training and in evaluation mode, measured.

Each function is one fact that the program's rules and texts rely on. It returns what happened, never what the
documentation says. `remeasure.py` compares the answers with those in `pytorch_modes.json`.
"""

import torch
import torch.nn.functional as F
from torch import nn


def x4(n=4, c=3, side=5, seed=0):
    return torch.randn(n, c, side, side, generator=torch.Generator().manual_seed(seed)) * 2 + 1


def filled(bn):
    """A BatchNorm whose statistics are neither 0 and 1 nor those of a batch."""
    with torch.no_grad():
        bn.running_mean.copy_(torch.linspace(-1, 1, bn.num_features))
        bn.running_var.copy_(torch.linspace(0.5, 2, bn.num_features))
    return bn


def normalised(x, mean, var, eps=1e-5):
    shape = (1, -1, 1, 1)
    return (x - mean.reshape(shape)) / torch.sqrt(var.reshape(shape) + eps)


def near(a, b):
    return bool(torch.allclose(a, b, atol=1e-5))


def the_mode_is_a_switch_of_each_module():
    net = nn.Sequential(nn.Sequential(nn.BatchNorm2d(3), nn.Dropout(0.5)), nn.Dropout(0.5))
    seen = {"new": [m.training for m in net.modules()]}
    net[0].eval()
    seen["base.eval()"] = [m.training for m in net.modules()]
    net.train()
    seen["then model.train()"] = [m.training for m in net.modules()]
    net.eval()
    seen["then model.eval()"] = [m.training for m in net.modules()]
    return seen


def batch_norm_obeys_the_mode_and_not_requires_grad():
    answers = {}
    for mode in ("train", "eval"):
        for learns in (True, False):
            bn = filled(nn.BatchNorm2d(3)).requires_grad_(learns)
            getattr(bn, mode)()
            x, before = x4(), bn.running_mean.clone()
            mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
            y = bn(x)
            answers[f"{mode}, requires_grad={learns}"] = {
                "uses_batch": near(y, normalised(x, mean, var)),
                "moves": not torch.equal(before, bn.running_mean),
                "counts_batches": int(bn.num_batches_tracked),
                "learns": bool(y.requires_grad),
            }
    return answers


def the_running_variance_is_unbiased_and_the_normalisation_biased():
    bn = filled(nn.BatchNorm2d(3, momentum=0.25))
    x, before = x4(), bn.running_var.clone()
    y = bn(x)
    mean = x.mean((0, 2, 3))
    return {
        "running_var": near(bn.running_var, 0.75 * before + 0.25 * x.var((0, 2, 3), unbiased=True)),
        "output": near(y, normalised(x, mean, x.var((0, 2, 3), unbiased=False))),
    }


def momentum_none_is_the_mean_of_all_batches():
    bn = nn.BatchNorm2d(3, momentum=None)
    batches = [x4(seed=i) for i in range(3)]
    for x in batches:
        bn(x)
    means = torch.stack([x.mean((0, 2, 3)) for x in batches]).mean(0)
    return {"cumulative": near(bn.running_mean, means)}


def momentum_zero_never_moves():
    bn = filled(nn.BatchNorm2d(3, momentum=0.0))
    before = bn.running_mean.clone()
    bn(x4())
    return {"moves": not torch.equal(before, bn.running_mean)}


def without_running_statistics_both_modes_use_the_batch():
    bn = nn.BatchNorm2d(3, track_running_stats=False)
    x = x4()
    return {
        "has_running_mean": bn.running_mean is not None,
        "modes_equal": torch.equal(bn.train()(x), bn.eval()(x)),
        "depends_on_the_batch": not near(bn(x)[:1], bn(x[:1])),
    }


def no_grad_does_not_stop_the_statistics():
    bn = filled(nn.BatchNorm2d(3))
    before = bn.running_mean.clone()
    with torch.no_grad():
        bn(x4())
    return {"moves": not torch.equal(before, bn.running_mean)}


def one_value_a_channel_is_refused_in_training_only():
    answers = {}
    for name, bn, x in (
        ("BatchNorm1d, one row", nn.BatchNorm1d(3), torch.zeros(1, 3)),
        ("BatchNorm2d, one photo of 1 x 1", nn.BatchNorm2d(3), torch.zeros(1, 3, 1, 1)),
        ("BatchNorm2d, one photo of 2 x 1", nn.BatchNorm2d(3), torch.zeros(1, 3, 2, 1)),
    ):
        for mode in ("train", "eval"):
            try:
                getattr(bn, mode)()(x)
                answers[f"{name}, {mode}"] = "runs"
            except ValueError:
                answers[f"{name}, {mode}"] = "refused"
    return answers


def dropout_obeys_the_mode():
    answers = {}
    x = torch.ones(64, 8, 2, 2)
    for kind in (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.AlphaDropout, nn.FeatureAlphaDropout):
        layer = kind(0.5)
        data = x[..., 0] if kind is nn.Dropout1d else x
        answers[kind.__name__] = {
            mode: not torch.equal(getattr(layer, mode)()(data), data) for mode in ("train", "eval")
        }
    return answers


def functional_dropout_ignores_the_module():
    class Net(nn.Module):
        def __init__(self, pass_mode):
            super().__init__()
            self.pass_mode = pass_mode

        def forward(self, x):
            return F.dropout(x, 0.5, self.training) if self.pass_mode else F.dropout(x, 0.5)

    x = torch.ones(64, 8)
    return {
        f"F.dropout(x, 0.5{', self.training' if pass_mode else ''}) after eval()": not torch.equal(
            Net(pass_mode).eval()(x), x
        )
        for pass_mode in (False, True)
    }


def stochastic_depth_obeys_the_mode():
    from torchvision.ops import StochasticDepth

    x = torch.ones(64, 8, 2, 2)
    answers = {}
    for kind in ("row", "batch"):
        layer = StochasticDepth(0.5, kind)
        torch.manual_seed(1)
        answers[kind] = {
            mode: any(not torch.equal(getattr(layer, mode)()(x), x) for _ in range(16)) for mode in ("train", "eval")
        }
    return answers


def frozen_batch_norm_reads_its_buffers_in_both_modes():
    from torchvision.ops import FrozenBatchNorm2d

    bn = FrozenBatchNorm2d(3)
    bn.running_mean.copy_(torch.tensor([1.0, 2.0, 3.0]))
    x = x4()
    return {
        "parameters": len(list(bn.parameters())),
        "modes_equal": torch.equal(bn.train()(x), bn.eval()(x)),
        "uses_stored": near(bn(x), normalised(x, bn.running_mean, bn.running_var)),
    }


def sync_batch_norm_on_one_processor():
    answers = {}
    for mode in ("train", "eval"):
        bn, plain = filled(nn.SyncBatchNorm(3)), filled(nn.BatchNorm2d(3))
        same = torch.equal(getattr(bn, mode)()(x4()), getattr(plain, mode)()(x4()))
        answers[f"{mode}: as BatchNorm2d"] = same and torch.equal(bn.running_var, plain.running_var)
    return answers


def other_norms_have_no_mode_and_no_batch():
    answers = {}
    for name, layer in (
        ("GroupNorm", nn.GroupNorm(3, 6)),
        ("LayerNorm", nn.LayerNorm([6, 5, 5])),
        ("InstanceNorm2d", nn.InstanceNorm2d(6)),
        ("InstanceNorm2d, track_running_stats", nn.InstanceNorm2d(6, track_running_stats=True)),
    ):
        x = x4(c=6)
        alone = layer.train()(x[:1])
        together = layer(x)
        answers[name] = {
            "modes_equal": torch.equal(layer.train()(x), layer.eval()(x)),
            "batch_mates_matter": not near(alone, together[:1]),
        }
    return answers


def the_error_of_batch_norm_by_batch_size():
    """The largest difference between both modes, for growing batches of the same photos."""
    photos = x4(n=64, side=4, seed=9)
    batch_norm, group_norm = nn.BatchNorm2d(3), nn.GroupNorm(3, 3)
    batch_norm.running_mean.copy_(photos.mean((0, 2, 3)))
    batch_norm.running_var.copy_(photos.var((0, 2, 3)))
    answers = {}
    for layer in (batch_norm, group_norm):
        kept = {name: value.clone() for name, value in layer.state_dict().items()}
        differences = []
        for batch in (1, 2, 4, 8, 16, 32, 64):
            x = photos[:batch]
            trained = layer.train()(x)
            layer.load_state_dict(kept)
            differences.append((trained - layer.eval()(x)).abs().max().item())
        name = type(layer).__name__
        answers[name] = {
            "both modes equal": max(differences) == 0,
            "one photo differs more than 64, ten times at least": differences[0] > 10 * differences[-1],
        }
    return answers


def facts():
    """Every fact of this file, by its name."""
    made_here = [f for f in globals().values() if callable(f) and getattr(f, "__module__", "") == __name__]
    helpers = {x4, filled, normalised, near, facts}
    return {f.__name__.replace("_", " "): f() for f in made_here if f not in helpers and not isinstance(f, type)}
