"""Prints a table: nine new versions of a 160 x 160 photo by each augmentation layer alone, beside albumentations and torchvision.

usage: python augment.py [PROGRAM] [RUNS]     PROGRAM: modelens, built with --release
Needs: pip install torch torchvision albumentations
One thread each, processor time, the least of RUNS runs. The peers draw with the same probabilities and similar strengths.
A redraw of modelens also computes how far each picture is from the photo, and what the step does without training.
"""

import json
import os
import subprocess
import sys
import time

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
import albumentations as A
import cv2
import numpy as np
import torch
from torchvision.transforms import v2

program = sys.argv[1] if len(sys.argv) > 1 else "modelens"
RUNS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
cv2.setNumThreads(0)
torch.set_num_threads(1)
SIDE = 160
# A run of a peer repeats its work for this long. modelens repeats each redraw so often: its clock has steps of 10 ms.
SECS, REPEATS = 0.1, 300
BILINEAR = v2.InterpolationMode.BILINEAR
REFLECT = {"border_mode": cv2.BORDER_REFLECT}

# The layer of modelens, then what does the same in albumentations and in torchvision.
ROWS = {
    "RandomFlip": (A.HorizontalFlip(p=0.5), v2.RandomHorizontalFlip()),
    "RandomRotation": (A.Rotate(72, p=1, **REFLECT), v2.RandomRotation(72, BILINEAR)),
    "RandomZoom": (A.Affine(scale=(0.7, 1.3), p=1, **REFLECT), v2.RandomAffine(0, scale=(0.7, 1.3), interpolation=BILINEAR)),
    "RandomTranslation": (A.Affine(translate_percent=0.2, p=1, **REFLECT), v2.RandomAffine(0, (0.2, 0.2), interpolation=BILINEAR)),
    "RandomShear": (A.Affine(shear=(-15, 15), p=1, **REFLECT), v2.RandomAffine(0, shear=15, interpolation=BILINEAR)),
    "RandomContrast": (A.RandomBrightnessContrast(0, 0.5, p=1), v2.ColorJitter(contrast=0.5)),
    "RandomBrightness": (A.RandomBrightnessContrast(0.2, 0, p=1), v2.ColorJitter(brightness=0.2)),
    "RandomCrop": (A.RandomCrop(SIDE, SIDE, p=1), v2.RandomCrop(SIDE)),
    "RandomHue": (A.ColorJitter((1, 1), (1, 1), (1, 1), (-0.15, 0.15), p=1), v2.ColorJitter(hue=0.15)),
    "RandomSaturation": (A.ColorJitter((1, 1), (1, 1), (0.5, 1.5), (0, 0), p=1), v2.ColorJitter(saturation=0.5)),
    "RandomSharpness": (A.Sharpen(p=1), v2.RandomAdjustSharpness(2, 1)),
    "RandomColorDegeneration": (A.ColorJitter((1, 1), (1, 1), (0.5, 1), (0, 0), p=1), v2.ColorJitter(saturation=(0.5, 1))),
    "RandomColorJitter": (A.ColorJitter(0.2, 0.4, 0.4, 0.05, p=1), v2.ColorJitter(0.2, 0.4, 0.4, 0.05)),
    "RandomGrayscale": (A.ToGray(p=0.5), v2.RandomGrayscale(0.5)),
    "RandomPosterization": (A.Posterize((2, 6), p=1), v2.RandomPosterize(4, 1)),
    "RandomInvert": (A.InvertImg(p=0.5), v2.RandomInvert(0.5)),
    "Solarization": (A.Solarize(p=1), v2.RandomSolarize(128, 1)),
    "RandomGaussianBlur": (A.GaussianBlur((7, 7), (0.1, 1), p=0.5), v2.RandomApply([v2.GaussianBlur(7, (0.1, 1))])),
    "RandomErasing": (A.Erasing(p=0.5), v2.RandomErasing()),
    "RandomPerspective": (A.Perspective((0.05, 0.2), p=0.5), v2.RandomPerspective(0.5, 0.5)),
    "RandomElasticTransform": (A.ElasticTransform(p=0.5), v2.RandomApply([v2.ElasticTransform()])),
    "RandAugment": (None, v2.RandAugment(interpolation=BILINEAR)),
    "AugMix": (None, v2.AugMix()),
    "AutoContrast": (A.AutoContrast(p=1), v2.RandomAutocontrast(1)),
    "Equalization": (A.Equalize(p=1), v2.RandomEqualize(1)),
    "ContrastLimitedAdaptiveHistogramEqualization": (A.CLAHE(p=1), None),
    "Resizing": (A.Resize(SIDE, SIDE, p=1), v2.Resize((SIDE, SIDE))),
    "Rescaling": (A.ToFloat(255, p=1), v2.ToDtype(torch.float32, scale=True)),
    "v2.RandomHorizontalFlip": (A.HorizontalFlip(p=0.5), v2.RandomHorizontalFlip()),
    "v2.RandomVerticalFlip": (A.VerticalFlip(p=0.5), v2.RandomVerticalFlip()),
    "v2.ColorJitter": (A.ColorJitter(0.4, 0.4, 0.4, 0.1, p=1), v2.ColorJitter(0.4, 0.4, 0.4, 0.1)),
    "v2.RandomPhotometricDistort": (None, v2.RandomPhotometricDistort()),
    "v2.RandomChannelPermutation": (A.ChannelShuffle(p=1), v2.RandomChannelPermutation()),
    "v2.RandomGrayscale": (A.ToGray(p=0.1), v2.RandomGrayscale()),
    "v2.RandomEqualize": (A.Equalize(p=0.5), v2.RandomEqualize()),
    "v2.RandomInvert": (A.InvertImg(p=0.5), v2.RandomInvert()),
    "v2.RandomAutocontrast": (A.AutoContrast(p=0.5), v2.RandomAutocontrast()),
    "v2.RandomPosterize": (A.Posterize(3, p=0.5), v2.RandomPosterize(3)),
    "v2.RandomSolarize": (A.Solarize(p=0.5), v2.RandomSolarize(128)),
    "v2.RandomAdjustSharpness": (A.Sharpen(p=0.5), v2.RandomAdjustSharpness(2)),
    "v2.GaussianBlur": (A.GaussianBlur((5, 5), (0.1, 2), p=1), v2.GaussianBlur(5)),
    "v2.GaussianNoise": (A.GaussNoise((0.1, 0.1), p=1), v2.GaussianNoise()),
    "v2.JPEG": (A.ImageCompression(quality_range=(5, 50), p=1), v2.JPEG((5, 50))),
    "v2.AutoAugment": (None, v2.AutoAugment()),
    "v2.RandAugment": (None, v2.RandAugment()),
    "v2.TrivialAugmentWide": (None, v2.TrivialAugmentWide()),
    "v2.AugMix": (None, v2.AugMix()),
    "v2.RandomApply": (None, v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.4, 0.1)])),
}

