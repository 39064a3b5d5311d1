"""The MobileNetV2 base without head in ONNX Runtime: forward in inference mode.

usage: python onnxruntime_speed.py [RUNS] [BATCH]     needs: pip install onnxruntime onnx torch torchvision
Prints JSON: median seconds a piece of work, and the peak of resident memory in bytes.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime as ort

from timing import medians

runs, batch = (int(a) for a in (sys.argv[1:] + ["5", "32"][len(sys.argv) - 1 :]))
# Exported by another process, so that its memory does not count here.
EXPORT = """
import sys, torch
from torchvision.models import mobilenet_v2
base = mobilenet_v2(weights=None).features.eval()
x = torch.zeros(int(sys.argv[2]), 3, 160, 160)
torch.onnx.export(base, (x,), sys.argv[1], input_names=["x"], dynamo=False)
"""
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "base.onnx"
    subprocess.run([sys.executable, "-c", EXPORT, str(path), str(batch)], check=True, capture_output=True)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
x = np.random.default_rng(7).uniform(-1, 1, (batch, 3, 160, 160)).astype(np.float32)
work = {"forward_inference": lambda: session.run(None, {"x": x})}
medians(f"ONNX Runtime {ort.__version__}", work, runs)
