"""Nine 160 x 160 photos through a horizontal flip and a rotation by up to 72 degrees, with albumentations.

The same work as `redraw_nine_secs` of `modelens bench --json`. Needs: pip install albumentations
usage: python redraw.py [RUNS]
"""

import sys
import time

import albumentations as A
import cv2
import numpy as np

runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
photo = np.random.default_rng(7).integers(0, 256, (160, 160, 3), dtype=np.uint8)
pipeline = A.Compose(
    [A.HorizontalFlip(p=0.5), A.Rotate(limit=72, p=1, border_mode=cv2.BORDER_REFLECT, interpolation=cv2.INTER_LINEAR)]
)
secs = []
for _ in range(runs):
    start = time.perf_counter()
    for _ in range(9):
        pipeline(image=photo)
    secs.append(time.perf_counter() - start)
print(f"albumentations {A.__version__}: {sorted(secs)[runs // 2] * 1e3:.2f} ms")
