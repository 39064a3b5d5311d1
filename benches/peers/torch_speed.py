"""The MobileNetV2 base without head in PyTorch: forward in both modes, and forward with backward.

usage: python torch_speed.py [RUNS] [BATCH]     needs: pip install torch torchvision
Prints JSON: median seconds a piece of work, and the peak of resident memory in bytes.
"""

import sys

import torch
from torchvision.models import mobilenet_v2

from timing import medians

runs, batch = (int(a) for a in (sys.argv[1:] + ["5", "32"][len(sys.argv) - 1 :]))
torch.set_num_threads(2)
torch.manual_seed(7)
base = mobilenet_v2(weights=None).features
x = torch.rand(batch, 3, 160, 160) * 2 - 1


def forward(training):
    def run():
        base.train(training)
        with torch.no_grad():
            return base(x)

    return run


def step(first_block):
    """Gradients of the mean square of the output at every weight from this block on."""

    def run():
        base.train()
        for i, block in enumerate(base):
            block.requires_grad_(i >= first_block)
        base.zero_grad(set_to_none=True)
        base(x).square().mean().backward()

    return run


work = {
    "forward_inference": forward(False),
    "forward_training": forward(True),
    "backward_open": step(0),
    # Keras' layer 120 opens the fourteenth block, the features' fourteenth entry.
    "backward_from_120": step(14),
}
medians(f"PyTorch {torch.__version__}", work, runs)
