"""Prints a table of times for the MobileNetV2 base: modelens, the frameworks, and their ratios.

usage: python ratios.py [PROGRAM] [RUNS]     PROGRAM: modelens, built with --release
Needs: pip install tensorflow torch torchvision onnxruntime onnx
All run one after another with two threads; 160 x 160 x 3, batch 32, float32, medians. Load from other programs may fall
on one of them only: check the load before you trust a ratio.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

here = Path(__file__).parent
program = sys.argv[1] if len(sys.argv) > 1 else "modelens"
runs = sys.argv[2] if len(sys.argv) > 2 else "7"
WORK = {
    "forward_inference": ("forward, inference", "base_forward_inference_batch_32_secs"),
    "forward_training": ("forward, training", "base_forward_training_batch_32_secs"),
    "backward_open": ("forward and backward, all trainable", "base_backward_open_batch_32_secs"),
    "backward_from_120": ("forward and backward, from layer 120", "base_backward_from_120_batch_32_secs"),
}


def last_json(command, environment=None):
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(environment or {})})
    if done.returncode != 0:
        print(f"{command}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return json.loads(done.stdout[done.stdout.index("{") :])


peers = [last_json([sys.executable, here / f"{name}_speed.py", runs, "32"]) for name in ("tensorflow", "torch", "onnxruntime")]
peers = [peer for peer in peers if peer]
own = last_json([program, "bench", "--json", "--runs", runs], {"RAYON_NUM_THREADS": "2"})
if own is None:
    sys.exit(1)
names = [peer["name"] for peer in peers]
print("| batch 32 | modelens | " + " | ".join(f"{n} | ratio" for n in names) + " |")
print("|---" * (2 + 2 * len(names)) + "|")
for suffix, what in (("secs", ""), ("cpu_secs", ", CPU time")):
    for key, (label, mine) in WORK.items():
        secs = own[mine.removesuffix("secs") + suffix]
        cells = []
        for peer in peers:
            other = peer.get(f"{key}_{suffix}")
            cells += [f"{other * 1e3:.0f} ms", f"{secs / other:.2f}"] if other else ["", ""]
        print(f"| {label}{what} | {secs * 1e3:.0f} ms | " + " | ".join(cells) + " |")
cells = []
for peer in peers:
    peak = max(value for key, value in peer.items() if key.endswith("peak_bytes"))
    cells += [f"{peak / 1e6:.0f} MB", f"{own['peak_bytes'] / peak:.2f}"]
print(f"| peak memory of the whole run | {own['peak_bytes'] / 1e6:.0f} MB | " + " | ".join(cells) + " |")
