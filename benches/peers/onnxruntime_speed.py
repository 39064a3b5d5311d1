"""A network in ONNX Runtime: forward in inference mode.

usage: python onnxruntime_speed.py [RUNS] [BATCH] [NETWORK]     needs: pip install onnxruntime onnx torch torchvision timm
NETWORK: one of networks.py; by default the MobileNetV2 base without head.
Prints JSON: median seconds a piece of work, and the peak of resident memory in bytes.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime as ort

from networks import SIZES
from timing import arguments, medians

runs, batch, network = arguments()
side = SIZES[network][1]
# Exported by another process, so that its memory does not count here.
EXPORT = """
import sys, torch
from networks import of_torch
network, path, batch, side = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
x = torch.zeros(batch, 3, side, side)
torch.onnx.export(of_torch(network).eval(), (x,), path, input_names=["x"], dynamo=False)
"""
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "network.onnx"
    export = [sys.executable, "-c", EXPORT, network, str(path), str(batch), str(side)]
    subprocess.run(export, check=True, capture_output=True, cwd=Path(__file__).parent)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
x = np.random.default_rng(7).uniform(-1, 1, (batch, 3, side, side)).astype(np.float32)
work = {"forward_inference": lambda: session.run(None, {"x": x})}
medians(f"ONNX Runtime {ort.__version__}", work, runs)