photo = np.random.default_rng(7).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
planes = torch.from_numpy(photo.transpose(2, 0, 1).copy())


def seconds(work):
    """Processor time of nine calls."""
    work()
    least = float("inf")
    for _ in range(RUNS):
        calls, start = 0, time.process_time()
        while (spent := time.process_time() - start) < SECS:
            for _ in range(9):
                work()
            calls += 1
        least = min(least, spent / calls)
    return least


def peers(name):
    ours, theirs = ROWS[name]
    found = []
    if ours is not None:
        compose = A.Compose([ours])
        found.append(seconds(lambda: compose(image=photo)))
    else:
        found.append(None)
    found.append(seconds(lambda: theirs(planes)) if theirs is not None else None)
    return found


def modelens():
    least = {}
    for _ in range(RUNS):
        command = [program, "bench", "--json", "--runs", str(REPEATS), "--only", "redraw_nine_"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "RAYON_NUM_THREADS": "1"})
        for key, secs in json.loads(done.stdout).items():
            if key.endswith("_cpu_secs"):
                name = key.removeprefix("redraw_nine_").removesuffix("_cpu_secs")
                least[name] = min(secs, least.get(name, secs))
    return least


own = modelens()
print(f"| nine of 160 x 160 | modelens | albumentations {A.__version__} | ratio | torchvision {__import__('torchvision').__version__} | ratio |")
print("|---" * 6 + "|")
for name, secs in own.items():
    cells = []
    for other in peers(name) if name in ROWS else [None, None]:
        cells += [f"{other * 1e3:.2f} ms", f"{secs / other:.2f}"] if other else ["", ""]
    print(f"| {name} | {secs * 1e3:.2f} ms | " + " | ".join(cells) + " |")
