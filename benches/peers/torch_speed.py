"""A network in PyTorch: forward in both modes, and forward with backward.

usage: python torch_speed.py [RUNS] [BATCH] [NETWORK]     needs: pip install torch torchvision timm
NETWORK: one of networks.py; by default the MobileNetV2 base without head.
Prints JSON: median seconds a piece of work, and the peak of resident memory in bytes.
"""

import torch

from networks import BASE, SIZES, of_torch
from timing import arguments, medians

runs, batch, network = arguments()
torch.set_num_threads(2)
model = of_torch(network)
side = SIZES[network][1]
x = torch.rand(batch, 3, side, side) * 2 - 1


def forward(training):
    def run():
        model.train(training)
        with torch.no_grad():
            return model(x)

    return run


def step(first_block):
    """Gradients of the mean square of the output at every weight from this block of the base on."""

    def run():
        model.train()
        for i, block in enumerate(model if network == BASE else [model]):
            block.requires_grad_(i >= first_block)
        model.zero_grad(set_to_none=True)
        model(x).square().mean().backward()

    return run


work = {
    "forward_inference": forward(False),
    "forward_training": forward(True),
    "backward_open": step(0),
}
if network == BASE:
    # Keras' layer 120 opens the fourteenth block, the features' fourteenth entry.
    work["backward_from_120"] = step(14)
medians(f"PyTorch {torch.__version__}", work, runs)
