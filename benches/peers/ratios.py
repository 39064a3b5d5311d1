"""Prints tables of times: modelens, the frameworks, and their ratios, all measured by this one run.

usage: python ratios.py [PROGRAM] [RUNS] [NETWORK,...]     PROGRAM: modelens, built with --release
NETWORK: base (the MobileNetV2 base), resnet50, efficientnet_b0, vit_tiny_patch16_224; by default all.
Needs: pip install tensorflow torch torchvision timm onnxruntime onnx
All run one after another with two threads; float32, medians. Load from other programs may fall on one of them only:
check the load before you trust a ratio, and prefer the processor time.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from networks import BASE, LABELS, SIZES

here = Path(__file__).parent
program = sys.argv[1] if len(sys.argv) > 1 else "modelens"
runs = sys.argv[2] if len(sys.argv) > 2 else "7"
networks = sys.argv[3].split(",") if len(sys.argv) > 3 else list(SIZES)
PEERS = ("tensorflow", "torch", "onnxruntime")
WORK = {
    "forward_inference": "forward, inference",
    "forward_training": "forward, training",
    "backward_open": "forward and backward, all trainable",
    "backward_from_120": "forward and backward, from layer 120",
}


def last_json(command, environment=None):
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(environment or {})})
    if done.returncode != 0:
        print(f"{command}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return json.loads(done.stdout[done.stdout.index("{") :])


def own_times(network, batch, folder):
    """What `modelens bench` says of a network; its keys say the batch size."""
    command = [program, "bench", "--json", "--runs", runs, "--batch", str(batch)]
    if network == BASE:
        command += ["--only", "base_"]
    else:
        file = folder / f"{network}.pth"
        subprocess.run([sys.executable, here / "networks.py", network, file], check=True)
        command += ["--model", file]
    return last_json(command, {"RAYON_NUM_THREADS": "2"})


def processor():
    """The name that Linux gives the processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown processor")


def table(network, folder):
    batch = SIZES[network][0]
    peers = [last_json([sys.executable, here / f"{name}_speed.py", runs, str(batch), network]) for name in PEERS]
    peers = [peer for peer in peers if peer]
    own = own_times(network, batch, folder)
    if own is None:
        sys.exit(1)
    title = f"{LABELS[network]}, batch {batch}, {own['instruction_set']}"
    print(f"| {title} | modelens | " + " | ".join(f"{peer['name']} | ratio" for peer in peers) + " |")
    print("|---" * (2 + 2 * len(peers)) + "|")
    prefix = "base" if network == BASE else "model"
    for suffix, what in (("secs", ""), ("cpu_secs", ", CPU time")):
        for key, label in WORK.items():
            secs = own.get(f"{prefix}_{key}_batch_{batch}_{suffix}")
            if secs is None:
                continue
            cells = []
            for peer in peers:
                other = peer.get(f"{key}_{suffix}")
                cells += [f"{other * 1e3:.0f} ms", f"{secs / other:.2f}"] if other else ["", ""]
            print(f"| {label}{what} | {secs * 1e3:.0f} ms | " + " | ".join(cells) + " |")
    cells = []
    for peer in peers:
        peak = max(value for key, value in peer.items() if key.endswith("peak_bytes"))
        cells += [f"{peak / 1e6:.0f} MB", f"{own['peak_bytes'] / peak:.2f}"]
    print(f"| peak memory of these rows | {own['peak_bytes'] / 1e6:.0f} MB | " + " | ".join(cells) + " |\n", flush=True)


print(f"{processor()}, 2 threads; modelens with {os.environ.get('MODELENS_SIMD', 'the widest vectors')}\n", flush=True)
with tempfile.TemporaryDirectory() as folder:
    for network in networks:
        table(network, Path(folder))
